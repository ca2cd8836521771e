//! What goes to another unit, on both databases: the transfer, which that unit resolves, and the slip to
//! the commune's police; who sends them, and that nothing is decided in two places.

use axum::http::StatusCode;
use central_api::clock::Clock as _;
use central_api::documents::Kind;
use central_api::proceedings::referral::{self, State};
use central_api::proceedings::{row, warning};
use central_api::work;

use crate::annulments::looked_up;
use crate::sanctions::{CHIEF, Desk, office, posted};
use crate::setting::browserless::{Answer, Visitor};

const TO: (&str, &str) = ("to", "Công an phường Đông Hà, tỉnh Quảng Trị");
const WHY: (&str, &str) = ("reason", "chủ xe cư trú tại địa bàn");

impl Desk {
    async fn referred(&self, case: &str) -> Option<referral::Row> {
        row::find(&self.setting.state.store, case).await.unwrap()
    }

    async fn refer(
        &mut self,
        who: &str,
        case: &str,
        action: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let version = self.referred(case).await.map_or(0, |row| row.version).to_string();
        let mut fields = vec![("action", action), ("version", version.as_str())];
        fields.extend_from_slice(more);
        let visitor = match who {
            "chi" => &mut self.chi,
            "dung" => &mut self.dung,
            _ => &mut self.binh,
        };
        let answer = posted(visitor, case, "chuyen", &fields).await;
        work::work_off(&self.setting.state).await.unwrap();
        answer
    }

    async fn where_it_is(&self, case: &str) -> State {
        self.referred(case).await.unwrap().content.state
    }
}

#[tokio::test]
async fn a_transfer_is_sent_by_two_and_the_other_unit_resolves_it() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        desk.drawn(&case, &[]).await;
        desk.act("chi", &case, "propose", &[]).await;
        let bare = desk.refer("chi", &case, "refer", &[("kind", "transfer"), TO]).await;
        assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY);
        let nowhere = [("kind", "transfer"), ("to", " "), WHY];
        let nowhere = desk.refer("chi", &case, "refer", &nowhere).await;
        assert!(nowhere.text().contains("Đơn vị nhận"), "{}", nowhere.text());
        let wrong = desk.refer("chi", &case, "refer", &[("kind", "decision"), TO, WHY]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        let asked = [("kind", "transfer"), TO, WHY];
        let other = desk.refer("dung", &case, "refer", &asked).await;
        assert_eq!(other.status, StatusCode::FORBIDDEN);
        let done = desk.refer("chi", &case, "refer", &asked).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        assert!(desk.dung.get("/xu-phat").await.text().contains("#chuyen"));
        assert_eq!(desk.refer("chi", &case, "send", &[]).await.status, StatusCode::FORBIDDEN);
        let powerless = desk.refer("binh", &case, "send", &[]).await;
        assert!(powerless.text().contains("chưa được gán chức danh"), "{}", powerless.text());
        // What is asked for holds nothing up, what is sent does.
        let sent = desk.refer("dung", &case, "send", &[]).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
        assert_eq!(desk.where_it_is(&case).await, State::Sent);
        let signed = desk.act("dung", &case, "sign", &[]).await;
        assert_eq!(signed.status, StatusCode::CONFLICT);
        assert!(signed.text().contains("đã chuyển đơn vị khác"), "{}", signed.text());
        desk.act("dung", &case, "return", &[("reason", "đã chuyển đơn vị khác")]).await;
        assert_eq!(desk.drawn(&case, &[]).await.status, StatusCode::CONFLICT);
        assert_eq!(desk.act("chi", &case, "propose", &[]).await.status, StatusCode::CONFLICT);
        if let Some(text) = desk.text(&case, Kind::Transfer).await {
            for words in [
                "Mẫu số 03/73",
                "Số: 000001/PC-",
                "PHIẾU CHUYỂN",
                "Kính gửi: Công an phường Đông Hà, tỉnh Quảng Trị",
                "29-AA 123.45",
                "Trần Thị Chủ Xe",
                "001200000001",
                "điểm c khoản 7 Điều 7",
                "Thông báo vi phạm đã lập: số 000001/TB-",
                "Lý do chuyển: chủ xe cư trú tại địa bàn",
            ] {
                assert!(text.contains(words), "lacks {words:?}:\n{text}");
            }
        }
        // It comes back, and is resolved here; or goes out again.
        let answered = [("answer", "returned"), ("received_on", "2026-11-21"), ("note", "")];
        assert_eq!(
            desk.refer("dung", &case, "answer", &answered).await.status,
            StatusCode::FORBIDDEN
        );
        let unknown = [("answer", "lost"), ("received_on", "2026-11-21")];
        let unknown = desk.refer("chi", &case, "answer", &unknown).await;
        assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
        let answer = desk.refer("chi", &case, "answer", &answered).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        assert_eq!(desk.drawn(&case, &[]).await.status, StatusCode::SEE_OTHER);
        desk.refer("chi", &case, "refer", &asked).await;
        desk.refer("dung", &case, "send", &[]).await;
        // Somebody is warned meanwhile; once it is resolved there, nobody is.
        let store = desk.setting.state.store.clone();
        let mut tx = store.begin().await.unwrap();
        let now = desk.setting.clock.now();
        warning::watch_anew(&mut tx, &case, warning::Cause::NoShow, now).await.unwrap();
        tx.commit().await.unwrap();
        let answered = [
            ("answer", "resolved"),
            ("received_on", "2026-11-21"),
            ("note", "Quyết định số 15/QĐ-XPHC"),
        ];
        assert_eq!(looked_up(&desk.setting).await, "Chưa xử phạt");
        let answer = desk.refer("chi", &case, "answer", &answered).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        assert_eq!(looked_up(&desk.setting).await, "Đã xử phạt");
        let warnings = warning::of_case(&store, &case).await.unwrap();
        assert!(warnings.iter().all(|it| it.state == warning::State::Cleared), "{warnings:?}");
        assert_eq!(desk.act("chi", &case, "propose", &[]).await.status, StatusCode::CONFLICT);
        assert_eq!(desk.refer("chi", &case, "refer", &asked).await.status, StatusCode::CONFLICT);
        let page = desk.chi.get(&format!("/ho-so/{case}")).await.text();
        assert!(
            page.contains("Quyết định số 15/QĐ-XPHC") && page.contains("không xử phạt tại đây")
        );
        assert_eq!(desk.verified().await, Vec::<String>::new());
        let told: Vec<String> =
            sqlx::query_scalar("SELECT detail FROM audit").fetch_all(store.pool()).await.unwrap();
        assert!(!told.concat().contains("Đông Hà"), "the audit names no unit or person");
    }
}

