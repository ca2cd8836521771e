//! Every paper that a person must receive goes the same way, on both databases: decisions, annulments and
//! notices of points in batches with the notices, served as the law says, and nothing runs before.

use axum::http::StatusCode;
use central_api::clock::Clock as _;
use central_api::proceedings::delivery::{self, Paper, Progress, State};
use central_api::proceedings::payment::{self, ClaimRow};
use central_api::proceedings::warning::{self, Cause};
use central_api::work;
use sqlx::AssertSqlSafe;
use time::macros::date;
use time::{Date, Duration};

use crate::delivery::{code, deliveries, posted, printed, today, told};
use crate::notices::tool;
use crate::sanctions::{CHIEF, Desk, office};
use crate::setting::Setting;
use crate::setting::browserless::{Answer, Visitor};

/// A clerk puts on record that a paper was handed to whom it names.
pub async fn handed(setting: &Setting, case: &str, paper: Paper, day: &str) -> Answer {
    by_hand(setting, case, paper, &[("how", "delivered"), ("receiver", "addressee"), ("day", day)])
        .await
}

async fn by_hand(setting: &Setting, case: &str, paper: Paper, more: &[(&str, &str)]) -> Answer {
    let mut chi = Visitor::officer(&setting.state, "chi").await;
    let (csrf, code) = (chi.csrf.clone(), code(setting, case, paper).await);
    let seen = deliveries(setting, case, paper).await.len().to_string();
    let mut fields = vec![
        ("csrf", csrf.as_str()),
        ("document", &code),
        ("seen", &seen),
        ("note", "ký nhận tại trụ sở, sổ giao nhận số 7"),
    ];
    fields.extend_from_slice(more);
    chi.post(&format!("/ho-so/{case}/giao-nhan"), &fields).await
}

async fn progress(setting: &Setting, case: &str, paper: Paper) -> Progress {
    let found = delivery::find(&setting.state.store, case, paper).await.unwrap();
    found.unwrap().progress
}

async fn claim(setting: &Setting, case: &str) -> ClaimRow {
    let mut view = setting.state.store.pool().acquire().await.unwrap();
    payment::of_case(&mut view, case).await.unwrap().pop().unwrap()
}

/// When the decision was served, and by when it is to be paid.
async fn days(setting: &Setting, case: &str) -> (Option<Date>, Option<Date>) {
    let claim = claim(setting, case).await;
    (claim.served_on, claim.due)
}

async fn unpaid(setting: &Setting, case: &str) -> Option<warning::State> {
    let all = warning::of_case(&setting.state.store, case).await.unwrap();
    all.into_iter().find(|it| it.cause == Cause::Unpaid).map(|it| it.state)
}

async fn page(setting: &Setting, path: &str) -> String {
    Visitor::officer(&setting.state, "chi").await.get(path).await.text()
}

