//! Properties of the shared words, on generated input.

mod chain;
mod evidence;
mod plate;
mod sample;
