//! Chạy ở làn dừng xe khẩn cấp. The vehicle travels on in the drawn lane, well inside it, for several
//! seconds and several of its own heights.
//!
//! In the vehicle's favour: who crosses the lane or only rides its edge is not long inside; who
//! stops in it, sets off in it or slows as if to stop has the need that the lane is for. A
//! motorbike there has done another act. Nobody is judged before it has left the lane again, is
//! gone, or has come three times as far as would do.

use contract::facts::{Facts, Measured, Unit, Zone};
use contract::geometry::Point;
use contract::{Act, MomentRole};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use settings::Reader;

use super::{
    Album, Attention, CROSSING, Doubt, Finding, Kind, Lawful, Rule, Scene, Verdict, words,
};
use crate::Site;
use crate::drawn::{Area, refuse_repeated};
use crate::followed;
use crate::legs::{self, Enough, Leg, Run};
use crate::passage::stood;
use crate::time::{Nanos, SECOND, in_seconds, seconds};
use crate::track::Track;
use crate::within::Within;

/// Slower than this, in heights a second, it is about to stop or has just set off.
const SLOW: f32 = 0.8;
/// Who comes down to this share of its earlier pace may be about to stop.
const SLOWING: f32 = 0.5;
/// So many times the way that is enough, and it is not looking for a place to stop.
const PLAIN: f32 = 3.0;

pub const SECTION: &str = "emergency_lane";
pub const KIND: Kind = Kind {
    act: "expressway_emergency_lane",
    read: |table, _| EmergencyLane::read(table).map(|rule| Box::new(rule) as Box<dyn Rule>),
    restore: super::restored::<EmergencyLane>,
};

/// The emergency lanes that a camera sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmergencyLane {
    pub lanes: Vec<Lane>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    pub area: Area,
    /// How long a vehicle must travel in it, seconds, and how far, in its own heights.
    pub seconds: f32,
    pub way: f32,
}

impl EmergencyLane {
    fn read(table: &Reader<'_>) -> Option<Self> {
        let mut lanes: Vec<Lane> = Vec::new();
        for table in table.tables(SECTION) {
            let area = Area::read(&table);
            refuse_repeated(&table, &area.name, lanes.iter().map(|it| it.area.name.as_str()));
            lanes.push(Lane {
                area,
                seconds: table.number("seconds", 2.0, (1.0, 20.0), "seconds") as f32,
                way: table.number("way", 4.0, (2.0, 50.0), "vehicle heights") as f32,
            });
            table.finish();
        }
        (!lanes.is_empty()).then_some(Self { lanes })
    }
}

impl Rule for EmergencyLane {
    fn act(&self) -> Act {
        Act::named(KIND.act)
    }

    fn settings(&self) -> Value {
        super::written(self)
    }

    fn longest(&self) -> Nanos {
        CROSSING
    }

    fn attend(&self, track: &Track, scene: &Scene<'_>, album: &mut Album) -> Attention {
        let way = legs::legs(track);
        let views = self.lanes.iter().map(|lane| View::new(lane, track, scene));
        let Some(view) = views.into_iter().find(|view| view.within.plainly(legs::place(&way)))
        else {
            if !album.closed {
                album.clear();
            }
            return Attention::Idle;
        };
        let enough = view.lane.enough();
        enough.attend(track, &way, |leg| view.along(leg), |i| view.within.plainly(i), album)
    }

    fn judge(&self, track: &Track, scene: &Scene<'_>) -> Verdict {
        if track.class.is_two_wheeled() {
            return Verdict::Lawful(Lawful::ClassAllowed);
        }
        let way = legs::legs(track);
        Verdict::of_all(self.lanes.iter().map(|lane| View::new(lane, track, scene).judge(&way)))
    }

    fn marks(&self, _: &Site, facts: &Facts) -> Vec<Vec<Point>> {
        let Facts::Zone(Zone { zone, .. }) = facts else { return Vec::new() };
        let broken = self.lanes.iter().filter(|lane| lane.area.name == *zone);
        broken.map(|lane| lane.area.outline()).collect()
    }

    fn caption(&self, facts: &Facts) -> String {
        match facts {
            Facts::Zone(Zone { dwell, .. }) => {
                format!("Chạy ở làn dừng xe khẩn cấp {} s", words::decimal(dwell.value, 1))
            }
            _ => "Chạy ở làn dừng xe khẩn cấp".into(),
        }
    }
}

impl Lane {
    const fn enough(&self) -> Enough {
        Enough { way: self.way, time: seconds(self.seconds) }
    }
}

/// One lane and one track in one picture's pixels.
struct View<'a> {
    lane: &'a Lane,
    track: &'a Track,
    scene: &'a Scene<'a>,
    within: Within<'a>,
}

