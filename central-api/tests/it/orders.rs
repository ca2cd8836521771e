//! Orders about a decision in force, on both databases: deferral, reduction, exemption, payment by parts,
//! amendment and correction, each by two people, numbered, and with what it does to the claim.

use axum::http::StatusCode;
use central_api::documents::{self, Kind};
use central_api::proceedings::delivery::Paper;
use central_api::proceedings::order::{self, State};
use central_api::proceedings::payment::{self, ClaimRow, ClaimState, Terms};
use central_api::proceedings::{row, warning};
use central_api::work;
use contract::VehicleClass;
use contract::plate::{PlateClass, PlateColour};
use time::macros::date;
use time::{Date, Duration};

use crate::papers::handed;
use crate::payment::{balanced, incoming, notify};
use crate::sanctions::{CHIEF, Desk, office, posted};
use crate::setting::browserless::{Answer, Visitor};

const HARDSHIP: (&str, &str) = ("reason", "nhà bị cháy ngày 15/11/2026");
const CERTIFIED: (&str, &str) = ("certified_by", "UBND phường Đông Hà");
const RECEIVED: (&str, &str) = ("received_on", "2026-11-21");

impl Desk {
    pub async fn ordered(&self, case: &str) -> Option<order::Row> {
        row::find(&self.setting.state.store, case).await.unwrap()
    }

    pub async fn order(
        &mut self,
        who: &str,
        case: &str,
        action: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let version = self.ordered(case).await.map_or(0, |row| row.version).to_string();
        let mut fields = vec![("action", action), ("version", version.as_str())];
        fields.extend_from_slice(more);
        let visitor = match who {
            "chi" => &mut self.chi,
            "dung" => &mut self.dung,
            _ => &mut self.binh,
        };
        let answer = posted(visitor, case, "thi-hanh", &fields).await;
        work::work_off(&self.setting.state).await.unwrap();
        answer
    }

    /// An order proposed by the clerk, about the payment.
    pub async fn asked(&mut self, case: &str, kind: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![("kind", kind), HARDSHIP, CERTIFIED, RECEIVED];
        fields.extend_from_slice(more);
        self.order("chi", case, "propose", &fields).await
    }

    pub async fn claim(&self, case: &str) -> (ClaimRow, Terms) {
        let mut view = self.setting.state.store.pool().acquire().await.unwrap();
        let claim = payment::live_of_case(&mut view, case).await.unwrap().unwrap();
        let terms = claim.terms(&mut view).await.unwrap();
        (claim, terms)
    }

    async fn overdue(&self, case: &str, day: Date) -> bool {
        let mut view = self.setting.state.store.pool().acquire().await.unwrap();
        let (claim, _) = self.claim(case).await;
        payment::standing(&mut view, &self.setting.state.law, &claim, day).await.unwrap().is_overdue
    }

    async fn state_of_order(&self, case: &str) -> State {
        self.ordered(case).await.unwrap().content.state
    }

    /// The officers sign in again: their sessions end while days go by.
    pub async fn again(&mut self) {
        self.chi = Visitor::officer(&self.setting.state, "chi").await;
        self.dung = Visitor::officer(&self.setting.state, "dung").await;
        self.binh = Visitor::officer(&self.setting.state, "binh").await;
    }
}

fn holds(text: Option<String>, words: &[&str]) {
    let Some(text) = text else { return };
    for word in words {
        assert!(text.contains(word), "lacks {word:?}:\n{text}");
    }
}

