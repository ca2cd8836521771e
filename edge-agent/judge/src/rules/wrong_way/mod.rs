//! Đi ngược chiều. The vehicle comes into a drawn one-way stretch against its direction and travels
//! on so, leg by leg, for several of its own heights.
//!
//! In the vehicle's favour: who backs a little, wobbles, crosses the stretch or goes round something
//! is not far or not straight enough against it. Nobody is accused who was first seen inside, turned
//! or set off there, is so slow that a rider may be pushing on foot or a driver backing, whose box
//! jumps, or who may have been exchanged with another.

use contract::facts::{Direction, Facts, Measured, Unit};
use contract::geometry::Point;
use contract::{Act, MomentRole};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use settings::{Reader, shapes};

use super::{
    Album, Attention, CROSSING, Doubt, Finding, Kind, Lawful, Rule, Scene, Verdict, words,
};
use crate::Site;
use crate::drawn::{Area, refuse_repeated};
use crate::followed;
use crate::hours::Hours;
use crate::legs::{self, Enough, Leg, Run, degrees};
use crate::time::{Nanos, in_seconds};
use crate::track::Track;
use crate::within::Within;

/// Degrees off the prescribed direction of every leg, and of the way as a whole.
const EACH: f32 = 110.0;
const WHOLE: f64 = 135.0;
/// Up to here a leg goes with the traffic.
const WITH: f32 = 60.0;
/// How exactly a heading over several heights is known, degrees: boxes tremble.
const HEADING_KNOWN: f64 = 5.0;

pub const SECTION: &str = "one_way";
pub const KIND: Kind = Kind {
    act: "wrong_way",
    read: |table, _| WrongWay::read(table, false),
    restore: super::restored::<WrongWay>,
};
/// A graver act of its own.
pub const EXPRESSWAY: Kind = Kind {
    act: "expressway_wrong_way",
    read: |table, _| WrongWay::read(table, true),
    restore: KIND.restore,
};

/// The one-way stretches that a camera sees, of roads or of expressways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongWay {
    pub expressway: bool,
    pub stretches: Vec<OneWay>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneWay {
    pub area: Area,
    /// From the first point to the second is how traffic goes.
    pub direction: [Point; 2],
    /// How far a vehicle must travel against it, in its own heights.
    pub way: f32,
    /// Slower than this, in heights a second, it may be pushed on foot.
    pub walking: f32,
    /// When it is one-way.
    #[serde(default, skip_serializing_if = "Hours::always")]
    pub hours: Hours,
}

impl WrongWay {
    fn read(table: &Reader<'_>, expressway: bool) -> Option<Box<dyn Rule>> {
        let mut all: Vec<(bool, OneWay)> = Vec::new();
        for table in table.tables(SECTION) {
            let area = Area::read(&table);
            refuse_repeated(&table, &area.name, all.iter().map(|(_, it)| it.area.name.as_str()));
            let stretch = OneWay {
                area,
                direction: shapes::line(&table, "direction"),
                way: table.number("way", 3.0, (2.0, 20.0), "vehicle heights") as f32,
                walking: table.number("walking_pace", 1.2, (0.5, 5.0), "vehicle heights a second")
                    as f32,
                hours: Hours::read(&table),
            };
            all.push((table.boolean("expressway", false), stretch));
            table.finish();
        }
        let wanted = all.into_iter().filter(|(of, _)| *of == expressway);
        let stretches: Vec<OneWay> = wanted.map(|(_, stretch)| stretch).collect();
        (!stretches.is_empty()).then(|| Box::new(Self { expressway, stretches }) as Box<dyn Rule>)
    }
}

impl Rule for WrongWay {
    fn act(&self) -> Act {
        Act::named(if self.expressway { EXPRESSWAY.act } else { KIND.act })
    }

    fn settings(&self) -> Value {
        super::written(self)
    }

    fn longest(&self) -> Nanos {
        CROSSING
    }

    fn attend(&self, track: &Track, scene: &Scene<'_>, album: &mut Album) -> Attention {
        let way = legs::legs(track);
        let views = self.stretches.iter().map(|stretch| View::new(stretch, track, scene));
        let Some(view) = views.into_iter().find(|view| view.within.plainly(legs::place(&way)))
        else {
            if !album.closed {
                album.clear();
            }
            return Attention::Idle;
        };
        let enough = view.stretch.enough();
        enough.attend(track, &way, |leg| view.against(leg), |i| view.within.plainly(i), album)
    }

    fn judge(&self, track: &Track, scene: &Scene<'_>) -> Verdict {
        if self.expressway && track.class.is_two_wheeled() {
            return Verdict::Lawful(Lawful::ClassAllowed);
        }
        let way = legs::legs(track);
        let each =
            self.stretches.iter().map(|it| View::new(it, track, scene).judge(self.act(), &way));
        Verdict::of_all(each)
    }

    fn marks(&self, _: &Site, facts: &Facts) -> Vec<Vec<Point>> {
        self.stretches
            .iter()
            .filter(|stretch| facts.place() == Some(&stretch.area.name))
            .flat_map(|stretch| [stretch.area.outline(), stretch.direction.to_vec()])
            .collect()
    }