impl<'a> View<'a> {
    fn new(lane: &'a Lane, track: &'a Track, scene: &'a Scene<'a>) -> Self {
        Self { lane, track, scene, within: Within::new(&lane.area, track, scene) }
    }

    fn along(&self, leg: &Leg) -> bool {
        (leg.from..=leg.to).all(|i| self.within.plainly(i))
    }

    fn judge(&self, way: &[Leg]) -> Verdict {
        let Self { lane, track, scene, .. } = self;
        let last = track.path.len() - 1;
        let stopped = |i: usize| self.within.touches(i) && stood(track, i, SECOND, 0.1);
        // Once stopped there it is never accused; and only what is new needs to be looked at, until
        // the end.
        if if scene.ended { (0..=last).any(stopped) } else { stopped(last) } {
            return Verdict::Lawful(Lawful::StoppedThere);
        }
        let runs = Run::all(way, |leg| self.along(leg));
        let Some((run, (enough, moments))) =
            runs.iter().find_map(|run| Some((run, lane.enough().of(run)?)))
        else {
            let reason = if runs.is_empty() { Lawful::NeverThere } else { Lawful::Brief };
            return scene.at_the_end(reason);
        };
        let left = run.end() < legs::place(way) && !self.within.touches(last);
        if !scene.ended && !left && run.way() < PLAIN * lane.way {
            return Verdict::Pending;
        }
        if (0..=last).any(stopped) {
            return Verdict::Lawful(Lawful::StoppedThere);
        }
        if let Some(doubt) = self.doubt(way, run) {
            return Verdict::Abstained(doubt);
        }
        let time = |i: usize| track.path[i].t;
        let dwell = in_seconds((time(run.end()) - time(run.begin())) / 100_000_000 * 100_000_000);
        Verdict::from(Finding {
            act: Act::named(KIND.act),
            at: time(enough.end()),
            moments: moments.map(|(role, i)| (role, time(i))).to_vec(),
            main: MomentRole::End,
            facts: Facts::Zone(Zone {
                zone: lane.area.name.clone(),
                classes: Vec::new(),
                dwell: Measured::new(dwell, Unit::Seconds).against(words::written(lane.seconds)),
            }),
            reason: format!(
                "travelled {dwell:.1} s and {:.1} of its own heights in the emergency lane {:?} \
                 without stopping",
                run.way(),
                lane.area.name
            ),
        })
    }

    fn doubt(&self, way: &[Leg], run: &Run<'_>) -> Option<Doubt> {
        let track = self.track;
        let (from, until) = (track.path[run.begin()].t, track.path[run.end()].t);
        if run.jumps() || !run.moved_as_a_whole(track) {
            return Some(Doubt::IdentityUncertain);
        }
        if let Some(doubt) = followed::doubt(track, from, until, Doubt::LostFromSight) {
            return Some(doubt);
        }
        if !followed::closely(track, run.begin(), run.end()) {
            return Some(Doubt::LostFromSight);
        }
        if followed::covered(track, self.scene, run.begin(), run.end()) {
            return Some(Doubt::PoorlySeen);
        }
        // First seen in it, it may have stood there before.
        if self.within.came_in(run.begin()).is_none() {
            return Some(Doubt::EntryUnclear);
        }
        // Far away it is small, and as much slower in its own heights: told as where it was nearest.
        let tall = |leg: &Leg| legs::height(track, leg.to);
        let tallest = run.legs().iter().map(tall).fold(0.0, f32::max);
        let near = |leg: &Leg| leg.pace() * tallest / tall(leg);
        let paces: Vec<f32> = run.legs().iter().map(near).collect();
        // What it did since its last leg, if it is still there, was no leg.
        let rest = in_seconds(track.last().t - until) as f32;
        let slow = SLOW * legs::height(track, run.end()) / tallest;
        let rests = run.end() == legs::place(way) && legs::LEG < slow * rest;
        if rests || paces.iter().any(|pace| *pace < SLOW) {
            return Some(Doubt::TooSlow);
        }
        let third = paces.len().div_ceil(3);
        let mean = |some: &[f32]| some.iter().sum::<f32>() / some.len().max(1) as f32;
        let (first, last) = (mean(&paces[..third]), mean(&paces[paces.len() - third..]));
        // Lost in it, it may have stopped there.
        let lost = run.end() == legs::place(way) && !self.within.at_edge(track.path.len() - 1);
        let stops = lost && run.way() < PLAIN * self.lane.way || last < SLOWING * first;
        stops.then_some(Doubt::MayBeStopping)
    }
}

#[cfg(test)]
mod tests;
