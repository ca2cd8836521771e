//! What came of it, for people and as JSON.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;

use super::Plan;
use super::account::Account;
use super::watch::Look;
use crate::machine;

const DAY: f64 = 86_400.0;

/// Everything that the central was seen to take.
#[derive(Debug)]
pub struct Course {
    pub looks: Vec<Look>,
}

/// One run.
#[derive(Debug, Serialize)]
pub struct Table {
    processor: String,
    machine_cores: usize,
    /// The machine's mean load: far above what central and fleet take, others worked on it.
    machine_load: f64,
    /// `debug` programs take several times the processor time of `release` ones.
    build: &'static str,
    database: &'static str,
    boxes: u16,
    minutes: f64,
    per_day: f64,
    factor: f64,
    seed: u64,
    account: Account,
    /// The fleet's own account, without its packages.
    fleet: Value,
    verified: String,
    /// What the central refused, by code; what its listener turned away.
    refusals: BTreeMap<String, u64>,
    needs: Needs,
    /// Is drawn.
    #[serde(skip)]
    pub course: Course,
}

/// What so many boxes need of a central.
#[derive(Debug, Serialize)]
struct Needs {
    /// In the hour that was played: all its work over the time in which it was sealed; and in the
    /// busiest seconds.
    cores: f64,
    cores_most: f64,
    cpu_s_per_package: f64,
    memory_mb: f64,
    descriptors: usize,
    connections: usize,
    /// Of the files and of the database, a package and a day.
    mb_per_package: f64,
    gb_per_day: f64,
    /// Of that the database.
    database_kb_per_package: f64,
    /// Handed to the disk for each byte that is kept.
    written_per_kept: f64,
    /// What comes in, bodies alone: in the hour that was played, whatever is sent again, and in the
    /// mean of the day.
    mbit_s: f64,
    mbit_s_day: f64,
}

impl Course {
    pub fn of(looks: Vec<Look>) -> Option<Self> {
        (looks.len() > 1).then_some(Self { looks })
    }

    /// Cores from one look to the next, at the time of the second.
    pub fn cores(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.looks.windows(2).map(|pair| (pair[1].at_s, pair[1].cores_since(&pair[0])))
    }

    fn most<T: PartialOrd + Default + Copy>(&self, of: impl Fn(&Look) -> T) -> T {
        let larger = |a: T, b: T| if b > a { b } else { a };
        self.looks.iter().map(of).fold(T::default(), larger)
    }
}

impl Look {
    pub fn memory_mb(&self) -> f64 {
        self.central_mb + self.database_mb
    }

    fn cpu_s(&self) -> f64 {
        self.central_cpu_s + self.database_cpu_s
    }

    fn cores_since(&self, before: &Self) -> f64 {
        (self.cpu_s() - before.cpu_s()) / (self.at_s - before.at_s).max(f64::EPSILON)
    }
}

impl Table {
    pub fn new(
        plan: &Plan,
        outcome: &Value,
        account: Account,
        course: Course,
        refusals: BTreeMap<String, u64>,
        verified: String,
    ) -> Result<Self> {
        let mut fleet = outcome.clone();
        if let Some(fleet) = fleet.as_object_mut() {
            fleet.remove("packages");
        }
        let needs = Needs::of(plan, outcome, &course)?;
        let loads = course.looks.iter().map(|look| look.load);
        Ok(Self {
            processor: machine::processor(),
            machine_cores: std::thread::available_parallelism().map_or(1, usize::from),
            machine_load: thousandths(loads.sum::<f64>() / course.looks.len() as f64),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
            database: if plan.postgres { "postgresql" } else { "sqlite" },
            boxes: plan.boxes,
            minutes: plan.minutes,
            per_day: plan.per_day,
            factor: plan.factor,
            seed: plan.seed,
            account,
            fleet,
            verified,
            refusals,
            needs,
            course,
        })
    }

    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Requests that failed by the central's own fault: it may be busy, nothing else.
    pub fn failures(&self) -> Vec<String> {
        let troubles = self.fleet["troubles"].as_object().into_iter().flatten();
        let failed = troubles.filter(|(kind, _)| {
            let kind = kind.trim_start_matches("report: ");
            kind.starts_with('5') && kind != "503 busy" || kind.ends_with("for ever")
        });
        failed.map(|(kind, count)| format!("{kind} ×{count}")).collect()
    }
}

