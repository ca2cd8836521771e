//! Vehicles as the cameras tell them apart and as the lookup form asks for them.

use serde::{Deserialize, Serialize};

/// What a camera can tell from a picture. A motorbike includes its rider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum VehicleClass {
    Motorbike,
    Car,
    Bus,
    Truck,
}

impl VehicleClass {
    /// In the order of the detector's output channels.
    pub const ALL: [Self; 4] = [Self::Motorbike, Self::Car, Self::Bus, Self::Truck];

    /// The name used in JSON, configuration and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Motorbike => "motorbike",
            Self::Car => "car",
            Self::Bus => "bus",
            Self::Truck => "truck",
        }
    }

    /// Two-wheelers carry one small rear plate and are fined under Điều 7, all others under Điều 6.
    pub const fn is_two_wheeled(self) -> bool {
        matches!(self, Self::Motorbike)
    }
}
