//! HTTP listeners that silent, slow and greedy clients cannot fill: shared by the central's pages,
//! its device API and the agent's health pages.
//!
//! Every connection has a [`Bounds::handshake`], a time for its first request, a time to rest
//! between requests, and while a request is open a time without a byte moving. Connections are
//! bounded for each address and in all; where the bound is reached, the one that has waited
//! longest without being anybody makes room, and somebody is who has sent a whole request, or has
//! shown a client certificate that the listener asked for. So a flood of silent connections costs
//! the flood, not the next visitor, and strangers never take the place of a box.

mod connection;
mod counts;
mod descriptors;
mod pace;
mod room;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustls::ServerConfig;
use rustls_pki_types::CertificateDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use counts::describe as describe_metrics;
pub use descriptors::descriptors;

use connection::Host;
use room::Room;

/// After a failure to accept (no descriptors left), the listener tries again this much later.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// For the TLS handshake.
    pub handshake: Duration,
    /// From there, or from the connection, to the end of the first request's head.
    pub header: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// Without a byte in either direction while a request is open.
    pub stall: Duration,
    /// For one request and its answer in all.
    pub request: Duration,
    /// Connections in all.
    pub connections: usize,
    /// Connections of one address, or of the /64 that one IPv6 customer has. Does not count those
    /// with a client certificate.
    pub per_address: usize,
    /// Connections with one client certificate.
    pub per_certificate: usize,
    /// HTTP/2 streams of one connection.
    pub streams: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            stall: Duration::from_secs(60),
            request: Duration::from_secs(900),
            connections: 64,
            per_address: 32,
            per_certificate: 8,
            streams: 32,
        }
    }
}

/// The client certificate of a connection, in each of its requests' extensions. It was checked by
/// the listener's own verifier.
#[derive(Debug, Clone)]
pub struct PeerCertificate(pub CertificateDer<'static>);

/// One listener, bound and not yet serving.
pub struct Listener {
    name: &'static str,
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
    bounds: Bounds,
    uncounted: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Listener {
    /// Binds `address`. `name` labels metrics and log lines.
    pub async fn bind(name: &'static str, address: SocketAddr, bounds: Bounds) -> io::Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        Ok(Self { name, tcp, tls: None, bounds, uncounted: Arc::new(|_| false) })
    }

    /// Speaks TLS.
    pub fn tls(mut self, config: ServerConfig) -> Self {
        self.tls = Some(TlsAcceptor::from(Arc::new(config)));
        self
    }

    /// Addresses that many clients come from, such as a proxy's: not bounded by themselves.
    pub fn uncounted(mut self, of: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        self.uncounted = Arc::new(of);
        self
    }

    /// Where it listens; tells the port where 0 was asked for.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Serves until `stop`; then open requests have `grace` to finish. Each request carries the
    /// client's address as [`axum::extract::ConnectInfo`] and its [`PeerCertificate`] if it has one.
    pub async fn serve(self, router: Router, stop: CancellationToken, grace: Duration) {
        let Self { name, tcp, tls, bounds, uncounted } = self;
        let room = Arc::new(Room::new(name, bounds));
        let host = Arc::new(Host::new(name, tls, bounds, router, stop.clone()));
        let tasks = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = tcp.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let counted = (!uncounted(peer.ip())).then(|| network(peer.ip()));
                    if let Some(seat) = room.arrive(counted) {
                        tasks.spawn(Arc::clone(&host).receive(stream, peer, seat));
                    }
                }
                Err(error) => {
                    metrics::counter!("listener_accept_failures_total", "listener" => name)
                        .increment(1);
                    tracing::warn!(listener = name, %error, "failed to accept a connection");
                    room.make_room();
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(tcp);
        tasks.close();
        if tokio::time::timeout(grace, tasks.wait()).await.is_err() {
            room.empty();
            tasks.wait().await;
        }
    }
}

/// What counts as one client: an IPv4 address, or the /64 that one IPv6 customer has.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}
