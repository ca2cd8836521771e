//! A track's passage over the stop line: when its contact point crossed, when its front must have,
//! and whether it was followed without gap or doubt.

use contract::MomentRole;
use contract::geometry::{BBox, Point};

use crate::followed::{self, MAX_GAP};
use crate::road::Road;
use crate::rules::{Album, Attention, Doubt, Lawful, Scene, Verdict};
use crate::time::{Nanos, SECOND, in_seconds, seconds};
use crate::track::{Observation, Track};

/// Farther than this beyond the line, in vehicle heights, a vehicle is in the junction.
pub const WELL_PAST: f32 = 1.2;
/// Who comes back beside the line from farther than this has turned round: by a U-turn's sweep a
/// long vehicle is hardly deeper in the junction, and less so in the picture of a low camera.
const SWEEP: f32 = 0.75;

/// Beyond the line by this share of the vehicle's height counts as past it.
pub const CLEAR: f32 = 0.5;
/// A vehicle must have been followed to the line this long and in this many sightings.
const LEAST_FOLLOWED: Nanos = seconds(0.3);
const LEAST_SEEN: usize = 3;
/// And in as many sightings in all, of which one may fail; it is in sight for no more than this when
/// it does not stop.
const LEAST_IN_ALL: usize = 3 * LEAST_SEEN;
const IN_SIGHT: Nanos = seconds(2.5);
/// So many pictures a second does a rule need that judges passages.
pub const LEAST_FPS: f32 = {
    let seen = ((LEAST_IN_ALL + 1) as f64 / in_seconds(IN_SIGHT)) as f32;
    let followed = followed::fps_within(MAX_GAP);
    if seen > followed { seen } else { followed }
};

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
                let turned =
                    |passage: &Self| farthest >= SWEEP * passage.size && road.beside_oncoming(to);
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

    /// The first sighting clearly past the line: by [`CLEAR`] of its height.
    pub fn past(&self, track: &Track, road: &Road) -> Option<usize> {
        let beyond = |i: usize| road.stop.beyond(track.path[i].bbox.foot()) / self.size;
        (self.on..track.path.len()).find(|&i| beyond(i) >= CLEAR)
    }

    /// The moment plainly before the line from which on it is certain, until `until`, that one and
    /// the same vehicle went over it; else why it is not.
    pub fn certain(
        &self,
        track: &Track,
        road: &Road,
        scene: &Scene<'_>,
        until: Nanos,
    ) -> Result<Nanos, Doubt> {
        if !self.sound() {
            return Err(Doubt::LostAtLine);
        }
        let before = self.before(track, road, 0.1).ok_or(Doubt::FirstSeenBeyond)?.t;
        // A part of a vehicle that is taken for one for a moment comes from nowhere.
        let followed = self.at.saturating_sub(track.path[0].t);
        if self.on < LEAST_SEEN || followed < LEAST_FOLLOWED || track.path.len() < LEAST_IN_ALL {
            return Err(Doubt::SeenTooLate);
        }
        if let Some(doubt) = doubt(track, before, until) {
            return Err(doubt);
        }
        // Who takes its place at the line comes from beside it, or is of another size.
        let past = self.past(track, road).unwrap_or(self.on);
        let from = track.at(before);
        if followed::exchanged(track, scene, from, past.max(track.at(until))) {
            return Err(Doubt::IdentityUncertain);
        }
        if followed::covered(track, scene, from, past) {
            return Err(Doubt::PoorlySeen);
        }
        Ok(before)
    }

    /// The moments of a movement that left the junction at sighting `out`, the last of them the
    /// latest sighting; else why it is not certain that one vehicle made it.
    pub fn moments(
        &self,
        track: &Track,
        road: &Road,
        scene: &Scene<'_>,
        out: usize,
    ) -> Result<Vec<(MomentRole, Nanos)>, Doubt> {
        let end = track.last().t;
        let before = self.certain(track, road, scene, end)?;
        // The picture past the line that is kept.
        let foot = |i: usize| track.path[i].bbox.foot();
        let kept = |&i: &usize| {
            let beyond = road.stop.beyond(foot(i)) / track.path[i].bbox.height().max(1.0);
            beyond >= PAST || road.leaves(foot(i - 1), foot(i))
        };
        let past = (self.on + 1..out).find(kept).unwrap_or(out);
        Ok(vec![
            (MomentRole::Before, before),
            (MomentRole::On, self.at),
            (MomentRole::Past, track.path[past].t),
            (MomentRole::End, end),
        ])
    }

    /// Whether the vehicle came to the line from the drawn approach.
    pub fn from_approach(&self, track: &Track, road: &Road) -> bool {
        track.path.iter().take(self.on).any(|seen| road.in_approach(seen.bbox.foot()))
    }

    /// When the vehicle's front reached the line at the latest assumption in its favour: its
    /// contact point in the picture is its rear. Later, where it stood before the line and set off
    /// again: then it decided to go when it set off.
    pub fn front_at(&self, track: &Track, road: &Road) -> Nanos {
        let length = if track.class.is_two_wheeled() { 0.3 } else { 0.6 };
        let reached = self.before(track, road, length).or(track.path.front());
        let reached = reached.map_or(self.at, |seen| seen.t);
        last_standing(track, self.on, reached).unwrap_or(reached)
    }
}

