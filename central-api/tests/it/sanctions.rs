//! From the notice to the fine and back, on both databases: minutes, explanation, proposal,
//! signature, printing, annulment.

use axum::http::StatusCode;
use central_api::admin::users::Role;
use central_api::clock::Clock as _;
use central_api::documents::{self, Kind};
use central_api::proceedings::decision::{self, Office};
use central_api::proceedings::{minutes, row};
use central_api::verify::{Depth, verify_store};
use central_api::work;
use contract::VehicleClass;
use sqlx::Row as _;
use time::Duration;

use crate::notices::{text_of, tool};
use crate::setting::Setting;
use crate::setting::browserless::{Answer, Visitor};

pub const CHIEF: &str = "Trưởng phòng Cảnh sát giao thông";
const OWNER: &str = "Trần Thị Chủ Xe";

pub struct Desk {
    pub setting: Setting,
    /// Clerk.
    pub chi: Visitor,
    /// Leaders: of an office, and without one.
    pub dung: Visitor,
    pub binh: Visitor,
}

impl Desk {
    pub async fn each() -> Vec<Self> {
        let mut desks = Vec::new();
        for setting in staffed().await {
            let chi = Visitor::officer(&setting.state, "chi").await;
            let dung = Visitor::officer(&setting.state, "dung").await;
            let binh = Visitor::officer(&setting.state, "binh").await;
            desks.push(Self { setting, chi, dung, binh });
        }
        desks
    }

    /// A case with its notice: a motorbike at a red light, 4 to 6 million.
    pub async fn notified(&mut self) -> String {
        self.notified_of(|_| {}).await
    }

    /// The same of another act, whose owner is named by the clerk where the registry does not know one.
    pub async fn notified_of(&mut self, edit: impl FnOnce(&mut contract::Manifest)) -> String {
        let case = self.setting.case(1, edit).await;
        Visitor::officer(&self.setting.state, "an").await.decide(&case, "accept", &[]).await;
        self.binh.decide(&case, "approve", &[]).await;
        case
    }

    /// A car at a red light: 18 to 20 million, with a right to explain.
    async fn notified_car(&mut self) -> String {
        let case = self
            .setting
            .case(1, |manifest| {
                manifest.violation.vehicle = VehicleClass::Car;
                let plate = manifest.plate.as_mut().unwrap();
                plate.raw = "30A12345".into();
                plate.text = Some("30A12345".into());
            })
            .await;
        Visitor::officer(&self.setting.state, "an").await.decide(&case, "accept", &[]).await;
        self.binh.decide(&case, "approve", &[]).await;
        // The registry does not know it: the clerk names the owner.
        let named = [
            ("version", "1"),
            ("who", "other"),
            ("kind", "person"),
            ("name", OWNER),
            ("address", "1 Phố Mẫu"),
            ("note", "theo giấy đăng ký xe"),
        ];
        posted(&mut self.chi, &case, "chu-xe", &named).await;
        work::work_off(&self.setting.state).await.unwrap();
        case
    }

    pub async fn drawn(&mut self, case: &str, more: &[(&str, &str)]) -> Answer {
        let version = self.minutes(case).await.map_or(0, |row| row.version).to_string();
        let mut fields = vec![
            ("kind", "person"),
            ("name", OWNER),
            ("id_number", "001200000001"),
            ("address", "1 Phố Mẫu"),
            ("born", "1990-05-01"),
            ("drove", "yes"),
            ("identified_on", "2026-11-21"),
            ("place", "Phòng Cảnh sát giao thông"),
            ("statement", "Tôi vội đi làm."),
            ("version", &version),
        ];
        fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        fields.extend_from_slice(more);
        let answer = posted(&mut self.chi, case, "bien-ban", &fields).await;
        work::work_off(&self.setting.state).await.unwrap();
        answer
    }

    pub async fn minutes(&self, case: &str) -> Option<minutes::Row> {
        row::find(&self.setting.state.store, case).await.unwrap()
    }

    pub async fn decision(&self, case: &str) -> Option<decision::Row> {
        row::find(&self.setting.state.store, case).await.unwrap()
    }

