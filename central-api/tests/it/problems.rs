//! Whatever the JSON API refuses, it refuses in one form, and its document says so.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use central_api::openapi;
use central_api::serve::web_router;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::setting::Setting;

async fn send(
    setting: &Setting,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, String, Vec<u8>) {
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.uri(path).body(Body::from(body.to_owned())).unwrap();
    let response = web_router(setting.state.clone()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let media_type = parts.headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap());
    let media_type = media_type.unwrap_or_default().to_owned();
    (parts.status, media_type, axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec())
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn every_refusal_is_a_problem() {
    let setting = Setting::new().await;
    let large = format!("{{\"plate\":\"{}\"}}", "9".repeat(3 << 20));
    for (method, path, headers, body, status, code) in [
        ("POST", "/api/v1/lookup", &[JSON][..], "{", 400, "bad_request"),
        ("POST", "/api/v1/lookup", &[JSON], "{}", 422, "unfit"),
        ("POST", "/api/v1/lookup", &[JSON], r#"{"vehicle_type":300}"#, 422, "unfit"),
        ("POST", "/api/v1/lookup", &[], "{}", 415, "media_type"),
        ("POST", "/api/v1/lookup", &[("content-type", "text/plain")], "{}", 415, "media_type"),
        ("POST", "/api/v1/lookup", &[JSON], large.as_str(), 413, "too_large"),
        ("POST", "/api/v1/lookup", &[("sec-fetch-site", "cross-site")], "", 403, "forbidden"),
        ("GET", "/api/v1/lookup", &[], "", 405, "method"),
        ("PUT", "/api/v1/session", &[], "", 405, "method"),
        ("POST", "/api/v1/session", &[JSON], "[1]", 422, "unfit"),
        ("POST", "/api/v1/session", &[JSON], r#"{"login":1}"#, 422, "unfit"),
        ("GET", "/api/v1/cases", &[], "", 401, "unauthenticated"),
        ("GET", "/api/v1/cases?page=x", &[], "", 401, "unauthenticated"),
        ("GET", "/api/v2/cases", &[], "", 404, "not_found"),
        ("POST", "/device/v1/evidence", &[JSON], "{}", 404, "not_found"),
        ("TRACE", "/device/v1/evidence", &[], "", 405, "method"),
    ] {
        let (found, media_type, body) = send(&setting, method, path, headers, body).await;
        assert_eq!(found.as_u16(), status, "{method} {path}");
        assert_eq!(media_type, "application/problem+json", "{method} {path}");
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["code"], code, "{method} {path}: {problem}");
        assert_eq!(problem["status"], status, "{method} {path}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{problem}");
    }
    let (status, media_type, _) = send(&setting, "GET", "/tra-cuu/nichts", &[], "").await;
    assert_eq!((status.as_u16(), media_type.as_str()), (404, ""), "pages are no API");
}

#[tokio::test]
async fn an_extractor_s_own_sentence_is_kept() {
    let setting = Setting::new().await;
    let (_, _, body) = send(&setting, "POST", "/api/v1/lookup", &[JSON], "{}").await;
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("missing field `plate`"), "{problem}");
}

#[test]
fn the_document_names_every_refusal_in_its_form() {
    let document = serde_json::to_value(openapi::document()).unwrap();
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations += 1;
            let responses = operation["responses"].as_object().unwrap();
            let takes_body = operation.get("requestBody").is_some();
            let expected: &[&str] = if takes_body {
                &["400", "413", "415", "422", "500", "503"]
            } else {
                &["500", "503"]
            };
            for status in expected {
                assert!(responses.contains_key(*status), "{method} {path}: {status}");
            }
            for (status, response) in responses {
                if status.starts_with(['4', '5']) {
                    let form = json!({"application/problem+json":
                        {"schema": {"$ref": "#/components/schemas/Problem"}}});
                    assert_eq!(response["content"], form, "{method} {path}: {status}");
                }
            }
        }
    }
    assert_eq!(operations, 13);
}
