//! The job that notes what the packages of before were made with.

use contract::Manifest;
use sqlx::Row as _;

use super::RecallError;
use crate::AppState;
use crate::case;
use crate::jobs::{self, Done, Job, Taken};
use crate::store::StoreError;

/// Packages of one attempt.
const BATCH: i64 = 500;

/// Traces packages of before there was this, some at a time.
pub async fn trace(state: &AppState, taken: &Taken, after: &str) -> Result<Done, RecallError> {
    let rows = sqlx::query("SELECT id, manifest FROM evidence WHERE id > $1 ORDER BY id LIMIT $2")
        .bind(after.to_owned())
        .bind(BATCH)
        .fetch_all(state.store.pool())
        .await
        .map_err(StoreError::from)?;
    let mut tx = state.store.begin().await?;
    let mut last = None;
    for row in &rows {
        let text: String = row.try_get("manifest").map_err(StoreError::from)?;
        last = Some(row.try_get::<String, _>("id").map_err(StoreError::from)?);
        if let Ok(manifest) = Manifest::parse(text.as_bytes()) {
            case::trace(&mut tx, &manifest).await?;
        }
    }
    let done = taken.done(&mut tx).await?;
    if let Some(after) = last {
        jobs::ask(&mut tx, &Job::TraceEvidence { after }, state.clock.now()).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}
