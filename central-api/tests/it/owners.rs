//! The owner of an approved case, on both databases: asked for in the registry, looked for by a
//! clerk where the answer is in doubt, and on the notice.

use axum::http::StatusCode;
use central_api::admin::users::Role;
use central_api::clock::Clock as _;
use central_api::config::RegistrySource;
use central_api::proceedings::owner::{self, State};
use central_api::registry::{self, ImportError};
use central_api::verify::{self, Depth};
use serde_json::Value;
use sqlx::Row as _;

use crate::setting::Setting;
use crate::setting::browserless::Visitor;

pub const HEADER: &str =
    "bien_so;loai_xe;mau_bien;nhan_hieu;mau_son;loai_chu;ten_chu;so_dinh_danh;dia_chi;tinh_trang";
const OWNER: &str = "Trần Thị Chủ Xe";

/// The line of the vehicle of the tests' case.
fn line(vehicle: &str, colour: &str, status: &str) -> String {
    format!(
        "29-AA 123.45;{vehicle};{colour};Honda;đen;cá nhân;{OWNER};001200000001;1 Phố Mẫu;{status}"
    )
}

pub async fn import(setting: &Setting, lines: &[String], replace: bool) -> registry::Imported {
    let text = format!("{HEADER}\n{}\n", lines.join("\n"));
    let now = setting.clock.now();
    registry::import(&setting.state.store, text.as_bytes(), replace, now).await.unwrap()
}

/// From now on the registry is asked.
pub fn ask_registry(setting: &mut Setting) {
    let config = std::sync::Arc::get_mut(&mut setting.state.config).unwrap();
    config.registry.source = RegistrySource::Imported;
}

/// From now on the registry is asked, and knows the vehicle of the tests' case.
pub async fn registered(setting: &mut Setting, status: &str) {
    ask_registry(setting);
    import(setting, &[line("xe máy", "", status)], false).await;
}

/// Settings that ask the registry, with a reviewer, an approver and a clerk.
async fn each() -> Vec<Setting> {
    let mut settings = Setting::each().await;
    for setting in &mut settings {
        ask_registry(setting);
        for (login, role) in
            [("an", Role::Reviewer), ("binh", Role::Approver), ("chi", Role::Registry)]
        {
            setting.user(login, &[role]).await;
        }
    }
    settings
}

async fn approved(setting: &Setting) -> String {
    let case = setting.case(1, |_| {}).await;
    Visitor::officer(&setting.state, "an").await.decide(&case, "accept", &[]).await;
    Visitor::officer(&setting.state, "binh").await.decide(&case, "approve", &[]).await;
    case
}

async fn state_of(setting: &Setting, case: &str) -> Value {
    let mut binh = Visitor::officer(&setting.state, "binh").await;
    binh.get(&format!("/api/v1/cases/{case}")).await.json()["case"]["state"].clone()
}

async fn name(
    visitor: &mut Visitor,
    case: &str,
    version: i64,
    more: &[(&str, &str)],
) -> (u16, String) {
    let (csrf, version) = (visitor.csrf.clone(), version.to_string());
    let mut fields = vec![("csrf", csrf.as_str()), ("version", &version)];
    fields.extend_from_slice(more);
    let answer = visitor.post(&format!("/ho-so/{case}/chu-xe"), &fields).await;
    (answer.status.as_u16(), answer.text())
}

async fn verified(setting: &Setting) -> Vec<String> {
    let state = &setting.state;
    let report = verify::verify_store(&state.store, &state.evidence, &state.law, Depth::Seals)
        .await
        .unwrap();
    report.findings.iter().map(|it| format!("{}: {}", it.subject, it.problem)).collect()
}

#[tokio::test]
async fn who_is_registered_gets_the_notice_and_stands_in_no_audit() {
    for setting in each().await {
        import(&setting, &[line("xe máy", "", "")], false).await;
        let case = approved(&setting).await;
        let record = owner::find(&setting.state.store, &case).await.unwrap().unwrap();
        assert_eq!((record.state, record.owner.unwrap().name.as_str()), (State::Identified, OWNER));
        assert_eq!(state_of(&setting, &case).await, "notified");
        for (login, sees) in [("chi", true), ("binh", true), ("an", false)] {
            let mut visitor = Visitor::officer(&setting.state, login).await;
            let page = visitor.get(&format!("/ho-so/{case}")).await.text();
            assert_eq!(page.contains(OWNER), sees, "{login}");
            let paper = visitor.get(&format!("/ho-so/{case}/thong-bao.pdf")).await;
            assert_eq!(paper.status.is_success(), sees, "{login}: the notice names the owner");
            assert_eq!(page.contains("Tải thông báo"), sees, "{login}");
        }
        let rows = sqlx::query("SELECT action, detail FROM audit ORDER BY seq")
            .fetch_all(setting.state.store.pool())
            .await
            .unwrap();
        let asked = rows.iter().filter(|row| row.get::<String, _>(0) == "owner.looked_up").count();
        assert_eq!(asked, 1);
        let told: String = rows.iter().map(|row| row.get::<String, _>(1)).collect();
        assert!(!told.contains("Chủ Xe") && !told.contains("001200000001"), "{told}");
        assert_eq!(verified(&setting).await, Vec::<String>::new());
        // A hand in the database is named.
        sqlx::query("UPDATE owners SET address = 'nơi khác'")
            .execute(setting.state.store.pool())
            .await
            .unwrap();
        let told = verified(&setting).await;
        assert!(told.len() == 1 && told[0].starts_with(&format!("owner of case {case}: differs")));
    }
}

