//! The others on the road: who stands near a vehicle, and whether anybody passes it. A queue is not
//! parking, and one picture of it does not show its cause, so only who stands alone, or is passed
//! while nobody else stands about, is said to stand of his own will.

use contract::VehicleClass;
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
/// No box is stiller than this, in heights.
const TREMBLES: f32 = 0.1;

/// How many times farther away one is than another, by their classes and heights in the picture.
pub fn farther(one: (VehicleClass, f32), than: (VehicleClass, f32)) -> f32 {
    let metres = |class| match class {
        // The rider sits as high as a car's roof.
        VehicleClass::Motorbike | VehicleClass::Car => 1.6,
        VehicleClass::Truck => 2.9,
        VehicleClass::Bus => 3.2,
    };
    let size = |(class, height): (VehicleClass, f32)| height.max(1.0) / metres(class);
    size(than) / size(one)
}

/// Until when another one stood so near that both may have waited in one queue; none where nobody
/// did since `stand` began.
pub fn queued_until(company: &[&Companion], stand: &Stand, class: VehicleClass) -> Option<Nanos> {
    let until = |other: &Companion| standing(other, (stand, class), QUEUE).next();
    company.iter().copied().filter_map(until).map(|t| t + SET_OFF).max()
}

/// Whether traffic stood anywhere else in sight while nobody passed. `class` is whose stand it is.
pub fn halted(company: &[&Companion], stand: &Stand, class: VehicleClass) -> bool {
    let halts =
        |other: &&Companion| standing(other, (stand, class), f32::INFINITY).next().is_some();
    company.iter().any(halts) && !company.iter().any(|other| passes(other, stand))
}

/// When another one stood within `reach` heights of the larger of both during `stand`, newest first.
fn standing<'a>(
    other: &'a Companion,
    (stand, class): (&'a Stand, VehicleClass),
    reach: f32,
) -> impl Iterator<Item = Nanos> + 'a {
    let Stand { from, to, place: centre, height, .. } = *stand;
    let seen = &other.seen;
    let during = (0..seen.len()).rev().map(|i| (i, seen[i])).skip_while(move |(_, (t, _))| *t > to);
    during.take_while(move |(_, (t, _))| *t >= from).filter_map(move |(i, (t, place))| {
        let tall = other.height_at(i).max(1.0);
        if distance(place, centre) > reach * height.max(tall) {
            return None;
        }
        // Farther away the same pace is less of the picture, and of the height too.
        let farther = farther((other.class, tall), (class, height)).max(1.0);
        let moves = (STILL / farther).max(TREMBLES);
        let before = (0..i).rev().take_while(|k| t - seen[*k].0 <= WHILE + SEEN_AGAIN);
        // From far away it hardly moves in the picture: by its size there and then.
        let mut still = before
            .take_while(|k| distance(seen[*k].1, place) <= moves * tall.max(other.height_at(*k)));
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
