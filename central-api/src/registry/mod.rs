//! Registration data: who owns the vehicle with a number. Imported from the registration authority's
//! file (`import`), asked of its server (`server`), or not there at all: then a notice names no owner,
//! as its form allows, and people look the owner up by hand.

mod ask;
mod breaker;
mod details;
mod import;
mod server;

use contract::VehicleClass;
use contract::plate::PlateColour;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use crate::case::named;
use crate::store::{Store, StoreError};

pub use ask::{Question, Registry, RegistryError, SettingError};
pub use details::{Details, Sex};
pub use import::{ImportError, Imported, import};

/// Who a vehicle is registered on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    Person,
    Organisation,
}

/// How a registration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Valid,
    /// Sold or given away, and not re-registered.
    Sold,
    Stolen,
    Withdrawn,
}

/// Name and address of an owner, as papers need them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub kind: OwnerKind,
    pub name: String,
    /// Số định danh cá nhân, or mã số tổ chức; may be empty.
    pub id_number: String,
    pub address: String,
}

/// Personal data are not printed.
impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owner").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What the registry knows of a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    pub vehicle: VehicleClass,
    pub plate_colour: Option<PlateColour>,
    /// Nhãn hiệu.
    pub make: String,
    /// Màu sơn.
    pub paint: String,
    pub status: Status,
    pub owner: Owner,
    #[serde(default, skip_serializing_if = "Details::is_empty")]
    pub details: Details,
}

/// Asks what was imported for a number as it stands on a vehicle with two wheels, or another one.
pub async fn look_up(
    store: &Store,
    plate: &str,
    two_wheeled: bool,
) -> Result<Option<Registration>, StoreError> {
    let row = sqlx::query(
        "SELECT vehicle, plate_colour, make, paint, kind, name, id_number, address, status,
                details
         FROM registrations WHERE plate = $1 AND two_wheeled = $2",
    )
    .bind(plate.to_owned())
    .bind(i64::from(two_wheeled))
    .fetch_optional(store.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let text = |name| row.try_get::<String, _>(name);
    let colour: Option<String> = row.try_get("plate_colour")?;
    let details: Option<String> = row.try_get("details")?;
    let details = details.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Some(Registration {
        details: details.map_err(|e| StoreError::corrupt("details", e))?.unwrap_or_default(),
        vehicle: named(text("vehicle")?, "vehicle")?,
        plate_colour: colour.map(|colour| named(colour, "plate colour")).transpose()?,
        make: text("make")?,
        paint: text("paint")?,
        status: named(text("status")?, "registration's status")?,
        owner: Owner {
            kind: named(text("kind")?, "owner's kind")?,
            name: text("name")?,
            id_number: text("id_number")?,
            address: text("address")?,
        },
    }))
}