    pub async fn state(&self, case: &str) -> &'static str {
        self.decision(case).await.map_or("none", |row| row.content.state.name())
    }

    pub async fn act(
        &mut self,
        who: &str,
        case: &str,
        action: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let version = self.decision(case).await.map_or(0, |row| row.version).to_string();
        let mut fields = vec![("action", action), ("version", version.as_str())];
        fields.extend_from_slice(more);
        let visitor = match who {
            "chi" => &mut self.chi,
            "dung" => &mut self.dung,
            _ => &mut self.binh,
        };
        let answer = posted(visitor, case, "xu-phat", &fields).await;
        work::work_off(&self.setting.state).await.unwrap();
        answer
    }

    pub async fn in_force(&mut self, case: &str) {
        self.drawn(case, &[]).await;
        self.act("chi", case, "propose", &[]).await;
        self.act("dung", case, "sign", &[]).await;
        assert_eq!(self.state(case).await, "issued");
    }

    /// The printed text of the latest document of a kind, where the tool for it is there.
    pub async fn text(&self, case: &str, kind: Kind) -> Option<String> {
        let state = &self.setting.state;
        let document = documents::find(&state.store, kind, case).await.unwrap().unwrap();
        let case = central_api::case::find(&state.store, case).await.unwrap().unwrap();
        let pdf = documents::read(state, &case, &document).await.unwrap();
        let file = self.setting.folder.path().join("document.pdf");
        std::fs::write(&file, &pdf).unwrap();
        if let Some(folder) = std::env::var_os("SCREENSHOTS") {
            let name = format!("{}.pdf", kind.name());
            std::fs::write(std::path::Path::new(&folder).join(name), &pdf).unwrap();
        }
        let pages = tool("pdftotext", &["-layout", file.to_str().unwrap(), "-"])?;
        let signed = |page: &str| page.contains("(Ký, ghi rõ họ tên");
        if let Some(page) = pages.split('\u{c}').find(|page| signed(page)) {
            assert!(
                page.contains("Nguyễn Văn "),
                "a signature is on one sheet with its name: {page}"
            );
        }
        text_of(&file)
    }

    pub async fn verified(&self) -> Vec<String> {
        let state = &self.setting.state;
        let report = verify_store(&state.store, &state.evidence, &state.law, Depth::Seals).await;
        let findings = report.unwrap().findings;
        findings.into_iter().map(|it| format!("{}: {}", it.subject, it.problem)).collect()
    }
}

/// Settings that ask the registry, with a reviewer, a clerk, an approver and one who signs by an office.
pub async fn staffed() -> Vec<Setting> {
    let mut settings = Setting::each().await;
    for setting in &mut settings {
        crate::owners::registered(setting, "").await;
        staff(setting).await;
    }
    settings
}

/// A reviewer, a clerk, an approver and one who signs by an office.
pub async fn staff(setting: &Setting) {
    for (login, role) in [
        ("an", Role::Reviewer),
        ("binh", Role::Approver),
        ("chi", Role::Registry),
        ("dung", Role::Approver),
    ] {
        setting.user(login, &[role]).await;
    }
    office(setting, "dung", CHIEF).await;
}

pub async fn office(setting: &Setting, login: &str, title: &str) {
    let office = Office { title: title.into(), delegation: None };
    let state = &setting.state;
    decision::set_office(&state.store, &state.law, setting.clock.now(), login, Some(office))
        .await
        .unwrap();
}

pub async fn posted(
    visitor: &mut Visitor,
    case: &str,
    path: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let csrf = visitor.csrf.clone();
    let mut all = vec![("csrf", csrf.as_str())];
    all.extend_from_slice(fields);
    visitor.post(&format!("/ho-so/{case}/{path}"), &all).await
}

