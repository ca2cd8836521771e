//! Vietnamese plate numbers: what is printed, what may be meant, where the vehicle is registered.
//!
//! Source: TT 79/2024/TT-BCA with amendments, QCVN 08:2024/BCA, TT 169/2021/TT-BQP (DOMAIN §1).

use serde::{Deserialize, Serialize};

use crate::VehicleClass;

/// Background colour of a plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PlateColour {
    White,
    Yellow,
    Blue,
    Red,
}

/// Classes of plates by layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PlateClass {
    CarCivil,
    CarState,
    MotorbikeNew,
    MotorbikeOld,
    MotorbikeState,
    Special,
    Temporary,
    ForeignCar,
    ForeignMotorbike,
    Military,
}

/// What the camera saw besides the characters; settles what the text alone leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sight {
    /// 1 or 2.
    pub rows: Option<u8>,
    pub colour: Option<PlateColour>,
    pub vehicle: Option<VehicleClass>,
}

/// A number that fits the grammar, with the class it is read as.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PlateNumber {
    text: String,
    class: PlateClass,
}

impl PlateNumber {
    /// Normalised form: A–Z0–9 only, Đ written D.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn class(&self) -> PlateClass {
        self.class
    }
}
