//! An officer moves a case: the table's rule, the gate, the row, the audit row, and the work that
//! follows from it, asked for in the same transaction.

use contract::plate::Typed;
use time::OffsetDateTime;

use super::examine::{Examination, ExamineError, examine};
use super::reason::Reason;
use super::recalled;
use super::recheck;
use super::record::{self, Case, WriteError};
use super::related;
use super::states::{self, Action, Actor, Condition, Refusal, State};
use super::step::{self, Step};
use crate::AppState;
use crate::audit;
use crate::config::{Config, RegistrySource};
use crate::jobs::{self, Job};
use crate::proceedings::{self, decision};
use crate::store::{StoreError, Tx};

/// Longest note, in characters.
pub const MAX_NOTE: usize = 500;

/// What an officer asks for.
#[derive(Debug, Clone)]
pub struct Command {
    pub case_id: String,
    /// The version the officer saw.
    pub version: i64,
    pub action: Action,
    pub reason: Option<Reason>,
    pub note: Option<String>,
    /// The right number, for [`Action::CorrectPlate`].
    pub plate: Option<String>,
    /// The case that shows another act, for [`Action::Distinguish`].
    pub other: Option<String>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    #[error("somebody else has changed the case since it was shown: look at it again")]
    Conflict,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the gate is closed")]
    Gate(Box<Examination>),
    #[error("{0:?} is not a plate number that such a vehicle carries")]
    Plate(String),
    /// The second is the number in its legal layout.
    #[error("{0:?} is written like another kind of vehicle's number, {1}")]
    OtherVehicle(String, String),
    #[error("case {0:?} is not of the same number at about the same time")]
    NotRelated(String),
    #[error("a decision is in force: annul it first")]
    DecisionStands,
    #[error("a note must say why")]
    NoteMissing,
    #[error("a note has at most {MAX_NOTE} characters")]
    NoteTooLong,
    #[error(transparent)]
    Examine(#[from] ExamineError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<WriteError> for DecideError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Conflict => Self::Conflict,
            WriteError::Store(error) => Self::Store(error),
        }
    }
}

/// Carries out `command` and returns the case after it.
pub async fn decide(
    state: &AppState,
    actor: &Actor,
    command: Command,
) -> Result<Case, DecideError> {
    let examination = examine(state, &command.case_id).await?;
    let case = &examination.case;
    if case.version != command.version {
        return Err(DecideError::Conflict);
    }
    // No database keeps a NUL.
    let note = command.note.as_deref().map(|note| note.replace('\0', ""));
    let note = note.as_deref().map(str::trim).filter(|note| !note.is_empty());
    if note.is_some_and(|note| note.chars().count() > MAX_NOTE) {
        return Err(DecideError::NoteTooLong);
    }
    let plate = match command.action {
        Action::CorrectPlate => corrected(case, command.plate.as_deref()).map(Some),
        _ => Ok(None),
    };
    let now = state.clock.now();
    let recheck = command.action == Action::Reject
        && recheck::drawn(&state.store, case, state.config.cases.recheck_rejections).await?;
    let step = Step {
        action: command.action,
        reason: command.reason,
        note,
        plate: plate.as_ref().ok().and_then(Option::as_deref),
        recheck,
        at: now,
    };
    let after = match step::step(case, step, actor, examination.gate.is_open()) {
        Err(Refusal::NotReady) => return Err(DecideError::Gate(Box::new(examination))),
        other => other?,
    };
    // Said only to whom the table lets correct it.
    plate?;
    let needs_note = command.reason == Some(Reason::Other) || command.action.needs_note();
    let note = match note {
        None if needs_note => return Err(DecideError::NoteMissing),
        other => other.unwrap_or_default(),
    };
    let other = match command.action {
        Action::Distinguish => Some(other(&examination, command.other.as_deref())?),
        _ => None,
    };
    let mut tx = state.store.begin().await?;
    record::write(&mut tx, case, &after).await?;
    // Frozen since it was looked at.
    if needs_gate(case, command.action) && recalled::held_in(&mut tx, &case.id).await?.is_some() {
        return Err(DecideError::Conflict);
    }
    // Money may be owed on it: it must be annulled before the notice goes.
    if command.action == Action::Withdraw && decision::stands(&mut tx, &case.id).await? {
        return Err(DecideError::DecisionStands);
    }
    let mut detail = told(&examination, &after, actor.user());
    if let Some(reason) = command.reason {
        detail["reason"] = reason.name().into();
    }
    if recheck {
        detail["recheck"] = true.into();
    }
    if !note.is_empty() {
        detail["note"] = note.into();
    }
    if let Some(other) = other {
        let by = actor.user().unwrap_or_default();
        related::set_apart(&mut tx, &case.id, other, by, now, note).await?;
        detail["other"] = other.into();
    }
    if command.action == Action::CorrectPlate {
        detail["plate"] = serde_json::json!({ "from": case.plate, "to": after.plate });
    }
    if needs_gate(case, command.action) {
        detail["evidence"] = "verified".into();
    }
    if command.action == Action::Approve {
        jobs::ask(&mut tx, &after_approval(&state.config, case.id.clone()), now).await?;
    }
    if case.state == State::Approved {
        jobs::forget(&mut tx, &case.id).await?;
    }
    if after.state.is_dropped() && !case.state.is_dropped() {
        proceedings::end(&mut tx, &case.id, after.state, now).await?;
    }
    note_down(&mut tx, &case.id, actor, command.action, now, detail).await?;
    tx.commit().await.map_err(StoreError::from)?;
    if command.action == Action::Approve {
        state.bell.notify_one();
    }
    Ok(after)
}