#[tokio::test]
async fn a_notice_becomes_a_decision_by_two_people_with_both_documents() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        let drawn = desk.drawn(&case, &[]).await;
        assert_eq!(drawn.status, StatusCode::SEE_OTHER, "{}", drawn.text());
        let page = desk.chi.get(&format!("/ho-so/{case}")).await.text();
        assert!(page.contains("Biên bản vi phạm hành chính số 000001/BB-VPHC-"), "{page}");
        let proposed = desk.act("chi", &case, "propose", &[("circumstance", "hardship")]).await;
        assert_eq!(proposed.status, StatusCode::SEE_OTHER, "{}", proposed.text());
        let list = desk.dung.get("/xu-phat").await.text();
        assert!(list.contains("29-AA 123.45") && list.contains("4.500.000 đ"), "{list}");
        let signed = desk.act("dung", &case, "sign", &[]).await;
        assert_eq!(signed.status, StatusCode::SEE_OTHER, "{}", signed.text());

        let decision = desk.decision(&case).await.unwrap().content;
        assert_eq!(decision.state, decision::State::Issued);
        assert_eq!((decision.proposal.amount, decision.proposal.provision.points), (4_500_000, 4));
        let issued = decision.issued.unwrap();
        assert!(issued.number.starts_with("000001/QĐ-XPHC-"), "{}", issued.number);
        for (kind, words) in [
            (
                Kind::Minutes,
                vec![
                    "BIÊN BẢN VI PHẠM HÀNH CHÍNH",
                    "Họ và tên: Trần Thị Chủ Xe",
                    "Tôi vội đi làm.",
                    "Thông báo số 000001/TB-",
                    "NGƯỜI LẬP BIÊN BẢN",
                ],
            ),
            (
                Kind::Decision,
                vec![
                    "Xử phạt vi phạm hành chính",
                    "TRƯỞNG PHÒNG CẢNH SÁT GIAO THÔNG",
                    "Biên bản vi phạm hành chính số 000001/BB-VPHC-",
                    "điểm c khoản 7 Điều 7 Nghị định số 168/2024/NĐ-CP",
                    "Các tình tiết giảm nhẹ: Vi phạm vì hoàn cảnh đặc biệt khó khăn",
                    "4.500.000 đồng (bằng chữ: bốn triệu năm trăm nghìn đồng).",
                    "Trừ điểm giấy phép lái xe: 04 điểm",
                    "Nguyễn Văn DUNG",
                ],
            ),
            (
                Kind::Points,
                vec!["trừ điểm giấy phép lái xe", "04 điểm", "Số điểm còn lại:", "29-AA 123.45"],
            ),
        ] {
            let Some(text) = desk.text(&case, kind).await else { continue };
            for word in words {
                assert!(text.contains(word), "{kind:?} lacks {word:?}:\n{text}");
            }
        }
        // Whoever has business with owners may open them, nobody else.
        let path = format!("/ho-so/{case}/van-ban/decision-2026-1.pdf");
        assert_eq!(desk.chi.get(&path).await.status, StatusCode::OK);
        let mut an = Visitor::officer(&desk.setting.state, "an").await;
        assert_eq!(an.get(&path).await.status, StatusCode::FORBIDDEN);
        assert!(!an.get(&format!("/ho-so/{case}")).await.text().contains(OWNER));
        assert_eq!(desk.verified().await, Vec::<String>::new());
        // The audit names nobody.
        let told: Vec<String> = sqlx::query_scalar("SELECT detail FROM audit")
            .fetch_all(desk.setting.state.store.pool())
            .await
            .unwrap();
        let told = told.concat();
        assert!(
            !told.contains("Chủ Xe") && !told.contains("vội") && !told.contains("001200000001")
        );
    }
}

