//! A case as its row keeps it.

use contract::plate::PlateColour;
use contract::{Act, VehicleClass};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::reason::Reason;
use super::states::{Standing, State};
use crate::law::Provision;
use crate::store::{Dialect, StoreError, Tx, from_ms, to_ms};

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    pub id: String,
    pub evidence_id: String,
    pub device_id: String,
    pub camera_id: String,
    pub place: String,
    pub act: Act,
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
    /// Who asked that the notice be withdrawn.
    pub undone_by: Option<String>,
    /// Whether a second person is asked about the rejection; false once one has looked.
    pub recheck: Option<bool>,
    pub reason: Option<Reason>,
    pub note: Option<String>,
}

/// The columns [`Case::from_row`] needs, in one place for every query.
pub(super) const COLUMNS: &str = "id, evidence_id, device_id, camera_id, place, act, vehicle, \
     vehicle_type, act_at, received_at, notice_due, plate_read, plate, plate_colour, confidence, \
     plate_by, law, state, version, reviewer, reviewed_at, approver, approved_at, undone_by, recheck, reason, note";

/// The state of a case that nobody else changes until `tx` ends.
pub async fn hold(
    tx: &mut Tx<'_>,
    id: &str,
    dialect: Dialect,
) -> Result<Option<State>, StoreError> {
    // On SQLite one writes at a time.
    let lock = match dialect {
        Dialect::Sqlite => "",
        // Whoever only names the case, by a foreign key, need not wait.
        Dialect::Postgres => "FOR NO KEY UPDATE",
    };
    let text = format!("SELECT state FROM cases WHERE id = $1 {lock}");
    let state: Option<String> = sqlx::query_scalar(AssertSqlSafe(text))
        .bind(id.to_owned())
        .fetch_optional(&mut **tx)
        .await?;
    state.map(|state| super::named(state, "state")).transpose()
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Real(Option<f64>),
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

impl Value {
    pub(super) fn bound(self, query: Query<'_>) -> Query<'_> {
        match self {
            Self::Text(text) => query.bind(text),
            Self::Integer(number) => query.bind(number),
            Self::Real(number) => query.bind(number),
        }
    }
}

impl Case {
    /// The row of this case: every column of the table with its value.
    pub fn columns(&self) -> Vec<(&'static str, Value)> {
        let text = |text: &str| Value::Text(Some(text.to_owned()));
        let maybe = |text: &Option<String>| Value::Text(text.clone());
        let time = |at: Option<OffsetDateTime>| Value::Integer(at.map(to_ms));
        // Plain fields with string keys: serialisation cannot fail.
        let law = self.law.as_ref().map(|law| serde_json::to_string(law).unwrap_or_default());
        vec![
            ("id", text(&self.id)),
            ("evidence_id", text(&self.evidence_id)),
            ("device_id", text(&self.device_id)),
            ("camera_id", text(&self.camera_id)),
            ("place", text(&self.place)),
            ("act", text(self.act.name())),
            ("vehicle", text(self.vehicle.name())),
            ("vehicle_type", Value::Integer(Some(i64::from(self.vehicle_type)))),
            ("act_at", time(Some(self.act_at))),
            ("received_at", time(Some(self.received_at))),
            ("notice_due", time(self.notice_due)),
            ("plate_read", maybe(&self.plate_read)),
            ("plate", maybe(&self.plate)),
            ("plate_colour", Value::Text(self.plate_colour.map(|colour| name_of(&colour)))),
            ("confidence", Value::Real(self.confidence)),
            ("plate_by", maybe(&self.plate_by)),
            ("law", Value::Text(law)),
            ("state", text(self.state.name())),
            ("version", Value::Integer(Some(self.version))),
            ("reviewer", maybe(&self.reviewer)),
            ("reviewed_at", time(self.reviewed_at)),
            ("approver", maybe(&self.approver)),
            ("approved_at", time(self.approved_at)),
            ("undone_by", maybe(&self.undone_by)),
            ("recheck", Value::Integer(self.recheck.map(i64::from))),
            ("reason", Value::Text(self.reason.map(|reason| reason.name().to_owned()))),
            ("note", maybe(&self.note)),
        ]
    }

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
            act: named(row.try_get("act")?, "act")?,
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
            undone_by: text("undone_by")?,
            recheck: row.try_get::<Option<i64>, _>("recheck")?.map(|waits| waits != 0),
            reason: reason
                .map(|name| Reason::parse(&name).ok_or_else(|| StoreError::corrupt("reason", name)))
                .transpose()?,
            note: text("note")?,
        })
    }

    /// What the table of states looks at.
    pub fn standing(&self) -> Standing {
        Standing {
            state: self.state,
            reviewer: self.reviewer.clone(),
            approver: self.approver.clone(),
            plate_by: self.plate_by.clone(),
            undone_by: self.undone_by.clone(),
        }
    }
}

/// Why a case's row was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the case has changed since it was read")]
    Conflict,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes `after` over the row that `before` was read from. The version in the WHERE is what decides
/// between two who read the same row.
pub async fn write(tx: &mut Tx<'_>, before: &Case, after: &Case) -> Result<(), WriteError> {
    let changed = sqlx::query(
        "UPDATE cases SET state = $1, version = $2, reviewer = $3, approver = $4, plate_by = $5,
             plate = $6, vehicle_type = $7, reason = $8, note = $9, reviewed_at = $10,
             approved_at = $11, undone_by = $12, recheck = $13
         WHERE id = $14 AND version = $15",
    )
    .bind(after.state.name())
    .bind(after.version)
    .bind(after.reviewer.clone())
    .bind(after.approver.clone())
    .bind(after.plate_by.clone())
    .bind(after.plate.clone())
    .bind(i64::from(after.vehicle_type))
    .bind(after.reason.map(Reason::name))
    .bind(after.note.clone())
    .bind(after.reviewed_at.map(to_ms))
    .bind(after.approved_at.map(to_ms))
    .bind(after.undone_by.clone())
    .bind(after.recheck.map(i64::from))
    .bind(before.id.clone())
    .bind(before.version)
    .execute(&mut **tx)
    .await
    .map_err(StoreError::from)?
    .rows_affected();
    if changed == 1 { Ok(()) } else { Err(WriteError::Conflict) }
}

/// The serde name of a unit variant, as the database keeps it.
pub fn name_of(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        // Only called with unit variants, which serialise to their name.
        _ => String::new(),
    }
}

/// A unit variant by its serde name.
pub fn named<T: serde::de::DeserializeOwned>(
    name: String,
    what: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(name.clone()))
        .map_err(|_| StoreError::corrupt(what, name))
}
