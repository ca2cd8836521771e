//! Verification of a whole evidence package: seal, manifest and every file, naming what failed.

use std::fmt;

use crate::manifest::{File, ManifestError};
use crate::seal::{Purpose, SealError, VerifyingKey};
use crate::{Digest, Manifest};

/// Name of the manifest file inside a package.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Name of the file with the manifest's detached JWS.
pub const SEAL_FILE: &str = "manifest.jws";

/// One thing that is wrong with a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    Manifest(ManifestError),
    /// The seal does not hold, or the manifest is not the sealed one ([`SealError::Payload`]).
    Seal(SealError),
    Missing {
        file: String,
    },
    Size {
        file: String,
        expected: u64,
        found: u64,
    },
    Content {
        file: String,
        expected: Digest,
        found: Digest,
    },
}

impl Failure {
    /// Name of the file that is at fault.
    pub fn file(&self) -> &str {
        match self {
            Self::Manifest(_) | Self::Seal(SealError::Payload { .. }) => MANIFEST_FILE,
            Self::Seal(_) => SEAL_FILE,
            Self::Missing { file } | Self::Size { file, .. } | Self::Content { file, .. } => file,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.file();
        match self {
            Self::Manifest(error) => write!(f, "{name}: {error}"),
            Self::Seal(error) => write!(f, "{name}: {error}"),
            Self::Missing { .. } => write!(f, "{name}: missing"),
            Self::Size { expected, found, .. } => {
                write!(f, "{name}: {found} bytes, the manifest says {expected}")
            }
            Self::Content { expected, found, .. } => {
                write!(f, "{name}: SHA-256 {found}, the manifest says {expected}")
            }
        }
    }
}

/// The seal inside the seal file: without the one line end that tools write.
pub fn seal_text(file: &str) -> &str {
    file.strip_suffix('\n').unwrap_or(file)
}

/// Checks the seal over the manifest's bytes and reads it.
pub fn open_manifest(key: &VerifyingKey, manifest: &[u8], seal: &str) -> Result<Manifest, Failure> {
    key.verify_detached(Purpose::Manifest, seal_text(seal), manifest).map_err(Failure::Seal)?;
    Manifest::parse(manifest).map_err(Failure::Manifest)
}

/// Checks one file's bytes against its entry.
pub fn check_file(entry: &File, content: &[u8]) -> Result<(), Failure> {
    let found = content.len() as u64;
    if found != entry.bytes {
        return Err(Failure::Size { file: entry.name.clone(), expected: entry.bytes, found });
    }
    let found = Digest::of(content);
    if found != entry.sha256 {
        return Err(Failure::Content { file: entry.name.clone(), expected: entry.sha256, found });
    }
    Ok(())
}

/// Checks a whole package; `read` gives a file's bytes by its entry, or none where it is missing.
/// An empty list means that everything holds.
pub fn verify(
    key: &VerifyingKey,
    manifest: &[u8],
    seal: &str,
    mut read: impl FnMut(&File) -> Option<Vec<u8>>,
) -> Vec<Failure> {
    let manifest = match open_manifest(key, manifest, seal) {
        Ok(manifest) => manifest,
        Err(failure) => return vec![failure],
    };
    let mut failures = Vec::new();
    for entry in &manifest.files {
        match read(entry) {
            None => failures.push(Failure::Missing { file: entry.name.clone() }),
            Some(content) => failures.extend(check_file(entry, &content).err()),
        }
    }
    failures
}
