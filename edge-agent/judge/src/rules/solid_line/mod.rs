//! Đi qua vạch liền, chuyển làn qua vạch liền. The contact point comes plainly from one side of a
//! drawn solid line, between its ends, to the other and stays there. Between directions it is one act
//! of the law, in a change of lanes another; the drawing says which line is which.
//!
//! In the vehicle's favour: who only touches the line, comes back, passes by its ends or rides on
//! it is not plainly over; a box that grows or shrinks as others cover it moves with one edge only,
//! both must have crossed; who goes round something that stands in its way is not accused, nor who
//! crosses a line between lanes so steeply that it changed no lane.

use contract::facts::{Facts, Line, LineKind, Measured, Unit};
use contract::geometry::Point;
use contract::{Act, MomentRole};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use settings::Reader;

use super::{
    Album, Attention, CROSSING, Doubt, Finding, Kind, Lawful, Rule, Scene, Verdict, words,
};
use crate::Site;
use crate::drawn::{polyline, refuse_repeated};
use crate::followed::fps_within;
use crate::time::{Nanos, SECOND};
use crate::track::Track;

mod trail;

use trail::View;

pub const SECTION: &str = "solid_line";
pub const SOLID_LINE: Kind = Kind {
    act: "solid_line",
    read: |table, _| read(table, Between::Directions),
    restore: super::restored::<SolidLine>,
};
pub const LANE_CHANGE: Kind = Kind {
    act: "lane_change",
    read: |table, _| read(table, Between::Lanes),
    restore: SOLID_LINE.restore,
};
/// A graver act of its own.
pub const EXPRESSWAY_LANE_CHANGE: Kind = Kind {
    act: "expressway_lane_change",
    read: |table, _| read(table, Between::ExpresswayLanes),
    restore: SOLID_LINE.restore,
};

const BETWEEN: [(&str, Between); 3] = [
    ("directions", Between::Directions),
    ("lanes", Between::Lanes),
    ("expressway_lanes", Between::ExpresswayLanes),
];
const FROM: [(&str, From); 3] =
    [("both", From::Both), ("left", From::Left), ("right", From::Right)];

/// The solid lines of one act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolidLine {
    pub between: Between,
    pub lines: Vec<Solid>,
}

/// What a line parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Between {
    Directions,
    Lanes,
    ExpresswayLanes,
}

/// From which side, along the line as drawn, it may not be crossed: a dashed line beside it (1.4,
/// 2.4) frees the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    Both,
    Left,
    Right,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Solid {
    pub name: String,
    pub line: Vec<Point>,
    pub from: From,
    /// How far over it a vehicle must come, in its own heights.
    pub depth: f32,
    /// How long it must stay there, seconds.
    pub seconds: f32,
}

/// The lines that part what is `wanted`; none where none does.
fn read(table: &Reader<'_>, wanted: Between) -> Option<Box<dyn Rule>> {
    let mut names: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    for table in table.tables(SECTION) {
        let name = table.text("name", "1");
        refuse_repeated(&table, &name, names.iter().map(String::as_str));
        names.push(name.clone());
        let between = table.text("between", "directions");
        let between = Some(between).filter(|word| !word.is_empty());
        let between = between.and_then(|word| table.word("between", &word, &BETWEEN));
        let solid = Solid {
            name,
            line: polyline(&table, "line"),
            from: table.choice("from", From::Both, &FROM),
            depth: table.number("depth", 0.3, (0.1, 2.0), "vehicle heights") as f32,
            seconds: table.number("seconds", 1.0, (0.5, 10.0), "seconds") as f32,
        };
        if between == Some(wanted) {
            lines.push(solid);
        }
        table.finish();
    }
    let rule = SolidLine { between: wanted, lines };
    (!rule.lines.is_empty()).then(|| Box::new(rule) as Box<dyn Rule>)
}

impl Rule for SolidLine {
    fn act(&self) -> Act {
        Act::named(match self.between {
            Between::Directions => SOLID_LINE.act,
            Between::Lanes => LANE_CHANGE.act,
            Between::ExpresswayLanes => EXPRESSWAY_LANE_CHANGE.act,
        })
    }

