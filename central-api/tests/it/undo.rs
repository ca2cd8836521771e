//! Nothing that people decide is for ever: rejections are reopened, notices withdrawn by two people,
//! and what the limitation bars is closed.

use axum::http::StatusCode;
use central_api::admin::users::Role;
use central_api::verify::{Depth, verify_store};
use central_api::{case, work};
use serde_json::{Value, json};
use time::Duration;

use crate::setting::Setting;
use crate::setting::browserless::{Visitor, solve};

struct Desk {
    setting: Setting,
    an: Visitor,
    binh: Visitor,
    chi: Visitor,
}

impl Desk {
    /// A reviewer and two approvers.
    async fn each() -> Vec<Self> {
        let mut desks = Vec::new();
        for setting in Setting::each().await {
            for (login, role) in
                [("an", Role::Reviewer), ("binh", Role::Approver), ("chi", Role::Approver)]
            {
                setting.user(login, &[role]).await;
            }
            let an = Visitor::officer(&setting.state, "an").await;
            let binh = Visitor::officer(&setting.state, "binh").await;
            let chi = Visitor::officer(&setting.state, "chi").await;
            desks.push(Self { setting, an, binh, chi });
        }
        desks
    }

    async fn state_of(&mut self, case: &str) -> Value {
        let detail = self.an.get(&format!("/api/v1/cases/{case}")).await.json();
        detail["case"]["state"].clone()
    }

    async fn notified(&mut self) -> String {
        let case = self.setting.case(1, |_| {}).await;
        self.an.decide(&case, "accept", &[]).await;
        self.binh.decide(&case, "approve", &[]).await;
        assert_eq!(self.state_of(&case).await, "notified");
        case
    }

    /// What the public sees of the case's plate.
    async fn looked_up(&self) -> Value {
        let mut visitor = Visitor::new(&self.setting.state);
        let challenge = visitor.json("/api/v1/lookup/challenges", json!({})).await.json();
        let token = challenge["token"].as_str().unwrap();
        let body = json!({
            "plate": "29-AA 123.45", "vehicle_type": 2, "token": token, "nonce": solve(token),
        });
        visitor.json("/api/v1/lookup", body).await.json()
    }

    async fn verifies(&self) {
        let state = &self.setting.state;
        let report = verify_store(&state.store, &state.evidence, &state.law, Depth::Seals).await;
        let report = report.unwrap();
        assert!(report.ok, "{:?}", report.findings);
    }
}

fn because<'a>(reason: &'a str, note: &'a str) -> [(&'a str, &'a str); 2] {
    [("reason", reason), ("note", note)]
}

#[tokio::test]
async fn a_rejection_is_reopened_with_a_reason_and_decided_anew() {
    for mut desk in Desk::each().await {
        let case = desk.setting.case(1, |_| {}).await;
        desk.an.decide(&case, "reject", &because("lamp_doubtful", "")).await;
        let bare = desk.an.decide(&case, "reopen", &[]).await;
        assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY, "a note must say why");
        let not_his = desk.binh.decide(&case, "reopen", &[("note", "nhầm")]).await;
        assert_eq!(not_his.status, StatusCode::FORBIDDEN);
        let opened = desk.an.decide(&case, "reopen", &[("note", "đèn đỏ thấy rõ ở ảnh 2")]).await;
        assert_eq!(opened.location(), format!("/ho-so/{case}"));
        assert_eq!(desk.state_of(&case).await, "in_review");
        desk.an.decide(&case, "accept", &[]).await;
        desk.binh.decide(&case, "approve", &[]).await;
        assert_eq!(desk.state_of(&case).await, "notified");
        desk.verifies().await;
    }
}

