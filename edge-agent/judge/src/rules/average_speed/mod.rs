//! Chạy quá tốc độ on the average, from one camera to another of the same agent. Both draw a line
//! across the road at which passages are timed; the further one says from where, how long the
//! shortest way is and what is allowed on it ([`way`]).
//!
//! The law knows no act of its own for it; the excess is what it is at one place. Nothing is said
//! before the vehicle is gone: by then its plate, by which the two passages are one vehicle's, is as
//! well known as it will be.

mod way;

use std::time::Duration;

use contract::geometry::{BBox, Point};
use contract::{Act, Facts, MomentRole};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use settings::{Reader, shapes};

use self::way::Way;
use super::speed;
use super::{
    Album, Attention, CROSSING, Doubt, Finding, Kind, Lawful, Rule, Scene, Verdict, words,
};
use crate::Site;
use crate::followed::{self, MAX_GAP};
use crate::road::Line;
use crate::time::{Nanos, SECOND};
use crate::track::{Passed, Track};

/// So near the line, in heights of its own box, its plate is read.
const NEAR: f32 = 6.0;
/// About the moment at the line, in which it must be seen plainly.
const ABOUT: Nanos = SECOND / 2;
/// What a clock that is known may be wrong by on top of what is known of it: how far the camera's
/// shutter lies from the time that it tells.
const SHUTTER: Duration = Duration::from_millis(100);

pub const SECTION: &str = "average_speed";

/// The act of the law that it is.
pub const CHARGED_AS: &str = speed::KIND.act;

pub const KIND: Kind = Kind {
    act: "average_speed",
    read: |table, _| AverageSpeed::read(table).map(|rule| Box::new(rule) as Box<dyn Rule>),
    restore: super::restored::<AverageSpeed>,
};

/// A line at which passages are timed, and the way that ends there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AverageSpeed {
    line: [Point; 2],
    /// None where ways only begin.
    way: Option<Way>,
}

impl AverageSpeed {
    fn read(table: &Reader<'_>) -> Option<Self> {
        let section = table.section(SECTION)?;
        if table.has(speed::SECTION) {
            section.reject("line", "is drawn beside [speed]: a camera measures speed in one way");
        }
        let line = shapes::line(&section, "line");
        // Whose table it is: the way's other end.
        let here = table.opt_text("id").unwrap_or_default();
        let way = ["from", "metres", "limit"].iter().any(|key| section.has(key));
        let way = way.then(|| Way::read(&section, here));
        section.finish();
        Some(Self { line, way })
    }

    /// When it crossed the line, between two sightings, and how exactly that is known.
    fn crossing(&self, track: &Track, scene: &Scene<'_>) -> Option<(Nanos, Nanos)> {
        let foot = |i: usize| track.path[i].bbox.foot();
        let line = Line::new(self.line.map(|end| scene.pixel(end)), foot(0));
        (1..track.path.len()).find_map(|on| {
            let share = line.crossing(foot(on - 1), foot(on))?;
            let (from, to) = (track.path[on - 1].t, track.path[on].t);
            Some((from + ((to - from) as f64 * f64::from(share)) as Nanos, to - from))
        })
    }

    /// Whether it is so near the line that its plate is read.
    fn reads(&self, bbox: &BBox, scene: &Scene<'_>) -> bool {
        let foot = bbox.foot();
        let line = Line::new(self.line.map(|end| scene.pixel(end)), foot);
        line.distance(foot) < NEAR * bbox.height()
    }

    /// Why it is not certain that who crossed the line has the plate that was read.
    fn doubt(
        &self,
        track: &Track,
        scene: &Scene<'_>,
        (at, between): (Nanos, Nanos),
    ) -> Option<Doubt> {
        if between > MAX_GAP {
            return Some(Doubt::LostAtLine);
        }
        // What becomes of it far beyond the line changes nothing.
        let read = track.path.iter().rev().find(|seen| self.reads(&seen.bbox, scene));
        let read = read.map_or(at, |seen| seen.t) + SECOND;
        if track.doubts.iter().any(|doubt| *doubt <= read) {
            return Some(Doubt::IdentityUncertain);
        }
        followed::doubt(track, at.saturating_sub(ABOUT), at + ABOUT, Doubt::LostAtLine)
    }
}