#[tokio::test]
async fn a_deferral_is_decided_by_two_and_holds_payment_and_warning_up() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        let early = desk.asked(&case, "deferral", &[("until", "2027-01-31")]).await;
        assert_eq!(early.status, StatusCode::CONFLICT);
        assert!(early.text().contains("không có quyết định xử phạt đang có hiệu lực"));
        desk.in_force(&case).await;
        // Its term, and what follows from it, runs from its service.
        let handed = handed(&desk.setting, &case, Paper::Decision, "2026-11-21").await;
        assert_eq!(handed.status, StatusCode::SEE_OTHER, "{}", handed.text());
        // Whatever is wrong is said in words, and holds nothing up.
        for (fields, words) in [
            (&[("until", "2027-02-22")][..], "chậm nhất là 21/02/2027"),
            (&[("until", "2026-11-21")], "phải sau hôm nay"),
            (&[("until", "31/01")], "Hoãn đến hết ngày"),
            (&[("until", "2027-01-31"), ("kind", "pardon")], "Nội dung"),
        ] {
            let mut all = vec![HARDSHIP, CERTIFIED, RECEIVED];
            all.extend_from_slice(fields);
            if !fields.iter().any(|(name, _)| *name == "kind") {
                all.push(("kind", "deferral"));
            }
            let answer = desk.order("chi", &case, "propose", &all).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
            assert!(answer.text().contains(words), "{words}: {}", answer.text());
        }
        let until = [("until", "2027-01-31")];
        let bare = [("kind", "deferral"), HARDSHIP, RECEIVED, until[0]];
        let bare = desk.order("chi", &case, "propose", &bare).await;
        assert!(bare.text().contains("Cơ quan xác nhận"), "{}", bare.text());
        assert!(desk.ordered(&case).await.is_none());
        assert!(desk.claim(&case).await.1.pauses.is_empty());
        // A leader proposes nothing; a clerk signs nothing.
        let fields = [("kind", "deferral"), HARDSHIP, CERTIFIED, RECEIVED, until[0]];
        let other = desk.order("dung", &case, "propose", &fields).await;
        assert_eq!(other.status, StatusCode::FORBIDDEN);
        let asked = desk.asked(&case, "deferral", &until).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.text());
        let asked_on = date!(2026 - 11 - 21);
        assert_eq!(desk.claim(&case).await.1.pauses, [(asked_on, None)]);
        assert!(!desk.overdue(&case, date!(2027 - 06 - 01)).await, "it waits for the answer");
        assert_eq!(desk.order("chi", &case, "sign", &[]).await.status, StatusCode::FORBIDDEN);
        let powerless = desk.order("binh", &case, "sign", &[]).await;
        assert!(powerless.text().contains("chưa được gán chức danh"), "{}", powerless.text());
        let list = desk.dung.get("/xu-phat").await.text();
        assert!(list.contains("Hoãn thi hành") && list.contains("#thi-hanh"), "{list}");
        // Only one request at a time: another kind waits.
        let second = desk.asked(&case, "exemption", &[]).await;
        assert_eq!(second.status, StatusCode::CONFLICT, "{}", second.text());
        desk.order("dung", &case, "return", &[("reason", "hoãn ngắn hơn một tháng")]).await;
        assert_eq!(desk.state_of_order(&case).await, State::Returned);
        let page = desk.chi.get(&format!("/ho-so/{case}")).await.text();
        assert!(page.contains("hoãn ngắn hơn một tháng") && page.contains("value=\"2027-01-31\""));
        desk.asked(&case, "deferral", &[("until", "2026-12-31")]).await;
        let signed = desk.order("dung", &case, "sign", &[]).await;
        assert_eq!(signed.status, StatusCode::SEE_OTHER, "{}", signed.text());
        let order = desk.ordered(&case).await.unwrap().content;
        assert_eq!(order.state, State::Issued);
        assert!(order.issued.unwrap().number.starts_with("000001/QĐ-HQĐPT-"));
        let until = date!(2026 - 12 - 31);
        assert_eq!(desk.claim(&case).await.1.pauses, [(asked_on, Some(until))]);
        holds(
            desk.text(&case, Kind::Deferral).await,
            &[
                "Hoãn thi hành quyết định phạt tiền",
                "Điều 76 Luật Xử lý vi phạm hành chính",
                "Quyết định xử phạt vi phạm hành chính số 000001/QĐ-XPHC-",
                "có xác nhận của UBND phường Đông Hà",
                "nhà bị cháy ngày 15/11/2026",
                "từ ngày 21/11/2026 đến hết ngày 31/12/2026",
                "TRƯỞNG PHÒNG CẢNH SÁT GIAO THÔNG",
                "Trần Thị Chủ Xe",
                "(Mặt sau)",
            ],
        );
        // Nobody is warned of it while it is deferred, and somebody is once it is not.
        work::begin(&desk.setting.state).await.unwrap();
        let warned = async |desk: &Desk| {
            let all = warning::of_case(&desk.setting.state.store, &case).await.unwrap();
            all.iter().any(|it| it.state == warning::State::Warned)
        };
        desk.setting.clock.advance(Duration::days(30));
        work::work_off(&desk.setting.state).await.unwrap();
        assert!(!warned(&desk).await, "a deferred payment is not late");
        desk.setting.clock.advance(Duration::days(12));
        work::work_off(&desk.setting.state).await.unwrap();
        assert!(warned(&desk).await, "the deferral has ended");
        // A request holds what was warned of up again; a refusal lets it go on.
        desk.again().await;
        let late = [("kind", "deferral"), HARDSHIP, CERTIFIED, ("received_on", "2027-01-02")];
        let mut late = late.to_vec();
        late.push(("until", "2027-02-28"));
        let answer = desk.order("chi", &case, "propose", &late).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let bare = desk.order("dung", &case, "refuse", &[("reason", "không")]).await;
        assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY);
        let why = [("reason", "không còn khó khăn đột xuất")];
        assert_eq!(desk.order("dung", &case, "refuse", &why).await.status, StatusCode::SEE_OTHER);
        assert_eq!(desk.state_of_order(&case).await, State::Refused);
        let (claim, terms) = desk.claim(&case).await;
        let second = (date!(2027 - 01 - 02), Some(date!(2027 - 01 - 02)));
        assert_eq!(terms.pauses, [(asked_on, Some(until)), second]);
        assert_eq!((claim.fine, claim.state), (5_000_000, ClaimState::Open));
        balanced(&desk.setting).await;
        assert_eq!(desk.verified().await, Vec::<String>::new());
        let told: Vec<String> = sqlx::query_scalar("SELECT detail FROM audit")
            .fetch_all(desk.setting.state.store.pool())
            .await
            .unwrap();
        let told = told.concat();
        assert!(!told.contains("bị cháy") && !told.contains("Chủ Xe"), "the audit names nobody");
    }
}