    fn settings(&self) -> Value {
        super::written(self)
    }

    /// Whoever stands in the way is gone round.
    fn company(&self) -> Nanos {
        60 * SECOND
    }

    /// What it did at the line must be seen, from one picture to the next but one.
    fn least_fps(&self) -> f32 {
        fps_within(trail::AT_LINE)
    }

    fn longest(&self) -> Nanos {
        CROSSING
    }

    fn attend(&self, track: &Track, scene: &Scene<'_>, album: &mut Album) -> Attention {
        let views = self.lines.iter().map(|solid| View::new(solid, track, scene));
        let nearest = views.min_by(|a, b| a.distance().total_cmp(&b.distance()));
        nearest.map_or(Attention::Idle, |view| view.attend(album))
    }

    fn judge(&self, track: &Track, scene: &Scene<'_>) -> Verdict {
        if self.between == Between::ExpresswayLanes && track.class.is_two_wheeled() {
            return Verdict::Lawful(Lawful::ClassAllowed);
        }
        let verdict = |solid| self.verdict(&View::new(solid, track, scene));
        Verdict::of_all(self.lines.iter().map(verdict))
    }

    fn marks(&self, _: &Site, facts: &Facts) -> Vec<Vec<Point>> {
        let broken = self.lines.iter().filter(|solid| facts.place() == Some(&solid.name));
        broken.map(|solid| solid.line.clone()).collect()
    }

    fn caption(&self, facts: &Facts) -> String {
        let act = match self.between {
            Between::Directions => "Đi qua vạch liền",
            Between::Lanes => "Chuyển làn qua vạch liền",
            Between::ExpresswayLanes => "Chuyển làn qua vạch liền trên đường cao tốc",
        };
        match facts {
            Facts::Line(Line { over: Some(over), .. }) => {
                format!("{act}, sang bên kia {} lần chiều cao xe", words::decimal(over.value, 1))
            }
            _ => act.into(),
        }
    }
}

impl SolidLine {
    fn verdict(&self, view: &View<'_>) -> Verdict {
        let View { solid, track, scene, .. } = *view;
        let trail = view.trail();
        let (Some(before), Some(on), Some(past)) = (trail.before, trail.on, trail.past) else {
            let reason = if trail.beside { Lawful::NotOver } else { Lawful::NeverThere };
            return scene.at_the_end(reason);
        };
        if !trail.stayed {
            // Lost from sight before it was seen to stay there.
            let lost = Verdict::Abstained(Doubt::LostFromSight);
            return if scene.ended { lost } else { Verdict::Pending };
        }
        let free = match solid.from {
            From::Both => false,
            From::Left => trail.from_right,
            From::Right => !trail.from_right,
        };
        if free {
            return Verdict::Lawful(Lawful::MovementAllowed);
        }
        if let Some(doubt) = view.doubt(&trail, self.between) {
            return Verdict::Abstained(doubt);
        }
        let over = words::measured(trail.deepest, 2);
        let time = |i: usize| track.path[i].t;
        Verdict::from(Finding {
            act: self.act(),
            at: time(on),
            moments: vec![
                (MomentRole::Before, time(before)),
                (MomentRole::On, time(on)),
                (MomentRole::Past, time(past)),
            ],
            main: MomentRole::On,
            facts: Facts::Line(Line {
                line: LineKind::Solid,
                place: Some(solid.name.clone()),
                lit: None,
                over: Some(
                    Measured::new(over, Unit::VehicleHeights)
                        .against(words::written(solid.depth))
                        .known_to(words::written(trail::KNOWN)),
                ),
                stood: None,
            }),
            reason: format!(
                "came from the {} of the solid line {:?}, as it is drawn, {over:.2} of its own \
                 heights over it and stayed there",
                if trail.from_right { "right" } else { "left" },
                solid.name
            ),
        })
    }
}

#[cfg(test)]
mod tests;
