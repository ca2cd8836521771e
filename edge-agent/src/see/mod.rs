//! What is on the road: vehicles followed from frame to frame ([`tracker`] makes [`track`]s), what
//! the lamps show ([`lamp`]), and whether the camera sees at all ([`stillness`]) and
//! still looks where it did ([`scenery`]).
//!
//! Time in here is stream time in nanoseconds ([`Nanos`]): it never steps within one clock epoch,
//! whatever happens to the wall clock.

pub mod appearance;
pub mod lamp;
mod likeness;
pub mod motion;
pub mod scenery;
pub mod stillness;
pub mod track;
pub mod tracker;

pub use judge::{Nanos, SECOND, seconds};
