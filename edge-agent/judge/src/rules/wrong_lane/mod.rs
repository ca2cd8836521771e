//! Đi không đúng làn. The vehicle comes to the stop line plainly in one drawn lane and leaves the
//! junction by a movement that the lane's arrows do not allow.
//!
//! In the vehicle's favour: only where it was in the last second before the line counts, and it
//! must have been well inside one lane all that time; who still changes or rides on a boundary was
//! in no lane plainly. A lane that leads to the left leads round too. Only a way plainly out tells
//! the movement.

use contract::facts::{self, Facts};
use contract::geometry::Point;
use contract::{Act, MomentRole, Movement};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use settings::Reader;

use super::{
    Album, Attention, CROSSING, Doubt, Finding, Kind, Lawful, Rule, Scene, Verdict, words,
};
use crate::Site;
use crate::drawn::{Area, refuse_repeated};
use crate::legs::{height, width};
use crate::movement;
use crate::passage::{self, Passage};
use crate::road::{Road, contains};
use crate::site::{Junction, MOVEMENTS};
use crate::time::{Nanos, SECOND, in_seconds};
use crate::track::Track;

/// The lane is told by this last time before the line, and by this many sightings at least.
const TOLD_BY: Nanos = SECOND;
const LEAST_SEEN: usize = 4;
/// Plainly in a lane are the places this far aside too, in widths and in heights.
const ASIDE_WIDTHS: f32 = 0.3;
const ASIDE_HEIGHTS: f32 = 0.15;

pub const SECTION: &str = "lanes";
pub const KIND: Kind = Kind {
    act: "wrong_lane",
    read: |table, junction| {
        WrongLane::read(table, junction).map(|rule| Box::new(rule) as Box<dyn Rule>)
    },
    restore: super::restored::<WrongLane>,
};

/// The lanes before the stop line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongLane {
    pub lanes: Vec<Lane>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    /// Reaches up to the stop line.
    pub area: Area,
    pub allowed: Vec<Movement>,
}

impl WrongLane {
    fn read(table: &Reader<'_>, junction: Option<&Junction>) -> Option<Self> {
        let mut lanes: Vec<Lane> = Vec::new();
        for table in table.tables(SECTION) {
            let area = Area::read(&table);
            refuse_repeated(&table, &area.name, lanes.iter().map(|it| it.area.name.as_str()));
            let allowed = table.words("allowed", &MOVEMENTS).unwrap_or_default();
            if allowed.is_empty() && !table.has("allowed") {
                table.reject(
                    "allowed",
                    "must name the movements that the lane's arrows allow, e.g. [\"straight\"]",
                );
            }
            if junction.is_none() {
                table.reject("area", "needs a stop_line, an approach and exits to be judged by");
            }
            lanes.push(Lane { area, allowed });
            table.finish();
        }
        (junction.is_some() && !lanes.is_empty()).then_some(Self { lanes })
    }
}

impl Lane {
    fn allows(&self, movement: Movement) -> bool {
        let movement_or_round = |allowed: &Movement| {
            *allowed == movement || (*allowed, movement) == (Movement::Left, Movement::UTurn)
        };
        self.allowed.iter().any(movement_or_round)
    }
}

impl Rule for WrongLane {
    fn act(&self) -> Act {
        Act::named(KIND.act)
    }

    fn settings(&self) -> Value {
        super::written(self)
    }

    /// Of the last time before the line one picture may miss it.
    fn least_fps(&self) -> f32 {
        ((LEAST_SEEN + 1) as f64 / in_seconds(TOLD_BY)) as f32
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
        let Facts::Lane(facts::Lane { lane, movement, .. }) = facts else { return Vec::new() };
        let left = self.lanes.iter().filter(|it| it.area.name == *lane);
        left.map(|lane| lane.area.outline()).chain(site.way_out(Some(*movement))).collect()
    }

    fn caption(&self, facts: &Facts) -> String {
        let Facts::Lane(facts::Lane { lane, movement, allowed }) = facts else {
            return "Đi không đúng làn đường".into();
        };
        let allowed: Vec<_> = allowed.iter().map(|movement| words::movement(*movement)).collect();
        format!(
            "Đi không đúng làn đường: {} từ làn {lane}, làn chỉ cho phép {}",
            words::movement(*movement),
            allowed.join(", ")
        )
    }
}

fn judge(rule: &WrongLane, track: &Track, road: &Road, scene: &Scene<'_>) -> Verdict {
    let Some(passage) = Passage::find(track, road) else {
        return passage::none(track, road, scene);
    };
    if !passage.from_approach(track, road) {
        return Verdict::Lawful(Lawful::NotFromApproach);
    }
    let lane = match lane(rule, track, road, scene, &passage) {
        Ok(lane) => lane,
        Err(verdict) => return verdict,
    };
    let (movement, out) = match movement::made(track, road, &passage, scene) {
        Ok(made) => made,
        Err(verdict) => return verdict,
    };
    if lane.allows(movement) {
        return Verdict::Lawful(Lawful::MovementAllowed);
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
        facts: Facts::Lane(facts::Lane {
            lane: lane.area.name.clone(),
            movement,
            allowed: lane.allowed.clone(),
        }),
        reason: format!(
            "came to the stop line in the lane {:?} and left the junction {}, which the lane does \
             not allow",
            lane.area.name,
            words::side(movement)
        ),
    })
}

/// The lane that it was in plainly before the line.
fn lane<'a>(
    rule: &'a WrongLane,
    track: &Track,
    road: &Road,
    scene: &Scene<'_>,
    passage: &Passage,
) -> Result<&'a Lane, Verdict> {
    let last: Vec<usize> =
        (0..passage.on).rev().take_while(|&i| passage.at - track.path[i].t <= TOLD_BY).collect();
    // Along the stop line is aside.
    let [[ax, ay], [bx, by]] = road.stop.ends();
    let length = libm::hypotf(bx - ax, by - ay).max(f32::EPSILON);
    let in_lane = |corners: &[Point], i: usize, share: f32| {
        let aside =
            (ASIDE_WIDTHS * width(track, i)).max(ASIDE_HEIGHTS * height(track, i)) * share / length;
        let [x, y] = track.path[i].bbox.foot();
        contains(corners, [x + aside * (bx - ax), y + aside * (by - ay)])
    };
    let mut touched = false;
    for lane in &rule.lanes {
        let corners = scene.pixels(&lane.area.corners);
        let plainly = |&i: &usize| [-1.0, 0.0, 1.0].iter().all(|s| in_lane(&corners, i, *s));
        if last.len() >= LEAST_SEEN && last.iter().all(plainly) {
            return Ok(lane);
        }
        touched |= last.iter().any(|&i| [-1.0, 0.0, 1.0].iter().any(|s| in_lane(&corners, i, *s)));
    }
    Err(match touched {
        true => Verdict::Abstained(Doubt::LaneUnclear),
        false => Verdict::Lawful(Lawful::NeverThere),
    })
}

#[cfg(test)]
mod tests;
