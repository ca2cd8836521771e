//! The rows of papers that are to be delivered, and of their deliveries.

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::{Delivery, Paper};
use crate::case::{name_of, named};
use crate::law::LawBook;
use crate::registry::Owner;
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
    /// The case is closed, or the document annulled.
    Closed,
}

/// A document that is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// The document's.
    pub code: String,
    pub case_id: String,
    pub paper: Paper,
    pub progress: Progress,
    /// What began the term that runs now.
    pub runs_from: OffsetDateTime,
    /// Letters that came back.
    pub returned: i64,
    /// Why it is held.
    pub why: Option<String>,
    /// Whom the document names; none where it goes to the owner on record.
    pub to: Option<Addressee>,
}

/// To whom and where.
#[derive(Clone, PartialEq, Eq)]
pub struct Addressee {
    pub name: String,
    pub address: String,
}

impl Addressee {
    pub fn of(person: &Owner) -> Self {
        Self { name: person.name.clone(), address: person.address.clone() }
    }
}

/// Personal data are not printed.
impl std::fmt::Debug for Addressee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Addressee").finish_non_exhaustive()
    }
}

/// A document was issued, and recorded in this transaction: it waits for its way, where the law sends
/// papers of its kind. `runs_from` is what began the term for sending it.
pub async fn begin(
    tx: &mut Tx<'_>,
    law: &LawBook,
    (paper, code): (Paper, &str),
    case: &str,
    (runs_from, now): (OffsetDateTime, OffsetDateTime),
    to: Option<&Addressee>,
) -> Result<(), StoreError> {
    if law.sent_within(paper.name()).is_none() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO dispatches (code, case_id, kind, state, begun_at, runs_from, name, address)
         VALUES ($1, $2, $3, 'waiting', $4, $5, $6, $7)",
    )
    .bind(code.to_owned())
    .bind(case.to_owned())
    .bind(paper.name())
    .bind(to_ms(now))
    .bind(to_ms(runs_from))
    .bind(to.map(|it| it.name.clone()))
    .bind(to.map(|it| it.address.clone()))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Nothing of the case is sent any more but what takes something back; what still lies in the house
/// stays there.
pub async fn close(tx: &mut Tx<'_>, case: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE dispatches SET state = 'closed'
         WHERE case_id = $1 AND kind <> 'annulment' AND state <> 'done'",
    )
    .bind(case.to_owned())
    .execute(&mut **tx)
    .await?;
    void(tx, case).await
}

/// The decision of the case is annulled: it and what follows from it hold nobody any more, served or
/// not.
pub async fn recall(tx: &mut Tx<'_>, case: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE dispatches SET state = 'closed'
         WHERE case_id = $1 AND kind IN ('decision', 'points')",
    )
    .bind(case.to_owned())
    .execute(&mut **tx)
    .await?;
    void(tx, case).await
}

async fn void(tx: &mut Tx<'_>, case: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET state = 'void'
         WHERE state IN ('printing', 'printed')
           AND code IN (SELECT code FROM dispatches WHERE case_id = $1 AND state = 'closed')",
    )
    .bind(case.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

const DISPATCH: &str = "code, case_id, kind, state, runs_from, returned, why, name, address";

impl Dispatch {
    fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        let (name, address): (Option<String>, Option<String>) =
            (row.try_get("name")?, row.try_get("address")?);
        Ok(Self {
            code: row.try_get("code")?,
            case_id: row.try_get("case_id")?,
            paper: named(row.try_get("kind")?, "document's kind")?,
            progress: named(row.try_get("state")?, "document's state")?,
            runs_from: from_ms(row.try_get("runs_from")?)?,
            returned: row.try_get("returned")?,
            why: row.try_get("why")?,
            to: name.zip(address).map(|(name, address)| Addressee { name, address }),
        })
    }
}

/// A case's latest document of a kind on its way.
pub async fn find(store: &Store, case: &str, paper: Paper) -> Result<Option<Dispatch>, StoreError> {
    let text = format!(
        "SELECT {DISPATCH} FROM dispatches WHERE case_id = $1 AND kind = $2
         ORDER BY begun_at DESC LIMIT 1"
    );
    let row = sqlx::query(AssertSqlSafe(text))
        .bind(case.to_owned())
        .bind(paper.name())
        .fetch_optional(store.pool())
        .await?;
    row.map(|row| Dispatch::from_row(&row)).transpose()
}

/// One document on its way, by its code.
pub async fn dispatch(
    view: &mut AnyConnection,
    code: &str,
) -> Result<Option<Dispatch>, StoreError> {
    let text = format!("SELECT {DISPATCH} FROM dispatches WHERE code = $1");
    let row =
        sqlx::query(AssertSqlSafe(text)).bind(code.replace('\0', "")).fetch_optional(view).await?;
    row.map(|row| Dispatch::from_row(&row)).transpose()
}

/// Everything of a case that is delivered, in the order in which it was issued.
pub async fn of_case(store: &Store, case: &str) -> Result<Vec<Dispatch>, StoreError> {
    let text =
        format!("SELECT {DISPATCH} FROM dispatches WHERE case_id = $1 ORDER BY begun_at, kind");
    let rows = sqlx::query(AssertSqlSafe(text)).bind(case.to_owned());
    rows.fetch_all(store.pool()).await?.iter().map(Dispatch::from_row).collect()
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

/// The deliveries of a document, in their order.
pub async fn deliveries(view: &mut AnyConnection, code: &str) -> Result<Vec<Delivery>, StoreError> {
    sqlx::query(
        "SELECT id, way, state, sent_at, ended_at, batch_id, place, tracking, receiver, note
         FROM deliveries WHERE code = $1 ORDER BY id",
    )
    .bind(code.to_owned())
    .fetch_all(view)
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
            receiver: row.try_get("receiver")?,
            note: row.try_get("note")?,
        })
    })
    .collect()
}
