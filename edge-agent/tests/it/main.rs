//! Integration tests of the agent, one binary.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "../../../central-api/tests/it/support/axe.rs"]
mod axe;
mod calibrate;
mod cameras;
mod commands;
mod doors;
/// The central's pages are tried with the same.
#[path = "../../../central-api/tests/it/support/driver.rs"]
mod driver;
mod evidence;
mod footage;
mod health;
mod history;
mod onvif;
mod pace;
mod pairs;
mod real;
mod reload;
mod replays;
mod sample;
mod scenes;
mod spool;
mod strangers;
mod streams;
mod updates;
mod uplink;
