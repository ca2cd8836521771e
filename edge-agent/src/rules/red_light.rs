//! Vượt đèn đỏ. The contact point crosses the stop line from the approach while the lamp of the
//! vehicle's movement is red, and the vehicle goes on: over an exit, or clearly away from the line.
//! Where any movement was allowed from there (a green arrow, an open head, a right turn that the
//! site frees or no lamp governs), only a forbidden exit accuses, or having left every way to the
//! allowed one behind; where none was, the movement need not be known.
//!
//! In the vehicle's favour: its front (ahead of the contact point) must already have met red; red
//! must have been lit for a grace; a turn that the camera's site or a green arrow allows is lawful;
//! stopping over the line until green is another rule; first seen beyond the line, lost on it, possibly
//! exchanged with another vehicle, or under a lamp that cannot be read, nobody is accused.

use contract::violation::Lamp;
use contract::{Movement, Rule};

use super::lamps::{self, Permission};
use super::movement::{self, Way};
use super::passage::{self, Passage, WELL_PAST};
use super::{Doubt, Finding, Lawful, Scene, Verdict};
use crate::see::road::Road;
use crate::see::track::Track;
use crate::see::{Nanos, SECOND, seconds};

/// Beyond the line by this share of the vehicle's height counts as past it.
const PAST: f32 = 0.5;
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
/// How long an exit is waited for where no movement is allowed.
const EXIT_WAIT: Nanos = seconds(6.0);
/// How long where one is: the recording is kept little longer than this and the clip.
const LONGEST: Nanos = seconds(30.0);

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
    let departure = departure(track, scene, &passage);
    let (movements, past, way) = match departure {
        Departure::Gone { movements, past, way } => (movements, past, way),
        Departure::Going => return Verdict::Pending,
        Departure::AtLine if scene.ended => return Verdict::Lawful(Lawful::StayedAtLine),
        Departure::AtLine => return Verdict::Pending,
    };

    // The lamp: every movement that may be meant must have been forbidden.
    let front = passage.front_at(track, road);
    let red_since = match red_for_all(scene, &movements, passage.at) {
        Ok(since) => since,
        Err(verdict) => return verdict,
    };
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
            matches!(lamps::permission(scene, *movement, at), Permission::Forbidden { .. })
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

    let red_elapsed = passage.at - red_since;
    let right_arrow = lamps::right_arrow(scene.lamps, passage.at);
    let (movement, way) = match way {
        Seen::Exit(movement) => (movement, format!("crossed the exit {}", side(movement))),
        Seen::Heading(movement) => (movement, format!("went on {}", side(movement))),
        Seen::NotToTheEnd(movement) => (
            movement,
            "went on into the junction; its movement was not seen to the end, each one it could \
             still make was forbidden"
                .to_owned(),
        ),
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

/// Since when red was lit for every one of `movements` at `t`; else what follows. Where one of
/// several that may be meant was allowed, nobody can say that the driver did another.
fn red_for_all(scene: &Scene<'_>, movements: &[Movement], t: Nanos) -> Result<Nanos, Verdict> {
    let mut since = 0;
    let mut allowed = Vec::new();
    let mut unknown = false;
    for &movement in movements {
        match lamps::permission(scene, movement, t) {
            Permission::Forbidden { since: red } => since = since.max(red),
            Permission::Allowed(reason) => allowed.push(reason),
            Permission::Unknown => unknown = true,
        }
    }
    match allowed.first() {
        Some(&reason) if allowed.len() == movements.len() => Err(Verdict::Lawful(reason)),
        Some(_) => Err(Verdict::Abstained(Doubt::MovementUnclear)),
        None if unknown => Err(Verdict::Abstained(Doubt::LampUnknown)),
        None if movements.is_empty() => Err(Verdict::Abstained(Doubt::MovementUnclear)),
        None => Ok(since),
    }
}

const fn side(movement: Movement) -> &'static str {
    match movement {
        Movement::Left => "to the left",
        Movement::Right => "to the right",
        Movement::Straight | Movement::Stopped => "ahead",
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
        way: Seen,
    },
}

/// What shows the movement.
enum Seen {
    Exit(Movement),
    /// Path and heading agree.
    Heading(Movement),
    /// Only where it was heading when last seen.
    NotToTheEnd(Movement),
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
    let last = path.len() - 1;
    let way = movement::way(track, road, passage, scene.ended);
    let left_line = (passage.on..path.len()).any(|i| beyond(i) >= LEFT_LINE);
    if let Way::Out { movement, on } = way
        && left_line
    {
        let past = path[first_past.map_or(on, |first| first.min(on))].t;
        return Departure::Gone { movements: vec![movement], past, way: Seen::Exit(movement) };
    }
    // Hidden by others in the junction it is lost early; moving to the last, it did not stop there.
    let hidden = scene.ended && beyond(last) >= LOST_PAST && moving(track, last);
    let Some(past) = first_past.filter(|_| hidden || beyond(last) >= WELL_PAST) else {
        return Departure::AtLine;
    };
    let since = scene.now.saturating_sub(passage.at);
    if !scene.ended && since < LONGEST {
        // Standing in the junction it may still be about to turn; and where one way is allowed it
        // may yet take it, however far it has crept.
        let clear = since >= EXIT_WAIT
            && !matches!(way, Way::Leaving { .. })
            && !passage::stood(track, last, seconds(2.0), 0.1)
            && red_for_all(scene, &movement::ALL, passage.at).is_ok();
        if !clear {
            return Departure::Going;
        }
    }
    let open = movement::open(track, road, passage);
    let way = if open.plain { Seen::Heading } else { Seen::NotToTheEnd }(open.likely);
    Departure::Gone { movements: open.movements, past: path[past].t, way }
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

#[cfg(test)]
mod tests;
