//! What the day came to, as JSON for each database and as a line for people.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::{Value, json};

use super::Plan;
use super::account::Account;
use super::desk::{Desk, Stage};
use crate::{json, machine};

#[derive(Debug, Serialize)]
pub struct Table {
    processor: String,
    machine_cores: usize,
    /// The machine's load at the end: above what the day itself asks for, others worked on it.
    machine_load: f64,
    build: &'static str,
    database: &'static str,
    cases: u32,
    officers: u16,
    workers: u32,
    picture_px: u32,
    clip_kb: u32,
    /// From the first package sealed to the last received; from then to the last notice and payment.
    delivered_s: f64,
    worked_s: f64,
    minutes: f64,
    cases_a_minute: f64,
    /// Processor time of service, workers and database at the desks.
    cpu_s: f64,
    cpu_s_per_case: f64,
    /// Seconds of each step that went through, the officer's look with it.
    steps: BTreeMap<String, Times>,
    /// Answers that an officer did not expect; each was tried again.
    troubles: BTreeMap<String, u64>,
    account: Account,
    verified: String,
}

#[derive(Debug, Serialize)]
struct Times {
    count: usize,
    p50: f64,
    p95: f64,
    most: f64,
}

impl Table {
    pub const HEAD: &'static str = "| database | cases | officers | delivered | at the desks | cases a minute | CPU s a case | review p95 | draw p95 | pay p95 | machine |\n|---|---|---|---|---|---|---|---|---|---|---|";

    pub fn new(
        plan: &Plan,
        desk: &Desk,
        [delivered_s, worked_s, cpu_s]: [f64; 3],
        account: Account,
        verified: String,
    ) -> Self {
        let steps = desk.spent().into_iter().map(|(stage, times)| (name(stage), Times::of(times)));
        Self {
            processor: machine::processor(),
            machine_cores: std::thread::available_parallelism().map_or(1, usize::from),
            machine_load: machine::load().unwrap_or_default(),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
            database: if plan.postgres { "postgres" } else { "sqlite" },
            cases: plan.cases,
            officers: plan.officers,
            workers: plan.workers,
            picture_px: plan.picture,
            clip_kb: plan.clip,
            delivered_s: round(delivered_s),
            worked_s: round(worked_s),
            minutes: round(worked_s / 60.0),
            cases_a_minute: round(f64::from(plan.cases) / worked_s * 60.0),
            cpu_s: round(cpu_s),
            cpu_s_per_case: round(cpu_s / f64::from(plan.cases)),
            steps: steps.collect(),
            troubles: desk.troubles(),
            account,
            verified,
        }
    }

    pub fn account_in_words(&self) -> String {
        format!("{}; {}", self.account.in_words(), self.verified)
    }

    pub fn line(&self) -> String {
        line(&json!(self)).unwrap_or_default()
    }

    /// Keeps what an earlier run measured of the other database.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut all: BTreeMap<String, Value> = match path.is_file() {
            true => {
                serde_json::from_value(json::read(path)?).context("an earlier run's figures")?
            }
            false => BTreeMap::new(),
        };
        all.insert(self.database.to_owned(), json!(self));
        json::write(path, &all)?;
        let lines: Vec<_> = all.values().filter_map(line).collect();
        let text = format!("{}\n{}\n", Self::HEAD, lines.join("\n"));
        std::fs::write(path.with_extension("md"), text).context("write the table")
    }
}

fn line(table: &Value) -> Option<String> {
    let number = |pointer: &str| table.pointer(pointer).and_then(Value::as_f64);
    let p95 = |step: &str| number(&format!("/steps/{step}/p95")).unwrap_or_default();
    Some(format!(
        "| {} | {} | {} | {:.0} s | {:.1} min | {:.0} | {:.3} | {:.2} s | {:.2} s | {:.2} s | {} cores, load {}, {} |",
        table["database"].as_str()?,
        table["cases"],
        table["officers"],
        number("/delivered_s")?,
        number("/worked_s")? / 60.0,
        number("/cases_a_minute")?,
        number("/cpu_s_per_case")?,
        p95("review"),
        p95("draw"),
        p95("pay"),
        table["machine_cores"],
        table["machine_load"],
        table["build"].as_str()?,
    ))
}

impl Times {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let index = (times.len().saturating_sub(1) as f64 * share).round() as usize;
            round(times.get(index).copied().unwrap_or_default())
        };
        Self { count: times.len(), p50: at(0.5), p95: at(0.95), most: at(1.0) }
    }
}

fn name(stage: Stage) -> String {
    json!(stage).as_str().unwrap_or_default().to_owned()
}

fn round(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
