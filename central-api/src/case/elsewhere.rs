//! One number at two places between which nobody drives in that time: one of the two plates is a copy,
//! or was read wrongly.

use contract::Manifest;
use sqlx::Row as _;
use time::{Duration, OffsetDateTime};

use super::passage::{Limits, metres, tells_time};
use super::record::Case;
use crate::store::{Store, StoreError, from_ms, to_ms};

/// As the crow flies nobody goes faster for long, km/h: roads are longer, and the fastest limit is 120.
const FASTEST: f64 = 160.0;
/// Clocks, and where a camera says it stands against where the vehicle was, may differ by this much.
const NEAR_METRES: f64 = 3000.0;
/// A country's length is driven in less.
const WINDOW: Duration = Duration::hours(12);
/// More are not needed to see it.
const MOST: i64 = 20;

/// A case of the same number too far away.
#[derive(Debug, Clone, PartialEq)]
pub struct Elsewhere {
    pub case: String,
    pub km: f64,
    /// Between the two acts.
    pub apart: Duration,
}

/// Cases of the number of `case` that were too far away for one vehicle, nearest in time first. Nothing
/// is said where a camera does not tell where it stands or a clock is in doubt.
pub async fn elsewhere(
    store: &Store,
    case: &Case,
    limits: &Limits,
) -> Result<Vec<Elsewhere>, StoreError> {
    let Some(plate) = &case.plate else { return Ok(Vec::new()) };
    let rows = sqlx::query(
        "SELECT id, act_at,
             (SELECT manifest FROM evidence WHERE evidence.id = cases.evidence_id) AS manifest
         FROM cases WHERE plate = $1 AND act_at BETWEEN $2 AND $3 AND vehicle_type = $4
             AND state NOT IN ('rejected', 'withdrawn')
         ORDER BY act_at LIMIT $5",
    )
    .bind(plate.clone())
    .bind(to_ms(case.act_at.saturating_sub(WINDOW)))
    .bind(to_ms(case.act_at.saturating_add(WINDOW)))
    .bind(i64::from(case.vehicle_type))
    .bind(MOST)
    .fetch_all(store.pool())
    .await?;
    let mut seen = Vec::new();
    for row in &rows {
        let sealed: Option<String> = row.try_get("manifest")?;
        let at = sealed
            .and_then(|text| Manifest::parse(text.as_bytes()).ok())
            .filter(|manifest| tells_time(manifest, limits))
            .and_then(|manifest| manifest.camera.gps);
        let Some(at) = at else { continue };
        seen.push((row.try_get::<String, _>("id")?, from_ms(row.try_get("act_at")?)?, at));
    }
    let Some((_, _, here)) = seen.iter().find(|(id, _, _)| *id == case.id) else {
        return Ok(Vec::new());
    };
    let far = |(id, act_at, there): &(String, OffsetDateTime, [f64; 2])| {
        let (apart, metres) = ((*act_at - case.act_at).abs(), metres(*here, *there));
        let driven = FASTEST / 3.6 * apart.as_seconds_f64();
        let far = Elsewhere { case: id.clone(), km: metres / 1000.0, apart };
        (*id != case.id && metres > driven + NEAR_METRES).then_some(far)
    };
    let mut found: Vec<_> = seen.iter().filter_map(far).collect();
    found.sort_by_key(|it| it.apart);
    Ok(found)
}
