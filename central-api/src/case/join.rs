//! Further evidence of a passage that has a case: whether a new package joins it, and what that
//! changes. Nothing, but while nobody has decided: then the package whose act includes the other's
//! carries the case, and one that the gate lets through instead of one that it would hold, so that
//! it does not matter which of two cameras was heard first.

use contract::Manifest;
use serde_json::json;
use sqlx::AssertSqlSafe;
use time::Duration;

use super::acts::{self, Tie};
use super::gate;
use super::open::{Terms, opened, opening, record, vehicle_type};
use super::passage::is_of_case;
use super::record::{COLUMNS, Case, Value};
use crate::store::{StoreError, Tx, to_ms};

/// A case has no more further packages than this: more cameras than a junction has, and no camera
/// that repeats itself fills an officer's page. What comes then opens a case of its own.
pub const MOST_FURTHER: usize = 8;
/// Packages of one number come one after another, those of others side by side.
const LOCKS: u32 = 64;
/// No vehicle has more cases within minutes.
const MOST: i64 = 50;

/// A case of the same passage.
struct Found {
    case: Case,
    /// Whether the package carries it from now on.
    leads: bool,
}

/// Joins `manifest` to the case of its passage, where there is one, and gives that case's id.
/// `own` is the case it would open.
pub(super) async fn join(
    tx: &mut Tx<'_>,
    terms: Terms<'_>,
    manifest: &Manifest,
    own: &Case,
) -> Result<Option<String>, StoreError> {
    let Some(plate) = &own.plate else { return Ok(None) };
    // Of two packages of one passage that become whole at once, the second sees the first's case.
    sqlx::query("UPDATE passage_locks SET taken = taken + 1 WHERE slot = $1")
        .bind(slot(plate))
        .execute(&mut **tx)
        .await?;
    loop {
        let Some(Found { case, leads }) = find(tx, terms, manifest, own).await? else {
            return Ok(None);
        };
        let version = case.version + i64::from(leads);
        let unchanged = match leads {
            true => lead(tx, &case, &led_by(&case, own.clone())).await?,
            false => hold(tx, &case).await?,
        };
        if !unchanged {
            // An officer decided meanwhile: look again at what the case is now.
            continue;
        }
        let mut detail = opened(own);
        detail["version"] = version.into();
        detail["camera"] = manifest.camera.id.clone().into();
        detail["leads"] = leads.into();
        detail["limits"] = json!(terms.limits);
        record(tx, manifest, own.received_at, "case.joined", &case.id, detail).await?;
        metrics::counter!("evidence_joined_total").increment(1);
        return Ok(Some(case.id));
    }
}

/// Of several cases of one passage one that is not closed without a notice, of this very act, the
/// first.
async fn find(
    tx: &mut Tx<'_>,
    terms: Terms<'_>,
    manifest: &Manifest,
    own: &Case,
) -> Result<Option<Found>, StoreError> {
    let limits = &terms.limits;
    let sound = gate::is_sound(own, manifest, terms);
    let window = Duration::minutes(i64::from(limits.act_minutes));
    let text = format!(
        "SELECT {COLUMNS} FROM cases WHERE plate = $1 AND act_at BETWEEN $2 AND $3
         ORDER BY act_at, id LIMIT {MOST}"
    );
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(own.plate.clone())
        .bind(to_ms(own.act_at.saturating_sub(window)))
        .bind(to_ms(own.act_at.saturating_add(window)))
        .fetch_all(&mut **tx)
        .await?;
    let mut found: Vec<Found> = Vec::new();
    for row in &rows {
        let case = Case::from_row(row)?;
        let tie = acts::tie(&own.act, &case.act);
        if matches!(tie, Tie::Conduct | Tie::Apart) {
            continue;
        }
        let sealed: Vec<String> =
            sqlx::query_scalar("SELECT manifest FROM evidence WHERE case_id = $1")
                .bind(case.id.clone())
                .fetch_all(&mut **tx)
                .await?;
        let parsed = sealed.iter().map(|text| Manifest::parse(text.as_bytes()));
        // Of a package that is no manifest nothing is certain.
        let Ok(parsed) = parsed.collect::<Result<Vec<_>, _>>() else { continue };
        let of_case: Vec<_> = parsed.iter().collect();
        let carries = |it: &&Manifest| it.evidence_id.to_string() == case.evidence_id;
        let Some(carrying) = parsed.iter().find(carries) else { continue };
        let leads = match (tie, gate::is_sound(&sealed_as(&case, carrying, terms), carrying, terms))
        {
            (Tie::Same, carried) => sound && !carried && case.state.is_open(),
            (Tie::Included, true) => false,
            (Tie::Includes, _) if sound && case.state.is_open() => true,
            // What cannot stand itself swallows nothing.
            _ => continue,
        };
        if of_case.len() <= MOST_FURTHER
            && is_of_case(manifest, case.plate.as_deref(), &of_case, limits)
        {
            found.push(Found { case, leads });
        }
    }
    found.sort_by_key(|Found { case, .. }| {
        (case.state.is_dropped(), case.act != own.act, case.id.clone())
    });
    Ok(found.into_iter().next())
}

/// The case as its package alone opened it.
fn sealed_as(case: &Case, carrying: &Manifest, terms: Terms<'_>) -> Case {
    opening(case.id.clone(), carrying, case.received_at, terms.law)
}

/// The case once the evidence of `own` carries it: who works on it and the number that an officer
/// gave it stay.
pub fn led_by(case: &Case, own: Case) -> Case {
    let plate = if case.plate_by.is_some() { case.plate.clone() } else { own.plate };
    Case {
        id: case.id.clone(),
        vehicle_type: vehicle_type(own.vehicle, plate.as_deref()),
        plate,
        plate_by: case.plate_by.clone(),
        state: case.state,
        version: case.version + 1,
        reviewer: case.reviewer.clone(),
        reviewed_at: case.reviewed_at,
        approver: case.approver.clone(),
        approved_at: case.approved_at,
        reason: case.reason,
        note: case.note.clone(),
        ..own
    }
}

/// Writes what evidence that leads changes, unless the case is no longer as it was seen.
async fn lead(tx: &mut Tx<'_>, before: &Case, after: &Case) -> Result<bool, StoreError> {
    let columns: Vec<(&'static str, Value)> =
        after.columns().into_iter().filter(|(name, _)| *name != "id").collect();
    let sets: Vec<_> =
        columns.iter().zip(1..).map(|((name, _), at)| format!("{name} = ${at}")).collect();
    let sets = sets.join(", ");
    let (id, version) = (columns.len() + 1, columns.len() + 2);
    // Only names of this program are written into the text.
    let text = format!("UPDATE cases SET {sets} WHERE id = ${id} AND version = ${version}");
    let update = columns
        .into_iter()
        .fold(sqlx::query(AssertSqlSafe(text)), |query, (_, value)| value.bound(query));
    let done = update.bind(before.id.clone()).bind(before.version).execute(&mut **tx).await?;
    Ok(done.rows_affected() == 1)
}

/// Holds the case as it was seen until this transaction ends; not, where it was changed since.
async fn hold(tx: &mut Tx<'_>, case: &Case) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE cases SET version = version WHERE id = $1 AND version = $2")
        .bind(case.id.clone())
        .bind(case.version)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn slot(plate: &str) -> i64 {
    let mix = |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte));
    let sum = plate.bytes().fold(7, mix);
    i64::from(sum % LOCKS)
}