    fn caption(&self, facts: &Facts) -> String {
        let place = if self.expressway { " trên đường cao tốc" } else { "" };
        match facts {
            Facts::Direction(Direction { heading: Some(heading), .. }) => format!(
                "Đi ngược chiều{place}, hướng đi lệch {}° so với chiều quy định",
                words::decimal(heading.value, 0)
            ),
            _ => format!("Đi ngược chiều{place}"),
        }
    }
}

impl OneWay {
    const fn enough(&self) -> Enough {
        Enough { way: self.way, time: 0 }
    }
}

/// One stretch and one track in one picture's pixels.
struct View<'a> {
    stretch: &'a OneWay,
    track: &'a Track,
    scene: &'a Scene<'a>,
    within: Within<'a>,
    prescribed: Point,
}

impl<'a> View<'a> {
    fn new(stretch: &'a OneWay, track: &'a Track, scene: &'a Scene<'a>) -> Self {
        let [[ax, ay], [bx, by]] = stretch.direction.map(|point| scene.pixel(point));
        let within = Within::new(&stretch.area, track, scene);
        Self { stretch, track, scene, within, prescribed: [bx - ax, by - ay] }
    }

    fn against(&self, leg: &Leg) -> bool {
        self.within.plainly(leg.from)
            && self.within.plainly(leg.to)
            && degrees(leg.heading, self.prescribed) >= EACH
    }

    fn judge(&self, act: Act, way: &[Leg]) -> Verdict {
        let Self { stretch, track, scene, .. } = self;
        let runs = Run::all(way, |leg| self.against(leg));
        let Some((run, moments)) = runs.iter().find_map(|run| stretch.enough().of(run)) else {
            let there = way.iter().any(|leg| self.within.plainly(leg.to)) || self.within.plainly(0);
            return scene.at_the_end(match (there, runs.is_empty()) {
                (false, _) => Lawful::NeverThere,
                (true, true) => Lawful::NotAgainst,
                (true, false) => Lawful::Brief,
            });
        };
        let [begin, .., end] = moments.map(|(_, i)| i);
        let foot = |i: usize| track.path[i].bbox.foot();
        let ([ax, ay], [bx, by]) = (foot(begin), foot(end));
        let heading = f64::from(degrees([bx - ax, by - ay], self.prescribed));
        let heading =
            Measured::new(heading.round(), Unit::Degrees).against(WHOLE).known_to(HEADING_KNOWN);
        if heading.excess().is_none() {
            return Verdict::Lawful(Lawful::NotAgainst);
        }
        if let Some(excuse) = scene.outside(&stretch.hours, track.path[begin].t, track.path[end].t)
        {
            return excuse;
        }
        if let Some(doubt) = self.doubt(way, &run) {
            return Verdict::Abstained(doubt);
        }
        let far = words::measured(run.way(), 1);
        let time = |i: usize| track.path[i].t;
        Verdict::from(Finding {
            act,
            at: time(end),
            moments: moments.map(|(role, i)| (role, time(i))).to_vec(),
            main: MomentRole::End,
            facts: Facts::Direction(Direction {
                place: Some(stretch.area.name.clone()),
                movement: None,
                heading: Some(heading),
                way: Some(
                    Measured::new(far, Unit::VehicleHeights).against(words::written(stretch.way)),
                ),
            }),
            reason: format!(
                "came into the one-way stretch {:?} and travelled {far:.1} of its own heights \
                 {:.0} degrees off the prescribed direction",
                stretch.area.name, heading.value
            ),
        })
    }

    fn doubt(&self, way: &[Leg], run: &Run<'_>) -> Option<Doubt> {
        let Self { stretch, track, .. } = self;
        let end = run.end();
        let came_in = self.within.came_in(run.begin());
        let since = came_in.unwrap_or(0);
        let (from, until) = (track.path[since].t, track.path[end].t);
        if let Some(doubt) = followed::doubt(track, from, until, Doubt::LostFromSight) {
            return Some(doubt);
        }
        if !followed::closely(track, since, end) {
            return Some(Doubt::LostFromSight);
        }
        if run.jumps() || !run.moved_as_a_whole(track) {
            return Some(Doubt::IdentityUncertain);
        }
        let inside = || way.iter().filter(|leg| leg.from > since && leg.to <= end);
        if followed::covered(track, self.scene, since, end) {
            return Some(Doubt::PoorlySeen);
        }
        if came_in.is_none() || inside().any(|leg| degrees(leg.heading, self.prescribed) <= WITH) {
            return Some(Doubt::EntryUnclear);
        }
        // A leg of its own may be slow: it gives way to somebody. Standing is another thing.
        let crept = inside().any(|leg| leg.pace() < stretch.walking / 2.0);
        let pace = run.way() / in_seconds(run.took().max(1)) as f32;
        (crept || pace < stretch.walking).then_some(Doubt::TooSlow)
    }
}

#[cfg(test)]
mod tests;
