//! A package comes to a case, inside the transaction in which it becomes whole: it joins the case
//! of the same passage, or opens its own.

use contract::Manifest;
use serde_json::{Value as Json, json};
use sqlx::AssertSqlSafe;
use time::OffsetDateTime;

use super::join;
use super::passage::Limits;
use super::recalled;
use super::record::{Case, Value};
use super::states::State;
use crate::audit;
use crate::jobs::{self, Job};
use crate::law::LawBook;
use crate::store::{StoreError, Tx, new_id, to_ms};

/// What decides about a new package besides what it says.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    pub law: &'a LawBook,
    pub limits: Limits,
}

/// The case of `manifest`, whose evidence row exists already: joined, opened, or the one it has.
pub async fn open(
    tx: &mut Tx<'_>,
    terms: Terms<'_>,
    manifest: &Manifest,
    received_at: OffsetDateTime,
) -> Result<String, StoreError> {
    let evidence = manifest.evidence_id.to_string();
    let has: Option<String> = sqlx::query_scalar("SELECT case_id FROM evidence WHERE id = $1")
        .bind(evidence.clone())
        .fetch_one(&mut **tx)
        .await?;
    if let Some(id) = has {
        return Ok(id);
    }
    let case = opening(new_id(received_at), manifest, received_at, terms.law);
    let law = case.law.clone();
    recalled::hold_late(tx, manifest, law.as_ref()).await?;
    let id = match join::join(tx, terms, manifest, &case).await? {
        Some(joined) => joined,
        None => {
            // From a box that was without a line for a year: nobody is to work at it until midnight.
            if terms.law.limitation(case.act_at).is_ok_and(|end| received_at > end) {
                jobs::ask(tx, &Job::ExpireCases, received_at).await?;
            }
            insert(tx, &case).await?;
            record(tx, manifest, received_at, "case.opened", &case.id, opened(&case)).await?;
            case.id
        }
    };
    recalled::trace(tx, manifest).await?;
    recalled::freeze_late(tx, manifest, &id, law.as_ref(), received_at).await?;
    sqlx::query("UPDATE evidence SET case_id = $1 WHERE id = $2")
        .bind(id.clone())
        .bind(evidence)
        .execute(&mut **tx)
        .await?;
    Ok(id)
}

async fn insert(tx: &mut Tx<'_>, case: &Case) -> Result<(), StoreError> {
    let columns = case.columns();
    let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let places = (1..=columns.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    // Only names of this program are written into the text.
    let text = format!("INSERT INTO cases ({names}) VALUES ({places})");
    let insert = sqlx::query(AssertSqlSafe(text));
    columns
        .into_iter()
        .fold(insert, |query, (_, value)| value.bound(query))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What the audit keeps of the evidence that carries a case.
pub(super) fn opened(case: &Case) -> Json {
    let law = case.columns().into_iter().find_map(|column| match column {
        ("law", Value::Text(law)) => law,
        _ => None,
    });
    json!({
        "evidence": case.evidence_id,
        "act": case.act.name(),
        "version": case.version,
        // What the law said then, word for word: later editions must not make it look changed.
        "law": law,
        "notice_due": case.notice_due.map(to_ms),
    })
}

pub(super) async fn record(
    tx: &mut Tx<'_>,
    manifest: &Manifest,
    at: OffsetDateTime,
    action: &str,
    case_id: &str,
    detail: Json,
) -> Result<(), StoreError> {
    let actor = format!("device:{}", manifest.device.id);
    let entry = audit::Entry {
        at,
        actor: &actor,
        action,
        subject_kind: "case",
        subject_id: case_id,
        detail,
    };
    audit::append(tx, entry).await
}

/// The case that `manifest` opens, before anybody has looked at it.
pub fn opening(
    id: String,
    manifest: &Manifest,
    received_at: OffsetDateTime,
    book: &LawBook,
) -> Case {
    let violation = &manifest.violation;
    let reading = manifest.plate.as_ref();
    let plate = super::passage::plate_read(manifest);
    Case {
        id,
        evidence_id: manifest.evidence_id.to_string(),
        device_id: manifest.device.id.clone(),
        camera_id: manifest.camera.id.clone(),
        place: manifest.camera.place.clone(),
        act: violation.act.clone(),
        vehicle: violation.vehicle,
        vehicle_type: vehicle_type(violation.vehicle, plate.as_deref()),
        act_at: violation.at,
        received_at,
        // An act that no decree covers, or in a year whose days off are unknown, is still evidence:
        // the gate holds it, nothing is lost.
        notice_due: book.notice_due(violation.at).ok(),
        plate_read: reading.map(|it| it.text.clone().unwrap_or_else(|| it.raw.clone())),
        plate,
        plate_colour: reading.map(|reading| reading.colour),
        confidence: reading.map(|reading| reading.confidence),
        plate_by: None,
        law: book.provision(violation).ok(),
        state: State::Received,
        version: 1,
        reviewer: None,
        reviewed_at: None,
        approver: None,
        approved_at: None,
        undone_by: None,
        recheck: None,
        reason: None,
        note: None,
    }
}

/// The lookup form's vehicle type. A picture does not tell an electric motorbike from another;
/// the series MĐ of the older plates does.
pub(super) fn vehicle_type(vehicle: contract::VehicleClass, plate: Option<&str>) -> u8 {
    let electric = plate.is_some_and(|plate| plate.contains("MĐ"));
    match (vehicle.is_two_wheeled(), electric) {
        (false, _) => 1,
        (true, false) => 2,
        (true, true) => 3,
    }
}
