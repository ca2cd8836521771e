//! Vượt đèn đỏ. The contact point crosses the stop line from the approach while the lamp of the
//! vehicle's movement is red, and the vehicle goes on: over an exit, or clearly away from the line.
//!
//! In the vehicle's favour: its front (ahead of the contact point) must already have met red; red
//! must have been lit for a grace; a turn that the camera's site or a green arrow allows is lawful;
//! stopping over the line until green is another rule; first seen beyond the line, lost on it, possibly
//! exchanged with another vehicle, or under a lamp that cannot be read, nobody is accused.

use contract::violation::Lamp;
use contract::{Movement, Rule};

use super::lamps::{self, Signal};
use super::passage::{self, Passage};
use super::{Doubt, Finding, Lawful, Scene, Verdict};
use crate::see::road::Road;
use crate::see::track::Track;
use crate::see::{Nanos, SECOND, seconds};

/// Beyond the line by this share of the vehicle's height counts as past it.
const PAST: f32 = 0.5;
/// Without crossing an exit the vehicle must come this far.
const WELL_PAST: f32 = 1.2;
/// A vehicle must have been followed to the line this long and in this many sightings.
const LEAST_FOLLOWED: Nanos = seconds(0.3);
const LEAST_SEEN: usize = 3;
/// A vehicle lost from sight while still moving must have come this far.
const LOST_PAST: f32 = 0.6;
/// An exit this soon after the line still needs the vehicle to have left the line.
const LEFT_LINE: f32 = 0.08;
/// Whoever takes longer than this from the line to past it has stopped in between.
const WAITED: Nanos = seconds(2.0);
/// Whoever stood this shortly before it was lost from sight still stands there.
const STILL_THERE: Nanos = seconds(1.5);
/// How long an exit is waited for.
const EXIT_WAIT: Nanos = seconds(6.0);

pub fn judge(track: &Track, scene: &Scene<'_>) -> Verdict {
    let road = scene.road;
    let Some(passage) = Passage::find(track, road) else {
        let beyond = road.stop.beyond(track.last().bbox.foot()) >= 0.0;
        return match (scene.ended, beyond) {
            (true, true) => Verdict::Abstained(Doubt::FirstSeenBeyond),
            (true, false) => Verdict::Lawful(Lawful::NeverCrossed),
            (false, _) => Verdict::Pending,
        };
    };
    let from_approach =
        track.path.iter().take(passage.on).any(|seen| road.in_approach(seen.bbox.foot()));
    if !from_approach {
        return Verdict::Lawful(Lawful::NotFromApproach);
    }
    let (movements, past, by_exit) = match departure(track, scene, &passage) {
        Departure::Gone { movements, past, by_exit } => (movements, past, by_exit),
        Departure::Going => return Verdict::Pending,
        Departure::AtLine if scene.ended => return Verdict::Lawful(Lawful::StayedAtLine),
        Departure::AtLine => return Verdict::Pending,
    };

    // The lamp: every movement that may be meant must have been forbidden.
    let front = passage.front_at(track, road);
    let mut red_since = 0;
    for &movement in &movements {
        if movement == Movement::Right && scene.camera.right_on_red {
            return lawful_or_unclear(&movements, Lawful::MovementAllowed);
        }
        match lamps::signal(scene.lamps, movement, passage.at) {
            Signal::Red { since } => red_since = red_since.max(since),
            Signal::Open => return lawful_or_unclear(&movements, Lawful::LampNotRed),
            Signal::Ungoverned => return lawful_or_unclear(&movements, Lawful::MovementAllowed),
            Signal::Unknown => return Verdict::Abstained(Doubt::LampUnknown),
        }
    }
    let grace = scene.camera.red_grace_ms * 1_000_000;
    if passage.at < red_since + grace {
        return Verdict::Lawful(Lawful::RedTooYoung);
    }
    if front < red_since + grace {
        return Verdict::Lawful(Lawful::FrontCrossedBeforeRed);
    }

    // Over the line on red, there until green, then on: the stop line rule's.
    let red = |at: Nanos| {
        let red = |movement: &Movement| {
            matches!(lamps::signal(scene.lamps, *movement, at), Signal::Red { .. })
        };
        movements.iter().all(red)
    };
    let waited = past.saturating_sub(passage.at) > WAITED && !red(past);
    // It may set off a moment before its wheels are seen to move.
    let set_off = stood_over(track, road, &passage).map(|until| (until + SECOND).min(scene.now));
    if waited || set_off.is_some_and(|at| !red(at)) {
        return Verdict::Lawful(Lawful::WaitedForGreen);
    }

    // The vehicle: one and the same, plainly before the line and plainly past it.
    if !passage.sound() {
        return Verdict::Abstained(Doubt::LostAtLine);
    }
    let Some(before) = passage.before(track, road, 0.1) else {
        return Verdict::Abstained(Doubt::FirstSeenBeyond);
    };
    // A part of a vehicle that is taken for one for a moment comes from nowhere.
    let followed = passage.at.saturating_sub(track.path[0].t);
    if passage.on < LEAST_SEEN || followed < LEAST_FOLLOWED || track.path.len() < 3 * LEAST_SEEN {
        return Verdict::Abstained(Doubt::SeenTooLate);
    }
    if let Some(doubt) = passage::doubt(track, before.t, past) {
        return Verdict::Abstained(doubt);
    }

    let movement = movements[0];
    let red_elapsed = passage.at - red_since;
    let right_arrow = lamps::right_arrow(scene.lamps, passage.at);
    let way = match (by_exit, movement) {
        (true, Movement::Straight) => "crossed the exit ahead",
        (true, Movement::Left) => "crossed the exit to the left",
        (true, Movement::Right) => "crossed the exit to the right",
        (_, Movement::Left) => "went on to the left",
        (_, Movement::Right) => "went on to the right",
        _ => "went on straight ahead",
    };
    let arrow =
        if right_arrow { "; the green right arrow did not govern this movement" } else { "" };
    let reason = format!(
        "crossed the stop line {:.1} s after red was seen and {way}{arrow}",
        red_elapsed as f64 / SECOND as f64
    );
    Verdict::Violation(Finding {
        rule: Rule::RedLight,
        at: passage.at,
        before: before.t,
        past,
        movement,
        lamp: Lamp::Red,
        red_elapsed,
        right_arrow,
        reason,
    })
}

