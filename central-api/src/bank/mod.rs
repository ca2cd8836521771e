//! The door for the bank of the treasury account: signed notifications of single payments. A statement
//! tells the same later, and changes nothing of what is known.

mod notification;
mod signature;

pub use signature::{Key, KeyError, WINDOW};

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

use crate::AppState;
use crate::web;

/// The bank's one route.
pub fn router() -> Router<AppState> {
    web::secure(Router::from(api_router()))
}

/// The same with its documentation.
pub fn api_router() -> OpenApiRouter<AppState> {
    notification::router()
}
