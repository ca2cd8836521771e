//! The queue: asking for a job, taking it, ending it, putting it off.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::pause::pause;
use super::{Done, Job, JobError, LEASE};
use crate::store::{Dialect, Store, StoreError, Tx, new_id, to_ms};

/// Longest error kept of an attempt, in characters.
const MOST_ERROR: usize = 500;

/// Asks for `job` once `tx` commits. The same job that waits, runs or was given up begins anew: who is
/// just at it may have read what this transaction changes, so nothing of that attempt counts.
pub async fn ask(tx: &mut Tx<'_>, job: &Job, now: OffsetDateTime) -> Result<(), StoreError> {
    ask_at(tx, job, now, now).await
}

/// The same for later.
pub async fn ask_at(
    tx: &mut Tx<'_>,
    job: &Job,
    now: OffsetDateTime,
    due: OffsetDateTime,
) -> Result<(), StoreError> {
    // Plain fields with string keys: serialisation cannot fail.
    let task = serde_json::to_string(job).unwrap_or_default();
    sqlx::query(
        "INSERT INTO jobs (id, key, task, asked_at, due_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (key) DO UPDATE
         SET due_at = excluded.due_at, attempts = 0, ticket = NULL, error = NULL, dead_at = NULL",
    )
    .bind(new_id(now))
    .bind(job.key())
    .bind(task)
    .bind(to_ms(now))
    .bind(to_ms(due))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Asks for a job that recurs, unless it waits or runs already.
pub async fn begin(tx: &mut Tx<'_>, job: &Job, now: OffsetDateTime) -> Result<(), StoreError> {
    let waits: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE key = $1 AND due_at IS NOT NULL")
            .bind(job.key())
            .fetch_one(&mut **tx)
            .await?;
    if waits == 0 { ask(tx, job, now).await } else { Ok(()) }
}

/// Drops a job, whatever it waits for: what it was to do is not wanted any more.
pub async fn drop_job(tx: &mut Tx<'_>, job: &Job) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM jobs WHERE key = $1").bind(job.key()).execute(&mut **tx).await?;
    Ok(())
}

/// Forgets what was given up about a case that has gone another way.
pub async fn forget(tx: &mut Tx<'_>, case: &str) -> Result<(), StoreError> {
    for job in Job::of_case(case) {
        sqlx::query("DELETE FROM jobs WHERE key = $1 AND dead_at IS NOT NULL")
            .bind(job.key())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// A job that this worker has until its lease ends.
#[derive(Debug)]
pub struct Taken {
    pub id: String,
    pub job: Job,
    /// With this one.
    pub attempts: u32,
    ticket: String,
}

/// Takes the job that is due longest. One of a later version is left to workers that know it.
pub async fn take(store: &Store, now: OffsetDateTime) -> Result<Option<Taken>, StoreError> {
    while let Some(row) = take_row(store, now).await? {
        let task: String = row.try_get("task")?;
        let (id, ticket) = (row.try_get("id")?, row.try_get("ticket")?);
        match serde_json::from_str(&task) {
            Ok(job) => {
                let attempts: i64 = row.try_get("attempts")?;
                let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
                return Ok(Some(Taken { id, job, attempts, ticket }));
            }
            Err(error) => tracing::warn!(id, %error, "a job of another version of this program"),
        }
    }
    Ok(None)
}

async fn take_row(store: &Store, now: OffsetDateTime) -> Result<Option<AnyRow>, StoreError> {
    // An idle worker looks every other second: that must be nobody's turn to write.
    let due: Option<i64> = sqlx::query_scalar(
        "SELECT due_at FROM jobs WHERE due_at <= $1 ORDER BY due_at, id LIMIT 1",
    )
    .bind(to_ms(now))
    .fetch_optional(store.pool())
    .await?;
    if due.is_none() {
        return Ok(None);
    }
    // Workers on PostgreSQL pass over what another is just taking; on SQLite one writes at a time.
    let lock = match store.dialect() {
        Dialect::Sqlite => "",
        Dialect::Postgres => "FOR UPDATE SKIP LOCKED",
    };
    let text = format!(
        "UPDATE jobs SET due_at = $1, attempts = attempts + 1, ticket = $2
         WHERE due_at IS NOT NULL AND id = (
             SELECT id FROM jobs WHERE due_at <= $3 ORDER BY due_at, id LIMIT 1 {lock}
         ) RETURNING id, task, attempts, ticket"
    );
    let mut tx = store.begin().await?;
    let row = sqlx::query(AssertSqlSafe(text))
        .bind(to_ms(now + LEASE))
        .bind(new_id(now))
        .bind(to_ms(now))
        .fetch_optional(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(row)
}

impl Taken {
    /// Ends the job with the transaction that holds its effect.
    pub async fn done(&self, tx: &mut Tx<'_>) -> Result<Done, JobError> {
        let ended = sqlx::query("DELETE FROM jobs WHERE id = $1 AND ticket = $2")
            .bind(self.id.clone())
            .bind(self.ticket.clone())
            .execute(&mut **tx)
            .await
            .map_err(StoreError::from)?;
        if ended.rows_affected() == 1 { Ok(Done(())) } else { Err(JobError::Lost) }
    }

    /// Ends a job that there is nothing left to do for.
    pub async fn nothing_left(&self, store: &Store) -> Result<Done, JobError> {
        let mut tx = store.begin().await?;
        let done = self.done(&mut tx).await?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(done)
    }
}

/// Notes why an attempt failed, without personal data, and when to try again. A job that only people
/// can help (`hopeless`), or that failed too often, is given up. Returns whether it was; nothing where
/// another worker has it.
pub async fn put_off(
    store: &Store,
    taken: &Taken,
    error: &str,
    hopeless: bool,
    now: OffsetDateTime,
) -> Result<Option<bool>, StoreError> {
    let again = pause(taken.attempts).filter(|_| !hopeless);
    let note = sqlx::query(
        "UPDATE jobs SET due_at = $1, dead_at = $2, error = $3 WHERE id = $4 AND ticket = $5",
    )
    .bind(again.map(|pause| to_ms(now + pause)))
    .bind(again.is_none().then(|| to_ms(now)))
    .bind(error.replace('\0', "").chars().take(MOST_ERROR).collect::<String>())
    .bind(taken.id.clone())
    .bind(taken.ticket.clone());
    let noted = store.write(note).await?;
    Ok((noted.rows_affected() == 1).then_some(again.is_none()))
}
