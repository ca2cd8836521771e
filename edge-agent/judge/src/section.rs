//! The average speed from one camera to another of the same agent: a surveyed way between two
//! passages of one plate.
//!
//! The law knows no act of its own for it; the excess is what it is at one place. In the vehicle's
//! favour: the way is taken at its shortest and the time at its longest; both plates must have been
//! accepted as read and be the same, of one class; both clocks known. Who would have been faster than
//! anything on these roads is two vehicles with one plate.

use contract::facts::{AverageSpeed, Facts, Measured, Unit};
use contract::{Act, VehicleClass};
use settings::Reader;
use time::{Duration, OffsetDateTime};

use crate::rules::speed::limits::{self, Limits};
use crate::rules::speed::{KIND, KMH};
use crate::rules::{Doubt, Lawful};

/// Faster than this, km/h, nobody is.
const IMPOSSIBLE: f64 = 250.0;
/// The time must be known to this share.
const EXACT: f64 = 0.1;

/// A way between two cameras.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    pub from_camera: String,
    pub to_camera: String,
    /// The shortest way between the places where passages are timed, metres, and how well it is known.
    metres: f64,
    known_to: f64,
    limits: Limits,
}

/// A vehicle passing a camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Passed<'a> {
    /// The plate as accepted; none where it was not, or the track may have been another's.
    pub plate: Option<&'a str>,
    pub class: VehicleClass,
    /// When, and how well that is known; none where the clock was not.
    pub at: Option<(OffsetDateTime, Duration)>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Judged {
    Lawful(Lawful),
    Abstained(Doubt),
    Violation { act: Act, at: OffsetDateTime, facts: Box<Facts>, reason: String },
}

impl Section {
    /// From a table `[[section]]`.
    pub fn read(table: &Reader<'_>) -> Self {
        let section = Self {
            from_camera: table.text("from", "cam-1"),
            to_camera: table.text("to", "cam-2"),
            metres: table.number("metres", 1000.0, (200.0, 100_000.0), "metres"),
            known_to: table.number("known_to", 5.0, (0.1, 100.0), "metres"),
            limits: Limits::read(table),
        };
        if !table.has("metres") {
            table.reject(
                "metres",
                "is missing: the shortest way between both, e.g. `metres = 1850`",
            );
        }
        if section.from_camera == section.to_camera {
            table.reject("to", "is the camera of `from`: a section lies between two");
        }
        section
    }

