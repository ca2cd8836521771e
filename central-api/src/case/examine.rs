//! Everything an officer decides on: the case, each of its packages, and whether their seals and
//! files hold now.

use std::collections::HashMap;

use contract::package::{self, Failure};
use contract::plate::PlateColour;
use contract::seal::VerifyingKey;
use contract::{FileRole, Manifest};
use judge::basis::{Again, Basis, BasisError};
use sqlx::Row as _;
use time::{Duration, OffsetDateTime};

use super::gate::{self, Bench, Gate};
use super::recalled;
use super::record::Case;
use super::related::{self, Related};
use crate::AppState;
use crate::evidence::{EvidenceError, codec};
use crate::store::{Store, StoreError, from_ms};

/// A case on the table.
#[derive(Debug)]
pub struct Examination {
    pub case: Case,
    /// The package that carries it.
    pub proof: Proof,
    /// Further packages of the same passage, in the order in which they came. They are shown, and
    /// decide nothing.
    pub further: Vec<Proof>,
    pub gate: Gate,
    /// Other cases of nearly the same number at about the same time.
    pub related: Vec<Related>,
}

impl Examination {
    /// Whether it may be a vehicle on duty, which may do much of what others may not: by lights that
    /// a camera noticed, or the plate of the armed forces or of a state body. For the reviewer to
    /// look at; it decides nothing.
    pub fn may_be_on_duty(&self) -> bool {
        let plate = matches!(self.case.plate_colour, Some(PlateColour::Red | PlateColour::Blue));
        let mut proofs = [&self.proof].into_iter().chain(&self.further);
        plate
            || proofs
                .any(|proof| proof.manifest.as_ref().is_some_and(|it| it.violation.may_be_on_duty))
    }
}

/// One package, looked at now.
#[derive(Debug)]
pub struct Proof {
    pub evidence_id: String,
    pub received_at: OffsetDateTime,
    /// Absent only where the stored bytes are no manifest.
    pub manifest: Option<Manifest>,
    /// The manifest's exact bytes.
    pub manifest_text: String,
    /// Name of the key that sealed it.
    pub key_id: String,
    pub failures: Vec<Failure>,
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

/// Loads a case and verifies its evidence: seal, manifest, digest of every file of each package.
pub async fn examine(state: &AppState, case_id: &str) -> Result<Examination, ExamineError> {
    let case = super::find(&state.store, case_id)
        .await?
        .ok_or_else(|| ExamineError::NotFound(case_id.to_owned()))?;
    let proof = look(state, &case.evidence_id).await?;
    let mut further = Vec::new();
    for id in further_ids(&state.store, &case).await? {
        further.push(look(state, &id).await?);
    }
    let limits = state.terms().limits;
    let related = related::related(&state.store, &case, proof.manifest.as_ref(), &limits).await?;
    let held = recalled::held_by(&state.store, &case.id).await?;
    let bench = Bench {
        now: state.clock.now(),
        law: &state.law,
        max_clock_offset: Duration::milliseconds(i64::from(limits.clock_offset_ms)),
        max_ahead: Duration::seconds(i64::from(state.config.device.max_future_seconds)),
        related: &related,
        recall: held.as_deref(),
    };
    let gate = gate::check(&case, proof.manifest.as_ref(), &proof.failures, bench);
    Ok(Examination { case, proof, further, gate, related })
}

/// The packages of `case` beside the one that carries it, in the order in which they came.
async fn further_ids(store: &Store, case: &Case) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT id FROM evidence WHERE case_id = $1 AND id <> $2 ORDER BY received_at, id",
    )
    .bind(case.id.clone())
    .bind(case.evidence_id.clone())
    .fetch_all(store.pool())
    .await?)
}

async fn look(state: &AppState, evidence_id: &str) -> Result<Proof, ExamineError> {
    let sealed = sealed(&state.store, evidence_id).await?;
    let parsed = Manifest::parse(sealed.manifest.as_bytes()).ok();
    let mut files = HashMap::new();
    for entry in parsed.iter().flat_map(|manifest| &manifest.files) {
        match state.evidence.read(evidence_id, &entry.name).await {
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
    Ok(Proof {
        evidence_id: evidence_id.to_owned(),
        received_at: sealed.received_at,
        manifest: parsed,
        manifest_text: sealed.manifest,
        key_id: sealed.key_id,
        failures,
        clip_codec,
        again,
    })
}

struct Sealed {
    manifest: String,
    seal: String,
    key_id: String,
    key_pem: String,
    received_at: OffsetDateTime,
}

/// The stored manifest, its seal and the enrolled key it claims: not a key from the package.
async fn sealed(store: &Store, evidence_id: &str) -> Result<Sealed, StoreError> {
    let row = sqlx::query(
        "SELECT e.manifest, e.seal, e.key_id, e.received_at, k.pem FROM evidence e
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
        received_at: from_ms(row.try_get("received_at")?)?,
    })
}
