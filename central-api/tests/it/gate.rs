//! The gate before a notice: evidence whose time is doubtful, terms that have run out. Each is
//! shown on the case's page in words, and refused at the review and again at the approval.

use axum::http::StatusCode;
use central_api::admin::users::Role;
use contract::Act;
use contract::facts::{Facts, Lamp, Line, LineKind, Lit, Measured, Movement, Signal, Unit};
use contract::manifest::{ClockSource, Manifest, SourceKind};
use time::Duration;
use time::macros::datetime;

use crate::setting::Setting;
use crate::setting::browserless::Visitor;

type Edit = fn(&mut Manifest);

pub fn signal(manifest: &mut Manifest) -> &mut Signal {
    match &mut manifest.violation.facts {
        Facts::Signal(signal) => signal,
        other => panic!("{other:?}"),
    }
}

/// Stood over the stop line on red for so many seconds, of which three are too many.
pub fn stood(seconds: f64) -> Facts {
    let red = Measured::new(4200.0, Unit::Milliseconds);
    Facts::Line(Line {
        line: LineKind::Stop,
        place: None,
        lit: Some(Lit { lamp: Lamp::Red, red, right_arrow: false }),
        over: Some(Measured::new(0.6, Unit::VehicleHeights).against(0.25)),
        stood: Some(Measured::new(seconds, Unit::Seconds).against(3.0)),
    })
}

/// Moves act, pictures and clip together.
fn shift(manifest: &mut Manifest, to: time::OffsetDateTime) {
    let by = to - manifest.violation.at;
    manifest.violation.at += by;
    for file in &mut manifest.files {
        file.captured_at += by;
    }
}

/// Blockers of a case as codes with their details.
async fn blockers(officer: &mut Visitor, case: &str) -> Vec<(String, String)> {
    let detail = officer.get(&format!("/api/v1/cases/{case}")).await.json();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let blockers = detail["blockers"].as_array().unwrap();
    blockers.iter().map(|it| (text(&it["code"]), text(&it["detail"]))).collect()
}

