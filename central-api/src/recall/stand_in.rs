//! Whoever asked for an annulment or agreed with it may be no approver any more before all of it is done:
//! nothing more is undone in their name. Another approver stands in, so that there are two again.

use serde_json::json;
use sqlx::AssertSqlSafe;

use super::note_down;
use super::settle::{SettleError, held};
use super::undo::is_approver;
use crate::AppState;
use crate::admin::users;
use crate::jobs::{self, Job};
use crate::store::{Store, StoreError};

/// What one of two people did.
const PARTS: [(&str, &str); 2] = [("asked_by", "decided_by"), ("decided_by", "asked_by")];

/// Puts $1 in the place of $2 among the cases of the recall $3 that are being annulled, where the other
/// of the two is not $1; and counts these.
pub fn stand_in_texts() -> Vec<[String; 2]> {
    let of = |(mine, others): (&str, &str)| {
        let which =
            format!("recall_id = $3 AND state = 'annulling' AND {mine} = $2 AND {others} <> $1");
        [
            format!("UPDATE recalled SET {mine} = $1 WHERE {which}"),
            format!("SELECT COUNT(*) FROM recalled WHERE {which}"),
        ]
    };
    PARTS.map(of).into()
}

/// Those who asked for annulments that are not done yet, or agreed with them, and may do so no more.
async fn gone(store: &Store, recall: &str) -> Result<Vec<String>, StoreError> {
    let people: Vec<String> = sqlx::query_scalar(
        "SELECT asked_by FROM recalled WHERE recall_id = $1 AND state = 'annulling'
         UNION SELECT decided_by FROM recalled WHERE recall_id = $1 AND state = 'annulling'",
    )
    .bind(recall.to_owned())
    .fetch_all(store.pool())
    .await?;
    let mut gone = Vec::new();
    for id in people {
        if !users::find(store, &id).await?.as_ref().is_some_and(is_approver) {
            gone.push(id);
        }
    }
    Ok(gone)
}

/// Whether there are cases for which `by` may stand in.
pub async fn orphaned(store: &Store, recall: &str, by: &str) -> Result<bool, StoreError> {
    for gone in gone(store, recall).await? {
        for [_, count] in stand_in_texts() {
            let cases: i64 = sqlx::query_scalar(AssertSqlSafe(count))
                .bind(by.to_owned())
                .bind(gone.clone())
                .bind(recall.to_owned())
                .fetch_one(store.pool())
                .await?;
            if cases > 0 {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Stands in for whoever is gone, and has the annulment go on; returns for how many cases. Of two who
/// are both gone, one place is taken: the other is another person's.
pub async fn stand_in(state: &AppState, id: &str, by: (&str, &str)) -> Result<u64, SettleError> {
    let (mut tx, recall) = held(state, id, by).await?;
    let now = state.clock.now();
    let mut steps = Vec::new();
    for gone in gone(&state.store, &recall.id).await? {
        for ((part, _), [place, _]) in PARTS.into_iter().zip(stand_in_texts()) {
            let cases = sqlx::query(AssertSqlSafe(place))
                .bind(by.0.to_owned())
                .bind(gone.clone())
                .bind(recall.id.clone())
                .execute(&mut *tx)
                .await
                .map_err(StoreError::from)?
                .rows_affected();
            if cases > 0 {
                steps.push((cases, part, gone.clone()));
            }
        }
    }
    if steps.is_empty() {
        return Err(SettleError::Nothing);
    }
    jobs::ask(&mut tx, &Job::SettleRecall { recall: recall.id.clone() }, now).await?;
    let actor = format!("user:{}", by.1);
    for (cases, part, gone) in &steps {
        let said = json!({ "by": by.0, "for": gone, "part": part, "cases": cases });
        note_down(&mut tx, &recall.id, (&actor, "stood_in"), now, said).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    state.bell.notify_one();
    Ok(steps.iter().map(|step| step.0).sum())
}
