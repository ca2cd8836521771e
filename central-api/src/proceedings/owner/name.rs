//! A clerk says who owns the vehicle: what the registry has after all, or what papers say.

use super::State;
use super::person::{LONGEST, checked};
use super::record::{Record, digest, find};
use crate::AppState;
use crate::audit::{self, Entry};
use crate::case;
use crate::jobs::{self, Job};
use crate::registry::Owner;
use crate::secret::random_token;
use crate::store::StoreError;

/// What a clerk says.
#[derive(Debug, Clone)]
pub enum Named {
    /// The doubts are settled: it is who the registry names.
    AsRegistered,
    /// It is somebody else.
    Other(Owner),
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    #[error("there is no case {0} whose owner is to be named")]
    NotFound(String),
    #[error("somebody else has changed the case or its owner since it was shown")]
    Conflict,
    /// An owner is named, and named anew, until the notice is out.
    #[error("the case is not approved, or its notice is out")]
    NotPossible,
    #[error("the registry does not know the number: name the owner")]
    NotRegistered,
    #[error("{0} must have 1 to {LONGEST} characters on one line")]
    Field(&'static str),
    #[error("a note of 10 to 500 characters must say how this is known")]
    NoteMissing,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts on record who owns the vehicle of case `id`, by the user `by` of the login `login`, and asks
/// for the notice. `version` is the one the clerk saw.
pub async fn name(
    state: &AppState,
    id: &str,
    version: i64,
    (by, login): (&str, &str),
    named: Named,
    note: &str,
) -> Result<Record, NameError> {
    let missing = || NameError::NotFound(id.to_owned());
    let before = find(&state.store, id).await?.ok_or_else(missing)?;
    let case = case::find(&state.store, id).await?.ok_or_else(missing)?;
    if before.version != version || case.plate.as_deref() != Some(&before.plate) {
        return Err(NameError::Conflict);
    }
    if case.state != case::State::Approved {
        return Err(NameError::NotPossible);
    }
    let note = audit::reason(note).ok_or(NameError::NoteMissing)?;
    let owner = match named {
        Named::AsRegistered => {
            before.registration.as_ref().ok_or(NameError::NotRegistered)?.owner.clone()
        }
        Named::Other(owner) => checked(owner).map_err(NameError::Field)?,
    };
    let now = state.clock.now();
    let record = Record {
        state: State::Named,
        owner: Some(owner),
        named_by: Some(by.to_owned()),
        named_at: Some(now),
        note: Some(note.to_owned()),
        salt: random_token(),
        version: before.version + 1,
        ..before
    };
    let mut tx = state.store.begin().await?;
    if !record.write(&mut tx).await? {
        return Err(NameError::Conflict);
    }
    case::hand(&mut tx, id, by).await?;
    jobs::ask(&mut tx, &Job::IssueNotice { case: id.to_owned() }, now).await?;
    let entry = Entry {
        at: now,
        actor: &format!("user:{login}"),
        action: "owner.named",
        subject_kind: "case",
        subject_id: id,
        detail: serde_json::json!({ "by": by, "record": digest(&record) }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    state.bell.notify_one();
    Ok(record)
}