#[tokio::test]
async fn a_notice_is_withdrawn_by_two_people_and_then_nobody_outside_sees_it() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        let code: String = sqlx::query_scalar("SELECT code FROM documents")
            .fetch_one(desk.setting.state.store.pool())
            .await
            .unwrap();
        let why = because("wrong_vehicle", "chủ xe chứng minh xe ở tỉnh khác");
        assert_eq!(desk.an.decide(&case, "withdraw", &why).await.status, StatusCode::FORBIDDEN);
        for bad in [&why[..1], &why[1..], &because("plate_unreadable", "x")] {
            let refused = desk.binh.decide(&case, "withdraw", bad).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad:?}");
        }
        assert_eq!(desk.binh.decide(&case, "withdraw", &why).await.status, StatusCode::SEE_OTHER);
        assert_eq!(desk.state_of(&case).await, "withdrawing");
        let seen = desk.looked_up().await;
        assert_eq!(seen["violations"][0]["status"], "Đang xem xét lại", "{seen}");
        // It waits for the other approver, on their list and not on the proposer's.
        let (binh, chi) = (&mut desk.binh, &mut desk.chi);
        let page = binh.get(&format!("/ho-so/{case}")).await.text();
        assert!(!page.contains("Đồng ý thu hồi thông báo"), "{page}");
        assert!(chi.get("/phe-duyet").await.text().contains("Đang xem xét thu hồi"));
        let page = chi.get(&format!("/ho-so/{case}")).await.text();
        assert!(page.contains("Đồng ý thu hồi thông báo"), "{page}");
        let own = binh.decide(&case, "confirm_withdrawal", &[]).await;
        assert_eq!(own.status, StatusCode::FORBIDDEN);
        assert!(own.text().contains("cần người thứ hai"));
        assert_eq!(binh.decide(&case, "keep", &why[1..]).await.status, StatusCode::FORBIDDEN);

        // The second person keeps it once, then a third look withdraws it.
        let kept = desk.chi.decide(&case, "keep", &[("note", "ảnh đúng là xe này")]).await;
        assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.text());
        assert_eq!(desk.state_of(&case).await, "notified");
        desk.chi.decide(&case, "withdraw", &why).await;
        let done = desk.binh.decide(&case, "confirm_withdrawal", &[]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        assert_eq!(desk.state_of(&case).await, "withdrawn");
        assert_eq!(desk.looked_up().await["total"], 0);
        let mut visitor = Visitor::new(&desk.setting.state);
        let page = visitor.get(&format!("/tra-cuu?thong-bao={code}")).await;
        assert!(page.text().contains("Thông báo này đã được thu hồi"), "{}", page.text());
        assert_eq!(page.field("plate"), "");
        for action in ["reopen", "withdraw", "keep", "accept", "approve"] {
            for visitor in [&mut desk.an, &mut desk.binh] {
                let answer = visitor.decide(&case, action, &why).await;
                assert_ne!(answer.status, StatusCode::SEE_OTHER, "{action}");
            }
        }
        desk.verifies().await;
    }
}

#[tokio::test]
async fn a_withdrawn_notice_stands_in_nobodys_way() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        let again = desk.setting.case(2, crate::same_act::from_the_other_side).await;
        assert_eq!(
            desk.an.decide(&again, "accept", &[]).await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        desk.binh.decide(&case, "withdraw", &because("duplicate", "hồ sơ kia rõ hơn")).await;
        desk.chi.decide(&case, "confirm_withdrawal", &[]).await;
        desk.an.decide(&again, "accept", &[]).await;
        desk.binh.decide(&again, "approve", &[]).await;
        assert_eq!(desk.state_of(&again).await, "notified");
        assert_eq!(desk.looked_up().await["total"], 1);
        desk.verifies().await;
    }
}

