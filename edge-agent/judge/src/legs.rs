//! A vehicle's way in legs of half its height: what trembles, stands or is seen a little too high
//! for one picture is no way, and every leg has a heading and a pace of its own.

use contract::MomentRole;
use contract::geometry::{BBox, Point};

use crate::rules::{Album, Attention};
use crate::time::{Nanos, in_seconds};
use crate::track::Track;

/// The shortest way that counts, in vehicle heights.
pub const LEG: f32 = 0.5;
/// One leg that is this share of a whole way is a jump of the box, perhaps to another vehicle.
const JUMP: f32 = 0.4;

/// A way from one sighting to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leg {
    pub from: usize,
    pub to: usize,
    /// In vehicle heights.
    pub way: f32,
    pub heading: Point,
    pub took: Nanos,
}

impl Leg {
    /// Vehicle heights a second.
    pub fn pace(&self) -> f32 {
        self.way / in_seconds(self.took.max(1)) as f32
    }
}

/// The whole way. What is known of it does not change with later sightings.
pub fn legs(track: &Track) -> Vec<Leg> {
    let mut legs = Vec::new();
    let mut from = 0;
    for to in 1..track.path.len() {
        let (a, b) = (&track.path[from], &track.path[to]);
        let ([x, y], [px, py]) = (b.bbox.foot(), a.bbox.foot());
        let heading = [x - px, y - py];
        let way = libm::hypotf(heading[0], heading[1]) / height(track, to);
        if way >= LEG {
            legs.push(Leg { from, to, way, heading, took: b.t - a.t });
            from = to;
        }
    }
    legs
}

/// Where the way has come to: the end of its last leg.
pub fn place(legs: &[Leg]) -> usize {
    legs.last().map_or(0, |leg| leg.to)
}

/// The middle height of the boxes up to sighting `i`: one bad box is no measure.
pub fn height(track: &Track, i: usize) -> f32 {
    middle(track, i, BBox::height)
}

/// The same of their widths.
pub fn width(track: &Track, i: usize) -> f32 {
    middle(track, i, BBox::width)
}

fn middle(track: &Track, i: usize, side: impl Fn(&BBox) -> f32) -> f32 {
    let mut sides = [0.0; 5];
    let first = i.saturating_sub(4);
    let some = &mut sides[..=i - first];
    for (known, seen) in some.iter_mut().zip(track.path.range(first..=i)) {
        *known = side(&seen.bbox);
    }
    some.sort_by(f32::total_cmp);
    some[some.len() / 2].max(1.0)
}

/// Cosine between two directions, and the degrees.
pub fn cosine(a: Point, b: Point) -> f32 {
    let lengths = libm::hypotf(a[0], a[1]) * libm::hypotf(b[0], b[1]);
    (a[0] * b[0] + a[1] * b[1]) / lengths.max(f32::EPSILON)
}

pub fn degrees(a: Point, b: Point) -> f32 {
    libm::acosf(cosine(a, b).clamp(-1.0, 1.0)).to_degrees()
}

/// Legs one after another that have something in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run<'a>(&'a [Leg]);

impl<'a> Run<'a> {
    /// Every run of legs that are `such`, in order.
    pub fn all(legs: &'a [Leg], such: impl Fn(&Leg) -> bool) -> Vec<Self> {
        let same = |a: &Leg, b: &Leg| such(a) == such(b);
        legs.chunk_by(same).filter(|run| such(&run[0])).map(Self).collect()
    }

    pub fn legs(&self) -> &'a [Leg] {
        self.0
    }

    /// The sightings that it begins and ends with.
    pub fn begin(&self) -> usize {
        self.0[0].from
    }

    pub fn end(&self) -> usize {
        place(self.0)
    }

    /// In vehicle heights.
    pub fn way(&self) -> f32 {
        self.0.iter().map(|leg| leg.way).sum()
    }

    pub fn took(&self) -> Nanos {
        self.0.iter().map(|leg| leg.took).sum()
    }

    /// Its first legs that make up `way` and take at least `time`; none where it is shorter.
    pub fn first(&self, way: f32, time: Nanos) -> Option<Self> {
        (1..=self.0.len())
            .map(|n| Self(&self.0[..n]))
            .find(|run| run.way() >= way && run.took() >= time)
    }

    /// Whether one leg makes up more of it than a vehicle's motion would.
    pub fn jumps(&self) -> bool {
        let whole = self.way();
        self.0.iter().any(|leg| leg.way > JUMP * whole)
    }

    /// Whether the vehicle as a whole went along, its upper edge too, and was not only covered or
    /// uncovered from below.
    pub fn moved_as_a_whole(&self, track: &Track) -> bool {
        let (a, b) = (&track.path[self.begin()].bbox, &track.path[self.end()].bbox);
        let ([x, y], [px, py]) = (b.foot(), a.foot());
        let ([tx, ty], way) = ([b.centre()[0] - a.centre()[0], b.y1 - a.y1], [x - px, y - py]);
        let along = (tx * way[0] + ty * way[1]) / (way[0] * way[0] + way[1] * way[1]).max(1.0);
        along >= 0.25
    }
}

