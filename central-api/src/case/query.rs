//! Finding cases: the queue, counts, and what comes next.

use contract::Rule;
use sqlx::{AssertSqlSafe, Row as _};

use super::record::{COLUMNS, Case};
use super::states::State;
use crate::store::{Store, StoreError};

/// What the queue shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Any of these; all when empty.
    pub states: Vec<State>,
    pub rule: Option<Rule>,
    pub camera: Option<String>,
    /// Normalised number.
    pub plate: Option<String>,
}

/// One page of the queue, oldest act first.
#[derive(Debug)]
pub struct Page {
    pub cases: Vec<Case>,
    /// From 1.
    pub number: u32,
    pub pages: u32,
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
}

impl State {
    /// The states a reviewer works on.
    pub const TO_REVIEW: [Self; 3] = [Self::Received, Self::InReview, Self::Returned];
}

pub async fn find(store: &Store, id: &str) -> Result<Option<Case>, StoreError> {
    sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM cases WHERE id = $1")))
        .bind(id.to_owned())
        .fetch_optional(store.pool())
        .await?
        .map(|row| Case::from_row(&row))
        .transpose()
}

/// A page of at most `size` cases.
pub async fn list(
    store: &Store,
    filter: &Filter,
    number: u32,
    size: u32,
) -> Result<Page, StoreError> {
    let clause = filter.clause();
    let count = format!("SELECT COUNT(*) FROM cases WHERE {clause}");
    let total: i64 = filter
        .bind_scalar(sqlx::query_scalar(AssertSqlSafe(count)))
        .fetch_one(store.pool())
        .await?;
    let total = u64::try_from(total).unwrap_or(0);
    let pages = u32::try_from(total.div_ceil(u64::from(size))).unwrap_or(u32::MAX).max(1);
    let number = number.clamp(1, pages);
    let offset = u64::from(number - 1) * u64::from(size);
    let select = format!(
        "SELECT {COLUMNS} FROM cases WHERE {clause} ORDER BY act_at, id LIMIT {size} OFFSET {offset}"
    );
    let cases = filter
        .bind(sqlx::query(AssertSqlSafe(select)))
        .fetch_all(store.pool())
        .await?
        .iter()
        .map(Case::from_row)
        .collect::<Result<_, _>>()?;
    Ok(Page { cases, number, pages, total })
}

/// The oldest case in `states` that `user` may decide on, other than `after`.
pub async fn next_for(
    store: &Store,
    states: &[State],
    user: &str,
    after: &str,
) -> Result<Option<String>, StoreError> {
    // A reviewer is not sent to a colleague's case, an approver not to their own.
    let text = format!(
        "SELECT id FROM cases WHERE state IN ({}) AND id <> $1
           AND (state <> 'in_review' OR reviewer = $2)
           AND (state <> 'accepted' OR (reviewer <> $2 AND COALESCE(plate_by, '') <> $2))
         ORDER BY act_at, id LIMIT 1",
        names(states)
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(text))
        .bind(after.to_owned())
        .bind(user.to_owned())
        .fetch_optional(store.pool())
        .await?)
}

pub async fn count(store: &Store) -> Result<Counts, StoreError> {
    let rows = sqlx::query(
        "SELECT state, COUNT(*) AS cases FROM cases
         WHERE state IN ('received', 'in_review', 'returned', 'accepted', 'approved')
         GROUP BY state",
    )
    .fetch_all(store.pool())
    .await?;
    let mut counts = Vec::new();
    for row in rows {
        let name: String = row.try_get("state")?;
        let state = State::parse(&name).ok_or_else(|| StoreError::corrupt("state", name))?;
        counts.push((state, u64::try_from(row.try_get::<i64, _>("cases")?).unwrap_or(0)));
    }
    Ok(Counts(counts))
}

/// Cameras that have cases, for the filter.
pub async fn cameras(store: &Store) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar("SELECT DISTINCT camera_id FROM cases ORDER BY camera_id LIMIT 500")
        .fetch_all(store.pool())
        .await?)
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;
type Scalar<'q, T> = sqlx::query::QueryScalar<'q, sqlx::Any, T, sqlx::any::AnyArguments>;

impl Filter {
    /// Only names of this program are written into the text; what people type is bound.
    fn clause(&self) -> String {
        let mut text = "1 = 1".to_owned();
        if !self.states.is_empty() {
            text.push_str(&format!(" AND state IN ({})", names(&self.states)));
        }
        if let Some(rule) = self.rule {
            text.push_str(&format!(" AND rule = '{}'", rule.name()));
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

    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        [&self.camera, &self.plate].into_iter().flatten().cloned().fold(query, Query::bind)
    }

    fn bind_scalar<'q>(&self, query: Scalar<'q, i64>) -> Scalar<'q, i64> {
        [&self.camera, &self.plate].into_iter().flatten().cloned().fold(query, Scalar::bind)
    }
}

fn names(states: &[State]) -> String {
    states.iter().map(|state| format!("'{}'", state.name())).collect::<Vec<_>>().join(", ")
}
