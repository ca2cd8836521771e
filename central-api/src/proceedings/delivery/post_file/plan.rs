//! What a file changes, found before anything is written: each line is held against the letter as it
//! is on record and as the lines before left it.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use time::{Date, OffsetDateTime};

use super::super::by_hand::moment;
use super::super::record::deliveries;
use super::super::{Paper, State, served};
use super::Wrong;
use super::line::{Became, Named, Said};
use crate::case::named;
use crate::law::{LawBook, VIETNAM};
use crate::store::{Store, StoreError, from_ms};

/// A letter as it is on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub id: String,
    pub code: String,
    pub paper: Paper,
    pub case_id: String,
    pub state: State,
    pub tracking: Option<String>,
    pub sent_at: Option<OffsetDateTime>,
    pub ended_at: Option<OffsetDateTime>,
    made_at: OffsetDateTime,
}

/// A letter before and after the file.
#[derive(Debug, Clone)]
pub struct Change {
    pub before: Found,
    pub after: Found,
}

#[derive(Debug, Default)]
pub struct Plan {
    letters: BTreeMap<String, Change>,
    /// Which letter of the file has which tracking number.
    tracking: BTreeMap<String, String>,
}

impl Plan {
    /// Takes a line in; the inner error is the line's.
    pub async fn add(
        &mut self,
        store: &Store,
        book: &LawBook,
        said: &Said,
    ) -> Result<Result<(), Wrong>, StoreError> {
        let found = match find(store, said).await? {
            Ok(found) => found,
            Err(wrong) => return Ok(Err(wrong)),
        };
        if let Some(tracking) = &said.tracking {
            let other = self.tracking.insert(tracking.clone(), found.id.clone());
            if other.is_some_and(|id| id != found.id) {
                return Ok(Err(Wrong::OtherLetter));
            }
        }
        if said.became == Became::Returned && is_served(store, book, &found, said.day).await? {
            return Ok(Err(Wrong::Served));
        }
        let id = found.id.clone();
        let change = self
            .letters
            .entry(id)
            .or_insert_with(|| Change { after: found.clone(), before: found });
        Ok(next(&change.after, said).map(|after| change.after = after))
    }

    /// Letters of which something new was said.
    pub fn changes(self) -> Vec<Change> {
        self.letters.into_values().filter(|it| it.before != it.after).collect()
    }
}

/// The letter after a line.
fn next(letter: &Found, said: &Said) -> Result<Found, Wrong> {
    let mut after = letter.clone();
    if let Some(tracking) = &said.tracking {
        if letter.tracking.as_ref().is_some_and(|known| known != tracking) {
            return Err(Wrong::OtherTracking);
        }
        after.tracking = Some(tracking.clone());
    }
    let day = |at: OffsetDateTime| at.to_offset(VIETNAM).date();
    if said.day < day(letter.made_at) {
        return Err(Wrong::Early);
    }
    let at = moment(said.day);
    let same = |state: State| letter.state == state && letter.ended_at.map(day) == Some(said.day);
    match (letter.state, said.became) {
        (State::Printing, _) => return Err(Wrong::NotPrinted),
        // Withdrawn on paper, and gone out all the same: it serves nobody.
        (State::Void, _) => {}
        (State::Printed, Became::Sent) => {
            after.state = State::Sent;
            after.sent_at = Some(at);
        }
        (State::Printed | State::Sent, Became::Delivered | Became::Returned) => {
            if is_before(said.day, letter.sent_at.map(day)) {
                return Err(Wrong::Early);
            }
            let delivered = said.became == Became::Delivered;
            after.state = if delivered { State::Delivered } else { State::Returned };
            after.sent_at = letter.sent_at.or(Some(at));
            after.ended_at = Some(at);
        }
        (State::Delivered, Became::Delivered) if same(State::Delivered) => {}
        (State::Returned, Became::Returned) if same(State::Returned) => {}
        // News from before what is known.
        (_, Became::Sent | Became::Passing) => {}
        _ => return Err(Wrong::Contradicts),
    }
    Ok(after)
}

