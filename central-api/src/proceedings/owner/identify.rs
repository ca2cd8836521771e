//! The job that asks the registry for the owner of an approved case. Each look-up is in the audit
//! with the case that is its reason.

use super::record::{Record, digest, find};
use super::{State, doubts};
use crate::AppState;
use crate::audit::{self, Entry};
use crate::case;
use crate::jobs::{self, Done, Job, JobError, Taken};
use crate::registry::{Question, RegistryError};
use crate::secret::random_token;
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum IdentifyError {
    /// Somebody named the owner meanwhile: the next attempt sees it.
    #[error("the owner's record has changed meanwhile")]
    Conflict,
    /// The next attempt asks again.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Looks the owner up and, where nothing is in doubt, asks for the notice. Of a case that is not
/// approved any more there is nothing to do.
pub async fn identify(state: &AppState, taken: &Taken, id: &str) -> Result<Done, IdentifyError> {
    let case = case::find(&state.store, id).await?;
    let approved = case.filter(|case| case.state == case::State::Approved);
    let Some((case, plate)) = approved.and_then(|it| it.plate.clone().map(|plate| (it, plate)))
    else {
        return Ok(taken.nothing_left(&state.store).await?);
    };
    let now = state.clock.now();
    let before = find(&state.store, id).await?;
    // An approval that was taken back and given again asks anew: perhaps because of the owner.
    let since = |it: &Record| it.named_at.unwrap_or(it.asked_at);
    let is_known = |it: &Record| {
        it.plate == plate && it.state != State::ByHand && Some(since(it)) >= case.approved_at
    };
    let record = match before {
        Some(known) if is_known(&known) => None,
        before => {
            let two_wheeled = case.vehicle.is_two_wheeled();
            let question = Question { plate: &plate, two_wheeled, case: &case.id };
            let found = state.registry.look_up(&state.store, question, now).await?;
            let limits = state.terms().limits;
            let elsewhere = case::elsewhere(&state.store, &case, &limits).await?;
            let doubts = doubts(&case, found.as_ref(), !elsewhere.is_empty());
            let is_certain = doubts.is_empty();
            Some(Record {
                case_id: case.id.clone(),
                state: if is_certain { State::Identified } else { State::ByHand },
                plate,
                owner: found.as_ref().filter(|_| is_certain).map(|found| found.owner.clone()),
                doubts,
                registration: found,
                asked_at: now,
                named_by: None,
                named_at: None,
                note: None,
                salt: random_token(),
                version: before.map_or(1, |before| before.version + 1),
            })
        }
    };
    let mut tx = state.store.begin().await?;
    if let Some(record) = &record
        && !record.write(&mut tx).await?
    {
        return Err(IdentifyError::Conflict);
    }
    if record.as_ref().is_none_or(|record| record.state == State::Identified) {
        jobs::ask(&mut tx, &Job::IssueNotice { case: case.id.clone() }, now).await?;
    }
    let done = taken.done(&mut tx).await?;
    if let Some(record) = &record {
        let doubts: Vec<_> = record.doubts.iter().map(|doubt| doubt.name()).collect();
        let entry = Entry {
            at: now,
            actor: "system",
            action: "owner.looked_up",
            subject_kind: "case",
            subject_id: id,
            detail: serde_json::json!({
                "doubts": doubts,
                "record": digest(record),
                "registry": state.registry.name(),
            }),
        };
        audit::append(&mut tx, entry).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    state.bell.notify_one();
    Ok(done)
}
