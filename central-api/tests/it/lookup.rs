//! The public lookup: nine fields of notified cases, nothing else, behind captcha and limit.

use axum::http::StatusCode;
use central_api::admin::users::Role;
use central_api::{openapi, work};
use contract::plate::PlateClass;
use contract::{Manifest, VehicleClass};
use serde_json::json;
use time::Duration;

use crate::setting::browserless::{Visitor, solve};
use crate::setting::{PASSWORD, Setting, crowd};

const PLATE: &str = "29-AA 123.45";

async fn notified() -> Setting {
    notified_with(Setting::new().await, |_| {}).await.0
}

/// A setting whose one case is notified, with the case.
pub async fn notified_with(
    setting: Setting,
    edit: impl FnOnce(&mut contract::Manifest),
) -> (Setting, String) {
    let case = setting.case(1, edit).await;
    setting.user("an", &[Role::Reviewer]).await;
    setting.user("binh", &[Role::Approver]).await;
    Visitor::officer(&setting.state, "an").await.decide(&case, "accept", &[]).await;
    let answer = Visitor::officer(&setting.state, "binh").await.decide(&case, "approve", &[]).await;
    assert_eq!(answer.location(), "/phe-duyet?xong=approve");
    (setting, case)
}

/// The case of a car, or of another number.
fn reads(
    text: &'static str,
    class: PlateClass,
    vehicle: VehicleClass,
) -> impl FnOnce(&mut Manifest) {
    move |manifest| {
        manifest.violation.vehicle = vehicle;
        let plate = manifest.plate.as_mut().unwrap();
        plate.raw = text.replace('Đ', "D");
        plate.text = Some(text.into());
        plate.class = Some(class);
    }
}

async fn ask_page(
    visitor: &mut Visitor,
    plate: &str,
    vehicle_type: u8,
    page: u32,
) -> serde_json::Value {
    let challenge = visitor.json("/api/v1/lookup/challenges", json!({})).await.json();
    let token = challenge["token"].as_str().unwrap();
    let body = json!({
        "plate": plate, "vehicle_type": vehicle_type, "token": token, "nonce": solve(token),
        "page": page,
    });
    visitor.json("/api/v1/lookup", body).await.json()
}

async fn ask(visitor: &mut Visitor, plate: &str, vehicle_type: u8) -> serde_json::Value {
    ask_page(visitor, plate, vehicle_type, 1).await
}

