//! Finding cases: the queue, counts, and what comes next.

use contract::Act;
use sqlx::{AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::record::{COLUMNS, Case};
use super::states::State;
use crate::store::{Store, StoreError, Tx, to_ms};

/// Cases that a list counts; it leads no further, whoever looks for more narrows the filter.
pub const MOST_COUNTED: u64 = 10_000;

/// What the queue shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Any of these; all when empty.
    pub states: Vec<State>,
    pub act: Option<Act>,
    pub camera: Option<String>,
    /// Normalised number.
    pub plate: Option<String>,
}

/// One page of cases; the queue's are oldest act first.
#[derive(Debug)]
pub struct Page {
    pub cases: Vec<Case>,
    /// From 1.
    pub number: u32,
    pub pages: u32,
    /// In the queue at most one more than [`MOST_COUNTED`].
    pub total: u64,
}

/// How many cases wait where; closed ones are not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(Vec<(State, u64)>);

impl Counts {
    pub fn of(&self, state: State) -> u64 {
        self.0.iter().find(|(other, _)| *other == state).map_or(0, |(_, count)| *count)
    }

    /// Waiting for a reviewer.
    pub fn to_review(&self) -> u64 {
        State::TO_REVIEW.iter().map(|state| self.of(*state)).sum()
    }

    /// Waiting for an approver.
    pub fn to_approve(&self) -> u64 {
        State::TO_APPROVE.iter().map(|state| self.of(*state)).sum()
    }
}

pub async fn find(store: &Store, id: &str) -> Result<Option<Case>, StoreError> {
    sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM cases WHERE id = $1")))
        .bind(asked(id))
        .fetch_optional(store.pool())
        .await?
        .map(|row| Case::from_row(&row))
        .transpose()
}

/// The type of a file that a package of a case has.
pub async fn media_type(
    store: &Store,
    case: &str,
    evidence: &str,
    name: &str,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT f.media_type FROM evidence_files f JOIN evidence e ON e.id = f.evidence_id
         WHERE f.evidence_id = $1 AND f.name = $2 AND e.case_id = $3",
    )
    .bind(asked(evidence))
    .bind(asked(name))
    .bind(asked(case))
    .fetch_optional(store.pool())
    .await?)
}

/// A page of at most `size` cases.
pub async fn list(
    store: &Store,
    filter: &Filter,
    number: u32,
    size: u32,
) -> Result<Page, StoreError> {
    let total: i64 = filter
        .bind_scalar(sqlx::query_scalar(AssertSqlSafe(filter.count_text())))
        .fetch_one(store.pool())
        .await?;
    let (number, pages, total) = paging(total, number, size);
    let cases = filter
        .bind(sqlx::query(AssertSqlSafe(filter.page_text(number, size))))
        .fetch_all(store.pool())
        .await?
        .iter()
        .map(Case::from_row)
        .collect::<Result<_, _>>()?;
    Ok(Page { cases, number, pages, total })
}

/// A page of the cases of one plate that the public may know of, newest act first, each with its
/// manifest's text.
pub async fn published(
    store: &Store,
    plate: &str,
    two_wheeled: bool,
    number: u32,
    size: u32,
) -> Result<(Page, Vec<String>), StoreError> {
    // Of the lookup form's types 1 is a car, 2 and 3 are two-wheelers.
    let (first, last) = if two_wheeled { (2_i64, 3_i64) } else { (1, 1) };
    let [count, select] = published_texts();
    let total: i64 = sqlx::query_scalar(AssertSqlSafe(count))
        .bind(plate.to_owned())
        .bind(first)
        .bind(last)
        .fetch_one(store.pool())
        .await?;
    let (number, pages, total) = paging(total, number, size);
    let rows = sqlx::query(AssertSqlSafe(select))
        .bind(plate.to_owned())
        .bind(first)
        .bind(last)
        .bind(i64::from(size))
        .bind(i64::from(number - 1) * i64::from(size))
        .fetch_all(store.pool())
        .await?;
    let cases = rows.iter().map(Case::from_row).collect::<Result<_, _>>()?;
    let manifests = rows.iter().map(|row| row.try_get("manifest")).collect::<Result<_, _>>()?;
    Ok((Page { cases, number, pages, total }, manifests))
}