#[tokio::test]
async fn a_case_of_doubtful_time_is_refused_with_its_reason() {
    let setting = Setting::new().await;
    setting.user("an", &[Role::Reviewer]).await;
    let mut an = Visitor::officer(&setting.state, "an").await;
    const LIVE: &str = "Hình ảnh không đến trực tiếp từ camera";
    const OFFSET: &str = "Giờ của thiết bị và của camera lệch nhau quá mức cho phép";
    const ORDER: &str = "Thời điểm các ảnh và đoạn phim không theo thứ tự";
    const CLASH: &str = "Bản kê tự mâu thuẫn";
    let cases: [(&str, &str, &str, Edit); 21] = [
        ("clock_offset", OFFSET, "+10800278 ms", |m| m.clock.offset_ms = Some(10_800_278)),
        ("clock_offset", OFFSET, "-2001 ms", |m| m.clock.offset_ms = Some(-2001)),
        ("clock_offset", OFFSET, "-9223372036854775808 ms", |m| {
            m.clock.offset_ms = Some(i64::MIN);
        }),
        ("source_not_live", LIVE, "recording", |m| {
            m.source = Some(SourceKind::Recording);
            m.clock.source = ClockSource::Recording;
        }),
        ("source_not_live", LIVE, "recording", |m| m.source = Some(SourceKind::Recording)),
        ("source_not_live", LIVE, "file", |m| m.source = Some(SourceKind::File)),
        ("times_disordered", ORDER, "before.jpg 2026-11-21 08:22:32.200 >", |m| {
            m.files[0].captured_at += Duration::seconds(3);
        }),
        ("times_disordered", ORDER, "on.jpg 2026-11-21 08:23:30.501 ≠", |m| {
            m.files[1].captured_at += Duration::milliseconds(1);
        }),
        ("times_disordered", ORDER, "past.jpg 2026-11-21 08:24:30.499 <", |m| {
            m.files[2].captured_at -= Duration::milliseconds(1501);
        }),
        ("times_disordered", ORDER, "closeup.jpg 2026-11-22 08:25:30.500 …", |m| {
            m.files[3].captured_at += Duration::days(1);
        }),
        ("times_disordered", ORDER, "clip.mp4 2026-11-21 08:26:30.500 ≥", |m| {
            m.files[4].captured_at += Duration::milliseconds(2900);
        }),
        (
            "captured_in_future",
            "Thời điểm ghi hình sau thời điểm hệ thống nhận được",
            "past",
            |m| {
                shift(m, datetime!(2026-11-21 12:00 +7));
            },
        ),
        ("captured_in_future", "Thời điểm ghi hình sau", "past", |m| {
            shift(m, datetime!(2126-11-21 08:15 +7));
        }),
        ("contradiction", CLASH, "red_light, line", |m| {
            m.violation.facts = stood(4.0);
        }),
        ("contradiction", CLASH, "stop_line, signal", |m| {
            m.violation.act = Act::STOP_LINE;
        }),
        ("contradiction", CLASH, "stood 2.5", |m| {
            m.violation.act = Act::STOP_LINE;
            m.violation.facts = stood(2.5);
        }),
        ("contradiction", CLASH, "right, right_arrow", |m| {
            let signal = signal(m);
            signal.movement = Movement::Right;
            signal.lit.right_arrow = true;
        }),
        ("contradiction", CLASH, "red 99999999 ms", |m| {
            signal(m).lit.red.value = 99_999_999.0;
        }),
        ("act_unknown", "Hệ thống này chưa biết hành vi", "flying", |m| {
            m.violation.act = Act::named("flying");
        }),
        ("contradiction", CLASH, "plate.frames 0", |m| m.plate.as_mut().unwrap().frames = 0),
        ("contradiction", CLASH, "clip.jpg image/jpeg", |m| {
            m.files[4].name = "clip.jpg".into();
            m.files[4].media_type = "image/jpeg".into();
        }),
    ];
    for (sequence, (code, words, detail, edit)) in (1u64..).zip(cases) {
        // Each act is a minute later than the one before, and so is the clock.
        setting.clock.advance(Duration::minutes(1));
        let case = setting.case(sequence, edit).await;
        let found = blockers(&mut an, &case).await;
        assert!(
            found.iter().any(|(name, what)| name == code && what.contains(detail)),
            "{code} {detail}: {found:?}"
        );
        let page = an.get(&format!("/ho-so/{case}")).await.text();
        assert!(page.contains(words) && page.contains("Chưa đủ điều kiện"), "{code}");
        let refused = an.decide(&case, "accept", &[]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{code}");
        assert!(refused.text().contains(words), "{}", refused.text());
        let rejected = an.decide(&case, "reject", &[("reason", "poor_evidence")]).await;
        assert_eq!(rejected.status, StatusCode::SEE_OTHER, "{code}");
    }
}

#[tokio::test]
async fn a_small_offset_and_a_known_stream_stand_in_nobodys_way() {
    let setting = Setting::new().await;
    setting.user("an", &[Role::Reviewer]).await;
    let mut an = Visitor::officer(&setting.state, "an").await;
    let edits: [Edit; 4] = [
        |m| m.clock.offset_ms = Some(2000),
        |m| m.clock.offset_ms = None,
        |m| m.source = Some(SourceKind::CameraStream),
        |m| m.clock.source = ClockSource::Arrival,
    ];
    for (sequence, edit) in (1u64..).zip(edits) {
        let case = setting.case(sequence, edit).await;
        assert_eq!(blockers(&mut an, &case).await, []);
    }
}

#[tokio::test]
async fn terms_that_run_out_stop_a_notice_with_their_provision() {
    let setting = Setting::new().await;
    for (login, role) in [("an", Role::Reviewer), ("binh", Role::Approver)] {
        setting.user(login, &[role]).await;
    }
    let mut an = Visitor::officer(&setting.state, "an").await;
    // Done a year and a day ago; a year ago to the day is not barred.
    let barred = setting.case(1, |m| shift(m, datetime!(2025-11-20 23:59:59 +7))).await;
    let found = blockers(&mut an, &barred).await;
    let limitation = found.iter().find(|(code, _)| code == "limitation_passed");
    let (_, detail) = limitation.unwrap_or_else(|| panic!("{found:?}"));
    assert!(detail.starts_with("20/11/2026 (Luật XLVPHC 15/2012 Điều 6"), "{detail}");
    let page = an.get(&format!("/ho-so/{barred}")).await.text();
    assert!(page.contains("Đã hết thời hiệu xử phạt vi phạm hành chính, ngày cuối: 20/11/2026"));
    let held = setting.case(2, |m| {
        shift(m, datetime!(2025-11-21 00:00:00 +7));
        m.plate.as_mut().unwrap().text = Some("29AA67890".into());
    });
    let held = held.await;
    let found = blockers(&mut an, &held).await;
    assert!(!found.iter().any(|(code, _)| code == "limitation_passed"), "{found:?}");

    // What is notified in time stays in order.
    let in_time = setting.case(4, |m| m.plate.as_mut().unwrap().text = Some("29AA12346".into()));
    let in_time = in_time.await;
    assert_eq!(an.decide(&in_time, "accept", &[]).await.status, StatusCode::SEE_OTHER);
    let mut binh = Visitor::officer(&setting.state, "binh").await;
    assert_eq!(binh.decide(&in_time, "approve", &[]).await.status, StatusCode::SEE_OTHER);

    // Accepted in the term, approved after it: 21 November and ten days is Tuesday 1 December.
    let case = setting.case(3, |_| {}).await;
    setting.clock.advance(Duration::days(10));
    let mut an = Visitor::officer(&setting.state, "an").await;
    assert_eq!(an.decide(&case, "accept", &[]).await.status, StatusCode::SEE_OTHER);
    setting.clock.advance(Duration::days(1));
    let mut binh = Visitor::officer(&setting.state, "binh").await;
    let refused = binh.decide(&case, "approve", &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let words = "Đã quá thời hạn gửi thông báo, ngày cuối: 01/12/2026 (TT 73/2024/TT-BCA";
    assert!(refused.text().contains(words), "{}", refused.text());
    assert_eq!(blockers(&mut binh, &in_time).await, []);
}

#[tokio::test]
async fn a_year_whose_days_off_are_unknown_is_said_not_guessed() {
    let setting = Setting::new().await;
    setting.user("an", &[Role::Reviewer]).await;
    setting.clock.advance(datetime!(2027-12-28 09:00 +7) - crate::setting::START);
    let mut an = Visitor::officer(&setting.state, "an").await;
    let case = setting.case(1, |m| shift(m, datetime!(2027-12-28 08:15:30 +7))).await;
    let found = blockers(&mut an, &case).await;
    let unknown = found.iter().find(|(code, _)| code == "calendar_unknown");
    assert!(unknown.is_some_and(|(_, detail)| detail.contains("2028")), "{found:?}");
    let page = an.get(&format!("/ho-so/{case}")).await.text();
    assert!(page.contains("Chưa có lịch làm việc, nghỉ lễ để tính thời hạn"));
}
