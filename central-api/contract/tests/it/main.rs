//! Properties of the shared words, on generated input.

mod chain;
mod evidence;
mod plate;
mod public_tools;
mod sample;
