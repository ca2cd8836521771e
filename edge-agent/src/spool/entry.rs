//! One package in the spool: its name, where it can be, and reading it back.

use std::path::{Path, PathBuf};

use contract::Manifest;
use contract::manifest::File;
use contract::package::{self, Failure, MANIFEST_FILE, SEAL_FILE};
use contract::seal::{SealError, VerifyingKey};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Package, SpoolError, disk};

/// Where a package stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    Pending,
    Delivered,
    Refused,
    Damaged,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Refused, Self::Damaged];

    pub const fn folder(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Damaged => "damaged",
        }
    }
}

/// A package that is in the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub sequence: u64,
    pub evidence_id: Uuid,
    pub bytes: u64,
    /// When it was delivered.
    pub settled_at: Option<OffsetDateTime>,
}

impl Entry {
    pub(crate) fn of(package: &Package) -> Self {
        let bytes = package.contents().map(|(_, content)| content.len() as u64).sum();
        Self {
            sequence: package.sequence,
            evidence_id: package.evidence_id,
            bytes,
            settled_at: None,
        }
    }

    /// Name of its folder; sorts by sequence.
    pub fn name(&self) -> String {
        format!("{:012}-{}", self.sequence, self.evidence_id)
    }

    /// Reads a folder's name back.
    pub(super) fn parse(name: &str) -> Option<(u64, Uuid)> {
        let (sequence, id) = name.split_once('-')?;
        if sequence.len() < 12 || !sequence.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some((sequence.parse().ok()?, Uuid::parse_str(id).ok()?))
    }
}

/// A package with its manifest read and its seal checked.
#[derive(Debug, Clone)]
pub struct Opened {
    pub dir: PathBuf,
    pub bytes: Vec<u8>,
    pub seal: String,
    pub manifest: Manifest,
}

impl Opened {
    pub(super) fn read(dir: &Path, entry: &Entry, key: &VerifyingKey) -> Result<Self, SpoolError> {
        let damaged = |problem| SpoolError::Damaged { sequence: entry.sequence, problem };
        let bytes = disk::read(&dir.join(MANIFEST_FILE))?;
        let seal = disk::read(&dir.join(SEAL_FILE))?;
        let seal = String::from_utf8(seal)
            .map_err(|_| damaged(Failure::Seal(SealError::Malformed).to_string()))?;
        let manifest =
            package::open_manifest(key, &bytes, &seal).map_err(|failure| match failure {
                Failure::Seal(SealError::Key { expected, found }) => {
                    SpoolError::ForeignKey { path: dir.into(), sealed_with: found, key: expected }
                }
                other => damaged(other.to_string()),
            })?;
        if manifest.sequence != entry.sequence || manifest.evidence_id != entry.evidence_id {
            return Err(damaged("folder name and manifest name different evidence".into()));
        }
        Ok(Self { dir: dir.into(), bytes, seal, manifest })
    }

    /// Path of one of its files.
    pub fn path(&self, file: &File) -> PathBuf {
        self.dir.join(&file.name)
    }

    /// Checks that every file is there with its size; contents are checked when they are sent.
    pub(super) fn check_sizes(&self) -> Result<(), String> {
        for file in &self.manifest.files {
            let found = match std::fs::metadata(self.path(file)) {
                Ok(metadata) => metadata.len(),
                Err(_) => return Err(Failure::Missing { file: file.name.clone() }.to_string()),
            };
            if found != file.bytes {
                let expected = file.bytes;
                return Err(Failure::Size { file: file.name.clone(), expected, found }.to_string());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_sort_by_sequence_and_read_back() {
        let entry = |sequence| Entry {
            sequence,
            evidence_id: Uuid::from_u128(7),
            bytes: 0,
            settled_at: None,
        };
        assert!(entry(9).name() < entry(10).name());
        for sequence in [1, 42, u64::from(u32::MAX)] {
            let name = entry(sequence).name();
            assert_eq!(Entry::parse(&name), Some((sequence, Uuid::from_u128(7))), "{name}");
        }
        for name in ["", "12-x", "lost+found", "000000000001-", "+00000000001-x"] {
            assert_eq!(Entry::parse(name), None, "{name}");
        }
    }
}
