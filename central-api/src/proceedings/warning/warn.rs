//! The job that warns of what has passed its term, once a day, shortly after midnight.

use time::OffsetDateTime;

use super::record::{Warning, list};
use super::{Cause, State, message};
use crate::AppState;
use crate::audit::{self, Entry};
use crate::case::{self, Case};
use crate::jobs::{self, Done, Job, JobError, Taken};
use crate::proceedings::payment;
use crate::store::{StoreError, Tx, to_ms};

/// Warnings looked at a query.
const PAGE: i64 = 200;
/// Warnings that one attempt sends: whoever is slower than a job's lease loses it.
const MOST: u64 = 1000;

#[derive(Debug, thiserror::Error)]
pub enum WarnError {
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Warns, each case in a transaction of its own, and asks for the next run: at once while there may
/// be more, else tomorrow.
pub async fn warn(state: &AppState, taken: &Taken) -> Result<Done, WarnError> {
    let now = state.clock.now();
    let (mut warned, mut full) = (0, false);
    for cause in Cause::ALL {
        let mut from = (i64::MIN, String::new());
        'cause: loop {
            let place = (from.0, from.1.as_str());
            let page = list(&state.store, cause, State::Running, place, PAGE).await?;
            for warning in &page {
                // They come in the order of their terms: whoever follows is not late either. A year
                // that is not announced is no reason to warn, nor to give the job up.
                let is_late = match state.law.end(cause.term(), warning.runs_from) {
                    Ok(end) => now > end.latest,
                    Err(error) => {
                        tracing::error!(%error, "no warnings go out beyond the calendar");
                        false
                    }
                };
                if !is_late || warned >= MOST {
                    full |= is_late;
                    break 'cause;
                }
                warned += u64::from(one(state, warning, now).await?);
            }
            let Some(last) = page.last().filter(|_| page.len() as i64 == PAGE) else { break };
            // The next after the last, whether it was warned of or not.
            from = (to_ms(last.runs_from), format!("{}\u{1}", last.case_id));
        }
    }
    if warned > 0 {
        tracing::info!(cases = warned, "warned of cases past their term");
    }
    let next = if full { now } else { case::tomorrow(now) };
    let mut tx = state.store.begin().await?;
    let done = taken.done(&mut tx).await?;
    jobs::ask_at(&mut tx, &Job::SendWarnings, now, next).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

/// Whether the fine of a case is past its term as it stands now: a deferral or parts to pay it in move that
/// term (Luật XLVPHC Điều 76, 79), and whoever keeps to them is warned of nowhere.
async fn is_overdue(
    state: &AppState,
    tx: &mut Tx<'_>,
    case: &str,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let Some(claim) = payment::live_of_case(tx, case).await? else { return Ok(false) };
    Ok(payment::standing(tx, &state.law, &claim, payment::today(now)).await?.is_overdue)
}

/// Whether it was this attempt that warned. Of a case whose withdrawal is considered nobody is warned
/// until that is decided.
async fn one(state: &AppState, warning: &Warning, now: OffsetDateTime) -> Result<bool, StoreError> {
    let case: Case = match case::find(&state.store, &warning.case_id).await {
        Ok(Some(case)) if case.state.is_pursued() => case,
        Ok(_) => return Ok(false),
        // One bad row holds up no other.
        Err(error @ StoreError::Corrupt { .. }) => {
            tracing::error!(case = warning.case_id, %error, "a case cannot be read: run `verify`");
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    // While a fault is looked into nobody is warned.
    if case::held_by(&state.store, &case.id).await?.is_some() {
        return Ok(false);
    }
    let mut tx = state.store.begin().await?;
    // A payment that is deferred, asked to be, or not due in this part yet is not late.
    if warning.cause == Cause::Unpaid && !is_overdue(state, &mut tx, &case.id, now).await? {
        return Ok(false);
    }
    let written = sqlx::query(
        "UPDATE warnings SET state = 'warned', warned_at = $1
         WHERE case_id = $2 AND cause = $3 AND state = 'running' AND runs_from = $4
           AND EXISTS (SELECT 1 FROM cases WHERE id = $2 AND version = $5)",
    )
    .bind(to_ms(now))
    .bind(case.id.clone())
    .bind(warning.cause.name())
    .bind(to_ms(warning.runs_from))
    .bind(case.version)
    .execute(&mut *tx)
    .await?;
    if written.rows_affected() == 0 {
        return Ok(false);
    }
    let told = message::warn(&mut tx, &case, warning.cause, now).await?;
    let entry = Entry {
        at: now,
        actor: "system",
        action: "warning.sent",
        subject_kind: "case",
        subject_id: &case.id,
        detail: serde_json::json!({ "cause": warning.cause.name(), "messages": told }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await?;
    Ok(true)
}
