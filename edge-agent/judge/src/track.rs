//! A vehicle followed over time, and how far that may be believed: how clearly it was seen, when it
//! was out of sight, when it may have been taken for another. Rules abstain over these.

use std::collections::VecDeque;
use std::time::Duration;

use contract::VehicleClass;
use contract::geometry::{BBox, Point};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::time::{Nanos, SECOND};

/// History kept in full, in points and time.
const MAX_POINTS: usize = 1200;
const MAX_AGE: Nanos = 60 * SECOND;
/// Older history is kept thinned: who stands somewhere for minutes is followed by one sighting a
/// second, and what asks how a vehicle drove walks over no more than the last minute.
const THINNED: Nanos = SECOND;
pub const OLDEST: Nanos = 3600 * SECOND;
const MAX_EARLIER: usize = 3600;
/// Boxes are kept in parts of a pixel this fine: no detector is as exact, and they are written and
/// read again without a bit's change.
const GRID: f32 = 16.0;

/// Where a vehicle was seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    pub t: Nanos,
    #[serde(rename = "box")]
    pub bbox: BBox,
    /// Seen by itself, not only because it was expected there.
    pub strong: bool,
}

/// A stretch in which a vehicle was looked for and not found: hidden, blurred or missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The sighting before.
    pub from: Nanos,
    /// The sighting after; it is this vehicle's by where it was expected, not by being followed.
    pub to: Nanos,
}

impl Gap {
    pub const fn length(&self) -> Nanos {
        self.to.saturating_sub(self.from)
    }
}

/// Another vehicle about, seen once a second: enough to tell a jam from a lone stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Companion {
    pub id: u64,
    pub class: VehicleClass,
    /// Its box's height, pixels, when last seen.
    pub height: f32,
    /// When and where it touched the road, pixels.
    pub seen: Vec<(Nanos, Point)>,
    /// Its box's height each of these times, where it was noted: who comes nearer was smaller.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heights: Vec<f32>,
}

impl Companion {
    /// Its box's height at a sighting.
    pub fn height_at(&self, i: usize) -> f32 {
        self.heights.get(i).copied().unwrap_or(self.height)
    }
}

/// A look at the place of a vehicle's plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Looked {
    pub t: Nanos,
    /// Whether a plate's outline was found, and whether anything on it was read.
    pub found: bool,
    pub read: bool,
}

/// A vehicle's passage at another camera of the same agent, known by its plate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passed {
    pub camera: String,
    /// As accepted there.
    pub plate: String,
    pub class: VehicleClass,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// How exactly the time is known.
    pub known_to_ms: u32,
}

impl Passed {
    pub fn known_to(&self) -> Duration {
        Duration::from_millis(self.known_to_ms.into())
    }
}

/// How well a vehicle was followed between two moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    pub sightings: usize,
    /// Share of the sightings that were strong, 0 to 1.
    pub clarity: f32,
    /// The longest time out of sight, 0 where it was seen in every picture.
    pub longest_gap: Nanos,
    /// Moments at which it may have been taken for another vehicle.
    pub doubts: usize,
}

/// What is known of one vehicle's way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Track {
    pub id: u64,
    pub class: VehicleClass,
    /// Share of the looks at it that found this class, where they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_share: Option<f32>,
    /// Sightings older than those of the path, in time order, thinned, oldest dropped.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub earlier: VecDeque<Observation>,
    /// Sightings of the last minute in time order; never empty.
    pub path: VecDeque<Observation>,
    /// When this track may have changed vehicles, in time order.
    pub doubts: Vec<Nanos>,
    /// When it was out of sight and came back, in time order.
    pub gaps: Vec<Gap>,
}

impl Track {
    pub fn new(id: u64, class: VehicleClass, first: Observation) -> Self {
        let mut track = Self {
            id,
            class,
            class_share: None,
            earlier: VecDeque::new(),
            path: VecDeque::new(),
            doubts: Vec::new(),
            gaps: Vec::new(),
        };
        track.see(first);
        track
    }

    /// Adds a sighting, later than all before.
    pub fn see(&mut self, seen: Observation) {
        let BBox { x1, y1, x2, y2 } = seen.bbox;
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(|side| (side * GRID).round() / GRID);
        self.path.push_back(Observation { bbox: BBox::new(x1, y1, x2, y2), ..seen });
        let old = |first: &Observation| seen.t.saturating_sub(first.t) > MAX_AGE;
        while self.path.len() > MAX_POINTS || self.path.front().is_some_and(old) {
            if let Some(first) = self.path.pop_front() {
                self.thin(first);
            }
        }
    }

