//! The central service from outside: one binary, one module a subject.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops and says where")]

mod audit;
mod bad_input;
mod browser;
mod decisions;
mod doors;
mod fleet;
mod gate;
mod guesses;
mod intake;
mod jobs;
mod judged;
mod keys;
mod law;
mod law_table;
mod load;
mod lookup;
mod notices;
mod ops;
mod owners;
mod pages;
mod passages;
mod plans;
mod problems;
mod process;
mod releases;
mod same_act;
mod setting;
mod signing;
mod sources;
mod states;
mod store;
mod stuck;
mod support;
mod tampering;
mod undo;
mod verify;
mod versions;
