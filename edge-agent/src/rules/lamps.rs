//! What the lamps together say about one movement at one time.

use contract::Movement;

use super::{Lawful, Scene};
use crate::config::Light;
use crate::see::lamp::Lamp;
use crate::see::{Nanos, seconds};

/// A change of lights this close to the act leaves no room for a frame's error.
const GUARD: Nanos = seconds(0.2);

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

/// The signal for `movement` at `t`.
pub fn signal(lamps: &[Lamp], movement: Movement, t: Nanos) -> Signal {
    let governing = || lamps.iter().filter(move |lamp| lamp.controls.contains(&movement));
    let open = |lamp: &Lamp| {
        let (from, to) = (t.saturating_sub(GUARD), t + GUARD);
        lamp.history.showed(Light::Green, from, to)
    };
    if governing().any(open) {
        return Signal::Open;
    }
    // A dark arrow says nothing; the heads decide.
    let mut state = Signal::Ungoverned;
    for lamp in governing().filter(|lamp| !lamp.arrow) {
        match lamp.history.at(t) {
            Some(stretch) if stretch.light == Light::Red => {
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

/// Whether `movement` could be made at `t`, by lamps and site.
pub fn permission(scene: &Scene<'_>, movement: Movement, t: Nanos) -> Permission {
    if movement == Movement::Right && scene.camera.right_on_red {
        return Permission::Allowed(Lawful::MovementAllowed);
    }
    match signal(scene.lamps, movement, t) {
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
