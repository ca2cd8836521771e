//! Batches of letters for the post office: made of what waits, printed by a job, handed over.

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::{Paper, Progress, State};
use crate::AppState;
use crate::audit::{self, Entry};
use crate::case::{self, name_of, named};
use crate::jobs::{self, Job};
use crate::proceedings::warning::{self, Cause};
use crate::store::{Store, StoreError, Tx, from_ms, new_id, to_ms};

#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error("no document waits to be sent")]
    Nothing,
    #[error("there is no batch {0}")]
    NotFound(String),
    #[error("the batch is not printed, or was handed over already")]
    NotPossible,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    Printing,
    Printed,
    /// Handed to the post office.
    Posted,
    /// Nothing of it could be printed.
    Empty,
}

#[derive(Debug, Clone)]
pub struct Batch {
    pub id: String,
    pub number: i64,
    pub state: BatchState,
    pub made_at: OffsetDateTime,
    pub made_by: String,
    pub letters: i64,
    pub pages: i64,
    pub pdf_sha256: Option<String>,
    pub csv_sha256: Option<String>,
    pub posted_at: Option<OffsetDateTime>,
}

const COLUMNS: &str =
    "id, number, state, made_at, made_by, letters, pages, pdf_sha256, csv_sha256, posted_at";

impl Batch {
    fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        let posted_at: Option<i64> = row.try_get("posted_at")?;
        Ok(Self {
            id: row.try_get("id")?,
            number: row.try_get("number")?,
            state: named(row.try_get("state")?, "batch's state")?,
            made_at: from_ms(row.try_get("made_at")?)?,
            made_by: row.try_get("made_by")?,
            letters: row.try_get("letters")?,
            pages: row.try_get("pages")?,
            pdf_sha256: row.try_get("pdf_sha256")?,
            csv_sha256: row.try_get("csv_sha256")?,
            posted_at: posted_at.map(from_ms).transpose()?,
        })
    }
}

/// By what the post office and we call a letter.
pub(super) fn reference(batch: i64, place: i64) -> String {
    format!("{batch}-{place:04}")
}

/// A letter of a batch.
#[derive(Debug, Clone)]
pub struct Letter {
    pub id: String,
    pub case_id: String,
    pub reference: String,
    pub place: i64,
    pub state: State,
    pub tracking: Option<String>,
    /// Whether it is on paper.
    pub is_printed: bool,
    /// Whether it may go out: else it is taken from the pile.
    pub goes_out: bool,
}

/// Puts at most `most` of the documents that wait into a batch, those first that came back, and asks
/// for its printing. Of two who do so at once, each gets other documents.
pub async fn make(
    state: &AppState,
    (by, login): (&str, &str),
    most: u32,
) -> Result<Batch, BatchError> {
    let now = state.clock.now();
    let id = new_id(now);
    let mut tx = state.store.begin().await?;
    // Held until the end: who comes second sees what is left.
    let number: i64 =
        sqlx::query_scalar("UPDATE post_head SET last = last + 1 WHERE id = 1 RETURNING last")
            .fetch_one(&mut *tx)
            .await
            .map_err(StoreError::from)?;
    let mut cases: Vec<String> = Vec::new();
    for progress in [Progress::Again, Progress::Waiting] {
        let left = i64::from(most) - cases.len() as i64;
        cases.extend(waiting(&mut tx, progress, left).await?);
    }
    if cases.is_empty() {
        return Err(BatchError::Nothing);
    }
    sqlx::query(
        "INSERT INTO post_batches (id, number, state, made_at, made_by, letters)
         VALUES ($1, $2, 'printing', $3, $4, $5)",
    )
    .bind(id.clone())
    .bind(number)
    .bind(to_ms(now))
    .bind(by.to_owned())
    .bind(cases.len() as i64)
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    for (place, case) in (1_i64..).zip(&cases) {
        put_in(&mut tx, &id, place, case, now).await?;
    }
    jobs::ask(&mut tx, &Job::PrintBatch { batch: id.clone() }, now).await?;
    let actor = format!("user:{login}");
    for (place, case) in (1_i64..).zip(&cases) {
        let detail = serde_json::json!({ "by": by, "letter": reference(number, place) });
        note_down(&mut tx, case, &actor, "delivery.in_batch", now, detail).await?;
    }
    let entry = Entry {
        at: now,
        actor: &actor,
        action: "batch.made",
        subject_kind: "batch",
        subject_id: &id,
        detail: serde_json::json!({ "by": by, "number": number, "cases": cases }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    state.bell.notify_one();
    batch(&state.store, &id).await?.ok_or(BatchError::NotFound(id))
}

async fn waiting(
    tx: &mut Tx<'_>,
    progress: Progress,
    most: i64,
) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT case_id FROM dispatches WHERE kind = $1 AND state = $2
         ORDER BY runs_from, case_id LIMIT $3",
    )
    .bind(Paper::Notice.name())
    .bind(name_of(&progress))
    .bind(most)
    .fetch_all(&mut **tx)
    .await?)
}

async fn put_in(
    tx: &mut Tx<'_>,
    batch: &str,
    place: i64,
    case: &str,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE dispatches SET state = 'on_way' WHERE case_id = $1 AND kind = $2")
        .bind(case.to_owned())
        .bind(Paper::Notice.name())
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "INSERT INTO deliveries (id, case_id, kind, way, state, batch_id, place)
         VALUES ($1, $2, $3, 'post', 'printing', $4, $5)",
    )
    .bind(new_id(now))
    .bind(case.to_owned())
    .bind(Paper::Notice.name())
    .bind(batch.to_owned())
    .bind(place)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A letter never leaves the house: its document waits as it did before.