#[tokio::test]
async fn exactly_nine_fields_and_no_picture_or_name() {
    let setting = notified().await;
    let mut visitor = Visitor::new(&setting.state);
    let answer = ask(&mut visitor, PLATE, 2).await;
    let found = answer["violations"].as_array().unwrap();
    assert_eq!(found.len(), 1);
    let mut keys: Vec<&str> = found[0].as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "act",
            "detecting_unit",
            "place",
            "plate",
            "plate_colour",
            "resolving_places",
            "status",
            "time",
            "vehicle_type",
        ]
    );
    let mut violation = found[0].clone();
    let places = violation.as_object_mut().unwrap().remove("resolving_places").unwrap();
    assert_eq!(
        violation,
        json!({
            "plate": "29-AA 123.45",
            "plate_colour": "Nền màu trắng, chữ và số màu đen",
            "vehicle_type": "Xe máy",
            "time": "08:16, 21/11/2026",
            "place": "Nút giao Trần Phú – Hùng Vương, phường Đông Hà",
            "act": "Không chấp hành hiệu lệnh của đèn tín hiệu giao thông",
            "status": "Chưa xử phạt",
            "detecting_unit": "Đội Cảnh sát giao thông số 1",
        })
    );
    let mut keys: Vec<&str> = places[0].as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["address", "name", "phone"]);

    let page = visitor.look_up(PLATE, "2").await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    assert_eq!(text.matches("<dt>").count(), 9);
    for secret in ["/tep/", "Trần Thị Bình", "Nguyễn Văn", "box-01", "0193"] {
        assert!(!text.split("class=\"results\"").nth(1).unwrap().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn only_notified_cases_of_that_plate_and_kind_are_shown() {
    let setting = notified().await;
    // Another of the same plate that nobody has decided on.
    setting.case(2, |_| {}).await;
    let mut visitor = Visitor::new(&setting.state);
    for (plate, vehicle_type, count) in
        [("29aa12345", 2, 1), ("29-AA 123.45", 3, 1), ("29-AA 123.46", 2, 0), ("30F-256.58", 1, 0)]
    {
        let answer = ask(&mut visitor, plate, vehicle_type).await;
        assert_eq!(answer["violations"].as_array().unwrap().len(), count, "{plate} {vehicle_type}");
    }
    let answer = ask(&mut visitor, PLATE, 1).await;
    assert_eq!(answer["code"], "plate");
}

#[tokio::test]
async fn the_written_layout_is_never_answered_with_another_vehicle_s_fine() {
    let moto = reads("29B12345", PlateClass::MotorbikeOld, VehicleClass::Motorbike);
    let (setting, _) = notified_with(Setting::new().await, moto).await;
    let mut visitor = Visitor::new(&setting.state);
    for (plate, vehicle_type, found) in [
        ("29-B1 2345", 2, Some("29-B1 2345")),
        ("29B12345", 2, Some("29-B1 2345")),
        ("  BKS: 29b1-2345\u{a0} ", 3, Some("29-B1 2345")),
        ("29-B1\n2345", 2, Some("29-B1 2345")),
        ("２９－Ｂ１　２３４５", 2, Some("29-B1 2345")),
        ("29B12345", 1, None),
        ("29B-123.45", 1, None),
    ] {
        let answer = ask(&mut visitor, plate, vehicle_type).await;
        let shown = answer["violations"].as_array().unwrap();
        let shown: Vec<&str> = shown.iter().map(|v| v["plate"].as_str().unwrap()).collect();
        assert_eq!(shown, Vec::from_iter(found), "{plate} {vehicle_type}");
    }
    for (plate, vehicle_type, told) in [
        ("29-B1 2345", 1, "written like a motorbike's number, 29-B1 2345"),
        ("29B-123.45", 2, "written like the number of a vehicle with more than two wheels"),
    ] {
        let answer = ask(&mut visitor, plate, vehicle_type).await;
        assert_eq!((&answer["code"], &answer["status"]), (&json!("plate"), &json!(422)));
        assert!(answer["detail"].as_str().unwrap().contains(told), "{answer}");
    }
    let page = visitor.look_up("29-B1 2345", "1").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text().contains("viết như biển xe mô tô (29-B1 2345)"), "{}", page.text());
    let page = visitor.look_up("29B-123.45", "2").await;
    assert!(page.text().contains("viết như biển xe ô tô (29B-123.45)"), "{}", page.text());
}

#[tokio::test]
async fn a_stroke_is_kept_from_the_officer_to_the_owner() {
    for setting in Setting::each().await {
        // The machine cannot tell: the officer types what the picture shows.
        let case = setting.case(1, |manifest| manifest.plate.as_mut().unwrap().text = None).await;
        setting.user("an", &[Role::Reviewer]).await;
        setting.user("binh", &[Role::Approver]).await;
        let mut officer = Visitor::officer(&setting.state, "an").await;
        let typed = [("plate", "29-mđ 567.89"), ("reason", "plate_unreadable")];
        officer.decide(&case, "correct_plate", &typed).await;
        officer.decide(&case, "accept", &[]).await;
        let list = officer.get("/api/v1/cases?plate=29-M%C4%90%20567.89").await.json();
        assert_eq!(list["cases"][0]["plate"], "29MĐ56789", "{list}");
        Visitor::officer(&setting.state, "binh").await.decide(&case, "approve", &[]).await;
        let mut visitor = Visitor::new(&setting.state);
        let answer = ask(&mut visitor, "29-MĐ 567.89", 3).await;
        assert_eq!(answer["violations"][0]["plate"], "29-MĐ 567.89");
        assert_eq!(answer["violations"][0]["vehicle_type"], "Xe máy điện");
        let other = ask(&mut visitor, "29-MD 567.89", 2).await;
        assert_eq!((&other["total"], &other["stroked"]), (&json!(0), &json!("29-MĐ 567.89")));
    }
}

#[tokio::test]
async fn numbers_kept_with_d_get_their_stroke_back_where_it_is_certain() {
    for setting in Setting::each().await {
        let store = &setting.state.store;
        let kept = [
            ("29MD112345", 3, "29MĐ112345", 3),
            ("29MD1234", 3, "29MĐ1234", 3),
            ("29TD12345", 1, "29TĐ12345", 1),
            ("29TD1234", 2, "29TĐ1234", 2),
            ("29TD12345", 2, "29TD12345", 2),
            ("29MD56789", 3, "29MD56789", 2),
            ("30F25658", 1, "30F25658", 1),
        ];
        let migration = include_str!("../../migrations/0005_lookup.sql");
        let updates: Vec<&str> =
            migration.split(';').filter_map(|part| Some(&part[part.find("UPDATE")?..])).collect();
        assert_eq!(updates.len(), 3);
        for (sequence, (plate, vehicle_type, ..)) in (1..).zip(kept) {
            let case = setting.case(sequence, |_| {}).await;
            sqlx::query("UPDATE cases SET plate = $1, vehicle_type = $2, note = $3 WHERE id = $4")
                .bind(plate)
                .bind(vehicle_type)
                .bind(sequence.to_string())
                .bind(case)
                .execute(store.pool())
                .await
                .unwrap();
        }
        for update in updates {
            sqlx::query(update).execute(store.pool()).await.unwrap();
        }
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT plate, vehicle_type FROM cases ORDER BY note")
                .fetch_all(store.pool())
                .await
                .unwrap();
        let expected = kept.map(|(.., plate, vehicle_type)| (plate.to_owned(), vehicle_type));
        assert_eq!(rows, expected);
    }
}

#[tokio::test]
async fn the_newest_come_first_and_pages_lead_to_all() {
    for setting in Setting::each().await {
        let car = reads("29B12345", PlateClass::CarCivil, VehicleClass::Car);
        let (setting, case) = notified_with(setting, car).await;
        // Older cars' than the motorbikes of the same characters: a filter after the limit hides them.
        let minute = "act_at - 60000 * i";
        crowd::copies(
            &setting.state.store,
            &case,
            250,
            &[
                ("act_at", minute),
                ("vehicle", "CASE WHEN i <= 150 THEN 'motorbike' ELSE vehicle END"),
                ("vehicle_type", "CASE WHEN i <= 150 THEN 2 ELSE 1 END"),
            ],
        )
        .await;
        let mut visitor = Visitor::new(&setting.state);
        let mut times = Vec::new();
        for page in 1..=6 {
            let answer = ask_page(&mut visitor, "29B-123.45", 1, page).await;
            assert_eq!((&answer["total"], &answer["pages"]), (&json!(101), &json!(6)), "{answer}");
            for violation in answer["violations"].as_array().unwrap() {
                assert_eq!(violation["plate"], "29B-123.45");
                assert_eq!(violation["status"], "Chưa xử phạt");
                times.push(violation["time"].as_str().unwrap().to_owned());
            }
        }
        assert_eq!(times.len(), 101);
        assert_eq!(times[0], "08:16, 21/11/2026");
        assert_eq!(times[1], "05:45, 21/11/2026", "150 minutes of motorbikes between");
        assert_eq!(times[100], "04:06, 21/11/2026");
        let beyond = ask_page(&mut visitor, "29B-123.45", 1, 900).await;
        assert_eq!(
            (&beyond["page"], &beyond["violations"].as_array().unwrap().len()),
            (&json!(6), &1)
        );
        let page = visitor.look_up("29B-123.45", "1").await.text();
        assert_eq!(page.matches("<article").count(), 20);
        assert!(page.contains("Tìm thấy 101 vi phạm") && page.contains("Trang 1/6"), "{page}");
        assert!(page.contains("form=\"lookup\" name=\"page\" value=\"2\""), "{page}");
    }
}

#[tokio::test]
async fn what_is_not_public_is_not_shown_in_whatever_state() {
    let (setting, case) = notified_with(Setting::new().await, |_| {}).await;
    let store = &setting.state.store;
    for state in central_api::case::State::ALL {
        sqlx::query("UPDATE cases SET state = $1 WHERE id = $2")
            .bind(state.name())
            .bind(case.clone())
            .execute(store.pool())
            .await
            .unwrap();
        let answer = ask(&mut Visitor::new(&setting.state), PLATE, 2).await;
        let public = central_api::case::State::PUBLIC.contains(&state);
        assert_eq!(answer["total"], u8::from(public), "{state:?}");
        for violation in answer["violations"].as_array().unwrap() {
            assert_ne!(violation["status"], "", "{state:?}");
        }
    }
}

#[tokio::test]
async fn one_lookup_is_one_commit() {
    let (setting, _) = notified_with(Setting::new().await, |_| {}).await;
    let mut visitor = Visitor::new(&setting.state);
    ask(&mut visitor, PLATE, 2).await;
    // A row of the write-ahead log a commit: the frame that ends a transaction names its size.
    let log = setting.folder.path().join("central.db-wal");
    let commits = || {
        let bytes = std::fs::read(&log).unwrap();
        let page = u32::from_be_bytes(bytes[8..12].try_into().unwrap()) as usize;
        let frames = bytes[32..].chunks(24 + page);
        frames.filter(|frame| frame[8..16] == bytes[16..24] && frame[4..8] != [0; 4]).count()
    };
    let before = commits();
    let answer = ask(&mut visitor, PLATE, 2).await;
    assert_eq!(answer["total"], 1);
    assert_eq!(commits() - before, 1);
}

#[tokio::test]
async fn a_captcha_is_taken_once_in_time_and_unchanged() {
    let setting = notified().await;
    let mut visitor = Visitor::new(&setting.state);
    let token = visitor.get("/tra-cuu").await.field("token");
    let nonce = solve(&token);
    let fields = |token: &str, nonce: &str, answer: &str| {
        [("plate", PLATE), ("vehicle_type", "2")]
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .chain([
                ("token".to_owned(), token.to_owned()),
                ("nonce".to_owned(), nonce.to_owned()),
                ("answer".to_owned(), answer.to_owned()),
            ])
            .collect::<Vec<_>>()
    };
    let mut post = async |token: &str, nonce: &str, answer: &str| {
        let fields = fields(token, nonce, answer);
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        visitor.post("/tra-cuu", &fields).await.status
    };
    const BAD: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    assert_eq!(post(&token, "", "").await, BAD);
    assert_eq!(post(&token, "", "-1").await, BAD);
    let easier = token.replace(".8.", ".0.");
    assert_eq!(post(&easier, "1", "").await, BAD);
    assert_eq!(post(&token, &nonce, "").await, StatusCode::OK);
    assert_eq!(post(&token, &nonce, "").await, BAD);

    let token = Visitor::new(&setting.state).get("/tra-cuu").await.field("token");
    setting.clock.advance(Duration::minutes(11));
    assert_eq!(post(&token, &solve(&token), "").await, BAD);
}

#[tokio::test]
async fn the_question_in_words_opens_too() {
    let setting = notified().await;
    let mut visitor = Visitor::new(&setting.state);
    visitor.get("/ngon-ngu?to=en&back=/").await;
    let page = visitor.get("/tra-cuu").await;
    let text = page.text();
    let question = text.split("<b>What is ").nth(1).unwrap().split("?</b>").next().unwrap();
    let (left, right, sign) = match question.split_once(" plus ") {
        Some((left, right)) => (left, right, 1),
        None => {
            let (left, right) = question.split_once(" minus ").unwrap();
            (left, right, -1)
        }
    };
    let answer = (number(left) + sign * number(right)).to_string();
    let token = page.field("token");
    let fields = [
        ("plate", PLATE),
        ("vehicle_type", "2"),
        ("token", token.as_str()),
        ("answer", answer.as_str()),
    ];
    let answer = visitor.post("/tra-cuu", &fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{question}");
    assert!(answer.text().contains("Violations found: 1"));
    let again = visitor.post("/tra-cuu", &fields).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "taken once as well");
}

#[tokio::test]
async fn the_answer_in_words_follows_from_nothing_public_and_costs_look_ups() {
    let setting = notified().await;
    let mut visitor = Visitor::new(&setting.state);
    let mut guessed = 0;
    for round in 0..12 {
        if round % 4 == 0 {
            setting.clock.advance(Duration::minutes(1));
        }
        let token = visitor.get("/tra-cuu").await.field("token");
        // How the numbers were once picked: by the id, which everybody sees.
        let part = |at: usize| u64::from_str_radix(&token[at..at + 8], 16).unwrap();
        let (a, b) = (12 + part(0) % 60, 2 + part(8) % 9);
        let sum = if part(16) % 2 == 1 { a - b } else { a + b }.to_string();
        let fields = [("plate", PLATE), ("vehicle_type", "2"), ("token", &token), ("answer", &sum)];
        guessed += usize::from(visitor.post("/tra-cuu", &fields).await.status == StatusCode::OK);
    }
    assert!(guessed < 4, "{guessed} of 12 answers follow from the id");

    setting.clock.advance(Duration::minutes(1));
    // 20 look-ups a minute by work, but four answers in words, right or wrong.
    let mut refused = Vec::new();
    for _ in 0..5 {
        let token = visitor.get("/tra-cuu").await.field("token");
        let fields = [("plate", PLATE), ("vehicle_type", "2"), ("token", &token), ("answer", "7")];
        refused.push(visitor.post("/tra-cuu", &fields).await.status.as_u16());
    }
    assert_eq!(refused, [422, 422, 422, 422, 429]);
}

fn number(words: &str) -> i32 {
    const ONES: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] =
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    words
        .split('-')
        .map(|word| match ONES.iter().position(|one| *one == word) {
            Some(one) => one as i32,
            None => (TENS.iter().position(|ten| *ten == word).unwrap() as i32 + 2) * 10,
        })
        .sum()
}

