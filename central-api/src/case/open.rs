//! A case comes to be: inside the transaction in which its evidence becomes whole.

use contract::Manifest;
use contract::plate::PlateColour;
use time::OffsetDateTime;

use super::record::name_of;
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
    let violation = &manifest.violation;
    // An act that no decree covers is still evidence: the gate holds it, nothing is lost.
    let book = law::book().ok();
    let provision =
        book.and_then(|book| book.provision(violation.rule, violation.vehicle, violation.at).ok());
    let law = provision
        .map(|provision| serde_json::to_string(&provision))
        .transpose()
        .map_err(|e| StoreError::corrupt("provision", e))?;
    let due = book.and_then(|book| book.notice_due(violation.at));
    let reading = manifest.plate.as_ref();
    let plate = reading.and_then(|reading| reading.text.clone());
    let colour: Option<PlateColour> = reading.map(|reading| reading.colour);
    let id = new_id(received_at);
    let evidence_id = manifest.evidence_id.to_string();
    let opened = sqlx::query(
        "INSERT INTO cases (id, evidence_id, device_id, camera_id, place, rule, vehicle,
             vehicle_type, act_at, received_at, notice_due, plate_read, plate, plate_colour,
             confidence, law, state, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 1)
         ON CONFLICT (evidence_id) DO NOTHING",
    )
    .bind(id.as_str())
    .bind(evidence_id.as_str())
    .bind(manifest.device.id.as_str())
    .bind(manifest.camera.id.as_str())
    .bind(manifest.camera.place.as_str())
    .bind(violation.rule.name())
    .bind(violation.vehicle.name())
    .bind(i64::from(vehicle_type(violation.vehicle, plate.as_deref())))
    .bind(to_ms(violation.at))
    .bind(to_ms(received_at))
    .bind(due.map(to_ms))
    .bind(reading.map(|reading| reading.text.clone().unwrap_or_else(|| reading.raw.clone())))
    .bind(plate)
    .bind(colour.map(|colour| name_of(&colour)))
    .bind(reading.map(|reading| reading.confidence))
    .bind(law)
    .bind(State::Received.name())
    .execute(&mut **tx)
    .await?;
    if opened.rows_affected() == 0 {
        let id = sqlx::query_scalar("SELECT id FROM cases WHERE evidence_id = $1")
            .bind(evidence_id)
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
        subject_id: &id,
        detail: serde_json::json!({
            "evidence": evidence_id,
            "rule": violation.rule.name(),
            "version": 1,
        }),
    };
    audit::append(tx, entry).await?;
    Ok(id)
}

/// The lookup form's vehicle type. A picture does not tell an electric motorbike from another;
/// the series MĐ of the older plates does.
pub(super) fn vehicle_type(vehicle: contract::VehicleClass, plate: Option<&str>) -> u8 {
    let electric = plate.and_then(|plate| plate.get(2..4)) == Some("MD");
    match (vehicle.is_two_wheeled(), electric) {
        (false, _) => 1,
        (true, false) => 2,
        (true, true) => 3,
    }
}
