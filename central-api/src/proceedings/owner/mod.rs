//! Who owns the vehicle of a case (TT 73/2024/TT-BCA Điều 24; NĐ 168/2024 Điều 47): the registry is
//! asked once a case is approved (`identify`); where it has no answer, or one that does not fit what
//! the cameras saw, a clerk looks and names the owner (`name`). Only then is there a notice.

mod identify;
mod name;
mod person;
mod record;

use contract::plate::PlateColour;
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::registry::{Registration, Status};

pub use identify::{IdentifyError, identify};
pub use name::{NameError, Named, name};
pub use person::checked;
pub use record::{Record, digest, find, read, texts, waiting, waiting_count};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// By the registry, without doubt.
    Identified,
    /// A clerk must look.
    ByHand,
    /// By a clerk.
    Named,
}

/// Why a clerk must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The registry does not know the number.
    Unknown,
    /// Registered as another kind of vehicle than was seen: perhaps a cloned or a misread plate.
    OtherVehicle,
    /// The plate seen has another colour than the registered one.
    OtherColour,
    Sold,
    Stolen,
    Withdrawn,
    /// The number was too far away about that time: one of the two plates is a copy or misread.
    Elsewhere,
    /// A plate of the armed forces or a state body: its owner is asked for in writing.
    Special,
}

impl Doubt {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::OtherVehicle => "other_vehicle",
            Self::OtherColour => "other_colour",
            Self::Sold => "sold",
            Self::Stolen => "stolen",
            Self::Withdrawn => "withdrawn",
            Self::Elsewhere => "elsewhere",
            Self::Special => "special",
        }
    }
}

/// What speaks against writing to the registered owner at once; `is_elsewhere`: the number was too far
/// away about that time.
pub fn doubts(case: &Case, found: Option<&Registration>, is_elsewhere: bool) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    if is_elsewhere {
        doubts.push(Doubt::Elsewhere);
    }
    // By night the colour may not be told: what is registered counts as well.
    let colours = [case.plate_colour, found.and_then(|found| found.plate_colour)];
    if colours.into_iter().flatten().any(|it| matches!(it, PlateColour::Red | PlateColour::Blue)) {
        doubts.push(Doubt::Special);
    }
    let Some(found) = found else {
        doubts.push(Doubt::Unknown);
        return doubts;
    };
    if found.vehicle != case.vehicle {
        doubts.push(Doubt::OtherVehicle);
    }
    let differs = |(seen, registered): (PlateColour, PlateColour)| seen != registered;
    if case.plate_colour.zip(found.plate_colour).is_some_and(differs) {
        doubts.push(Doubt::OtherColour);
    }
    doubts.extend(match found.status {
        Status::Valid => None,
        Status::Sold => Some(Doubt::Sold),
        Status::Stolen => Some(Doubt::Stolen),
        Status::Withdrawn => Some(Doubt::Withdrawn),
    });
    doubts
}
