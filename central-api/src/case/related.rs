//! Cases that may be about the same passage: the same number within minutes. Two cameras that see
//! one act seal two packages; only a person can say that they show two.

use std::collections::HashMap;

use contract::Manifest;
use contract::manifest::Camera;
use sqlx::{AssertSqlSafe, Row as _};
use time::{Duration, OffsetDateTime};

use super::record::{COLUMNS, Case};
use super::states::State;
use crate::store::{Store, StoreError, Tx, from_ms, to_ms};

/// Cameras of one junction stand this close, metres.
const SAME_JUNCTION: f64 = 300.0;
/// More than this many related cases are one too many to look through.
const MOST: i64 = 50;

/// Another case of the same number at about the same time.
#[derive(Debug, Clone)]
pub struct Related {
    pub case: Case,
    pub same_place: bool,
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
    /// Whether it stands in the way of a notice: an officer stands behind it already, it may be
    /// the same act, and nobody has found that it is another.
    pub fn blocks(&self) -> bool {
        self.same_place
            && self.distinct.is_none()
            && matches!(self.case.state, State::Accepted | State::Approved | State::Notified)
    }
}

/// Cases like `case` within `window` of its act, nearest first; rejected ones are not among them.
pub(super) async fn related(
    store: &Store,
    case: &Case,
    camera: Option<&Camera>,
    unit: Option<&str>,
    window: Duration,
) -> Result<Vec<Related>, StoreError> {
    let Some(plate) = &case.plate else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for form in forms(plate) {
        let text = format!(
            "SELECT {COLUMNS} FROM cases WHERE plate = $1 AND act_at BETWEEN $2 AND $3
               AND id <> $4 AND state <> 'rejected' ORDER BY act_at LIMIT {MOST}"
        );
        let rows = sqlx::query(AssertSqlSafe(text))
            .bind(form)
            .bind(to_ms(case.act_at.saturating_sub(window)))
            .bind(to_ms(case.act_at.saturating_add(window)))
            .bind(case.id.clone())
            .fetch_all(store.pool())
            .await?;
        for row in &rows {
            found.push(Case::from_row(row)?);
        }
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    found.sort_by_key(|other| (other.act_at - case.act_at).abs());
    let mut distinct = distinct(store, &case.id).await?;
    let mut all = Vec::with_capacity(found.len());
    for other in found {
        let manifest: String = sqlx::query_scalar("SELECT manifest FROM evidence WHERE id = $1")
            .bind(other.evidence_id.clone())
            .fetch_one(store.pool())
            .await?;
        let manifest = Manifest::parse(manifest.as_bytes()).ok();
        let same_place = match (camera, &manifest) {
            (Some(camera), Some(manifest)) => {
                is_same_place(camera, unit, &manifest.camera, &manifest.unit.code)
            }
            // What cannot be told apart is taken for the same.
            _ => true,
        };
        let distinct = distinct.remove(&other.id);
        all.push(Related { case: other, same_place, distinct });
    }
    Ok(all)
}

/// The ways in which the same number may be on record: Đ is read and typed as D.
fn forms(plate: &str) -> Vec<String> {
    let mut forms = vec![plate.to_owned()];
    let folded = plate.replace('Đ', "D");
    if let Some(series @ ("MD" | "TD")) = folded.get(2..4) {
        forms.push(format!("{}{}Đ{}", &folded[..2], &series[..1], &folded[4..]));
    }
    forms.push(folded);
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Whether two cameras may watch the same place: the same words, or near each other; where a
/// position is missing, the same unit.
fn is_same_place(one: &Camera, unit: Option<&str>, other: &Camera, other_unit: &str) -> bool {
    if words(&one.place) == words(&other.place) {
        return true;
    }
    match (one.gps, other.gps) {
        (Some(one), Some(other)) => metres(one, other) <= SAME_JUNCTION,
        _ => unit.is_none_or(|unit| unit == other_unit),
    }
}

/// A place's words without case, spaces and punctuation.
fn words(place: &str) -> String {
    place.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Distance on the ground; good to a metre over a town.
fn metres(one: [f64; 2], other: [f64; 2]) -> f64 {
    const A_DEGREE: f64 = 111_195.0;
    let north = (one[0] - other[0]) * A_DEGREE;
    let east = (one[1] - other[1]) * A_DEGREE * ((one[0] + other[0]) / 2.0).to_radians().cos();
    north.hypot(east)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_its_forms() {
        assert_eq!(forms("29AA12345"), ["29AA12345"]);
        assert_eq!(forms("29MD56789"), ["29MD56789", "29MĐ56789"]);
        assert_eq!(forms("29MĐ56789"), ["29MD56789", "29MĐ56789"]);
        assert_eq!(forms("29"), ["29"]);
    }

    #[test]
    fn places_are_told_apart_by_words_then_position_then_unit() {
        let camera = |place: &str, gps| Camera {
            id: "cam".into(),
            place: place.into(),
            km: None,
            gps,
            direction: "Bắc".into(),
            lane: None,
            plan: "1".into(),
            verification: None,
        };
        let here = camera("Ngã tư Trần Phú – Hùng Vương", Some([16.816, 107.1]));
        let same = |other: &Camera, unit| is_same_place(&here, Some("D1"), other, unit);
        assert!(same(&camera("ngã tư TRẦN PHÚ - Hùng Vương", None), "D9"));
        assert!(same(&camera("Trần Phú, chiều Nam", Some([16.8165, 107.1008])), "D9"));
        assert!(!same(&camera("Quốc lộ 1A, Km 740", Some([16.83, 107.1])), "D1"));
        assert!(same(&camera("Trần Phú, chiều Nam", None), "D1"));
        assert!(!same(&camera("Trần Phú, chiều Nam", None), "D2"));
    }
}