#[tokio::test]
async fn a_decision_goes_out_with_the_other_papers_and_its_term_runs_from_its_service() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        desk.in_force(&case).await;
        let setting = &desk.setting;
        let own = format!("/ho-so/{case}");
        // In the house nothing runs, and the pages say so.
        assert_eq!(days(setting, &case).await, (None, None));
        assert_eq!(unpaid(setting, &case).await, None);
        let text = page(setting, &own).await;
        assert!(text.contains("Quyết định xử phạt số 000001/QĐ-XPHC-"), "{text}");
        assert!(text.contains("Hạn gửi quyết định") && text.contains("Chưa giao"), "{text}");
        let text = page(setting, "/thoi-han?loai=send_decision").await;
        assert!(text.contains("chưa giao, hạn nộp phạt chưa tính"), "{text}");
        // One batch for the decision, the points and the notice, each letter its own.
        let batch = printed(setting).await;
        let text = page(setting, &format!("/giao-nhan/{batch}")).await;
        let holds = "1 quyết định xử phạt, 1 thông báo trừ điểm, 1 thông báo vi phạm.";
        assert!(text.contains("3 thư") && text.contains(holds), "{text}");
        let list = page(setting, &format!("/giao-nhan/{batch}/danh-sach.csv")).await;
        for (n, kind) in [
            (1, "Quyết định xử phạt vi phạm hành chính,000001/QĐ-XPHC-"),
            (2, "Thông báo trừ điểm giấy phép lái xe,000001/TB-"),
            (3, "Thông báo vi phạm,000001/TB-"),
        ] {
            assert!(list.contains(&format!("1-000{n},1,{n},{kind}")), "{list}");
        }
        addressed(setting, &batch).await;
        assert_eq!(days(setting, &case).await, (None, None), "on paper nothing runs either");
        posted(setting, &batch).await;
        // The post office has it: the law's own last day where nothing proves the receipt, no warning.
        assert_eq!(days(setting, &case).await, (None, Some(date!(2026 - 12 - 03))));
        assert_eq!(unpaid(setting, &case).await, None);
        let text = page(setting, "/thoi-han?loai=unserved").await;
        assert!(text.contains("Quyết định đã gửi, chưa giao"), "{text}");
        let text = page(setting, &own).await;
        assert!(text.contains("03/12/2026 (nếu không có căn cứ xác định ngày nhận)"), "{text}");
        // Long after, and still nobody is warned of what reached nobody as far as is known.
        work::begin(&setting.state).await.unwrap();
        setting.clock.advance(Duration::days(16));
        work::work_off(&setting.state).await.unwrap();
        assert_eq!(unpaid(setting, &case).await, None);
        // Delivered on Monday 7 December: the tenth day is Thursday the 17th.
        let line = format!("000001/QĐ-XPHC-PC08;RB1VN;Phát thành công;{}", today(setting));
        let answer = told(setting, std::slice::from_ref(&line)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let expected = (Some(date!(2026 - 12 - 07)), Some(date!(2026 - 12 - 17)));
        assert_eq!(days(setting, &case).await, expected);
        assert_eq!(unpaid(setting, &case).await, Some(warning::State::Running));
        assert_eq!(progress(setting, &case, Paper::Decision).await, Progress::Done);
        assert_eq!(progress(setting, &case, Paper::Points).await, Progress::OnWay);
        let text = page(setting, &own).await;
        assert!(text.contains("07/12/2026") && text.contains("17/12/2026"), "{text}");
        assert_eq!(told(setting, &[line]).await.location(), "/giao-nhan?xong=imported.1.0");
        setting.clock.advance(Duration::days(10));
        work::work_off(&setting.state).await.unwrap();
        assert_eq!(unpaid(setting, &case).await, Some(warning::State::Running));
        setting.clock.advance(Duration::days(1));
        work::work_off(&setting.state).await.unwrap();
        assert_eq!(unpaid(setting, &case).await, Some(warning::State::Warned));
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

/// Each letter of the batch is addressed to whom its paper names, and says what it encloses.
async fn addressed(setting: &Setting, batch: &str) {
    let mut chi = Visitor::officer(&setting.state, "chi").await;
    let pdf = chi.get(&format!("/giao-nhan/{batch}/thu.pdf")).await;
    let file = setting.folder.path().join("papers.pdf");
    std::fs::write(&file, &pdf.bytes).unwrap();
    if let Some(folder) = std::env::var_os("SCREENSHOTS") {
        std::fs::copy(&file, std::path::Path::new(&folder).join("papers.pdf")).unwrap();
    }
    let Some(text) = tool("pdftotext", &["-layout", file.to_str().unwrap(), "-"]) else { return };
    let sheets: Vec<String> = text
        .split('\u{c}')
        .filter(|page| page.contains("PHIẾU GỬI VĂN BẢN"))
        .map(|page| page.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(sheets.len(), 3, "{text}");
    for (sheet, enclosed) in sheets.iter().zip([
        "Quyết định xử phạt vi phạm hành chính số 000001/QĐ-XPHC-",
        "Thông báo trừ điểm giấy phép lái xe số 000001/TB-",
        "Thông báo vi phạm số 000001/TB-",
    ]) {
        assert!(sheet.contains("Trần Thị Chủ Xe") && sheet.contains(enclosed), "{sheet}");
    }
}

#[tokio::test]
async fn a_decision_that_comes_back_runs_no_term_until_the_third_time() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        desk.in_force(&case).await;
        let setting = &desk.setting;
        for round in 1..=3 {
            let batch = printed(setting).await;
            posted(setting, &batch).await;
            let (served, due) = days(setting, &case).await;
            assert_eq!((served, due.is_some()), (None, round == 1), "round {round}");
            setting.clock.advance(Duration::days(1));
            let line = format!("{round}-0001;RC{round}VN;Chuyển hoàn;{}", today(setting));
            let answer = told(setting, &[line]).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
            if round < 3 {
                assert_eq!(progress(setting, &case, Paper::Decision).await, Progress::Again);
                assert_eq!(days(setting, &case).await, (None, None));
                assert_eq!(unpaid(setting, &case).await, None);
            }
        }
        // The third came back on the holiday of Tuesday 24 November: 25, 26, 27, and ten days on.
        let expected = (Some(date!(2026 - 11 - 27)), Some(date!(2026 - 12 - 07)));
        assert_eq!(days(setting, &case).await, expected);
        assert_eq!(unpaid(setting, &case).await, Some(warning::State::Running));
        // Whoever is served otherwise before is held to that day.
        assert_eq!(handed(setting, &case, Paper::Decision, "2026-11-23").await.status, 303);
        let expected = (Some(date!(2026 - 11 - 23)), Some(date!(2026 - 12 - 03)));
        assert_eq!(days(setting, &case).await, expected);
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn nothing_is_served_twice_and_a_return_after_service_is_refused_in_words() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        desk.in_force(&case).await;
        let setting = &desk.setting;
        let batch = printed(setting).await;
        posted(setting, &batch).await;
        setting.clock.advance(Duration::days(2));
        // Who took it must be named, and be somebody whom the law knows.
        for receiver in ["", "neighbour"] {
            let fields = [("how", "delivered"), ("receiver", receiver), ("day", "2026-11-23")];
            let answer = by_hand(setting, &case, Paper::Decision, &fields).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{receiver}");
            assert!(answer.text().contains("Hãy chọn người đã nhận"), "{}", answer.text());
        }
        assert_eq!(handed(setting, &case, Paper::Decision, "2026-11-23").await.status, 303);
        let expected = (Some(date!(2026 - 11 - 23)), Some(date!(2026 - 12 - 03)));
        assert_eq!(days(setting, &case).await, expected);
        let text = page(setting, &format!("/ho-so/{case}")).await;
        assert!(text.contains("Người có tên trong văn bản"), "{text}");
        // Not once more by hand, in whatever way.
        for how in [
            vec![("how", "delivered"), ("receiver", "office")],
            vec![("how", "refused")],
            vec![("how", "commune")],
        ] {
            let fields = [how, vec![("day", "2026-11-23")]].concat();
            let answer = by_hand(setting, &case, Paper::Decision, &fields).await;
            assert_eq!(answer.status, StatusCode::CONFLICT);
            assert!(answer.text().contains("đã được giao ngày 23/11/2026"), "{}", answer.text());
        }
        // Nor does a letter of it that comes back now begin anything.
        let back = format!("1-0001;RB1VN;Chuyển hoàn;{}", today(setting));
        let answer = told(setting, &[back]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        let words = "văn bản đã được giao trước ngày thư bị trả lại";
        assert!(answer.text().contains(words), "{}", answer.text());
        assert_eq!(days(setting, &case).await, expected);
        // That the post office delivered it too changes no day.
        setting.clock.advance(Duration::days(1));
        let late = format!("1-0001;RB1VN;Phát thành công;{}", today(setting));
        assert_eq!(told(setting, &[late]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(days(setting, &case).await, expected);
        let again = format!("1-0001;RB1VN;Chuyển hoàn;{}", today(setting));
        let answer = told(setting, &[again]).await;
        assert!(answer.text().contains("trái với kết quả đã ghi nhận"), "{}", answer.text());
        assert_eq!(progress(setting, &case, Paper::Decision).await, Progress::Done);
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_was_handed_over_meanwhile_stays_out_of_the_post() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        desk.in_force(&case).await;
        let setting = &desk.setting;
        let batch = printed(setting).await;
        let answer = handed(setting, &case, Paper::Decision, "2026-11-21").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let text = page(setting, &format!("/giao-nhan/{batch}")).await;
        assert!(text.contains("Không gửi: đã giao bằng cách khác"), "{text}");
        assert_eq!(posted(setting, &batch).await, "/giao-nhan?xong=posted.2.1");
        let all = deliveries(setting, &case, Paper::Decision).await;
        // Of the same moment they have no order.
        for state in [State::Void, State::Delivered] {
            assert_eq!(all.iter().filter(|it| it.state == state).count(), 1, "{all:?}");
        }
        assert_eq!(progress(setting, &case, Paper::Decision).await, Progress::Done);
        assert_eq!(days(setting, &case).await.0, Some(date!(2026 - 11 - 21)));
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

async fn annulled(desk: &mut Desk, case: &str) {
    desk.dung = Visitor::officer(&desk.setting.state, "dung").await;
    desk.binh = Visitor::officer(&desk.setting.state, "binh").await;
    office(&desk.setting, "binh", CHIEF).await;
    let why = [("reason", "xử phạt nhầm người vi phạm")];
    assert_eq!(desk.act("dung", case, "annul", &why).await.status, StatusCode::SEE_OTHER);
    let agreed = desk.act("binh", case, "confirm_annulment", &[]).await;
    assert_eq!(agreed.status, StatusCode::SEE_OTHER, "{}", agreed.text());
}

#[tokio::test]
async fn what_is_annulled_never_goes_out_and_its_annulment_does_whatever_becomes_of_the_case() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        desk.in_force(&case).await;
        let batch = printed(&desk.setting).await;
        // Asked for: it waits in the house. Annulled: it never leaves it.
        let why = [("reason", "xử phạt nhầm người vi phạm")];
        desk.act("dung", &case, "annul", &why).await;
        let own = format!("/giao-nhan/{batch}");
        let text = page(&desk.setting, &own).await;
        assert!(
            text.contains("Lấy ra khỏi chồng thư") && text.contains("1-0001, 1-0002"),
            "{text}"
        );
        assert!(text.contains("chờ quyết định hủy bỏ, thu hồi"), "{text}");
        office(&desk.setting, "binh", CHIEF).await;
        let agreed = desk.act("binh", &case, "confirm_annulment", &[]).await;
        assert_eq!(agreed.status, StatusCode::SEE_OTHER, "{}", agreed.text());
        let setting = &desk.setting;
        assert_eq!(posted(setting, &batch).await, "/giao-nhan?xong=posted.1.0", "the notice");
        for paper in [Paper::Decision, Paper::Points] {
            assert_eq!(progress(setting, &case, paper).await, Progress::Closed);
            assert_eq!(deliveries(setting, &case, paper).await[0].state, State::Void);
            let day = today(setting).split('/').rev().collect::<Vec<_>>().join("-");
            let answer = handed(setting, &case, paper, &day).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
        }
        // It went out all the same: that is no mistake, and serves nobody.
        let line = format!("1-0001;RB9VN;Phát thành công;{}", today(setting));
        assert_eq!(told(setting, &[line]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(unpaid(setting, &case).await, None);
        assert_eq!(claim(setting, &case).await.served_on, None);
        // The annulment reaches whom the decision named, though the case is withdrawn and the minutes
        // name somebody else.
        desk.drawn(&case, &[("name", "Lê Văn Lái Xe"), ("address", "9 Phố Khác")]).await;
        crate::delivery::withdrawn_by_two_of(&desk.setting, &case, ["binh", "dung"]).await;
        let setting = &desk.setting;
        assert_eq!(progress(setting, &case, Paper::Annulment).await, Progress::Waiting);
        let batch = printed(setting).await;
        let list = page(setting, &format!("/giao-nhan/{batch}/danh-sach.csv")).await;
        assert!(list.contains("000001/QĐ-HB-") && list.contains("Trần Thị Chủ Xe"), "{list}");
        assert!(!list.contains("Lê Văn Lái Xe"), "{list}");
        assert_eq!(posted(setting, &batch).await, "/giao-nhan?xong=posted.1.0");
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_is_in_the_post_when_it_is_annulled_or_frozen_is_marked() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        desk.in_force(&case).await;
        let store = desk.setting.state.store.clone();
        let run = async |text: String| {
            sqlx::query(AssertSqlSafe(text)).execute(store.pool()).await.unwrap();
        };
        run("INSERT INTO recalls (id, cause, value, from_at, to_at, reason, opened_by, opened_at)
             SELECT 'r', 'camera', 'cam-01', 0, 1, 'thử nghiệm', MIN(id), 0 FROM users"
            .into())
        .await;
        run(format!(
            "INSERT INTO recalled (recall_id, case_id, state) VALUES ('r', '{case}', 'frozen')"
        ))
        .await;
        // Frozen, it is in no batch at all.
        let mut chi = Visitor::officer(&desk.setting.state, "chi").await;
        let fields = [("csrf", chi.csrf.clone()), ("most", "50".into())];
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = chi.post("/giao-nhan/in", &fields).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
        run("UPDATE recalled SET state = 'released'".into()).await;
        let batch = printed(&desk.setting).await;
        let own = format!("/giao-nhan/{batch}");
        run("UPDATE recalled SET state = 'frozen'".into()).await;
        let text = page(&desk.setting, &own).await;
        assert!(text.contains("Không gửi: đang rà soát"), "{text}");
        run("UPDATE recalled SET state = 'released'".into()).await;
        posted(&desk.setting, &batch).await;
        run("UPDATE recalled SET state = 'frozen'".into()).await;
        let text = page(&desk.setting, &own).await;
        assert!(text.contains("đang rà soát") && !text.contains("Không gửi:"), "{text}");
        // Frozen, its annulment goes out all the same.
        annulled(&mut desk, &case).await;
        let text = page(&desk.setting, &own).await;
        assert!(text.contains("đã hủy bỏ hoặc thu hồi"), "{text}");
        let batch = printed(&desk.setting).await;
        assert_eq!(posted(&desk.setting, &batch).await, "/giao-nhan?xong=posted.1.0");
        run("DELETE FROM recalled".into()).await;
        run("DELETE FROM recalls".into()).await;
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

/// Nobody waits for the audit while a batch writes its letters: its rows come last, after the claims.
#[tokio::test]
async fn a_batch_takes_the_audit_last() {
    for (index, mut desk) in Desk::each().await.into_iter().enumerate() {
        let case = desk.notified().await;
        desk.in_force(&case).await;
        let setting = &desk.setting;
        let batch = printed(setting).await;
        let store = &setting.state.store;
        let clerk: String = sqlx::query_scalar("SELECT id FROM users WHERE login = 'chi'")
            .fetch_one(store.pool())
            .await
            .unwrap();
        if index == 0 {
            // One writes at a time: the database itself says when the first row came.
            sqlx::query(
                "CREATE TRIGGER early BEFORE INSERT ON audit
                 WHEN NEW.action = 'delivery.sent' AND EXISTS (
                     SELECT 1 FROM deliveries WHERE state = 'printed')
                 BEGIN SELECT RAISE(ABORT, 'the audit before the letters'); END",
            )
            .execute(store.pool())
            .await
            .unwrap();
            let (out, stayed) =
                delivery::post(&setting.state, &batch, (&clerk, "chi")).await.unwrap();
            assert_eq!((out, stayed), (3, 0));
            continue;
        }
        // Somebody else has the claim, on which the batch waits after all its letters: the audit is
        // free all the while.
        let mut other = store.begin().await.unwrap();
        sqlx::query("UPDATE payment_claims SET version = version WHERE case_id = $1")
            .bind(case.clone())
            .execute(&mut *other)
            .await
            .unwrap();
        let state = setting.state.clone();
        let post =
            tokio::spawn(
                async move { delivery::post(&state, &batch, (&clerk, "chi")).await.unwrap() },
            );
        let waits = "SELECT COUNT(*) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'";
        for _ in 0..200 {
            let found: i64 = sqlx::query_scalar(waits).fetch_one(store.pool()).await.unwrap();
            if found > 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert!(!post.is_finished(), "the batch waits for the claim");
        let entry = central_api::audit::Entry {
            at: setting.clock.now(),
            actor: "system",
            action: "test.free",
            subject_kind: "test",
            subject_id: "free",
            detail: serde_json::json!({}),
        };
        central_api::audit::append(&mut other, entry).await.unwrap();
        other.commit().await.unwrap();
        assert_eq!(post.await.unwrap(), (3, 0));
        let order: Vec<String> =
            sqlx::query_scalar("SELECT action FROM audit ORDER BY seq DESC LIMIT 6")
                .fetch_all(store.pool())
                .await
                .unwrap();
        let expected = [
            "payment.term",
            "batch.posted",
            "delivery.sent",
            "delivery.sent",
            "delivery.sent",
            "test.free",
        ];
        assert_eq!(order, expected);
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

/// Whatever happens in whatever order: what is served stays served and never later, the claim says what
/// follows from the deliveries, nobody is warned of what reached nobody, and what is annulled is sent no
/// more.
#[tokio::test]
async fn no_order_of_events_serves_twice_or_runs_a_term_before_service() {
    for (round, mut desk) in Desk::each().await.into_iter().enumerate() {
        let case = desk.notified().await;
        desk.in_force(&case).await;
        let mut seed = 41 + round as u64;
        let mut dice = |sides: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % sides
        };
        let setting = &desk.setting;
        let clerk: String = sqlx::query_scalar("SELECT id FROM users WHERE login = 'chi'")
            .fetch_one(setting.state.store.pool())
            .await
            .unwrap();
        let by = (clerk.as_str(), "chi");
        let (mut before, mut batches) = (None::<Date>, Vec::<delivery::Batch>::new());
        for step in 0..60 {
            let which = dice(7);
            match which {
                0 | 1 => {
                    if let Ok(batch) =
                        delivery::make(&setting.state, by, Some(Paper::Decision), 5).await
                    {
                        work::work_off(&setting.state).await.unwrap();
                        batches.push(batch);
                    }
                }
                2 => {
                    if let Some(batch) = batches.last() {
                        let _ = delivery::post(&setting.state, &batch.id, by).await;
                    }
                }
                3 | 4 => {
                    if let Some(batch) = batches.last() {
                        // Now and then delivered, mostly not.
                        let what =
                            if dice(6) == 0 { "Phát thành công" } else { "Chuyển hoàn" };
                        let line = format!("{}-0001;;{what};{}", batch.number, today(setting));
                        told(setting, &[line]).await;
                    }
                }
                5 if dice(5) == 0 => {
                    let ways: [&[(&str, &str)]; 4] = [
                        &[("how", "delivered"), ("receiver", "addressee")],
                        &[("how", "refused")],
                        &[("how", "electronic")],
                        &[("how", "commune")],
                    ];
                    let day = today(setting).split('/').rev().collect::<Vec<_>>().join("-");
                    let way = ways[dice(4) as usize];
                    let fields = [way, &[("day", day.as_str())]].concat();
                    by_hand(setting, &case, Paper::Decision, &fields).await;
                }
                _ => setting.clock.advance(Duration::hours(30)),
            }
            let all = deliveries(setting, &case, Paper::Decision).await;
            let served = delivery::served(&all, &setting.state.law).unwrap().map(|it| it.on);
            let claim = claim(setting, &case).await;
            assert_eq!(claim.served_on, served, "step {step}: {all:?}");
            assert!(before.is_none() || served.is_some_and(|on| Some(on) <= before), "{all:?}");
            let open = |it: &&delivery::Delivery| {
                matches!(it.state, State::Printing | State::Printed | State::Sent)
                    && it.batch_id.is_some()
            };
            assert!(all.iter().filter(open).count() <= 1, "two letters at once: {all:?}");
            let warned = unpaid(setting, &case).await;
            assert_eq!(warned.is_some(), served.is_some(), "step {step}: {all:?}");
            let came_back = all.iter().any(|it| it.state == State::Returned);
            let sent = all.iter().any(|it| it.state == State::Sent && it.batch_id.is_some());
            let runs = served.is_some() || sent && !came_back;
            assert_eq!(claim.due.is_some(), runs, "step {step}: {all:?}");
            before = served;
        }
        annulled(&mut desk, &case).await;
        let setting = &desk.setting;
        let made = delivery::make(&setting.state, by, Some(Paper::Decision), 5).await;
        assert!(matches!(made, Err(delivery::BatchError::Nothing)));
        let all = deliveries(setting, &case, Paper::Decision).await;
        let stays = |it: &delivery::Delivery| !matches!(it.state, State::Printing | State::Printed);
        assert!(all.iter().all(stays), "{all:?}");
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}