pub(super) async fn put_back(
    tx: &mut Tx<'_>,
    delivery: &str,
    case: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET state = 'void' WHERE id = $1 AND state IN ('printing', 'printed')",
    )
    .bind(delivery.to_owned())
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "UPDATE dispatches SET state = CASE returned WHEN 0 THEN 'waiting' ELSE 'again' END
         WHERE case_id = $1 AND kind = $2 AND state = 'on_way'",
    )
    .bind(case.to_owned())
    .bind(Paper::Notice.name())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn batch(store: &Store, id: &str) -> Result<Option<Batch>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM post_batches WHERE id = $1");
    let row = sqlx::query(AssertSqlSafe(text))
        .bind(id.replace('\0', ""))
        .fetch_optional(store.pool())
        .await?;
    row.map(|row| Batch::from_row(&row)).transpose()
}

/// The latest batches.
pub async fn batches(store: &Store, most: i64) -> Result<Vec<Batch>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM post_batches ORDER BY number DESC LIMIT $1");
    let rows = sqlx::query(AssertSqlSafe(text)).bind(most).fetch_all(store.pool()).await?;
    rows.iter().map(Batch::from_row).collect()
}

/// The letters of a batch, in their order.
pub async fn letters(store: &Store, batch: &Batch) -> Result<Vec<Letter>, StoreError> {
    let mut connection = store.pool().acquire().await?;
    read_letters(&mut connection, batch).await
}

async fn read_letters(
    view: &mut sqlx::AnyConnection,
    batch: &Batch,
) -> Result<Vec<Letter>, StoreError> {
    sqlx::query(
        "SELECT d.id, d.case_id, d.place, d.state, d.code, d.tracking, c.state AS standing
         FROM deliveries d JOIN cases c ON c.id = d.case_id
         WHERE d.batch_id = $1 ORDER BY d.place",
    )
    .bind(batch.id.clone())
    .fetch_all(view)
    .await?
    .iter()
    .map(|row| {
        let place: Option<i64> = row.try_get("place")?;
        let place = place.unwrap_or_default();
        let state: State = named(row.try_get("state")?, "delivery's state")?;
        let standing: case::State = named(row.try_get("standing")?, "case's state")?;
        Ok(Letter {
            id: row.try_get("id")?,
            case_id: row.try_get("case_id")?,
            reference: reference(batch.number, place),
            place,
            state,
            tracking: row.try_get("tracking")?,
            is_printed: row.try_get::<Option<String>, _>("code")?.is_some(),
            goes_out: state != State::Void && standing.is_pursued(),
        })
    })
    .collect()
}

/// The batch was handed to the post office: from now on the terms of its letters run. A letter whose
/// case is not pursued any more, or not until somebody has decided, stays in the house. Returns how
/// many went out and how many stayed.
pub async fn post(
    state: &AppState,
    id: &str,
    (by, login): (&str, &str),
) -> Result<(usize, usize), BatchError> {
    let missing = || BatchError::NotFound(id.to_owned());
    let batch = batch(&state.store, id).await?.ok_or_else(missing)?;
    let now = state.clock.now();
    let actor = format!("user:{login}");
    let mut tx = state.store.begin().await?;
    let posted = sqlx::query(
        "UPDATE post_batches SET state = 'posted', posted_at = $1, posted_by = $2
         WHERE id = $3 AND state = 'printed'",
    )
    .bind(to_ms(now))
    .bind(by.to_owned())
    .bind(batch.id.clone())
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    if posted.rows_affected() == 0 {
        return Err(BatchError::NotPossible);
    }
    let letters = read_letters(&mut tx, &batch).await?;
    let (mut out, mut stayed) = (0, 0);
    for letter in letters.iter().filter(|it| it.state == State::Printed) {
        let frozen = case::held_in(&mut tx, &letter.case_id).await?.is_some();
        if !letter.goes_out || frozen {
            put_back(&mut tx, &letter.id, &letter.case_id).await?;
            let detail = serde_json::json!({ "by": by, "letter": letter.reference });
            note_down(&mut tx, &letter.case_id, &actor, "delivery.kept", now, detail).await?;
            stayed += 1;
            continue;
        }
        let sent = sqlx::query(
            "UPDATE deliveries SET state = 'sent', sent_at = $1 WHERE id = $2 AND state = 'printed'",
        )
        .bind(to_ms(now))
        .bind(letter.id.clone())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)?;
        // Void since it was read: it stays.
        if sent.rows_affected() == 0 {
            stayed += 1;
            continue;
        }
        warning::watch(&mut tx, &letter.case_id, Cause::NoShow, now).await?;
        let detail = serde_json::json!({ "by": by, "letter": letter.reference });
        note_down(&mut tx, &letter.case_id, &actor, "delivery.sent", now, detail).await?;
        out += 1;
    }
    let entry = Entry {
        at: now,
        actor: &actor,
        action: "batch.posted",
        subject_kind: "batch",
        subject_id: id,
        detail: serde_json::json!({ "by": by, "sent": out, "kept": stayed }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok((out, stayed))
}

/// Puts a step of a delivery into the audit of its case.
pub(super) async fn note_down(
    tx: &mut Tx<'_>,
    case: &str,
    actor: &str,
    action: &str,
    at: OffsetDateTime,
    detail: serde_json::Value,
) -> Result<(), StoreError> {
    let entry = Entry { at, actor, action, subject_kind: "case", subject_id: case, detail };
    audit::append(tx, entry).await
}
