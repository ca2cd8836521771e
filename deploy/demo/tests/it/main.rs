//! What is delivered beside the programs: make's rules, alerts and dashboards.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod make;
mod monitoring;
