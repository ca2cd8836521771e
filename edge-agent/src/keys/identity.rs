//! The TLS identity the box was enrolled with.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use x509_parser::pem::Pem;

use super::{CA_CERT, ENROL, KeyError, TLS_CERT, TLS_KEY, read, read_private};

/// Client certificate, its key and the roots the central is checked against, as PEM.
#[derive(Clone)]
pub struct Identity {
    certificate: String,
    key: String,
    roots: String,
    info: CertificateInfo,
}

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateInfo {
    pub common_name: String,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads the folder of an enrolled device and checks that the certificate is this device's.
    pub fn load(dir: &Path, device: &str) -> Result<Self, KeyError> {
        let cert_path = dir.join(TLS_CERT);
        let certificate = read(&cert_path, ENROL)?;
        let info = CertificateInfo::parse(&cert_path, &certificate)?;
        if info.common_name != device {
            return Err(KeyError::Foreign {
                path: cert_path,
                expected: device.into(),
                found: info.common_name,
            });
        }
        let key = read_private(&dir.join(TLS_KEY), "run `edge-agent keygen` and enrol again")?;
        let ca_path = dir.join(CA_CERT);
        let roots = read(&ca_path, ENROL)?;
        CertificateInfo::parse(&ca_path, &roots)?;
        Ok(Self { certificate, key, roots, info })
    }

    pub fn info(&self) -> &CertificateInfo {
        &self.info
    }

    /// Private key and certificate in one PEM, as TLS clients take it.
    pub fn client_pem(&self) -> Vec<u8> {
        format!("{}\n{}", self.key.trim_end(), self.certificate).into_bytes()
    }

    /// The only roots trusted.
    pub fn roots_pem(&self) -> &[u8] {
        self.roots.as_bytes()
    }
}

impl CertificateInfo {
    fn parse(path: &Path, pem: &str) -> Result<Self, KeyError> {
        let problem = |problem: String| KeyError::Pem { path: PathBuf::from(path), problem };
        let first = Pem::iter_from_buffer(pem.as_bytes())
            .next()
            .ok_or_else(|| problem("holds no PEM block; expected a certificate".into()))?
            .map_err(|e| problem(format!("not a certificate in PEM form: {e}")))?;
        let certificate =
            first.parse_x509().map_err(|e| problem(format!("not an X.509 certificate: {e}")))?;
        let common_name = certificate
            .subject()
            .iter_common_name()
            .next()
            .and_then(|name| name.as_str().ok())
            .unwrap_or_default()
            .to_owned();
        let validity = certificate.validity();
        Ok(Self {
            common_name,
            not_before: validity.not_before.to_datetime(),
            not_after: validity.not_after.to_datetime(),
        })
    }
}
