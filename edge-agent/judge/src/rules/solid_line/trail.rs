//! One vehicle's way beside one solid line: on which side it plainly was, when it came over, whether
//! it stayed there, and why that may not be so.

use contract::MomentRole;
use contract::geometry::Point;

use super::{Between, Solid};
use crate::drawn::{Beside, beside};
use crate::followed;
use crate::legs::{degrees, height, width};
use crate::rules::{Album, Attention, Doubt, Scene};
use crate::time::{Nanos, SECOND, in_seconds, seconds};
use crate::track::{Companion, Track};
use crate::traffic;

/// How exactly a contact point's distance from a line is known, in vehicle heights.
pub const KNOWN: f32 = 0.1;
/// Plainly on a side is also this far from the line in widths: half the vehicle.
const HALF: f32 = 0.5;
/// Not at the line's ends: so far from both, in heights.
const ENDS: f32 = 0.5;
/// A way steeper than this to a line between lanes changes no lane, degrees.
const STEEP: f32 = 60.0;
/// Something that stood this near the crossing, in heights of the larger, and no farther from the
/// line than this in its own, which is more than a lane, may have been in the way.
const IN_THE_WAY: f32 = 8.0;
const NEXT_TO: f32 = 4.0;
/// Who stands moves no more than this in so many seconds, and no more than this in all, in heights: a
/// box trembles, and who drives off far away moves little in a second.
const TREMBLES: f32 = 0.06;
const CREEPS: f32 = 0.12;
const STOOD: f32 = 0.25;
/// So many times farther away than who crosses, it is in nobody's way here, and whoever drives off
/// there hardly moves in the picture.
const FARTHER: f32 = 4.0;
/// Longest time out of sight when it came over.
pub const AT_LINE: Nanos = seconds(0.45);
/// Nearer than this to the line a plate is worth looking for, in heights.
const NEAR: f32 = 3.0;

/// One line and one track in one picture's pixels.
pub struct View<'a> {
    pub solid: &'a Solid,
    pub track: &'a Track,
    pub scene: &'a Scene<'a>,
    line: Vec<Point>,
}

/// What is known by now of the latest crossing; sightings by their index.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trail {
    /// The last sighting plainly on the side that it came from.
    pub before: Option<usize>,
    pub from_right: bool,
    /// The first over the line, and the first plainly so.
    pub on: Option<usize>,
    pub past: Option<usize>,
    pub stayed: bool,
    /// How far over the line it came, in heights.
    pub deepest: f32,
    /// Whether it was ever between the line's ends.
    pub beside: bool,
}

impl<'a> View<'a> {
    pub fn new(solid: &'a Solid, track: &'a Track, scene: &'a Scene<'a>) -> Self {
        Self { solid, track, scene, line: scene.pixels(&solid.line) }
    }

    fn beside(&self, i: usize) -> Option<Beside> {
        beside(&self.line, self.track.path[i].bbox.foot())
    }

    /// How far from the line it was last seen, in pixels.
    pub fn distance(&self) -> f32 {
        self.beside(self.track.path.len() - 1).map_or(f32::INFINITY, |found| found.right.abs())
    }

    /// Distance to the right of the line in heights, by the lower edge and by the upper one: one of
    /// them may be covered. The plainer side is not believed.
    fn right(&self, i: usize) -> Option<(f32, f32)> {
        let height = height(self.track, i);
        let bbox = &self.track.path[i].bbox;
        let lower = beside(&self.line, bbox.foot())?.right / height;
        let upper = beside(&self.line, [bbox.centre()[0], bbox.y1 + height])?.right / height;
        Some((lower, upper))
    }

    pub fn trail(&self) -> Trail {
        let path = &self.track.path;
        let mut trail = Trail::default();
        for (i, seen) in path.iter().enumerate() {
            let Some((lower, upper)) = self.right(i) else {
                // Beyond its ends: what came over it there did not cross it.
                if trail.past.is_none() {
                    trail = Trail { beside: trail.beside, ..Trail::default() };
                }
                continue;
            };
            let enough =
                (self.solid.depth + KNOWN).max(HALF * width(self.track, i) / height(self.track, i));
            let even = lower.signum() == upper.signum();
            let plain = even && lower.abs().min(upper.abs()) >= enough;
            let right = lower > 0.0;
            trail.beside = true;
            match trail.before {
                // What comes after it has stayed there is another crossing.
                _ if trail.stayed => break,
                None if !plain => {}
                None => (trail.before, trail.from_right) = (Some(i), right),
                // Whoever comes back before it has stayed only touched the line.
                Some(_) if right == trail.from_right => {
                    (trail.on, trail.past, trail.deepest) = (None, None, 0.0);
                    trail.before = if plain { Some(i) } else { trail.before };
                }
                Some(_) => {
                    trail.on = trail.on.or(Some(i));
                    if plain {
                        trail.past = trail.past.or(Some(i));
                        trail.deepest = trail.deepest.max(lower.abs().min(upper.abs()));
                    }
                }
            }
            let since = trail.past.map(|past| seen.t - path[past].t);
            trail.stayed |= plain && since.is_some_and(|t| t >= seconds(self.solid.seconds));
        }
        trail
    }

