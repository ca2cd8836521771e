//! Rẽ trái, rẽ phải, quay đầu nơi có biển cấm. The vehicle comes over the stop line from the approach
//! and leaves the junction by a movement that a sign bans for its class. Left and right turns are one
//! act of the law, turning round another; both are read from the same signs.
//!
//! In the vehicle's favour: only a way plainly out counts, and a turn to a side only once the
//! vehicle has not come back from there for a while, for it may be turning round; what was not seen
//! to its end is no turn.

use contract::facts::{Direction, Facts};
use contract::geometry::Point;
use contract::{Act, MomentRole, Movement, VehicleClass};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use settings::Reader;

use super::{
    Album, Attention, CROSSING, Doubt, Finding, Kind, Lawful, Rule, Scene, Verdict, words,
};
use crate::Site;
use crate::hours::Hours;
use crate::movement;
use crate::passage::{self, Passage};
use crate::road::Road;
use crate::site::{CLASSES, Junction};
use crate::time::Nanos;
use crate::track::Track;

const TURNS: [(&str, Movement); 3] =
    [("left", Movement::Left), ("right", Movement::Right), ("u_turn", Movement::UTurn)];

pub const SECTION: &str = "turn_ban";
pub const NO_TURN: Kind = Kind {
    act: "no_turn",
    read: |table, junction| read(table, junction, |movement| movement != Movement::UTurn),
    restore: super::restored::<TurnBan>,
};
pub const NO_U_TURN: Kind = Kind {
    act: "no_u_turn",
    read: |table, junction| read(table, junction, |movement| movement == Movement::UTurn),
    restore: NO_TURN.restore,
};

/// The signs that ban turns of one act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnBan {
    pub bans: Vec<Ban>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ban {
    pub movements: Vec<Movement>,
    /// Empty: every class.
    pub classes: Vec<VehicleClass>,
    /// When it holds.
    #[serde(default, skip_serializing_if = "Hours::always")]
    pub hours: Hours,
}

/// Every sign's turns `of` one act; none where it bans no such turn.
fn read(
    table: &Reader<'_>,
    junction: Option<&Junction>,
    of: fn(Movement) -> bool,
) -> Option<Box<dyn Rule>> {
    let mut bans = Vec::new();
    for table in table.tables(SECTION) {
        let movements = table.words("movements", &TURNS).unwrap_or_default();
        if movements.is_empty() && !table.has("movements") {
            table.reject("movements", "must name what the sign bans, e.g. [\"left\"]");
        }
        let classes = table.words("classes", &CLASSES);
        let hours = Hours::read(&table);
        if junction.is_none() {
            table.reject("movements", "needs a stop_line, an approach and exits to be told by");
        }
        let movements: Vec<Movement> = movements.into_iter().filter(|it| of(*it)).collect();
        if !movements.is_empty() {
            bans.push(Ban { movements, classes: classes.unwrap_or_default(), hours });
        }
        table.finish();
    }
    (junction.is_some() && !bans.is_empty()).then(|| Box::new(TurnBan { bans }) as Box<dyn Rule>)
}

impl TurnBan {
    /// Every ban of one rule is of one act.
    fn turns_round(&self) -> bool {
        self.bans.iter().any(|ban| ban.movements.contains(&Movement::UTurn))
    }

    /// The signs that ban a movement, at whatever hours.
    fn banning(&self, class: VehicleClass, movement: Movement) -> impl Iterator<Item = &Ban> {
        self.bans.iter().filter(move |ban| {
            ban.movements.contains(&movement)
                && (ban.classes.is_empty() || ban.classes.contains(&class))
        })
    }

    fn bans(&self, class: VehicleClass, movement: Movement) -> bool {
        self.banning(class, movement).next().is_some()
    }
}

impl Rule for TurnBan {
    fn act(&self) -> Act {
        Act::named(if self.turns_round() { NO_U_TURN.act } else { NO_TURN.act })
    }

    fn settings(&self) -> Value {
        super::written(self)
    }

    fn least_fps(&self) -> f32 {
        passage::LEAST_FPS
    }

    fn longest(&self) -> Nanos {
        CROSSING
    }

    fn attend(&self, track: &Track, scene: &Scene<'_>, album: &mut Album) -> Attention {
        let Some(road) = scene.road else { return Attention::Idle };
        passage::attend_to_the_end(track, road, album)
    }

    fn judge(&self, track: &Track, scene: &Scene<'_>) -> Verdict {
        match scene.road {
            Some(road) => judge(self, track, road, scene),
            None => Verdict::Abstained(Doubt::NotDrawn),
        }
    }

    fn marks(&self, site: &Site, facts: &Facts) -> Vec<Vec<Point>> {
        let exits = site.way_out(facts.movement());
        // Who turned round came back over the stop line.
        if exits.is_empty() { site.stop_line() } else { exits }
    }

    fn caption(&self, facts: &Facts) -> String {
        match facts.movement() {
            Some(Movement::UTurn) => "Quay đầu xe nơi có biển cấm".into(),
            Some(movement) => {
                format!("{} nơi có biển cấm", words::capital(words::movement(movement)))
            }
            None => "Rẽ nơi có biển cấm".into(),
        }
    }
}

fn judge(rule: &TurnBan, track: &Track, road: &Road, scene: &Scene<'_>) -> Verdict {
    let turns = TURNS.map(|(_, movement)| movement);
    if !turns.iter().any(|&movement| rule.bans(track.class, movement)) {
        return Verdict::Lawful(Lawful::ClassAllowed);
    }
    let Some(passage) = Passage::find(track, road) else {
        return passage::none(track, road, scene);
    };
    if !passage.from_approach(track, road) {
        return Verdict::Lawful(Lawful::NotFromApproach);
    }
    let (movement, out) = match movement::made(track, road, &passage, scene) {
        Ok(made) => made,
        Err(verdict) => return verdict,
    };
    if !rule.bans(track.class, movement) {
        return Verdict::Lawful(Lawful::MovementAllowed);
    }
    let excused = |ban: &Ban| scene.outside(&ban.hours, passage.at, track.last().t);
    // One sign that holds is enough.
    let excuses: Option<Vec<Verdict>> = rule.banning(track.class, movement).map(excused).collect();
    if let Some(excuses) = excuses {
        return Verdict::of_all(excuses.into_iter());
    }
    let moments = match passage.moments(track, road, scene, out) {
        Ok(moments) => moments,
        Err(doubt) => return Verdict::Abstained(doubt),
    };
    Verdict::from(Finding {
        act: rule.act(),
        at: passage.at,
        moments,
        main: MomentRole::On,
        facts: Facts::Direction(Direction {
            place: None,
            movement: Some(movement),
            heading: None,
            way: None,
        }),
        reason: format!(
            "came over the stop line and left the junction {}, which a sign bans here",
            words::side(movement)
        ),
    })
}

#[cfg(test)]
mod tests;
