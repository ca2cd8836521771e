//! Mutual TLS for the device API: nobody without a certificate of our CA gets to speak HTTP.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use contract::Digest;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::server::TlsStream;
use tower::Layer as _;

use super::ca::{Ca, CaError, ServerIdentity};

/// A box that has not shaken hands by then is hung up on.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error(transparent)]
    Ca(#[from] CaError),
    #[error("failed to set up TLS: {0}")]
    Rustls(#[from] rustls::Error),
    #[error("failed to set up the check of client certificates: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// The other end of a connection, from its verified certificate.
#[derive(Debug, Clone)]
pub struct Peer {
    pub fingerprint: Digest,
    /// Held as long as the connection lives: its place among the allowed ones.
    _place: Arc<OwnedSemaphorePermit>,
}

/// TLS 1.3 only, with a certificate of `ca` required from the client.
pub fn server_config(ca: &Ca, identity: ServerIdentity) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(ca.der()?)?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain, identity.key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Accepts connections and puts the [`Peer`] into each request's extensions.
#[derive(Clone)]
pub struct DeviceAcceptor {
    inner: RustlsAcceptor,
    places: Arc<Semaphore>,
}

impl std::fmt::Debug for DeviceAcceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceAcceptor").field("places", &self.places).finish_non_exhaustive()
    }
}

impl DeviceAcceptor {
    pub fn new(config: ServerConfig, max_connections: usize) -> Self {
        let config = RustlsConfig::from_config(Arc::new(config));
        Self {
            inner: RustlsAcceptor::new(config).handshake_timeout(HANDSHAKE_TIMEOUT),
            places: Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS))),
        }
    }
}

type Accepting<S> = Pin<Box<dyn Future<Output = io::Result<S>> + Send>>;

impl<S: Send + 'static> Accept<TcpStream, S> for DeviceAcceptor {
    type Stream = TlsStream<TcpStream>;
    type Service = AddExtension<S, Peer>;
    type Future = Accepting<(Self::Stream, Self::Service)>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let inner = self.inner.clone();
        let place = Arc::clone(&self.places).try_acquire_owned();
        Box::pin(async move {
            let place = place.map_err(|_| {
                metrics::counter!("device_connections_refused_total").increment(1);
                io::Error::other("too many device connections")
            })?;
            // Small answers go out at once; failing to set this costs time only.
            let _ = stream.set_nodelay(true);
            let (stream, service) = inner.accept(stream, service).await?;
            let certificate = stream
                .get_ref()
                .1
                .peer_certificates()
                .and_then(<[_]>::first)
                .ok_or_else(|| io::Error::other("no client certificate"))?;
            let peer = Peer { fingerprint: Digest::of(certificate), _place: Arc::new(place) };
            Ok((stream, Extension(peer).layer(service)))
        })
    }
}
