//! The job that undoes what two approvers decided, by the steps that a case's page takes, in the names of
//! both, one case after another.

use super::{Fate, RecallError, affected, find, note_down};
use crate::AppState;
use crate::admin::users::{self, Role};
use crate::case::{self, Action, Actor, Command, DecideError, Reason, State};
use crate::jobs::{self, Done, Job, Taken};
use crate::proceedings::row;
use crate::proceedings::{By, Hand, decision};
use crate::store::StoreError;

/// Cases read at once, and most of one attempt: well within a job's lease.
const BATCH: i64 = 100;
const MOST: u64 = 300;

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
                    is_undone(state, &recall.id, &it.case_id).await?;
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

async fn is_undone(state: &AppState, recall: &str, case: &str) -> Result<(), StoreError> {
    let mut tx = state.store.begin().await?;
    case::hold_recall(&mut tx, recall).await?;
    let done = sqlx::query(
        "UPDATE recalled SET state = 'annulled'
         WHERE recall_id = $1 AND case_id = $2 AND state = 'annulling'",
    )
    .bind(recall.to_owned())
    .bind(case.to_owned())
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 1 {
        let said = serde_json::json!({ "case": case });
        note_down(&mut tx, recall, ("system", "annulled"), state.clock.now(), said).await?;
    }
    Ok(tx.commit().await?)
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
        people.extend(user.filter(is_approver));
    }
    people.try_into().map_err(|_| UndoError::People)
}

/// Whether whoever decided may still do so.
pub(super) fn is_approver(user: &users::User) -> bool {
    !user.disabled && user.has(Role::Approver)
}
