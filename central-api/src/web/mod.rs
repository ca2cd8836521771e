//! What all pages share: languages and words, the security headers, static files, who is asking,
//! how often, and the pages for what went wrong.

pub mod address;
pub mod assets;
pub mod attempts;
pub mod facts;
pub mod form_token;
pub mod format;
mod headers;
pub mod lang;
pub mod page_number;
pub mod problem;
pub mod shell;
pub mod whole;
pub mod words;

pub use headers::secure;
pub use problem::WebError;
pub use shell::Shell;
pub use words::{Lang, Words};

use axum::Router;
use axum::routing::get;

use crate::AppState;

/// Static files and the language switch.
pub fn router() -> Router<AppState> {
    Router::new().route("/static/{file}", get(assets::serve)).route("/ngon-ngu", get(lang::switch))
}
