//! A vehicle's way inside an area, from where it was plainly in it on.

use contract::geometry::Point;

use super::{LEAST_SEEN, LEAST_TIME, Place};
use crate::drawn::depth;
use crate::rules::Scene;
use crate::time::{Nanos, seconds};
use crate::track::{Observation, Track};
use crate::zone::{PLAINLY, Zone};

/// Unseen for longer than this, where it went is not known.
const LOST: Nanos = seconds(0.7);

#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub from: Nanos,
    pub halfway: Nanos,
    pub to: Nanos,
    /// From its beginning to its end, straight, pixels.
    length: f32,
    /// Mean height of the vehicle and mean depth inside.
    height: f32,
    depth: f32,
    sightings: usize,
}

impl Way {
    /// The way that ends with the latest sighting; none where that is not inside.
    pub fn lasting(zone: &Zone, track: &Track, scene: &Scene<'_>) -> Option<Self> {
        Self::until(&scene.pixels(&zone.area), track, scene, track.path.len())
    }

    /// The one of most heights, as far as it is still known.
    pub fn farthest(zone: &Zone, track: &Track, scene: &Scene<'_>) -> Option<Self> {
        let area = scene.pixels(&zone.area);
        let mut end = track.path.len();
        let mut farthest: Option<Self> = None;
        while end > 0 {
            let way = Self::until(&area, track, scene, end);
            end -= way.map_or(1, |way| way.sightings);
            farthest = match (farthest, way) {
                (Some(a), Some(b)) if a.heights() >= b.heights() => Some(a),
                (a, b) => b.or(a),
            };
        }
        farthest
    }

    /// The way that ends before sighting `end`.
    fn until(area: &[Point], track: &Track, scene: &Scene<'_>, end: usize) -> Option<Self> {
        let mut inside: Vec<(&Observation, f32)> = Vec::new();
        for seen in track.path.range(..end).rev() {
            let depth = depth(area, seen.bbox.foot());
            let lost = inside.last().is_some_and(|(next, _)| next.t - seen.t > LOST);
            if depth <= 0.0 || lost || scene.cuts(&seen.bbox) {
                break;
            }
            inside.push((seen, depth));
        }
        let ((last, _), (first, _)) = (inside.first()?, inside.last()?);
        let mean = |of: &dyn Fn(&(&Observation, f32)) -> f32| {
            inside.iter().map(of).sum::<f32>() / inside.len() as f32
        };
        let length = distance(first.bbox.foot(), last.bbox.foot());
        let from_first = |seen: &Observation| distance(first.bbox.foot(), seen.bbox.foot());
        let halfway = inside.iter().rev().find(|(seen, _)| from_first(seen) >= length / 2.0);
        Some(Self {
            from: first.t,
            halfway: halfway.map_or(last.t, |(seen, _)| seen.t),
            to: last.t,
            length,
            height: mean(&|(seen, _)| seen.bbox.height()).max(1.0),
            depth: mean(&|(_, depth)| *depth),
            sightings: inside.len(),
        })
    }

    /// Its length in heights of the vehicle.
    pub fn heights(&self) -> f32 {
        self.length / self.height
    }

    /// Whether it is way enough to accuse.
    pub(super) fn suffices(&self, place: &Place) -> bool {
        self.heights() >= place.heights
            && self.depth >= PLAINLY * self.height
            && self.sightings >= LEAST_SEEN
            && self.to - self.from >= LEAST_TIME
    }
}

fn distance(a: Point, b: Point) -> f32 {
    libm::hypotf(a[0] - b[0], a[1] - b[1])
}