/// Counts a plate's published cases, and reads a page of them.
pub fn published_texts() -> [String; 2] {
    let states = names(&State::PUBLIC);
    let of_plate = format!(
        "FROM cases WHERE plate = $1 AND state IN ({states}) AND vehicle_type BETWEEN $2 AND $3"
    );
    let manifest = "(SELECT manifest FROM evidence WHERE evidence.id = cases.evidence_id)";
    [
        format!("SELECT COUNT(*) {of_plate}"),
        format!(
            "SELECT {COLUMNS}, {manifest} AS manifest {of_plate}
             ORDER BY act_at DESC, id DESC LIMIT $4 OFFSET $5"
        ),
    ]
}

/// Number of the page nearest to the one asked for, how many there are, and the total.
fn paging(total: i64, number: u32, size: u32) -> (u32, u32, u64) {
    let total = u64::try_from(total).unwrap_or(0);
    let pages = u32::try_from(total.div_ceil(u64::from(size))).unwrap_or(u32::MAX).max(1);
    (number.clamp(1, pages), pages, total)
}

/// The oldest case in `states` that `user` may decide on, other than `after`.
pub async fn next_for(
    store: &Store,
    states: &[State],
    user: &str,
    after: &str,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(AssertSqlSafe(next_text(states)))
        .bind(after.to_owned())
        .bind(user.to_owned())
        .fetch_optional(store.pool())
        .await?)
}

/// A reviewer is not sent to a colleague's case, an approver not to their own. For the plus see
/// [`Filter::page_text`].
pub fn next_text(states: &[State]) -> String {
    let states = names(states);
    format!(
        "SELECT id FROM cases WHERE state IN ({states}) AND id <> $1
           AND (state <> 'in_review' OR reviewer = $2)
           AND (state <> 'withdrawing' OR COALESCE(undone_by, '') <> $2)
           AND (state <> 'accepted' OR (reviewer <> $2 AND COALESCE(plate_by, '') <> $2))
         ORDER BY +act_at, id LIMIT 1"
    )
}

/// Counts the cases that somebody has work with.
pub fn count_text() -> String {
    let states = names(&State::WAITING);
    format!("SELECT state, COUNT(*) AS cases FROM cases WHERE state IN ({states}) GROUP BY state")
}

pub async fn count(store: &Store) -> Result<Counts, StoreError> {
    let rows = sqlx::query(AssertSqlSafe(count_text())).fetch_all(store.pool()).await?;
    let mut counts = Vec::new();
    for row in rows {
        let name: String = row.try_get("state")?;
        let state = State::parse(&name).ok_or_else(|| StoreError::corrupt("state", name))?;
        counts.push((state, u64::try_from(row.try_get::<i64, _>("cases")?).unwrap_or(0)));
    }
    Ok(Counts(counts))
}

/// Cameras that have cases, for the filter: from one camera's cases straight to the next one's.
pub async fn cameras(store: &Store) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "WITH RECURSIVE cameras (id) AS (
             SELECT MIN(camera_id) FROM cases
             UNION ALL
             SELECT (SELECT MIN(camera_id) FROM cases WHERE camera_id > cameras.id)
             FROM cameras WHERE cameras.id IS NOT NULL
         )
         SELECT id FROM cameras WHERE id IS NOT NULL LIMIT 500",
    )
    .fetch_all(store.pool())
    .await?)
}

/// Reads when the acts of cases in a state were done, from a place in their order on.
const IN_STATE: &str = "SELECT act_at, id FROM cases
     WHERE state = $1 AND (act_at, id) >= ($2, $3) ORDER BY act_at, id LIMIT $4";

