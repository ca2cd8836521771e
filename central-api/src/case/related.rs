//! Cases that may be about the same passage: nearly the same number within minutes. What is certain
//! was made one case when it came in; of what is only likely, a person says whether it is one act.

use std::collections::HashMap;

use contract::Manifest;
use sqlx::{AssertSqlSafe, Row as _};
use time::{Duration, OffsetDateTime};

use super::acts::{self, Tie};
use super::passage::{Likeness, Limits, Uncertain, View, likeness};
use super::record::{COLUMNS, Case};
use crate::store::{Store, StoreError, Tx, from_ms, to_ms};

/// More than this many related cases are one too many to look through.
const MOST: usize = 50;

/// Another case of nearly the same number at about the same time.
#[derive(Debug, Clone)]
pub struct Related {
    pub case: Case,
    pub likeness: Likeness,
    /// How its act stands to this case's.
    pub tie: Tie,
    /// When an officer found, in writing, that the two are two acts.
    pub distinct: Option<Distinct>,
}

/// The finding that two cases are two acts.
#[derive(Debug, Clone)]
pub struct Distinct {
    pub decided_by: String,
    pub decided_at: OffsetDateTime,
    pub note: String,
}

impl Related {
    /// Whether the two may show one passage.
    pub fn same_passage(&self) -> bool {
        self.likeness != Likeness::Other
    }

    /// Whether the two may show one act, of which there is one notice.
    pub fn same_act(&self) -> bool {
        self.same_passage() && self.tie != Tie::Apart
    }

    /// What leaves it open that they show one passage.
    pub fn uncertain(&self) -> &[Uncertain] {
        match &self.likeness {
            Likeness::Perhaps(why) => why,
            Likeness::Same | Likeness::Other => &[],
        }
    }

    /// Whether it stands in the way of a notice: an officer stands behind it already, it may be
    /// the same act, and nobody has found that it is another.
    pub fn blocks(&self) -> bool {
        self.same_act() && self.distinct.is_none() && self.case.state.accuses()
    }
}

/// Cases like `case` about the time of its act: those that may show the same passage, and those of
/// the same number elsewhere; first what may be the same act, then by rank of the act and nearness
/// in time. Rejected ones are not among them.
pub(super) async fn related(
    store: &Store,
    case: &Case,
    manifest: Option<&Manifest>,
    limits: &Limits,
) -> Result<Vec<Related>, StoreError> {
    let mut found = Vec::new();
    for id in alike(store, case, limits).await? {
        let text = format!(
            "SELECT {COLUMNS}, (SELECT manifest FROM evidence WHERE evidence.id = cases.evidence_id)
                 AS manifest
             FROM cases WHERE id = $1"
        );
        let row = sqlx::query(AssertSqlSafe(text)).bind(id).fetch_one(store.pool()).await?;
        let other = Case::from_row(&row)?;
        let sealed: Option<String> = row.try_get("manifest")?;
        let there = sealed.and_then(|text| Manifest::parse(text.as_bytes()).ok());
        let likeness = match (manifest, &there) {
            (Some(here), Some(there)) => {
                let one = View { manifest: here, plate: case.plate.clone() };
                let other = View { manifest: there, plate: other.plate.clone() };
                likeness(&one, &other, limits)
            }
            // What cannot be told apart is taken for the same.
            _ => Likeness::Perhaps(Vec::new()),
        };
        if likeness == Likeness::Other && !is_number(case, &other) {
            continue;
        }
        let tie = acts::tie(&case.act, &other.act);
        found.push(Related { case: other, likeness, tie, distinct: None });
    }
    let rank = |act: &contract::Act| acts::row(act).map_or(0, |row| row.priority);
    found.sort_by_key(|other| {
        let apart = (other.case.act_at - case.act_at).abs();
        let rank = std::cmp::Reverse(rank(&other.case.act));
        (!other.same_act(), !other.same_passage(), rank, apart, other.case.id.clone())
    });
    found.truncate(MOST);
    let mut distinct = distinct(store, &case.id).await?;
    for other in &mut found {
        other.distinct = distinct.remove(&other.case.id);
    }
    Ok(found)
}

/// Cases within minutes whose number differs in at most one character.
async fn alike(store: &Store, case: &Case, limits: &Limits) -> Result<Vec<String>, StoreError> {
    let Some(plate) = &case.plate else { return Ok(Vec::new()) };
    let window = Duration::minutes(i64::from(limits.act_minutes));
    let rows = sqlx::query(
        "SELECT id, plate FROM cases WHERE act_at BETWEEN $1 AND $2
           AND id <> $3 AND plate IS NOT NULL AND state NOT IN ('rejected', 'withdrawn')",
    )
    .bind(to_ms(case.act_at.saturating_sub(window)))
    .bind(to_ms(case.act_at.saturating_add(window)))
    .bind(case.id.clone())
    .fetch_all(store.pool())
    .await?;
    let mut ids = Vec::new();
    for row in &rows {
        let other: String = row.try_get("plate")?;
        if super::passage::is_alike(plate, &other) {
            ids.push(row.try_get("id")?);
        }
    }
    Ok(ids)
}

/// Whether two cases are of one number, however its Đ is written.
fn is_number(one: &Case, other: &Case) -> bool {
    let text = |case: &Case| case.plate.as_deref().map(super::passage::without_stroke);
    text(one) == text(other)
}

/// Puts on record that two cases show two acts. A second finding about the same two replaces the
/// first: the audit keeps both.
pub(super) async fn set_apart(
    tx: &mut Tx<'_>,
    case_id: &str,
    other_id: &str,
    user_id: &str,
    at: OffsetDateTime,
    note: &str,
) -> Result<(), StoreError> {
    let (first, second) = in_order(case_id, other_id);
    sqlx::query(
        "INSERT INTO distinct_acts (case_id, other_id, decided_by, decided_at, note)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (case_id, other_id) DO UPDATE SET decided_by = excluded.decided_by,
             decided_at = excluded.decided_at, note = excluded.note",
    )
    .bind(first)
    .bind(second)
    .bind(user_id.to_owned())
    .bind(to_ms(at))
    .bind(note.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A pair is kept once, the lower id first.
pub fn in_order(one: &str, other: &str) -> (String, String) {
    let (first, second) = if one < other { (one, other) } else { (other, one) };
    (first.to_owned(), second.to_owned())
}

/// What was found about `case` and others: the other's id with the finding.
async fn distinct(store: &Store, case_id: &str) -> Result<HashMap<String, Distinct>, StoreError> {
    let rows = sqlx::query(
        "SELECT case_id, other_id, decided_by, decided_at, note FROM distinct_acts
         WHERE case_id = $1 OR other_id = $1",
    )
    .bind(case_id.to_owned())
    .fetch_all(store.pool())
    .await?;
    rows.iter()
        .map(|row| {
            let (one, other): (String, String) =
                (row.try_get("case_id")?, row.try_get("other_id")?);
            let finding = Distinct {
                decided_by: row.try_get("decided_by")?,
                decided_at: from_ms(row.try_get("decided_at")?)?,
                note: row.try_get("note")?,
            };
            Ok((if one == case_id { other } else { one }, finding))
        })
        .collect()
}
