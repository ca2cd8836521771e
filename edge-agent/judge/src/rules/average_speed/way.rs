//! The surveyed way between two passages, and what its time says.
//!
//! In the vehicle's favour: the way is taken at its shortest and the time at its longest. Who would
//! have been faster than anything on these roads is two vehicles with one plate.

use std::time::Duration;

use contract::VehicleClass;
use contract::facts::{AverageSpeed, Measured, Unit};
use serde::{Deserialize, Serialize};
use settings::Reader;
use time::OffsetDateTime;

use crate::rules::speed::limits::{self, Limits};
use crate::rules::speed::{KMH, tenths, tenths_up};
use crate::rules::{Doubt, Lawful, Verdict};
use crate::track::Passed;

/// Faster than this, km/h, nobody is.
const IMPOSSIBLE: f64 = 250.0;
/// The time must be known to this share.
const EXACT: f64 = 0.1;

/// A way from another camera to this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    from: String,
    here: String,
    /// The shortest way between the two lines, metres, and how well it is known.
    metres: f64,
    known_to: f64,
    limits: Limits,
}

impl Way {
    /// From the section of the camera `here`.
    pub fn read(table: &Reader<'_>, here: String) -> Self {
        let way = Self {
            from: table.text("from", "cam-01"),
            here,
            metres: table.number("metres", 1000.0, (200.0, 100_000.0), "metres"),
            known_to: table.number("known_to", 5.0, (0.1, 100.0), "metres"),
            limits: Limits::read(table),
        };
        if !table.has("metres") {
            table.reject(
                "metres",
                "is missing: the shortest way between both lines, e.g. `metres = 1850`",
            );
        }
        if way.from == way.here {
            table.reject("from", "is this camera itself: a way lies between two");
        }
        way
    }

    pub fn from(&self) -> &str {
        &self.from
    }

    /// Who took longer was not too fast, whatever the class.
    pub fn longest(&self) -> Duration {
        Duration::from_secs_f64((self.metres + self.known_to) / self.limits.lowest() * KMH)
    }

    /// Whether a passage elsewhere is where the way of the vehicle with this plate began.
    pub fn begins(&self, passed: &Passed, plate: &str) -> bool {
        passed.camera == self.from && passed.plate == plate
    }

    /// How much too fast a vehicle was that passed there and, `at` then, here, and why; else what is
    /// said of it.
    pub fn judge(
        &self,
        begun: &Passed,
        class: VehicleClass,
        at: OffsetDateTime,
        known_to: Duration,
    ) -> Result<(AverageSpeed, String), Verdict> {
        if begun.class != class {
            return Err(Verdict::Abstained(Doubt::ClassUncertain));
        }
        let took = (at - begun.at).as_seconds_f64();
        if took <= 0.0 {
            return Err(Verdict::Lawful(Lawful::NotFromThere));
        }
        let wrong = begun.known_to().as_secs_f64() + known_to.as_secs_f64();
        let speed = self.metres / took * KMH;
        let limit = self.limits.of(class);
        if speed - self.limits.tolerance <= limit {
            return Err(Verdict::Lawful(Lawful::WithinLimit));
        }
        if !self.limits.hours.always() && !self.limits.hours.held(begun.at, at) {
            return Err(Verdict::Lawful(Lawful::NotInForce));
        }
        if speed > IMPOSSIBLE {
            return Err(Verdict::Abstained(Doubt::IdentityUncertain));
        }
        if wrong > EXACT * took {
            return Err(Verdict::Abstained(Doubt::Inexact));
        }
        // The wider side of what may be: the longest way in the shortest time.
        let uncertainty = (self.metres + self.known_to) / (took - wrong) * KMH - speed;
        let speed = Measured::new(tenths(speed), Unit::KilometresPerHour)
            .against(limit)
            .tolerating(self.limits.tolerance)
            .known_to(tenths_up(uncertainty));
        if !limits::is_act(speed.at_least().floor() - limit) {
            return Err(Verdict::Abstained(Doubt::Inexact));
        }
        let hundredths = (took * 100.0).floor() / 100.0;
        let reason = format!(
            "drove {:.1} km/h on the average over {:.0} m in {hundredths:.2} s; {limit} km/h are \
             allowed, {} tolerated",
            speed.value, self.metres, self.limits.tolerance,
        );
        let facts = AverageSpeed {
            from_camera: self.from.clone(),
            to_camera: self.here.clone(),
            speed,
            distance: Measured::new(self.metres, Unit::Metres).known_to(self.known_to),
            took: Measured::new(hundredths, Unit::Seconds).known_to((wrong * 100.0).ceil() / 100.0),
        };
        Ok((facts, reason))
    }
}
