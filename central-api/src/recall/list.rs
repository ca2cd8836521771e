//! The job that finds the cases a fault touched and freezes them, in pages, each in a transaction of
//! its own: whoever decides meanwhile finds the case frozen or has decided before.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Cause, Recall, RecallError, find};
use crate::AppState;
use crate::audit::{self, Entry};
use crate::jobs::{self, Done, Job, Taken};
use crate::law::Provision;
use crate::store::{StoreError, Tx, to_ms};

/// Cases of one page.
const PAGE: usize = 1_000;

/// Reads a page of the cases of a cause: id, act's time, state and law, after a moment and an id.
/// $1 is the cause's value, $2 and $3 where the page begins, $4 where the period ends.
pub fn list_texts(cause: Cause) -> Vec<String> {
    let of = |condition: &str| {
        format!(
            "SELECT c.id, c.act_at AS at, c.state, c.law, c.id AS seen FROM cases c
             WHERE {condition} (c.act_at, c.id) > ($2, $3) AND c.act_at < $4
             ORDER BY c.act_at, c.id LIMIT {PAGE}"
        )
    };
    match cause {
        Cause::Camera => vec![of("c.camera_id = $1 AND")],
        Cause::Device => vec![of("c.device_id = $1 AND")],
        Cause::Officer => vec![of("c.reviewer = $1 AND"), of("c.approver = $1 AND")],
        // Which provision was chosen stands in the case alone.
        Cause::Law => vec![of("$1 <> '' AND")],
        Cause::Model | Cause::Config => {
            let kind = cause.name();
            vec![format!(
                "SELECT e.case_id AS id, t.captured_at AS at, c.state, c.law, t.evidence_id AS seen
                 FROM evidence_causes t JOIN evidence e ON e.id = t.evidence_id
                 JOIN cases c ON c.id = e.case_id
                 WHERE t.kind = '{kind}' AND t.value = $1
                     AND (t.captured_at, t.evidence_id) > ($2, $3) AND t.captured_at < $4
                 ORDER BY t.captured_at, t.evidence_id LIMIT {PAGE}"
            )]
        }
    }
}

/// Lists a recall's cases, then asks for their judging.
pub async fn list(state: &AppState, taken: &Taken, id: &str) -> Result<Done, RecallError> {
    let Some(recall) = find(&state.store, id).await?.filter(|it| it.listed_at.is_none()) else {
        return Ok(taken.nothing_left(&state.store).await?);
    };
    let mut frozen = 0_u64;
    for text in list_texts(recall.cause) {
        // From just before the period's first millisecond.
        let mut from = (to_ms(recall.from) - 1, "\u{10ffff}".to_owned());
        loop {
            let rows = sqlx::query(AssertSqlSafe(text.clone()))
                .bind(recall.value.clone())
                .bind(from.0)
                .bind(from.1.clone())
                .bind(to_ms(recall.to))
                .fetch_all(state.store.pool())
                .await
                .map_err(StoreError::from)?;
            let Some(last) = rows.last() else { break };
            from = end(last)?;
            let mut tx = state.store.begin().await?;
            for row in &rows {
                if is_touched(&recall, row)? {
                    frozen += freeze(&mut tx, &recall.id, row).await?;
                }
            }
            tx.commit().await.map_err(StoreError::from)?;
            if rows.len() < PAGE {
                break;
            }
        }
    }
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    sqlx::query("UPDATE recalls SET listed_at = $1 WHERE id = $2")
        .bind(to_ms(now))
        .bind(recall.id.clone())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)?;
    let done = taken.done(&mut tx).await?;
    jobs::ask(&mut tx, &Job::JudgeRecall { recall: recall.id.clone() }, now).await?;
    let entry = Entry {
        at: now,
        actor: "system",
        action: "recall.listed",
        subject_kind: "recall",
        subject_id: &recall.id,
        detail: serde_json::json!({ "cases": frozen }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

fn end(row: &AnyRow) -> Result<(i64, String), StoreError> {
    Ok((row.try_get("at")?, row.try_get("seen")?))
}

/// Whether there is anything left to undo, and the cause is the case's own.
fn is_touched(recall: &Recall, row: &AnyRow) -> Result<bool, StoreError> {
    let state: String = row.try_get("state")?;
    if matches!(state.as_str(), "rejected" | "withdrawn" | "expired") {
        return Ok(false);
    }
    if recall.cause != Cause::Law {
        return Ok(true);
    }
    let law: Option<String> = row.try_get("law")?;
    let law: Option<Provision> = law.and_then(|law| serde_json::from_str(&law).ok());
    Ok(law.is_some_and(|law| format!("{} {}", law.decree, law.key()) == recall.value))
}

async fn freeze(tx: &mut Tx<'_>, recall: &str, row: &AnyRow) -> Result<u64, StoreError> {
    let case: String = row.try_get("id")?;
    let frozen = sqlx::query(
        "INSERT INTO recalled (recall_id, case_id, state) VALUES ($1, $2, 'frozen')
         ON CONFLICT (case_id, recall_id) DO NOTHING",
    )
    .bind(recall.to_owned())
    .bind(case)
    .execute(&mut **tx)
    .await?;
    Ok(frozen.rows_affected())
}
