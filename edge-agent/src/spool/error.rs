//! What can go wrong with the spool, in words an operator can act on.

use std::io;
use std::path::PathBuf;

/// Why the spool could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error(
        "spool is full: {needed} bytes needed, {used} of {max} bytes used by evidence not yet \
         delivered, {free} bytes free on the volume ({min_free} must stay free); sealing stops \
         until the central takes evidence, or [spool] max_bytes or the volume grows"
    )]
    Full { needed: u64, used: u64, max: u64, free: u64, min_free: u64 },
    #[error("spool {}: another agent is using it; stop that one or set another [spool] dir", path.display())]
    Locked { path: PathBuf },
    #[error("failed to {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "spool {}: its evidence was sealed with key {sealed_with}, the keys folder holds {key}; \
         restore that key, or give the new key a new device id and an empty spool",
        path.display()
    )]
    ForeignKey { path: PathBuf, sealed_with: String, key: String },
    #[error("package {sequence} is not in the spool in the expected state")]
    Unknown { sequence: u64 },
    #[error("package {sequence} does not hold: {problem}")]
    Damaged { sequence: u64, problem: String },
    #[error("sequence {found} was to be stored, {expected} is next")]
    Chain { expected: u64, found: u64 },
    #[error(
        "the spool's volume failed while storing ({cause}) and could not be put in order; check \
         the disk and restart the agent"
    )]
    Poisoned { cause: String },
}

impl SpoolError {
    /// Whether the volume (or its quota) has no room.
    pub fn is_out_of_space(&self) -> bool {
        matches!(self, Self::Io { source, .. } if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ))
    }
}
