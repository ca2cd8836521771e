//! What is on the road: vehicles followed from frame to frame ([`tracker`] makes [`track`]s), what the lamps showed
//! and since when ([`lamp`]), the geometry drawn for the camera ([`road`]), and whether the camera sees
//! at all ([`stillness`]).
//!
//! Time in here is stream time in nanoseconds ([`Nanos`]): it never steps within one clock epoch,
//! whatever happens to the wall clock.

pub mod appearance;
pub mod lamp;
mod likeness;
pub mod motion;
pub mod road;
pub mod stillness;
pub mod track;
pub mod tracker;

/// Stream time, nanoseconds.
pub type Nanos = u64;

/// Nanoseconds in a second.
pub const SECOND: Nanos = 1_000_000_000;

/// Seconds as stream time.
pub const fn seconds(seconds: f32) -> Nanos {
    (seconds as f64 * SECOND as f64) as Nanos
}
