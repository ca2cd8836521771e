//! A track's passage over the stop line: when its contact point crossed, when its front must have,
//! and whether it was followed without gap or doubt.

use plate_model::{BBox, Point};

use super::Doubt;
use crate::see::road::Road;
use crate::see::track::{Observation, Track};
use crate::see::{Nanos, SECOND, seconds};

/// Longest gap between sightings over which a crossing is believed.
const MAX_GAP: Nanos = seconds(0.7);
/// Share of the sightings from before the line to past it that must be strong: a false box drifting
/// over the road is seen weakly throughout, a vehicle half hidden is not.
const CLARITY: f32 = 0.35;

/// Farther than this beyond the line, in vehicle heights, a vehicle is in the junction.
pub const WELL_PAST: f32 = 1.2;

/// A crossing of the stop line in travel direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Passage {
    /// Index of the first sighting beyond the line.
    pub on: usize,
    /// When the contact point crossed, between sightings.
    pub at: Nanos,
    /// Where it crossed.
    pub point: [f32; 2],
    /// Height of the vehicle's box there, the measure of distances.
    pub size: f32,
    /// Time between the sightings on either side of the line.
    pub gap: Nanos,
}

impl Passage {
    /// The last crossing after which the track stayed beyond the line: a vehicle waiting on the
    /// line wobbles over it. Who was well past it and comes back beside it has turned round.
    pub fn find(track: &Track, road: &Road) -> Option<Self> {
        let path = &track.path;
        let mut passage: Option<Self> = None;
        let mut farthest = 0.0f32;
        for on in 1..path.len() {
            let (a, b) = (&path[on - 1], &path[on]);
            let (from, to) = (a.bbox.foot(), b.bbox.foot());
            let beyond = road.stop.beyond(to);
            farthest = farthest.max(beyond);
            if beyond < 0.0 {
                let turned = |passage: &Self| {
                    farthest >= WELL_PAST * passage.size && road.beside_oncoming(to)
                };
                passage = passage.filter(turned);
            } else if let Some(f) = road.stop.crossing(from, to) {
                let gap = b.t - a.t;
                farthest = beyond;
                passage = Some(Self {
                    on,
                    at: a.t + (gap as f64 * f64::from(f)) as Nanos,
                    point: [from[0] + f * (to[0] - from[0]), from[1] + f * (to[1] - from[1])],
                    size: usual_height(track, on),
                    gap,
                });
            }
        }
        passage
    }

    pub const fn sound(&self) -> bool {
        self.gap <= MAX_GAP
    }

    /// The latest sighting plainly before the line: at least `share` of the vehicle's height.
    pub fn before<'a>(&self, track: &'a Track, road: &Road, share: f32) -> Option<&'a Observation> {
        track
            .path
            .iter()
            .take(self.on)
            .rev()
            .find(|seen| road.stop.beyond(seen.bbox.foot()) <= -share * self.size)
    }

    /// When the vehicle's front reached the line at the latest assumption in its favour: its
    /// contact point in the picture is its rear. Later, where it stood before the line and set off
    /// again: then it decided to go when it set off.
    pub fn front_at(&self, track: &Track, road: &Road) -> Nanos {
        let length = if track.class().is_two_wheeled() { 0.3 } else { 0.6 };
        let reached = self.before(track, road, length).or(track.path.front());
        let reached = reached.map_or(self.at, |seen| seen.t);
        last_standing(track, self.on, reached).unwrap_or(reached)
    }
}

/// Why it is not certain that one and the same vehicle went from before the line to `until`. Its
/// identity must be beyond doubt from a second earlier on.
pub fn doubt(track: &Track, before: Nanos, until: Nanos) -> Option<Doubt> {
    let followed = track.quality(before.saturating_sub(SECOND), until);
    if followed.doubts > 0 {
        return Some(Doubt::IdentityUncertain);
    }
    if followed.longest_gap > MAX_GAP {
        return Some(Doubt::LostAtLine);
    }
    (track.quality(before, until).clarity < CLARITY).then_some(Doubt::PoorlySeen)
}

/// The middle height of the boxes around sighting `on`: one bad box is no measure.
fn usual_height(track: &Track, on: usize) -> f32 {
    let near = track.path.iter().skip(on.saturating_sub(4)).take(6);
    let mut heights: Vec<f32> = near.map(|seen| seen.bbox.height()).collect();
    heights.sort_by(f32::total_cmp);
    heights.get(heights.len() / 2).copied().unwrap_or(1.0).max(1.0)
}

/// When between `from` and the sighting `until` the vehicle last stood still.
fn last_standing(track: &Track, until: usize, from: Nanos) -> Option<Nanos> {
    (0..until)
        .rev()
        .take_while(|&i| track.path[i].t >= from)
        .find(|&i| stood(track, i, SECOND, 0.06))
        .map(|i| track.path[i].t)
}

/// Whether over `span` before sighting `i` the contact point moved less than `share` of the
/// vehicle's height.
pub fn stood(track: &Track, i: usize, span: Nanos, share: f32) -> bool {
    stayed(track, i, span, share, BBox::foot)
}

/// The same of its upper edge: who passes in front of a standing vehicle hides its lower one.
pub fn stood_behind(track: &Track, i: usize, span: Nanos, share: f32) -> bool {
    stayed(track, i, span, share, |bbox| [bbox.centre()[0], bbox.y1])
}

fn stayed(
    track: &Track,
    i: usize,
    span: Nanos,
    share: f32,
    point: impl Fn(&BBox) -> Point,
) -> bool {
    let here = &track.path[i];
    let Some(start) = here.t.checked_sub(span) else { return false };
    let [x, y] = point(&here.bbox);
    let mut reached_back = false;
    for seen in track.path.iter().take(i + 1).rev() {
        let [px, py] = point(&seen.bbox);
        if (px - x).hypot(py - y) > share * here.bbox.height() {
            return false;
        }
        if seen.t <= start {
            reached_back = true;
            break;
        }
    }
    reached_back
}