    pub fn judge(&self, entry: &Passed<'_>, exit: &Passed<'_>) -> Judged {
        let (Some(plate), Some(again)) = (entry.plate, exit.plate) else {
            return Judged::Abstained(Doubt::PlateUnread);
        };
        if plate != again {
            return Judged::Lawful(Lawful::NotFromApproach);
        }
        if entry.class != exit.class {
            return Judged::Abstained(Doubt::ClassUncertain);
        }
        let (Some((from, early)), Some((to, late))) = (entry.at, exit.at) else {
            return Judged::Abstained(Doubt::ClockUnknown);
        };
        let took = (to - from).as_seconds_f64();
        if took <= 0.0 {
            return Judged::Lawful(Lawful::NotFromApproach);
        }
        let wrong = early.abs().as_seconds_f64() + late.abs().as_seconds_f64();
        let speed = self.metres / took * KMH;
        let limit = self.limits.of(exit.class);
        if speed - self.limits.tolerance <= limit {
            return Judged::Lawful(Lawful::WithinLimit);
        }
        if speed > IMPOSSIBLE {
            return Judged::Abstained(Doubt::IdentityUncertain);
        }
        if wrong > EXACT * took {
            return Judged::Abstained(Doubt::Inexact);
        }
        // The wider side of what may be: the longest way in the shortest time.
        let uncertainty = (self.metres + self.known_to) / (took - wrong) * KMH - speed;
        let tenths = |value: f64| (value * 10.0).floor() / 10.0;
        let speed = Measured::new(tenths(speed), Unit::KilometresPerHour)
            .against(limit)
            .tolerating(self.limits.tolerance)
            .known_to(tenths(uncertainty) + 0.1);
        if !limits::is_act(speed.at_least().floor() - limit) {
            return Judged::Abstained(Doubt::Inexact);
        }
        let hundredths = (took * 100.0).floor() / 100.0;
        Judged::Violation {
            act: Act::named(KIND.act),
            at: to,
            reason: format!(
                "drove {:.1} km/h on the average over {:.0} m in {hundredths:.2} s; {limit} km/h are \
                 allowed, {} tolerated",
                speed.value, self.metres, self.limits.tolerance,
            ),
            facts: Box::new(Facts::AverageSpeed(AverageSpeed {
                from_camera: self.from_camera.clone(),
                to_camera: self.to_camera.clone(),
                speed,
                distance: Measured::new(self.metres, Unit::Metres).known_to(self.known_to),
                took: Measured::new(hundredths, Unit::Seconds).known_to(wrong),
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::script::{Luck, site};

    const START: OffsetDateTime = datetime!(2026-11-28 08:00 +7);

    fn section(more: &str) -> Section {
        let text = format!("from = \"a\"\nto = \"b\"\nmetres = 2000\nlimit = 60\n{more}");
        site(&text, Section::read).unwrap()
    }

    fn passed(seconds: f64) -> Passed<'static> {
        let at = START + Duration::seconds_f64(seconds);
        let plate = Some("30F25658");
        Passed { plate, class: VehicleClass::Car, at: Some((at, Duration::milliseconds(200))) }
    }

    /// The time that the way takes at a speed.
    fn at(speed: f64) -> f64 {
        2000.0 / speed * KMH
    }

    #[test]
    fn too_fast_on_the_average_is_speeding() {
        for speed in [70.0, 78.0, 120.0] {
            let Judged::Violation { act, at, facts, .. } =
                section("").judge(&passed(0.0), &passed(at(speed)))
            else {
                panic!("{speed}")
            };
            assert_eq!(act.name(), "speed");
            assert!(at > START);
            let Facts::AverageSpeed(facts) = *facts else { panic!("{facts:?}") };
            assert!((facts.speed.value - speed).abs() < 0.11, "{facts:?}");
            assert!(facts.speed.excess().is_some());
        }
    }

    #[test]
    fn look_alikes_are_not_accused() {
        let (entry, fast) = (passed(0.0), passed(at(90.0)));
        let clock = Some((START + Duration::seconds_f64(at(90.0)), Duration::seconds(9)));
        let lawful = Judged::Lawful;
        let doubt = Judged::Abstained;
        let cases = [
            ("within the limit", passed(at(58.0)), lawful(Lawful::WithinLimit)),
            ("within the tolerance", passed(at(62.9)), lawful(Lawful::WithinLimit)),
            ("less than the law fines", passed(at(66.0)), doubt(Doubt::Inexact)),
            (
                "another plate",
                Passed { plate: Some("30F25653"), ..fast.clone() },
                lawful(Lawful::NotFromApproach),
            ),
            (
                "a plate not accepted",
                Passed { plate: None, ..fast.clone() },
                doubt(Doubt::PlateUnread),
            ),
            (
                "another class",
                Passed { class: VehicleClass::Truck, ..fast.clone() },
                doubt(Doubt::ClassUncertain),
            ),
            ("no clock", Passed { at: None, ..fast.clone() }, doubt(Doubt::ClockUnknown)),
            (
                "a clock that may be wrong",
                Passed { at: clock, ..fast.clone() },
                doubt(Doubt::Inexact),
            ),
            ("the other way round", passed(-300.0), lawful(Lawful::NotFromApproach)),
            ("one plate on two vehicles", passed(9.0), doubt(Doubt::IdentityUncertain)),
        ];
        for (name, exit, wanted) in cases {
            assert_eq!(section("").judge(&entry, &exit), wanted, "{name}");
        }
        let unread = Passed { plate: None, ..entry };
        assert_eq!(section("").judge(&unread, &fast), doubt(Doubt::PlateUnread));
    }

    #[test]
    fn nobody_within_the_limit_is_accused() {
        let mut luck = Luck(3);
        let section = section("tolerance = 0\n[limits]\ntruck = 50");
        for _ in 0..10_000 {
            let class =
                [VehicleClass::Car, VehicleClass::Truck][usize::from(luck.uniform(0.0, 1.0) < 0.5)];
            let limit = section.limits.of(class);
            // The way is up to 5 m longer, the clocks up to 200 ms wrong each.
            let way = 2000.0 + luck.uniform(-5.0, 5.0);
            let took = way / luck.uniform(0.8 * limit, limit) * KMH;
            let [a, b] = [0.0, took].map(|t| t + luck.uniform(-0.2, 0.2));
            let of = |t| Passed { class, ..passed(t) };
            let judged = section.judge(&of(a), &of(b));
            assert!(!matches!(judged, Judged::Violation { .. }), "{judged:?}");
        }
    }

    #[test]
    fn complaints_name_what_would_be_right() {
        for (text, wanted) in [
            ("from = \"a\"\nto = \"a\"\nmetres = 900\nlimit = 60", "to is the camera of `from`"),
            ("from = \"a\"\nto = \"b\"\nlimit = 60", "metres is missing"),
            ("from = \"a\"\nto = \"b\"\nmetres = 900", "limit is missing"),
            ("to = \"b\"\nmetres = 50\nlimit = 60", "site.toml:2: metres is 50, must be 200"),
        ] {
            let found = site(text, Section::read).unwrap_err().join("\n");
            assert!(found.contains(wanted), "{text:?} gave {found}");
        }
    }
}
