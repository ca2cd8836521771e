//! The device's keys: the Ed25519 key that seals evidence and the TLS identity it speaks with.
//!
//! The box makes both itself ([`generate`]) and hands out only public halves; enrolment at the
//! central puts its answer into the same folder:
//!
//! | file | made by | what |
//! |---|---|---|
//! | `seal.key`, `tls.key` | box, 0600 | private keys; never leave the box |
//! | `seal.pub`, `tls.csr` | box | what enrolment needs |
//! | `tls.pem`, `ca.pem` | central | client certificate; roots the central is checked against |
//! | `central.pub` | central | checks receipts |

mod generate;
mod identity;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use contract::seal::{SealError, SigningKey, VerifyingKey};

pub use generate::{Generated, generate};
pub use identity::{CertificateInfo, Identity};

pub const SEAL_KEY: &str = "seal.key";
pub const SEAL_PUB: &str = "seal.pub";
pub const TLS_KEY: &str = "tls.key";
pub const TLS_CSR: &str = "tls.csr";
pub const TLS_CERT: &str = "tls.pem";
pub const CA_CERT: &str = "ca.pem";
pub const CENTRAL_PUB: &str = "central.pub";

/// Why keys cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "{}: not found; {hint}",
        path.display()
    )]
    Missing { path: PathBuf, hint: &'static str },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Seal { path: PathBuf, source: SealError },
    #[error("{}: {problem}", path.display())]
    Pem { path: PathBuf, problem: String },
    #[error(
        "{}: readable by others (mode {mode:03o}); a private key must be 0600: chmod 600 it, and \
         make a new one if anyone else may have read it",
        path.display()
    )]
    Exposed { path: PathBuf, mode: u32 },
    #[error(
        "{}: exists already; keygen never overwrites a key, because evidence sealed with it could \
         no longer be continued. Choose another --out or move the folder away",
        path.display()
    )]
    Exists { path: PathBuf },
    #[error("device id {id:?}: must be 1 to 64 of letters, digits, '.', '_', '-'")]
    DeviceId { id: String },
    #[error("making the TLS key or request failed: {0}")]
    Request(#[from] rcgen::Error),
    #[error("the system's random source failed: {0}")]
    Random(String),
    #[error(
        "{}: certificate is for device {found:?}, the configuration says [device] id = \
         {expected:?}; enrol this device or correct the id",
        path.display()
    )]
    Foreign { path: PathBuf, expected: String, found: String },
}

/// Reads the sealing key alone: all that sealing needs, enrolled or not.
pub fn load_seal_key(dir: &Path) -> Result<SigningKey, KeyError> {
    let path = dir.join(SEAL_KEY);
    let pem = read_private(&path, "run `edge-agent keygen --device ID --out DIR` first")?;
    SigningKey::from_pem(&pem).map_err(|source| KeyError::Seal { path, source })
}

/// Reads the key that receipts are checked with.
pub fn load_central_key(dir: &Path) -> Result<VerifyingKey, KeyError> {
    let path = dir.join(CENTRAL_PUB);
    let pem = read(&path, ENROL)?;
    VerifyingKey::from_pem(&pem).map_err(|source| KeyError::Seal { path, source })
}

/// Reads the public halves of the release keys: one PEM file, as many blocks as there are keys.
pub fn load_release_keys(path: &Path) -> Result<Vec<VerifyingKey>, KeyError> {
    const END: &str = "-----END PUBLIC KEY-----";
    let text = read(path, "copy release.pub of the machine that signs releases to it")?;
    let blocks = text.split_inclusive(END).filter(|block| !block.trim().is_empty());
    let keys: Result<Vec<_>, _> =
        blocks.map(|block| VerifyingKey::from_pem(block.trim())).collect();
    let keys = keys.map_err(|source| KeyError::Seal { path: path.into(), source })?;
    if keys.is_empty() {
        let problem = "holds no PEM block; expected a public release key".into();
        return Err(KeyError::Pem { path: path.into(), problem });
    }
    Ok(keys)
}

const ENROL: &str = "enrol the device: `central-api admin enrol-device --id ID --csr DIR/tls.csr \
                     --seal-key DIR/seal.pub --out DIR`";

fn read(path: &Path, hint: &'static str) -> Result<String, KeyError> {
    fs::read_to_string(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => KeyError::Missing { path: path.into(), hint },
        _ => KeyError::Io { path: path.into(), source },
    })
}

fn read_private(path: &Path, hint: &'static str) -> Result<String, KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let text = read(path, hint)?;
    let metadata =
        fs::metadata(path).map_err(|source| KeyError::Io { path: path.into(), source })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.into(), mode });
    }
    Ok(text)
}
