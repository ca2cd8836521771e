//! What may be one act seen by two cameras, without being certain: shown on both cases, and one
//! notice unless an officer finds, in writing, that there were two.

use axum::http::StatusCode;
use central_api::admin::users::Role;
use contract::Act;
use contract::manifest::Manifest;
use serde_json::Value;
use time::Duration;

use crate::setting::Setting;
use crate::setting::browserless::Visitor;

/// Moves act, pictures and clip together.
fn later(manifest: &mut Manifest, by: Duration) {
    manifest.violation.at += by;
    for file in &mut manifest.files {
        file.captured_at += by;
    }
}

/// The same moment, seen from the other side of the junction under another name and direction.
pub fn from_the_other_side(manifest: &mut Manifest) {
    let back = Duration::minutes(1) - Duration::milliseconds(400);
    later(manifest, -back);
    manifest.camera.id = "cam-02".into();
    manifest.camera.place = "Trần Phú, chiều Nam – Bắc".into();
    manifest.camera.gps = Some([16.8162, 107.1004]);
    manifest.camera.direction = "Hướng Nam – Bắc".into();
}

struct Desk {
    setting: Setting,
    an: Visitor,
    binh: Visitor,
}

impl Desk {
    async fn each() -> Vec<Self> {
        let mut desks = Vec::new();
        for setting in Setting::each().await {
            setting.user("an", &[Role::Reviewer]).await;
            setting.user("binh", &[Role::Approver]).await;
            let an = Visitor::officer(&setting.state, "an").await;
            let binh = Visitor::officer(&setting.state, "binh").await;
            desks.push(Self { setting, an, binh });
        }
        desks
    }

    async fn detail(&mut self, case: &str) -> Value {
        self.an.get(&format!("/api/v1/cases/{case}")).await.json()
    }

    async fn notify(&mut self, case: &str) {
        let accepted = self.an.decide(case, "accept", &[]).await;
        assert_eq!(accepted.status, StatusCode::SEE_OTHER, "{}", accepted.text());
        let approved = self.binh.decide(case, "approve", &[]).await;
        assert_eq!(approved.status, StatusCode::SEE_OTHER, "{}", approved.text());
        assert_eq!(self.detail(case).await["case"]["state"], "notified");
    }
}

#[tokio::test]
async fn one_act_has_one_notice_until_somebody_finds_two() {
    for mut desk in Desk::each().await {
        let one = desk.setting.case(1, |_| {}).await;
        let two = desk.setting.case(2, from_the_other_side).await;
        // Both pages show the other; neither is ahead, so neither is held.
        for (case, other) in [(&one, &two), (&two, &one)] {
            let detail = desk.detail(case).await;
            assert_eq!(detail["related"][0]["id"], other.as_str());
            assert_eq!(detail["related"][0]["same_act"], true);
            assert_eq!(detail["related"][0]["uncertain"], serde_json::json!(["direction"]));
            assert_eq!(detail["blockers"].as_array().unwrap().len(), 0, "{detail}");
            let page = desk.an.get(&format!("/ho-so/{case}")).await.text();
            let maybe = "Có thể cùng một lần vi phạm; chưa chắc vì hướng ghi khác nhau";
            assert!(page.contains(maybe) && page.contains(other));
        }
        desk.notify(&one).await;
        let detail = desk.detail(&two).await;
        assert_eq!(detail["blockers"][0]["code"], "same_act");
        assert_eq!(detail["blockers"][0]["detail"], one.as_str());
        let refused = desk.an.decide(&two, "accept", &[]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains("hãy loại hồ sơ trùng, hoặc ghi nhận là hai hành vi"));

        // Two acts: only in writing, and only about a case that is related.
        for (fields, words) in [
            (vec![("other", one.as_str())], "Hãy ghi rõ lý do."),
            (vec![("other", two.as_str()), ("note", "khác")], "không cùng biển số"),
            (vec![("note", "khác")], "không cùng biển số"),
        ] {
            let refused = desk.an.decide(&two, "distinguish", &fields).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(refused.text().contains(words), "{}", refused.text());
        }
        let not_hers =
            desk.binh.decide(&two, "distinguish", &[("other", &one), ("note", "x")]).await;
        assert_eq!(not_hers.status, StatusCode::FORBIDDEN);
        let note = "Xe quay đầu, vượt đèn đỏ lần hai ở chiều ngược lại";
        let found = desk.an.decide(&two, "distinguish", &[("other", &one), ("note", note)]).await;
        assert_eq!(found.status, StatusCode::SEE_OTHER, "{}", found.text());
        for case in [&one, &two] {
            let page = desk.an.get(&format!("/ho-so/{case}")).await.text();
            assert!(
                page.contains("Đã ghi nhận là hai hành vi: Nguyễn Văn AN") && page.contains(note)
            );
        }
        desk.notify(&two).await;
        let notices: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM documents")
            .fetch_one(desk.setting.state.store.pool())
            .await
            .unwrap();
        assert_eq!(notices, 2);
    }
}

