//! The running service: the web listener, the device listener, the workers, and a stop that loses
//! nothing.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::{Router, middleware};
use listen::{Bounds, Listener};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

use crate::clock::Clock;
use crate::config::{Config, Connections};
use crate::device::ca::CaError;
use crate::device::intake;
use crate::device::keyring::{Keyring, KeyringError};
use crate::device::tls::{TlsError, server_config, web_config};
use crate::documents::sign::{Signing, SigningError};
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::law::LawError;
use crate::registry::{Registry, SettingError};
use crate::store::{Store, StoreError};
use crate::{AppState, bank, law, ops, owner, staff, web, work};

/// How long open requests may take to finish once a stop is asked for.
const GRACE: Duration = Duration::from_secs(20);
/// Connections to the operations listener: a scraper and a person or two.
const OPS_CONNECTIONS: usize = 16;
/// Descriptors for everything but sockets and databases: logs, keys, evidence files being moved.
const OTHER_DESCRIPTORS: usize = 40;
/// Fewer connections than this to a listener are not worth starting for.
const FEWEST_CONNECTIONS: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the embedded law cannot be used: {0}")]
    Law(#[from] LawError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Ca(#[from] CaError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    BankKey(#[from] bank::KeyError),
    #[error(transparent)]
    Registry(#[from] SettingError),
    #[error("failed to listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error(
        "this process may have {found} files open, at least {needed} are needed: raise the limit \
         (ulimit -n, LimitNOFILE in the unit), or lower database.connections"
    )]
    Descriptors { found: usize, needed: usize },
    #[error("a listener stopped: {0}")]
    Stopped(io::Error),
}

/// Opens everything the handlers need: database (brought up to date), evidence, receipt key.
pub async fn open_app(config: Config, clock: Arc<dyn Clock>) -> Result<AppState, ServeError> {
    // A bad table stops the start: without law no case would ever pass the gate.
    let law = law::book()?;
    let bank_key = &config.treasury.notification_key_file;
    if !bank_key.is_empty() {
        bank::Key::load(Path::new(bank_key))?;
    }
    let signing = Signing::open(&config.signing)?;
    signing.check_certificate(clock.now())?;
    let registry = Registry::open(&config.registry)?;
    let store = Store::open(&config.database.url, config.database.connections).await?;
    store.migrate().await?;
    let keyring = Keyring::open(&store, &config.keys.folder, clock.now()).await?;
    Ok(AppState {
        store,
        evidence: EvidenceStore::open_folder(&config.evidence.folder)?,
        receipt_key: Arc::new(keyring.receipt),
        clock,
        config: Arc::new(config),
        law: Arc::new(law),
        signing: Arc::new(signing),
        registry: Arc::new(registry),
        bell: Arc::default(),
    })
}

/// The listeners and workers.
#[derive(Debug)]
pub struct Running {
    pub web: SocketAddr,
    pub device: SocketAddr,
    pub ops: Option<SocketAddr>,
    listening: Listening,
    app: AppState,
}

/// What serves, and what stops it.
#[derive(Debug, Default)]
struct Listening {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Listening {
    fn start(&mut self, listener: Listener, router: Router) -> Result<SocketAddr, ServeError> {
        let address = listener.address().map_err(ServeError::Stopped)?;
        self.tasks.spawn(listener.serve(router, self.stop.clone(), GRACE));
        Ok(address)
    }
}

impl Running {
    /// Returns when a listener fails, which is never in good health.
    pub async fn failed(&mut self) -> ServeError {
        match self.listening.tasks.join_next().await {
            Some(Err(error)) => ServeError::Stopped(io::Error::other(error)),
            _ => ServeError::Stopped(io::Error::other("it ended by itself")),
        }
    }

