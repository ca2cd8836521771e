//! People move a decision: the table's rule, what stands against it, the row with its audit row, and
//! the work that follows, asked for in the same transaction.

use time::OffsetDateTime;

use super::obstacle::{Obstacle, obstacles};
use super::office::{PowerError, office};
use super::states::{self, Action, Refusal, State};
use super::{Decision, Proposal, Row, Signature, Undo, counted};
use crate::AppState;
use crate::audit;
use crate::case::{self, ExamineError, examine};
use crate::documents::{self, Kind};
use crate::jobs::{self, Job};
use crate::law::{LawError, Range};
use crate::proceedings::payment::{self, PaymentError};
use crate::proceedings::row::{self, Step};
use crate::proceedings::{By, delivery, minutes, referral, warning};
use crate::store::{StoreError, Tx};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    #[error("somebody else has changed the decision since it was shown")]
    Conflict,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("something stands against the decision")]
    Obstacles(Vec<Obstacle>),
    #[error(transparent)]
    Power(#[from] PowerError),
    #[error("a reason of 10 to 500 characters on one line is needed")]
    ReasonMissing,
    #[error(transparent)]
    Examine(#[from] ExamineError),
    #[error("the claim: {0}")]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Law(#[from] LawError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a clerk asks for.
#[derive(Debug, Clone)]
pub struct Proposed {
    pub circumstances: Vec<String>,
    /// The usual one of the range where absent.
    pub amount: Option<i64>,
    /// What is to be put right (biện pháp khắc phục hậu quả), if anything.
    pub remedy: String,
    pub note: String,
}

/// Proposes the decision of case `id`; `version` is that of the decision the clerk saw, 0 where there
/// was none.
pub async fn propose(
    state: &AppState,
    id: &str,
    version: i64,
    by: By<'_>,
    proposed: Proposed,
) -> Result<Row, DecisionError> {
    let examination = examine(state, id).await?;
    let now = state.clock.now();
    let (before, minutes) = standing(state, id).await?;
    same_version(before.as_ref(), version)?;
    let old = before.as_ref().map(|row| &row.content);
    let to = states::next(old, Action::Propose, &by.actor())?;
    // The annulment of the one before must be out first.
    if let Some(annulled) = before.as_ref().filter(|it| it.content.state == State::Annulled) {
        let out = documents::find(&state.store, Kind::Annulment, id).await?;
        if out.is_none_or(|out| out.issued_at < annulled.changed_at) {
            return Err(Refusal::NotPossible(Action::Propose).into());
        }
    }
    let found = obstacles(&state.law, &examination, minutes.as_ref(), None, now)?;
    // What only time opens stands against the signature, not against preparing it.
    let found: Vec<_> =
        found.into_iter().filter(|it| !matches!(it, Obstacle::Explains(_))).collect();
    let (Some(minutes), Some(provision)) = (&minutes, &examination.case.law) else {
        return Err(DecisionError::Obstacles(found));
    };
    let payer = minutes.content.violator.payer(examination.case.act_at);
    let (true, Some(payer)) = (found.is_empty(), payer) else {
        return Err(DecisionError::Obstacles(found));
    };
    let counts = counted(&state.law, &proposed.circumstances)
        .ok_or_else(|| DecisionError::Obstacles(vec![Obstacle::Circumstance]))?;
    let range: Range = state.law.fine(provision, counts, payer);
    let amount = proposed.amount.unwrap_or(range.usual);
    if !range.holds(amount) {
        return Err(DecisionError::Obstacles(vec![Obstacle::Amount(range)]));
    }
    let (note, remedy) = (proposed.note.trim(), proposed.remedy.trim());
    if [note, remedy].iter().any(|it| it.chars().count() > 500 || it.chars().any(char::is_control))
    {
        return Err(DecisionError::ReasonMissing);
    }
    let mut provision = provision.clone();
    if !minutes.content.violator.drove {
        provision.points = 0;
    }
    let decision = Decision {
        state: to,
        round: match old {
            Some(old) if old.state == State::Annulled => old.round + 1,
            Some(old) => old.round,
            None => 1,
        },
        proposal: Proposal {
            minutes: minutes.version,
            payer,
            circumstances: proposed.circumstances,
            amount,
            provision,
            remedy: remedy.into(),
            note: note.into(),
            by: by.user.into(),
            at: now,
        },
        signature: None,
        issued: None,
        undo: None,
        returned: old.and_then(|old| old.returned.clone()),
    };
    let mut tx = state.store.begin().await?;
    case::hold(&mut tx, id, state.store.dialect()).await?;
    not_elsewhere(&mut tx, id).await?;
    // What the law's range follows from: `verify` asks the law again.
    let detail = serde_json::json!({
        "amount": amount,
        "round": decision.round,
        "payer": payer,
        "circumstances": decision.proposal.circumstances,
        "minutes": decision.proposal.minutes,
    });
    let row = Row::after(before.as_ref(), id, decision, now);
    let actor = format!("user:{}", by.login);
    let step = Step { actor: &actor, by: Some(by.user), action: Action::Propose.done(), detail };
    if !row.write(&mut tx, step).await? {
        return Err(DecisionError::Conflict);
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(row)
}

/// Everything else that a leader decides about it, with a reason where one is needed.
pub async fn settle(
    state: &AppState,
    id: &str,
    version: i64,
    by: By<'_>,
    action: Action,
    reason: &str,
) -> Result<Row, DecisionError> {
    let now = state.clock.now();
    let (before, minutes) = standing(state, id).await?;
    same_version(before.as_ref(), version)?;
    let Some(before) = before else { return Err(Refusal::NotPossible(action).into()) };
    let to = states::next(Some(&before.content), action, &by.actor())?;
    let reason = match action.needs_reason() {
        true => audit::reason(reason).ok_or(DecisionError::ReasonMissing)?,
        false => "",
    };
    let mut decision = Decision { state: to, ..before.content.clone() };
    let mut detail = serde_json::json!({ "round": decision.round });
    if !reason.is_empty() {
        detail["note"] = reason.into();
    }
    let mut job = None;
    match action {
        Action::Sign => {
            let examination = examine(state, id).await?;
            let proposal = Some(&decision.proposal);
            let found = obstacles(&state.law, &examination, minutes.as_ref(), proposal, now)?;
            if !found.is_empty() {
                return Err(DecisionError::Obstacles(found));
            }
            let act = examination.case.act_at;
            let signature = signed(state, by, &decision.proposal, act, now).await?;
            detail["title"] = signature.title.clone().into();
            decision.signature = Some(signature);
            job = Some(Job::PrintPaper { case: id.to_owned(), kind: Kind::Decision });
        }
        Action::Return => {
            decision.returned = Some(reason.to_owned());
            decision.signature = None;
        }
        Action::Annul => {
            decision.undo = Some(Undo {
                by: by.user.into(),
                at: now,
                reason: reason.to_owned(),
                signature: None,
            });
        }
        Action::Keep => decision.undo = None,
        Action::ConfirmAnnulment => {
            let case = case::find(&state.store, id).await?;
            let case = case.ok_or_else(|| ExamineError::NotFound(id.to_owned()))?;
            let signature = signed(state, by, &decision.proposal, case.act_at, now).await?;
            detail["title"] = signature.title.clone().into();
            if let Some(undo) = &mut decision.undo {
                undo.signature = Some(signature);
            }
            job = Some(Job::PrintPaper { case: id.to_owned(), kind: Kind::Annulment });
        }
        Action::Propose | Action::Issue => return Err(Refusal::NotPossible(action).into()),
    }
    let decision_minutes = decision.proposal.minutes;
    let mut tx = state.store.begin().await?;
    // Nobody withdraws the notice or closes the case between the look at it and the signature.
    let held = case::hold(&mut tx, id, state.store.dialect()).await?;
    if action == Action::Sign {
        if held != Some(case::State::Notified) {
            return Err(DecisionError::Obstacles(vec![Obstacle::NotNotified]));
        }
        not_elsewhere(&mut tx, id).await?;
        if case::held_in(&mut tx, id).await?.is_some() {
            return Err(DecisionError::Obstacles(vec![Obstacle::Gate(vec!["recalled"])]));
        }
        let stands_on: Option<minutes::Row> = row::read(&mut tx, id).await?;
        if stands_on.map(|row| row.version) != Some(decision_minutes) {
            return Err(DecisionError::Obstacles(vec![Obstacle::Changed]));
        }
    }
    if action == Action::Return && before.content.state == State::Signed {
        let job = Job::PrintPaper { case: id.to_owned(), kind: Kind::Decision };
        jobs::drop_job(&mut tx, &job).await?;
    }
    if let Some(job) = &job {
        jobs::ask(&mut tx, job, now).await?;
    }
    let row = Row::after(Some(&before), id, decision, now);
    if !row.put(&mut tx).await? {
        return Err(DecisionError::Conflict);
    }
    if action == Action::ConfirmAnnulment {
        let why = row.content.undo.as_ref().map_or("", |undo| undo.reason.as_str());
        let who = payment::By::User { id: by.user, login: by.login };
        // Rows first, the audit's last: `cancel` writes there.
        delivery::recall(&mut tx, id).await?;
        warning::lift(&mut tx, id, warning::Why::Settled, now).await?;
        if let Some(claim) = payment::live_of_case(&mut tx, id).await? {
            payment::cancel(&mut tx, &state.law, &claim.id, (who, why), now).await?;
        }
    }
    let actor = format!("user:{}", by.login);
    let step = Step { actor: &actor, by: Some(by.user), action: action.done(), detail };
    row.note(&mut tx, step).await?;
    tx.commit().await.map_err(StoreError::from)?;
    if job.is_some() {
        state.bell.notify_one();
    }
    Ok(row)
}

/// The signature of whoever decides, if their office may sign for the provision.
async fn signed(
    state: &AppState,
    by: By<'_>,
    proposal: &Proposal,
    act: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Signature, DecisionError> {
    let office = office(&state.store, by.user).await?;
    Ok(Signature::by_office(&state.law, (by.user, office), (&proposal.provision, act), now)?)
}

/// Whoever resolves the case decides it, and nobody else.
async fn not_elsewhere(tx: &mut Tx<'_>, id: &str) -> Result<(), DecisionError> {
    match referral::is_elsewhere(tx, id).await? {
        true => Err(DecisionError::Obstacles(vec![Obstacle::Referred])),
        false => Ok(()),
    }
}

async fn standing(
    state: &AppState,
    id: &str,
) -> Result<(Option<Row>, Option<minutes::Row>), StoreError> {
    Ok((row::find(&state.store, id).await?, row::find(&state.store, id).await?))
}

fn same_version(row: Option<&Row>, version: i64) -> Result<(), DecisionError> {
    match row.map_or(0, |row| row.version) == version {
        true => Ok(()),
        false => Err(DecisionError::Conflict),
    }
}