    /// Keeps what leaves the path, unless the last kept is about as old.
    fn thin(&mut self, seen: Observation) {
        if self.earlier.back().is_some_and(|last| seen.t < last.t + THINNED) {
            return;
        }
        self.earlier.push_back(seen);
        let old = |first: &Observation| seen.t.saturating_sub(first.t) > OLDEST;
        while self.earlier.len() > MAX_EARLIER || self.earlier.front().is_some_and(old) {
            self.earlier.pop_front();
        }
    }

    /// Every sighting that is kept, in time order: thinned first, then in full.
    pub fn whole(&self) -> impl DoubleEndedIterator<Item = &Observation> {
        self.earlier.iter().chain(&self.path)
    }

    /// The latest sighting. A track starts with one and keeps it.
    pub fn last(&self) -> &Observation {
        &self.path[self.path.len() - 1]
    }

    /// The sighting before the latest.
    pub fn previous(&self) -> Option<&Observation> {
        self.path.len().checked_sub(2).and_then(|index| self.path.get(index))
    }

    /// The first sighting of the path from `t` on, else the last.
    pub fn at(&self, t: Nanos) -> usize {
        self.path.partition_point(|seen| seen.t < t).min(self.path.len() - 1)
    }

    /// As it was known at `t`; none where it was not seen by then.
    pub fn until(mut self, t: Nanos) -> Option<Self> {
        while self.path.back().is_some_and(|seen| seen.t > t) {
            self.path.pop_back();
        }
        while self.earlier.back().is_some_and(|seen| seen.t > t) {
            self.earlier.pop_back();
        }
        if self.path.is_empty() {
            self.path.extend(self.earlier.pop_back());
        }
        (!self.path.is_empty()).then_some(self)
    }

    /// How well it was followed between two moments, both included.
    pub fn quality(&self, from: Nanos, to: Nanos) -> Quality {
        let (mut sightings, mut strong) = (0usize, 0usize);
        for seen in self.path.iter().filter(|seen| (from..=to).contains(&seen.t)) {
            sightings += 1;
            strong += usize::from(seen.strong);
        }
        let touching = self.gaps.iter().filter(|gap| gap.to > from && gap.from < to);
        Quality {
            sightings,
            clarity: strong as f32 / sightings.max(1) as f32,
            longest_gap: touching.map(Gap::length).max().unwrap_or(0),
            doubts: self.doubts.iter().filter(|t| (from..=to).contains(*t)).count(),
        }
    }

    /// How long it has been out of sight.
    pub fn unseen(&self, now: Nanos) -> Nanos {
        now.saturating_sub(self.last().t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen in every picture for `minutes`.
    fn track(minutes: u64, fps: u64) -> Track {
        let seen = |i: u64| Observation {
            t: i * SECOND / fps,
            bbox: BBox::new(0.0, 0.0, 10.0, i as f32 % 7.0),
            strong: true,
        };
        let mut track = Track::new(1, VehicleClass::Car, seen(0));
        (1..minutes * 60 * fps).for_each(|i| track.see(seen(i)));
        track
    }

    #[test]
    fn the_last_minute_is_kept_in_full_and_the_hour_before_by_the_second() {
        for (fps, full) in [(5, 301), (10, 601), (25, 1200)] {
            let track = track(90, fps);
            assert_eq!(track.path.len(), full);
            assert!(track.earlier.len() <= MAX_EARLIER && track.earlier.len() > 3500);
            let times: Vec<Nanos> = track.whole().map(|seen| seen.t).collect();
            assert!(times.is_sorted_by(|a, b| a < b && b - a <= 2 * SECOND));
            let earlier: Vec<_> = track.earlier.iter().collect();
            assert!(earlier.windows(2).all(|pair| pair[1].t - pair[0].t >= SECOND));
        }
        assert!(track(1, 10).earlier.is_empty());
    }

    #[test]
    fn a_track_known_until_long_ago_ends_there() {
        let track = track(10, 10);
        let until = track.clone().until(100 * SECOND).unwrap();
        assert!(until.last().t <= 100 * SECOND && until.last().t >= 98 * SECOND);
        assert_eq!(until.path.len(), 1);
        let json = serde_json::to_string(&track).unwrap();
        assert_eq!(serde_json::from_str::<Track>(&json).unwrap(), track);
    }
}