#[tokio::test]
async fn a_rejection_that_was_drawn_is_looked_at_by_a_second_person() {
    for mut desk in Desk::each().await {
        let config = std::sync::Arc::make_mut(&mut desk.setting.state.config);
        config.cases.recheck_rejections = 1.0;
        desk.an = Visitor::officer(&desk.setting.state, "an").await;
        desk.binh = Visitor::officer(&desk.setting.state, "binh").await;
        let cases =
            [desk.setting.case(1, |_| {}).await, desk.setting.case(2, |m| m.plate = None).await];
        for case in &cases {
            desk.an.decide(case, "reject", &because("poor_evidence", "mờ")).await;
        }
        // Nobody gets out of it by rejecting anew.
        std::sync::Arc::make_mut(&mut desk.setting.state.config).cases.recheck_rejections = 0.0;
        desk.an = Visitor::officer(&desk.setting.state, "an").await;
        desk.an.decide(&cases[0], "reopen", &[("note", "xem lại")]).await;
        desk.an.decide(&cases[0], "reject", &because("poor_evidence", "mờ")).await;
        let list = desk.binh.get("/kiem-tra").await.text();
        assert!(list.contains("29-AA 123.45") && list.contains("Nguyễn Văn AN"), "{list}");
        let agreed = desk.an.decide(&cases[0], "agree_rejection", &[]).await;
        assert_eq!(agreed.status, StatusCode::FORBIDDEN);
        let agreed = desk.binh.decide(&cases[0], "agree_rejection", &[]).await;
        assert_eq!(agreed.location(), "/kiem-tra?xong=agree_rejection");
        assert_eq!(desk.state_of(&cases[0]).await, "rejected");
        let detail = desk.an.get(&format!("/api/v1/cases/{}", cases[0])).await.json();
        assert_eq!(detail["reason"], "poor_evidence", "the reason stays: {detail}");
        assert!(!desk.binh.get("/kiem-tra").await.text().contains("29-AA 123.45"));
        // Or the second person sees more in it.
        desk.binh.decide(&cases[1], "return", &because("other", "biển số đọc được")).await;
        assert_eq!(desk.state_of(&cases[1]).await, "returned");
        assert!(desk.binh.get("/kiem-tra").await.text().contains("Không có hồ sơ nào"));
        desk.verifies().await;
    }
}

#[tokio::test]
async fn what_comes_after_its_limitation_is_closed_at_once() {
    for desk in Desk::each().await {
        let state = desk.setting.state.clone();
        work::begin(&state).await.unwrap();
        work::work_off(&state).await.unwrap();
        for (sequence, days, expected) in [(1, 366, "expired"), (2, 364, "received")] {
            let case =
                desk.setting.case(sequence, |m| m.violation.at -= Duration::days(days)).await;
            work::work_off(&state).await.unwrap();
            let found = case::find(&state.store, &case).await.unwrap().unwrap();
            assert_eq!(found.state.name(), expected, "{days} days ago");
        }
    }
}

#[tokio::test]
async fn what_the_limitation_bars_is_closed_on_its_day_and_no_other() {
    for mut desk in Desk::each().await {
        let notified = desk.notified().await;
        let waiting = desk.setting.case(2, |m| m.plate = None).await;
        let rejected = desk.setting.case(3, |m| m.plate = None).await;
        desk.an.decide(&rejected, "reject", &because("poor_evidence", "")).await;
        let state = desk.setting.state.clone();
        work::begin(&state).await.unwrap();
        let states = async |desk: &Desk| -> Vec<String> {
            let store = &desk.setting.state.store;
            sqlx::query_scalar("SELECT state FROM cases ORDER BY act_at")
                .fetch_all(store.pool())
                .await
                .unwrap()
        };
        // The act was on 21 November 2026; its year ends with that day of 2027. 08:20 is now.
        for (days, expected) in
            [(0, ["notified", "received", "rejected"]), (365, ["notified", "received", "rejected"])]
        {
            desk.setting.clock.advance(Duration::days(days));
            // Closing, warning, and the outbox of the warnings.
            assert_eq!(work::work_off(&state).await.unwrap(), 3, "{days}");
            assert_eq!(states(&desk).await, expected);
            assert_eq!(work::work_off(&state).await.unwrap(), 0, "once a day");
        }
        desk.setting.clock.advance(Duration::hours(15));
        assert_eq!(work::work_off(&state).await.unwrap(), 1, "the outbox; not before midnight");
        assert_eq!(states(&desk).await[0], "notified");
        desk.setting.clock.advance(Duration::hours(1));
        assert_eq!(work::work_off(&state).await.unwrap(), 3);
        assert_eq!(states(&desk).await, ["expired", "expired", "rejected"]);
        assert_eq!(desk.looked_up().await["total"], 0);
        desk.an = Visitor::officer(&state, "an").await;
        for case in [&notified, &waiting] {
            let refused = desk.an.decide(case, "take", &[]).await;
            assert_eq!(refused.status, StatusCode::CONFLICT);
            let page = desk.an.get(&format!("/ho-so/{case}")).await.text();
            assert!(page.contains("Hết thời hiệu xử phạt"), "{page}");
        }
        desk.verifies().await;
    }
}
