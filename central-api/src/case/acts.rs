//! The acts that this program can lead to a notice, a row an act: which facts its evidence carries,
//! which moments must be shown, under which lamp it may be charged, and which act of the same
//! passage swallows which. What it costs is in `law/`, what it is called in `web/words`.
//!
//! An act without a row here is kept with its evidence and held at the gate.

use contract::facts::{Facts, Lamp};
use contract::{Act, MomentRole, Movement};

use MomentRole::{Before, Begin, During, End, On, Past};

/// One act.
#[derive(Debug)]
pub struct ActRow {
    /// The law's key.
    pub act: &'static str,
    /// Families of facts that carry it.
    pub families: &'static [&'static str],
    /// Moments that a notice must show.
    pub moments: &'static [MomentRole],
    /// Lamps under which it may be charged; empty where no lamp plays a part.
    pub lamps: &'static [Lamp],
    /// Of two acts of one passage the one with the higher number is led on.
    pub priority: u8,
}

/// Over a line: before it, on it, past it.
const LINE: &[MomentRole] = &[Before, On, Past];
/// A way or a stay: where it began, while it lasted, where it had lasted long enough.
const STAY: &[MomentRole] = &[Begin, During, End];

const fn row_of(
    act: &'static str,
    families: &'static [&'static str],
    moments: &'static [MomentRole],
    priority: u8,
) -> ActRow {
    ActRow { act, families, moments, lamps: &[], priority }
}

pub const ALL: &[ActRow] = &[
    // Amber is charged under the same provision.
    ActRow { lamps: &[Lamp::Red, Lamp::Amber], ..row_of("red_light", &["signal"], LINE, 90) },
    ActRow { lamps: &[Lamp::Red], ..row_of("stop_line", &["line"], LINE, 10) },
    row_of("wrong_way", &["direction"], STAY, 80),
    row_of("expressway_wrong_way", &["direction"], STAY, 85),
    row_of("speed", &["speed", "average_speed"], &[Begin, End], 70),
    row_of("prohibited_road", &["zone"], STAY, 60),
    row_of("expressway_emergency_lane", &["zone"], STAY, 60),
    row_of("wrong_lane", &["lane"], LINE, 50),
    row_of("no_turn", &["direction"], LINE, 40),
    row_of("no_u_turn", &["direction"], LINE, 40),
    row_of("expressway_lane_change", &["line"], LINE, 35),
    row_of("lane_change", &["line"], LINE, 30),
    row_of("solid_line", &["line"], LINE, 20),
    row_of("stop_place", &["zone"], STAY, 15),
    row_of("stop_bridge", &["zone"], STAY, 15),
    row_of("stop_tunnel", &["zone"], STAY, 15),
    row_of("stop_one_way_left", &["zone"], STAY, 15),
    row_of("park_place", &["zone"], STAY, 15),
    row_of("park_junction", &["zone"], STAY, 15),
    row_of("park_railway", &["zone"], STAY, 15),
    row_of("expressway_stop", &["zone"], STAY, 15),
];

/// The row of an act, where this program knows it.
pub fn row(act: &Act) -> Option<&'static ActRow> {
    ALL.iter().find(|row| row.act == act.name())
}

impl ActRow {
    /// Whether the lamp on record carries the accusation.
    pub fn carried_by_lamp(&self, facts: &Facts) -> bool {
        self.lamps.is_empty() || facts.lit().is_some_and(|lit| self.lamps.contains(&lit.lamp))
    }

    /// What in the facts speaks against the act that they are to carry, each by its name.
    pub fn contradictions(&self, facts: &Facts) -> Vec<String> {
        let mut found = Vec::new();
        if !self.families.contains(&facts.family()) {
            found.push(format!("{}, {}", self.act, facts.family()));
        }
        if let Facts::Signal(signal) = facts
            && signal.movement == Movement::Right
            && signal.lit.right_arrow
        {
            found.push("right, right_arrow".into());
        }
        if let Facts::Lane(lane) = facts
            && lane.allowed.contains(&lane.movement)
        {
            found.push(format!("{}, {}", self.act, lane.movement.name()));
        }
        // What must lie beyond its limit and may not.
        let must = ["speed", "stood", "dwell"];
        for (name, measured) in facts.measured() {
            if must.contains(&name) && measured.limit.is_some() && measured.excess().is_none() {
                found.push(format!("{name} {}", measured.value));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use judge::rules::average_speed;

    use super::*;
    use crate::law::{self, Kind};
    use crate::web::Lang;

    #[test]
    fn every_act_has_its_words_and_its_law() {
        let at = time::macros::datetime!(2026-11-21 08:00 +7);
        let book = law::book().unwrap();
        for row in ALL {
            assert_eq!(Act::parse(row.act).unwrap().name(), row.act);
            for lang in [Lang::Vi, Lang::En] {
                let name = lang.words().named("act", row.act);
                assert!(!name.is_empty() && name != row.act, "{}: {name}", row.act);
            }
            let known = [Kind::Car, Kind::Motorbike].map(|on| book.find(row.act, on, at).is_ok());
            let bracketed = row.act == "speed";
            assert!(known.contains(&true) || bracketed, "{} has no provision", row.act);
        }
    }

    #[test]
    fn every_rule_of_the_cameras_has_a_row() {
        for kind in judge::rules::ALL {
            let average = kind.act == average_speed::KIND.act;
            let act = if average { average_speed::CHARGED_AS } else { kind.act };
            assert!(row(&Act::named(act)).is_some(), "{act} has no row");
        }
    }
}
