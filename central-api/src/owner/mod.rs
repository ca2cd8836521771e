//! The public side: anyone who knows a plate may ask what cameras recorded, and gets exactly the
//! nine public fields, behind a proof of work and a rate limit. No picture, no name.

mod api;
pub mod captcha;
mod lookup;
mod number_words;
mod page;

pub use lookup::{Place, PublicViolation};

use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use crate::AppState;
use crate::web;

/// Every public route: pages, API, static files, the API's document.
pub fn router() -> Router<AppState> {
    let pages = Router::new()
        .route("/", get(page::start))
        .route("/tra-cuu", get(page::form).post(page::submit));
    web::secure(
        pages
            .merge(crate::openapi::router())
            .merge(web::router())
            .merge(Router::from(api_router())),
    )
}

/// The JSON API with its documentation.
pub fn api_router() -> OpenApiRouter<AppState> {
    api::router()
}
