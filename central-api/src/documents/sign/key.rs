//! Who signs. The key in a file is one kind; a card or a service elsewhere is another, reached in the
//! two steps of `steps`.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::SigningKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use webpki::EndEntityCert;

use super::SignError;
use crate::device::keyfile;

/// Whoever has the private key of a certificate.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The certificate and those between it and its root, in this order.
    fn certificates(&self) -> &[CertificateDer<'static>];

    /// The signature over `attributes`: PKCS#1 v1.5 or ECDSA over their SHA-256.
    fn sign(&self, attributes: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// A key in a file of this machine. With RSA the same document gets the same signature.
pub struct LocalKey {
    certificates: Vec<CertificateDer<'static>>,
    key: Arc<dyn SigningKey>,
}

impl fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// What RSA keys of 2048 bits and more and keys on P-256 sign with.
const SCHEMES: [SignatureScheme; 2] =
    [SignatureScheme::RSA_PKCS1_SHA256, SignatureScheme::ECDSA_NISTP256_SHA256];

impl LocalKey {
    /// The key of `file`, PKCS#8 as PEM, which others may not read.
    pub fn read(file: &Path, certificates: Vec<CertificateDer<'static>>) -> Result<Self, String> {
        let pem = keyfile::load(file, true).map_err(|e| e.to_string())?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|e| {
            format!("holds no private key as PEM in PKCS#8 (BEGIN PRIVATE KEY): {e}")
        })?;
        let key = any_supported_type(&PrivateKeyDer::Pkcs8(key)).ok();
        let key = key.filter(|key| key.choose_scheme(&SCHEMES).is_some());
        let key = key.ok_or("must be RSA of 2048 bits or more, or ECDSA on P-256")?;
        let first = certificates.first().ok_or("has no certificate")?;
        let end = EndEntityCert::try_from(first)
            .map_err(|e| format!("has a certificate that cannot be used: {e}"))?;
        if key.public_key().as_deref() != Some(end.subject_public_key_info().as_ref()) {
            return Err("does not belong to the first certificate of signing.certificates".into());
        }
        Ok(Self { certificates, key })
    }
}

impl Signer for LocalKey {
    fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    fn sign(&self, attributes: &[u8]) -> Result<Vec<u8>, SignError> {
        let failed = |why: &dyn fmt::Display| SignError::Key(why.to_string());
        let signer = self.key.choose_scheme(&SCHEMES);
        let signer = signer.ok_or_else(|| failed(&"its kind is not supported"))?;
        signer.sign(attributes).map_err(|e| failed(&e))
    }
}
