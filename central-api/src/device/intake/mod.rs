//! The intake of sealed evidence: `contract::wire` over mutual TLS.
//!
//! Order of writes, so that a kill at any moment loses nothing and doubles nothing:
//! 1. a manifest is in the database, with the device's chain advanced, before any of its files;
//! 2. a file is durable in the object store before its row says so;
//! 3. one transaction marks the package received, opens its case and writes the audit row, and
//!    only one request can ever win it;
//! 4. the receipt is signed from what that transaction committed.
//!
//! Every refusal rolls back: it changes nothing.

mod announce;
mod complete;
mod guard;
mod problem;
mod release;
mod report;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post, put};
use axum::{Router, middleware};

use super::places::Places;
use super::rate::RateLimit;
use crate::AppState;

pub use complete::sweep;
pub use problem::IntakeError;

/// What the device API's handlers share.
#[derive(Debug, Clone)]
pub struct Intake {
    pub app: AppState,
    rate: Arc<RateLimit>,
    places: Arc<Places>,
    timeout: Duration,
}

/// The box that sent a request, by its certificate.
#[derive(Debug, Clone)]
pub struct Caller {
    pub device_id: String,
}

/// The device API. It must be served by a listener with [`super::tls::server_config`], which names
/// the peer.
pub fn router(app: AppState) -> Router {
    let config = &app.config.device;
    let intake = Intake {
        rate: Arc::new(RateLimit::new(config.requests_per_second, config.burst)),
        places: Places::new(config.max_requests),
        timeout: Duration::from_secs(config.request_timeout_seconds),
        app,
    };
    Router::new()
        .route("/device/v1/evidence", post(announce::announce))
        .route("/device/v1/evidence/{evidence_id}/files/{sha256}", put(upload::upload))
        .route("/device/v1/report", post(report::report))
        .route("/device/v1/release", get(release::offer))
        .route("/device/v1/release/files/{sha256}", get(release::file))
        .fallback(problem::no_such_place)
        .method_not_allowed_fallback(problem::no_such_method)
        // Each handler reads its body against its own limit and answers with a problem.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(intake.clone(), guard::guard))
        .with_state(intake)
}
