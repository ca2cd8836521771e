//! Whether one and the same vehicle was plainly followed from one moment to another: what every rule
//! asks before it accuses.

use contract::VehicleClass;
use contract::geometry::Point;

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
/// Out of sight for less, no other takes its place unseen.
const UNSEEN: Nanos = seconds(0.25);
/// Over a gap it goes on at the mean of its paces before and after, to this share of its height, and
/// its size likewise, to this share.
const GOES_ON: f32 = 0.3;
const SAME_SIZE: f32 = 0.25;
/// A vehicle gains or loses no more pace than this in a second, in its own heights a second: nearly
/// 4 m/s² of a car. Who brakes harder while out of sight is not believed to be the same.
const GAINS: f32 = 2.5;
/// How exactly a pace is known, likewise.
const PACE_WITHIN: f32 = 0.3;
/// Covered from below a box is lower than about then, and lower for its width, by these shares.
const LOWER: f32 = 0.8;
const FLATTER: f32 = 0.75;
/// Where its upper edge went up the picture by such a share of what the lower one did, it drove away
/// and may be turning: from its side it looks flatter, by such a share. Who is tall has its upper edge
/// nearer to the horizon, who is long has a longer side.
const TURNING: Turning = Turning { along: 0.35, flatter: 0.35 };
const LONG_TURNING: Turning = Turning { along: 0.25, flatter: 0.2 };
const ABOUT: Nanos = seconds(3.0);

/// Pictures a second at which who is missed in one picture is seen again within `bears`.
pub const fn fps_within(bears: Nanos) -> f32 {
    (2.0 * SECOND as f64 / bears as f64) as f32
}

/// Why it is not certain, if so; `lost` names it where the vehicle was out of sight. Its identity
/// must be beyond doubt from a second earlier to a second later: a tracker that took the wrong one
/// may only come to doubt it then.
pub fn doubt(track: &Track, from: Nanos, until: Nanos, lost: Doubt) -> Option<Doubt> {
    let followed = track.quality(from.saturating_sub(SECOND), until);
    match seen_doubtfully(track, from, until) {
        Some(Doubt::PoorlySeen) | None if followed.longest_gap > MAX_GAP => Some(lost),
        doubt => doubt,
    }
}

/// The same of one who may have been out of sight.
pub fn seen_doubtfully(track: &Track, from: Nanos, until: Nanos) -> Option<Doubt> {
    if track.quality(from.saturating_sub(SECOND), until + SECOND).doubts > 0 {
        return Some(Doubt::IdentityUncertain);
    }
    (track.quality(from, until).clarity < CLARITY).then_some(Doubt::PoorlySeen)
}

/// Whether between two sightings of the path no picture in which it was seen lies for longer than
/// may be, whether or not it was looked for.
pub fn closely(track: &Track, from: usize, until: usize) -> bool {
    (from + 1..=until).all(|i| track.path[i].t - track.path[i - 1].t <= MAX_GAP)
}

/// Whether between two sightings it may have become another vehicle's: the box leaps from where its
/// pace would take it, or what is seen after a gap does not go on from what was seen before.
pub fn exchanged(track: &Track, scene: &Scene<'_>, from: usize, until: usize) -> bool {
    leaps(track, scene, from, until) || broken(track, scene, from, until)
}

/// Whether at a gap within two sightings the way, its pace or the size breaks off.
fn broken(track: &Track, scene: &Scene<'_>, from: usize, until: usize) -> bool {
    let path = &track.path;
    let within = (path[from].t, path[until].t);
    let gaps = track.gaps.iter().filter(|gap| gap.to > within.0 && gap.from < within.1);
    gaps.filter(|gap| gap.length() >= UNSEEN).any(|gap| {
        let (here, there) = (track.at(gap.from), track.at(gap.to));
        let before = side(track, scene, here, (0..here).rev());
        let after = side(track, scene, there, there + 1..path.len());
        let (Some(before), Some(after)) = (before, after) else { return false };
        let took = in_seconds(gap.length()) as f32;
        let high = before.high.max(after.high);
        let goes = |a: f32, b: f32| (a + b) / 2.0 * took;
        let [[x, y], [px, py]] = [there, here].map(|i| path[i].bbox.foot());
        let [[vx, vy], [pvx, pvy]] = [after.pace, before.pace];
        let off = libm::hypotf(x - px - goes(pvx, vx), y - py - goes(pvy, vy));
        let gained = libm::hypotf(vx - pvx, vy - pvy);
        // Between the middles of the two stretches over which the paces were told.
        let over = took + MOMENT as f32;
        let grown =
            libm::logf(after.high / before.high) - (before.grows + after.grows) / 2.0 * over;
        off > GOES_ON * high
            || gained > (GAINS * over + PACE_WITHIN) * high
            || grown.abs() > SAME_SIZE
    })
}

/// One side of a gap: pixels a second, middle height in pixels, and by what share a second it grows.
struct Side {
    pace: Point,
    high: f32,
    grows: f32,
}

