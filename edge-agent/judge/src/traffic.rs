//! The others on the road: who stands near a vehicle, and whether anybody passes it. A queue is not
//! parking, and one picture of it does not show its cause, so only who stands alone, or is passed
//! while nobody else stands about, is said to stand of his own will.

use contract::geometry::Point;

use crate::stand::Stand;
use crate::time::{Nanos, seconds};
use crate::track::Companion;

/// Moving less than `STILL` heights over this time, another one stands.
const WHILE: Nanos = seconds(3.0);
const STILL: f32 = 0.3;
/// Sightings of others are no farther apart than this.
const SEEN_AGAIN: Nanos = seconds(3.0);
/// Within so many heights of the larger of both they may stand in one queue.
const QUEUE: f32 = 6.0;
/// A queue that moves again needs this long to reach the next.
const SET_OFF: Nanos = seconds(5.0);
/// Going by within so many heights another one passes.
const BESIDE: f32 = 8.0;

/// Until when another one stood so near that both may have waited in one queue; none where nobody
/// did since `stand` began.
pub fn queued_until(company: &[&Companion], stand: &Stand) -> Option<Nanos> {
    let until = |other: &Companion| standing(other, stand, QUEUE).next();
    company.iter().copied().filter_map(until).map(|t| t + SET_OFF).max()
}

/// Whether traffic stood anywhere else in sight while nobody passed.
pub fn halted(company: &[&Companion], stand: &Stand) -> bool {
    let halts = company.iter().any(|other| standing(other, stand, f32::INFINITY).next().is_some());
    halts && !company.iter().any(|other| passes(other, stand))
}

/// When another one stood within `reach` heights of the larger of both during `stand`, newest first.
fn standing(other: &Companion, stand: &Stand, reach: f32) -> impl Iterator<Item = Nanos> {
    let Stand { from, to, place: centre, height, .. } = *stand;
    let seen = &other.seen;
    let during = (0..seen.len()).rev().map(|i| (i, seen[i])).skip_while(move |(_, (t, _))| *t > to);
    during.take_while(move |(_, (t, _))| *t >= from).filter_map(move |(i, (t, place))| {
        let tall = other.height_at(i).max(1.0);
        if distance(place, centre) > reach * height.max(tall) {
            return None;
        }
        let before = (0..i).rev().take_while(|k| t - seen[*k].0 <= WHILE + SEEN_AGAIN);
        // From far away it hardly moves in the picture: by its size there and then.
        let mut still = before
            .take_while(|k| distance(seen[*k].1, place) <= STILL * tall.max(other.height_at(*k)));
        still.any(|k| t - seen[k].0 >= WHILE).then_some(t)
    })
}

/// Whether another one drove by while it stood.
fn passes(other: &Companion, stand: &Stand) -> bool {
    let near = BESIDE * stand.height.max(other.height);
    let steps = other.seen.windows(2).filter(|pair| {
        let [(a, from), (b, to)] = [pair[0], pair[1]];
        a >= stand.from
            && b <= stand.to
            && b - a <= SEEN_AGAIN
            && distance(from, to) >= other.height.max(1.0)
            && distance(to, stand.place) <= near
    });
    steps.count() > 0
}

fn distance(a: Point, b: Point) -> f32 {
    libm::hypotf(a[0] - b[0], a[1] - b[1])
}
