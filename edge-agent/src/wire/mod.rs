//! What the signal cabinet says by wire, as a check of what the picture shows of a lamp. Where both
//! agree, the wire changes nothing. Where they differ for longer than a stated time, or the wire is
//! silent, the lamp counts as unreadable, nobody is accused by it, and it is told as an alarm: either
//! the lamp is drawn around something else, or the wire is at another head, and only people can say.
//!
//! A red that the wire does not yet know does not count, either: wires are slower than light, and what
//! is in doubt for a moment is the driver's.
//!
//! Two adapters know the cabinet: a line protocol over TCP ([`tcp`]), and a camera's own inputs
//! (`onvif::events`).

mod address;
mod check;
mod connect;
mod said;
pub mod tcp;

use std::fmt::Debug;
use std::time::Duration;

pub use address::{Wire, WireError};
pub use check::{Check, Judged, WireState};
pub use connect::Wires;
pub use said::Said;

/// What an input said at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// The lamp's red has current.
    Red,
    /// It has none.
    NotRed,
    /// It said nothing, or nothing since too long.
    Nothing,
}

/// What the signal cabinet says of one lamp.
pub trait Cabinet: Send + Sync + Debug {
    /// At this time since the process began ([`crate::clock::since_start`]).
    fn says(&self, at: Duration) -> Word;
}
