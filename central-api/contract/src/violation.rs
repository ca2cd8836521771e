//! What the edge may accuse a vehicle of. Amounts and articles are not here: the central chooses
//! them from dated law by the act's time.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::VehicleClass;

/// The act observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Rule {
    /// Vượt đèn đỏ: crossed the stop line on red and went on.
    RedLight,
    /// Dừng xe đè vạch: stopped across the stop line on red without entering the junction.
    StopLine,
}

impl Rule {
    pub const ALL: [Self; 2] = [Self::RedLight, Self::StopLine];

    /// What one passage over the line that is this act is not accused of besides: who stops over
    /// the line and then goes on during red has run the light.
    pub const fn included(self) -> &'static [Self] {
        match self {
            Self::RedLight => &[Self::StopLine],
            Self::StopLine => &[],
        }
    }

    /// The name used in JSON, configuration, law tables and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RedLight => "red_light",
            Self::StopLine => "stop_line",
        }
    }
}

/// Where the vehicle went after the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Movement {
    Straight,
    Left,
    Right,
    /// Stayed at the line.
    Stopped,
}

/// The lamp that governs the movement, as seen in the frame on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Lamp {
    Red,
    Amber,
    Green,
    /// Nothing could be told: never grounds for an accusation.
    Unknown,
}

/// One observed act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Violation {
    pub rule: Rule,
    /// Capture time of the frame on the line, with the local offset (+07:00).
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The tracker's number for the vehicle, unique within one agent run and camera.
    pub track: u64,
    pub vehicle: VehicleClass,
    pub movement: Movement,
    pub lamp: Lamp,
    /// Milliseconds the lamp had been red when the vehicle was on the line.
    pub red_elapsed_ms: u64,
    /// Whether a green right arrow was lit beside the red lamp.
    pub right_arrow: bool,
    /// Why the rule fired, in one English sentence for the officer and the audit.
    pub reason: String,
}
