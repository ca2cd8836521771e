//! The letters of a batch, and which of them must not go out.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Batch, Paper, Progress, State};
use crate::case::{self, named};
use crate::proceedings::decision;
use crate::store::{Store, StoreError};

/// A letter of a batch.
#[derive(Debug, Clone)]
pub struct Letter {
    pub id: String,
    pub code: String,
    pub case_id: String,
    pub paper: Paper,
    pub reference: String,
    pub place: i64,
    pub state: State,
    pub tracking: Option<String>,
    /// Whether it is on paper.
    pub is_printed: bool,
    /// Why it must not go out, or should not have: in the house it is taken from the pile.
    pub stay: Option<Stay>,
}

/// Why a paper is not to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// The case is closed, or the document annulled.
    Undone,
    /// Somebody asked that it be taken back; another person must decide.
    Asked,
    /// A fault is looked into.
    Frozen,
    /// It reached whom it is for by another way.
    Served,
}

impl Stay {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Undone => "undone",
            Self::Asked => "asked",
            Self::Frozen => "frozen",
            Self::Served => "served",
        }
    }
}

/// By what the post office and we call a letter.
pub(super) fn reference(batch: i64, place: i64) -> String {
    format!("{batch}-{place:04}")
}

/// The letters of a batch, in their order.
pub async fn letters(store: &Store, batch: &Batch) -> Result<Vec<Letter>, StoreError> {
    let mut connection = store.pool().acquire().await?;
    read(&mut connection, batch).await
}

pub(super) async fn read(
    view: &mut sqlx::AnyConnection,
    batch: &Batch,
) -> Result<Vec<Letter>, StoreError> {
    sqlx::query(
        "SELECT d.id, d.code, d.case_id, d.kind, d.place, d.state, d.printed_at, d.tracking,
             w.state AS progress, c.state AS standing, p.state AS decided,
             (SELECT COUNT(*) FROM recalled r WHERE r.case_id = d.case_id
                 AND r.state <> 'released') AS frozen
         FROM deliveries d
             JOIN dispatches w ON w.code = d.code
             JOIN cases c ON c.id = d.case_id
             LEFT JOIN proceedings p ON p.case_id = d.case_id AND p.name = 'decision'
         WHERE d.batch_id = $1 ORDER BY d.place",
    )
    .bind(batch.id.clone())
    .fetch_all(view)
    .await?
    .iter()
    .map(|row| {
        let place: Option<i64> = row.try_get("place")?;
        let place = place.unwrap_or_default();
        Ok(Letter {
            id: row.try_get("id")?,
            code: row.try_get("code")?,
            case_id: row.try_get("case_id")?,
            paper: named(row.try_get("kind")?, "document's kind")?,
            reference: reference(batch.number, place),
            place,
            state: named(row.try_get("state")?, "delivery's state")?,
            tracking: row.try_get("tracking")?,
            is_printed: row.try_get::<Option<i64>, _>("printed_at")?.is_some(),
            stay: stay(row)?,
        })
    })
    .collect()
}

fn stay(row: &AnyRow) -> Result<Option<Stay>, StoreError> {
    let paper: Paper = named(row.try_get("kind")?, "document's kind")?;
    let progress: Progress = named(row.try_get("progress")?, "document's state")?;
    let standing: case::State = named(row.try_get("standing")?, "case's state")?;
    let decided: Option<String> = row.try_get("decided")?;
    let frozen: i64 = row.try_get("frozen")?;
    let is_asked = standing == case::State::Withdrawing
        || paper.needs_decision() && decided.as_deref() == Some(decision::State::Annulling.name());
    let holds = standing.is_pursued()
        && (!paper.needs_decision() || decided.as_deref() == Some(decision::State::Issued.name()));
    let state: State = named(row.try_get("state")?, "delivery's state")?;
    let in_house = matches!(state, State::Printing | State::Printed);
    Ok(match progress {
        Progress::Closed => Some(Stay::Undone),
        Progress::Done if in_house => Some(Stay::Served),
        _ if paper.takes_back() => None,
        _ if frozen > 0 => Some(Stay::Frozen),
        _ if is_asked => Some(Stay::Asked),
        _ if !holds => Some(Stay::Undone),
        _ => None,
    })
}
