//! TLS of both listeners. On the device API it is mutual: nobody without a certificate of our CA
//! gets to speak HTTP.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::ca::{Ca, CaError, ServerIdentity};

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error(transparent)]
    Ca(#[from] CaError),
    #[error("failed to set up TLS: {0}")]
    Rustls(#[from] rustls::Error),
    #[error("failed to set up the check of client certificates: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    #[error("web.tls_cert {path} and web.tls_key cannot be used: {problem}")]
    Web { path: PathBuf, problem: String },
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
    config.alpn_protocols = protocols();
    Ok(config)
}

/// The pages' own certificate, from PEM files.
pub fn web_config(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let failed = |problem: String| TlsError::Web { path: certificate.to_owned(), problem };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| failed(e.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|e| failed(format!("key: {e}")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| failed(e.to_string()))?;
    config.alpn_protocols = protocols();
    Ok(config)
}

fn protocols() -> Vec<Vec<u8>> {
    vec![b"h2".to_vec(), b"http/1.1".to_vec()]
}
