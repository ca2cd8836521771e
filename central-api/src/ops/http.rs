//! Health, readiness and metrics over HTTP, and the log line of each web request.

use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tracing::Instrument as _;

use super::metrics::render;
use crate::AppState;

/// What may be seen from anywhere: whether the service lives and is ready.
pub fn public_router() -> Router<AppState> {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready))
}

/// The same and the metrics.
pub fn router() -> Router<AppState> {
    public_router().route("/metrics", get(scrape))
}

async fn ready(State(app): State<AppState>) -> Response {
    let mut problems = Vec::new();
    if !app.store.is_current().await {
        problems.push("database: not reachable or not migrated\n");
    }
    if let Err(error) = app.evidence.probe().await {
        tracing::warn!(%error, "evidence store does not answer");
        problems.push("evidence store: not reachable\n");
    }
    if problems.is_empty() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, problems.concat()).into_response()
    }
}

async fn scrape(State(app): State<AppState>) -> Response {
    match render(&app).await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "failed to gather metrics");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Gives each web request an id, a log line and its metrics. Only the route's pattern is logged:
/// paths and queries may name a plate.
pub async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = uuid::Uuid::new_v4().simple().to_string();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().clone();
    let span = tracing::info_span!("web_request", request_id, %method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, seconds) = (response.status(), started.elapsed().as_secs_f64());
    let class = format!("{}xx", status.as_u16() / 100);
    metrics::counter!("web_requests_total", "route" => route, "status" => class).increment(1);
    metrics::histogram!("web_request_seconds").record(seconds);
    span.in_scope(|| {
        tracing::debug!(status = status.as_u16(), seconds, "web request answered");
    });
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}