/// Why it is not certain that one and the same vehicle went from before the line to `until`.
pub fn doubt(track: &Track, before: Nanos, until: Nanos) -> Option<Doubt> {
    followed::doubt(track, before, until, Doubt::LostAtLine)
}

/// What is said of a track without a passage.
pub fn none(track: &Track, road: &Road, scene: &Scene<'_>) -> Verdict {
    let beyond = road.stop.beyond(track.last().bbox.foot()) >= 0.0;
    match (scene.ended, beyond) {
        (true, true) => Verdict::Abstained(Doubt::FirstSeenBeyond),
        (true, false) => Verdict::Lawful(Lawful::NeverCrossed),
        (false, _) => Verdict::Pending,
    }
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
    // Covered from below, its box is lower than the vehicle.
    let about = track.path.iter().take(i + 1).rev().take_while(|seen| seen.t >= start);
    let height = about.map(|seen| seen.bbox.height()).fold(0.0, f32::max);
    let mut reached_back = false;
    for seen in track.path.iter().take(i + 1).rev() {
        let [px, py] = point(&seen.bbox);
        if libm::hypotf(px - x, py - y) > share * height {
            return false;
        }
        if seen.t <= start {
            reached_back = true;
            break;
        }
    }
    reached_back
}

/// Before the line by this share of the vehicle's height counts as plainly before.
const BEFORE: f32 = 0.3;
/// Farther before the line than this, in heights, nothing is kept.
const FAR: f32 = 6.0;
/// Past the line by this share the picture past it is final.
const PAST: f32 = 1.0;
/// Between these places beside the line, in heights, a plate is worth looking for.
const NEAR: std::ops::Range<f32> = -5.0..2.5;

/// Which pictures of a passage are kept: the last plainly before the line, the first on it, the
/// first plainly past it. While crossing is lawful (`tense` false) none of who is before the line.
pub fn attend(track: &Track, road: &Road, tense: bool, album: &mut Album) -> Attention {
    let seen = track.last();
    let foot = seen.bbox.foot();
    let beyond = road.stop.beyond(foot) / seen.bbox.height().max(1.0);
    if beyond < 0.0 {
        // Coming back beside the line it has turned round, not gone back.
        if album.holds(MomentRole::Past) && album.closed && road.beside_oncoming(foot) {
            return Attention::Suspect;
        }
        album.forget(MomentRole::On);
        album.forget(MomentRole::Past);
        album.closed = false;
        if !tense || beyond < -FAR {
            album.clear();
            return Attention::Idle;
        }
        if beyond <= -BEFORE || !album.holds(MomentRole::Before) {
            album.keep(MomentRole::Before, seen.t);
        }
    } else if let Some(previous) = track.previous() {
        let from = previous.bbox.foot();
        if road.stop.beyond(from) < 0.0 {
            album.forget(MomentRole::On);
            if album.holds(MomentRole::Before) {
                album.keep(MomentRole::On, seen.t);
            }
        } else if album.holds(MomentRole::On) && !album.closed {
            album.keep(MomentRole::Past, seen.t);
            album.closed = beyond >= PAST || road.leaves(from, foot);
        }
    }
    if album.holds(MomentRole::On) {
        Attention::Suspect
    } else if album.holds(MomentRole::Before) && NEAR.contains(&beyond) {
        Attention::Near
    } else {
        Attention::Idle
    }
}

/// The same whatever the lamps show, and the latest picture besides: where it went. Most who cross
/// go where they may, so none is suspect for it.
pub fn attend_to_the_end(track: &Track, road: &Road, album: &mut Album) -> Attention {
    let attention = attend(track, road, true, album);
    if album.holds(MomentRole::On) {
        album.keep(MomentRole::End, track.last().t);
    } else {
        album.forget(MomentRole::End);
    }
    attention.min(Attention::Near)
}
