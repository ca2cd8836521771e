//! The rows of documents that are to be delivered, and of their deliveries.

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::{Delivery, Paper};
use crate::case::{name_of, named};
use crate::store::{Store, StoreError, Tx, from_ms, to_ms};

/// How far a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// For a batch.
    Waiting,
    /// A letter came back: for another batch.
    Again,
    /// Not without a clerk.
    Held,
    OnWay,
    /// Nothing is left to send.
    Done,
    /// The case is closed.
    Closed,
}

/// A document that is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    pub case_id: String,
    pub progress: Progress,
    /// What began the term that runs now.
    pub runs_from: OffsetDateTime,
    /// Letters that came back.
    pub returned: i64,
    /// Why it is held.
    pub why: Option<String>,
}

/// A document was issued: it waits for its way. `runs_from` is what began the term for sending it.
pub async fn begin(
    tx: &mut Tx<'_>,
    case: &str,
    paper: Paper,
    runs_from: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO dispatches (case_id, kind, state, runs_from) VALUES ($1, $2, 'waiting', $3)",
    )
    .bind(case.to_owned())
    .bind(paper.name())
    .bind(to_ms(runs_from))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Nothing of the case is sent any more; what still lies in the house stays there.
pub async fn close(tx: &mut Tx<'_>, case: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE dispatches SET state = 'closed' WHERE case_id = $1 AND state <> 'done'")
        .bind(case.to_owned())
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "UPDATE deliveries SET state = 'void'
         WHERE case_id = $1 AND state IN ('printing', 'printed')",
    )
    .bind(case.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

const DISPATCH: &str = "case_id, state, runs_from, returned, why";

impl Dispatch {
    fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            case_id: row.try_get("case_id")?,
            progress: named(row.try_get("state")?, "document's state")?,
            runs_from: from_ms(row.try_get("runs_from")?)?,
            returned: row.try_get("returned")?,
            why: row.try_get("why")?,
        })
    }
}

/// A case's document on its way.
pub async fn find(store: &Store, case: &str, paper: Paper) -> Result<Option<Dispatch>, StoreError> {
    let text = format!("SELECT {DISPATCH} FROM dispatches WHERE case_id = $1 AND kind = $2");
    let row = sqlx::query(AssertSqlSafe(text))
        .bind(case.to_owned())
        .bind(paper.name())
        .fetch_optional(store.pool())
        .await?;
    row.map(|row| Dispatch::from_row(&row)).transpose()
}

/// Reads documents that are equally far, from a place in the order of their terms on.
pub fn list_text() -> String {
    format!(
        "SELECT {DISPATCH} FROM dispatches
         WHERE kind = $1 AND state = $2 AND (runs_from, case_id) >= ($3, $4)
         ORDER BY runs_from, case_id LIMIT $5"
    )
}

/// At most `most` documents that are as far as `progress`, from `from` on.
pub async fn list(
    store: &Store,
    paper: Paper,
    progress: Progress,
    from: (i64, &str),
    most: i64,
) -> Result<Vec<Dispatch>, StoreError> {
    sqlx::query(AssertSqlSafe(list_text()))
        .bind(paper.name())
        .bind(name_of(&progress))
        .bind(from.0)
        .bind(from.1.to_owned())
        .bind(most)
        .fetch_all(store.pool())
        .await?
        .iter()
        .map(Dispatch::from_row)
        .collect()
}

/// How many documents wait for what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub waiting: u64,
    pub again: u64,
    pub held: u64,
    pub on_way: u64,
}

/// Counts documents that are equally far, up to a bound.
pub fn count_text() -> String {
    let most = crate::case::MOST_COUNTED + 1;
    format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM dispatches WHERE kind = $1 AND state = $2
         LIMIT {most}) AS counted"
    )
}

/// How many documents are as far as `progress`, up to the bound.
pub async fn count_of(store: &Store, paper: Paper, progress: Progress) -> Result<u64, StoreError> {
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(count_text()))
        .bind(paper.name())
        .bind(name_of(&progress))
        .fetch_one(store.pool())
        .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

pub async fn count(store: &Store, paper: Paper) -> Result<Counts, StoreError> {
    let count = async |progress| count_of(store, paper, progress).await;
    Ok(Counts {
        waiting: count(Progress::Waiting).await?,
        again: count(Progress::Again).await?,
        held: count(Progress::Held).await?,
        on_way: count(Progress::OnWay).await?,
    })
}

/// The deliveries of a case's document, in their order.
pub async fn of_case(store: &Store, case: &str, paper: Paper) -> Result<Vec<Delivery>, StoreError> {
    sqlx::query(
        "SELECT id, way, state, sent_at, ended_at, batch_id, place, tracking, note
         FROM deliveries WHERE case_id = $1 AND kind = $2 ORDER BY id",
    )
    .bind(case.to_owned())
    .bind(paper.name())
    .fetch_all(store.pool())
    .await?
    .iter()
    .map(|row| {
        let time = |name| row.try_get::<Option<i64>, _>(name)?.map(from_ms).transpose();
        Ok(Delivery {
            id: row.try_get("id")?,
            way: named(row.try_get("way")?, "delivery's way")?,
            state: named(row.try_get("state")?, "delivery's state")?,
            sent_at: time("sent_at")?,
            ended_at: time("ended_at")?,
            batch_id: row.try_get("batch_id")?,
            place: row.try_get("place")?,
            tracking: row.try_get("tracking")?,
            note: row.try_get("note")?,
        })
    })
    .collect()
}
