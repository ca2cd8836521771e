//! The doors of the page: what every request must have, signing in and out.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Form, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::session::{Login, Sessions, host_is_ours, same, secret};

const COOKIE: &str = "calibrate";
/// Carries a session's token with every change.
const TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const PAGE: &str = include_str!("page/login.html");

/// On every answer. Scripts and styles are the page's own files, pictures too (`blob:` is what the
/// script makes of them).
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
         connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Who may come in.
#[derive(Debug)]
pub struct Guard {
    sessions: Sessions,
    names: Vec<String>,
    /// Of the form to sign in with, where there is no session yet to have one.
    door: String,
}

impl Guard {
    pub fn new(sessions: Sessions, names: Vec<String>) -> Self {
        Self { sessions, names, door: secret() }
    }
}

/// Of every request: its host is this page's. To every answer: its headers.
pub async fn everyone(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let mut response = if host.is_some_and(|host| host_is_ours(host, &guard.names)) {
        next.run(request).await
    } else {
        let words = "this page answers to an address, to localhost, and to what --name gives\n";
        (StatusCode::MISDIRECTED_REQUEST, words).into_response()
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether the page asks this by itself, over and over: the picture, the lamps, how a trial goes.
fn is_poll(method: &Method, path: &str) -> bool {
    let of = path.strip_prefix("/api/camera/");
    method == Method::GET && of.is_some_and(|of| of.contains('/'))
}

/// A signed-in visitor's requests alone; changes only with the session's token.
pub async fn signed_in(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let polled = is_poll(request.method(), request.uri().path());
    let token = cookie(headers).and_then(|cookie| {
        if polled { guard.sessions.unused(cookie) } else { guard.sessions.token(cookie) }
    });
    let Some(token) = token else {
        return if request.uri().path() == "/" {
            Redirect::to("/login").into_response()
        } else {
            (StatusCode::UNAUTHORIZED, "sign in\n").into_response()
        };
    };
    let given = headers.get(TOKEN).and_then(|given| given.to_str().ok()).unwrap_or_default();
    if request.method() != Method::GET && !same(given, &token) {
        return (StatusCode::FORBIDDEN, "the page is out of date: load it anew\n").into_response();
    }
    let mut response = next.run(request).await;
    if let Ok(token) = HeaderValue::from_str(&token) {
        response.headers_mut().insert(TOKEN, token);
    }
    response
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let each = all.flat_map(|all| all.split(';')).filter_map(|it| it.trim().split_once('='));
    each.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value).next()
}

fn set_cookie(value: &str, rest: &str) -> [(HeaderName, String); 1] {
    let cookie = format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict{rest}");
    [(header::SET_COOKIE, cookie)]
}

pub async fn login_page(State(guard): State<Arc<Guard>>) -> Html<String> {
    form(&guard, "")
}

/// What is wrong is one of the fixed texts here: nothing of a visitor's is shown.
fn form(guard: &Guard, wrong: &'static str) -> Html<String> {
    Html(PAGE.replace("{{token}}", &guard.door).replace("{{wrong}}", wrong))
}

#[derive(Deserialize)]
pub struct Entry {
    password: String,
    token: String,
}

pub async fn log_in(
    State(guard): State<Arc<Guard>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Form(entry): Form<Entry>,
) -> Response {
    if !same(&entry.token, &guard.door) {
        let wrong = "Trang đã cũ, hãy thử lại. · The page was out of date, try again.";
        return (StatusCode::FORBIDDEN, form(&guard, wrong)).into_response();
    }
    match guard.sessions.log_in(client.ip(), &entry.password) {
        Login::Session(cookie) => (set_cookie(&cookie, ""), Redirect::to("/")).into_response(),
        Login::Wrong => {
            let wrong = "Sai mật khẩu. · Wrong password.";
            (StatusCode::UNAUTHORIZED, form(&guard, wrong)).into_response()
        }
        Login::Wait(wait) => {
            let wrong = "Sai quá nhiều lần: hãy chờ 15 phút. · Too many attempts: wait 15 minutes.";
            let after = [(header::RETRY_AFTER, wait.as_secs().to_string())];
            (StatusCode::TOO_MANY_REQUESTS, after, form(&guard, wrong)).into_response()
        }
    }
}

#[derive(Deserialize)]
pub struct Leave {
    token: String,
}

pub async fn log_out(
    State(guard): State<Arc<Guard>>,
    headers: HeaderMap,
    Form(leave): Form<Leave>,
) -> Response {
    if let Some(cookie) = cookie(&headers) {
        let token = guard.sessions.token(cookie);
        if token.is_some_and(|token| !same(&token, &leave.token)) {
            return (StatusCode::FORBIDDEN, "the page is out of date: load it anew\n")
                .into_response();
        }
        guard.sessions.log_out(cookie);
    }
    (set_cookie("", "; Max-Age=0"), Redirect::to("/login")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_page_asks_by_itself_is_told_from_what_somebody_does() {
        for path in ["live", "picture", "trial", "trial/0"] {
            assert!(is_poll(&Method::GET, &format!("/api/camera/cam-01/{path}")), "{path}");
        }
        for path in ["/", "/api/table", "/api/camera/cam-01"] {
            assert!(!is_poll(&Method::GET, path), "{path}");
        }
        for path in ["check", "save", "trial", "again"] {
            assert!(!is_poll(&Method::POST, &format!("/api/camera/cam-01/{path}")), "{path}");
        }
    }
}
