//! `/metrics` (Prometheus), `/healthz` and `/status` (JSON) for the local network. Read-only, no
//! plates, no secrets.
//!
//! `/healthz` is 200 while the box does its work. It is 503, with the reasons, when evidence cannot
//! be sealed, when what is sealed cannot be delivered until somebody does something, and when a
//! thread the box needs is down. A camera or the central being away is shown in `/status` and
//! metrics, but does not call for anybody.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use listen::{Bounds, Listener};
use metrics_exporter_prometheus::{BuildError, PrometheusHandle};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::spool::{Spool, Stats};
use crate::uplink::{Monitor, Status};

use super::board::{Board, CameraStatus};
use super::configured::{self, Configured};
use super::crew::{Crew, MemberStatus};

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

/// What is shown.
#[derive(Debug, Clone)]
pub struct Sources {
    pub board: Board,
    pub spool: Option<Arc<Spool>>,
    pub uplink: Option<Monitor>,
    pub crew: Crew,
    pub configured: Configured,
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

#[derive(Serialize)]
struct StatusPage {
    version: &'static str,
    healthy: bool,
    /// Why not, in words.
    troubles: Vec<String>,
    /// Packages set aside that somebody should look into, in words.
    parked: Vec<String>,
    configuration: configured::Status,
    threads: Vec<MemberStatus>,
    cameras: Vec<CameraStatus>,
    spool: Option<Stats>,
    uplink: Option<Status>,
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
            .route("/metrics", get(metrics_page))
            .route("/healthz", get(healthz))
            .route("/status", get(status))
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

impl Sources {
    /// What keeps violations from being seen, sealed and delivered until somebody helps.
    pub(super) fn troubles(&self) -> Vec<String> {
        let mut troubles = self.crew.troubles();
        if let Some(stats) = self.spool.as_ref().map(|spool| spool.stats()) {
            if stats.full {
                troubles.push("evidence cannot be sealed: the spool is full".into());
            }
            if stats.failed {
                troubles.push("evidence cannot be sealed: the spool's volume failed".into());
            }
        }
        if let Some(blocked) = self.uplink.as_ref().and_then(|uplink| uplink.status().blocked) {
            troubles.push(format!("evidence cannot be delivered: {blocked}"));
        }
        troubles
    }

    /// What was set aside while the others went on.
    fn parked(&self) -> Vec<String> {
        let Some(spool) = &self.spool else { return Vec::new() };
        let (stats, root) = (spool.stats(), spool.root().display());
        let mut parked = Vec::new();
        if stats.refused > 0 {
            parked.push(format!("{} packages refused: see {root}/refused", stats.refused));
        }
        if stats.damaged > 0 {
            parked.push(format!("{} packages damaged: see {root}/damaged", stats.damaged));
        }
        parked
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

async fn status(State(pages): State<Pages>) -> Json<StatusPage> {
    let sources = &pages.sources;
    let troubles = sources.troubles();
    Json(StatusPage {
        version: env!("CARGO_PKG_VERSION"),
        healthy: troubles.is_empty(),
        troubles,
        parked: sources.parked(),
        configuration: sources.configured.status(),
        threads: sources.crew.snapshot(),
        cameras: sources.board.snapshot(),
        spool: sources.spool.as_ref().map(|spool| spool.stats()),
        uplink: sources.uplink.as_ref().map(Monitor::status),
    })
}
