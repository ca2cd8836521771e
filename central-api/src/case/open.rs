//! A case comes to be: inside the transaction in which its evidence becomes whole.

use contract::Manifest;
use contract::plate::PlateNumber;
use time::OffsetDateTime;

use super::record::{Case, Value};
use super::states::State;
use crate::audit;
use crate::law;
use crate::store::{StoreError, Tx, new_id, to_ms};

/// Opens the one case of `manifest`, whose evidence row exists already, and returns its id. A
/// second call for the same evidence returns the first one's case.
pub async fn open(
    tx: &mut Tx<'_>,
    manifest: &Manifest,
    received_at: OffsetDateTime,
) -> Result<String, StoreError> {
    let case = opening(new_id(received_at), manifest, received_at);
    let columns = case.columns();
    let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let places = (1..=columns.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    // Only names of this program are written into the text.
    let text = format!(
        "INSERT INTO cases ({names}) VALUES ({places}) ON CONFLICT (evidence_id) DO NOTHING"
    );
    let insert = sqlx::query(sqlx::AssertSqlSafe(text));
    let opened = columns
        .iter()
        .cloned()
        .fold(insert, |query, (_, value)| match value {
            Value::Text(text) => query.bind(text),
            Value::Integer(number) => query.bind(number),
            Value::Real(number) => query.bind(number),
        })
        .execute(&mut **tx)
        .await?;
    if opened.rows_affected() == 0 {
        let id = sqlx::query_scalar("SELECT id FROM cases WHERE evidence_id = $1")
            .bind(case.evidence_id)
            .fetch_one(&mut **tx)
            .await?;
        return Ok(id);
    }
    let actor = format!("device:{}", manifest.device.id);
    let entry = audit::Entry {
        at: received_at,
        actor: &actor,
        action: "case.opened",
        subject_kind: "case",
        subject_id: &case.id,
        // What the law said then, word for word: later editions must not make it look changed.
        detail: serde_json::json!({
            "evidence": case.evidence_id,
            "act": case.act.name(),
            "version": case.version,
            "law": columns.iter().find_map(|column| match column {
                ("law", Value::Text(law)) => law.clone(),
                _ => None,
            }),
            "notice_due": case.notice_due.map(to_ms),
        }),
    };
    audit::append(tx, entry).await?;
    Ok(case.id)
}

/// The case that `manifest` opens, before anybody has looked at it.
pub fn opening(id: String, manifest: &Manifest, received_at: OffsetDateTime) -> Case {
    let violation = &manifest.violation;
    // An act that no decree covers, or in a year whose days off are unknown, is still evidence:
    // the gate holds it, nothing is lost.
    let book = law::book().ok();
    let law = book.and_then(|book| book.provision(violation).ok());
    let reading = manifest.plate.as_ref();
    let plate = reading.and_then(|reading| {
        reading.text.as_deref().map(|text| PlateNumber::sealed(text, reading.class))
    });
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
        notice_due: book.and_then(|book| book.notice_due(violation.at).ok()),
        plate_read: reading.map(|it| it.text.clone().unwrap_or_else(|| it.raw.clone())),
        plate,
        plate_colour: reading.map(|reading| reading.colour),
        confidence: reading.map(|reading| reading.confidence),
        plate_by: None,
        law,
        state: State::Received,
        version: 1,
        reviewer: None,
        reviewed_at: None,
        approver: None,
        approved_at: None,
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
