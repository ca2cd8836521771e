//! `/metrics` (Prometheus), `/healthz` and `/status` (JSON) for the local network. Read-only, no
//! plates, no secrets.
//!
//! `/healthz` is 200 while the box does its work, 503 when evidence cannot be sealed; a camera or
//! the central being away is shown in `/status` and metrics, but does not call for a restart.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::spool::{Spool, Stats};
use crate::uplink::{Monitor, Status};

use super::board::{Board, CameraStatus};

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

/// What is shown.
#[derive(Debug, Clone)]
pub struct Sources {
    pub board: Board,
    pub spool: Option<Arc<Spool>>,
    pub uplink: Option<Monitor>,
}

/// The pages, bound but not yet serving.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    router: Router,
}

#[derive(Clone)]
struct Pages {
    sources: Sources,
    prometheus: PrometheusHandle,
}

#[derive(Serialize)]
struct StatusPage {
    version: &'static str,
    healthy: bool,
    cameras: Vec<CameraStatus>,
    spool: Option<Stats>,
    uplink: Option<Status>,
}

/// Installs the process-wide metrics recorder. Call before anything counts.
pub fn install_recorder() -> Result<PrometheusHandle, HealthError> {
    Ok(PrometheusBuilder::new().install_recorder()?)
}

impl Server {
    pub async fn bind(
        address: SocketAddr,
        sources: Sources,
        prometheus: PrometheusHandle,
    ) -> Result<Self, HealthError> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| HealthError::Bind { address, source })?;
        let router = Router::new()
            .route("/metrics", get(metrics_page))
            .route("/healthz", get(healthz))
            .route("/status", get(status))
            .with_state(Pages { sources, prometheus });
        Ok(Self { listener, router })
    }

    /// Where it listens; tells the port where the configuration said 0.
    pub fn address(&self) -> Result<SocketAddr, HealthError> {
        self.listener.local_addr().map_err(HealthError::Serve)
    }

    pub async fn run(self, stop: CancellationToken) -> Result<(), HealthError> {
        axum::serve(self.listener, self.router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
            .map_err(HealthError::Serve)
    }
}

impl Sources {
    /// Whether violations seen now can be sealed.
    fn healthy(&self) -> bool {
        self.spool.as_ref().is_none_or(|spool| {
            let stats = spool.stats();
            !stats.full && !stats.failed
        })
    }
}

async fn metrics_page(State(pages): State<Pages>) -> Response {
    pages.sources.board.publish();
    pages.prometheus.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], pages.prometheus.render())
        .into_response()
}

async fn healthz(State(pages): State<Pages>) -> Response {
    if pages.sources.healthy() {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "evidence cannot be sealed: see /status\n")
            .into_response()
    }
}

async fn status(State(pages): State<Pages>) -> Json<StatusPage> {
    let sources = &pages.sources;
    Json(StatusPage {
        version: env!("CARGO_PKG_VERSION"),
        healthy: sources.healthy(),
        cameras: sources.board.snapshot(),
        spool: sources.spool.as_ref().map(|spool| spool.stats()),
        uplink: sources.uplink.as_ref().map(Monitor::status),
    })
}