impl Needs {
    fn of(plan: &Plan, outcome: &Value, course: &Course) -> Result<Self> {
        let number = |key: &str| outcome[key].as_f64().with_context(|| format!("no {key}"));
        let (first, last) = (course.looks.first(), course.looks.last());
        let (first, last) = first.zip(last).context("no looks")?;
        let packages = number("receipted")?.max(1.0);
        let seconds = plan.minutes * 60.0;
        let grown = |of: fn(&Look) -> u64| of(last).saturating_sub(of(first)) as f64;
        let (evidence, database) =
            (grown(|look| look.evidence_bytes), grown(|look| look.database_bytes));
        let kept = (evidence + database) / packages;
        let day = number("sealed_bytes")? / number("sealed")?.max(1.0) * plan.per_day;
        Ok(Self {
            cores: thousandths((last.cpu_s() - first.cpu_s()) / seconds),
            cores_most: thousandths(course.cores().map(|(_, cores)| cores).fold(0.0, f64::max)),
            cpu_s_per_package: thousandths((last.cpu_s() - first.cpu_s()) / packages),
            memory_mb: thousandths(course.most(Look::memory_mb)),
            descriptors: course.most(|look| look.descriptors),
            connections: course.most(|look| look.connections),
            mb_per_package: thousandths(kept / 1e6),
            gb_per_day: thousandths(kept * plan.per_day / 1e9),
            database_kb_per_package: thousandths(database / packages / 1e3),
            written_per_kept: thousandths(
                grown(|look| look.written_bytes) / (kept * packages).max(1.0),
            ),
            mbit_s: thousandths(number("sent_bytes")? * 8.0 / 1e6 / seconds),
            mbit_s_day: thousandths(day * 8.0 / 1e6 / DAY),
        })
    }
}

/// Without digits that nobody measured.
fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, fleet, needs, .. } = self;
        writeln!(
            f,
            "{}, {} cores, load of the whole machine {:.1}; {} build, {}",
            self.processor, self.machine_cores, self.machine_load, self.build, self.database
        )?;
        writeln!(
            f,
            "{} boxes, {} minutes, {} packages a day × {}: {} sealed",
            self.boxes, self.minutes, self.per_day, self.factor, account.sealed
        )?;
        writeln!(
            f,
            "  received {}, {} cases, {} joined a case; lost {}, doubled {}, undelivered {}",
            account.receipted,
            account.cases,
            account.joined,
            account.lost.len(),
            account.doubled.len(),
            account.undelivered.len()
        )?;
        writeln!(f, "  {}", self.verified)?;
        writeln!(f, "  seconds to the receipt          p50     p95     p99    most  packages")?;
        for (name, key) in [
            ("announced, nothing went wrong", "calm"),
            ("announced, something did", "troubled"),
            ("sealed, all", "since_sealed"),
        ] {
            let latency = &fleet[key];
            let at = |key: &str| latency[key].as_f64().unwrap_or_default();
            writeln!(
                f,
                "  {name:<29} {:>6.2}  {:>6.2}  {:>6.2}  {:>6.2}  {:>8}",
                at("p50"),
                at("p95"),
                at("p99"),
                at("most"),
                latency["packages"]
            )?;
        }
        let half_open = &fleet["half_open"];
        writeln!(
            f,
            "  retries {}, reports {}, left half-open {}, given up by the central {} (longest {:.0} s)",
            fleet["retries"],
            fleet["reports"],
            half_open["opened"],
            half_open["closed_by_central"],
            half_open["longest_s"].as_f64().unwrap_or_default()
        )?;
        for (kind, count) in fleet["troubles"].as_object().into_iter().flatten() {
            writeln!(f, "    {count:>5}  {kind}")?;
        }
        let refused: Vec<_> =
            self.refusals.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        writeln!(f, "  the central counts: {}", refused.join(", "))?;
        writeln!(f, "{} boxes need of the central", self.boxes)?;
        writeln!(
            f,
            "  processor  {:.2} cores in this hour, {:.2} in its busiest seconds; {:.2} s a package",
            needs.cores, needs.cores_most, needs.cpu_s_per_package
        )?;
        writeln!(
            f,
            "  memory     {:.0} MB; {} open files, of them {} connections",
            needs.memory_mb, needs.descriptors, needs.connections
        )?;
        writeln!(
            f,
            "  disk       {:.2} MB a package, {:.1} GB a day (database {:.0} KB a package); {:.1} bytes \
             written for each that is kept",
            needs.mb_per_package,
            needs.gb_per_day,
            needs.database_kb_per_package,
            needs.written_per_kept
        )?;
        write!(
            f,
            "  line       {:.1} Mbit/s in this hour, {:.1} in the mean of the day",
            needs.mbit_s, needs.mbit_s_day
        )
    }
}
