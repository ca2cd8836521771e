//! Which way a vehicle goes over the junction. Path and heading must say the same: an exit counts
//! once it was crossed, left behind and not grazed, with no other exit ahead. Until then every
//! movement is open whose exits do not all lie behind the vehicle, and none is guessed.

use contract::Movement;
use contract::geometry::Point;

use crate::legs::{cosine, degrees};
use crate::passage::{Passage, WELL_PAST};
use crate::road::{Line, Road};
use crate::rules::{Doubt, Lawful, Scene, Verdict};
use crate::time::{Nanos, SECOND};
use crate::track::Track;

/// What a vehicle may do beyond a stop line, but for turning round.
pub const ALL: [Movement; 3] = [Movement::Straight, Movement::Left, Movement::Right];

/// This far beyond an exit, in vehicle heights, it has been left by.
const OUT: f32 = 1.0;
/// Lost from sight this little beyond an exit it was not seen to leave, unless it was there in
/// [`SEEN_OUT`] sightings: a box that is partly covered jumps.
const BARELY: f32 = 0.15;
const SEEN_OUT: usize = 3;
/// The stretch of way, in vehicle heights, that tells a heading.
const STRETCH: f32 = 1.0;
/// A shorter way than this since the line tells nothing.
const SHORT: f32 = 0.3;
/// Cosine between heading and an exit's way out from which it is not merely grazed: 60°.
const NOT_GRAZED: f32 = 0.5;
/// Degrees aside of straight on up to which a heading is straight, from which it is to a side, and
/// how far the way as a whole must have come to that side.
const STRAIGHT: f32 = 40.0;
const ASIDE: f32 = 50.0;
const CAME_ASIDE: f32 = 15.0;
/// The same for straight on as the narrowing road draws it.
const ALONG_ROAD: f32 = 30.0;
/// An exit to a side is not left by with a heading that is less aside than this.
const LEAST_ASIDE: f32 = 25.0;
/// What lies ahead, in vehicle heights, may yet be where it goes.
const AHEAD: f32 = 4.0;
/// How far beyond its drawn ends, as a share of its length, an exit ahead may be meant.
const WIDE: f32 = 0.25;
/// No step of turning round is as large a share of the way aside as this.
const STEP: f32 = 0.35;
/// This long after a side exit a vehicle may yet come back, and as long as its latest way, in vehicle
/// heights, does not lead out by it: who turns round wide and slowly is beyond it for longer.
const COMES_BACK: Nanos = 2 * SECOND;
const LATELY: f32 = 0.5;
/// An exit lies behind where its ends are this far from the heading and from the way as a whole.
const BEHIND_HEADING: f32 = 100.0;
const BEHIND_WAY: f32 = 90.0;

/// What is known of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Out of the junction: the movement, and the first sighting beyond its exit.
    Out {
        movement: Movement,
        on: usize,
    },
    /// Over an exit at this sighting, but not plainly out by it.
    Leaving {
        on: usize,
    },
    Inside,
}

/// What may still be meant by a way that was not seen to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    pub movements: Vec<Movement>,
    /// Where it was heading when last seen.
    pub likely: Movement,
    /// Whether the path as a whole says so too.
    pub plain: bool,
}

