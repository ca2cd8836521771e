//! A sealed manifest comes in: checked against the device, its key and its chain, then kept.

use axum::Json;
use axum::extract::{Request, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use contract::chain::{ChainError, Head};
use contract::manifest::MAX_MANIFEST_BYTES;
use contract::package::{Failure, open_manifest, seal_text};
use contract::seal::{MAX_JWS_BYTES, SealError, VerifyingKey};
use contract::wire::{Announcement, Progress};
use contract::{Digest, Manifest};
use sqlx::Row as _;
use time::{Duration, OffsetDateTime};

use super::guard::read_body;
use super::{Caller, Intake, IntakeError, complete};
use crate::audit;
use crate::device::{enrol, settle};
use crate::store::{Constraint, OnConstraint as _, StoreError, Tx, to_ms};

/// Base64 of the largest manifest, the largest seal, and the JSON around them.
const MAX_ANNOUNCEMENT_BYTES: usize = MAX_MANIFEST_BYTES.div_ceil(3) * 4 + MAX_JWS_BYTES + 1024;

const EVIDENCE_ID: Constraint = Constraint { name: "evidence_id", columns: "evidence.id" };

/// A manifest whose seal holds.
struct Sealed {
    manifest: Manifest,
    /// The exact bytes under the seal.
    text: String,
    digest: Digest,
    seal: String,
    key_id: String,
}

pub(super) async fn announce(
    State(intake): State<Intake>,
    axum::Extension(caller): axum::Extension<Caller>,
    request: Request,
) -> Result<Json<Progress>, IntakeError> {
    let body = read_body(request, MAX_ANNOUNCEMENT_BYTES).await?;
    let announcement: Announcement = serde_json::from_slice(&body).map_err(|e| {
        IntakeError::BadRequest(format!(
            "the body must be JSON {{\"manifest\": BASE64, \"seal\": JWS}}: {e}"
        ))
    })?;
    let keys = enrol::seal_keys(&intake.app.store, &caller.device_id).await?;
    let sealed = open(&announcement, &caller, &keys)?;
    let now = intake.app.clock.now();
    let skew = Duration::seconds(i64::from(intake.app.config.device.max_future_seconds));
    check_times(&sealed.manifest, now, skew)?;
    record(&intake, &caller, &sealed, now).await?;
    let evidence_id = sealed.manifest.evidence_id;
    Ok(Json(complete::progress(&intake.app, evidence_id).await?))
}

/// Checks the seal, then who the manifest speaks for.
fn open(
    announcement: &Announcement,
    caller: &Caller,
    keys: &[VerifyingKey],
) -> Result<Sealed, IntakeError> {
    let bytes = B64.decode(&announcement.manifest).map_err(|e| {
        IntakeError::BadRequest(format!("manifest must be standard base64 with padding: {e}"))
    })?;
    let foreign = |manifest: &Manifest| manifest.device.id != caller.device_id;
    let mut refusal = SealError::Malformed;
    for key in keys {
        match open_manifest(key, &bytes, &announcement.seal) {
            Ok(manifest) if foreign(&manifest) => {
                return Err(IntakeError::ForeignDevice(caller.device_id.clone()));
            }
            Ok(manifest) => {
                let digest = Digest::of(&bytes);
                let text = String::from_utf8(bytes)
                    .map_err(|_| IntakeError::BadRequest("manifest must be UTF-8".into()))?;
                let seal = seal_text(&announcement.seal).to_owned();
                return Ok(Sealed { manifest, text, digest, seal, key_id: key.id() });
            }
            Err(Failure::Manifest(error)) => return Err(IntakeError::BadManifest(error)),
            // The newest key's word is the most useful, unless an older one gets further.
            Err(Failure::Seal(error)) => match error {
                SealError::Key { .. } if refusal != SealError::Malformed => {}
                _ => refusal = error,
            },
            // Only manifest and seal are looked at here.
            Err(_) => {}
        }
    }
    // Nothing is believed of an unsealed manifest but the courtesy of a better message.
    if Manifest::parse(&bytes).is_ok_and(|manifest| foreign(&manifest)) {
        return Err(IntakeError::ForeignDevice(caller.device_id.clone()));
    }
    Err(IntakeError::BadSeal(refusal))
}

fn check_times(
    manifest: &Manifest,
    now: OffsetDateTime,
    skew: Duration,
) -> Result<(), IntakeError> {
    let files = manifest.files.iter().map(|file| (file.name.as_str(), file.captured_at));
    for (field, at) in std::iter::once(("violation.at", manifest.violation.at)).chain(files) {
        if at - now > skew {
            return Err(IntakeError::FutureCapture {
                field: field.to_owned(),
                ahead_seconds: (at - now).whole_seconds(),
            });
        }
    }
    Ok(())
}

/// Puts the manifest on record and moves the device's chain, or finds that it is there already.
async fn record(
    intake: &Intake,
    caller: &Caller,
    sealed: &Sealed,
    now: OffsetDateTime,
) -> Result<(), IntakeError> {
    let mut tx = intake.app.store.begin().await?;
    // Takes the device's row: its announcements are dealt with one after the other.
    let device = sqlx::query(
        "UPDATE devices SET seen_at = $1 WHERE id = $2 AND revoked_at IS NULL
         RETURNING head_sequence, head_digest",
    )
    .bind(to_ms(now))
    .bind(caller.device_id.as_str())
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| IntakeError::RevokedDevice(caller.device_id.clone()))?;

    let id = sealed.manifest.evidence_id.to_string();
    let known: Option<(String, String)> =
        sqlx::query_as("SELECT device_id, manifest_digest FROM evidence WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&mut *tx)
            .await?;
    if let Some((device_id, digest)) = known {
        let same = device_id == caller.device_id && digest == sealed.digest.to_string();
        return if same { Ok(()) } else { Err(IntakeError::EvidenceConflict(id)) };
    }
    let head = match read_head(&device)?.advance(&sealed.manifest, sealed.text.as_bytes()) {
        Ok(head) => head,
        Err(ChainError::Gap { found, .. })
            if settle::settled(&mut tx, &caller.device_id, signed(found)?).await? =>
        {
            Head { sequence: found, digest: Some(sealed.digest) }
        }
        Err(broken) => return Err(IntakeError::Chain(broken)),
    };
    let open: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM evidence WHERE device_id = $1 AND received_at IS NULL",
    )
    .bind(caller.device_id.as_str())
    .fetch_one(&mut *tx)
    .await?;
    if open >= i64::from(intake.app.config.device.max_open_packages) {
        return Err(IntakeError::TooManyOpen(open));
    }
    insert(&mut tx, caller, sealed, now).await?;
    sqlx::query("UPDATE devices SET head_sequence = $1, head_digest = $2 WHERE id = $3")
        .bind(signed(head.sequence)?)
        .bind(head.digest.map(|digest| digest.to_string()))
        .bind(caller.device_id.as_str())
        .execute(&mut *tx)
        .await?;
    let entry = audit::Entry {
        at: now,
        actor: &format!("device:{}", caller.device_id),
        action: "evidence.announced",
        subject_kind: "evidence",
        subject_id: &id,
        detail: serde_json::json!({
            "sequence": sealed.manifest.sequence,
            "manifest": sealed.digest.to_string(),
        }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await?;
    metrics::counter!("evidence_announced_total").increment(1);
    Ok(())
}

async fn insert(
    tx: &mut Tx<'_>,
    caller: &Caller,
    sealed: &Sealed,
    now: OffsetDateTime,
) -> Result<(), IntakeError> {
    let manifest = &sealed.manifest;
    let id = manifest.evidence_id.to_string();
    sqlx::query(
        "INSERT INTO evidence (id, device_id, sequence, manifest, manifest_digest, seal, key_id,
                               captured_at, announced_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id.as_str())
    .bind(caller.device_id.as_str())
    .bind(signed(manifest.sequence)?)
    .bind(sealed.text.as_str())
    .bind(sealed.digest.to_string())
    .bind(sealed.seal.as_str())
    .bind(sealed.key_id.as_str())
    .bind(to_ms(manifest.violation.at))
    .bind(to_ms(now))
    .execute(&mut **tx)
    .await
    // Two devices announced one id at the same moment: the second learns it here.
    .on_constraint(EVIDENCE_ID, || IntakeError::EvidenceConflict(id.clone()))?;
    for file in &manifest.files {
        sqlx::query(
            "INSERT INTO evidence_files (evidence_id, name, role, media_type, sha256, bytes)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.as_str())
        .bind(file.name.as_str())
        .bind(role_name(file.role))
        .bind(file.media_type.as_str())
        .bind(file.sha256.to_string())
        .bind(signed(file.bytes)?)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

fn role_name(role: contract::FileRole) -> String {
    // The contract's own spelling, so that rows and manifests agree.
    serde_json::to_value(role)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn read_head(row: &sqlx::any::AnyRow) -> Result<Head, IntakeError> {
    let sequence: i64 = row.try_get("head_sequence")?;
    let digest: Option<String> = row.try_get("head_digest")?;
    let digest = digest
        .map(|text| text.parse().map_err(|_| StoreError::corrupt("head digest", text)))
        .transpose()?;
    let sequence =
        u64::try_from(sequence).map_err(|_| StoreError::corrupt("head sequence", sequence))?;
    Ok(Head { sequence, digest })
}

fn signed(value: u64) -> Result<i64, IntakeError> {
    i64::try_from(value)
        .map_err(|_| IntakeError::BadRequest(format!("{value} is beyond what can be counted")))
}