/// A movement that is plain is lawful; one of several that may be meant leaves doubt.
fn lawful_or_unclear(movements: &[Movement], reason: Lawful) -> Verdict {
    if movements.len() == 1 {
        Verdict::Lawful(reason)
    } else {
        Verdict::Abstained(Doubt::MovementUnclear)
    }
}

/// How the vehicle left the line.
enum Departure {
    /// Not past it.
    AtLine,
    /// Past it, its movement still being made.
    Going,
    Gone {
        /// The movement made, or those that may be meant.
        movements: Vec<Movement>,
        /// The first sighting past the line.
        past: Nanos,
        by_exit: bool,
    },
}

fn departure(track: &Track, scene: &Scene<'_>, passage: &Passage) -> Departure {
    let road = scene.road;
    let path = &track.path;
    let beyond = |i: usize| road.stop.beyond(path[i].bbox.foot()) / passage.size;
    // Lost from sight where it stood; that its box jumped as others covered it is no motion.
    // Asked of a track's whole way, so only once it has ended, not at every picture.
    let lost_standing = |until: Nanos| track.last().t.saturating_sub(until) <= STILL_THERE;
    if scene.ended && stood_over(track, road, passage).is_some_and(lost_standing) {
        return Departure::AtLine;
    }
    let first_past = (passage.on..path.len()).find(|&i| beyond(i) >= PAST);
    for i in passage.on..path.len() {
        let exit = road.exit(path[i - 1].bbox.foot(), path[i].bbox.foot());
        if let Some(movement) = exit
            && beyond(i) >= LEFT_LINE
        {
            let past = path[first_past.map_or(i, |first| first.min(i))].t;
            return Departure::Gone { movements: vec![movement], past, by_exit: true };
        }
    }
    let last = path.len() - 1;
    // Hidden by others in the junction it is lost early; moving to the last, it did not stop there.
    let hidden = scene.ended && beyond(last) >= LOST_PAST && moving(track, last);
    let Some(past) = first_past.filter(|_| hidden || beyond(last) >= WELL_PAST) else {
        return Departure::AtLine;
    };
    let waited = scene.now.saturating_sub(passage.at) >= EXIT_WAIT;
    // Standing in the junction it may still be about to turn.
    if !scene.ended && (!waited || passage::stood(track, last, seconds(2.0), 0.1)) {
        return Departure::Going;
    }
    let movements = headings(track, road, passage);
    Departure::Gone { movements, past: path[past].t, by_exit: false }
}

/// Until when the vehicle stood over the line, however far it had come before it stopped.
fn stood_over(track: &Track, road: &Road, passage: &Passage) -> Option<Nanos> {
    (passage.on..track.path.len())
        .rev()
        .find(|&i| {
            let beyond = road.stop.beyond(track.path[i].bbox.foot());
            let stood = passage::stood(track, i, WAITED, 0.1)
                || passage::stood_behind(track, i, WAITED, 0.1);
            beyond <= WELL_PAST * passage.size && stood
        })
        .map(|i| track.path[i].t)
}

/// Whether over the second before sighting `last` the vehicle clearly moved.
fn moving(track: &Track, last: usize) -> bool {
    let here = &track.path[last];
    let earlier = track.path.iter().rfind(|seen| seen.t + SECOND <= here.t);
    earlier.is_some_and(|seen| {
        let ([x, y], [px, py]) = (here.bbox.foot(), seen.bbox.foot());
        (x - px).hypot(y - py) > 0.15 * here.bbox.height()
    })
}

/// The movements that the way over the junction may mean: where it was heading at the end first,
/// then where it went as a whole, because a turn begins straight.
fn headings(track: &Track, road: &Road, passage: &Passage) -> Vec<Movement> {
    let end = track.last();
    let late = track
        .path
        .iter()
        .skip(passage.on)
        .rfind(|seen| seen.t + SECOND <= end.t)
        .map_or(passage.point, |seen| seen.bbox.foot());
    let mut movements = road.heading(late, end.bbox.foot());
    for movement in road.heading(passage.point, end.bbox.foot()) {
        if !movements.contains(&movement) {
            movements.push(movement);
        }
    }
    movements
}

#[cfg(test)]
mod tests;