/// The way after `passage`, as far as it was seen; `ended` when no more will be.
pub fn way(track: &Track, road: &Road, passage: &Passage, ended: bool) -> Way {
    let foot = |i: usize| track.path[i].bbox.foot();
    let last = track.path.len() - 1;
    let mut over: Option<(Over<'_>, usize)> = None;
    for i in passage.on..=last {
        let (from, to) = (foot(i - 1), foot(i));
        over = over.filter(|(over, _)| over.depth(road, to) >= 0.0);
        let mut crossed: Vec<(f32, &(Movement, Line))> = road
            .exits()
            .iter()
            .filter_map(|exit| Some((exit.1.crossing(from, to)?, exit)))
            .collect();
        crossed.sort_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, exit)) = crossed.last() {
            over = Some((Over::Exit(exit), i));
        }
        if road.stop.beyond(from) >= 0.0 && road.stop.beyond(to) < 0.0 {
            over = Some((Over::Line, i));
        }
    }
    let Some((over, on)) = over else { return Way::Inside };
    let here = &track.path[last].bbox;
    let depth = over.depth(road, here.foot()) / here.height().max(1.0);
    let left = depth >= OUT || ended && (depth >= BARELY || last + 1 - on >= SEEN_OUT);
    let movement = match over {
        Over::Line => swept(track, road, passage, on).then_some(Movement::UTurn),
        Over::Exit((movement, line)) => heading(track, passage)
            .filter(|&h| cosine(h, line.normal()) >= NOT_GRAZED)
            .filter(|&h| suits(road, passage, *movement, h))
            .filter(|&h| !another_ahead(road, *movement, here.foot(), h, AHEAD * here.height()))
            .map(|_| *movement),
    };
    match movement {
        Some(movement) if left => Way::Out { movement, on },
        _ => Way::Leaving { on },
    }
}

/// What a vehicle is over: an exit, or the stop line's extension on its way back.
enum Over<'a> {
    Exit(&'a (Movement, Line)),
    Line,
}

impl Over<'_> {
    fn depth(&self, road: &Road, p: Point) -> f32 {
        match self {
            Self::Exit((_, line)) => line.beyond(p),
            Self::Line => -road.stop.beyond(p),
        }
    }
}

/// Whether a heading out of the junction is one of `movement`: who cuts the corner of an exit is on
/// the way to another.
fn suits(road: &Road, passage: &Passage, movement: Movement, heading: Point) -> bool {
    let aside = road.aside(heading);
    let along = road.straight_on(passage.point).is_some_and(|to| {
        let way = [to[0] - passage.point[0], to[1] - passage.point[1]];
        degrees(heading, way) <= ALONG_ROAD
    });
    match movement {
        Movement::Left | Movement::UTurn => aside <= -LEAST_ASIDE,
        Movement::Right => aside >= LEAST_ASIDE,
        Movement::Straight => aside.abs() <= STRAIGHT || along,
    }
}

/// The movement that was plainly made, and the first sighting beyond its exit; else what is to be
/// said by now. Who left to a side may yet come back from there, turning round.
pub fn made(
    track: &Track,
    road: &Road,
    passage: &Passage,
    scene: &Scene<'_>,
) -> Result<(Movement, usize), Verdict> {
    let turning = |movement, on: usize| {
        let since = scene.now.saturating_sub(track.path[on].t);
        let may = since < COMES_BACK || !goes_on(track, road, passage, (movement, on));
        movement != Movement::UTurn && !scene.ended && may
    };
    match way(track, road, passage, scene.ended) {
        Way::Out { movement, on } if !turning(movement, on) => Ok((movement, on)),
        _ if !scene.ended => Err(Verdict::Pending),
        _ if road.stop.beyond(track.last().bbox.foot()) < WELL_PAST * passage.size => {
            Err(Verdict::Lawful(Lawful::StayedAtLine))
        }
        _ => Err(Verdict::Abstained(Doubt::MovementUnclear)),
    }
}

/// Whether its latest way still leads out by the exit that it crossed at sighting `on`.
fn goes_on(
    track: &Track,
    road: &Road,
    passage: &Passage,
    (movement, on): (Movement, usize),
) -> bool {
    let [from, to] = [on - 1, on].map(|i| track.path[i].bbox.foot());
    let crossed =
        |(exit, line): &&(Movement, Line)| *exit == movement && line.crossing(from, to).is_some();
    let way = way_over(track, passage, LATELY);
    road.exits()
        .iter()
        .filter(crossed)
        .any(|(_, line)| way.is_some_and(|way| cosine(way, line.normal()) >= NOT_GRAZED))
}

