//! What the public may know of a case: the nine fields, of cases whose notice is out.

use contract::{Manifest, VehicleClass};
use serde::Serialize;
use sqlx::Row as _;
use time::Duration;
use utoipa::ToSchema;

use crate::AppState;
use crate::case::{self, Filter, State, plate};
use crate::notice;
use crate::store::StoreError;
use crate::web::attempts::Limit;
use crate::web::{Lang, format};

/// Most violations one answer holds.
const MOST: u32 = 100;

/// A violation as the public sees it: nine fields and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PublicViolation {
    /// Biển kiểm soát.
    pub plate: String,
    /// Màu biển.
    pub plate_colour: String,
    /// Loại phương tiện.
    pub vehicle_type: String,
    /// Thời gian vi phạm, `HH:MM, dd/mm/yyyy`.
    pub time: String,
    /// Địa điểm vi phạm.
    pub place: String,
    /// Hành vi vi phạm.
    pub act: String,
    /// Trạng thái: Chưa xử phạt, Đã xử phạt.
    pub status: String,
    /// Đơn vị phát hiện vi phạm.
    pub detecting_unit: String,
    /// Nơi giải quyết vụ việc.
    pub resolving_places: Vec<Place>,
}

/// Where a case may be settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Place {
    pub name: String,
    pub address: String,
    pub phone: String,
}

/// What the form asks: 1 car, 2 motorbike, 3 electric motorbike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct VehicleType(u8);

impl VehicleType {
    pub(super) fn parse(number: u8) -> Option<Self> {
        (1..=3).contains(&number).then_some(Self(number))
    }

    /// Cameras cannot tell an electric motorbike from another: both answers find either.
    fn finds(self, class: VehicleClass) -> bool {
        (self.0 == 1) != class.is_two_wheeled()
    }

    fn example(self) -> VehicleClass {
        if self.0 == 1 { VehicleClass::Car } else { VehicleClass::Motorbike }
    }
}

/// The normalised number a visitor typed, if such a vehicle can carry it.
pub(super) fn typed_plate(typed: &str, vehicle: VehicleType) -> Option<String> {
    if typed.chars().count() > 20 {
        return None;
    }
    plate::read(typed, vehicle.example(), None).map(|number| number.text().to_owned())
}

/// How often one client may ask.
pub(super) fn limit(state: &AppState) -> Limit {
    Limit {
        name: "lookup",
        count: state.config.lookup.requests_per_minute,
        window: Duration::MINUTE,
    }
}

/// The public violations of a plate, newest first.
pub(super) async fn find(
    state: &AppState,
    plate_text: &str,
    vehicle: VehicleType,
) -> Result<Vec<PublicViolation>, StoreError> {
    let filter = Filter {
        states: vec![State::Notified],
        plate: Some(plate_text.to_owned()),
        ..Filter::default()
    };
    let found = case::list(&state.store, &filter, 1, MOST).await?;
    let mut violations = Vec::new();
    for case in found.cases.iter().rev().filter(|case| vehicle.finds(case.vehicle)) {
        let manifest = manifest(state, &case.evidence_id).await?;
        violations.push(public(state, case, &manifest));
    }
    Ok(violations)
}

/// Published values are Vietnamese in every language, as the law's words are.
fn public(state: &AppState, case: &case::Case, manifest: &Manifest) -> PublicViolation {
    let w = Lang::Vi.words();
    let agency = &state.config.agency;
    PublicViolation {
        plate: case.plate.as_deref().map_or_else(String::new, |number| {
            plate::display(number, case.vehicle, case.plate_colour)
        }),
        plate_colour: case.plate_colour.map_or("", notice::plate_colour).to_owned(),
        vehicle_type: w.named("lookup", &format!("type_{}", case.vehicle_type)),
        time: format::minute(case.act_at),
        place: case.place.clone(),
        act: case.law.as_ref().map(|law| law.text.clone()).unwrap_or_default(),
        status: w.t("field.status_open").to_owned(),
        detecting_unit: manifest.unit.name.clone(),
        resolving_places: agency
            .offices
            .iter()
            .map(|office| Place {
                name: office.name.clone(),
                address: office.address.clone(),
                phone: office.phone.clone(),
            })
            .collect(),
    }
}

async fn manifest(state: &AppState, evidence_id: &str) -> Result<Manifest, StoreError> {
    let row = sqlx::query("SELECT manifest FROM evidence WHERE id = $1")
        .bind(evidence_id.to_owned())
        .fetch_one(state.store.pool())
        .await?;
    let text: String = row.try_get("manifest")?;
    Manifest::parse(text.as_bytes()).map_err(|error| StoreError::corrupt("manifest", error))
}

/// Plate and vehicle type behind a notice's code.
pub(super) async fn of_notice(
    state: &AppState,
    code: &str,
) -> Result<Option<(String, u8)>, StoreError> {
    if code.len() > 32 {
        return Ok(None);
    }
    let Some(notice) = notice::find_by_code(&state.store, code).await? else { return Ok(None) };
    let case = case::find(&state.store, &notice.case_id).await?;
    Ok(case.and_then(|case| {
        let number = case.plate.as_deref()?;
        let shown = plate::display(number, case.vehicle, case.plate_colour);
        Some((shown, case.vehicle_type))
    }))
}
