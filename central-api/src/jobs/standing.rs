//! How the queue stands, and the jobs that were given up.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::{Job, JobError};
use crate::store::{Store, StoreError, Tx, from_ms, to_ms};

/// Given-up jobs that a page lists.
const MOST: i64 = 200;

/// The queue at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Waiting or being worked on.
    pub waiting: u64,
    pub dead: u64,
    /// When the job that is due longest became so.
    pub due_since: Option<OffsetDateTime>,
}

/// A job that was given up.
#[derive(Debug, Clone)]
pub struct Dead {
    pub id: String,
    pub job: Job,
    pub asked_at: OffsetDateTime,
    pub dead_at: OffsetDateTime,
    pub attempts: i64,
    pub error: String,
}

pub async fn standing(store: &Store, now: OffsetDateTime) -> Result<Standing, StoreError> {
    let count = |count: i64| u64::try_from(count).unwrap_or(0);
    let waiting = sqlx::query(
        "SELECT COUNT(*) AS waiting, MIN(due_at) AS first FROM jobs WHERE due_at IS NOT NULL",
    )
    .fetch_one(store.pool())
    .await?;
    let dead: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE dead_at IS NOT NULL")
        .fetch_one(store.pool())
        .await?;
    let first: Option<i64> = waiting.try_get("first")?;
    Ok(Standing {
        waiting: count(waiting.try_get("waiting")?),
        dead: count(dead),
        due_since: first.filter(|first| *first <= to_ms(now)).map(from_ms).transpose()?,
    })
}

/// The jobs that were given up, the latest first.
pub async fn dead(store: &Store) -> Result<Vec<Dead>, StoreError> {
    sqlx::query(
        "SELECT id, task, asked_at, dead_at, attempts, error FROM jobs
         WHERE dead_at IS NOT NULL ORDER BY dead_at DESC, id DESC LIMIT $1",
    )
    .bind(MOST)
    .fetch_all(store.pool())
    .await?
    .iter()
    .map(|row| {
        let task: String = row.try_get("task")?;
        // Of another version of this program: its workers know it.
        let Ok(job) = serde_json::from_str(&task) else { return Ok(None) };
        Ok(Some(Dead {
            id: row.try_get("id")?,
            job,
            asked_at: from_ms(row.try_get("asked_at")?)?,
            dead_at: from_ms(row.try_get("dead_at")?)?,
            attempts: row.try_get("attempts")?,
            error: row.try_get::<Option<String>, _>("error")?.unwrap_or_default(),
        }))
    })
    .filter_map(Result::transpose)
    .collect()
}

/// A job that was asked for and is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub id: String,
    /// Why it was given up, if it was.
    pub given_up: Option<String>,
}

/// How far `job` is; none where it is done, or nobody asked for it.
pub async fn find(store: &Store, job: &Job) -> Result<Option<Asked>, StoreError> {
    let row = sqlx::query("SELECT id, dead_at, error FROM jobs WHERE key = $1")
        .bind(job.key())
        .fetch_optional(store.pool())
        .await?;
    row.map(|row| Asked::from_row(&row)).transpose()
}

impl Asked {
    fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        let dead: Option<i64> = row.try_get("dead_at")?;
        let error: Option<String> = row.try_get("error")?;
        Ok(Self { id: row.try_get("id")?, given_up: dead.map(|_| error.unwrap_or_default()) })
    }
}

/// The jobs about a case that were asked for and are not done.
#[derive(Debug, Clone, Default)]
pub struct UnderWay(Vec<(String, Asked)>);

impl UnderWay {
    pub fn of(&self, job: &Job) -> Option<Asked> {
        let key = job.key();
        self.0.iter().find(|(of, _)| *of == key).map(|(_, asked)| asked.clone())
    }

    /// What leads to the notice: one at a time.
    pub fn to_notice(&self, case: &str) -> Option<Asked> {
        Job::of_case(case).iter().find_map(|job| self.of(job))
    }
}

/// Reads the jobs with as many keys.
pub fn under_way_text(keys: usize) -> String {
    let places: Vec<_> = (1..=keys).map(|n| format!("${n}")).collect();
    format!("SELECT id, key, dead_at, error FROM jobs WHERE key IN ({})", places.join(", "))
}

/// How far everything is that was asked for about a case.
pub async fn under_way(store: &Store, case: &str) -> Result<UnderWay, StoreError> {
    let keys: Vec<_> = Job::about(case).iter().map(Job::key).collect();
    let asked = sqlx::query(AssertSqlSafe(under_way_text(keys.len())));
    let asked = keys.into_iter().fold(asked, |asked, key| asked.bind(key));
    let rows = asked.fetch_all(store.pool()).await?;
    let found = rows.iter().map(|row| Ok((row.try_get("key")?, Asked::from_row(row)?)));
    Ok(UnderWay(found.collect::<Result<_, StoreError>>()?))
}

/// Lets a job that was given up be tried again, from the first attempt on.
pub async fn revive(tx: &mut Tx<'_>, id: &str, now: OffsetDateTime) -> Result<Job, JobError> {
    let task: Option<String> = sqlx::query_scalar(
        "UPDATE jobs SET due_at = $1, dead_at = NULL, attempts = 0, ticket = NULL
         WHERE id = $2 AND dead_at IS NOT NULL RETURNING task",
    )
    .bind(to_ms(now))
    .bind(id.replace('\0', ""))
    .fetch_optional(&mut **tx)
    .await
    .map_err(StoreError::from)?;
    let task = task.ok_or(JobError::Lost)?;
    Ok(serde_json::from_str(&task).map_err(|e| StoreError::corrupt("job", e))?)
}