/// What a way must come to, and when its pictures are due.
#[derive(Debug, Clone, Copy)]
pub struct Enough {
    pub way: f32,
    pub time: Nanos,
}

impl Enough {
    /// The sightings at the begin, in the middle and at the end of the part of `run` that suffices.
    pub fn of<'a>(&self, run: &Run<'a>) -> Option<(Run<'a>, [(MomentRole, usize); 3])> {
        let whole = run.first(self.way, self.time)?;
        let half = run.first(self.way / 2.0, self.time / 2)?;
        let moments = [
            (MomentRole::Begin, whole.begin()),
            (MomentRole::During, half.end()),
            (MomentRole::End, whole.end()),
        ];
        Some((whole, moments))
    }

    /// Keeps those pictures: until a run has begun, every place where one may (`inside`).
    pub fn attend(
        &self,
        track: &Track,
        legs: &[Leg],
        such: impl Fn(&Leg) -> bool,
        inside: impl Fn(usize) -> bool,
        album: &mut Album,
    ) -> Attention {
        let (here, last) = (place(legs), track.path.len() - 1);
        let going = legs.last().filter(|leg| such(leg));
        if here == last && !album.closed {
            let t = track.path[last].t;
            let run = going.and_then(|_| Run::all(legs, such).pop());
            match run {
                None => {
                    album.clear();
                    if inside(last) {
                        album.keep(MomentRole::Begin, t);
                    }
                }
                Some(run) => {
                    if !album.holds(MomentRole::During)
                        && run.first(self.way / 2.0, self.time / 2).is_some()
                    {
                        album.keep(MomentRole::During, t);
                    }
                    if run.first(self.way, self.time).is_some() {
                        album.keep(MomentRole::End, t);
                        album.closed = true;
                    }
                }
            }
        }
        match (album.closed || album.holds(MomentRole::During), album.holds(MomentRole::Begin)) {
            (true, _) => Attention::Suspect,
            (false, true) if going.is_some() => Attention::Near,
            _ => Attention::Idle,
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::VehicleClass;
    use proptest::prelude::*;

    use super::*;
    use crate::time::SECOND;
    use crate::track::Observation;

    /// Ten sightings a second of a box 100 high, by its contact point.
    fn track(feet: &[Point]) -> Track {
        let seen = |(i, [x, y]): (usize, &Point)| Observation {
            t: i as u64 * SECOND / 10,
            bbox: BBox::new(x - 25.0, y - 100.0, x + 25.0, *y),
            strong: true,
        };
        let mut all = feet.iter().enumerate().map(seen);
        let mut track = Track::new(1, VehicleClass::Motorbike, all.next().unwrap());
        all.for_each(|seen| track.see(seen));
        track
    }

    #[test]
    fn a_way_comes_in_legs_with_heading_and_pace() {
        let up: Vec<Point> = (0..31).map(|i| [500.0, 900.0 - 10.0 * i as f32]).collect();
        let legs = legs(&track(&up));
        assert_eq!(legs.len(), 6);
        assert!(legs.iter().all(|leg| leg.way == 0.5 && leg.heading == [0.0, -50.0]), "{legs:?}");
        assert!(legs.iter().all(|leg| (leg.pace() - 1.0).abs() < 1e-3), "{legs:?}");
        let runs = Run::all(&legs, |leg| leg.from < 10 || leg.from >= 20);
        let ends: Vec<_> = runs.iter().map(|run| (run.begin(), run.end())).collect();
        assert_eq!(ends, [(0, 10), (20, 30)]);
        assert_eq!(runs[1].first(0.5, SECOND).map(|run| run.end()), Some(30), "way and time");
        assert_eq!(runs[1].first(1.5, 0), None);
    }

    #[test]
    fn one_long_leg_is_a_jump() {
        let mut feet: Vec<Point> = (0..20).map(|i| [500.0, 900.0 - 10.0 * i as f32]).collect();
        let steady = legs(&track(&feet));
        assert!(!Run::all(&steady, |_| true)[0].jumps());
        feet.extend((0..5).map(|i| [500.0, 500.0 - 10.0 * i as f32]));
        let leaping = legs(&track(&feet));
        assert!(Run::all(&leaping, |_| true)[0].jumps());
    }

    proptest! {
        #[test]
        fn who_trembles_has_no_way(
            feet in prop::collection::vec((-17.0f32..17.0, -17.0f32..17.0), 1..200),
        ) {
            let feet: Vec<Point> = feet.iter().map(|(x, y)| [500.0 + x, 500.0 + y]).collect();
            prop_assert_eq!(legs(&track(&feet)), []);
        }

        #[test]
        fn what_was_known_does_not_change(
            steps in prop::collection::vec((-30.0f32..30.0, -30.0f32..30.0), 2..150),
            cut in 1usize..150,
        ) {
            let mut at = [500.0, 500.0];
            let feet: Vec<Point> = steps
                .iter()
                .map(|(x, y)| {
                    at = [at[0] + x, at[1] + y];
                    at
                })
                .collect();
            let (early, late) = (legs(&track(&feet[..cut.min(feet.len())])), legs(&track(&feet)));
            prop_assert_eq!(&late[..early.len()], &early[..]);
        }
    }
}
