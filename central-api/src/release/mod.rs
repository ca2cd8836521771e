//! Releases for the boxes ([`contract::release`]): made and signed on a machine apart, checked and
//! stored here, given to some boxes or to all. Whoever holds this service can keep a release from a
//! box or give it another signed one; it cannot make one.

mod assign;
mod make;
mod publish;

use std::path::PathBuf;

use contract::release::{Offer, Release, ReleaseError};
use contract::seal::SealError;
use sqlx::Row as _;
use time::OffsetDateTime;

use crate::device::keyfile::KeyFileError;
use crate::evidence::EvidenceError;
use crate::store::{Store, StoreError, from_ms};

pub use assign::{To, assign, withdraw};
pub use make::{NewRelease, make, new_key};
pub use publish::{Published, publish};

/// Why a release cannot be made, published or given.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path}: {problem}")]
    File { path: PathBuf, problem: String },
    #[error(transparent)]
    Key(#[from] KeyFileError),
    #[error(transparent)]
    Pem(#[from] SealError),
    #[error(transparent)]
    Release(#[from] ReleaseError),
    #[error("release {0} is published with other content: give the new one a higher number")]
    Taken(u64),
    #[error("release {0} is not published: see `central-api release list`")]
    Unknown(u64),
    #[error("device {0} is not enrolled, or revoked")]
    Device(String),
    #[error("no device is enrolled")]
    Nobody,
    #[error("the evidence store failed: {0}")]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// A published release.
#[derive(Debug, Clone)]
pub struct Listed {
    pub release: Release,
    pub key_id: String,
    pub published_at: OffsetDateTime,
}

/// Every published release, the newest first.
pub async fn list(store: &Store) -> Result<Vec<Listed>, StoreError> {
    let rows =
        sqlx::query("SELECT manifest, key_id, published_at FROM releases ORDER BY number DESC")
            .fetch_all(store.pool())
            .await?;
    let read = |row: &sqlx::any::AnyRow| {
        Ok(Listed {
            release: parse(&row.try_get::<String, _>("manifest")?)?,
            key_id: row.try_get("key_id")?,
            published_at: from_ms(row.try_get("published_at")?)?,
        })
    };
    rows.iter().map(read).collect()
}

/// What `device` is to run, as it was signed.
pub async fn offer(store: &Store, device: &str) -> Result<Option<Offer>, StoreError> {
    let row = sqlx::query(
        "SELECT r.manifest, r.seal FROM devices d JOIN releases r ON r.number = d.release_number
         WHERE d.id = $1",
    )
    .bind(device)
    .fetch_optional(store.pool())
    .await?;
    row.map(|row| Ok(Offer { release: row.try_get("manifest")?, seal: row.try_get("seal")? }))
        .transpose()
}

/// A description that was checked when it was published.
pub fn parse(text: &str) -> Result<Release, StoreError> {
    Release::parse(text.as_bytes()).map_err(|error| StoreError::corrupt("release", error))
}
