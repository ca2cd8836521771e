//! What the lamps together say about one movement at one time.

use contract::Movement;

use crate::lamp::{Lamp, Light};
use crate::rules::Lawful;
use crate::time::{Nanos, seconds};

/// A change of lights this close to the act leaves no room for a frame's error.
const GUARD: Nanos = seconds(0.2);
/// A picture of the lamp may come so much later than the road's, or its change be read so late: red
/// that ends sooner after the act may have ended before it.
pub const LATE: Nanos = seconds(2.5);

/// The lamps' word on a movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Red, and lit since then at least.
    Red { since: Nanos },
    /// Green or amber at the time.
    Open,
    /// No lamp governs the movement.
    Ungoverned,
    /// A lamp governs it but its state is not known.
    Unknown,
}

/// The signal for `movement` at `t`. Turning round is a left turn to the lamps, unless one of them
/// is there for it; a left arrow allows it even then, unless a red arrow of its own bans it (QCVN
/// 41:2024 Điều 6). Whether a red left arrow bans it too, where the round heads do not, is nobody's
/// word.
pub fn signal(lamps: &[Lamp], movement: Movement, t: Nanos) -> Signal {
    if movement != Movement::UTurn {
        return governed(lamps, movement, t);
    }
    let own = |lamp: &&Lamp| lamp.controls.contains(&Movement::UTurn);
    let left = governed(lamps, Movement::Left, t);
    if lamps.iter().any(|lamp| own(&lamp)) {
        let banned = lamps.iter().any(|lamp| own(&lamp) && lamp.red_arrow);
        let left_arrow = lamps.iter().any(|lamp| {
            (lamp.arrow || lamp.red_arrow)
                && lamp.controls.contains(&Movement::Left)
                && is_open(lamp, t)
        });
        let allowed = left_arrow && !banned;
        return if allowed { Signal::Open } else { governed(lamps, Movement::UTurn, t) };
    }
    let round: Vec<Lamp> = lamps.iter().filter(|lamp| !lamp.red_arrow).cloned().collect();
    match left {
        Signal::Red { .. } if round.len() < lamps.len() => {
            match governed(&round, Movement::Left, t) {
                Signal::Red { since } => Signal::Red { since },
                _ => Signal::Unknown,
            }
        }
        other => other,
    }
}

/// Whether the lamp was green at `t`, or so near to it that a picture's error may hide it.
fn is_open(lamp: &Lamp, t: Nanos) -> bool {
    lamp.history.showed(Light::Green, t.saturating_sub(GUARD), t + GUARD)
}

/// The heads that decide a movement: those with a red arrow for it, where there are any.
fn heads(lamps: &[Lamp], movement: Movement) -> impl Iterator<Item = &Lamp> {
    let governing = move |lamp: &&Lamp| !lamp.arrow && lamp.controls.contains(&movement);
    let alone = lamps.iter().filter(governing).any(|lamp| lamp.red_arrow);
    lamps.iter().filter(governing).filter(move |lamp| lamp.red_arrow || !alone)
}

/// What the lamps say that govern `movement` itself.
fn governed(lamps: &[Lamp], movement: Movement, t: Nanos) -> Signal {
    let arrows = lamps.iter().filter(|lamp| lamp.arrow && lamp.controls.contains(&movement));
    if arrows.chain(heads(lamps, movement)).any(|lamp| is_open(lamp, t)) {
        return Signal::Open;
    }
    // A dark arrow says nothing; the heads decide.
    let mut state = Signal::Ungoverned;
    for lamp in heads(lamps, movement) {
        match lamp.history.at(t) {
            Some(stretch) if stretch.light == Light::Red => {
                if lamp.history.showed(Light::Green, t, t + LATE) {
                    state = Signal::Unknown;
                }
                let since = match state {
                    Signal::Red { since } => since.max(stretch.from),
                    _ => stretch.from,
                };
                if state != Signal::Unknown {
                    state = Signal::Red { since };
                }
            }
            Some(_) => return Signal::Open,
            None => state = Signal::Unknown,
        }
    }
    state
}

/// Since when every head for `movement` showed amber at `t`, amber that ended green and ran into
/// red; none where one of them did not, or the movement is not governed so.
pub fn amber(lamps: &[Lamp], movement: Movement, t: Nanos) -> Option<Nanos> {
    let governs = |lamp: &Lamp| lamp.controls.contains(&movement);
    if lamps.iter().any(|lamp| governs(lamp) && lamp.arrow && is_open(lamp, t)) {
        return None;
    }
    let since = heads(lamps, movement)
        .map(|lamp| lamp.history.amber_before_red(t).map(|stretch| stretch.from));
    since.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// Whether a movement could be made at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    Allowed(Lawful),
    /// Red, and lit since then at least.
    Forbidden {
        since: Nanos,
    },
    Unknown,
}

/// Whether `movement` could be made at `t`, by lamps and by what is `free` under any lamp.
pub fn permission(lamps: &[Lamp], free: &[Movement], movement: Movement, t: Nanos) -> Permission {
    if free.contains(&movement) {
        return Permission::Allowed(Lawful::MovementAllowed);
    }
    match signal(lamps, movement, t) {
        Signal::Red { since } => Permission::Forbidden { since },
        Signal::Open => Permission::Allowed(Lawful::LampNotRed),
        Signal::Ungoverned => Permission::Allowed(Lawful::MovementAllowed),
        Signal::Unknown => Permission::Unknown,
    }
}

/// Whether a green right arrow was lit at `t`.
pub fn right_arrow(lamps: &[Lamp], t: Nanos) -> bool {
    lamps.iter().any(|lamp| {
        lamp.arrow
            && lamp.controls.contains(&Movement::Right)
            && lamp.history.at(t).is_some_and(|stretch| stretch.light == Light::Green)
    })
}

/// Whether a crossing at `t` could be against a lamp: red or amber shown, or nothing readable.
pub fn tense(lamps: &[Lamp], t: Nanos) -> bool {
    lamps
        .iter()
        .filter(|lamp| !lamp.arrow)
        .any(|lamp| lamp.history.at(t).is_none_or(|stretch| stretch.light != Light::Green))
}
