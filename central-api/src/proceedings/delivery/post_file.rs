//! What the post office says of letters, as a CSV file: which tracking number a letter has, and what
//! became of it. Every line is read before the first is written, and all of it counts or nothing; the
//! same file again changes nothing.

mod apply;
mod line;
mod plan;

use contract::Digest;
use time::OffsetDateTime;

use super::follow::Follow;
use crate::csv_file::{self, OpenError};
use crate::law::{LawBook, VIETNAM};
use crate::store::{Store, StoreError};

use line::COLUMNS;
use plan::Plan;
pub use plan::texts as letter_texts;

/// Longest file, in bytes, and most lines of one.
pub const MOST_BYTES: usize = 2 << 20;
const MOST_LINES: usize = 5000;
/// Mistakes that are named before the rest is only counted.
const MOST_NAMED: usize = 20;

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the file has no line under its header")]
    Empty,
    #[error("the file has more than {MOST_LINES} lines or {MOST_BYTES} bytes: split it")]
    TooLong,
    /// Nothing was taken in.
    #[error("nothing was imported, {count} lines are wrong:\n{}", named_lines(.named))]
    Lines { count: usize, named: Vec<(usize, Wrong)> },
    #[error("somebody changed one of the letters meanwhile: import the file again")]
    Conflict,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with a line. None of them quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("names no letter of ours")]
    Unknown,
    #[error("its number is that of several documents: give the document's code")]
    Ambiguous,
    #[error("the tracking number must have 4 to 40 letters and digits")]
    Tracking,
    #[error("the letter has another tracking number")]
    OtherTracking,
    #[error("the tracking number is that of another letter")]
    OtherLetter,
    #[error("the status is none that is known")]
    Status,
    #[error("the date must be like 30/11/2026 or 2026-11-30")]
    Date,
    #[error("the date lies in the future")]
    Future,
    #[error("the date lies before the letter was made or sent")]
    Early,
    #[error("the letter is not printed yet")]
    NotPrinted,
    #[error("contradicts what is on record of the letter")]
    Contradicts,
    #[error("the document was served before: a letter of it that comes back later changes nothing")]
    Served,
    #[error("is no line of as many fields as the header")]
    Fields,
}

impl Wrong {
    /// The name in the word tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ambiguous => "ambiguous",
            Self::Tracking => "tracking",
            Self::OtherTracking => "other_tracking",
            Self::OtherLetter => "other_letter",
            Self::Status => "status",
            Self::Date => "date",
            Self::Future => "future",
            Self::Early => "early",
            Self::NotPrinted => "not_printed",
            Self::Contradicts => "contradicts",
            Self::Served => "served",
            Self::Fields => "fields",
        }
    }
}

fn named_lines(named: &[(usize, Wrong)]) -> String {
    named.iter().map(|(at, wrong)| format!("line {at}: {wrong}")).collect::<Vec<_>>().join("\n")
}

/// What was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    pub lines: usize,
    /// Letters of which something new was said.
    pub changed: usize,
}

/// Takes in a file; `actor` is who does, as the audit names it.
pub async fn import(
    store: &Store,
    book: &LawBook,
    bytes: &[u8],
    actor: &str,
    now: OffsetDateTime,
) -> Result<Imported, ImportError> {
    if bytes.len() > MOST_BYTES {
        return Err(ImportError::TooLong);
    }
    let today = now.to_offset(VIETNAM).date();
    let (mut reader, places) = csv_file::open(bytes, &COLUMNS)?;
    let mut plan = Plan::default();
    let (mut lines, mut count, mut named) = (0, 0, Vec::new());
    for record in reader.records() {
        lines += 1;
        if lines > MOST_LINES {
            return Err(ImportError::TooLong);
        }
        let (at, said) = match &record {
            Ok(record) => {
                let at = csv_file::line(bytes, record.position());
                let fields = places.map(|place| record.get(place).unwrap_or_default());
                (at, line::read(fields, today))
            }
            Err(error) => {
                let at = csv_file::line(bytes, error.position());
                (at, Err(Wrong::Fields))
            }
        };
        let outcome = match said {
            Ok(said) => plan.add(store, book, &said).await?,
            Err(wrong) => Err(wrong),
        };
        if let Err(wrong) = outcome {
            count += 1;
            if named.len() < MOST_NAMED {
                named.push((at, wrong));
            }
        }
    }
    if count > 0 {
        return Err(ImportError::Lines { count, named });
    }
    if lines == 0 {
        return Err(ImportError::Empty);
    }
    let changes = plan.changes();
    let mut tx = store.begin().await?;
    let mut follow = Follow::default();
    for change in &changes {
        apply::apply(&mut tx, change, book.service_letters(), actor, &mut follow).await?;
    }
    let detail = serde_json::json!({
        "sha256": Digest::of(bytes).to_string(),
        "lines": lines,
        "changed": changes.len(),
    });
    follow.note_of(("post", "file"), actor, "post.imported", detail);
    follow.carry_out(&mut tx, book, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Imported { lines, changed: changes.len() })
}
