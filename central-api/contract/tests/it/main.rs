//! Properties of the shared words, on generated input and on stored packages.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops and says where")]

mod chain;
mod evidence;
mod plate;
mod public_tools;
mod sample;
mod versions;
