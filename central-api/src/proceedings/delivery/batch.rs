//! Batches of letters for the post office: made of what waits, printed by a job, handed over.

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::follow::{Follow, Reach};
use super::letter::{self, Letter};
use super::{Paper, Progress, State};
use crate::AppState;
use crate::audit::{self, Entry};
use crate::case::{name_of, named};
use crate::jobs::{self, Job};
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

/// Puts at most `most` of the papers that wait, of every kind or of one, into a batch, those first that
/// came back, and asks for its printing. Of two who do so at once, each gets other papers.
pub async fn make(
    state: &AppState,
    (by, login): (&str, &str),
    which: Option<Paper>,
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
    let mut papers: Vec<Waiting> = Vec::new();
    for progress in [Progress::Again, Progress::Waiting] {
        for paper in Paper::ALL.into_iter().filter(|it| which.is_none_or(|which| which == *it)) {
            let left = i64::from(most) - papers.len() as i64;
            papers.extend(waiting(&mut tx, paper, progress, left).await?);
        }
    }
    if papers.is_empty() {
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
    .bind(papers.len() as i64)
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    for (place, waiting) in (1_i64..).zip(&papers) {
        put_in(&mut tx, &id, place, waiting, now).await?;
    }
    jobs::ask(&mut tx, &Job::PrintBatch { batch: id.clone() }, now).await?;
    let actor = format!("user:{login}");
    let mut follow = Follow::default();
    for (place, waiting) in (1_i64..).zip(&papers) {
        let detail = serde_json::json!({
            "by": by, "letter": letter::reference(number, place), "paper": waiting.paper,
        });
        follow.note(&waiting.case, &actor, "delivery.in_batch", detail);
    }
    let papers: Vec<_> =
        papers.iter().map(|it| serde_json::json!([it.case, it.paper, it.code])).collect();
    let entry = Entry {
        at: now,
        actor: &actor,
        action: "batch.made",
        subject_kind: "batch",
        subject_id: &id,
        detail: serde_json::json!({ "by": by, "number": number, "papers": papers }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    state.bell.notify_one();
    batch(&state.store, &id).await?.ok_or(BatchError::NotFound(id))
}

/// A paper for a batch.
struct Waiting {
    code: String,
    case: String,
    paper: Paper,
}

/// Those of a kind that are equally far. What is frozen would fill every batch and be printed in none.
async fn waiting(
    tx: &mut Tx<'_>,
    paper: Paper,
    progress: Progress,
    most: i64,
) -> Result<Vec<Waiting>, StoreError> {
    sqlx::query(
        "SELECT code, case_id FROM dispatches WHERE kind = $1 AND state = $2
             AND ($3 = 1 OR NOT EXISTS (SELECT 1 FROM recalled
                 WHERE case_id = dispatches.case_id AND state <> 'released'))
         ORDER BY runs_from, case_id LIMIT $4",
    )
    .bind(paper.name())
    .bind(name_of(&progress))
    .bind(i64::from(paper.takes_back()))
    .bind(most)
    .fetch_all(&mut **tx)
    .await?
    .iter()
    .map(|row| Ok(Waiting { code: row.try_get("code")?, case: row.try_get("case_id")?, paper }))
    .collect()
}

async fn put_in(
    tx: &mut Tx<'_>,
    batch: &str,
    place: i64,
    waiting: &Waiting,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE dispatches SET state = 'on_way' WHERE code = $1")
        .bind(waiting.code.clone())
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "INSERT INTO deliveries (id, code, case_id, kind, way, state, batch_id, place)
         VALUES ($1, $2, $3, $4, 'post', 'printing', $5, $6)",
    )
    .bind(new_id(now))
    .bind(waiting.code.clone())
    .bind(waiting.case.clone())
    .bind(waiting.paper.name())
    .bind(batch.to_owned())
    .bind(place)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A letter never leaves the house: its paper waits as it did before.
pub(super) async fn put_back(tx: &mut Tx<'_>, letter: &Letter) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET state = 'void' WHERE id = $1 AND state IN ('printing', 'printed')",
    )
    .bind(letter.id.clone())
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "UPDATE dispatches SET state = CASE returned WHEN 0 THEN 'waiting' ELSE 'again' END
         WHERE code = $1 AND state = 'on_way'",
    )
    .bind(letter.code.clone())
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

/// The batch was handed to the post office: from now on the terms of its letters run. A letter that must
/// not go out, or not until somebody has decided, stays in the house. Returns how many went out and how
/// many stayed.
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
    let letters = letter::read(&mut tx, &batch).await?;
    let mut follow = Follow::default();
    let (mut out, mut stayed) = (0, 0);
    for letter in letters.iter().filter(|it| it.state == State::Printed) {
        if letter.stay.is_some() {
            put_back(&mut tx, letter).await?;
            let detail = serde_json::json!({
                "by": by, "letter": letter.reference, "paper": letter.paper,
            });
            follow.note(&letter.case_id, &actor, "delivery.kept", detail);
            stayed += 1;
        } else if send(&mut tx, letter, now).await? {
            follow.changed(letter.paper, &letter.case_id, &letter.code, Some(Reach::From(now)));
            let detail = serde_json::json!({
                "by": by, "letter": letter.reference, "paper": letter.paper,
            });
            follow.note(&letter.case_id, &actor, "delivery.sent", detail);
            out += 1;
        } else {
            // Void since it was read.
            stayed += 1;
        }
    }
    let detail = serde_json::json!({ "by": by, "sent": out, "kept": stayed });
    follow.note_of(("batch", id), &actor, "batch.posted", detail);
    follow.carry_out(&mut tx, &state.law, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok((out, stayed))
}

/// Whether it was still in the house.
async fn send(tx: &mut Tx<'_>, letter: &Letter, now: OffsetDateTime) -> Result<bool, StoreError> {
    let sent = sqlx::query(
        "UPDATE deliveries SET state = 'sent', sent_at = $1 WHERE id = $2 AND state = 'printed'",
    )
    .bind(to_ms(now))
    .bind(letter.id.clone())
    .execute(&mut **tx)
    .await?;
    if sent.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("UPDATE dispatches SET runs_from = $1 WHERE code = $2 AND state = 'on_way'")
        .bind(to_ms(now))
        .bind(letter.code.clone())
        .execute(&mut **tx)
        .await?;
    Ok(true)
}