/// What follows from an approval: a notice, which is addressed to the owner where owners can be
/// looked up.
pub fn after_approval(config: &Config, case: String) -> Job {
    match config.registry.source {
        RegistrySource::None => Job::IssueNotice { case },
        RegistrySource::Imported | RegistrySource::Server => Job::IdentifyOwner { case },
    }
}

/// What the audit says of every step: `by` is the user whose decision it is; the login is in the
/// row, the id is what the case keeps.
pub fn told(examination: &Examination, after: &Case, by: Option<&str>) -> serde_json::Value {
    serde_json::json!({
        "from": examination.case.state.name(),
        "to": after.state.name(),
        "version": after.version,
        "by": by,
        "manifest": contract::Digest::of(examination.proof.manifest_text.as_bytes()).to_string(),
    })
}

fn needs_gate(case: &Case, action: Action) -> bool {
    states::find(case.state, action).is_some_and(|row| row.needs.contains(&Condition::Ready))
}

fn corrected(case: &Case, typed: Option<&str>) -> Result<String, DecideError> {
    let typed = typed.unwrap_or_default();
    match super::plate::typed(typed, case.vehicle, case.plate_colour) {
        Typed::Number(number) => Ok(number.text().to_owned()),
        Typed::OtherVehicle(number) => {
            Err(DecideError::OtherVehicle(typed.to_owned(), number.display()))
        }
        Typed::Ambiguous(_) | Typed::NoNumber => Err(DecideError::Plate(typed.to_owned())),
    }
}

/// The related case that `id` names.
fn other<'a>(examination: &'a Examination, id: Option<&str>) -> Result<&'a str, DecideError> {
    let id = id.unwrap_or_default();
    examination
        .related
        .iter()
        .find(|related| related.case.id == id)
        .map(|related| related.case.id.as_str())
        .ok_or_else(|| DecideError::NotRelated(id.to_owned()))
}

/// Adds a step to the audit; last in its transaction.
pub async fn note_down(
    tx: &mut Tx<'_>,
    case_id: &str,
    actor: &Actor,
    action: Action,
    at: OffsetDateTime,
    detail: serde_json::Value,
) -> Result<(), StoreError> {
    let who = actor.audited();
    let what = format!("case.{}", action.name());
    let entry = audit::Entry {
        at,
        actor: &who,
        action: &what,
        subject_kind: "case",
        subject_id: case_id,
        detail,
    };
    audit::append(tx, entry).await
}
