//! Pages for what went wrong: a clear sentence, the right status, a way back.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};

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
