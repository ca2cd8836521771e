//! Vượt đèn đỏ. The contact point crosses the stop line from the approach while the lamp of the
//! vehicle's movement is red, and the vehicle goes on: over an exit, or clearly away from the line.
//! Where any movement was allowed from there (a green arrow, an open head, a right turn that the
//! site frees or no lamp governs), only a forbidden exit accuses, or having left every way to the
//! allowed one behind; where none was, the movement need not be known.
//!
//! Amber accuses nobody unless the site says so; then it is held to the same, with a grace of its own,
//! and only amber between green and red, never one that flashes.
//!
//! In the vehicle's favour: its front (ahead of the contact point) must already have met red; red
//! must have been lit for a grace; a turn that the camera's site or a green arrow allows is lawful;
//! stopping over the line until green is another rule; first seen beyond the line, lost on it, possibly
//! exchanged with another vehicle, or under a lamp that cannot be read, nobody is accused.

use contract::facts::{self, Facts, Lit, Measured, Unit};
use contract::geometry::Point;
use contract::{Act, MomentRole, Movement};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use settings::Reader;

use super::{
    Album, Attention, CROSSING, Doubt, Finding, Kind, Lawful, Rule, Scene, Verdict, words,
};
use crate::Site;
use crate::movement::{self, Way};
use crate::passage::{self, Passage, WELL_PAST};
use crate::road::Road;
use crate::signal::{self, Permission};
use crate::stand::Stand;
use crate::time::{Nanos, SECOND, in_seconds, seconds};
use crate::track::Track;

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

pub const KIND: Kind = Kind {
    act: "red_light",
    read: |table, junction| junction.map(|_| Box::new(RedLight::read(table)) as Box<dyn Rule>),
    restore: super::restored::<RedLight>,
};

/// What a site sets for this rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedLight {
    /// Right turns are lawful while red is lit.
    pub right_on_red: bool,
    /// Red must have been lit this long when the line is crossed, milliseconds.
    pub grace_ms: u64,
    /// Amber must have been lit this long when the line is crossed, milliseconds; absent: amber
    /// accuses nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amber_grace_ms: Option<u64>,
}

impl RedLight {
    fn read(table: &Reader<'_>) -> Self {
        Self {
            right_on_red: table.boolean("right_on_red", false),
            grace_ms: table.integer("red_grace_ms", 300, (0, 5000), "milliseconds"),
            amber_grace_ms: amber_grace(table),
        }
    }

    const fn free(&self) -> &'static [Movement] {
        if self.right_on_red { &[Movement::Right] } else { &[] }
    }
}

/// How long amber must have been lit, where amber accuses at all.
fn amber_grace(table: &Reader<'_>) -> Option<u64> {
    let grace = table.integer("amber_grace_ms", 2000, (1000, 5000), "milliseconds");
    let accuses = table.boolean("amber_accuses", false);
    if !accuses && table.has("amber_grace_ms") {
        table.reject("amber_grace_ms", "does nothing without amber_accuses = true");
    }
    accuses.then_some(grace)
}

impl Rule for RedLight {
    fn act(&self) -> Act {
        Act::RED_LIGHT
    }

    fn settings(&self) -> Value {
        super::written(self)
    }

    /// Who stops over the line and then goes on during red has run the light.
    fn includes(&self, other: &Act) -> bool {
        *other == Act::STOP_LINE
    }

    fn needs_lamp(&self) -> bool {
        true
    }

    fn least_fps(&self) -> f32 {
        passage::LEAST_FPS
    }

    fn longest(&self) -> Nanos {
        CROSSING
    }

    fn attend(&self, track: &Track, scene: &Scene<'_>, album: &mut Album) -> Attention {
        let Some(road) = scene.road else { return Attention::Idle };
        passage::attend(track, road, signal::tense(scene.lamps, scene.now), album)
    }

    fn judge(&self, track: &Track, scene: &Scene<'_>) -> Verdict {
        match scene.road {
            Some(road) => Crossing { rule: self, road, scene }.judge(track),
            None => Verdict::Abstained(Doubt::NotDrawn),
        }
    }

    fn marks(&self, site: &Site, _: &Facts) -> Vec<Vec<Point>> {
        site.stop_line()
    }

