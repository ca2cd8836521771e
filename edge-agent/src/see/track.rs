//! A vehicle followed over time: what is known of its way ([`judge::Track`]), and what it takes to
//! find it again in the next picture.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;

use contract::VehicleClass;
use judge::track::{Gap, Observation};
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

/// How long a look is remembered: light changes, and so do boxes; a moment's mistake must not be learnt.
const MEMORY: Nanos = 2 * SECOND;

/// A vehicle followed over time.
#[derive(Debug, Clone)]
pub struct Track {
    /// What is judged by.
    pub known: judge::Track,
    /// Enough sightings to count.
    pub confirmed: bool,
    /// How sure the detector was when it was last seen.
    pub score: f32,
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
        let first = Observation { t, bbox: sighting.bbox, strong };
        let mut votes = [0.0; 4];
        votes[sighting.class as usize] = sighting.score;
        Self {
            known: judge::Track::new(id, sighting.class, first),
            confirmed: false,
            score: sighting.score,
            hits: 1,
            motion: Motion::new(&sighting.bbox),
            appearance: sighting.appearance,
            predicted_at: t,
            others: BTreeSet::new(),
            votes,
            missed: 0,
        }
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
            let gap = Gap { from: self.last().t, to: t };
            self.known.gaps.push(gap);
        }
        self.missed = 0;
        self.motion.correct(&sighting.bbox);
        self.record(t, sighting, strong);
    }

    fn record(&mut self, t: Nanos, sighting: &Sighting, strong: bool) {
        self.hits += 1;
        match (&mut self.appearance, &sighting.appearance) {
            (Some(known), Some(seen)) => {
                let since = t.saturating_sub(self.known.last().t);
                let share = 1.0 - (-(since as f32) / MEMORY as f32).exp();
                // A young track has their plain mean.
                known.approach(seen, share.max(1.0 / self.hits as f32));
            }
            (known, seen) => *known = known.or(*seen),
        }
        self.votes[sighting.class as usize] += sighting.score;
        self.score = sighting.score;
        self.known.class = self.most_voted();
        let all: f32 = self.votes.iter().sum();
        let share = self.votes[self.known.class as usize] / all.max(f32::EPSILON);
        // In parts that are written and read again without a bit's change.
        self.known.class_share = Some((share * 256.0).round() / 256.0);
        self.known.see(Observation { t, bbox: sighting.bbox, strong });
    }

    /// The class most seen, weighted by score.
    fn most_voted(&self) -> VehicleClass {
        let mut best = 0;
        for i in 1..4 {
            if self.votes[i] > self.votes[best] {
                best = i;
            }
        }
        VehicleClass::ALL[best]
    }
}

impl Track {
    /// As it was known at `t`; none where it was not seen by then.
    pub fn until(mut self, t: Nanos) -> Option<Self> {
        self.known = self.known.until(t)?;
        Some(self)
    }
}

impl Deref for Track {
    type Target = judge::Track;

    fn deref(&self) -> &judge::Track {
        &self.known
    }
}

/// For the log: number, kind, when it was seen from and to, and where it was last.
impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = |seen: &Observation| seen.t as f64 / SECOND as f64;
        let ([x, y], name) = (self.last().bbox.foot(), self.class.name());
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
        track.known.doubts.push(SECOND / 2);
        assert_eq!(track.gaps, [Gap { from: 3 * SECOND / 10, to: 6 * SECOND / 10 }]);
        let all = track.quality(0, SECOND);
        assert_eq!((all.sightings, all.longest_gap, all.doubts), (9, 3 * SECOND / 10, 1));
        assert!((all.clarity - 6.0 / 9.0).abs() < 1e-6);
        let later = track.quality(7 * SECOND / 10, SECOND);
        assert_eq!((later.sightings, later.longest_gap, later.doubts), (4, 0, 0));
        assert_eq!(track.unseen(3 * SECOND), 2 * SECOND);
    }
}
