//! Integration tests of the agent, one binary.

mod cameras;
mod evidence;
mod footage;
mod health;
mod real;
mod replays;
mod sample;
mod spool;
mod uplink;
