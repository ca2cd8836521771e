//! Takes a signed release in: checked with the public key, files durable before the row that names
//! them, and a row of the audit.

use std::fs::File;
use std::path::Path;

use contract::Digest;
use contract::release::{MAX_RELEASE_BYTES, RELEASE_FILE, RELEASE_SEAL, Release};
use contract::seal::VerifyingKey;
use time::OffsetDateTime;

use super::Refusal;
use crate::audit;
use crate::evidence::EvidenceStore;
use crate::store::{Constraint, OnConstraint as _, Store, StoreError, to_ms};

const NUMBER: Constraint = Constraint { name: "releases_pkey", columns: "releases.number" };

/// A release that is here now.
#[derive(Debug)]
pub struct Published {
    pub release: Release,
    /// Files that were not here before, of another release.
    pub stored: usize,
}

/// Publishes the release in `folder`; doing it again is harmless.
pub async fn publish(
    store: &Store,
    evidence: &EvidenceStore,
    now: OffsetDateTime,
    folder: &Path,
    key: &VerifyingKey,
) -> Result<Published, Refusal> {
    let text = |name: &str| {
        let path = folder.join(name);
        let long = path.metadata().is_ok_and(|meta| meta.len() > MAX_RELEASE_BYTES as u64);
        if long {
            return Err(Refusal::File { path, problem: "is too long".into() });
        }
        std::fs::read_to_string(&path).map_err(|source| Refusal::Io { path, source })
    };
    let (manifest, seal) = (text(RELEASE_FILE)?, text(RELEASE_SEAL)?);
    let seal = seal.trim_end();
    let release = Release::open(std::slice::from_ref(key), manifest.as_bytes(), seal)?;
    let already = published(store, release.number).await?;
    if already.as_ref().is_some_and(|text| *text != manifest) {
        return Err(Refusal::Taken(release.number));
    }
    let stored = store_files(evidence, folder, &release).await?;
    if already.is_none() {
        record(store, now, &release, key, (&manifest, seal)).await?;
    }
    Ok(Published { release, stored })
}

async fn published(store: &Store, number: u64) -> Result<Option<String>, StoreError> {
    let text = sqlx::query_scalar("SELECT manifest FROM releases WHERE number = $1")
        .bind(stored(number))
        .fetch_optional(store.pool())
        .await?;
    Ok(text)
}

async fn store_files(
    evidence: &EvidenceStore,
    folder: &Path,
    release: &Release,
) -> Result<usize, Refusal> {
    let mut stored = 0;
    for file in &release.files {
        let path = folder.join(&file.path);
        let open =
            || File::open(&path).map_err(|source| Refusal::Io { path: path.clone(), source });
        let read = Digest::read(open()?);
        let found = read.map_err(|source| Refusal::Io { path: path.clone(), source })?;
        if found != (file.bytes, file.sha256) {
            let problem =
                format!("is not the file that was signed: {} bytes of {}", found.0, found.1);
            return Err(Refusal::File { path, problem });
        }
        if !evidence.has_release_file(file.sha256).await? {
            evidence.put_release_file(file.sha256, open()?).await?;
            stored += 1;
        }
    }
    Ok(stored)
}

async fn record(
    store: &Store,
    now: OffsetDateTime,
    release: &Release,
    key: &VerifyingKey,
    (manifest, seal): (&str, &str),
) -> Result<(), Refusal> {
    let mut tx = store.begin().await?;
    sqlx::query(
        "INSERT INTO releases (number, version, target, key_id, manifest, seal, published_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(stored(release.number))
    .bind(release.version.as_str())
    .bind(release.target.as_str())
    .bind(key.id())
    .bind(manifest)
    .bind(seal)
    .bind(to_ms(now))
    .execute(&mut *tx)
    .await
    .on_constraint(NUMBER, || Refusal::Taken(release.number))?;
    let number = release.number.to_string();
    let entry = audit::Entry {
        at: now,
        actor: "system",
        action: "release.published",
        subject_kind: "release",
        subject_id: &number,
        detail: serde_json::json!({
            "version": release.version,
            "manifest_sha256": Digest::of(manifest.as_bytes()),
            "release_key": key.id(),
        }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await?;
    Ok(())
}

/// Of a number that the contract bounds.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