    /// Keeps the last picture plainly before the line, the first on it, the first plainly past it.
    pub fn attend(&self, album: &mut Album) -> Attention {
        let (trail, last) = (self.trail(), self.track.path.len() - 1);
        let t = self.track.path[last].t;
        if trail.before.is_none() {
            album.clear();
            return Attention::Idle;
        }
        if trail.on.is_none() {
            album.forget(MomentRole::On);
            album.forget(MomentRole::Past);
            album.closed = false;
        }
        for (role, i) in [
            (MomentRole::Before, trail.before),
            (MomentRole::On, trail.on),
            (MomentRole::Past, trail.past),
        ] {
            if i == Some(last) {
                album.keep(role, t);
                album.closed |= role == MomentRole::Past;
            }
        }
        match trail.on {
            Some(_) => Attention::Suspect,
            None if self.distance() <= NEAR * height(self.track, last) => Attention::Near,
            None => Attention::Idle,
        }
    }

    pub fn doubt(&self, trail: &Trail, between: Between) -> Option<Doubt> {
        let (track, path) = (self.track, &self.track.path);
        let (before, past) = (trail.before?, trail.past?);
        let until = path[past].t + seconds(self.solid.seconds);
        if let Some(doubt) = followed::doubt(track, path[before].t, until, Doubt::LostAtLine) {
            return Some(doubt);
        }
        if !followed::closely(track, before.saturating_sub(2), past) || before < 2 {
            return Some(Doubt::LostAtLine);
        }
        if followed::exchanged(track, self.scene, before - 2, past) {
            return Some(Doubt::IdentityUncertain);
        }
        if followed::covered(track, self.scene, before - 2, past) {
            return Some(Doubt::PoorlySeen);
        }
        let high = height(track, before);
        let near_end = |i: usize| {
            self.beside(i).is_none_or(|found| found.along.min(found.ahead) < ENDS * high)
        };
        if (before..=past).any(near_end) {
            return Some(Doubt::MovementUnclear);
        }
        if between != Between::Directions && self.steep(past) {
            return Some(Doubt::MovementUnclear);
        }
        // What it did at the line was seen.
        let on = trail.on?;
        if on > 0 && path[on].t - path[on - 1].t > AT_LINE {
            return Some(Doubt::LostAtLine);
        }
        self.obstructed(trail, path[before].bbox.foot(), high, path[before].t)
            .then_some(Doubt::Obstructed)
    }

    /// Whether its way beside the line, until it has stayed past it, leads across rather than along.
    /// Told by the whole of it: from a low camera even the gentlest change of lanes looks steep.
    fn steep(&self, past: usize) -> bool {
        let path = &self.track.path;
        let stayed = self.track.at(path[past].t + seconds(self.solid.seconds));
        let first = (0..past).rev().take_while(|&i| self.beside(i).is_some()).last();
        let (Some(first), Some(there)) = (first, self.beside(past)) else { return true };
        let ([ax, ay], [bx, by]) = (path[first].bbox.foot(), path[stayed].bbox.foot());
        let aside = degrees([bx - ax, by - ay], there.direction);
        (STEEP..=180.0 - STEEP).contains(&aside)
    }

    /// Whether something stood near, next to the line on the side that it came from, when it crossed.
    fn obstructed(&self, trail: &Trail, at: Point, height: f32, t: Nanos) -> bool {
        let apart = |a: Point, b: Point| libm::hypotf(a[0] - b[0], a[1] - b[1]);
        let next_to = |p: Point, height: f32| match beside(&self.line, p) {
            Some(found) => {
                let right = if trail.from_right { found.right } else { -found.right };
                (0.0..=NEXT_TO * height).contains(&right)
            }
            // Ahead of the line's end.
            None => self.line.iter().any(|end| apart(*end, p) <= NEXT_TO * height),
        };
        let near = |p: Point, height: f32| apart(p, at) <= IN_THE_WAY * height;
        let stood = |other: &Companion| {
            let about = |i: &usize| other.seen[*i].0.abs_diff(t) <= 2 * SECOND;
            let times: Vec<usize> = (0..other.seen.len()).filter(about).collect();
            let [first, later @ ..] = times.as_slice() else { return false };
            let ((from, place), tall) = (other.seen[*first], other.height_at(*first));
            let still = |i: &usize| {
                let (t, p) = other.seen[*i];
                let moves = (TREMBLES + CREEPS * in_seconds(t - from) as f32).min(STOOD);
                apart(p, place) <= moves * tall.max(other.height_at(*i))
            };
            let stands = !later.is_empty() && later.iter().all(still);
            let farther = traffic::farther((other.class, tall), (self.track.class, height));
            stands && farther <= FARTHER && near(place, height.max(tall)) && next_to(place, tall)
        };
        self.scene.company.iter().any(stood)
    }
}
