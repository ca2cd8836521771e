//! Whether one and the same vehicle was plainly followed from one moment to another: what every rule
//! asks before it accuses.

use crate::legs::{height, width};
use crate::rules::{Doubt, Scene};
use crate::time::{Nanos, SECOND, in_seconds, seconds};
use crate::track::Track;

/// Longest gap between sightings over which a vehicle is believed to be the same.
pub const MAX_GAP: Nanos = seconds(0.7);
/// Share of the sightings that must be strong: a false box drifting over the road is seen weakly
/// throughout, a vehicle half hidden is not.
const CLARITY: f32 = 0.35;

/// Farther than this share of its way of a moment, and than this in its own heights, it is not from
/// where its pace of the moment before takes it.
const OFF: f32 = 1.6;
const LEAST_OFF: f32 = 0.6;
/// What it may come off by gaining pace, in its own heights a second.
const GAINED: f32 = 1.0;
/// A moment, seconds: a pace is told over it, and changes no more in it.
const MOMENT: f64 = 0.39;
/// Covered from below a box is lower than about then, and lower for its width, by these shares.
const LOWER: f32 = 0.8;
const FLATTER: f32 = 0.75;
/// Where its upper edge went up the picture by this share of what the lower one did, it drove away
/// and may be turning: from its side it looks flatter by this share.
const ALONG: f32 = 0.35;
const TURNING: f32 = 0.35;
const ABOUT: Nanos = seconds(3.0);

/// Why it is not certain, if so; `lost` names it where the vehicle was out of sight. Its identity
/// must be beyond doubt from a second earlier to a second later: a tracker that took the wrong one
/// may only come to doubt it then.
pub fn doubt(track: &Track, from: Nanos, until: Nanos, lost: Doubt) -> Option<Doubt> {
    if track.quality(from.saturating_sub(SECOND), until + SECOND).doubts > 0 {
        return Some(Doubt::IdentityUncertain);
    }
    let followed = track.quality(from.saturating_sub(SECOND), until);
    if followed.longest_gap > MAX_GAP {
        return Some(lost);
    }
    (track.quality(from, until).clarity < CLARITY).then_some(Doubt::PoorlySeen)
}

/// Whether between two sightings of the path no picture in which it was seen lies for longer than
/// may be, whether or not it was looked for.
pub fn closely(track: &Track, from: usize, until: usize) -> bool {
    (from + 1..=until).all(|i| track.path[i].t - track.path[i - 1].t <= MAX_GAP)
}

/// Whether between two sightings the box leaps from where its pace would take it: then it may be
/// another vehicle's.
pub fn leaps(track: &Track, scene: &Scene<'_>, from: usize, until: usize) -> bool {
    let path = &track.path;
    let time = |i: usize| in_seconds(path[i].t);
    (from + 1..=until).any(|i| {
        let here = i - 1;
        // A track so young has no pace yet.
        let earlier = (0..here).rev().find(|&k| time(here) - time(k) >= MOMENT);
        let Some(earlier) = earlier else { return false };
        let next = (i..path.len()).find(|&k| time(k) - time(here) >= MOMENT).unwrap_or(i);
        let [[x, y], [px, py]] = [here, earlier].map(|i| path[i].bbox.foot());
        let took = time(here) - time(earlier);
        let off = |to: usize| {
            if [earlier, here, to].iter().any(|&i| scene.trims(&path[i].bbox)) {
                return false;
            }
            let share = ((time(to) - time(here)) / took) as f32;
            let (dx, dy) = (share * (x - px), share * (y - py));
            let [nx, ny] = path[to].bbox.foot();
            let way = libm::hypotf(dx, dy);
            libm::hypotf(nx - x - dx, ny - y - dy)
                > (OFF * way).max(
                    (LEAST_OFF + GAINED * (time(to) - time(here)) as f32) * height(track, here),
                )
        };
        off(i) || off(next)
    })
}