/// None where less of it was seen than a moment, or the picture's edge trimmed it.
fn side(
    track: &Track,
    scene: &Scene<'_>,
    at: usize,
    away: impl Iterator<Item = usize> + Clone,
) -> Option<Side> {
    let path = &track.path;
    let apart = |i: usize| in_seconds(path[i].t.abs_diff(path[at].t));
    let far = away.clone().find(|&i| apart(i) >= MOMENT)?;
    let mut sizes: Vec<f32> =
        away.take_while(|i| *i != far).map(|i| path[i].bbox.height()).collect();
    sizes.push(path[at].bbox.height());
    sizes.push(path[far].bbox.height());
    if [at, far].iter().any(|&i| scene.trims(&path[i].bbox)) {
        return None;
    }
    let took = in_seconds(path[at].t) as f32 - in_seconds(path[far].t) as f32;
    let [[x, y], [px, py]] = [at, far].map(|i| path[i].bbox.foot());
    let grows =
        libm::logf(path[at].bbox.height().max(1.0) / path[far].bbox.height().max(1.0)) / took;
    sizes.sort_by(f32::total_cmp);
    let high = sizes[sizes.len() / 2].max(1.0);
    Some(Side { pace: [(x - px) / took, (y - py) / took], high, grows })
}

/// Whether between two sightings the box leaps from where its pace would take it: then it may be
/// another vehicle's.
fn leaps(track: &Track, scene: &Scene<'_>, from: usize, until: usize) -> bool {
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
    all_covered(track, scene, from, until).next().is_some()
}

/// The sightings between two, both included, in which something covered it from below, in order.
pub fn all_covered(
    track: &Track,
    scene: &Scene<'_>,
    from: usize,
    until: usize,
) -> impl Iterator<Item = usize> {
    let path = &track.path;
    let first = path.partition_point(|seen| seen.t + ABOUT < path[from].t);
    let last = path.partition_point(|seen| seen.t <= path[until].t + ABOUT);
    let trimmed = |i: usize| (i.saturating_sub(4)..=i).any(|i| scene.trims(&path[i].bbox));
    let size = |i: usize| (i, height(track, i), width(track, i));
    let long = matches!(track.class, VehicleClass::Bus | VehicleClass::Truck);
    let may_turn = if long { LONG_TURNING } else { TURNING };
    let sizes: Vec<(usize, f32, f32)> = (first..last).filter(|i| !trimmed(*i)).map(size).collect();
    (0..sizes.len()).filter_map(move |n| {
        let (i, high, wide) = sizes[n];
        let about = |k: usize| path[k].t.abs_diff(path[i].t) <= ABOUT;
        let covered = (from..=until).contains(&i)
            && sizes.iter().filter(|(k, ..)| about(*k)).any(|&(k, whole, across)| {
                let turning = may_turn.receded(path[i].bbox.y1 - path[k].bbox.y1, high - whole);
                let flatter = if turning { may_turn.flatter } else { FLATTER };
                high < LOWER * whole && high / wide < flatter * whole / across
            });
        covered.then_some(i)
    })
}

/// What is left of a box's shape from the vehicle's side.
struct Turning {
    along: f32,
    flatter: f32,
}

impl Turning {
    /// Whether it went up the picture, its upper edge too: by how much that one came down, and by how
    /// much higher the box became.
    fn receded(&self, upper: f32, higher: f32) -> bool {
        let lower = upper + higher;
        lower < 0.0 && upper <= self.along * lower
    }
}

#[cfg(test)]
mod tests {
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

    /// The same sightings, but for those within a gap that the tracker noted.
    fn unseen(mut track: Track, gap: std::ops::Range<usize>) -> Track {
        let (from, to) = (track.path[gap.start - 1].t, track.path[gap.end].t);
        track.path.retain(|seen| seen.t <= from || seen.t >= to);
        track.gaps.push(crate::track::Gap { from, to });
        track
    }

    #[test]
    fn over_a_gap_it_goes_on_as_before_or_may_be_another() {
        let whole = |track: &Track| exchanged(track, &scene(), 0, track.path.len() - 1);
        let steady = track((0..30).map(|i| (500.0, 900.0 - 15.0 * i as f32, 100.0, 100.0)));
        assert!(!whole(&unseen(steady, 12..17)));
        // It brakes and turns while it is out of sight, as a car may.
        let turns = |i: i32| {
            let t = (i - 12).clamp(0, 10) as f32 / 10.0;
            let after = (i - 22).max(0) as f32;
            (
                500.0 - 75.0 * t * t - 15.0 * after,
                900.0 - 12.0 * i.min(12) as f32 - 120.0 * (t - 0.5 * t * t),
                100.0,
                100.0,
            )
        };
        assert!(!whole(&unseen(track((0..40).map(turns)), 14..19)));
        let stands_then_crosses = |i: i32| (500.0 - 30.0 * (i - 15).max(0) as f32, 600.0);
        let crosses = track((0..40).map(stands_then_crosses).map(|(x, y)| (x, y, 100.0, 100.0)));
        assert!(whole(&unseen(crosses, 13..18)), "from standing to three heights a second");
        let beside = |i: i32| (if i < 15 { 500.0 } else { 450.0 }, 900.0 - 15.0 * i as f32);
        let beside = track((0..30).map(beside).map(|(x, y)| (x, y, 100.0, 100.0)));
        assert!(whole(&unseen(beside, 13..18)), "half its height to the side");
        let taller = |i: i32| if i < 15 { 100.0 } else { 140.0 };
        let taller = track((0..30).map(|i| (500.0, 900.0 - 15.0 * i as f32, taller(i), 100.0)));
        assert!(whole(&unseen(taller, 13..18)), "of another size");
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
