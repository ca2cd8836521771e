//! A sealed manifest comes in: checked against the device, its key and its chain, then kept.

use axum::Json;
use axum::extract::{Request, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use contract::chain::{ChainError, Head};
use contract::manifest::MAX_MANIFEST_BYTES;
use contract::package::{Failure, open_manifest, seal_text};
use contract::seal::{MAX_JWS_BYTES, SealError};
use contract::wire::{Announcement, Progress};
use contract::{Digest, Manifest};
use sqlx::Row as _;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::guard::read_body;
use super::{Caller, Intake, IntakeError, complete};
use crate::device::enrol::{self, SealKey};
use crate::device::settle::{self, Position};
use crate::device::stuck;
use crate::store::{Constraint, OnConstraint as _, StoreError, Tx, to_ms};
use crate::{audit, case};

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
    let now = intake.app.clock.now();
    match take(&intake, &caller, &announcement, &keys, now).await {
        Ok(evidence_id) => Ok(Json(complete::progress(&intake.app, evidence_id).await?)),
        Err((error, sequence)) => {
            if error.sticks() {
                let store = &intake.app.store;
                stuck::note(store, &caller.device_id, now, sequence, error.code()).await?;
            }
            Err(error)
        }
    }
}

/// Takes a manifest on record; an error comes with the number it is about, where that is known.
async fn take(
    intake: &Intake,
    caller: &Caller,
    announcement: &Announcement,
    keys: &[SealKey],
    now: OffsetDateTime,
) -> Result<Uuid, (IntakeError, Option<i64>)> {
    let device = &intake.app.config.device;
    let skew = Duration::seconds(i64::from(device.max_future_seconds));
    let wait = Duration::minutes(i64::from(device.future_wait_minutes));
    let sealed = open(announcement, caller, keys, skew).map_err(|error| (error, None))?;
    let sequence = i64::try_from(sealed.manifest.sequence).ok();
    let kept = match check_times(&sealed.manifest, now, skew, wait) {
        Ok(parked) => record(intake, caller, &sealed, parked.as_deref(), now).await,
        Err(error) => Err(error),
    };
    kept.map_err(|error| (error, sequence))?;
    Ok(sealed.manifest.evidence_id)
}

