//! People refer a case to another unit: who may do what, by the law's table, in one transaction with what
//! follows.

use time::Date;

use super::{Answer, Referral, Row, State};
use crate::AppState;
use crate::audit;
use crate::case;
use crate::documents::Kind;
use crate::jobs::{self, Job};
use crate::law::{Sender, VIETNAM};
use crate::proceedings::decision::{self, PowerError, Signature};
use crate::proceedings::row::{self, Step};
use crate::proceedings::{By, Hand, warning};
use crate::store::StoreError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Refer,
    Drop,
    Send,
    Answer,
    TakeBack,
}

impl Action {
    pub const ALL: [Self; 5] = [Self::Refer, Self::Drop, Self::Send, Self::Answer, Self::TakeBack];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Refer => "refer",
            Self::Drop => "drop",
            Self::Send => "send",
            Self::Answer => "answer",
            Self::TakeBack => "take_back",
        }
    }

    /// As the audit names what was done.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Refer => "proposed",
            Self::Drop => "dropped",
            Self::Send => "sending",
            Self::Answer => "answered",
            Self::TakeBack => "taken_back",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ReferralError {
    #[error("somebody else has changed it since it was shown")]
    Conflict,
    #[error("that is not possible as the case stands now")]
    NotPossible,
    #[error("this is another role's work")]
    Role,
    #[error("whoever asked for it cannot send it")]
    SamePerson,
    #[error("field {0} is wrong")]
    Field(&'static str),
    #[error("a reason of 10 to 500 characters on one line is needed")]
    ReasonMissing,
    #[error(transparent)]
    Power(#[from] PowerError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a clerk asks for.
#[derive(Debug, Clone)]
pub struct Referred {
    pub kind: Kind,
    pub to: String,
    pub reason: String,
}

/// Whether an action is this person's now.
fn may(
    before: Option<&Referral>,
    sender: Sender,
    action: Action,
    by: &By<'_>,
) -> Result<(), ReferralError> {
    let state = before.map(|it| it.state);
    let settled = before.is_some_and(Referral::is_elsewhere);
    let possible = match action {
        Action::Refer => match state {
            None | Some(State::Dropped) => true,
            Some(State::Answered) => !settled,
            Some(_) => false,
        },
        Action::Drop | Action::Send => state == Some(State::Proposed),
        Action::Answer | Action::TakeBack => state == Some(State::Sent),
    };
    if !possible {
        return Err(ReferralError::NotPossible);
    }
    let is_own = before.is_some_and(|it| it.by == by.user);
    let hand = match (action, sender) {
        (Action::Refer | Action::Answer, _) | (Action::Send, Sender::Clerk) => Hand::Clerk,
        (Action::Drop, _) if is_own => Hand::Clerk,
        (Action::Drop | Action::TakeBack, Sender::Clerk) => Hand::Clerk,
        (Action::Drop | Action::TakeBack | Action::Send, _) => Hand::Leader,
    };
    if !by.hands.contains(&hand) {
        return Err(ReferralError::Role);
    }
    if action == Action::Send && sender == Sender::Leader && is_own {
        return Err(ReferralError::SamePerson);
    }
    Ok(())
}

/// What this person may do now.
pub fn allowed(before: Option<&Referral>, sender: Sender, by: &By<'_>) -> Vec<Action> {
    Action::ALL.into_iter().filter(|action| may(before, sender, *action, by).is_ok()).collect()
}

/// Asks that a document go to another unit; `version` is that of the referral the clerk saw.
pub async fn refer(
    state: &AppState,
    id: &str,
    version: i64,
    by: By<'_>,
    asked: Referred,
) -> Result<Row, ReferralError> {
    let now = state.clock.now();
    let today = now.to_offset(VIETNAM).date();
    if !super::KINDS.contains(&asked.kind) {
        return Err(ReferralError::Field("kind"));
    }
    let rules = state.law.referral(asked.kind.name(), today).ok_or(ReferralError::NotPossible)?;
    let to = asked.to.trim();
    if !(1..=300).contains(&to.chars().count()) || to.chars().any(char::is_control) {
        return Err(ReferralError::Field("to"));
    }
    let reason = audit::reason(&asked.reason).ok_or(ReferralError::ReasonMissing)?;
    let mut tx = state.store.begin().await?;
    // Nobody withdraws, decides or freezes meanwhile.
    let held = case::hold(&mut tx, id, state.store.dialect()).await?;
    let before: Option<Row> = row::read(&mut tx, id).await?;
    if before.as_ref().map_or(0, |row| row.version) != version {
        return Err(ReferralError::Conflict);
    }
    may(before.as_ref().map(|row| &row.content), rules.sender, Action::Refer, &by)?;
    let frozen = case::held_in(&mut tx, id).await?.is_some();
    // What is decided here is resolved here.
    let decided = rules.hands_over && decision::stands(&mut tx, id).await?;
    if held != Some(case::State::Notified) || frozen || decided {
        return Err(ReferralError::NotPossible);
    }
    let referral = Referral {
        state: State::Proposed,
        kind: asked.kind,
        to: to.into(),
        reason: reason.into(),
        hands_over: rules.hands_over,
        by: by.user.into(),
        at: now,
        signature: None,
        number: None,
        answer: None,
    };
    let row = Row::after(before.as_ref(), id, referral, now);
    let actor = format!("user:{}", by.login);
    let detail = serde_json::json!({ "kind": asked.kind });
    let step = Step { actor: &actor, by: Some(by.user), action: Action::Refer.done(), detail };
    if !row.write(&mut tx, step).await? {
        return Err(ReferralError::Conflict);
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(row)
}

/// Everything else: sends it, gives it up, takes it back, or notes the answer, `(name, note, day)`.
pub async fn settle(
    state: &AppState,
    id: &str,
    version: i64,
    by: By<'_>,
    action: Action,
    (answer, note, received_on): (&str, &str, Option<Date>),
) -> Result<Row, ReferralError> {
    let now = state.clock.now();
    let today = now.to_offset(VIETNAM).date();
    let office = decision::office(&state.store, by.user).await?;
    let mut tx = state.store.begin().await?;
    let held = case::hold(&mut tx, id, state.store.dialect()).await?;
    let before: Option<Row> = row::read(&mut tx, id).await?;
    let before = before.ok_or(ReferralError::NotPossible)?;
    if before.version != version {
        return Err(ReferralError::Conflict);
    }
    let mut referral = before.content.clone();
    let rules = state.law.referral(referral.kind.name(), referral.at.to_offset(VIETNAM).date());
    let rules = rules.ok_or(ReferralError::NotPossible)?;
    may(Some(&referral), rules.sender, action, &by)?;
    let frozen = case::held_in(&mut tx, id).await?.is_some();
    if held != Some(case::State::Notified) || frozen {
        return Err(ReferralError::NotPossible);
    }
    let mut detail = serde_json::json!({ "kind": referral.kind });
    let mut settles = false;
    match action {
        Action::Send => {
            if referral.hands_over && decision::stands(&mut tx, id).await? {
                return Err(ReferralError::NotPossible);
            }
            let signature = match (office, rules.sender) {
                (None, Sender::Leader) => return Err(PowerError::NoOffice.into()),
                (office, _) => {
                    let (title, delegation) = office.map_or_else(
                        || ("Cán bộ lập phiếu".to_owned(), None),
                        |office| (office.title, office.delegation),
                    );
                    Signature { by: by.user.into(), at: now, title, delegation }
                }
            };
            referral.state = State::Sending;
            referral.signature = Some(signature);
            let job = Job::PrintPaper { case: id.to_owned(), kind: referral.kind };
            jobs::ask(&mut tx, &job, now).await?;
        }
        Action::Drop | Action::TakeBack => {
            let reason = audit::reason(note).ok_or(ReferralError::ReasonMissing)?;
            detail["note"] = reason.into();
            referral.state = State::Dropped;
        }
        Action::Answer => {
            let known = rules.answer(answer).ok_or(ReferralError::Field("answer"))?;
            let day = received_on.filter(|day| *day <= today);
            let day = day.ok_or(ReferralError::Field("received_on"))?;
            let note = note.trim();
            if note.chars().count() > 500 || note.chars().any(char::is_control) {
                return Err(ReferralError::Field("note"));
            }
            settles = known.settles;
            detail["answer"] = known.name.clone().into();
            referral.state = State::Answered;
            referral.answer = Some(Answer {
                name: known.name.clone(),
                note: note.into(),
                received_on: day,
                settles,
            });
        }
        Action::Refer => return Err(ReferralError::NotPossible),
    }
    let row = Row::after(Some(&before), id, referral, now);
    if !row.put(&mut tx).await? {
        return Err(ReferralError::Conflict);
    }
    if settles {
        // Whoever resolves it, every warning goes at once (TT 73/2024/TT-BCA Điều 24).
        warning::lift(&mut tx, id, warning::Why::Settled, now).await?;
    }
    let actor = format!("user:{}", by.login);
    let step = Step { actor: &actor, by: Some(by.user), action: action.done(), detail };
    row.note(&mut tx, step).await?;
    tx.commit().await.map_err(StoreError::from)?;
    if action == Action::Send {
        state.bell.notify_one();
    }
    Ok(row)
}
