//! From files to a whole package: what is missing, what can be put together, and the one moment
//! in which a package becomes a case.

use bytes::Bytes;
use contract::package::{MANIFEST_FILE, SEAL_FILE};
use contract::wire::{MissingFile, Progress};
use contract::{Digest, Manifest};
use sqlx::Row as _;
use uuid::Uuid;

use super::IntakeError;
use crate::device::receipt;
use crate::evidence::{Assembled, EvidenceError};
use crate::store::{StoreError, from_ms, to_ms};
use crate::{AppState, audit, case};

/// One content the manifest names; several names may share it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub evidence_id: Uuid,
    pub sha256: Digest,
    pub bytes: u64,
    /// Names, and whether each lies in the package.
    names: Vec<(String, bool)>,
}

impl Wanted {
    pub fn id(&self) -> String {
        self.evidence_id.to_string()
    }

    pub fn first_name(&self) -> String {
        self.names.first().map(|(name, _)| name.clone()).unwrap_or_default()
    }

    pub fn is_stored(&self) -> bool {
        self.names.iter().all(|(_, stored)| *stored)
    }
}

/// The file of `device`'s evidence with this digest.
pub(super) async fn wanted(
    app: &AppState,
    id: Uuid,
    sha256: Digest,
    device: &str,
) -> Result<Wanted, IntakeError> {
    let owner: Option<String> = sqlx::query_scalar("SELECT device_id FROM evidence WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(app.store.pool())
        .await?;
    match owner {
        None => return Err(IntakeError::UnknownEvidence(id.to_string())),
        Some(owner) if owner != device => {
            return Err(IntakeError::ForeignDevice(device.to_owned()));
        }
        Some(_) => {}
    }
    all_wanted(app, id)
        .await?
        .into_iter()
        .find(|wanted| wanted.sha256 == sha256)
        .ok_or_else(|| IntakeError::UnknownFile(id.to_string()))
}

async fn all_wanted(app: &AppState, id: Uuid) -> Result<Vec<Wanted>, IntakeError> {
    let rows = sqlx::query(
        "SELECT name, sha256, bytes, stored_at FROM evidence_files
         WHERE evidence_id = $1 ORDER BY name",
    )
    .bind(id.to_string())
    .fetch_all(app.store.pool())
    .await?;
    let mut all: Vec<Wanted> = Vec::new();
    for row in rows {
        let sha256: String = row.try_get("sha256")?;
        let sha256: Digest =
            sha256.parse().map_err(|_| StoreError::corrupt("file digest", sha256))?;
        let bytes: i64 = row.try_get("bytes")?;
        let bytes = u64::try_from(bytes).map_err(|_| StoreError::corrupt("file size", bytes))?;
        let name = (row.try_get("name")?, row.try_get::<Option<i64>, _>("stored_at")?.is_some());
        match all.iter_mut().find(|wanted| wanted.sha256 == sha256) {
            Some(wanted) => wanted.names.push(name),
            None => all.push(Wanted { evidence_id: id, sha256, bytes, names: vec![name] }),
        }
    }
    Ok(all)
}

/// How many bytes of a file have arrived without gap.
pub(super) async fn received(app: &AppState, wanted: &Wanted) -> Result<u64, IntakeError> {
    let chunks = app.evidence.chunks(&wanted.id(), wanted.sha256).await?;
    Ok(chunks.last().map_or(0, |chunk| chunk.offset + chunk.bytes))
}

/// Stores a file that came in one piece.
pub(super) async fn store_whole(
    app: &AppState,
    wanted: &Wanted,
    content: Bytes,
) -> Result<(), IntakeError> {
    let found = Digest::of(&content);
    if found != wanted.sha256 {
        return Err(mismatch(wanted, found));
    }
    for (name, _) in wanted.names.iter().filter(|(_, stored)| !stored) {
        app.evidence.put_file(&wanted.id(), name, content.clone()).await?;
    }
    mark_stored(app, wanted).await
}

/// Puts a file together once its last byte is there.
pub(super) async fn try_assemble(app: &AppState, wanted: &Wanted) -> Result<(), IntakeError> {
    let id = wanted.id();
    let chunks = app.evidence.chunks(&id, wanted.sha256).await?;
    let received = chunks.last().map_or(0, |chunk| chunk.offset + chunk.bytes);
    if received < wanted.bytes {
        return Ok(());
    }
    for (name, _) in wanted.names.iter().filter(|(_, stored)| !stored) {
        match app.evidence.assemble(&id, name, wanted.sha256, &chunks).await {
            Ok(Assembled::Stored) => {}
            Ok(Assembled::Mismatch { sha256, .. }) => {
                app.evidence.discard_chunks(&id, wanted.sha256).await?;
                return Err(mismatch(wanted, sha256));
            }
            // Another request of the same upload finished, or dropped, these chunks meanwhile:
            // the next announcement tells the box where it stands.
            Err(EvidenceError::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    mark_stored(app, wanted).await
}

fn mismatch(wanted: &Wanted, found: Digest) -> IntakeError {
    IntakeError::ContentMismatch {
        file: wanted.first_name(),
        problem: format!("SHA-256 is {found}, the manifest says {}", wanted.sha256),
    }
}

async fn mark_stored(app: &AppState, wanted: &Wanted) -> Result<(), IntakeError> {
    app.store
        .write(
            sqlx::query(
                "UPDATE evidence_files SET stored_at = $1
         WHERE evidence_id = $2 AND sha256 = $3 AND stored_at IS NULL",
            )
            .bind(to_ms(app.clock.now()))
            .bind(wanted.id())
            .bind(wanted.sha256.to_string()),
        )
        .await?;
    app.evidence.discard_chunks(&wanted.id(), wanted.sha256).await?;
    Ok(())
}

/// What is still missing of a package; its receipt when nothing is.
pub(super) async fn progress(app: &AppState, id: Uuid) -> Result<Progress, IntakeError> {
    let mut missing = Vec::new();
    for wanted in all_wanted(app, id).await? {
        if wanted.is_stored() {
            continue;
        }
        let mut received = received(app, &wanted).await?;
        if received >= wanted.bytes {
            // We stopped between the last chunk and putting the file together.
            match try_assemble(app, &wanted).await {
                Ok(()) => continue,
                Err(IntakeError::ContentMismatch { .. }) => received = 0,
                Err(error) => return Err(error),
            }
        }
        missing.push(MissingFile { sha256: wanted.sha256, received });
    }
    let receipt = if missing.is_empty() { finish(app, id).await? } else { None };
    Ok(Progress { evidence_id: id, missing, receipt })
}

/// Makes a whole package a case, once; gives the receipt, or nothing while files are missing.
pub(super) async fn finish(app: &AppState, id: Uuid) -> Result<Option<String>, IntakeError> {
    let row = sqlx::query(
        "SELECT e.device_id, e.manifest, e.manifest_digest, e.seal, e.received_at, e.parked,
                (SELECT COUNT(*) FROM evidence_files f
                 WHERE f.evidence_id = e.id AND f.stored_at IS NULL) AS missing
         FROM evidence e WHERE e.id = $1",
    )
    .bind(id.to_string())
    .fetch_one(app.store.pool())
    .await?;
    let digest: String = row.try_get("manifest_digest")?;
    let digest = digest.parse().map_err(|_| StoreError::corrupt("manifest digest", digest))?;
    let received_at = match row.try_get::<Option<i64>, _>("received_at")? {
        Some(at) => at,
        None if row.try_get::<i64, _>("missing")? > 0 => return Ok(None),
        None => {
            let device: String = row.try_get("device_id")?;
            let parked = row.try_get::<Option<String>, _>("parked")?.is_some();
            let (manifest, seal) = (row.try_get("manifest")?, row.try_get("seal")?);
            receive(app, id, &device, manifest, seal, parked).await?
        }
    };
    Ok(Some(receipt::sign(&app.receipt_key, id, digest, from_ms(received_at)?)))
}

async fn receive(
    app: &AppState,
    id: Uuid,
    device: &str,
    manifest: String,
    seal: String,
    parked: bool,
) -> Result<i64, IntakeError> {
    let parsed =
        Manifest::parse(manifest.as_bytes()).map_err(|e| StoreError::corrupt("manifest", e))?;
    let id = id.to_string();
    // The package in the object store is complete in itself, for anyone to verify.
    app.evidence.put_file(&id, MANIFEST_FILE, manifest.into()).await?;
    app.evidence.put_file(&id, SEAL_FILE, seal.into()).await?;

    let now = to_ms(app.clock.now());
    let mut tx = app.store.begin().await?;
    // Only one request gets the row: that one opens the case.
    let won =
        sqlx::query("UPDATE evidence SET received_at = $1 WHERE id = $2 AND received_at IS NULL")
            .bind(now)
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
    if won.rows_affected() == 0 {
        drop(tx);
        let at = sqlx::query_scalar("SELECT received_at FROM evidence WHERE id = $1")
            .bind(id.as_str())
            .fetch_one(app.store.pool())
            .await?;
        return Ok(at);
    }
    let received_at = from_ms(now)?;
    let case_id = match parked {
        true => None,
        false => Some(case::open(&mut tx, app.terms(), &parsed, received_at).await?),
    };
    let entry = audit::Entry {
        at: received_at,
        actor: &format!("device:{device}"),
        action: "evidence.received",
        subject_kind: "evidence",
        subject_id: &id,
        detail: serde_json::json!({ "case": case_id, "sequence": parsed.sequence }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await?;
    metrics::counter!("evidence_received_total").increment(1);
    tracing::info!(evidence_id = %id, case_id, parked, "evidence received");
    Ok(now)
}

/// Drops what a kill left in the staging area of packages that are whole; returns how many.
pub async fn sweep(app: &AppState) -> Result<usize, IntakeError> {
    let mut swept = 0;
    for id in app.evidence.staged().await? {
        let whole: Option<i64> = sqlx::query_scalar(
            "SELECT received_at FROM evidence WHERE id = $1 AND received_at IS NOT NULL",
        )
        .bind(id.as_str())
        .fetch_optional(app.store.pool())
        .await?;
        if whole.is_some() {
            app.evidence.discard_staged(&id).await?;
            swept += 1;
        }
    }
    Ok(swept)
}
