//! A drawn area with a name in which something holds, for some classes, at some hours: what rules
//! about places share.

use contract::VehicleClass;
use contract::geometry::Point;
use serde::{Deserialize, Serialize};
use settings::{Reader, shapes};

use crate::drawn;
use crate::hours::Hours;
use crate::rules::{Doubt, Scene, Verdict};
use crate::time::Nanos;
use crate::track::Track;

/// This deep inside, in vehicle heights, a vehicle is plainly there and not on the edge.
pub const PLAINLY: f32 = 0.2;
/// Where classes were counted, the class must be the clear winner.
const SURE_CLASS: f32 = 0.75;

/// Words for classes in site files.
pub const CLASSES: [(&str, VehicleClass); 4] = [
    (VehicleClass::Motorbike.name(), VehicleClass::Motorbike),
    (VehicleClass::Car.name(), VehicleClass::Car),
    (VehicleClass::Bus.name(), VehicleClass::Bus),
    (VehicleClass::Truck.name(), VehicleClass::Truck),
];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    pub name: String,
    /// Its corners, 0 to 1 of the picture.
    pub area: Vec<Point>,
    /// Classes that it holds for; empty: any.
    pub classes: Vec<VehicleClass>,
    pub hours: Hours,
}

impl Zone {
    pub fn read(table: &Reader<'_>, name: &'static str) -> Self {
        let area = match table.take("area") {
            Some(node) => shapes::polygon(table, node, "area").unwrap_or_default(),
            None => {
                table.reject(
                    "area",
                    "is missing: its corners, e.g. [[0.1, 0.9], [0.2, 0.5], [0.4, 0.5], [0.4, 0.9]]",
                );
                Vec::new()
            }
        };
        Self {
            name: table.text("name", name),
            area,
            classes: table.words("classes", &CLASSES).unwrap_or_default(),
            hours: Hours::read(table),
        }
    }

    pub fn holds_for(&self, class: VehicleClass) -> bool {
        self.classes.is_empty() || self.classes.contains(&class)
    }

    /// How far a pixel lies from the nearest edge: above 0 inside, below outside.
    pub fn depth(&self, scene: &Scene<'_>, p: Point) -> f32 {
        drawn::depth(&scene.pixels(&self.area), p)
    }

    /// Its outline, with the first corner again at the end.
    pub fn outline(&self) -> Vec<Point> {
        self.area.iter().chain(self.area.first()).copied().collect()
    }

    /// Why nobody is accused of what the zone forbids for being there from `from` to `to`, as far
    /// as its hours and the vehicle's class decide.
    pub fn excuse(
        &self,
        track: &Track,
        scene: &Scene<'_>,
        from: Nanos,
        to: Nanos,
    ) -> Option<Verdict> {
        let unsure = track.class_share.is_some_and(|share| share < SURE_CLASS);
        if unsure && !self.classes.is_empty() {
            return Some(Verdict::Abstained(Doubt::ClassUncertain));
        }
        scene.outside(&self.hours, from, to)
    }
}

/// Complains about a name that stands twice: facts and marks find a zone by its name.
pub fn distinct<'a>(table: &Reader<'_>, key: &str, names: impl Iterator<Item = &'a str>) {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if seen.contains(&name) && !name.is_empty() {
            table.reject(key, format!("has two of the name {name:?}: each needs its own"));
        }
        seen.push(name);
    }
}
