//! `[signing]` of the configuration: read once at the start, and refused with its key where anything of
//! it cannot work.

use std::path::Path;

use bytes::Bytes;
use der::Decode as _;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use time::OffsetDateTime;
use x509_cert::Certificate;

use super::key::{LocalKey, Signer};
use super::known::Known;
use super::server::Server;
use super::steps::{Order, complete, prepare};
use super::trust::{Purpose, Trust, TrustError};
use super::{SignError, Signature, check};
use crate::config;

/// What cannot work of `[signing]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} {problem}")]
pub struct SigningError {
    pub key: &'static str,
    pub problem: String,
}

/// How documents are signed here, and whose signatures are believed.
#[derive(Debug, Default)]
pub struct Signing {
    signer: Option<Box<dyn Signer>>,
    server: Option<Server>,
    pub trust: Trust,
    reason: String,
    location: String,
    known: Known,
}

impl Signing {
    /// Reads the files that `settings` names.
    pub fn open(settings: &config::Signing) -> Result<Self, SigningError> {
        let wrong = |key, problem: String| SigningError { key, problem };
        let trust = Trust {
            documents: certificates("signing.roots", &settings.roots)?,
            stamps: certificates("signing.time_stamp_roots", &settings.time_stamp_roots)?,
        };
        let signer = if settings.key.is_empty() {
            None
        } else {
            let chain = certificates("signing.certificates", &settings.certificates)?;
            let key = LocalKey::read(Path::new(&settings.key), chain)
                .map_err(|problem| wrong("signing.key", format!("{}: {problem}", settings.key)))?;
            Some(Box::new(key) as Box<dyn Signer>)
        };
        let server = (!settings.time_stamp_url.is_empty())
            .then(|| Server::new(&settings.time_stamp_url))
            .transpose()
            .map_err(|problem| wrong("signing.time_stamp_url", problem))?;
        let (reason, location) = (settings.reason.clone(), settings.location.clone());
        Ok(Self { signer, server, trust, reason, location, known: Known::default() })
    }

    /// Refuses a certificate with which nothing could be signed now.
    pub fn check_certificate(&self, now: OffsetDateTime) -> Result<(), SigningError> {
        let Some(signer) = &self.signer else { return Ok(()) };
        let key = "signing.certificates";
        let unusable =
            |error: TrustError| SigningError { key, problem: format!("cannot be used: {error}") };
        let chain = signer
            .certificates()
            .iter()
            .map(|der| Certificate::from_der(der))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| unusable(TrustError::Unreadable(e.to_string())))?;
        let Some((leaf, others)) = chain.split_first() else { return Ok(()) };
        self.trust.follow(Purpose::Documents, leaf, others.iter(), now).map_err(unusable)
    }

    /// Signs `pdf`, with a time stamp where a server is configured; where no key is, the document stays
    /// as it is. Asks a server: not to be called in a transaction.
    pub async fn sign(&self, pdf: Bytes, now: OffsetDateTime) -> Result<Bytes, SignError> {
        let Some(signer) = &self.signer else { return Ok(pdf) };
        let order = Order {
            certificates: signer.certificates(),
            at: now,
            reason: &self.reason,
            location: &self.location,
            stamped: self.server.is_some(),
        };
        let prepared = prepare(&pdf, order)?;
        let signature = signer.sign(&prepared.attributes()?)?;
        let token = match &self.server {
            Some(server) => Some(server.stamp(&signature, &self.trust, now).await?),
            None => None,
        };
        complete(prepared, &signature, token.as_deref(), &self.trust, now)
    }

    /// The signatures of `pdf`, all of which hold.
    pub fn check(&self, pdf: &[u8]) -> Result<Vec<Signature>, SignError> {
        check(pdf, &self.trust)
    }

    /// What was found of the document of a digest, if it was looked at of late.
    pub fn known(&self, sha256: &str) -> Option<Result<Vec<Signature>, SignError>> {
        self.known.get(sha256)
    }

    /// Checks the document of a digest, and remembers what is found.
    pub fn check_known(&self, sha256: &str, pdf: &[u8]) -> Result<Vec<Signature>, SignError> {
        let found = self.check(pdf);
        self.known.put(sha256, &found);
        found
    }
}

/// The certificates of a PEM file; none where no file is named.
fn certificates(
    key: &'static str,
    file: &str,
) -> Result<Vec<CertificateDer<'static>>, SigningError> {
    if file.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = |problem: String| SigningError { key, problem: format!("{file}: {problem}") };
    let text = crate::text_file::read(Path::new(file))
        .map_err(|e| wrong(format!("cannot be read: {e}")))?;
    let found = CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| wrong(format!("is no PEM file of certificates: {e}")))?;
    if found.is_empty() {
        return Err(wrong("holds no certificate (BEGIN CERTIFICATE)".into()));
    }
    for der in &found {
        Certificate::from_der(der).map_err(|e| wrong(format!("holds no certificate: {e}")))?;
    }
    Ok(found)
}