#[tokio::test]
async fn a_reduction_and_an_exemption_change_what_is_owed_when_they_are_in_force() {
    for mut desk in Desk::each().await {
        let mut config = (*desk.setting.state.config).clone();
        config.treasury.bank = "970436".into();
        config.treasury.account = crate::payment::ACCOUNT.into();
        config.treasury.name = "KHO BAC NHA NUOC".into();
        desk.setting.state.config = std::sync::Arc::new(config);
        let case = desk.notified().await;
        desk.in_force(&case).await;
        let dear = desk.asked(&case, "reduction", &[("off", "5.000.000")]).await;
        assert!(dear.text().contains("từ 1 đến 4.999.999 đồng"), "{}", dear.text());
        desk.asked(&case, "reduction", &[("off", "2.000.000")]).await;
        assert_eq!(desk.claim(&case).await.0.fine, 5_000_000, "proposed is not decided");
        // Somebody who has both roles is still one person.
        use central_api::admin::users::Role;
        desk.setting.user("em", &[Role::Registry, Role::Approver]).await;
        office(&desk.setting, "em", CHIEF).await;
        let mut em = Visitor::officer(&desk.setting.state, "em").await;
        desk.order("dung", &case, "return", &[("reason", "xem lại số tiền giảm")]).await;
        let fields = [
            ("action", "propose"),
            ("version", "2"),
            ("kind", "reduction"),
            ("off", "1.000.000"),
            HARDSHIP,
            CERTIFIED,
            RECEIVED,
        ];
        let answer = posted(&mut em, &case, "thi-hanh", &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let alone = posted(&mut em, &case, "thi-hanh", &[("action", "sign"), ("version", "3")]);
        let alone = alone.await;
        assert_eq!(alone.status, StatusCode::FORBIDDEN);
        assert!(alone.text().contains("không được tự quyết định"));
        let stale =
            posted(&mut desk.dung, &case, "thi-hanh", &[("action", "sign"), ("version", "2")]);
        assert_eq!(stale.await.status, StatusCode::CONFLICT);
        // The money comes while it waits: what is left is less than what was to be taken off.
        let reference = desk.claim(&case).await.0.reference.to_string();
        let paid = incoming("ft1", 4_500_000, date!(2026 - 11 - 21), &reference);
        notify(&desk.setting, &paid).await.unwrap();
        let late = desk.order("dung", &case, "sign", &[]).await;
        assert!(late.text().contains("từ 1 đến 499.999 đồng"), "{}", late.text());
        desk.order("dung", &case, "return", &[("reason", "đã nộp gần đủ tiền phạt")]).await;
        desk.asked(&case, "reduction", &[("off", "300.000")]).await;
        desk.order("dung", &case, "sign", &[]).await;
        let (claim, terms) = desk.claim(&case).await;
        assert_eq!((claim.fine, claim.state), (4_700_000, ClaimState::Open));
        let day = date!(2026 - 11 - 21);
        assert_eq!(terms.pauses, [(day, Some(day))], "nothing holds the rest up");
        holds(
            desk.text(&case, Kind::Reduction).await,
            &["Số tiền được giảm: 300.000 đồng", "sau khi được giảm: 4.700.000 đồng", "Điều 77"],
        );
        // What is left is remitted; the request came on a day that was held up already.
        let asked = desk.asked(&case, "exemption", &[]).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.text());
        let tomorrow = date!(2026 - 11 - 22);
        assert_eq!(desk.claim(&case).await.1.pauses, [(day, Some(day)), (tomorrow, None)]);
        desk.order("dung", &case, "sign", &[]).await;
        let (claim, terms) = desk.claim(&case).await;
        assert_eq!((claim.fine, claim.state), (4_500_000, ClaimState::Settled));
        assert_eq!(terms.pauses, [(day, Some(day))], "what had not begun is dropped");
        holds(
            desk.text(&case, Kind::Exemption).await,
            &["Miễn phần còn lại của tiền phạt", "Số tiền được miễn: 200.000 đồng"],
        );
        let after = desk.asked(&case, "exemption", &[]).await;
        assert!(after.text().contains("Tiền phạt đã nộp đủ"), "{}", after.text());
        let all = documents::of_case(&desk.setting.state.store, &case).await.unwrap();
        let of = |kind| all.iter().filter(|it| it.kind == kind).map(|it| it.number).collect();
        let numbers: [Vec<i64>; 2] = [of(Kind::Reduction), of(Kind::Exemption)];
        assert_eq!(numbers, [vec![1], vec![1]]);
        balanced(&desk.setting).await;
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_large_fine_is_paid_by_parts_and_a_mistake_in_the_decision_is_corrected() {
    for mut desk in Desk::each().await {
        let car =
            "30F-256.58;ô tô con;trắng;Toyota;đen;cá nhân;Trần Thị Chủ Xe;;1 Phố Mẫu;".to_owned();
        crate::owners::import(&desk.setting, &[car], false).await;
        let case = desk
            .notified_of(|manifest| {
                manifest.violation.vehicle = VehicleClass::Car;
                let plate = manifest.plate.as_mut().unwrap();
                plate.raw = "30F25658".into();
                plate.text = Some("30F25658".into());
                plate.class = Some(PlateClass::CarCivil);
                plate.colour = PlateColour::White;
            })
            .await;
        desk.drawn(&case, &[("waives", "yes")]).await;
        desk.act("chi", &case, "propose", &[]).await;
        let signed = desk.act("dung", &case, "sign", &[]).await;
        assert_eq!(desk.state(&case).await, "issued", "{}", signed.text());
        let plan = |rows: &[(&'static str, &'static str)]| {
            rows.iter().flat_map(|(day, sum)| [("day", *day), ("amount", *sum)]).collect::<Vec<_>>()
        };
        for (rows, words) in [
            (&[("2026-12-10", "19.000.000")][..], "từ 2 đến 3 lần"),
            (
                &[("2026-12-10", "7.000.000"), ("2027-02-10", "12.000.000")],
                "ít nhất 7.600.000 đồng",
            ),
            (&[("2026-12-10", "9.000.000"), ("2027-02-10", "9.000.000")], "cộng lại là 18.000.000"),
            (&[("2026-12-10", "9.000.000"), ("2027-05-22", "10.000.000")], "hết ngày 21/05/2027"),
            (&[("2026-12-10", "chín triệu"), ("2027-02-10", "1")], "Các lần nộp"),
        ] {
            let answer = desk.asked(&case, "instalments", &plan(rows)).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(answer.text().contains(words), "{words}: {}", answer.text());
        }
        let good = [("2026-12-10", "8.000.000"), ("2027-02-10", "11.000.000"), ("", "")];
        let answer = desk.asked(&case, "instalments", &plan(&good)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        assert_eq!(desk.claim(&case).await.1.parts, None);
        desk.order("dung", &case, "sign", &[]).await;
        let (_, terms) = desk.claim(&case).await;
        let parts = vec![(date!(2026 - 12 - 10), 8_000_000), (date!(2027 - 02 - 10), 11_000_000)];
        assert_eq!(terms.parts, Some((date!(2026 - 11 - 21), parts)));
        assert!(!desk.overdue(&case, date!(2026 - 12 - 10)).await);
        assert!(desk.overdue(&case, date!(2026 - 12 - 11)).await, "the first part was missed");
        holds(
            desk.text(&case, Kind::Instalments).await,
            &["Lần 1: 8.000.000 đồng", "Lần 2: 11.000.000 đồng", "chậm nhất hết ngày 10/02/2027"],
        );
        let twice = desk.asked(&case, "instalments", &plan(&good)).await;
        assert!(twice.text().contains("đã được nộp nhiều lần"), "{}", twice.text());

        for (kind, sign, name) in [
            ("correction", "000001/QĐ-ĐC-", Kind::Correction),
            ("amendment", "000001/QĐ-SĐBSHB-", Kind::Amendment),
        ] {
            let why = ("reason", "lỗi kỹ thuật khi soạn thảo");
            let empty = [("kind", kind), why, ("place", " "), ("wrote", ""), ("reads", "")];
            let answer = desk.order("chi", &case, "propose", &empty).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            let same = [("kind", kind), why, ("place", "Điều 1"), ("wrote", "a"), ("reads", "a")];
            let answer = desk.order("chi", &case, "propose", &same).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            let line = [
                ("kind", kind),
                why,
                ("place", "Điều 1, địa chỉ"),
                ("wrote", "1 Phố Mẫu"),
                ("reads", "11 Phố Mẫu"),
            ];
            let answer = desk.order("chi", &case, "propose", &line).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
            let signed = desk.order("dung", &case, "sign", &[]).await;
            assert_eq!(signed.status, StatusCode::SEE_OTHER, "{}", signed.text());
            let order = desk.ordered(&case).await.unwrap().content;
            assert!(order.issued.unwrap().number.starts_with(sign));
            holds(
                desk.text(&case, name).await,
                &[
                    "Tại Điều 1, địa chỉ: đã viết “1 Phố Mẫu”",
                    "“11 Phố Mẫu”",
                    "Lý do: lỗi kỹ thuật",
                ],
            );
        }
        assert_eq!(desk.claim(&case).await.1.pauses.len(), 1, "a correction holds nothing up");
        balanced(&desk.setting).await;
        assert_eq!(desk.verified().await, Vec::<String>::new());
        // After a year nothing is corrected any more.
        desk.setting.clock.advance(Duration::days(370));
        desk.again().await;
        let line = [
            ("kind", "correction"),
            ("reason", "lỗi kỹ thuật khi soạn thảo"),
            ("place", "Điều 1"),
            ("wrote", "a"),
            ("reads", "b"),
        ];
        let late = desk.order("chi", &case, "propose", &line).await;
        assert!(late.text().contains("đến hết ngày"), "{}", late.text());
    }
}

#[tokio::test]
async fn an_order_waits_for_a_fault_and_ends_with_its_decision() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        desk.in_force(&case).await;
        desk.asked(&case, "deferral", &[("until", "2026-12-31")]).await;
        office(&desk.setting, "binh", CHIEF).await;
        desk.act("dung", &case, "annul", &[("reason", "xử phạt nhầm người vi phạm")]).await;
        let meanwhile = desk.order("dung", &case, "sign", &[]).await;
        assert_eq!(meanwhile.status, StatusCode::CONFLICT, "{}", meanwhile.text());
        desk.act("binh", &case, "confirm_annulment", &[]).await;
        let gone = desk.order("dung", &case, "sign", &[]).await;
        assert_eq!(gone.status, StatusCode::CONFLICT);
        desk.drawn(&case, &[]).await;
        desk.act("chi", &case, "propose", &[]).await;
        desk.act("dung", &case, "sign", &[]).await;
        assert_eq!(desk.state(&case).await, "issued");
        // The new decision knows nothing of the old request.
        assert_eq!(desk.order("dung", &case, "sign", &[]).await.status, StatusCode::CONFLICT);
        assert!(desk.claim(&case).await.1.pauses.is_empty());
        let again = desk.asked(&case, "deferral", &[("until", "2026-12-31")]).await;
        assert_eq!(again.status, StatusCode::SEE_OTHER, "{}", again.text());
        desk.order("dung", &case, "sign", &[]).await;
        assert_eq!(desk.state_of_order(&case).await, State::Issued);
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}