    /// Takes no new requests, lets the open ones finish, closes the database.
    pub async fn stop(mut self) {
        self.listening.stop.cancel();
        while self.listening.tasks.join_next().await.is_some() {}
        self.app.store.close().await;
    }
}

/// Starts all listeners of `app`.
pub async fn start(app: AppState) -> Result<Running, ServeError> {
    // For the parts of TLS that ask for a process-wide provider; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = Arc::clone(&app.config);
    let ca = Keyring::open(&app.store, &config.keys.folder, app.clock.now()).await?.ca;
    let identity = ca.server(&config.device.names, app.clock.now())?;
    let most = connections_that_fit(&config)?;
    let mut listening = Listening::default();

    let shared = bounds(&config.connections);
    let bounds = Bounds {
        connections: config.device.max_connections.min(most),
        per_certificate: config.device.max_connections_per_device,
        ..shared
    };
    let device = bind("device", config.device.listen, bounds).await?;
    let device = device.tls(server_config(&ca, identity)?);
    let device = listening.start(device, intake::router(app.clone()))?;

    let bounds = Bounds { connections: config.web.max_connections.min(most), ..shared };
    let mut web = bind("web", config.web.listen, bounds).await?;
    if !config.web.tls_cert.is_empty() {
        web = web.tls(web_config(Path::new(&config.web.tls_cert), Path::new(&config.web.tls_key))?);
    }
    if config.web.behind_proxy {
        let proxies = config.web.trusted_proxies.clone();
        web = web.uncounted(move |peer| proxies.iter().any(|proxy| proxy.contains(peer)));
    }
    let web = listening.start(web, web_router(app.clone()))?;

    let mut ops_address = None;
    if let Ok(address) = config.ops.listen.parse() {
        let bounds = Bounds { connections: OPS_CONNECTIONS, ..shared };
        let listener = bind("ops", address, bounds).await?;
        let router = ops::router().with_state(app.clone());
        ops_address = Some(listening.start(listener, router)?);
    }
    let workers = config.jobs.workers;
    if workers > 0 {
        listening.tasks.spawn(work::run(app.clone(), workers, listening.stop.clone()));
    }
    tokio::spawn(sweep(app.clone()));
    tracing::info!(%web, %device, "listening");
    Ok(Running { web, device, ops: ops_address, listening, app })
}

fn bounds(config: &Connections) -> Bounds {
    Bounds {
        handshake: Duration::from_secs(config.handshake_seconds),
        header: Duration::from_secs(config.header_seconds),
        idle: Duration::from_secs(config.idle_seconds),
        stall: Duration::from_secs(config.stall_seconds),
        request: Duration::from_secs(config.request_seconds),
        per_address: config.per_address,
        streams: config.streams,
        ..Bounds::default()
    }
}

/// How many connections each of the two listeners may have, by what the process may open: a limit
/// of files that is too low would stop both, and the database with them.
fn connections_that_fit(config: &Config) -> Result<usize, ServeError> {
    // SQLite has three files open a connection: database, log and index.
    let each = if config.database.url.starts_with("sqlite:") { 3 } else { 1 };
    let databases = each * usize::try_from(config.database.connections).unwrap_or(usize::MAX);
    let reserved = databases.saturating_add(OTHER_DESCRIPTORS + OPS_CONNECTIONS);
    let found = listen::descriptors();
    let most = found.saturating_sub(reserved) / 2;
    if most < FEWEST_CONNECTIONS {
        let needed = reserved.saturating_add(2 * FEWEST_CONNECTIONS);
        return Err(ServeError::Descriptors { found, needed });
    }
    let wanted = config.web.max_connections.max(config.device.max_connections);
    if most < wanted {
        tracing::warn!(
            connections = most,
            files = found,
            "fewer connections than configured: raise the limit of open files (LimitNOFILE)"
        );
    }
    Ok(most)
}

async fn bind(
    name: &'static str,
    address: SocketAddr,
    bounds: Bounds,
) -> Result<Listener, ServeError> {
    let bound = Listener::bind(name, address, bounds).await;
    bound.map_err(|source| ServeError::Listen { address, source })
}

/// The pages, the public API and the probes.
pub fn web_router(app: AppState) -> Router {
    let config = &app.config.web;
    // Metrics stay inside: here only where nothing but this machine can ask.
    let inside = config.listen.ip().is_loopback() && !config.behind_proxy;
    let own_listener = !app.config.ops.listen.is_empty();
    let probes = if inside && !own_listener { ops::router() } else { ops::public_router() };
    let timeout = Duration::from_secs(config.request_timeout_seconds);
    Router::new()
        .merge(staff::router())
        .merge(owner::router())
        .merge(bank::router())
        .merge(probes)
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout))
        .layer(middleware::from_fn(web::problem::refusals))
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
