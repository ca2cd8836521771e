//! Two approvers decide what becomes of frozen cases: they go on as they were, or are undone. Undoing
//! takes the steps that a case's page takes, in the names of both, one case after another.

use super::{Cause, Fate, Judged, RecallError, affected, find};
use crate::AppState;
use crate::admin::users::{self, Role};
use crate::audit::{self, Entry};
use crate::case::{self, Action, Actor, Command, DecideError, Reason, State};
use crate::jobs::{self, Done, Job, Taken};
use crate::proceedings::decision::{self, By, Hand};
use crate::proceedings::row;
use crate::store::{StoreError, to_ms};
use sqlx::AssertSqlSafe;

/// Cases read at once, and most of one attempt: well within a job's lease.
const BATCH: i64 = 100;
const MOST: u64 = 300;

/// What somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Release,
    Annul,
}

impl Choice {
    fn asked(self) -> Fate {
        match self {
            Self::Release => Fate::ReleaseAsked,
            Self::Annul => Fate::AnnulAsked,
        }
    }

    fn agreed(self) -> Fate {
        match self {
            Self::Release => Fate::Released,
            Self::Annul => Fate::Annulling,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error("there is no recall {0}")]
    NotFound(String),
    /// Whoever asked cannot agree, and there may be none.
    #[error("no case of the recall waits for that from another person")]
    Nothing,
    /// Somebody asked for more since the page was shown.
    #[error("other cases wait for it than were shown: look at it again")]
    Conflict,
    /// The fault is the officer's own.
    #[error("whoever is at fault has no say in it")]
    OwnFault,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Moves a recall's cases to a fate: of those frozen with a verdict or without regard to it, or one
/// of them; and of those asked for by another person.
pub fn settle_texts() -> [String; 4] {
    let ask =
        "UPDATE recalled SET state = $1, asked_by = $2 WHERE recall_id = $3 AND state = 'frozen'";
    [
        format!("{ask} AND judged = $4"),
        format!("{ask} AND case_id = $4"),
        // Those first that were judged: nobody releases or undoes what nobody has looked at.
        format!("{ask} AND case_id > $4 AND judged IS NOT NULL"),
        "UPDATE recalled SET state = $1, decided_by = $2
         WHERE recall_id = $3 AND state = $4 AND asked_by <> $2"
            .to_owned(),
    ]
}

/// Which of the frozen cases.
#[derive(Debug, Clone)]
pub enum Which {
    All,
    Judged(Judged),
    One(String),
}

/// Asks that frozen cases be released or annulled; returns how many are.
pub async fn ask(
    state: &AppState,
    id: &str,
    (by, login): (&str, &str),
    choice: Choice,
    which: Which,
) -> Result<u64, SettleError> {
    let [judged, one, all, _] = settle_texts();
    let (text, value) = match which {
        Which::All => (all, String::new()),
        Which::Judged(verdict) => (judged, case::name_of(&verdict)),
        Which::One(case) => (one, case.replace('\0', "")),
    };
    let fate = choice.asked();
    moved(state, id, (by, login), (text, fate, value), ("asked", None)).await
}

/// Agrees with what another person asked for: `shown` cases, as the page said.
pub async fn confirm(
    state: &AppState,
    id: &str,
    (by, login): (&str, &str),
    choice: Choice,
    shown: u64,
) -> Result<u64, SettleError> {
    let [.., agree] = settle_texts();
    let step = (agree, choice.agreed(), choice.asked().name());
    let expected = Some(shown);
    moved(state, id, (by, login), step, ("agreed", expected)).await
}

/// Decides that what was asked for is not done: the cases stay frozen.
pub async fn decline(
    state: &AppState,
    id: &str,
    (by, login): (&str, &str),
    choice: Choice,
) -> Result<u64, SettleError> {
    let text = "UPDATE recalled SET state = $1, asked_by = NULL
                WHERE recall_id = $3 AND state = $4 AND $2 <> ''";
    let step = (text.to_owned(), Fate::Frozen, choice.asked().name());
    moved(state, id, (by, login), step, ("declined", None)).await
}

async fn moved(
    state: &AppState,
    id: &str,
    (by, login): (&str, &str),
    (text, fate, value): (String, Fate, String),
    (action, expected): (&str, Option<u64>),
) -> Result<u64, SettleError> {
    let recall = find(&state.store, id).await?;
    let recall = recall.ok_or_else(|| SettleError::NotFound(id.to_owned()))?;
    if recall.cause == Cause::Officer && recall.value == by {
        return Err(SettleError::OwnFault);
    }
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    let cases = sqlx::query(AssertSqlSafe(text))
        .bind(fate.name())
        .bind(by.to_owned())
        .bind(recall.id.clone())
        .bind(value.clone())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)?
        .rows_affected();
    if cases == 0 {
        return Err(SettleError::Nothing);
    }
    if expected.is_some_and(|expected| expected != cases) {
        return Err(SettleError::Conflict);
    }
    if fate == Fate::Released {
        // What failed because it was frozen goes on.
        for job in ["issue_notice:", "print_paper:decision:"] {
            sqlx::query(
                "UPDATE jobs SET due_at = $1, dead_at = NULL, attempts = 0, ticket = NULL, error = NULL
                 WHERE dead_at IS NOT NULL AND key IN (
                     SELECT $2 || case_id FROM recalled WHERE recall_id = $3 AND state = 'released')",
            )
            .bind(to_ms(now))
            .bind(job)
            .bind(recall.id.clone())
            .execute(&mut *tx)
            .await
            .map_err(StoreError::from)?;
        }
    }
    if fate == Fate::Annulling {
        jobs::ask(&mut tx, &Job::SettleRecall { recall: recall.id.clone() }, now).await?;
    }
    let entry = Entry {
        at: now,
        actor: &format!("user:{login}"),
        action: &format!("recall.{action}"),
        subject_kind: "recall",
        subject_id: &recall.id,
        detail: serde_json::json!({ "to": fate, "which": value, "cases": cases, "by": by }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    state.bell.notify_one();
    Ok(cases)
}

/// The job that undoes what both decided. What cannot be undone yet is tried again with it.
pub async fn carry_out(state: &AppState, taken: &Taken, id: &str) -> Result<Done, RecallError> {
    let Some(recall) = find(&state.store, id).await? else {
        return Ok(taken.nothing_left(&state.store).await?);
    };
    let note: String =
        format!("Rà soát {}: {}", recall.id, recall.reason).chars().take(480).collect();
    let (mut left, mut undone) = (0_u64, 0_u64);
    let mut after = String::new();
    // One that cannot be undone yet holds up no other.
    let full = loop {
        let batch = affected(&state.store, id, Fate::Annulling, &after, BATCH).await?;
        for it in &batch {
            match undo(state, &recall.id, &it.case_id, &note).await {
                Ok(()) => {
                    let write = sqlx::query(
                        "UPDATE recalled SET state = 'annulled'
                         WHERE recall_id = $1 AND case_id = $2",
                    );
                    let write = write.bind(recall.id.clone()).bind(it.case_id.clone());
                    state.store.write(write).await?;
                    undone += 1;
                }
                Err(UndoError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(case = it.case_id, %error, "a recalled case is not undone yet");
                    left += 1;
                }
            }
        }
        match batch.last() {
            Some(_) if undone + left >= MOST => break true,
            Some(last) if batch.len() as i64 == BATCH => after.clone_from(&last.case_id),
            _ => break false,
        }
    };
    if left > 0 && undone == 0 {
        return Err(RecallError::Left(left));
    }
    let mut tx = state.store.begin().await?;
    let done = taken.done(&mut tx).await?;
    if full || left > 0 {
        let job = Job::SettleRecall { recall: recall.id.clone() };
        jobs::ask(&mut tx, &job, state.clock.now()).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

#[derive(Debug, thiserror::Error)]
enum UndoError {
    #[error("who decided it is no approver any more")]
    People,
    #[error("its decision: {0}")]
    Decision(#[from] decision::DecisionError),
    #[error("its notice: {0}")]
    Case(#[from] DecideError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Annuls a decision, withdraws a notice. What has neither stays barred by the recall.
async fn undo(state: &AppState, recall: &str, id: &str, note: &str) -> Result<(), UndoError> {
    let mut people = people(state, recall, id).await?;
    if let Some(row) = row::find::<decision::Decision>(&state.store, id).await? {
        // Whoever confirms signs the annulment by an own office, and did not ask for it.
        let asked = row.content.undo.as_ref().map(|undo| undo.by.as_str());
        let second = &people[1];
        let office = decision::office(&state.store, &second.id).await?;
        if asked == Some(second.id.as_str()) || (asked.is_none() && office.is_none()) {
            people.swap(0, 1);
        }
    }
    let [first, second] = &people;
    for (user, action) in
        [(first, decision::Action::Annul), (second, decision::Action::ConfirmAnnulment)]
    {
        let Some(row) = row::find::<decision::Decision>(&state.store, id).await? else { break };
        let (standing, by) =
            (row.content.state, By { user: &user.id, login: &user.login, hands: &[Hand::Leader] });
        let action = match (standing, action) {
            // Not printed, and frozen: it never comes into force.
            (decision::State::Signed, decision::Action::Annul) => decision::Action::Return,
            (decision::State::Issued, decision::Action::Annul)
            | (decision::State::Annulling, decision::Action::ConfirmAnnulment) => action,
            _ => continue,
        };
        decision::settle(state, id, row.version, by, action, note).await?;
    }
    for user in people {
        let Some(case) = case::find(&state.store, id).await? else { return Ok(()) };
        let mine = case.undone_by.as_deref() == Some(user.id.as_str());
        let action = match case.state {
            State::Notified => Action::Withdraw,
            State::Withdrawing if !mine => Action::ConfirmWithdrawal,
            _ => continue,
        };
        let command = Command {
            case_id: id.to_owned(),
            version: case.version,
            action,
            reason: (action == Action::Withdraw).then_some(Reason::Other),
            note: Some(note.to_owned()),
            plate: None,
            other: None,
        };
        let actor =
            Actor::Officer { user_id: user.id, login: user.login, reviews: false, approves: true };
        case::decide(state, &actor, command).await?;
    }
    Ok(())
}

/// Who asked and who agreed; both must still be approvers.
async fn people(state: &AppState, recall: &str, case: &str) -> Result<[users::User; 2], UndoError> {
    let row: Option<(Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT asked_by, decided_by FROM recalled WHERE recall_id = $1 AND case_id = $2",
    )
    .bind(recall.to_owned())
    .bind(case.to_owned())
    .fetch_optional(state.store.pool())
    .await
    .map_err(StoreError::from)?;
    let Some((Some(asked), Some(decided))) = row else { return Err(UndoError::People) };
    let mut people = Vec::new();
    for id in [asked, decided] {
        let user = users::find(&state.store, &id).await?;
        people.extend(user.filter(|user| !user.disabled && user.has(Role::Approver)));
    }
    people.try_into().map_err(|_| UndoError::People)
}
