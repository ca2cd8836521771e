//! `/` (a page for people), `/metrics` (Prometheus), `/healthz` and `/status` (JSON) for the local
//! network. Read-only, no plates, no secrets. The page and `/status` show one report.
//!
//! `/healthz` is 200 while the box does its work. It is 503, with the reasons, when evidence cannot
//! be sealed, when what is sealed cannot be delivered until somebody does something, and when a
//! thread the box needs is down. A camera or the central being away is shown in `/status` and
//! metrics, but does not call for anybody.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use listen::{Bounds, Listener};
use metrics_exporter_prometheus::{BuildError, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use super::page;
use super::report::{Report, Sources};
use crate::host;

/// What open requests have to finish in when the agent stops.
const GRACE: Duration = Duration::from_secs(2);

/// Why health pages cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    #[error("[health] listen = \"{address}\": {source}; choose a free port")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error("metrics are set up already in this process: {0}")]
    Recorder(#[from] BuildError),
    #[error("health pages stopped: {0}")]
    Serve(std::io::Error),
}

/// The pages, bound but not yet serving.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    router: Router,
}

#[derive(Clone)]
struct Pages {
    sources: Sources,
    prometheus: PrometheusHandle,
}

impl Server {
    pub async fn bind(
        address: SocketAddr,
        sources: Sources,
        prometheus: PrometheusHandle,
    ) -> Result<Self, HealthError> {
        let listener = Listener::bind("health", address, Bounds::default())
            .await
            .map_err(|source| HealthError::Bind { address, source })?;
        let router = Router::new()
            .route("/", get(page))
            .route("/page.css", get(style))
            .route("/status", get(status))
            .layer(middleware::from_fn(near))
            .route("/metrics", get(metrics_page))
            .route("/healthz", get(healthz))
            .layer(middleware::from_fn(guard))
            .with_state(Pages { sources, prometheus });
        Ok(Self { listener, router })
    }

    /// Where it listens; tells the port where the configuration said 0.
    pub fn address(&self) -> Result<SocketAddr, HealthError> {
        self.listener.address().map_err(HealthError::Serve)
    }

    pub async fn run(self, stop: CancellationToken) {
        self.listener.serve(self.router, stop, GRACE).await;
    }
}

async fn metrics_page(State(pages): State<Pages>) -> Response {
    pages.sources.board.publish();
    pages.sources.crew.publish();
    pages.prometheus.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], pages.prometheus.render())
        .into_response()
}

async fn healthz(State(pages): State<Pages>) -> Response {
    let troubles = pages.sources.troubles();
    if troubles.is_empty() {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, troubles.join("\n") + "\n").into_response()
    }
}

async fn status(State(pages): State<Pages>) -> Response {
    Json(pages.report().await).into_response()
}

async fn page(State(pages): State<Pages>) -> Response {
    let html = page::page(&pages.report().await);
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], page::STYLE).into_response()
}

impl Pages {
    async fn report(&self) -> Report {
        let sources = self.sources.clone();
        // It reads files, of disks that may be slow.
        let read = tokio::task::spawn_blocking(move || sources.report()).await;
        read.unwrap_or_else(|_| self.sources.report())
    }
}

/// What tells of cameras and addresses is for who asks by a name that is nobody's in the open network: a
/// page elsewhere whose name was made to lead here (DNS rebinding) has its own.
async fn near(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(is_near) {
        return next.run(request).await;
    }
    let words = "ask by the box's address, or by its name in the local network\n";
    (StatusCode::MISDIRECTED_REQUEST, words).into_response()
}

/// An address, a name without a domain, or one of a domain that only local networks have (RFC 6762,
/// RFC 8375, ICANN 2024).
fn is_near(host: &str) -> bool {
    let name = host::name(host);
    let local = [".local", ".home.arpa", ".internal", ".lan"].iter().any(|end| name.ends_with(end));
    host::is_address(name) || local || (!name.is_empty() && !name.contains(['.', ':']))
}

/// Nothing foreign, nothing inline, nothing framed, nothing cached.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
             form-action 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_local_network_are_answered() {
        for host in
            ["10.0.0.7:9464", "127.0.0.1", "[fe80::1]:9464", "box-17", "box.local:9464", "a.lan"]
        {
            assert!(is_near(host), "{host}");
        }
        for host in ["", "evil.example", "evil.example:9464", "10.0.0.7.evil.example", "a.b:c"] {
            assert!(!is_near(host), "{host}");
        }
    }
}
