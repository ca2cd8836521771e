//! What went wrong, for people and for programs: a page with a clear sentence and a way back, or
//! RFC 9457 problem details, whoever refused.

use askama::Template;
use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use contract::wire::Problem;

use super::lang::local;
use super::shell::Shell;
use super::words::{Lang, Words};
use crate::store::StoreError;

/// What a page handler answers instead of its page.
#[derive(Debug)]
pub enum WebError {
    /// Sign in first, then come back to the path.
    SignIn {
        back: String,
    },
    Forbidden(Lang),
    NotFound(Lang),
    /// A sentence for the user with a link.
    Message {
        lang: Lang,
        status: StatusCode,
        title: &'static str,
        lines: Vec<String>,
        back: String,
    },
    /// Logged here, once; the user learns only that it failed.
    Internal {
        lang: Lang,
        error: String,
    },
}

impl WebError {
    pub fn internal(lang: Lang, error: impl std::fmt::Display) -> Self {
        Self::Internal { lang, error: error.to_string() }
    }
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        Self::internal(Lang::default(), error)
    }
}

impl From<askama::Error> for WebError {
    fn from(error: askama::Error) -> Self {
        Self::internal(Lang::default(), error)
    }
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage {
    shell: Shell,
    w: &'static Words,
    title: String,
    lines: Vec<String>,
    back: String,
    back_text: String,
}

/// Renders `template` with `status`.
pub fn page(status: StatusCode, template: &impl Template) -> Result<Response, WebError> {
    Ok((status, Html(template.render()?)).into_response())
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let (lang, status, title, lines, back) = match self {
            Self::SignIn { back } => {
                let back = local(&back).to_owned();
                let to = if back == "/" {
                    "/dang-nhap".to_owned()
                } else {
                    format!("/dang-nhap?ve={}", back.replace('&', "%26").replace('?', "%3F"))
                };
                return Redirect::to(&to).into_response();
            }
            Self::Forbidden(lang) => {
                let text = lang.words().t("error.forbidden").to_owned();
                (lang, StatusCode::FORBIDDEN, "error.forbidden_title", vec![text], "/".into())
            }
            Self::NotFound(lang) => {
                let text = lang.words().t("error.not_found").to_owned();
                (lang, StatusCode::NOT_FOUND, "error.not_found_title", vec![text], "/".into())
            }
            Self::Message { lang, status, title, lines, back } => {
                (lang, status, title, lines, back)
            }
            Self::Internal { lang, error } => {
                tracing::error!(%error, "failed to answer a page request");
                let text = lang.words().t("error.internal").to_owned();
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                (lang, status, "error.internal_title", vec![text], "/".into())
            }
        };
        let w = lang.words();
        let back_key = match (back.as_str(), status) {
            ("/", _) => "error.home",
            (_, StatusCode::CONFLICT) => "error.conflict_button",
            _ => "error.back",
        };
        let template = MessagePage {
            shell: Shell::public(lang, back.clone()),
            w,
            title: w.t(title).to_owned(),
            lines,
            back,
            back_text: w.t(back_key).to_owned(),
        };
        match template.render() {
            Ok(html) => (status, Html(html)).into_response(),
            Err(error) => {
                tracing::error!(%error, "failed to render a message page");
                status.into_response()
            }
        }
    }
}

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
/// Longest sentence taken over from whatever refused, in bytes.
const MAX_DETAIL: usize = 4096;

/// RFC 9457 problem details.
pub fn problem(status: StatusCode, code: &str, detail: impl Into<String>) -> Response {
    let body = Problem {
        code: code.into(),
        detail: detail.into(),
        status: status.as_u16(),
        expected: None,
    };
    (status, [(header::CONTENT_TYPE, PROBLEM)], Json(body)).into_response()
}

/// Logs `error`; whoever asked learns only that it failed.
pub fn failed(error: impl std::fmt::Display) -> Response {
    tracing::error!(%error, "failed to answer an API request");
    problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed; nothing was done")
}

/// Makes a problem of every refusal under `/api/` and `/device/` that is none yet: an extractor's
/// sentence, an unknown path or method, a body too large, a time-out.
pub async fn refusals(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_api = path.starts_with("/api/") || path.starts_with("/device/");
    let response = next.run(request).await;
    let status = response.status();
    let refuses = status.is_client_error() || status.is_server_error();
    let is_problem = response.headers().get(header::CONTENT_TYPE) == Some(&PROBLEM);
    if !is_api || !refuses || is_problem {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let told = to_bytes(body, MAX_DETAIL).await.unwrap_or_default();
    let told = String::from_utf8_lossy(&told);
    let (code, otherwise) = plain(status);
    let detail = if told.trim().is_empty() { otherwise } else { told.trim() };
    let (problem, body) = problem(status, code, detail).into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(problem.headers);
    Response::from_parts(parts, body)
}

/// Code and sentence of a refusal that says nothing itself.
fn plain(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::BAD_REQUEST => ("bad_request", "the request cannot be read"),
        StatusCode::FORBIDDEN => ("forbidden", "this site answers no requests from other sites"),
        StatusCode::NOT_FOUND => ("not_found", "there is nothing at this address"),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("method", "this address takes only the methods in the header Allow")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "the body is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ("media_type", "send JSON with Content-Type: application/json")
        }
        StatusCode::UNPROCESSABLE_ENTITY => ("unfit", "the body is not of the documented form"),
        StatusCode::SERVICE_UNAVAILABLE => ("busy", "the server did not answer in time; try again"),
        _ if status.is_server_error() => ("internal", "the server failed; nothing was done"),
        _ => ("refused", "the request was refused"),
    }
}
