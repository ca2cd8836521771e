//! Two approvers decide what becomes of frozen cases: they go on as they were, or are undone.

use serde_json::json;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyQueryResult;

use super::{Cause, Fate, Judged, Recall, find, note_down};
use crate::AppState;
use crate::case;
use crate::jobs::{self, Job};
use crate::store::{StoreError, Tx, to_ms};

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

/// Asks for frozen cases: of those with a verdict, for one of them, or for all that were judged, since
/// nobody releases or undoes what nobody has looked at.
pub fn settle_texts() -> [String; 3] {
    let ask =
        "UPDATE recalled SET state = $1, asked_by = $2 WHERE recall_id = $3 AND state = 'frozen'";
    [
        format!("{ask} AND judged = $4"),
        format!("{ask} AND case_id = $4"),
        format!("{ask} AND judged IS NOT NULL"),
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
    by: (&str, &str),
    choice: Choice,
    which: Which,
) -> Result<u64, SettleError> {
    let (mut tx, recall) = held(state, id, by).await?;
    let [judged, one, all] = settle_texts();
    let (text, value) = match which {
        Which::All => (all, None),
        Which::Judged(verdict) => (judged, Some(case::name_of(&verdict))),
        Which::One(case) => (one, Some(case.replace('\0', ""))),
    };
    let asked = sqlx::query(AssertSqlSafe(text))
        .bind(choice.asked().name())
        .bind(by.0.to_owned())
        .bind(recall.id.clone());
    let asked = match &value {
        Some(value) => asked.bind(value.clone()),
        None => asked,
    };
    let cases = some(asked.execute(&mut *tx).await.map_err(StoreError::from)?)?;
    let which = value.unwrap_or_default();
    told(state, tx, &recall, by, ("asked", choice.asked(), &which, cases)).await
}

/// Agrees with what another person asked for: `shown` cases, as the page said.
pub async fn confirm(
    state: &AppState,
    id: &str,
    by: (&str, &str),
    choice: Choice,
    shown: u64,
) -> Result<u64, SettleError> {
    let (mut tx, recall) = held(state, id, by).await?;
    let agreed = sqlx::query(
        "UPDATE recalled SET state = $1, decided_by = $2
         WHERE recall_id = $3 AND state = $4 AND asked_by <> $2",
    )
    .bind(choice.agreed().name())
    .bind(by.0.to_owned())
    .bind(recall.id.clone())
    .bind(choice.asked().name());
    let cases = some(agreed.execute(&mut *tx).await.map_err(StoreError::from)?)?;
    if shown != cases {
        return Err(SettleError::Conflict);
    }
    let now = state.clock.now();
    match choice {
        Choice::Release => revive(&mut tx, &recall, to_ms(now)).await?,
        Choice::Annul => {
            jobs::ask(&mut tx, &Job::SettleRecall { recall: recall.id.clone() }, now).await?;
        }
    }
    let which = choice.asked().name();
    told(state, tx, &recall, by, ("agreed", choice.agreed(), &which, cases)).await
}

/// Decides that what was asked for is not done: the cases stay frozen. Whoever asked may take it back.
pub async fn decline(
    state: &AppState,
    id: &str,
    by: (&str, &str),
    choice: Choice,
) -> Result<u64, SettleError> {
    let (mut tx, recall) = held(state, id, by).await?;
    let declined = sqlx::query(
        "UPDATE recalled SET state = 'frozen', asked_by = NULL
         WHERE recall_id = $1 AND state = $2",
    )
    .bind(recall.id.clone())
    .bind(choice.asked().name());
    let cases = some(declined.execute(&mut *tx).await.map_err(StoreError::from)?)?;
    let which = choice.asked().name();
    told(state, tx, &recall, by, ("declined", Fate::Frozen, &which, cases)).await
}

/// The recall, taken in a transaction by somebody who may have a say in it.
pub(super) async fn held(
    state: &AppState,
    id: &str,
    (by, _): (&str, &str),
) -> Result<(Tx<'static>, Recall), SettleError> {
    let recall = find(&state.store, id).await?;
    let recall = recall.ok_or_else(|| SettleError::NotFound(id.to_owned()))?;
    if recall.cause == Cause::Officer && recall.value == by {
        return Err(SettleError::OwnFault);
    }
    let mut tx = state.store.begin().await?;
    case::hold_recall(&mut tx, &recall.id).await?;
    Ok((tx, recall))
}

fn some(done: AnyQueryResult) -> Result<u64, SettleError> {
    match done.rows_affected() {
        0 => Err(SettleError::Nothing),
        cases => Ok(cases),
    }
}

/// What failed because it was frozen goes on.
async fn revive(tx: &mut Tx<'_>, recall: &Recall, now: i64) -> Result<(), StoreError> {
    for job in ["issue_notice:", "print_paper:decision:"] {
        sqlx::query(
            "UPDATE jobs SET due_at = $1, dead_at = NULL, attempts = 0, ticket = NULL, error = NULL
             WHERE dead_at IS NOT NULL AND key IN (
                 SELECT $2 || case_id FROM recalled WHERE recall_id = $3 AND state = 'released')",
        )
        .bind(now)
        .bind(job)
        .bind(recall.id.clone())
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Ends the transaction with its row of the audit; returns how many cases were moved.
async fn told(
    state: &AppState,
    mut tx: Tx<'_>,
    recall: &Recall,
    (by, login): (&str, &str),
    (action, to, which, cases): (&str, Fate, &str, u64),
) -> Result<u64, SettleError> {
    let said = json!({ "to": to, "which": which, "cases": cases, "by": by });
    let actor = format!("user:{login}");
    note_down(&mut tx, &recall.id, (&actor, action), state.clock.now(), said).await?;
    tx.commit().await.map_err(StoreError::from)?;
    state.bell.notify_one();
    Ok(cases)
}
