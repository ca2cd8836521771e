//! The device's hash chain: each manifest names the one before it, so a removed, reordered or
//! replaced manifest shows.

use crate::{Digest, Manifest};

/// The end of a chain: what the next manifest must point to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Head {
    /// Sequence number of the last manifest; 0 before the first.
    pub sequence: u64,
    /// Digest of the last manifest's bytes.
    pub digest: Option<Digest>,
}

/// How a manifest fails to continue a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    #[error("sequence {found} came, {expected} is next: the ones between are missing")]
    Gap { expected: u64, found: u64 },
    #[error("sequence {found} came again, {expected} is next")]
    Repeated { expected: u64, found: u64 },
    #[error("sequence {sequence} names another predecessor than the one on record")]
    Predecessor { sequence: u64 },
}

impl ChainError {
    /// The sequence number that is next, where the number is what is wrong.
    pub const fn expected(&self) -> Option<u64> {
        match self {
            Self::Gap { expected, .. } | Self::Repeated { expected, .. } => Some(*expected),
            Self::Predecessor { .. } => None,
        }
    }
}

impl Head {
    /// The head after `manifest`, whose stored bytes are `bytes`.
    pub fn advance(self, manifest: &Manifest, bytes: &[u8]) -> Result<Self, ChainError> {
        let found = manifest.sequence;
        let Some(expected) = self.sequence.checked_add(1) else {
            return Err(ChainError::Repeated { expected: self.sequence, found });
        };
        if found > expected {
            return Err(ChainError::Gap { expected, found });
        }
        if found < expected {
            return Err(ChainError::Repeated { expected, found });
        }
        if manifest.previous != self.digest {
            return Err(ChainError::Predecessor { sequence: found });
        }
        Ok(Self { sequence: found, digest: Some(Digest::of(bytes)) })
    }
}
