//! Evidence that is kept whole and has no case: its times cannot be right, so it accuses nobody
//! until an administrator has looked at it. The box's chain goes on over it.

use contract::Manifest;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::settle;
use crate::store::{Store, StoreError, from_ms, to_ms};
use crate::{audit, case};

#[derive(Debug, thiserror::Error)]
pub enum ParkedError {
    #[error("evidence {0} is not parked: see `central-api admin list-parked`")]
    Unknown(String),
    #[error("evidence {0} has not arrived whole yet")]
    Incomplete(String),
    #[error("evidence {id} is dated {at}, which is still to come: it can only be closed")]
    Future { id: String, at: OffsetDateTime },
    #[error("say in 10 to 500 characters why: an auditor will read it")]
    Reason,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ParkedError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// Evidence that waits.
#[derive(Debug, Clone)]
pub struct Parked {
    pub id: String,
    pub device_id: String,
    pub sequence: String,
    pub captured_at: OffsetDateTime,
    pub whole: bool,
    pub why: String,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A case, for the officers to decide.
    Case,
    /// No case, for good; the evidence stays.
    Closed,
}

/// Everything that waits, by box and number.
pub async fn list(store: &Store) -> Result<Vec<Parked>, StoreError> {
    // Put in order here: asked for it, SQLite walks all evidence in that order.
    let rows = sqlx::query(
        "SELECT id, device_id, sequence, captured_at, received_at, parked FROM evidence
         WHERE parked IS NOT NULL AND closed_at IS NULL AND case_id IS NULL",
    )
    .fetch_all(store.pool())
    .await?;
    let mut parked = rows
        .iter()
        .map(|row| {
            let sequence: i64 = row.try_get("sequence")?;
            let entry = Parked {
                id: row.try_get("id")?,
                device_id: row.try_get("device_id")?,
                sequence: settle::in_words(sequence),
                captured_at: from_ms(row.try_get("captured_at")?)?,
                whole: row.try_get::<Option<i64>, _>("received_at")?.is_some(),
                why: row.try_get("parked")?,
            };
            Ok((sequence, entry))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    parked.sort_by(|(a, x), (b, y)| (&x.device_id, a).cmp(&(&y.device_id, b)));
    Ok(parked.into_iter().map(|(_, entry)| entry).collect())
}

/// Decides about one; the audit keeps why. Gives the case's id where there is one now.
pub async fn decide(
    store: &Store,
    terms: case::Terms<'_>,
    now: OffsetDateTime,
    id: &str,
    verdict: Verdict,
    reason: &str,
) -> Result<Option<String>, ParkedError> {
    let reason = audit::reason(reason).ok_or(ParkedError::Reason)?;
    let mut tx = store.begin().await?;
    // Takes the row: of two administrators the second finds it decided.
    let row = sqlx::query(
        "UPDATE evidence SET closed_at = $1
         WHERE id = $2 AND parked IS NOT NULL AND closed_at IS NULL AND case_id IS NULL
         RETURNING manifest, received_at",
    )
    .bind(to_ms(now))
    .bind(id)
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| ParkedError::Unknown(id.to_owned()))?;
    let mut opened = None;
    if verdict == Verdict::Case {
        if row.try_get::<Option<i64>, _>("received_at")?.is_none() {
            return Err(ParkedError::Incomplete(id.to_owned()));
        }
        let text: String = row.try_get("manifest")?;
        let manifest =
            Manifest::parse(text.as_bytes()).map_err(|e| StoreError::corrupt("manifest", e))?;
        let captured = manifest.files.iter().map(|file| file.captured_at);
        let latest = captured.fold(manifest.violation.at, OffsetDateTime::max);
        if latest > now {
            return Err(ParkedError::Future { id: id.to_owned(), at: latest });
        }
        opened = Some(case::open(&mut tx, terms, &manifest, now).await?);
        sqlx::query("UPDATE evidence SET closed_at = NULL WHERE id = $1")
            .bind(id)
            .execute(&mut *tx)
            .await?;
    }
    let entry = audit::Entry {
        at: now,
        actor: "system",
        action: if opened.is_some() { "evidence.unparked" } else { "evidence.closed" },
        subject_kind: "evidence",
        subject_id: id,
        detail: serde_json::json!({ "reason": reason, "case": opened }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await?;
    Ok(opened)
}