#[tokio::test]
async fn what_the_forms_ask_beside_is_printed_or_left_to_the_hand() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        let late = desk.drawn(&case, &[("id_issued_on", "2026-11-22")]).await;
        assert!(late.text().contains("Ngày cấp giấy tờ"), "{}", late.text());
        let strange = desk.drawn(&case, &[("representative", "Lê Thị Hoa")]).await;
        assert!(strange.text().contains("Người đại diện"), "{}", strange.text());
        desk.drawn(&case, &[]).await;
        let Some(text) = desk.text(&case, Kind::Minutes).await else { continue };
        for words in ["giới tính: ......", "quốc tịch: ......", "nơi cấp: ......", "(Mặt sau)"]
        {
            assert!(text.contains(words), "lacks {words:?}:\n{text}");
        }
        let known = [
            ("sex", "female"),
            ("nationality", "Việt Nam"),
            ("occupation", "giáo viên"),
            ("id_issued_on", "2021-04-12"),
            ("id_issued_by", "Cục Cảnh sát QLHC về TTXH"),
        ];
        let drawn = desk.drawn(&case, &known).await;
        assert_eq!(drawn.status, StatusCode::SEE_OTHER, "{}", drawn.text());
        desk.act("chi", &case, "propose", &[("remedy", "lắp lại biển số trong 10 ngày")]).await;
        desk.act("dung", &case, "sign", &[]).await;
        for kind in [Kind::Minutes, Kind::Decision] {
            let text = desk.text(&case, kind).await.unwrap();
            for words in [
                "giới tính: nữ",
                "nghề nghiệp: giáo viên",
                "ngày cấp: 12/04/2021",
                "Cục Cảnh sát QLHC",
            ] {
                assert!(text.contains(words), "{kind:?} lacks {words:?}:\n{text}");
            }
        }
        let text = desk.text(&case, Kind::Decision).await.unwrap();
        assert!(text.contains("khắc phục hậu quả: lắp lại biển số trong 10 ngày."), "{text}");
        let text = desk.text(&case, Kind::Points).await.unwrap();
        assert!(text.contains("sau ít nhất 06 tháng"), "{text}");
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn nobody_signs_alone_without_power_or_on_what_has_changed() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        let early = desk.act("chi", &case, "propose", &[]).await;
        assert_eq!(early.status, StatusCode::CONFLICT);
        assert!(early.text().contains("Chưa lập biên bản"));
        desk.drawn(&case, &[]).await;
        // Without circumstances the law leaves one amount.
        let dear = desk.act("chi", &case, "propose", &[("amount", "5.500.000")]).await;
        assert_eq!(dear.status, StatusCode::CONFLICT);
        assert!(dear.text().contains("5.000.000 – 5.000.000"), "{}", dear.text());
        let strange = desk.act("chi", &case, "propose", &[("circumstance", "likes_him")]).await;
        assert_eq!(strange.status, StatusCode::CONFLICT);
        assert_eq!(desk.state(&case).await, "none");
        // A leader proposes nothing, a clerk signs nothing.
        let status = desk.act("dung", &case, "propose", &[]).await.status;
        assert_eq!(status, StatusCode::FORBIDDEN);
        desk.act("chi", &case, "propose", &[]).await;
        assert_eq!(desk.act("chi", &case, "sign", &[]).await.status, StatusCode::FORBIDDEN);
        let answer = desk.act("binh", &case, "sign", &[]).await;
        assert!(answer.text().contains("chưa được gán chức danh"), "{}", answer.text());
        office(&desk.setting, "binh", "Chiến sĩ Cảnh sát giao thông").await;
        let answer = desk.act("binh", &case, "sign", &[]).await;
        assert!(answer.text().contains("không có thẩm quyền"), "{}", answer.text());
        // Somebody who has both roles is still one person.
        desk.setting.user("em", &[Role::Registry, Role::Approver]).await;
        office(&desk.setting, "em", CHIEF).await;
        let mut em = Visitor::officer(&desk.setting.state, "em").await;
        desk.act("dung", &case, "return", &[("reason", "ghi thêm lời trình bày")]).await;
        assert_eq!(desk.state(&case).await, "returned");
        let version = desk.decision(&case).await.unwrap().version.to_string();
        let fields = [("action", "propose"), ("version", version.as_str())];
        assert_eq!(posted(&mut em, &case, "xu-phat", &fields).await.status, StatusCode::SEE_OTHER);
        let version = desk.decision(&case).await.unwrap().version.to_string();
        let fields = [("action", "sign"), ("version", version.as_str())];
        let alone = posted(&mut em, &case, "xu-phat", &fields).await;
        assert_eq!(alone.status, StatusCode::FORBIDDEN);
        assert!(alone.text().contains("không được tự quyết định"));
        // A proposal is of the minutes that it was made on; those stay while it waits.
        assert_eq!(desk.drawn(&case, &[]).await.status, StatusCode::CONFLICT);
        let explained = [
            ("version", "1"),
            ("way", "written"),
            ("received_on", "2026-11-21"),
            ("explanation", "Đèn bị che khuất."),
            ("finding", "Ảnh cho thấy đèn không bị che."),
        ];
        let answer = posted(&mut desk.chi, &case, "giai-trinh", &explained).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let answer = desk.act("dung", &case, "sign", &[]).await;
        assert!(answer.text().contains("đã thay đổi sau khi đề xuất"), "{}", answer.text());
        desk.act("dung", &case, "return", &[("reason", "xem lại sau giải trình")]).await;
        desk.act("chi", &case, "propose", &[]).await;
        assert_eq!(desk.act("dung", &case, "sign", &[]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(desk.state(&case).await, "issued");
        let stale = [("action", "annul"), ("version", "1"), ("reason", "thử phiên bản cũ xem")];
        let answer = posted(&mut desk.dung, &case, "xu-phat", &stale).await;
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn who_pays_what_follows_from_who_they_are() {
    let mut desk = Desk::each().await.remove(0);
    let case = desk.notified().await;
    for (fields, amount, points) in [
        (&[("born", "2000-01-31")][..], 5_000_000, 4),
        // Sixteen on the day before; half of an adult's.
        (&[("born", "2010-11-20")], 2_500_000, 4),
        (&[("drove", "no")], 5_000_000, 0),
        (&[("kind", "organisation"), ("drove", "no"), ("born", "")], 10_000_000, 0),
    ] {
        let answer = desk.drawn(&case, fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{fields:?}: {}", answer.text());
        let answer = desk.act("chi", &case, "propose", &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{fields:?}: {}", answer.text());
        let proposal = desk.decision(&case).await.unwrap().content.proposal;
        assert_eq!((proposal.amount, proposal.provision.points), (amount, points), "{fields:?}");
        desk.act("dung", &case, "return", &[("reason", "thử trường hợp khác")]).await;
    }
    // A child is warned, not fined.
    desk.drawn(&case, &[("born", "2011-03-01")]).await;
    let answer = desk.act("chi", &case, "propose", &[]).await;
    assert!(answer.text().contains("dưới 16 tuổi"), "{}", answer.text());
    for (name, value) in [
        ("name", ""),
        ("name", "a\nb"),
        ("born", "2030-01-01"),
        ("born", "hôm qua"),
        ("identified_on", "2026-11-20"),
        ("identified_on", "2027-11-20"),
        ("born", ""),
        ("unsigned", "không"),
        ("place", ""),
    ] {
        let answer = desk.drawn(&case, &[(name, value)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name} {value:?}");
    }
    let answer =
        desk.drawn(&case, &[("kind", "organisation"), ("drove", "yes"), ("born", "")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn terms_hold_back_a_decision_and_end_it() {
    for mut desk in Desk::each().await {
        let case = desk.notified_car().await;
        let answer = desk.drawn(&case, &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        assert_eq!(
            desk.act("chi", &case, "propose", &[]).await.status,
            StatusCode::SEE_OTHER,
            "a proposal may wait for it"
        );
        let answer = desk.act("dung", &case, "sign", &[]).await;
        assert!(answer.text().contains("Còn thời hạn giải trình"), "{}", answer.text());
        // Five working days from Saturday the 21st: 23, 25, 26, 27, 30 November (the 24th is off).
        desk.setting.clock.advance(Duration::days(9));
        desk.chi = Visitor::officer(&desk.setting.state, "chi").await;
        desk.dung = Visitor::officer(&desk.setting.state, "dung").await;
        let answer = desk.act("dung", &case, "sign", &[]).await;
        assert!(answer.text().contains("23:59, 30/11/2026"), "{}", answer.text());
        // Seven: 1 and 2 December. Then it is late.
        desk.setting.clock.advance(Duration::days(3));
        desk.dung = Visitor::officer(&desk.setting.state, "dung").await;
        let answer = desk.act("dung", &case, "sign", &[]).await;
        assert!(answer.text().contains("Đã quá thời hạn ra quyết định"), "{}", answer.text());
        // Drawing the minutes up anew wins no time.
        desk.chi = Visitor::officer(&desk.setting.state, "chi").await;
        desk.act("dung", &case, "return", &[("reason", "đã quá thời hạn")]).await;
        let again = desk.drawn(&case, &[("identified_on", "2026-12-03")]).await;
        assert_eq!(again.status, StatusCode::SEE_OTHER, "{}", again.text());
        let answer = desk.act("chi", &case, "propose", &[]).await;
        assert!(answer.text().contains("Đã quá thời hạn ra quyết định"), "{}", answer.text());
        // An explanation that comes now gives no time back.
        let late = explained(&mut desk, &case, "2", "2026-12-03").await;
        assert_eq!(late.status, StatusCode::SEE_OTHER, "{}", late.text());
        let answer = desk.act("chi", &case, "propose", &[]).await;
        assert!(answer.text().contains("Đã quá thời hạn ra quyết định"), "{}", answer.text());
    }
}

/// A hearing of that day, on the minutes of that version.
async fn explained(desk: &mut Desk, case: &str, version: &str, on: &str) -> Answer {
    let fields = [
        ("version", version),
        ("way", "hearing"),
        ("received_on", on),
        ("explanation", "Tôi nhường đường cho xe cứu thương."),
        ("finding", "Không có xe cứu thương trong các ảnh và đoạn phim."),
    ];
    let answer = posted(&mut desk.chi, case, "giai-trinh", &fields).await;
    work::work_off(&desk.setting.state).await.unwrap();
    answer
}

#[tokio::test]
async fn an_explanation_in_time_gives_a_month() {
    for mut desk in Desk::each().await {
        let case = desk.notified_car().await;
        desk.drawn(&case, &[]).await;
        desk.setting.clock.advance(Duration::days(11));
        desk.chi = Visitor::officer(&desk.setting.state, "chi").await;
        // On the last of the seven days; signed three weeks later.
        let answer = explained(&mut desk, &case, "1", "2026-12-02").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        desk.setting.clock.advance(Duration::days(18));
        desk.chi = Visitor::officer(&desk.setting.state, "chi").await;
        desk.dung = Visitor::officer(&desk.setting.state, "dung").await;
        let answer = desk.act("chi", &case, "propose", &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let answer = desk.act("dung", &case, "sign", &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        assert_eq!(desk.state(&case).await, "issued");
        if let Some(text) = desk.text(&case, Kind::Hearing).await {
            assert!(text.contains("Tôi nhường đường cho xe cứu thương."), "{text}");
            assert!(text.contains("BÊN GIẢI TRÌNH"), "{text}");
        }
        if let Some(text) = desk.text(&case, Kind::Decision).await {
            assert!(text.contains("giải trình trực tiếp ngày 02/12/2026"), "{text}");
            assert!(text.contains("mười chín triệu đồng"), "{text}");
        }
        // A year later the limitation bars nothing that was decided in time.
        desk.setting.clock.advance(Duration::days(400));
        work::work_off(&desk.setting.state).await.unwrap();
        let state: String = sqlx::query_scalar("SELECT state FROM cases WHERE id = $1")
            .bind(case.clone())
            .fetch_one(desk.setting.state.store.pool())
            .await
            .unwrap();
        assert_eq!(state, "notified");
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_a_hand_changes_in_proceedings_and_their_documents_is_named() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        desk.in_force(&case).await;
        let store = desk.setting.state.store.clone();
        let rows = sqlx::query("SELECT name, content FROM proceedings ORDER BY name")
            .fetch_all(store.pool())
            .await
            .unwrap();
        assert_eq!(rows.len(), 2);
        crate::tampering::lift_constraints(&desk.setting).await;
        let force = async |text: String| crate::tampering::force(&desk.setting, text).await;
        for row in rows {
            let (name, content): (String, String) = (row.get(0), row.get(1));
            let other = match name.as_str() {
                "decision" => content.replace("5000000", "5000001"),
                _ => content.replace("Chủ Xe", "Chủ Khác"),
            };
            assert_ne!(content, other);
            let set = |text: &str| {
                let text = text.replace('\'', "''");
                format!("UPDATE proceedings SET content = '{text}' WHERE name = '{name}'")
            };
            for column in
                ["state = state || 'z'", "changed_at = changed_at + 1", "version = version + 1"]
            {
                force(format!("UPDATE proceedings SET {column} WHERE name = '{name}'")).await;
                assert_eq!(desk.verified().await.len(), 1, "{name} {column}");
                let back = match column.split(' ').next().unwrap() {
                    "state" => "state = substr(state, 1, length(state) - 1)".to_owned(),
                    column => format!("{column} = {column} - 1"),
                };
                force(format!("UPDATE proceedings SET {back} WHERE name = '{name}'")).await;
            }
            force(set(&other)).await;
            let found = desk.verified().await;
            // Another amount contradicts the steps, the law and the claim besides the seal.
            let all = if name == "decision" { 4 } else { 1 };
            assert_eq!(found.len(), all, "{found:?}");
            let of = format!("{name} of case {case}");
            assert!(found.iter().all(|it| it.starts_with(&of)), "{found:?}");
            force(set(&content)).await;
        }
        assert_eq!(desk.verified().await, Vec::<String>::new());
        force("UPDATE documents SET number = 9 WHERE kind = 'decision'".into()).await;
        let found = desk.verified().await;
        assert!(
            found[0].starts_with(&format!("decision of case {case}: column number")),
            "{found:?}"
        );
        force("DELETE FROM documents WHERE kind = 'decision'".into()).await;
        let found = desk.verified().await;
        assert_eq!(found, [format!("decision of case {case}: was issued, but is not on record")]);
    }
}
