//! A visitor without a browser: cookies kept, forms posted, answers read; straight into the router.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};
use central_api::serve::web_router;
use central_api::{AppState, owner::captcha, work};
use tower::ServiceExt as _;

use super::PASSWORD;

pub struct Visitor {
    state: AppState,
    router: Router,
    cookies: Vec<(String, String)>,
    /// Where the visitor connects from.
    pub address: std::net::IpAddr,
    /// X-Forwarded-For of every request.
    pub forwarded: Option<String>,
    pub csrf: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub fn location(&self) -> &str {
        self.headers[header::LOCATION].to_str().unwrap()
    }

    /// The value of the hidden or visible field `name`.
    pub fn field(&self, name: &str) -> String {
        let text = self.text();
        let start = format!("name=\"{name}\" value=\"");
        let at = text.find(&start).unwrap_or_else(|| panic!("no field {name} in:\n{text}"));
        text[at + start.len()..].split('"').next().unwrap().to_owned()
    }
}

impl Visitor {
    pub fn new(state: &AppState) -> Self {
        Self {
            state: state.clone(),
            router: web_router(state.clone()),
            cookies: Vec::new(),
            address: [203, 0, 113, 7].into(),
            forwarded: None,
            csrf: String::new(),
        }
    }

    /// Signs in through the form.
    pub async fn officer(state: &AppState, login: &str) -> Self {
        let mut visitor = Self::new(state);
        let answer = visitor.sign_in(login, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let home = answer.location().to_owned();
        visitor.csrf = visitor.get(&home).await.field("csrf");
        visitor
    }

    pub async fn sign_in(&mut self, login: &str, password: &str) -> Answer {
        let token = self.get("/dang-nhap").await.field("token");
        self.post("/dang-nhap", &[("token", &token), ("login", login), ("password", password)])
            .await
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    pub async fn get_range(&mut self, path: &str, range: &str) -> Answer {
        self.send(Method::GET, path, &[("range", range)], Body::empty()).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let form = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, path, &form, Body::from(body.join("&"))).await
    }

    pub async fn json(&mut self, path: &str, body: serde_json::Value) -> Answer {
        let token = self.csrf.clone();
        let headers = [("content-type", "application/json"), ("x-csrf-token", token.as_str())];
        self.send(Method::POST, path, &headers, Body::from(body.to_string())).await
    }

    /// Sends a form with a file, as a browser does.
    pub async fn upload(&mut self, path: &str, fields: &[(&str, &str)], file: &[u8]) -> Answer {
        let border = "----border";
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!("Content-Disposition: form-data; name=\"{name}\"");
            body.extend(format!("--{border}\r\n{head}\r\n\r\n{value}\r\n").bytes());
        }
        let head = "Content-Disposition: form-data; name=\"file\"; filename=\"sao-ke\"";
        body.extend(format!("--{border}\r\n{head}\r\n\r\n").bytes());
        body.extend_from_slice(file);
        body.extend(format!("\r\n--{border}--\r\n").bytes());
        let kind = format!("multipart/form-data; boundary={border}");
        self.send(Method::POST, path, &[("content-type", &kind)], Body::from(body)).await
    }

    /// Sends a body with these headers, as a program does.
    pub async fn call(&mut self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        self.send(Method::POST, path, headers, Body::from(body)).await
    }

    /// Decides on the case as its page shows it now; what follows is worked off.
    pub async fn decide(&mut self, case: &str, action: &str, more: &[(&str, &str)]) -> Answer {
        let version = self.version(case).await;
        let csrf = self.csrf.clone();
        let mut fields = vec![("csrf", csrf.as_str()), ("version", &version), ("action", action)];
        fields.extend_from_slice(more);
        let answer = self.post(&format!("/ho-so/{case}/quyet-dinh"), &fields).await;
        work::work_off(&self.state).await.unwrap();
        answer
    }

    pub async fn version(&mut self, case: &str) -> String {
        let answer = self.get(&format!("/api/v1/cases/{case}")).await;
        answer.json()["case"]["version"].to_string()
    }

    /// Looks a plate up through the form, doing the captcha's work.
    pub async fn look_up(&mut self, plate: &str, vehicle_type: &str) -> Answer {
        let page = self.get("/tra-cuu").await;
        let token = page.field("token");
        let nonce = solve(&token);
        let fields = [
            ("plate", plate),
            ("vehicle_type", vehicle_type),
            ("token", token.as_str()),
            ("nonce", nonce.as_str()),
        ];
        self.post("/tra-cuu", &fields).await
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if let Some(forwarded) = &self.forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let peer = ConnectInfo(SocketAddr::new(self.address, 4711));
        let request = request.extension(peer).body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(other, _)| other != name);
            if !value.is_empty() {
                self.cookies.push((name.into(), value.into()));
            }
        }
        let bytes = axum::body::to_bytes(body, 1 << 26).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }
}

/// The nonce that a captcha token asks for.
pub fn solve(token: &str) -> String {
    let mut parts = token.split('.');
    let (id, _, bits) = (parts.next().unwrap(), parts.next(), parts.next().unwrap());
    let bits = bits.parse().unwrap();
    (0u64..).map(|n| n.to_string()).find(|nonce| captcha::proves(id, nonce, bits)).unwrap()
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(b).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
