//! The judgement: what was seen of a vehicle, what the lamps showed and what is drawn of the road
//! go in, a verdict with its reason comes out. Pure: no pixel, no file, no socket, no clock. The
//! agent judges with this live and in replay; the central judges again from what was sealed
//! ([`basis`]). The same input gives the same verdict, bit for bit, on any machine: arithmetic is
//! IEEE 754's, and what that leaves open (`hypot`, `atan2`, `acos`) is `libm`'s.
//!
//! - [`track`], [`lamp`], [`road`]: what a verdict stands on.
//! - [`rules`]: one folder an act; `rules/mod.rs` says what a rule is.
//! - [`signal`], [`movement`], [`passage`]: what rules at a stop line share.
//! - [`zone`], [`hours`], [`stand`], [`traffic`]: what rules about places share.
//! - [`homography`]: from the picture to metres on the road.
//! - [`site`]: what is drawn and set for one camera.

pub mod basis;
pub mod drawn;
pub mod followed;
pub mod homography;
pub mod hours;
pub mod lamp;
pub mod legs;
pub mod movement;
pub mod passage;
pub mod road;
pub mod rules;
pub mod signal;
pub mod site;
pub mod stand;
pub mod time;
pub mod track;
pub mod traffic;
pub mod within;
pub mod zone;

#[cfg(test)]
mod script;

pub use rules::{Album, Attention, Doubt, Finding, Lawful, Rule, Scene, Verdict};
pub use site::Site;
pub use time::{Nanos, SECOND, seconds};
pub use track::Track;