/// Whether a document was served, not by `letter` itself, when the letter came back.
async fn is_served(
    store: &Store,
    book: &LawBook,
    letter: &Found,
    came_back: Date,
) -> Result<bool, StoreError> {
    if !matches!(letter.state, State::Printed | State::Sent) {
        return Ok(false);
    }
    let mut view = store.pool().acquire().await?;
    let all = deliveries(&mut view, &letter.code).await?;
    Ok(served(&all, book).is_ok_and(|it| it.is_some_and(|it| it.on <= came_back)))
}

fn is_before(day: Date, other: Option<Date>) -> bool {
    other.is_some_and(|other| day < other)
}

const LETTERS: &str = "d.id, d.code, d.kind, d.case_id, d.state, d.tracking, d.sent_at, d.ended_at, \
     b.made_at FROM deliveries d JOIN post_batches b ON b.id = d.batch_id";

/// Reads letters: by tracking number, by batch and place, by the document's code, by its number.
pub fn texts() -> [String; 4] {
    [
        format!("SELECT {LETTERS} WHERE d.tracking = $1"),
        format!("SELECT {LETTERS} WHERE b.number = $1 AND d.place = $2"),
        format!("SELECT {LETTERS} WHERE d.code = $1 ORDER BY d.id DESC LIMIT 20"),
        format!("SELECT {LETTERS} WHERE d.number = $1 AND d.kind = $2 ORDER BY d.id DESC LIMIT 20"),
    ]
}

/// The letter that a line is about.
async fn find(store: &Store, said: &Said) -> Result<Result<Found, Wrong>, StoreError> {
    let [by_tracking, by_place, by_code, by_number] = texts();
    let mut rows = Vec::new();
    match &said.named {
        Named::Letter(batch, place) => {
            let query = sqlx::query(AssertSqlSafe(by_place)).bind(*batch).bind(*place);
            rows = query.fetch_all(store.pool()).await?;
        }
        Named::Code(code) => {
            rows = sqlx::query(AssertSqlSafe(by_code))
                .bind(code.clone())
                .fetch_all(store.pool())
                .await?;
        }
        Named::Number(number, papers) => {
            for paper in papers {
                let query = sqlx::query(AssertSqlSafe(by_number.clone())).bind(*number);
                rows.extend(query.bind(paper.name()).fetch_all(store.pool()).await?);
            }
        }
    }
    let named: Vec<Found> = rows.iter().map(found).collect::<Result<_, _>>()?;
    if let Some(tracking) = &said.tracking {
        let known = sqlx::query(AssertSqlSafe(by_tracking))
            .bind(tracking.clone())
            .fetch_optional(store.pool())
            .await?;
        if let Some(known) = known.as_ref().map(found).transpose()? {
            let fits = named.iter().any(|it| it.id == known.id);
            return Ok(if fits { Ok(known) } else { Err(Wrong::OtherLetter) });
        }
    }
    Ok(open(named))
}

/// Of the letters that a name fits the one that is under way, else the latest.
fn open(mut named: Vec<Found>) -> Result<Found, Wrong> {
    let under_way =
        |it: &&Found| matches!(it.state, State::Printing | State::Printed | State::Sent);
    let open: Vec<_> = named.iter().filter(under_way).collect();
    match open[..] {
        [one] => Ok(one.clone()),
        [] if named.is_empty() => Err(Wrong::Unknown),
        [] => {
            let first = named.remove(0);
            let alone = named.iter().all(|it| it.code == first.code);
            if alone { Ok(first) } else { Err(Wrong::Ambiguous) }
        }
        _ => Err(Wrong::Ambiguous),
    }
}

fn found(row: &AnyRow) -> Result<Found, StoreError> {
    let time = |name| row.try_get::<Option<i64>, _>(name)?.map(from_ms).transpose();
    Ok(Found {
        id: row.try_get("id")?,
        code: row.try_get("code")?,
        paper: named(row.try_get("kind")?, "document's kind")?,
        case_id: row.try_get("case_id")?,
        state: named(row.try_get("state")?, "delivery's state")?,
        tracking: row.try_get("tracking")?,
        sent_at: time("sent_at")?,
        ended_at: time("ended_at")?,
        made_at: from_ms(row.try_get("made_at")?)?,
    })
}
