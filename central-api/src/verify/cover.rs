//! The job that lets the audit vouch for rows that stood before it did: once for each subject, as its rows
//! are now. Of whom the audit has told any rows, it changes nothing.

use serde_json::json;
use sqlx::{AssertSqlSafe, Row as _};

use super::cases::entries;
use crate::AppState;
use crate::audit::{self, Entry, TABLES};
use crate::jobs::{self, Done, Job, JobError, Taken};
use crate::recall;
use crate::store::StoreError;

/// Subjects of one attempt.
const BATCH: i64 = 200;

#[derive(Debug, thiserror::Error)]
pub enum CoverError {
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Covers some subjects of the table, after one, and asks for the next.
pub async fn cover(
    state: &AppState,
    taken: &Taken,
    at: usize,
    after: &str,
) -> Result<Done, CoverError> {
    let Some(table) = TABLES.get(at) else { return Ok(taken.nothing_left(&state.store).await?) };
    let text = format!(
        "SELECT DISTINCT CAST({of} AS TEXT) AS subject FROM {name}
         WHERE CAST({of} AS TEXT) > $1 ORDER BY 1 LIMIT $2",
        of = table.of,
        name = table.name,
    );
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(after.to_owned())
        .bind(BATCH)
        .fetch_all(state.store.pool())
        .await
        .map_err(StoreError::from)?;
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    let mut next = Job::CoverRecords { table: at + 1, after: String::new() };
    let done = taken.done(&mut tx).await?;
    for row in &rows {
        let subject: String = row.try_get("subject").map_err(StoreError::from)?;
        let before = entries(&mut tx, table.kind, &subject).await?;
        if before.iter().any(|entry| audit::told(&entry.detail).is_some()) {
            next = Job::CoverRecords { table: at, after: subject };
            continue;
        }
        if table.kind == "recall" {
            recall::cover(&mut tx, &subject, now).await?;
        }
        let entry = Entry {
            at: now,
            actor: "system",
            action: "records.covered",
            subject_kind: table.kind,
            subject_id: &subject,
            detail: json!({}),
        };
        audit::append(&mut tx, entry).await?;
        next = Job::CoverRecords { table: at, after: subject };
    }
    jobs::ask(&mut tx, &next, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}