#[tokio::test]
async fn one_address_asks_so_often_and_no_more() {
    let setting = notified().await;
    let mut visitor = Visitor::new(&setting.state);
    for _ in 0..setting.state.config.lookup.requests_per_minute {
        assert_eq!(visitor.look_up(PLATE, "2").await.status, StatusCode::OK);
    }
    assert_eq!(visitor.look_up(PLATE, "2").await.status, StatusCode::TOO_MANY_REQUESTS);
    let answer = ask(&mut visitor, PLATE, 2).await;
    assert_eq!(answer["code"], "too_many");
    setting.clock.advance(Duration::minutes(1));
    assert_eq!(visitor.look_up(PLATE, "2").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_notice_s_code_fills_the_form_and_another_does_not() {
    let setting = notified().await;
    let code: String = sqlx::query_scalar("SELECT code FROM documents")
        .fetch_one(setting.state.store.pool())
        .await
        .unwrap();
    let mut visitor = Visitor::new(&setting.state);
    let page = visitor.get(&format!("/tra-cuu?thong-bao={code}")).await;
    assert_eq!(page.field("plate"), PLATE);
    let page = visitor.get("/tra-cuu?thong-bao=AAAAAAAAAAAAAAAA").await;
    assert_eq!(page.field("plate"), "");
}

#[tokio::test]
async fn the_api_leads_a_case_from_sign_in_to_notice() {
    let setting = Setting::new().await;
    let case = setting.case(1, |_| {}).await;
    setting.user("an", &[Role::Reviewer]).await;
    setting.user("binh", &[Role::Approver]).await;
    for (login, action, state) in [("an", "accept", "accepted"), ("binh", "approve", "approved")] {
        let mut officer = Visitor::new(&setting.state);
        let body = json!({"login": login, "password": PASSWORD});
        let session = officer.json("/api/v1/session", body).await.json();
        officer.csrf = session["csrf"].as_str().unwrap().to_owned();
        let list = officer.get("/api/v1/cases").await.json();
        assert_eq!(list["cases"][0]["id"], case.as_str());
        let body = json!({"action": action, "version": list["cases"][0]["version"]});
        let answer = officer.json(&format!("/api/v1/cases/{case}/decisions"), body).await;
        assert_eq!(answer.json()["state"], state, "{}", answer.text());
    }
    work::work_off(&setting.state).await.unwrap();
    let mut officer = Visitor::officer(&setting.state, "binh").await;
    let detail = officer.get(&format!("/api/v1/cases/{case}")).await.json();
    assert_eq!(detail["case"]["state"], "notified");
}

#[test]
fn the_document_names_every_path() {
    let document = serde_json::to_value(openapi::document()).unwrap();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        [
            "/api/payments/v1/notifications",
            "/api/v1/cases",
            "/api/v1/cases/{id}",
            "/api/v1/cases/{id}/decisions",
            "/api/v1/lookup",
            "/api/v1/lookup/challenges",
            "/api/v1/session",
            "/device/v1/evidence",
            "/device/v1/evidence/{evidence_id}/files/{sha256}",
            "/device/v1/release",
            "/device/v1/release/files/{sha256}",
            "/device/v1/report",
        ]
    );
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in ["PublicViolation", "CaseDetail", "Announcement", "Progress", "Problem"] {
        assert!(schemas.contains_key(name), "{name}");
    }
}
