//! The running service: the web listener, the device listener, and a stop that loses nothing.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::{Router, middleware};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use tokio::task::JoinSet;
use tower_http::timeout::TimeoutLayer;

use crate::clock::Clock;
use crate::config::Config;
use crate::device::ca::{Ca, CaError};
use crate::device::keyfile::KeyFileError;
use crate::device::tls::{DeviceAcceptor, TlsError, server_config};
use crate::device::{intake, receipt};
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::law::LawError;
use crate::store::{Store, StoreError};
use crate::{AppState, law, ops, owner, staff};

/// How long open requests may take to finish once a stop is asked for.
const GRACE: Duration = Duration::from_secs(20);
/// A client that has not sent its headers by then is hung up on.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the embedded law cannot be used: {0}")]
    Law(#[from] LawError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    #[error(transparent)]
    Ca(#[from] CaError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("failed to listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("web.tls_cert {path} and its key cannot be used: {source}")]
    WebTls { path: PathBuf, source: io::Error },
    #[error("a listener stopped: {0}")]
    Stopped(io::Error),
}

/// Opens everything the handlers need: database (brought up to date), evidence, receipt key.
pub async fn open_app(config: Config, clock: Arc<dyn Clock>) -> Result<AppState, ServeError> {
    // A bad table stops the start: without law no case would ever pass the gate.
    law::book()?;
    let store = Store::open(&config.database.url, config.database.connections).await?;
    store.migrate().await?;
    Ok(AppState {
        store,
        evidence: EvidenceStore::open_folder(&config.evidence.folder)?,
        receipt_key: Arc::new(receipt::load_or_create_key(&config.keys.folder)?),
        clock,
        config: Arc::new(config),
    })
}

/// The listeners at work.
#[derive(Debug)]
pub struct Running {
    pub web: SocketAddr,
    pub device: SocketAddr,
    pub ops: Option<SocketAddr>,
    handles: Vec<Handle<SocketAddr>>,
    listeners: JoinSet<io::Result<()>>,
    app: AppState,
}

impl Running {
    /// Returns when a listener fails, which is never in good health.
    pub async fn failed(&mut self) -> ServeError {
        match self.listeners.join_next().await {
            Some(Ok(Err(error))) => ServeError::Stopped(error),
            Some(Err(error)) => ServeError::Stopped(io::Error::other(error)),
            _ => ServeError::Stopped(io::Error::other("it ended by itself")),
        }
    }

    /// Takes no new requests, lets the open ones finish, closes the database.
    pub async fn stop(mut self) {
        for handle in &self.handles {
            handle.graceful_shutdown(Some(GRACE));
        }
        while self.listeners.join_next().await.is_some() {}
        self.app.store.close().await;
    }
}

/// Starts all listeners of `app`.
pub async fn start(app: AppState) -> Result<Running, ServeError> {
    // For the parts of TLS that ask for a process-wide provider; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = Ca::load_or_create(&app.config.keys.folder, app.clock.now())?;
    let identity = ca.server(&app.config.device.names, app.clock.now())?;
    let acceptor =
        DeviceAcceptor::new(server_config(&ca, identity)?, app.config.device.max_connections);

    let (web, web_address) = bind(app.config.web.listen)?;
    let (device, device_address) = bind(app.config.device.listen)?;
    let mut listeners = JoinSet::new();
    let mut handles = Vec::new();
    let mut handle = || {
        let handle = Handle::new();
        handles.push(handle.clone());
        handle
    };

    let device_service = intake::router(app.clone()).into_make_service();
    let mut server = from_tcp(device, device_address)?.acceptor(acceptor).handle(handle());
    limit_headers(&mut server);
    listeners.spawn(server.serve(device_service));

    let pages = web_router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let mut server = from_tcp(web, web_address)?.handle(handle());
    limit_headers(&mut server);
    match web_tls(&app.config).await? {
        Some(tls) => {
            let acceptor = axum_server::tls_rustls::RustlsAcceptor::new(tls);
            listeners.spawn(server.acceptor(acceptor).serve(pages));
        }
        None => {
            listeners.spawn(server.serve(pages));
        }
    }

    let mut ops_address = None;
    if let Ok(address) = app.config.ops.listen.parse() {
        let (listener, bound) = bind(address)?;
        ops_address = Some(bound);
        let service = ops::router().with_state(app.clone()).into_make_service();
        let mut server = from_tcp(listener, bound)?.handle(handle());
        limit_headers(&mut server);
        listeners.spawn(server.serve(service));
    }
    tokio::spawn(sweep(app.clone()));
    tracing::info!(web = %web_address, device = %device_address, "listening");
    Ok(Running {
        web: web_address,
        device: device_address,
        ops: ops_address,
        handles,
        listeners,
        app,
    })
}

/// The pages, the public API and the probes.
pub fn web_router(app: AppState) -> Router {
    let web = &app.config.web;
    // Metrics stay inside: here only where nothing but this machine can ask.
    let inside = web.listen.ip().is_loopback() && !web.behind_proxy;
    let own_listener = !app.config.ops.listen.is_empty();
    let probes = if inside && !own_listener { ops::router() } else { ops::public_router() };
    let timeout = Duration::from_secs(web.request_timeout_seconds);
    Router::new()
        .merge(staff::router())
        .merge(owner::router())
        .merge(probes)
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout))
        .layer(middleware::from_fn(ops::observe))
        .with_state(app)
}

async fn sweep(app: AppState) {
    match intake::sweep(&app).await {
        Ok(0) => {}
        Ok(packages) => tracing::info!(packages, "dropped staged chunks of whole packages"),
        Err(error) => tracing::warn!(%error, "failed to sweep the staging area"),
    }
}

async fn web_tls(config: &Config) -> Result<Option<RustlsConfig>, ServeError> {
    let web = &config.web;
    if web.tls_cert.is_empty() {
        return Ok(None);
    }
    let tls = RustlsConfig::from_pem_file(&web.tls_cert, &web.tls_key)
        .await
        .map_err(|source| ServeError::WebTls { path: web.tls_cert.clone().into(), source })?;
    Ok(Some(tls))
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

fn from_tcp(
    listener: TcpListener,
    address: SocketAddr,
) -> Result<axum_server::Server<SocketAddr>, ServeError> {
    axum_server::from_tcp(listener).map_err(|source| ServeError::Listen { address, source })
}

fn limit_headers<A>(server: &mut axum_server::Server<SocketAddr, A>) {
    server
        .http_builder()
        .http1()
        .timer(hyper_util::rt::TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(64 * 1024);
}
