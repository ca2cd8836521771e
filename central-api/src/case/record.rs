//! A case as its row keeps it.

use contract::plate::PlateColour;
use contract::{Rule, VehicleClass};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use time::OffsetDateTime;

use super::reason::Reason;
use super::states::{Standing, State};
use crate::law::Provision;
use crate::store::{StoreError, from_ms};

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    pub id: String,
    pub evidence_id: String,
    pub device_id: String,
    pub camera_id: String,
    pub place: String,
    pub rule: Rule,
    pub vehicle: VehicleClass,
    /// 1 car, 2 motorbike, 3 electric motorbike.
    pub vehicle_type: u8,
    pub act_at: OffsetDateTime,
    pub received_at: OffsetDateTime,
    /// Last moment for the notice.
    pub notice_due: Option<OffsetDateTime>,
    /// What the machine read; never changed.
    pub plate_read: Option<String>,
    /// What the case stands on.
    pub plate: Option<String>,
    pub plate_colour: Option<PlateColour>,
    pub confidence: Option<f64>,
    pub plate_by: Option<String>,
    pub law: Option<Provision>,
    pub state: State,
    pub version: i64,
    pub reviewer: Option<String>,
    pub reviewed_at: Option<OffsetDateTime>,
    pub approver: Option<String>,
    pub approved_at: Option<OffsetDateTime>,
    pub reason: Option<Reason>,
    pub note: Option<String>,
}

/// The columns [`Case::from_row`] needs, in one place for every query.
pub(super) const COLUMNS: &str = "id, evidence_id, device_id, camera_id, place, rule, vehicle, \
     vehicle_type, act_at, received_at, notice_due, plate_read, plate, plate_colour, confidence, \
     plate_by, law, state, version, reviewer, reviewed_at, approver, approved_at, reason, note";

impl Case {
    pub(super) fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        let time = |name| row.try_get::<Option<i64>, _>(name)?.map(from_ms).transpose();
        let text = |name| row.try_get::<Option<String>, _>(name);
        let state: String = row.try_get("state")?;
        let reason: Option<String> = text("reason")?;
        let vehicle_type: i64 = row.try_get("vehicle_type")?;
        Ok(Self {
            id: row.try_get("id")?,
            evidence_id: row.try_get("evidence_id")?,
            device_id: row.try_get("device_id")?,
            camera_id: row.try_get("camera_id")?,
            place: row.try_get("place")?,
            rule: named(row.try_get("rule")?, "rule")?,
            vehicle: named(row.try_get("vehicle")?, "vehicle")?,
            vehicle_type: u8::try_from(vehicle_type)
                .map_err(|_| StoreError::corrupt("vehicle type", vehicle_type))?,
            act_at: from_ms(row.try_get("act_at")?)?,
            received_at: from_ms(row.try_get("received_at")?)?,
            notice_due: time("notice_due")?,
            plate_read: text("plate_read")?,
            plate: text("plate")?,
            plate_colour: text("plate_colour")?
                .map(|name| named(name, "plate colour"))
                .transpose()?,
            confidence: row.try_get("confidence")?,
            plate_by: text("plate_by")?,
            law: text("law")?
                .map(|json| {
                    serde_json::from_str(&json).map_err(|e| StoreError::corrupt("provision", e))
                })
                .transpose()?,
            state: State::parse(&state).ok_or_else(|| StoreError::corrupt("state", &state))?,
            version: row.try_get("version")?,
            reviewer: text("reviewer")?,
            reviewed_at: time("reviewed_at")?,
            approver: text("approver")?,
            approved_at: time("approved_at")?,
            reason: reason
                .map(|name| Reason::parse(&name).ok_or_else(|| StoreError::corrupt("reason", name)))
                .transpose()?,
            note: text("note")?,
        })
    }

    pub(super) fn standing(&self) -> Standing {
        Standing {
            state: self.state,
            reviewer: self.reviewer.clone(),
            approver: self.approver.clone(),
            plate_by: self.plate_by.clone(),
        }
    }
}

/// The serde name of a unit variant, as the database keeps it.
pub fn name_of(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        // Only called with unit variants, which serialise to their name.
        _ => String::new(),
    }
}

fn named<T: serde::de::DeserializeOwned>(
    name: String,
    what: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(name.clone()))
        .map_err(|_| StoreError::corrupt(what, name))
}
