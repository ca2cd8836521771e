//! How fast each class may drive.

use contract::VehicleClass;
use serde::{Deserialize, Serialize};
use settings::Reader;

use crate::hours::Hours;

/// Limits that a road may have, km/h.
const RANGE: (f64, f64) = (5.0, 130.0);

/// Less than this beyond the limit is no act of the law, whole km/h (NĐ 168/2024 Điều 6, 7: from 5).
const LEAST: f64 = 5.0;

/// Whether an excess of whole km/h is an act. Which bracket it falls under is the law's, chosen by
/// the central.
pub fn is_act(excess: f64) -> bool {
    excess >= LEAST
}

/// What a site sets, km/h.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    limit: f64,
    /// Where a class has its own.
    own: Vec<(VehicleClass, f64)>,
    /// Beyond the limit by this nobody is accused yet.
    pub tolerance: f64,
    /// When they hold: by night a sign may allow more.
    #[serde(default, skip_serializing_if = "Hours::always")]
    pub hours: Hours,
}

impl Limits {
    pub fn read(table: &Reader<'_>) -> Self {
        if !table.has("limit") {
            table.reject("limit", "is missing: the speed allowed in km/h, e.g. `limit = 50`");
        }
        let limit = table.number("limit", 50.0, RANGE, "km/h");
        let mut own = Vec::new();
        if let Some(section) = table.section("limits") {
            for class in VehicleClass::ALL {
                let its = section.number(class.name(), limit, RANGE, "km/h");
                if section.has(class.name()) {
                    own.push((class, its));
                }
            }
            section.finish();
        }
        let tolerance = table.number("tolerance", 3.0, (0.0, 30.0), "km/h");
        Self { limit, own, tolerance, hours: Hours::read(table) }
    }

    pub fn of(&self, class: VehicleClass) -> f64 {
        let own = self.own.iter().find(|(of, _)| *of == class);
        own.map_or(self.limit, |(_, limit)| *limit)
    }

    /// The lowest of all classes.
    pub fn lowest(&self) -> f64 {
        self.own.iter().fold(self.limit, |lowest, (_, own)| lowest.min(*own))
    }

    pub fn highest(&self) -> f64 {
        self.own.iter().fold(self.limit, |highest, (_, own)| highest.max(*own))
    }

    pub const fn by_class(&self) -> bool {
        !self.own.is_empty()
    }
}
