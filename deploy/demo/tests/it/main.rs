//! What is delivered beside the programs (make's rules, alerts and dashboards), and the central under a
//! fleet of boxes.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod day;
mod fleet;
mod make;
mod monitoring;
