//! The small CA of the boxes: signs their client certificates and this server's own.
//!
//! Its key is made on first use in the keys folder and never leaves it. What it has issued to a
//! box counts only while the database lists it, so revocation works without lists of its own.

use std::net::IpAddr;
use std::path::Path;

use contract::Digest;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

use super::keyfile::{self, KeyFileError};

/// The root is trusted by name in each box; replacing it means enrolling every box again.
const CA_VALIDITY: Duration = Duration::days(20 * 365);
/// A server certificate is made at each start.
const SERVER_VALIDITY: Duration = Duration::days(398);
/// Boxes' clocks may be behind when they start.
const BACKDATE: Duration = Duration::days(1);

#[derive(Debug, thiserror::Error)]
pub enum CaError {
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    #[error("certificate request is not acceptable: {0}")]
    Request(String),
    #[error("{0:?} is neither a host name nor an address")]
    Name(String),
    #[error("failed to make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
}

/// The CA with its key.
pub struct Ca {
    pem: String,
    /// Over certificate and key.
    fingerprint: Digest,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Ca {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ca(…)")
    }
}

/// A client certificate for a box.
#[derive(Debug, Clone)]
pub struct Issued {
    pub pem: String,
    /// SHA-256 of the certificate's DER bytes.
    pub fingerprint: Digest,
    pub not_after: OffsetDateTime,
}

/// What a TLS server shows.
#[derive(Debug)]
pub struct ServerIdentity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl Ca {
    /// The CA under `keys/ca`, made on first use.
    pub fn load_or_create(keys: &Path, now: OffsetDateTime) -> Result<Self, CaError> {
        let (key_path, cert_path) = (keys.join("ca/ca.key"), keys.join("ca/ca.pem"));
        let key_pem = keyfile::load_or_create(&key_path, true, || {
            let key = KeyPair::generate().map_err(|e| KeyFileError::content(&key_path, e))?;
            Ok(key.serialize_pem())
        })?;
        let key = KeyPair::from_pem(&key_pem).map_err(|e| KeyFileError::content(&key_path, e))?;
        let pem = keyfile::load_or_create(&cert_path, false, || {
            let made = ca_params(now).and_then(|params| params.self_signed(&key));
            Ok(made.map_err(|e| KeyFileError::content(&cert_path, e))?.pem())
        })?;
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|e| KeyFileError::content(&cert_path, e))?;
        let fingerprint = Digest::of(&[&certificate, key.public_key_raw()].concat());
        let issuer = Issuer::from_ca_cert_pem(&pem, key)
            .map_err(|e| KeyFileError::content(&cert_path, e))?;
        Ok(Self { pem, fingerprint, issuer })
    }

    /// Tells this CA from any other.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// The CA's certificate, for the boxes' trust and our own check of theirs.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub fn der(&self) -> Result<CertificateDer<'static>, CaError> {
        CertificateDer::from_pem_slice(self.pem.as_bytes())
            .map_err(|e| CaError::Request(e.to_string()))
    }

    /// A fresh certificate and key for this server under `names`.
    pub fn server(&self, names: &[String], now: OffsetDateTime) -> Result<ServerIdentity, CaError> {
        let mut params = leaf_params("central", now, SERVER_VALIDITY)?;
        for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => {
                    SanType::DnsName(name.try_into().map_err(|_| CaError::Name(name.to_owned()))?)
                }
            });
        }
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(ServerIdentity {
            chain: vec![certificate.der().clone(), self.der()?],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }

    /// Signs a box's request. Only its public key is taken; name and purpose are ours.
    pub fn sign_device(
        &self,
        csr_pem: &str,
        id: &str,
        validity: Duration,
        now: OffsetDateTime,
    ) -> Result<Issued, CaError> {
        let request = CertificateSigningRequestParams::from_pem(csr_pem)
            .map_err(|e| CaError::Request(e.to_string()))?;
        let mut params = leaf_params(id, now, validity)?;
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        let not_after = params.not_after;
        let certificate = params.signed_by(&request.public_key, &self.issuer)?;
        Ok(Issued { pem: certificate.pem(), fingerprint: Digest::of(certificate.der()), not_after })
    }
}

fn ca_params(now: OffsetDateTime) -> Result<CertificateParams, rcgen::Error> {
    let mut params = base_params("phatnguoi device CA", now, CA_VALIDITY)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

fn leaf_params(
    name: &str,
    now: OffsetDateTime,
    validity: Duration,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = base_params(name, now, validity)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn base_params(
    name: &str,
    now: OffsetDateTime,
    validity: Duration,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = now - BACKDATE;
    params.not_after = now + validity;
    // Two certificates for one key must differ: 127 random bits, positive.
    let mut serial: [u8; 16] = rand::random();
    serial[0] &= 0x7f;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}