/// Checks the seal, then who the manifest speaks for.
fn open(
    announcement: &Announcement,
    caller: &Caller,
    keys: &[SealKey],
    skew: Duration,
) -> Result<Sealed, IntakeError> {
    let bytes = B64.decode(&announcement.manifest).map_err(|e| {
        IntakeError::BadRequest(format!("manifest must be standard base64 with padding: {e}"))
    })?;
    let foreign = |manifest: &Manifest| manifest.device.id != caller.device_id;
    let mut refusal = SealError::Malformed;
    for SealKey { key, ended_at } in keys {
        match open_manifest(key, &bytes, &announcement.seal) {
            Ok(manifest) if foreign(&manifest) => {
                return Err(IntakeError::ForeignDevice(caller.device_id.clone()));
            }
            // The box's own word on when it was, but the box speaks with its new certificate.
            Ok(manifest) if ended_at.is_some_and(|ended| latest(&manifest).1 - ended > skew) => {
                return Err(IntakeError::SupersededKey(key.id()));
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

/// The latest time a manifest tells, and of what.
fn latest(manifest: &Manifest) -> (&str, OffsetDateTime) {
    let files = manifest.files.iter().map(|file| (file.name.as_str(), file.captured_at));
    files.fold(("violation.at", manifest.violation.at), |a, b| if b.1 > a.1 { b } else { a })
}

/// Whether a manifest can be of now: `skew` ahead is, up to `wait` ahead will be when the box asks
/// again. What lies further ahead has no true time; it would hold up the whole box, so it is taken
/// and parked, for the reason given.
fn check_times(
    manifest: &Manifest,
    now: OffsetDateTime,
    skew: Duration,
    wait: Duration,
) -> Result<Option<String>, IntakeError> {
    let (field, at) = latest(manifest);
    let ahead = at - now;
    if ahead <= skew {
        return Ok(None);
    }
    if ahead > wait.max(skew) {
        return Ok(Some(format!("{field} lay {} s ahead of the clock", ahead.whole_seconds())));
    }
    let (field, ahead_seconds) = (field.to_owned(), ahead.whole_seconds());
    Err(IntakeError::FutureCapture { field, ahead_seconds })
}

/// Puts the manifest on record and moves the device's chain, or finds that it is there already.
async fn record(
    intake: &Intake,
    caller: &Caller,
    sealed: &Sealed,
    parked: Option<&str>,
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
    let (run, head) = read_head(&device)?;
    let position = match head.advance(&sealed.manifest, sealed.text.as_bytes()) {
        Ok(head) => stored(run, head.sequence)?,
        Err(broken) => {
            let sequence = sealed.manifest.sequence;
            let over = stored(run, sequence)?;
            let again = stored(run + 1, sequence)?;
            let gap = matches!(broken, ChainError::Gap { .. });
            if gap && settle::settled(&mut tx, &caller.device_id, over).await? {
                over
            } else if settle::settled(&mut tx, &caller.device_id, again).await? {
                again
            } else {
                return Err(IntakeError::Chain(broken));
            }
        }
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
    insert(&mut tx, caller, sealed, position, parked, now).await?;
    sqlx::query("UPDATE devices SET head_sequence = $1, head_digest = $2 WHERE id = $3")
        .bind(position)
        .bind(sealed.digest.to_string())
        .bind(caller.device_id.as_str())
        .execute(&mut *tx)
        .await?;
    stuck::clear(&mut tx, &caller.device_id).await?;
    let entry = audit::Entry {
        at: now,
        actor: &format!("device:{}", caller.device_id),
        action: "evidence.announced",
        subject_kind: "evidence",
        subject_id: &id,
        detail: serde_json::json!({
            "sequence": sealed.manifest.sequence,
            "manifest": sealed.digest.to_string(),
            "parked": parked,
        }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await?;
    metrics::counter!("evidence_announced_total").increment(1);
    if let Some(why) = parked {
        metrics::counter!("evidence_parked_total").increment(1);
        tracing::error!(
            evidence_id = %id,
            device = caller.device_id,
            why,
            "evidence parked without a case: see `central-api admin list-parked`"
        );
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx<'_>,
    caller: &Caller,
    sealed: &Sealed,
    position: i64,
    parked: Option<&str>,
    now: OffsetDateTime,
) -> Result<(), IntakeError> {
    let manifest = &sealed.manifest;
    let id = manifest.evidence_id.to_string();
    sqlx::query(
        "INSERT INTO evidence (id, device_id, sequence, manifest, manifest_digest, seal, key_id,
                               captured_at, announced_at, parked)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(id.as_str())
    .bind(caller.device_id.as_str())
    .bind(position)
    .bind(sealed.text.as_str())
    .bind(sealed.digest.to_string())
    .bind(sealed.seal.as_str())
    .bind(sealed.key_id.as_str())
    .bind(to_ms(manifest.violation.at))
    .bind(to_ms(now))
    .bind(parked.map(str::to_owned))
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
        .bind(case::name_of(&file.role))
        .bind(file.media_type.as_str())
        .bind(file.sha256.to_string())
        .bind(signed(file.bytes)?)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The run of the device's numbers and the end of its chain in it.
fn read_head(row: &sqlx::any::AnyRow) -> Result<(i64, Head), IntakeError> {
    let Position { run, sequence } = Position::read(row.try_get("head_sequence")?);
    let digest: Option<String> = row.try_get("head_digest")?;
    let digest = digest
        .map(|text| text.parse().map_err(|_| StoreError::corrupt("head digest", text)))
        .transpose()?;
    Ok((run, Head { sequence, digest }))
}

fn stored(run: i64, sequence: u64) -> Result<i64, IntakeError> {
    let position = Position { run, sequence }.stored();
    position.ok_or_else(|| {
        IntakeError::BadRequest(format!("sequence {sequence} is beyond what can be counted"))
    })
}

fn signed(value: u64) -> Result<i64, IntakeError> {
    i64::try_from(value)
        .map_err(|_| IntakeError::BadRequest(format!("{value} is beyond what can be counted")))
}
