//! A decision that goes back, on both databases: annulled by two people, returned before it is printed,
//! paid and paid back.

use axum::http::StatusCode;
use central_api::documents::{self, Kind};
use central_api::proceedings::delivery::Paper;
use central_api::proceedings::warning;
use central_api::work;
use sqlx::AssertSqlSafe;
use time::Duration;

use crate::sanctions::{CHIEF, Desk, office, posted};
use crate::setting::Setting;
use crate::setting::browserless::{Visitor, solve};

#[tokio::test]
async fn two_people_annul_a_decision_and_a_new_one_may_follow() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        desk.in_force(&case).await;
        // The notice stays while money may be owed on the decision.
        let withdraw = [("reason", "other"), ("note", "chủ xe khác")];
        let answer = desk.binh.decide(&case, "withdraw", &withdraw).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
        let bare = desk.act("dung", &case, "annul", &[("reason", "sai")]).await;
        assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY);
        let why = [("reason", "xử phạt nhầm người vi phạm")];
        assert_eq!(desk.act("dung", &case, "annul", &why).await.status, StatusCode::SEE_OTHER);
        let own = desk.act("dung", &case, "confirm_annulment", &[]).await;
        assert_eq!(own.status, StatusCode::FORBIDDEN);
        let keep = [("reason", "hồ sơ đúng người vi phạm")];
        assert_eq!(desk.act("binh", &case, "keep", &keep).await.status, StatusCode::SEE_OTHER);
        assert_eq!(desk.state(&case).await, "issued");
        // Whoever asked may take it back: nobody else may be there to say so.
        desk.act("dung", &case, "annul", &why).await;
        assert_eq!(desk.act("dung", &case, "keep", &keep).await.status, StatusCode::SEE_OTHER);
        assert_eq!(desk.state(&case).await, "issued");
        desk.act("dung", &case, "annul", &why).await;
        // Whoever agrees signs it, by an office of their own.
        let agreed = desk.act("binh", &case, "confirm_annulment", &[]).await;
        assert_eq!(agreed.status, StatusCode::FORBIDDEN, "{}", agreed.text());
        office(&desk.setting, "binh", CHIEF).await;
        let agreed = desk.act("binh", &case, "confirm_annulment", &[]).await;
        assert_eq!(agreed.status, StatusCode::SEE_OTHER, "{}", agreed.text());
        assert_eq!(desk.state(&case).await, "annulled");
        if let Some(text) = desk.text(&case, Kind::Annulment).await {
            assert!(text.contains("Hủy bỏ toàn bộ Quyết định"), "{text}");
            assert!(text.contains("000001/QĐ-XPHC-"), "{text}");
            assert!(text.contains("xử phạt nhầm người vi phạm"), "{text}");
        }
        // A new one, of a new number.
        desk.drawn(&case, &[("name", "Lê Văn Lái Xe")]).await;
        desk.act("chi", &case, "propose", &[]).await;
        desk.act("dung", &case, "sign", &[]).await;
        let decision = desk.decision(&case).await.unwrap().content;
        assert_eq!((decision.round, decision.state.name()), (2, "issued"));
        assert!(decision.issued.unwrap().number.starts_with("000002/QĐ-XPHC-"));
        let all = documents::of_case(&desk.setting.state.store, &case).await.unwrap();
        let mut kinds: Vec<_> = all.iter().map(|it| (it.kind, it.number)).collect();
        kinds.sort();
        let expected = [
            (Kind::Notice, 1),
            (Kind::Minutes, 1),
            (Kind::Minutes, 2),
            (Kind::Decision, 1),
            (Kind::Decision, 2),
            (Kind::Annulment, 1),
            (Kind::Points, 1),
            (Kind::Points, 2),
        ];
        assert_eq!(kinds, expected);
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_is_signed_and_cannot_be_printed_goes_back_to_the_clerk() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        desk.drawn(&case, &[]).await;
        desk.act("chi", &case, "propose", &[]).await;
        let version = desk.decision(&case).await.unwrap().version.to_string();
        let sign = [("action", "sign"), ("version", version.as_str())];
        let signed = posted(&mut desk.dung, &case, "xu-phat", &sign).await;
        assert_eq!(signed.status, StatusCode::SEE_OTHER, "{}", signed.text());
        // A fault is found before it is printed.
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
        work::work_off(&desk.setting.state).await.unwrap();
        assert_eq!(desk.state(&case).await, "signed");
        let page = desk.dung.get(&format!("/ho-so/{case}")).await.text();
        assert!(page.contains("Không lập được văn bản"), "{page}");
        let back = desk.act("dung", &case, "return", &[("reason", "tạm dừng để rà soát")]).await;
        assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.text());
        assert_eq!(desk.state(&case).await, "returned");
        run("UPDATE recalled SET state = 'released'".into()).await;
        desk.act("chi", &case, "propose", &[]).await;
        desk.act("dung", &case, "sign", &[]).await;
        assert_eq!(desk.state(&case).await, "issued");
        let waiting: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE dead_at IS NOT NULL")
                .fetch_one(store.pool())
                .await
                .unwrap();
        assert_eq!(waiting, 0);
        run("DELETE FROM recalled".into()).await;
        run("DELETE FROM recalls".into()).await;
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_is_paid_lifts_every_warning_and_goes_back_with_an_annulment() {
    for mut desk in Desk::each().await {
        let mut config = (*desk.setting.state.config).clone();
        config.treasury.bank = "970436".into();
        config.treasury.account = crate::payment::ACCOUNT.into();
        config.treasury.name = "KHO BAC NHA NUOC".into();
        desk.setting.state.config = std::sync::Arc::new(config);
        let case = desk.notified().await;
        desk.in_force(&case).await;
        let store = desk.setting.state.store.clone();
        let reference = desk.decision(&case).await.unwrap().content.issued.unwrap().reference;
        if let Some(text) = desk.text(&case, Kind::Decision).await {
            assert!(text.contains(&format!("mã thanh toán {reference}")), "{text}");
            assert!(text.contains("Quét mã VietQR để nộp phạt."), "{text}");
        }
        let warnings = async || {
            let rows = warning::of_case(&store, &case).await.unwrap();
            rows.iter().map(|it| (it.cause, it.state)).collect::<Vec<_>>()
        };
        // Whoever signed the minutes has come; the decision's term runs once it is served.
        let unpaid = async || {
            let all = warnings().await;
            all.into_iter().find(|it| it.0 == warning::Cause::Unpaid).map(|it| it.1)
        };
        assert_eq!(unpaid().await, None);
        let handed = crate::papers::handed(&desk.setting, &case, Paper::Decision, "2026-11-23");
        desk.setting.clock.advance(Duration::days(2));
        assert_eq!(handed.await.status, StatusCode::SEE_OTHER);
        assert_eq!(unpaid().await, Some(warning::State::Running));
        work::begin(&desk.setting.state).await.unwrap();
        desk.setting.clock.advance(Duration::days(18));
        work::work_off(&desk.setting.state).await.unwrap();
        assert_eq!(unpaid().await, Some(warning::State::Warned));
        assert_eq!(looked_up(&desk.setting).await, "Chưa xử phạt");
        // On 11 December, eight days after the term: 5,000,000 and seven days of 0.05 %.
        let paid = time::macros::date!(2026 - 12 - 11);
        let purpose = format!("nop phat {}", reference.to_lowercase());
        let most = crate::payment::incoming("ft1", 5_020_000, paid, &purpose);
        crate::payment::notify(&desk.setting, &most).await.unwrap();
        assert_eq!(looked_up(&desk.setting).await, "Đã xử phạt");
        let cleared = warnings().await;
        assert!(cleared.iter().all(|it| it.1 == warning::State::Cleared), "{cleared:?}");
        crate::payment::balanced(&desk.setting).await;
        desk.dung = Visitor::officer(&desk.setting.state, "dung").await;
        desk.binh = Visitor::officer(&desk.setting.state, "binh").await;
        office(&desk.setting, "binh", CHIEF).await;
        desk.act("dung", &case, "annul", &[("reason", "xử phạt nhầm người vi phạm")]).await;
        let agreed = desk.act("binh", &case, "confirm_annulment", &[]).await;
        assert_eq!(agreed.status, StatusCode::SEE_OTHER, "{}", agreed.text());
        let excess: i64 = sqlx::query_scalar("SELECT excess FROM payment_claims")
            .fetch_one(store.pool())
            .await
            .unwrap();
        assert_eq!(excess, 5_020_000, "all of it goes back");
        assert_eq!(looked_up(&desk.setting).await, "Chưa xử phạt");
        crate::payment::balanced(&desk.setting).await;
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

/// Where the public look-up says the case of the tests' plate stands.
pub async fn looked_up(setting: &Setting) -> String {
    let mut visitor = Visitor::new(&setting.state);
    let challenge = visitor.json("/api/v1/lookup/challenges", serde_json::json!({})).await.json();
    let token = challenge["token"].as_str().unwrap();
    let body = serde_json::json!({
        "plate": "29-AA 123.45", "vehicle_type": 2, "token": token, "nonce": solve(token),
    });
    let found = visitor.json("/api/v1/lookup", body).await.json();
    found["violations"][0]["status"].as_str().unwrap().to_owned()
}