    fn caption(&self, facts: &Facts) -> String {
        match facts {
            Facts::Signal(facts::Signal { movement, lit }) => {
                let lamp = if lit.lamp == facts::Lamp::Amber { "vàng" } else { "đỏ" };
                format!("Vượt đèn {lamp}, {}, {}", words::movement(*movement), words::lit(lit))
            }
            _ => "Vượt đèn đỏ".into(),
        }
    }
}

/// One look at one track.
#[derive(Clone, Copy)]
struct Crossing<'a> {
    rule: &'a RedLight,
    road: &'a Road,
    scene: &'a Scene<'a>,
}

impl Crossing<'_> {
    fn judge(&self, track: &Track) -> Verdict {
        let Self { rule, road, scene } = *self;
        let Some(passage) = Passage::find(track, road) else {
            return passage::none(track, road, scene);
        };
        if !passage.from_approach(track, road) {
            return Verdict::Lawful(Lawful::NotFromApproach);
        }
        let departure = self.departure(track, &passage);
        let (movements, past, way) = match departure {
            Departure::Gone { movements, past, way } => (movements, past, way),
            Departure::Going => return Verdict::Pending,
            Departure::AtLine if scene.ended => return Verdict::Lawful(Lawful::StayedAtLine),
            Departure::AtLine => return Verdict::Pending,
        };

        // The lamp: every movement that may be meant must have been forbidden.
        let front = passage.front_at(track, road);
        if !scene.ended && scene.now < passage.at + signal::LATE {
            return Verdict::Pending;
        }
        let red_since = match self.red_for_all(&movements, passage.at) {
            Ok(since) => since,
            Err(verdict) => return verdict,
        };
        let amber = self.on_amber(&movements, passage.at);
        let grace_ms = if amber { rule.amber_grace_ms.unwrap_or(u64::MAX) } else { rule.grace_ms };
        let grace = grace_ms.saturating_mul(1_000_000);
        if passage.at < red_since.saturating_add(grace) {
            return Verdict::Lawful(Lawful::RedTooYoung);
        }
        if front < red_since.saturating_add(grace) {
            return Verdict::Lawful(Lawful::FrontCrossedBeforeRed);
        }

        // Over the line on red, there until green, then on: the stop line rule's.
        let red = |at: Nanos| {
            let red = |movement: &Movement| {
                matches!(self.permission(*movement, at), Permission::Forbidden { .. })
            };
            movements.iter().all(red)
        };
        let waited = past.saturating_sub(passage.at) > WAITED && !red(past);
        // It may set off a moment before its wheels are seen to move.
        let set_off =
            stood_over(track, road, &passage).map(|until| (until + SECOND).min(scene.now));
        if waited || set_off.is_some_and(|at| !red(at)) {
            return Verdict::Lawful(Lawful::WaitedForGreen);
        }

        // The vehicle: one and the same, plainly before the line and plainly past it.
        let before = match passage.certain(track, road, scene, past) {
            Ok(before) => before,
            Err(doubt) => return Verdict::Abstained(doubt),
        };
        let red_elapsed = passage.at - red_since;
        let right_arrow = signal::right_arrow(scene.lamps, passage.at);
        let (movement, way) = match way {
        Seen::Exit(Movement::UTurn) => (Movement::UTurn, "turned round".to_owned()),
        Seen::Exit(movement) => (movement, format!("crossed the exit {}", words::side(movement))),
        Seen::Heading(movement) => (movement, format!("went on {}", words::side(movement))),
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
            "crossed the stop line {:.1} s after {} was seen and {way}{arrow}",
            in_seconds(red_elapsed),
            if amber { "amber" } else { "red" },
        );
        let red = Measured::new((red_elapsed / 1_000_000) as f64, Unit::Milliseconds);
        let lamp = if amber { facts::Lamp::Amber } else { facts::Lamp::Red };
        let lit = Lit { lamp, red: red.against(grace_ms as f64), right_arrow };
        Verdict::from(Finding {
            act: Act::RED_LIGHT,
            at: passage.at,
            moments: vec![
                (MomentRole::Before, before),
                (MomentRole::On, passage.at),
                (MomentRole::Past, past),
            ],
            main: MomentRole::On,
            facts: Facts::Signal(facts::Signal { movement, lit }),
            reason,
        })
    }

    fn permission(&self, movement: Movement, t: Nanos) -> Permission {
        let (rule, lamps) = (self.rule, self.scene.lamps);
        match signal::permission(lamps, rule.free(), movement, t) {
            Permission::Allowed(Lawful::LampNotRed) if rule.amber_grace_ms.is_some() => {
                signal::amber(lamps, movement, t)
                    .map_or(Permission::Allowed(Lawful::LampNotRed), |since| {
                        Permission::Forbidden { since }
                    })
            }
            other => other,
        }
    }

    /// Whether it is amber, for one of `movements` at least, that forbids them at `t`.
    fn on_amber(&self, movements: &[Movement], t: Nanos) -> bool {
        let red = |movement: &Movement| {
            matches!(signal::signal(self.scene.lamps, *movement, t), signal::Signal::Red { .. })
        };
        !movements.iter().all(red)
    }

    /// Since when red was lit for every one of `movements` at `t`; else what follows. Where one of
    /// several that may be meant was allowed, nobody can say that the driver did another.
    fn red_for_all(&self, movements: &[Movement], t: Nanos) -> Result<Nanos, Verdict> {
        let mut since = 0;
        let mut allowed = Vec::new();
        let mut unknown = false;
        for &movement in movements {
            match self.permission(movement, t) {
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

    fn departure(&self, track: &Track, passage: &Passage) -> Departure {
        let Self { road, scene, .. } = *self;
        let path = &track.path;
        let beyond = |i: usize| road.stop.beyond(path[i].bbox.foot()) / passage.size;
        // Lost from sight where it stood; that its box jumped as others covered it is no motion.
        // Asked of a track's whole way, so only once it has ended, not at every picture.
        let lost_standing = |until: Nanos| track.last().t.saturating_sub(until) <= STILL_THERE;
        if scene.ended && stood_over(track, road, passage).is_some_and(lost_standing) {
            return Departure::AtLine;
        }
        let first_past = passage.past(track, road);
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
        if !scene.ended && since < CROSSING {
            // Standing in the junction it may still be about to turn; and where one way is allowed it
            // may yet take it, however far it has crept.
            let clear = since >= EXIT_WAIT
                && !matches!(way, Way::Leaving { .. })
                && !passage::stood(track, last, seconds(2.0), 0.1)
                && self.red_for_all(&movement::ALL, passage.at).is_ok();
            if !clear {
                return Departure::Going;
            }
        }
        let open = movement::open(track, road, passage);
        let way = if open.plain { Seen::Heading } else { Seen::NotToTheEnd }(open.likely);
        Departure::Gone { movements: open.movements, past: path[past].t, way }
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

/// Until when the vehicle stood over the line, however far it had come before it stopped.
fn stood_over(track: &Track, road: &Road, passage: &Passage) -> Option<Nanos> {
    // A box that trembles too much to stand still for every picture.
    let longest = Stand::longest(track);
    let over = road.stop.beyond(longest.place) <= WELL_PAST * passage.size;
    let trembling = (longest.length() >= WAITED && over).then_some(longest.to);
    let plainly = (passage.on..track.path.len())
        .rev()
        .find(|&i| {
            let beyond = road.stop.beyond(track.path[i].bbox.foot());
            let stood = passage::stood(track, i, WAITED, 0.1)
                || passage::stood_behind(track, i, WAITED, 0.1);
            beyond <= WELL_PAST * passage.size && stood
        })
        .map(|i| track.path[i].t);
    plainly.max(trembling)
}

/// Whether over the second before sighting `last` the vehicle clearly moved.
fn moving(track: &Track, last: usize) -> bool {
    let here = &track.path[last];
    let earlier = track.path.iter().rfind(|seen| seen.t + SECOND <= here.t);
    earlier.is_some_and(|seen| {
        let ([x, y], [px, py]) = (here.bbox.foot(), seen.bbox.foot());
        libm::hypotf(x - px, y - py) > 0.15 * here.bbox.height()
    })
}

#[cfg(test)]
mod tests;