/// Whether somewhere between two sightings something covered it from below: where it touched the
/// road, and its height, by which ways are told, are not known then.
pub fn covered(track: &Track, scene: &Scene<'_>, from: usize, until: usize) -> bool {
    let path = &track.path;
    let first = path.partition_point(|seen| seen.t + ABOUT < path[from].t);
    let last = path.partition_point(|seen| seen.t <= path[until].t + ABOUT);
    let trimmed = |i: usize| (i.saturating_sub(4)..=i).any(|i| scene.trims(&path[i].bbox));
    let size = |i: usize| (i, height(track, i), width(track, i));
    let sizes: Vec<(usize, f32, f32)> = (first..last).filter(|i| !trimmed(*i)).map(size).collect();
    sizes.iter().filter(|(i, ..)| (from..=until).contains(i)).any(|&(i, high, wide)| {
        let about = |k: usize| path[k].t.abs_diff(path[i].t) <= ABOUT;
        sizes.iter().filter(|(k, ..)| about(*k)).any(|&(k, whole, across)| {
            let turning = receded(path[i].bbox.y1 - path[k].bbox.y1, high - whole);
            let flatter = if turning { TURNING } else { FLATTER };
            high < LOWER * whole && high / wide < flatter * whole / across
        })
    })
}

/// Whether it went up the picture, its upper edge too: by how much that one came down, and by how
/// much higher the box became.
fn receded(upper: f32, higher: f32) -> bool {
    let lower = upper + higher;
    lower < 0.0 && upper <= ALONG * lower
}

#[cfg(test)]
mod tests {
    use contract::VehicleClass;
    use contract::geometry::BBox;

    use super::*;
    use crate::rules::Elsewhere;
    use crate::track::Observation;

    /// Ten sightings a second of boxes by contact point, height and width.
    fn track(boxes: impl Iterator<Item = (f32, f32, f32, f32)>) -> Track {
        let seen = |(i, (x, y, high, wide)): (usize, (f32, f32, f32, f32))| Observation {
            t: i as u64 * SECOND / 10,
            bbox: BBox::new(x - wide / 2.0, y - high, x + wide / 2.0, y),
            strong: true,
        };
        let mut all = boxes.enumerate().map(seen);
        let mut track = Track::new(1, VehicleClass::Car, all.next().unwrap());
        all.for_each(|seen| track.see(seen));
        track
    }

    fn scene() -> Scene<'static> {
        Scene {
            road: None,
            lamps: &[],
            company: &[],
            elsewhere: Elsewhere::default(),
            size: [1000, 1000],
            now: 0,
            captured_at: None,
            ended: true,
        }
    }

    #[test]
    fn whose_place_another_takes_leaps() {
        let steady = track((0..30).map(|i| (500.0, 900.0 - 15.0 * i as f32, 100.0, 100.0)));
        assert!(!leaps(&steady, &scene(), 0, 29));
        let stands_then_crosses = |i: i32| (500.0 - 30.0 * (i - 15).max(0) as f32, 600.0);
        let exchanged = track((0..25).map(stands_then_crosses).map(|(x, y)| (x, y, 100.0, 100.0)));
        assert!(leaps(&exchanged, &scene(), 10, 20));
        let beside = track((0..30).map(|i| {
            let x = if i < 15 { 550.0 } else { 430.0 };
            (x, 900.0 - 15.0 * i as f32, 100.0, 100.0)
        }));
        assert!(leaps(&beside, &scene(), 10, 20));
    }

    #[test]
    fn covered_it_is_lower_and_flatter_than_about_then() {
        let smaller = |i: i32| 150.0 - 2.0 * i as f32;
        let away = track((0..40).map(|i| (500.0, 900.0 - 10.0 * i as f32, smaller(i), smaller(i))));
        assert!(!covered(&away, &scene(), 0, 39), "farther away it is smaller");
        let turning = track((0..40).map(|i| (500.0, 700.0, 100.0, 100.0 + 2.0 * i as f32)));
        assert!(!covered(&turning, &scene(), 0, 39), "from its side it is wider");
        // It turns as it drives away: its upper edge goes up the picture too.
        let side = |i: i32| 100.0 - 35.0 * (i as f32 / 39.0);
        let aslant = track((0..40).map(|i| {
            let lower = 900.0 - 10.0 * i as f32;
            (500.0, lower, 0.25 * (lower - 300.0), side(i))
        }));
        assert!(!covered(&aslant, &scene(), 0, 39), "it turns");
        let half = |i: i32| if (15..25).contains(&i) { 50.0 } else { 100.0 };
        let hidden = track((0..40).map(|i| (500.0, 600.0 + half(i), half(i), 100.0)));
        assert!(covered(&hidden, &scene(), 18, 22));
    }
}
