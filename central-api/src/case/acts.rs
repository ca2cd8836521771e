//! The acts that this program can lead to a notice, a row an act: which facts its evidence carries,
//! which moments must be shown, under which lamp it may be charged, and which act of the same
//! passage swallows which. What it costs is in `law/`, what it is called in `web/words`.
//!
//! Whoever does several acts is fined for each (Luật Xử lý vi phạm hành chính Điều 3 khoản 1 điểm
//! d): acts of different conduct are different cases. Where one act of a passage includes another,
//! the other is no act of its own; where two name one conduct, an officer says which it is.
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
    /// What of a passage it is about: two acts of one conduct are never fined both.
    pub conduct: Conduct,
    /// The act of the same conduct that is no act of its own beside this one. An act has at most
    /// one, and is that of at most one: so it does not matter which came first.
    pub includes: Option<&'static str>,
    /// The order in which acts of one passage are listed, the highest first.
    pub priority: u8,
}

/// What a vehicle does in a passage, of which at most one act is fined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    Signal,
    Way,
    Speed,
    Road,
    Strip,
    Lane,
    Turn,
    LaneChange,
    Stay,
    Plate,
}

/// How an act stands to another of the same passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    Same,
    /// It includes the other.
    Includes,
    /// The other includes it.
    Included,
    /// Both name one conduct, and neither includes the other.
    Conduct,
    /// Each is fined on its own.
    Apart,
}

/// Over a line: before it, on it, past it.
const LINE: &[MomentRole] = &[Before, On, Past];
/// A way or a stay: where it began, while it lasted, where it had lasted long enough.
const STAY: &[MomentRole] = &[Begin, During, End];

const fn row_of(
    act: &'static str,
    families: &'static [&'static str],
    moments: &'static [MomentRole],
    conduct: Conduct,
    priority: u8,
) -> ActRow {
    ActRow { act, families, moments, lamps: &[], conduct, includes: None, priority }
}

use Conduct::{Lane, LaneChange, Plate, Road, Signal, Speed, Stay, Strip, Turn, Way};

pub const ALL: &[ActRow] = &[
    ActRow {
        // Amber is charged under the same provision.
        lamps: &[Lamp::Red, Lamp::Amber],
        includes: Some("stop_line"),
        ..row_of("red_light", &["signal"], LINE, Signal, 90)
    },
    ActRow { lamps: &[Lamp::Red], ..row_of("stop_line", &["line"], LINE, Signal, 10) },
    row_of("wrong_way", &["direction"], STAY, Way, 80),
    row_of("expressway_wrong_way", &["direction"], STAY, Way, 85),
    row_of("speed", &["speed", "average_speed"], &[Begin, End], Speed, 70),
    row_of("prohibited_road", &["zone"], STAY, Road, 60),
    row_of("expressway_emergency_lane", &["zone"], STAY, Strip, 60),
    row_of("wrong_lane", &["lane"], LINE, Lane, 50),
    row_of("no_turn", &["direction"], LINE, Turn, 40),
    row_of("no_u_turn", &["direction"], LINE, Turn, 40),
    row_of("expressway_lane_change", &["line"], LINE, LaneChange, 35),
    // Who changes lanes over a solid line is fined for the change.
    ActRow {
        includes: Some("solid_line"),
        ..row_of("lane_change", &["line"], LINE, LaneChange, 30)
    },
    row_of("solid_line", &["line"], LINE, LaneChange, 20),
    row_of("stop_place", &["zone"], STAY, Stay, 15),
    row_of("stop_bridge", &["zone"], STAY, Stay, 15),
    row_of("stop_tunnel", &["zone"], STAY, Stay, 15),
    row_of("stop_one_way_left", &["zone"], STAY, Stay, 15),
    row_of("park_place", &["zone"], STAY, Stay, 15),
    row_of("park_junction", &["zone"], STAY, Stay, 15),
    row_of("park_railway", &["zone"], STAY, Stay, 15),
    row_of("expressway_stop", &["zone"], STAY, Stay, 15),
    // A candidate: without a number that an officer reads in the pictures the gate stays shut.
    row_of("plate_hidden", &["appearance"], STAY, Plate, 5),
];

/// The row of an act, where this program knows it.
pub fn row(act: &Act) -> Option<&'static ActRow> {
    ALL.iter().find(|row| row.act == act.name())
}

/// How `one` stands to `other`; an act without a row only to itself.
pub fn tie(one: &Act, other: &Act) -> Tie {
    if one == other {
        return Tie::Same;
    }
    let (Some(here), Some(there)) = (row(one), row(other)) else { return Tie::Apart };
    if here.includes == Some(there.act) {
        Tie::Includes
    } else if there.includes == Some(here.act) {
        Tie::Included
    } else if here.conduct == there.conduct {
        Tie::Conduct
    } else {
        Tie::Apart
    }
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
    fn what_swallows_what_is_the_same_in_whatever_order_it_comes() {
        let mut included = Vec::new();
        for row in ALL {
            let Some(other) = row.includes else { continue };
            let other = ALL.iter().find(|it| it.act == other).unwrap();
            assert_eq!(row.conduct, other.conduct, "{}", row.act);
            assert!(row.priority > other.priority && other.includes.is_none(), "{}", row.act);
            assert!(!included.contains(&other.act), "{} is included twice", other.act);
            included.push(other.act);
            let [one, other] = [row.act, other.act].map(Act::named);
            assert_eq!((tie(&one, &other), tie(&other, &one)), (Tie::Includes, Tie::Included));
        }
        assert_eq!(included, ["stop_line", "solid_line"]);
        let tie = |one, other| tie(&Act::named(one), &Act::named(other));
        assert_eq!(tie("speed", "wrong_lane"), Tie::Apart);
        assert_eq!(tie("park_place", "stop_place"), Tie::Conduct);
        assert_eq!((tie("flying", "flying"), tie("flying", "speed")), (Tie::Same, Tie::Apart));
    }

    #[test]
    fn every_reason_of_the_rules_has_its_words() {
        let lawful = judge::Lawful::ALL.iter().map(|why| ("lawful", why.name()));
        let doubts = judge::Doubt::ALL.iter().map(|why| ("in_doubt", why.name()));
        for (section, key) in lawful.chain(doubts) {
            for lang in [Lang::Vi, Lang::En] {
                let words = lang.words().named(section, key);
                assert!(!words.is_empty() && words != key, "{section}.{key}: {words}");
            }
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
