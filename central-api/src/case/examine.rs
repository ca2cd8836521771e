//! Everything an officer decides on: the case, its manifest, and whether seal and files hold now.

use std::collections::HashMap;

use contract::package::{self, Failure};
use contract::seal::VerifyingKey;
use contract::{FileRole, Manifest};
use judge::basis::{Again, Basis, BasisError};
use sqlx::Row as _;
use time::Duration;

use super::gate::{self, Bench, Gate};
use super::record::Case;
use super::related::{self, Related};
use crate::AppState;
use crate::evidence::{EvidenceError, codec};
use crate::store::{Store, StoreError};

/// A case on the table.
#[derive(Debug)]
pub struct Examination {
    pub case: Case,
    /// Absent only where the stored bytes are no manifest.
    pub manifest: Option<Manifest>,
    /// The manifest's exact bytes.
    pub manifest_text: String,
    /// Name of the key that sealed it.
    pub key_id: String,
    pub failures: Vec<Failure>,
    pub gate: Gate,
    /// Other cases of the same number at about the same time.
    pub related: Vec<Related>,
    /// How the clip is coded (RFC 6381), where it says.
    pub clip_codec: Option<String>,
    /// The verdict of this program's rules on what was sealed; none of a package that did not seal
    /// what its verdict stood on.
    pub again: Option<Result<Again, BasisError>>,
}

#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    #[error("there is no case {0}")]
    NotFound(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

/// Loads a case and verifies its evidence: seal, manifest, digest of every file.
pub async fn examine(state: &AppState, case_id: &str) -> Result<Examination, ExamineError> {
    let case = super::find(&state.store, case_id)
        .await?
        .ok_or_else(|| ExamineError::NotFound(case_id.to_owned()))?;
    let sealed = sealed(&state.store, &case.evidence_id).await?;
    let parsed = Manifest::parse(sealed.manifest.as_bytes()).ok();
    let mut files = HashMap::new();
    for entry in parsed.iter().flat_map(|manifest| &manifest.files) {
        match state.evidence.read(&case.evidence_id, &entry.name).await {
            Ok(content) => {
                files.insert(entry.name.clone(), content);
            }
            // Named as missing by the verification below.
            Err(EvidenceError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let again = parsed.as_ref().and_then(|manifest| {
        let basis = files.get(&manifest.file(FileRole::Basis)?.name)?;
        Some(Basis::parse(basis).and_then(|basis| basis.again(manifest)))
    });
    let clip = parsed.as_ref().and_then(|manifest| manifest.file(FileRole::Clip));
    let clip_codec = clip.and_then(|clip| codec::of_mp4(files.get(&clip.name)?));
    let failures = match VerifyingKey::from_pem(&sealed.key_pem) {
        Ok(key) => package::verify(&key, sealed.manifest.as_bytes(), &sealed.seal, |entry| {
            files.remove(&entry.name).map(|content| content.to_vec())
        }),
        Err(error) => vec![Failure::Seal(error)],
    };
    let limits = &state.config.cases;
    let related = related::related(
        &state.store,
        &case,
        parsed.as_ref().map(|manifest| &manifest.camera),
        parsed.as_ref().map(|manifest| manifest.unit.code.as_str()),
        Duration::minutes(i64::from(limits.same_act_minutes)),
    )
    .await?;
    let bench = Bench {
        now: state.clock.now(),
        max_clock_offset: Duration::milliseconds(i64::from(limits.max_clock_offset_ms)),
        max_ahead: Duration::seconds(i64::from(state.config.device.max_future_seconds)),
        related: &related,
    };
    let gate = gate::check(&case, parsed.as_ref(), &failures, bench);
    Ok(Examination {
        related,
        clip_codec,
        again,
        case,
        manifest: parsed,
        manifest_text: sealed.manifest,
        key_id: sealed.key_id,
        failures,
        gate,
    })
}

struct Sealed {
    manifest: String,
    seal: String,
    key_id: String,
    key_pem: String,
}

/// The stored manifest, its seal and the enrolled key it claims: not a key from the package.
async fn sealed(store: &Store, evidence_id: &str) -> Result<Sealed, StoreError> {
    let row = sqlx::query(
        "SELECT e.manifest, e.seal, e.key_id, k.pem FROM evidence e
         JOIN device_keys k ON k.device_id = e.device_id AND k.key_id = e.key_id
         WHERE e.id = $1",
    )
    .bind(evidence_id)
    .fetch_one(store.pool())
    .await?;
    Ok(Sealed {
        manifest: row.try_get("manifest")?,
        seal: row.try_get("seal")?,
        key_id: row.try_get("key_id")?,
        key_pem: row.try_get("pem")?,
    })
}