#[tokio::test]
async fn what_does_not_fit_the_pictures_waits_for_a_clerk() {
    for (vehicle, colour, status, doubt) in [
        ("xe máy", "", "đã bán", "Xe đã bán, chưa sang tên"),
        ("xe máy", "", "mất cắp", "Xe đang được báo mất cắp"),
        ("xe máy", "xanh", "", "Màu biển đăng ký khác màu biển trong ảnh"),
    ] {
        let setting = each().await.remove(0);
        import(&setting, &[line(vehicle, colour, status)], false).await;
        let case = approved(&setting).await;
        assert_eq!(state_of(&setting, &case).await, "approved", "{doubt}");
        let mut chi = Visitor::officer(&setting.state, "chi").await;
        let list = chi.get("/chu-xe").await.text();
        assert!(list.contains(doubt) && list.contains("29-AA 123.45"), "{doubt}: {list}");
        let page = chi.get(&format!("/ho-so/{case}")).await.text();
        assert!(page.contains(doubt) && page.contains("Đúng là chủ đăng ký"), "{page}");
        let note = ("note", "đã gọi chủ xe, có giấy hẹn");
        let (status, text) = name(&mut chi, &case, 1, &[("who", "registered"), note]).await;
        assert_eq!(status, 303, "{text}");
        central_api::work::work_off(&setting.state).await.unwrap();
        assert_eq!(state_of(&setting, &case).await, "notified");
        assert_eq!(verified(&setting).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_clerk_names_the_owner_once_and_with_a_reason() {
    for setting in each().await {
        let case = approved(&setting).await;
        let record = owner::find(&setting.state.store, &case).await.unwrap().unwrap();
        assert_eq!((record.state, record.doubts[0].name()), (State::ByHand, "unknown"));
        let mut chi = Visitor::officer(&setting.state, "chi").await;
        let mut binh = Visitor::officer(&setting.state, "binh").await;
        let whole = [
            ("who", "other"),
            ("kind", "organisation"),
            ("name", "Công ty Mẫu"),
            ("id_number", "0101234567"),
            ("address", "2 Phố Mẫu"),
            ("note", "công văn trả lời ngày 20/11"),
        ];
        let without = |field: &'static str| {
            whole.into_iter().filter(move |(name, _)| *name != field).collect::<Vec<_>>()
        };
        assert_eq!(name(&mut binh, &case, 1, &whole).await.0, 403, "no clerk");
        for (fields, words) in [
            (without("note"), "Hãy ghi rõ căn cứ"),
            (without("address"), "Địa chỉ: hãy nhập"),
            (without("id_number"), "Số định danh, mã số tổ chức: hãy nhập"),
            (vec![("who", "registered"), whole[5]], "Dữ liệu đăng ký không có biển số này"),
        ] {
            let (status, text) = name(&mut chi, &case, 1, &fields).await;
            assert!(status == 422 && text.contains(words), "{status} {text}");
        }
        assert_eq!(name(&mut chi, &case, 7, &whole).await.0, 409, "another version");
        assert_eq!(name(&mut chi, "none", 1, &whole).await.0, 404);
        assert_eq!(name(&mut chi, &case, 1, &whole).await.0, 303);
        // Until the notice is out, a slip can be put right.
        assert_eq!(name(&mut chi, &case, 2, &whole).await.0, 303);
        central_api::work::work_off(&setting.state).await.unwrap();
        assert_eq!(state_of(&setting, &case).await, "notified");
        assert_eq!(name(&mut chi, &case, 3, &whole).await.0, 409, "the notice is out");
        assert!(!chi.get("/chu-xe").await.text().contains("29-AA 123.45"));
        assert_eq!(verified(&setting).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn another_number_is_asked_for_anew() {
    for setting in each().await {
        let mut other = line("xe máy", "", "").replace("123.45", "123.46");
        other = other.replace(OWNER, "Lê Văn Khác");
        import(&setting, &[line("xe máy", "", "đã bán"), other], false).await;
        let case = approved(&setting).await;
        let mut binh = Visitor::officer(&setting.state, "binh").await;
        let mut an = Visitor::officer(&setting.state, "an").await;
        let reason = [("reason", "plate_doubtful")];
        assert_eq!(binh.decide(&case, "return", &reason).await.status, StatusCode::SEE_OTHER);
        // Nobody names the owner of a case that is back in review.
        let mut chi = Visitor::officer(&setting.state, "chi").await;
        let note = ("note", "đã gọi chủ xe, có giấy hẹn");
        assert_eq!(name(&mut chi, &case, 1, &[("who", "registered"), note]).await.0, 409);
        let typed = [("plate", "29-AA 123.46"), ("reason", "misread")];
        an.decide(&case, "correct_plate", &typed).await;
        an.decide(&case, "accept", &[]).await;
        binh.decide(&case, "approve", &[]).await;
        let record = owner::find(&setting.state.store, &case).await.unwrap().unwrap();
        assert_eq!((record.plate.as_str(), record.version), ("29AA12346", 2));
        assert_eq!(record.owner.unwrap().name, "Lê Văn Khác");
        assert_eq!(state_of(&setting, &case).await, "notified");
        assert_eq!(verified(&setting).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_import_is_whole_or_nothing_and_can_replace() {
    for setting in each().await {
        let store = &setting.state.store;
        let car = "30F-256.58;ô tô con;trắng;Toyota;đen;cá nhân;A B;;1 Phố Mẫu;".to_owned();
        let bike = line("xe máy", "", "");
        let taken = import(&setting, &[car.clone(), bike.clone()], false).await;
        assert_eq!((taken.vehicles, taken.dropped), (2, 0));
        let wrong = format!("{HEADER}\n{bike}\n{}\n", car.replace("ô tô con", "tàu"));
        let refused = registry::import(store, wrong.as_bytes(), true, setting.clock.now()).await;
        assert!(matches!(refused, Err(ImportError::Lines { count: 1, .. })), "{refused:?}");
        assert!(registry::look_up(store, "30F25658", false).await.unwrap().is_some());
        assert!(registry::look_up(store, "30F25658", true).await.unwrap().is_none(), "a car's");
        setting.clock.advance(time::Duration::MINUTE);
        let taken = import(&setting, &[bike], true).await;
        assert_eq!((taken.vehicles, taken.dropped), (1, 1));
        assert!(registry::look_up(store, "30F25658", false).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_number_that_was_too_far_away_waits_for_a_clerk() {
    // Hà Nội, and so far to the south of it.
    let at = |km: f64| Some([21.0 - km / 111.195, 105.85]);
    for (km, minutes, is_told) in
        [(90.0, 20, true), (90.0, 60, false), (2.0, 0, false), (700.0, 200, true)]
    {
        for setting in each().await {
            import(&setting, &[line("xe máy", "", "")], false).await;
            let first = setting.case(1, |manifest| manifest.camera.gps = at(0.0)).await;
            let second = setting
                .case(2, |manifest| {
                    manifest.camera.gps = at(km);
                    manifest.camera.id = "cam-elsewhere".into();
                    manifest.camera.place = "Quốc lộ 1".into();
                    let shift = time::Duration::minutes(-minutes);
                    let violation = &mut manifest.violation;
                    violation.at += shift;
                    violation.moments.iter_mut().for_each(|moment| moment.at += shift);
                })
                .await;
            let mut an = Visitor::officer(&setting.state, "an").await;
            let mut binh = Visitor::officer(&setting.state, "binh").await;
            an.decide(&first, "accept", &[]).await;
            binh.decide(&first, "approve", &[]).await;
            let record = owner::find(&setting.state.store, &first).await.unwrap().unwrap();
            let told = record.doubts.contains(&owner::Doubt::Elsewhere);
            assert_eq!(told, is_told, "{km} km in {minutes} min: {:?}", record.doubts);
            assert_eq!(record.state == State::ByHand, is_told);
            let mut chi = Visitor::officer(&setting.state, "chi").await;
            let page = chi.get(&format!("/ho-so/{first}")).await.text();
            let link = format!("href=\"/ho-so/{second}\">");
            let far = format!("· {km} km · ");
            assert_eq!(page.contains(&link) && page.contains(&far), is_told, "{km}");
        }
    }
}
