//! The job that issues the notice of an approved case: number, PDF, then one transaction in which
//! the notice is on record and the case notified.

use super::NoticeError;
use super::content::Issue;
use super::print::print;
use crate::AppState;
use crate::case::states::{Action, Actor, Refusal, State};
use crate::case::{self, Case, ExamineError, Step, WriteError, examine};
use crate::config::RegistrySource;
use crate::documents::{self, DocumentError, Kind};
use crate::jobs::{self, Done, Job, JobError, Taken};
use crate::law::Term;
use crate::proceedings::delivery::{self, Paper};
use crate::proceedings::owner;
use crate::registry::Owner;
use crate::store::{Store, StoreError};

/// Why a notice is not out.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// Something changed since the approval; names the gate's findings.
    #[error("the gate is closed: {0}")]
    Gate(String),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Examine(#[from] ExamineError),
    #[error(transparent)]
    Notice(#[from] NoticeError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IssueError {
    /// Whether trying again helps nobody: people must look at the case.
    pub fn is_hopeless(&self) -> bool {
        matches!(self, Self::Gate(_) | Self::Refused(_) | Self::Notice(NoticeError::Incomplete(_)))
    }
}

/// Numbers, prints, stores and records the notice of a case that is approved; of any other there is
/// nothing to do. The file is durable before the transaction that names it commits; an abandoned
/// file names no case and harms nobody.
pub async fn issue(state: &AppState, taken: &Taken, id: &str) -> Result<Done, IssueError> {
    let examination = examine(state, id).await?;
    let case = &examination.case;
    if case.state != State::Approved {
        return Ok(taken.nothing_left(&state.store).await?);
    }
    let at = state.clock.now();
    let step = Step::of_central(Action::Notify, at);
    let after = match case::step(case, step, &Actor::Job, examination.gate.is_open()) {
        Err(Refusal::NotReady) => {
            let blockers = examination.gate.blockers.iter().map(|blocker| blocker.name());
            return Err(IssueError::Gate(blockers.collect::<Vec<_>>().join(", ")));
        }
        other => other?,
    };
    let approver = case.approver.as_deref().ok_or(NoticeError::Incomplete("an approver"))?;
    let signer = user_name(&state.store, approver).await?;
    let owner = owner(state, case).await?;
    if owner.is_none() && state.config.registry.source != RegistrySource::None {
        return Ok(ask_for_owner(state, taken, id).await?);
    }
    let draft = documents::draft(&state.store, Kind::Notice, id, at).await?;
    let book = &state.law;
    let issue = Issue {
        draft: &draft,
        at,
        appointment: book.appointment(at).map_err(NoticeError::from)?,
        no_show_days: book.deadline(Term::NoShow).count,
        signer: &signer,
        owner: owner.as_ref(),
        public_url: &state.config.web.public_url,
    };
    let pdf = print(state, case, &examination, issue).await?;
    let sha256 = documents::store(state, case, Kind::Notice, pdf).await?;

    let mut detail = case::told(&examination, &after, Some(approver));
    detail["evidence"] = "verified".into();
    detail["notice"] = serde_json::json!({
        "year": draft.year,
        "number": draft.number,
        "code": draft.code,
        "sha256": sha256,
    });
    let mut tx = state.store.begin().await?;
    case::write(&mut tx, case, &after).await?;
    // Frozen while it was printed: the next attempt says so.
    if case::held_in(&mut tx, id).await?.is_some() {
        return Err(IssueError::Write(WriteError::Conflict));
    }
    documents::record(&mut tx, id, &draft, &sha256, approver, at).await?;
    let paper = (Paper::Notice, draft.code.as_str());
    delivery::begin(&mut tx, book, paper, id, (case.act_at, at), None).await?;
    let done = taken.done(&mut tx).await?;
    case::note_down(&mut tx, id, &Actor::Job, Action::Notify, at, detail).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

/// Whom the notice is addressed to, where owners can be looked up.
async fn owner(state: &AppState, case: &Case) -> Result<Option<Owner>, IssueError> {
    if state.config.registry.source == RegistrySource::None {
        return Ok(None);
    }
    let found = owner::find(&state.store, &case.id).await?;
    let found = found.filter(|found| Some(&found.plate) == case.plate.as_ref());
    Ok(found.and_then(|found| found.owner))
}

/// Asked for before there was a registry to ask, or before the number was corrected.
async fn ask_for_owner(state: &AppState, taken: &Taken, id: &str) -> Result<Done, JobError> {
    let mut tx = state.store.begin().await?;
    let done = taken.done(&mut tx).await?;
    jobs::ask(&mut tx, &Job::IdentifyOwner { case: id.to_owned() }, state.clock.now()).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

async fn user_name(store: &Store, id: &str) -> Result<String, StoreError> {
    Ok(sqlx::query_scalar("SELECT name FROM users WHERE id = $1")
        .bind(id.to_owned())
        .fetch_one(store.pool())
        .await?)
}
