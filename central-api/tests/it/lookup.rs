//! The public lookup: nine fields of notified cases, nothing else, behind captcha and limit.

use axum::http::StatusCode;
use central_api::admin::users::Role;
use central_api::openapi;
use serde_json::json;
use time::Duration;

use crate::setting::browserless::{Visitor, solve};
use crate::setting::{PASSWORD, Setting};

const PLATE: &str = "29-AA 123.45";

async fn notified() -> Setting {
    let setting = Setting::new().await;
    let case = setting.case(1, |_| {}).await;
    setting.user("an", &[Role::Reviewer]).await;
    setting.user("binh", &[Role::Approver]).await;
    Visitor::officer(&setting.state, "an").await.decide(&case, "accept", &[]).await;
    let answer = Visitor::officer(&setting.state, "binh").await.decide(&case, "approve", &[]).await;
    assert_eq!(answer.location(), "/phe-duyet?xong=notify");
    setting
}

async fn ask(visitor: &mut Visitor, plate: &str, vehicle_type: u8) -> serde_json::Value {
    let challenge = visitor.json("/api/v1/lookup/challenges", json!({})).await.json();
    let token = challenge["token"].as_str().unwrap();
    let body = json!({
        "plate": plate, "vehicle_type": vehicle_type, "token": token, "nonce": solve(token),
    });
    visitor.json("/api/v1/lookup", body).await.json()
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
    let code: String = sqlx::query_scalar("SELECT code FROM notices")
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
    for (login, action, state) in [("an", "accept", "accepted"), ("binh", "approve", "notified")] {
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
}

#[test]
fn the_document_names_every_path() {
    let document = serde_json::to_value(openapi::document()).unwrap();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        [
            "/api/v1/cases",
            "/api/v1/cases/{id}",
            "/api/v1/cases/{id}/decisions",
            "/api/v1/lookup",
            "/api/v1/lookup/challenges",
            "/api/v1/session",
            "/device/v1/evidence",
            "/device/v1/evidence/{evidence_id}/files/{sha256}",
        ]
    );
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in ["PublicViolation", "CaseDetail", "Announcement", "Progress", "Problem"] {
        assert!(schemas.contains_key(name), "{name}");
    }
}
