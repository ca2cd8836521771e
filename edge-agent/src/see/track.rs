//! A vehicle followed over time, and how far that may be believed: how clearly it was seen, when it
//! was out of sight, when it may have been taken for another. Rules abstain over these.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use contract::VehicleClass;
use plate_model::BBox;

use super::appearance::Appearance;
use super::motion::Motion;
use super::{Nanos, SECOND};

/// One vehicle in one frame, as the detector sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    pub bbox: BBox,
    pub class: VehicleClass,
    pub score: f32,
    /// What it looks like, where enough of it is seen.
    pub appearance: Option<Appearance>,
}

/// History kept, in points and time.
const MAX_POINTS: usize = 1200;
const MAX_AGE: Nanos = 60 * SECOND;
/// How long a look is remembered: light changes, and so do boxes; a moment's mistake must not be learnt.
const MEMORY: Nanos = 2 * SECOND;

/// Where a vehicle was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    pub t: Nanos,
    pub bbox: BBox,
    pub score: f32,
    /// Seen by itself, not only because it was expected there.
    pub strong: bool,
}

/// A stretch in which a vehicle was looked for and not found: hidden, blurred or missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// A vehicle followed over time.
#[derive(Debug, Clone)]
pub struct Track {
    pub id: u64,
    /// Sightings in time order, oldest dropped.
    pub path: VecDeque<Observation>,
    /// When this track may have changed vehicles, in time order.
    pub doubts: Vec<Nanos>,
    /// When it was out of sight and came back, in time order.
    pub gaps: Vec<Gap>,
    /// Enough sightings to count.
    pub confirmed: bool,
    pub(super) hits: usize,
    pub(super) motion: Motion,
    /// What it has looked like.
    pub(super) appearance: Option<Appearance>,
    pub(super) predicted_at: Nanos,
    /// Tracks that were once seen beside this one: other vehicles, not second boxes of this one.
    pub(super) others: BTreeSet<u64>,
    votes: [f32; 4],
    /// Pictures since the last sighting.
    missed: u32,
}

impl Track {
    pub(super) fn new(id: u64, t: Nanos, sighting: &Sighting, strong: bool) -> Self {
        let mut track = Self {
            id,
            path: VecDeque::new(),
            doubts: Vec::new(),
            gaps: Vec::new(),
            confirmed: false,
            hits: 0,
            motion: Motion::new(&sighting.bbox),
            appearance: None,
            predicted_at: t,
            others: BTreeSet::new(),
            votes: [0.0; 4],
            missed: 0,
        };
        track.record(t, sighting, strong);
        track
    }

    /// Moves the expectation on to the picture at `t`, in which it has not been found yet.
    pub(super) fn expect(&mut self, t: Nanos) {
        let dt = t.saturating_sub(self.predicted_at) as f32 / SECOND as f32;
        self.motion.predict(dt);
        self.predicted_at = t;
        self.missed += 1;
    }

    /// Found in the picture at `t`.
    pub(super) fn found(&mut self, t: Nanos, sighting: &Sighting, strong: bool) {
        if self.missed > 1 {
            self.gaps.push(Gap { from: self.last().t, to: t });
        }
        self.missed = 0;
        self.motion.correct(&sighting.bbox);
        self.record(t, sighting, strong);
    }

    fn record(&mut self, t: Nanos, sighting: &Sighting, strong: bool) {
        self.hits += 1;
        match (&mut self.appearance, &sighting.appearance) {
            (Some(known), Some(seen)) => {
                let since = t.saturating_sub(self.path.back().map_or(t, |last| last.t));
                let share = 1.0 - (-(since as f32) / MEMORY as f32).exp();
                // A young track has their plain mean.
                known.approach(seen, share.max(1.0 / self.hits as f32));
            }
            (known, seen) => *known = known.or(*seen),
        }
        self.votes[sighting.class as usize] += sighting.score;
        self.path.push_back(Observation { t, bbox: sighting.bbox, score: sighting.score, strong });
        while self.path.len() > MAX_POINTS
            || self.path.front().is_some_and(|p| t.saturating_sub(p.t) > MAX_AGE)
        {
            self.path.pop_front();
        }
    }

    /// The class most seen, weighted by score.
    pub fn class(&self) -> VehicleClass {
        let mut best = 0;
        for i in 1..4 {
            if self.votes[i] > self.votes[best] {
                best = i;
            }
        }
        VehicleClass::ALL[best]
    }

    /// The latest sighting. A track starts with one and keeps it.
    pub fn last(&self) -> &Observation {
        &self.path[self.path.len() - 1]
    }

    /// As it was known at `t`; none where it was not seen by then.
    pub fn until(mut self, t: Nanos) -> Option<Self> {
        while self.path.back().is_some_and(|seen| seen.t > t) {
            self.path.pop_back();
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

/// For the log: number, kind, when it was seen from and to, and where it was last.
impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = |seen: &Observation| seen.t as f64 / SECOND as f64;
        let ([x, y], name) = (self.last().bbox.foot(), self.class().name());
        let (from, to) = (second(&self.path[0]), second(self.last()));
        write!(
            f,
            "{} {name} {from:.1}-{to:.1} s, {} times, to {x:.0},{y:.0}",
            self.id,
            self.path.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_counts_what_lies_between_the_moments() {
        let bbox = BBox::new(10.0, 10.0, 60.0, 110.0);
        let seen =
            |score| Sighting { bbox, class: VehicleClass::Motorbike, score, appearance: None };
        let mut track = Track::new(1, 0, &seen(0.9), true);
        for i in 1..=10u64 {
            let t = i * SECOND / 10;
            track.expect(t);
            // Unseen in pictures 4 and 5, weak from 8 on.
            if i != 4 && i != 5 {
                track.found(t, &seen(if i < 8 { 0.9 } else { 0.2 }), i < 8);
            }
        }
        track.doubts.push(SECOND / 2);
        assert_eq!(track.gaps, [Gap { from: 3 * SECOND / 10, to: 6 * SECOND / 10 }]);
        let all = track.quality(0, SECOND);
        assert_eq!((all.sightings, all.longest_gap, all.doubts), (9, 3 * SECOND / 10, 1));
        assert!((all.clarity - 6.0 / 9.0).abs() < 1e-6);
        let later = track.quality(7 * SECOND / 10, SECOND);
        assert_eq!((later.sightings, later.longest_gap, later.doubts), (4, 0, 0));
        assert_eq!(track.unseen(3 * SECOND), 2 * SECOND);
    }
}
