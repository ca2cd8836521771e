//! The rows of warnings: begun, ended, cleared.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::{Cause, State, Why, message};
use crate::AppState;
use crate::audit::{self, Entry};
use crate::case::{name_of, named};
use crate::store::{Store, StoreError, Tx, from_ms, to_ms};

/// A warning, or the term that leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub case_id: String,
    pub cause: Cause,
    pub state: State,
    /// What began the term.
    pub runs_from: OffsetDateTime,
    pub warned_at: Option<OffsetDateTime>,
    pub cleared_at: Option<OffsetDateTime>,
    pub why: Option<String>,
}

const COLUMNS: &str = "case_id, cause, state, runs_from, warned_at, cleared_at, why";

impl Warning {
    fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        let time = |name| row.try_get::<Option<i64>, _>(name)?.map(from_ms).transpose();
        Ok(Self {
            case_id: row.try_get("case_id")?,
            cause: named(row.try_get("cause")?, "warning's cause")?,
            state: named(row.try_get("state")?, "warning's state")?,
            runs_from: from_ms(row.try_get("runs_from")?)?,
            warned_at: time("warned_at")?,
            cleared_at: time("cleared_at")?,
            why: row.try_get("why")?,
        })
    }
}

/// From `from` on the term of `cause` runs; while it runs, it begins anew. Who is warned already stays
/// so, and what was cleared stays cleared.
pub async fn watch(
    tx: &mut Tx<'_>,
    case: &str,
    cause: Cause,
    from: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO warnings (case_id, cause, state, runs_from) VALUES ($1, $2, 'running', $3)
         ON CONFLICT (case_id, cause) DO UPDATE SET runs_from = excluded.runs_from
         WHERE warnings.state = 'running'",
    )
    .bind(case.to_owned())
    .bind(cause.name())
    .bind(to_ms(from))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The same where there is a new reason for it, such as a second decision: what was cleared before does
/// not count.
pub async fn watch_anew(
    tx: &mut Tx<'_>,
    case: &str,
    cause: Cause,
    from: OffsetDateTime,
) -> Result<(), StoreError> {
    forget(tx, case, cause).await?;
    watch(tx, case, cause, from).await
}

/// What was cleared before does not count any more: there is a new reason, whose term will run.
pub async fn forget(tx: &mut Tx<'_>, case: &str, cause: Cause) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM warnings WHERE case_id = $1 AND cause = $2 AND state = 'cleared'")
        .bind(case.to_owned())
        .bind(cause.name())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The term of `cause` does not run any more, as though it had not begun: nobody was warned yet.
pub async fn unwatch(tx: &mut Tx<'_>, case: &str, cause: Cause) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM warnings WHERE case_id = $1 AND cause = $2 AND state = 'running'")
        .bind(case.to_owned())
        .bind(cause.name())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Clears every warning of the case at once, in the caller's transaction: terms end, and whoever was
/// warned is told that nothing holds any more. The caller's own row of the audit says why. Returns how
/// many are told, none where there was nothing to clear.
pub async fn lift(
    tx: &mut Tx<'_>,
    case: &str,
    why: Why,
    now: OffsetDateTime,
) -> Result<Option<usize>, StoreError> {
    let cleared = sqlx::query(
        "UPDATE warnings SET state = 'cleared', cleared_at = $1, why = $2
         WHERE case_id = $3 AND state <> 'cleared'",
    )
    .bind(to_ms(now))
    .bind(why.name())
    .bind(case.to_owned())
    .execute(&mut **tx)
    .await?;
    if cleared.rows_affected() == 0 {
        return Ok(None);
    }
    Ok(Some(message::clear(tx, case, why, now).await?))
}

/// The same with a row of its own in the audit: last in its transaction.
pub async fn clear(
    tx: &mut Tx<'_>,
    case: &str,
    why: Why,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let Some(told) = lift(tx, case, why, now).await? else { return Ok(false) };
    let entry = Entry {
        at: now,
        actor: "system",
        action: "warning.cleared",
        subject_kind: "case",
        subject_id: case,
        detail: serde_json::json!({ "why": why.name(), "messages": told }),
    };
    audit::append(tx, entry).await?;
    Ok(true)
}

/// A clerk says that whom the case is about has come to settle it: nobody is warned on that account.
/// Returns whether anybody was, or was about to be.
pub async fn came(
    state: &AppState,
    case: &str,
    (by, login): (&str, &str),
) -> Result<bool, StoreError> {
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    // A decision that is not paid is not settled by coming.
    let owes: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM warnings
         WHERE case_id = $1 AND cause = 'unpaid' AND state <> 'cleared'",
    )
    .bind(case.to_owned())
    .fetch_one(&mut *tx)
    .await?;
    if owes > 0 || !clear(&mut tx, case, Why::Came, now).await? {
        return Ok(false);
    }
    let entry = Entry {
        at: now,
        actor: &format!("user:{login}"),
        action: "warning.came",
        subject_kind: "case",
        subject_id: case,
        detail: serde_json::json!({ "by": by }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await?;
    Ok(true)
}

/// The warnings of a case.
pub async fn of_case(store: &Store, case: &str) -> Result<Vec<Warning>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM warnings WHERE case_id = $1 ORDER BY cause");
    sqlx::query(AssertSqlSafe(text))
        .bind(case.to_owned())
        .fetch_all(store.pool())
        .await?
        .iter()
        .map(Warning::from_row)
        .collect()
}

/// Reads warnings of a cause that are equally far, from a place in the order of their terms on.
pub fn list_text() -> String {
    format!(
        "SELECT {COLUMNS} FROM warnings
         WHERE cause = $1 AND state = $2 AND (runs_from, case_id) >= ($3, $4)
         ORDER BY runs_from, case_id LIMIT $5"
    )
}

/// At most `most` warnings of a cause that are as far as `state`, from `from` on.
pub async fn list(
    store: &Store,
    cause: Cause,
    state: State,
    from: (i64, &str),
    most: i64,
) -> Result<Vec<Warning>, StoreError> {
    sqlx::query(AssertSqlSafe(list_text()))
        .bind(cause.name())
        .bind(name_of(&state))
        .bind(from.0)
        .bind(from.1.to_owned())
        .bind(most)
        .fetch_all(store.pool())
        .await?
        .iter()
        .map(Warning::from_row)
        .collect()
}

/// Counts them, up to a bound.
pub fn count_text() -> String {
    let most = crate::case::MOST_COUNTED + 1;
    format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM warnings WHERE cause = $1 AND state = $2
         LIMIT {most}) AS counted"
    )
}

pub async fn count(store: &Store, cause: Cause, state: State) -> Result<u64, StoreError> {
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(count_text()))
        .bind(cause.name())
        .bind(name_of(&state))
        .fetch_one(store.pool())
        .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}
