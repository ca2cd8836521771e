//! The job that closes what the limitation has barred (Luật XLVPHC Điều 6): nobody may be fined for
//! it any more, and the public look-up shows it no longer. Once a day, shortly after midnight.

use sqlx::AssertSqlSafe;
use time::{Duration, OffsetDateTime, Time};

use super::record::{self, Case, WriteError};
use super::states::{Action, Actor, State};
use super::step::{Step, step};
use super::{decide, find};
use crate::AppState;
use crate::jobs::{self, Done, Job, JobError, Taken};
use crate::law::{LawError, VIETNAM};
use crate::proceedings::{self, decision};
use crate::store::{StoreError, to_ms};

/// Cases of one attempt.
const BATCH: usize = 200;
/// When the job runs, in Vietnam: the term ends with its last day.
const AT: Time = time::macros::time!(00:10);

#[derive(Debug, thiserror::Error)]
pub enum ExpireError {
    #[error(transparent)]
    Law(#[from] LawError),
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the oldest cases of a state whose act was done before a moment, but for those with a
/// decision in force: it was made in time.
pub fn expire_text() -> String {
    format!(
        "SELECT id FROM cases WHERE state = $1 AND act_at < $2 AND NOT EXISTS (
             SELECT 1 FROM proceedings WHERE case_id = cases.id AND name = 'decision'
                 AND state IN ('signed', 'issued', 'annulling'))
         ORDER BY act_at, id LIMIT {BATCH}"
    )
}

/// Closes a batch of barred cases, each in a transaction of its own, and asks for the next run: at
/// once while there may be more, else tomorrow.
pub async fn expire(state: &AppState, taken: &Taken) -> Result<Done, ExpireError> {
    let now = state.clock.now();
    let (mut closed, mut full) = (0_u64, false);
    for standing in State::BARRABLE {
        let ids: Vec<String> = sqlx::query_scalar(AssertSqlSafe(expire_text()))
            .bind(standing.name())
            .bind(to_ms(now))
            .fetch_all(state.store.pool())
            .await
            .map_err(StoreError::from)?;
        let found = ids.len();
        let before = closed;
        for id in ids {
            let case = match find(&state.store, &id).await {
                Ok(Some(case)) => case,
                Ok(None) => continue,
                // One bad row keeps no other case open.
                Err(error @ StoreError::Corrupt { .. }) => {
                    tracing::error!(case = id, %error, "a case cannot be read: run `verify`");
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            // They come in the order of their acts: who is after this one is not barred either.
            if now <= state.law.limitation(case.act_at)? {
                break;
            }
            closed += u64::from(close(state, &case, now).await?);
        }
        full |= found == BATCH && closed > before;
    }
    if closed > 0 {
        tracing::info!(cases = closed, "closed cases whose limitation has passed");
    }
    let next = if full { now } else { tomorrow(now) };
    let mut tx = state.store.begin().await?;
    let done = taken.done(&mut tx).await?;
    jobs::ask_at(&mut tx, &Job::ExpireCases, now, next).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

/// Whether it was this attempt that closed it: an officer may have been faster.
async fn close(state: &AppState, case: &Case, at: OffsetDateTime) -> Result<bool, StoreError> {
    let barred = Step::of_central(Action::Expire, at);
    let Ok(after) = step(case, barred, &Actor::Job, false) else { return Ok(false) };
    let mut tx = state.store.begin().await?;
    match record::write(&mut tx, case, &after).await {
        Ok(()) => {}
        Err(WriteError::Conflict) => return Ok(false),
        Err(WriteError::Store(error)) => return Err(error),
    }
    if decision::stands(&mut tx, &case.id).await? {
        return Ok(false);
    }
    let detail = serde_json::json!({
        "from": case.state.name(),
        "to": after.state.name(),
        "version": after.version,
    });
    jobs::forget(&mut tx, &case.id).await?;
    proceedings::end(&mut tx, &case.id, after.state, at).await?;
    decide::note_down(&mut tx, &case.id, &Actor::Job, Action::Expire, at, detail).await?;
    tx.commit().await?;
    Ok(true)
}

/// The next time of day at which what follows from a new day is done.
pub fn tomorrow(now: OffsetDateTime) -> OffsetDateTime {
    let today = now.to_offset(VIETNAM).replace_time(AT);
    if today > now { today } else { today + Duration::DAY }
}