/// Whether it came over to where it goes back at sighting `on` in many steps, as turning round does:
/// a box that another took over, who came against it, is there in one.
fn swept(track: &Track, road: &Road, passage: &Passage, on: usize) -> bool {
    let aside = |i: usize| road.stop.along(track.path[i].bbox.foot());
    let whole = (aside(on) - road.stop.along(passage.point)).abs();
    (passage.on + 1..=on).all(|i| (aside(i) - aside(i - 1)).abs() <= STEP * whole)
}

/// The movements that the way so far leaves open.
pub fn open(track: &Track, road: &Road, passage: &Passage) -> Open {
    let here = track.last().bbox.foot();
    let whole = [here[0] - passage.point[0], here[1] - passage.point[1]];
    let heading = heading(track, passage);
    let behind = |line: &Line| {
        heading.is_some_and(|heading| {
            line.ends().iter().all(|end| {
                let to = [end[0] - here[0], end[1] - here[1]];
                degrees(heading, to) >= BEHIND_HEADING && degrees(whole, to) >= BEHIND_WAY
            })
        })
    };
    // What no exit is drawn for cannot be shown to lie behind.
    let is_open = |movement: &Movement| {
        let mut exits = road.exits().iter().filter(|(m, _)| m == movement).peekable();
        exits.peek().is_none() || exits.any(|(_, line)| !behind(line))
    };
    let movements: Vec<Movement> = ALL.into_iter().filter(is_open).collect();
    let (came, goes) = (road.aside(whole), road.aside(heading.unwrap_or(whole)));
    let likely = match goes {
        d if d.abs() <= (STRAIGHT + ASIDE) / 2.0 => Movement::Straight,
        d if d > 0.0 => Movement::Right,
        _ => Movement::Left,
    };
    let plain = match likely {
        Movement::Straight => goes.abs().max(came.abs()) <= STRAIGHT,
        _ => goes.abs() >= ASIDE && came * goes.signum() >= CAME_ASIDE,
    };
    Open { plain: heading.is_some() && plain && movements.contains(&likely), likely, movements }
}

/// Where it was going over its last height of way, or since the line where that is shorter.
fn heading(track: &Track, passage: &Passage) -> Option<Point> {
    way_over(track, passage, STRETCH).or_else(|| since_line(track, passage, SHORT))
}

/// Its latest way of so many heights; none where it has come less far from the line.
fn way_over(track: &Track, passage: &Passage, heights: f32) -> Option<Point> {
    let since = (passage.on..track.path.len()).rev().map(|i| track.path[i].bbox.foot());
    let mut ways = since.map(|from| way_from(track, from));
    ways.find(|way| is_far(track, *way, heights)).or_else(|| since_line(track, passage, heights))
}

fn since_line(track: &Track, passage: &Passage, heights: f32) -> Option<Point> {
    Some(way_from(track, passage.point)).filter(|way| is_far(track, *way, heights))
}

fn way_from(track: &Track, from: Point) -> Point {
    let here = track.last().bbox.foot();
    [here[0] - from[0], here[1] - from[1]]
}

fn is_far(track: &Track, [x, y]: Point, heights: f32) -> bool {
    libm::hypotf(x, y) >= heights * track.last().bbox.height().max(1.0)
}

/// Whether an exit of another movement is straight ahead within `reach`.
fn another_ahead(road: &Road, own: Movement, from: Point, heading: Point, reach: f32) -> bool {
    let length = libm::hypotf(heading[0], heading[1]).max(f32::EPSILON);
    let to = [from[0] + heading[0] / length * reach, from[1] + heading[1] / length * reach];
    road.exits().iter().filter(|(movement, _)| *movement != own).any(|(_, line)| {
        let (before, after) = (line.beyond(from), line.beyond(to));
        if !(before < 0.0 && after >= 0.0) {
            return false;
        }
        let f = before / (before - after);
        let met = [from[0] + f * (to[0] - from[0]), from[1] + f * (to[1] - from[1])];
        (-WIDE..=1.0 + WIDE).contains(&line.along(met))
    })
}
