//! Making a device's keys, once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use contract::seal::SigningKey;
use rand::TryRng as _;

use super::{KeyError, SEAL_KEY, SEAL_PUB, TLS_CSR, TLS_KEY};

/// What was made, for the operator to carry to the central.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    pub dir: PathBuf,
    /// Short name of the sealing key.
    pub key_id: String,
}

/// Makes sealing key, TLS key and certificate request in `dir`; refuses to overwrite anything.
pub fn generate(dir: &Path, device: &str) -> Result<Generated, KeyError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if device.is_empty() || device.len() > 64 || !device.bytes().all(plain) {
        return Err(KeyError::DeviceId { id: device.into() });
    }
    for name in [SEAL_KEY, SEAL_PUB, TLS_KEY, TLS_CSR] {
        let path = dir.join(name);
        if path.exists() {
            return Err(KeyError::Exists { path });
        }
    }

    let mut seed = [0u8; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut seed).map_err(|e| KeyError::Random(e.to_string()))?;
    let seal = SigningKey::from_seed(&seed);
    let public = seal.verifying_key();

    let tls = rcgen::KeyPair::generate()?;
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, device);
    let csr = params.serialize_request(&tls)?.pem()?;

    let at = |name: &str| dir.join(name);
    let pem = |result: Result<String, contract::seal::SealError>, name: &str| {
        result.map_err(|source| KeyError::Seal { path: at(name), source })
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| KeyError::Io { path: dir.into(), source })?;
    write_new(&at(SEAL_KEY), &pem(seal.to_pem(), SEAL_KEY)?, 0o600)?;
    write_new(&at(TLS_KEY), &tls.serialize_pem(), 0o600)?;
    write_new(&at(SEAL_PUB), &pem(public.to_pem(), SEAL_PUB)?, 0o644)?;
    write_new(&at(TLS_CSR), &csr, 0o644)?;
    File::open(dir)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| KeyError::Io { path: dir.into(), source })?;
    Ok(Generated { dir: dir.into(), key_id: public.id() })
}

/// Creates `path`, which must not exist, with its mode set before a byte is written.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), KeyError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.into() },
        _ => KeyError::Io { path: path.into(), source },
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::keys::{Identity, load_seal_key};

    #[test]
    fn keys_are_private_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let fresh = dir.path().join("box/keys");
        generate(&fresh, "edge-01").unwrap();
        assert_eq!(fs::metadata(&fresh).unwrap().permissions().mode() & 0o777, 0o700);
        let made = generate(dir.path(), "edge-01").unwrap();
        assert_eq!(load_seal_key(dir.path()).unwrap().verifying_key().id(), made.key_id);
        for name in [SEAL_KEY, TLS_KEY] {
            let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let before = fs::read(dir.path().join(SEAL_KEY)).unwrap();
        assert!(matches!(generate(dir.path(), "edge-01"), Err(KeyError::Exists { .. })));
        assert_eq!(fs::read(dir.path().join(SEAL_KEY)).unwrap(), before);
    }

    #[test]
    fn the_request_names_the_device() {
        let dir = tempfile::tempdir().unwrap();
        generate(dir.path(), "edge-01").unwrap();
        let csr = fs::read_to_string(dir.path().join(TLS_CSR)).unwrap();
        let csr = rcgen::CertificateSigningRequestParams::from_pem(&csr).unwrap();
        let name = csr.params.distinguished_name.get(&rcgen::DnType::CommonName).unwrap();
        assert_eq!(format!("{name:?}"), "Utf8String(\"edge-01\")");
    }

    #[test]
    fn exposed_missing_and_broken_keys_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let missing = load_seal_key(dir.path()).unwrap_err();
        assert!(missing.to_string().contains("keygen"), "{missing}");
        generate(dir.path(), "edge-01").unwrap();

        let unenrolled = Identity::load(dir.path(), "edge-01").unwrap_err();
        assert!(unenrolled.to_string().contains("enrol"), "{unenrolled}");

        let key = dir.path().join(SEAL_KEY);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(load_seal_key(dir.path()), Err(KeyError::Exposed { mode: 0o644, .. })));
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&key, "not a key").unwrap();
        assert!(matches!(load_seal_key(dir.path()), Err(KeyError::Seal { .. })));
    }

    #[test]
    fn a_device_id_that_no_certificate_should_carry_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for id in ["", "a b", "../x", "é"] {
            assert!(matches!(generate(dir.path(), id), Err(KeyError::DeviceId { .. })), "{id}");
        }
    }
}