/// At most `most` cases in a state, with the time of their acts, from `from` on in that order.
pub async fn in_state(
    store: &Store,
    state: State,
    from: (i64, &str),
    most: i64,
) -> Result<Vec<(i64, String)>, StoreError> {
    sqlx::query(IN_STATE)
        .bind(state.name())
        .bind(from.0)
        .bind(asked(from.1))
        .bind(most)
        .fetch_all(store.pool())
        .await?
        .iter()
        .map(|row| Ok((row.try_get("act_at")?, row.try_get("id")?)))
        .collect()
}

/// Counts the cases in a state whose act was done before a moment, up to one more than
/// [`MOST_COUNTED`].
pub fn count_in_state_text() -> String {
    let most = MOST_COUNTED + 1;
    format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM cases WHERE state = $1 AND act_at < $2
         LIMIT {most}) AS counted"
    )
}

pub async fn count_in_state(
    store: &Store,
    state: State,
    before: OffsetDateTime,
) -> Result<u64, StoreError> {
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(count_in_state_text()))
        .bind(state.name())
        .bind(to_ms(before))
        .fetch_one(store.pool())
        .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Approved cases whose notice nothing works at, but for those that wait for a clerk.
pub async fn left_approved(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT id FROM cases WHERE state = 'approved'
           AND NOT EXISTS (SELECT 1 FROM jobs WHERE key = 'issue_notice:' || cases.id)
           AND NOT EXISTS (SELECT 1 FROM jobs WHERE key = 'identify_owner:' || cases.id)
           AND NOT EXISTS (SELECT 1 FROM owners
               WHERE case_id = cases.id AND state = 'by_hand' AND plate = cases.plate)",
    )
    .fetch_all(&mut **tx)
    .await?)
}

/// What someone asks for. No text in a database holds a NUL, and PostgreSQL fails on one.
fn asked(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;
type Scalar<'q, T> = sqlx::query::QueryScalar<'q, sqlx::Any, T, sqlx::any::AnyArguments>;

impl Filter {
    /// Only names of this program are written into the text; what people type is bound.
    fn clause(&self) -> String {
        let mut text = "1 = 1".to_owned();
        if !self.is_of_all_states() {
            text.push_str(&format!(" AND state IN ({})", names(&self.states)));
        }
        if let Some(act) = &self.act {
            // An act's name is of a-z, 0-9 and _ alone.
            text.push_str(&format!(" AND act = '{act}'"));
        }
        let mut number = 0;
        for (column, value) in [("camera_id", &self.camera), ("plate", &self.plate)] {
            if value.is_some() {
                number += 1;
                text.push_str(&format!(" AND {column} = ${number}"));
            }
        }
        text
    }

    fn is_of_all_states(&self) -> bool {
        self.states.is_empty() || self.states.len() == State::ALL.len()
    }

    /// Counts what the filter lets through, up to one more than [`MOST_COUNTED`].
    pub fn count_text(&self) -> String {
        let clause = self.clause();
        let most = MOST_COUNTED + 1;
        format!("SELECT COUNT(*) FROM (SELECT 1 FROM cases WHERE {clause} LIMIT {most}) AS counted")
    }

    /// Reads one page.
    pub fn page_text(&self, number: u32, size: u32) -> String {
        let clause = self.clause();
        let offset = u64::from(number - 1) * u64::from(size);
        // The plus keeps a planner from walking all cases in the order of their acts until it has
        // met enough: a plate has few, and so have several states, which are the open ones.
        let few = self.plate.is_some() || !self.is_of_all_states() && self.states.len() > 1;
        let plus = if few { "+" } else { "" };
        format!(
            "SELECT {COLUMNS} FROM cases WHERE {clause}
             ORDER BY {plus}act_at, id LIMIT {size} OFFSET {offset}"
        )
    }

    fn values(&self) -> impl Iterator<Item = String> {
        [&self.camera, &self.plate].into_iter().flatten().map(|text| asked(text))
    }

    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        self.values().fold(query, Query::bind)
    }

    fn bind_scalar<'q>(&self, query: Scalar<'q, i64>) -> Scalar<'q, i64> {
        self.values().fold(query, Scalar::bind)
    }
}

fn names(states: &[State]) -> String {
    states.iter().map(|state| format!("'{}'", state.name())).collect::<Vec<_>>().join(", ")
}