#[tokio::test]
async fn a_slip_goes_to_the_commune_and_leaves_the_case_here() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        let asked = [("kind", "slip"), TO, WHY];
        desk.refer("chi", &case, "refer", &asked).await;
        let dropped = desk.refer("chi", &case, "drop", &[("reason", "ghi nhầm đơn vị nhận")]).await;
        assert_eq!(dropped.status, StatusCode::SEE_OTHER, "{}", dropped.text());
        desk.refer("chi", &case, "refer", &asked).await;
        let sent = desk.refer("chi", &case, "send", &[]).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
        assert_eq!(desk.where_it_is(&case).await, State::Sent);
        if let Some(text) = desk.text(&case, Kind::Slip).await {
            for words in
                ["Mẫu số 04/73", "Số: 000001/PG-", "PHIẾU TRẢ LỜI", "không cư trú tại địa bàn"]
            {
                assert!(text.contains(words), "lacks {words:?}:\n{text}");
            }
        }
        // The case is decided here all the same; what is decided here is not transferred.
        desk.in_force(&case).await;
        let answered = [("answer", "delivered"), ("received_on", "2026-11-21")];
        desk.refer("chi", &case, "answer", &answered).await;
        let transfer = [("kind", "transfer"), TO, WHY];
        let late = desk.refer("chi", &case, "refer", &transfer).await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn whoever_is_both_is_one_person() {
    use central_api::admin::users::Role;
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        desk.setting.user("em", &[Role::Registry, Role::Approver]).await;
        office(&desk.setting, "em", CHIEF).await;
        let mut em = Visitor::officer(&desk.setting.state, "em").await;
        let fields = [("action", "refer"), ("version", "0"), ("kind", "transfer"), TO, WHY];
        assert_eq!(posted(&mut em, &case, "chuyen", &fields).await.status, StatusCode::SEE_OTHER);
        let send = [("action", "send"), ("version", "1")];
        let alone = posted(&mut em, &case, "chuyen", &send).await;
        assert_eq!(alone.status, StatusCode::FORBIDDEN);
        assert!(alone.text().contains("không được tự quyết định"));
        desk.refer("dung", &case, "send", &[]).await;
        let back = desk.refer("dung", &case, "take_back", &[("reason", "chủ xe đến giải quyết")]);
        assert_eq!(back.await.status, StatusCode::SEE_OTHER);
        assert_eq!(desk.where_it_is(&case).await, State::Dropped);
        desk.in_force(&case).await;
    }
}
