//! Somebody names a fault and a period. That freezes cases, so one person is enough: nothing is
//! decided by it.

use time::{Duration, OffsetDateTime};

use super::{Cause, Recall};
use crate::AppState;
use crate::audit::{self, Entry};
use crate::jobs::{self, Job};
use crate::store::{StoreError, new_id, to_ms};

/// Longest period: what is older is barred.
const LONGEST: Duration = Duration::days(5 * 366);

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("what is at fault must be named in 1 to 200 characters on one line")]
    Value,
    #[error("the period must begin before it ends, and have five years at most")]
    Period,
    #[error("a reason of 10 to 500 characters on one line is needed")]
    Reason,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens a recall by the user `by` of the login `login`; its cases are listed by a job.
pub async fn open(
    state: &AppState,
    (by, login): (&str, &str),
    (cause, value): (Cause, &str),
    (from, to): (OffsetDateTime, OffsetDateTime),
    reason: &str,
) -> Result<Recall, OpenError> {
    let value = value.trim();
    if !(1..=200).contains(&value.chars().count()) || value.chars().any(char::is_control) {
        return Err(OpenError::Value);
    }
    if from >= to || to - from > LONGEST {
        return Err(OpenError::Period);
    }
    let reason = audit::reason(reason).ok_or(OpenError::Reason)?;
    let now = state.clock.now();
    let recall = Recall {
        id: new_id(now),
        cause,
        value: value.into(),
        from,
        to,
        reason: reason.into(),
        opened_by: by.into(),
        opened_at: now,
        listed_at: None,
    };
    let mut tx = state.store.begin().await?;
    sqlx::query(
        "INSERT INTO recalls (id, cause, value, from_at, to_at, reason, opened_by, opened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(recall.id.clone())
    .bind(cause.name())
    .bind(recall.value.clone())
    .bind(to_ms(from))
    .bind(to_ms(to))
    .bind(recall.reason.clone())
    .bind(by.to_owned())
    .bind(to_ms(now))
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    let job = Job::ListRecall { recall: recall.id.clone(), place: None };
    jobs::ask(&mut tx, &job, now).await?;
    let entry = Entry {
        at: now,
        actor: &format!("user:{login}"),
        action: "recall.opened",
        subject_kind: "recall",
        subject_id: &recall.id,
        detail: serde_json::json!({
            "cause": cause,
            "value": recall.value,
            "from": to_ms(from),
            "to": to_ms(to),
            "note": recall.reason,
            "by": by,
        }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    state.bell.notify_one();
    Ok(recall)
}