#[tokio::test]
async fn a_duplicate_is_rejected_and_stands_in_nobodys_way() {
    let mut desk = Desk::each().await.remove(0);
    let one = desk.setting.case(1, |_| {}).await;
    let two = desk.setting.case(2, from_the_other_side).await;
    let accepted = desk.an.decide(&one, "accept", &[]).await;
    assert_eq!(accepted.status, StatusCode::SEE_OTHER);
    // Accepted is far enough: two accepted cases would meet at the approver's desk.
    let refused = desk.an.decide(&two, "accept", &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let rejected = desk.an.decide(&two, "reject", &[("reason", "duplicate")]).await;
    assert_eq!(rejected.status, StatusCode::SEE_OTHER);
    assert_eq!(desk.detail(&one).await["related"].as_array().unwrap().len(), 0);
    let approved = desk.binh.decide(&one, "approve", &[]).await;
    assert_eq!(approved.status, StatusCode::SEE_OTHER);
    assert_eq!(desk.detail(&one).await["case"]["state"], "notified");
}

#[tokio::test]
async fn what_is_certainly_another_act_is_not_held() {
    let mut desk = Desk::each().await.remove(0);
    let one = desk.setting.case(1, |_| {}).await;
    desk.notify(&one).await;
    type Edit = fn(&mut Manifest);
    let cases: [(&str, usize, bool, Edit); 8] = [
        ("a corrected number", 1, true, |m| {
            from_the_other_side(m);
            m.plate.as_mut().unwrap().raw = "29AA12346".into();
        }),
        ("an act that the first includes", 1, true, |m| {
            from_the_other_side(m);
            m.violation.act = Act::STOP_LINE;
            m.violation.facts = crate::gate::stood(4.0);
        }),
        ("another act of one passage, fined on its own", 1, false, |m| {
            from_the_other_side(m);
            m.violation.act = Act::named("wrong_lane");
            m.violation.facts = crate::passages::lane();
        }),
        ("a number with one other character", 1, true, |m| {
            from_the_other_side(m);
            m.plate.as_mut().unwrap().text = Some("29AA12346".into());
        }),
        ("no position, the same unit", 1, true, |m| {
            from_the_other_side(m);
            m.camera.gps = None;
        }),
        ("five kilometres away", 1, false, |m| {
            from_the_other_side(m);
            m.camera.gps = Some([16.86, 107.1]);
        }),
        ("another number", 0, false, |m| {
            m.plate.as_mut().unwrap().text = Some("29AA12367".into());
        }),
        ("six minutes later", 0, false, |m| later(m, Duration::minutes(6))),
    ];
    desk.setting.clock.advance(Duration::minutes(20));
    for (sequence, (what, related, held, edit)) in (2u64..).zip(cases) {
        let case = desk.setting.case(sequence, |m| {
            // Every act at the minute of the first, before it is changed.
            later(m, -Duration::minutes(sequence as i64 - 2));
            edit(m);
            // Each from where no other is.
            m.camera.direction = format!("Hướng {sequence}");
        });
        let case = case.await;
        let detail = desk.detail(&case).await;
        assert_eq!(detail["related"].as_array().unwrap().len(), related, "{what}: {detail}");
        let code = detail["blockers"][0]["code"].as_str();
        assert_eq!(code == Some("same_act"), held, "{what}: {detail}");
        let reason = [("reason", "poor_evidence")];
        assert_eq!(desk.an.decide(&case, "reject", &reason).await.status, StatusCode::SEE_OTHER);
    }
}