impl Rule for AverageSpeed {
    fn act(&self) -> Act {
        Act::named(KIND.act)
    }

    fn accuses(&self, act: &Act) -> bool {
        act.name() == CHARGED_AS
    }

    fn settings(&self) -> Value {
        super::written(self)
    }

    fn longest(&self) -> Nanos {
        CROSSING
    }

    fn reads_plates(&self) -> bool {
        true
    }

    fn begins_at(&self) -> Option<(&str, Duration)> {
        self.way.as_ref().map(|way| (way.from(), way.longest()))
    }

    fn begun<'a>(&self, scene: &Scene<'a>) -> Option<&'a Passed> {
        let (way, plate) = (self.way.as_ref()?, scene.elsewhere.plate?);
        let there = scene.elsewhere.passed.iter().filter(|passed| way.begins(passed, plate));
        there.max_by_key(|passed| passed.at)
    }

    fn timed(&self, track: &Track, scene: &Scene<'_>) -> Option<(Nanos, Duration)> {
        let (at, between) = self.crossing(track, scene)?;
        let certain = self.doubt(track, scene, (at, between)).is_none();
        certain.then(|| (at, SHUTTER + Duration::from_nanos(between)))
    }

    fn attend(&self, track: &Track, scene: &Scene<'_>, album: &mut Album) -> Attention {
        if !album.holds(MomentRole::End)
            && let Some(before) = track.previous()
        {
            let foot = before.bbox.foot();
            let line = Line::new(self.line.map(|end| scene.pixel(end)), foot);
            if line.crossing(foot, track.last().bbox.foot()).is_some() {
                album.keep(MomentRole::End, scene.now);
            }
        }
        if self.reads(&track.last().bbox, scene) { Attention::Suspect } else { Attention::Idle }
    }

    fn judge(&self, track: &Track, scene: &Scene<'_>) -> Verdict {
        if !scene.ended {
            return Verdict::Pending;
        }
        let Some((at, between)) = self.crossing(track, scene) else {
            return Verdict::Lawful(Lawful::NeverThere);
        };
        let Some(way) = &self.way else {
            // Told for whoever looks why a passage was not timed.
            let doubt = self.doubt(track, scene, (at, between));
            return doubt.map_or(Verdict::Lawful(Lawful::NothingEndsHere), Verdict::Abstained);
        };
        if scene.elsewhere.plate.is_none() {
            return Verdict::Abstained(Doubt::PlateUnread);
        }
        let Some(begun) = self.begun(scene) else { return Verdict::Lawful(Lawful::NotFromThere) };
        if let Some(doubt) = self.doubt(track, scene, (at, between)) {
            return Verdict::Abstained(doubt);
        }
        let Some(captured) = scene.captured(at) else {
            return Verdict::Abstained(Doubt::ClockUnknown);
        };
        let known_to = scene.elsewhere.known_to + SHUTTER + Duration::from_nanos(between);
        match way.judge(begun, track.class, captured, known_to) {
            Err(verdict) => verdict,
            Ok((facts, reason)) => Verdict::from(Finding {
                act: Act::named(CHARGED_AS),
                at,
                moments: vec![(MomentRole::End, at)],
                main: MomentRole::End,
                facts: Facts::AverageSpeed(facts),
                reason,
            }),
        }
    }

    fn marks(&self, _: &Site, _: &Facts) -> Vec<Vec<Point>> {
        vec![self.line.to_vec()]
    }

    fn caption(&self, facts: &Facts) -> String {
        let Facts::AverageSpeed(it) = facts else {
            return "Chạy quá tốc độ quy định".into();
        };
        let limit = words::decimal(it.speed.limit.unwrap_or(0.0), 0);
        let uncertainty = words::decimal(it.speed.uncertainty.unwrap_or(0.0), 1);
        format!(
            "Chạy quá tốc độ quy định: trung bình {} ± {uncertainty} km/h, giới hạn {limit} km/h, từ \
             camera {} đến camera {}, {} m trong {} s",
            words::decimal(it.speed.value, 1),
            it.from_camera,
            it.to_camera,
            words::decimal(it.distance.value, 0),
            words::decimal(it.took.value, 2),
        )
    }
}

#[cfg(test)]
mod tests;
