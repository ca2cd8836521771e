//! What a soak showed, as a table and as JSON, and what of it is not as it must be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::faults::Happened;
use super::slope::{quantile, robust};
use super::stage::{Sample, Sealed, Stage};
use crate::ledger::Ledger;
use crate::machine;

/// An agent settles for so long after its start: models, pools and caches are filled.
const WARM_S: f64 = 90.0;
/// Over less than this nothing can be said about growth.
const TELLING_S: f64 = 300.0;
/// What may be added over the run: memory as a share and in MB, threads and descriptors in number.
const MEMORY: (f64, f64) = (0.08, 32.0);
const COUNT: f64 = 8.0;
/// Tasks that want to run, a core, from which on a machine is overloaded.
const OVERLOAD: f64 = 2.0;

#[derive(Debug, Serialize)]
pub struct Report {
    pub processor: String,
    cores: usize,
    /// Tasks that wanted to run, mean over the run: a machine that is not ours alone.
    load: f64,
    seed: u64,
    pub seconds: f64,
    agent_starts: u32,
    /// Of the agent, mean.
    agent_cores: f64,
    growth: Vec<Growth>,
    recovery: Vec<Recovery>,
    /// Analysed pictures a second of every camera while nothing was done to it.
    fps: BTreeMap<String, f64>,
    reconnects: u64,
    /// Of them, those of the camera that nothing was done to.
    left_alone: u64,
    /// Most packages that waited.
    most_waiting: u64,
    /// Accusations by what the truth says of them.
    accused: Accused,
    ledger: Ledger,
    pub wrong: Vec<String>,
    pub happened: Vec<Happened>,
    pub samples: Vec<Sample>,
}

/// How something of the agent grew while it ran.
#[derive(Debug, Serialize)]
struct Growth {
    of: &'static str,
    median: f64,
    most: f64,
    /// The robust slope; none where the run was too short to tell.
    per_hour: Option<f64>,
    /// That, over the time that was looked at.
    over_the_run: Option<f64>,
    allowed: f64,
}

/// How long it took until all was well again, seconds.
#[derive(Debug, Serialize)]
struct Recovery {
    kind: &'static str,
    times: usize,
    p50: f64,
    p95: f64,
    max: f64,
}

#[derive(Debug, Default, Serialize)]
struct Accused {
    right: usize,
    /// Without a plate: nobody is named.
    unread: usize,
    /// By a camera, or in a time, to which nothing was done.
    wrong_without_a_fault: Vec<String>,
    wrong: Vec<String>,
}

impl Report {
    pub fn of(
        stage: &Stage,
        happened: &[Happened],
        ledger: Ledger,
        (seed, short): (u64, bool),
    ) -> Self {
        let samples = stage.samples.borrow().clone();
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let lives: BTreeSet<u32> = samples.iter().map(|sample| sample.life).collect();
        let last_of = |life: &u32| samples.iter().rfind(|sample| sample.life == *life);
        let fps = stage.street.cameras.iter().map(|camera| {
            let of = samples.iter().filter_map(|sample| sample.fps.get(&camera.id).copied());
            (camera.id.clone(), mean(of.collect()))
        });
        let mut report = Self {
            processor: machine::processor(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            load: mean(samples.iter().map(|sample| sample.load).collect()),
            seed,
            seconds: stage.now_s(),
            agent_starts: stage.life.get(),
            agent_cores: mean(samples.iter().filter_map(|sample| sample.cores).collect()),
            growth: growths(&samples),
            recovery: recoveries(happened),
            fps: fps.collect(),
            reconnects: lives.iter().filter_map(last_of).map(|sample| sample.reconnects).sum(),
            left_alone: lives.iter().filter_map(last_of).map(|sample| sample.left_alone).sum(),
            most_waiting: samples.iter().map(|sample| sample.pending).max().unwrap_or_default(),
            accused: accused(stage, &stage.sealed.borrow(), happened),
            ledger,
            wrong: stage.wrong.borrow().iter().cloned().collect(),
            happened: happened.to_vec(),
            samples,
        };
        report.judge(short);
        report
    }

    /// Adds what is not as it must be.
    fn judge(&mut self, short: bool) {
        let mut wrong = std::mem::take(&mut self.wrong);
        for growth in &self.growth {
            if growth.over_the_run.is_some_and(|over| over > growth.allowed) {
                wrong.push(format!("it grows: {growth}"));
            }
        }
        // Where far more is to be done than the machine can, its streams break off by themselves.
        if self.left_alone > 0 && self.load <= OVERLOAD * self.cores as f64 {
            let times = self.left_alone;
            wrong.push(format!("a camera that was left alone was connected anew {times} times"));
        }
        for (what, ids) in [("lost", &self.ledger.lost), ("doubled", &self.ledger.doubled)] {
            if !ids.is_empty() {
                wrong.push(format!("{} packages {what}: {}", ids.len(), ids.join(", ")));
            }
        }
        if !self.accused.wrong.is_empty() {
            wrong.push(format!("accused because of a fault: {}", self.accused.wrong.join("; ")));
        }
        if self.ledger.sealed == 0 {
            wrong.push("nothing was sealed: the soak showed nothing".into());
        }
        let came = |what: &str| self.happened.iter().any(|one| one.kind == what);
        if self.happened.is_empty() || !short && !came("kill -9") {
            wrong.push("too little went wrong: the soak showed nothing".into());
        }
        self.wrong = wrong;
    }
}

fn growths(samples: &[Sample]) -> Vec<Growth> {
    type Value = fn(&Sample) -> f64;
    let measures: [(&str, Value); 3] = [
        ("memory, MB", |sample| sample.memory_mb),
        ("threads", |sample| sample.threads as f64),
        ("descriptors", |sample| sample.descriptors as f64),
    ];
    let mut lives: BTreeMap<u32, Vec<&Sample>> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.age_s >= WARM_S) {
        lives.entry(sample.life).or_default().push(sample);
    }
    let span = |life: &Vec<&Sample>| life[life.len() - 1].at_s - life[0].at_s;
    let looked_at: f64 = lives.values().map(span).sum();
    let growth = |(of, value): (&'static str, Value)| {
        let points = |life: &Vec<&Sample>| {
            life.iter().map(|sample| (sample.at_s, value(sample))).collect::<Vec<_>>()
        };
        let slope = robust(&lives.values().map(points).collect::<Vec<_>>());
        let slope = slope.filter(|_| looked_at >= TELLING_S);
        let mut all: Vec<f64> = samples.iter().map(value).collect();
        let median = quantile(&mut all, 0.5).unwrap_or_default();
        let allowed =
            if of.starts_with("memory") { (MEMORY.0 * median).max(MEMORY.1) } else { COUNT };
        Growth {
            of,
            median,
            most: quantile(&mut all, 1.0).unwrap_or_default(),
            per_hour: slope.map(|slope| slope * 3600.0),
            over_the_run: slope.map(|slope| slope * looked_at),
            allowed,
        }
    };
    measures.map(growth).into()
}

/// A line a kind, and one for everything that happened to cameras. What the agent's own death
/// prolonged is not counted.
fn recoveries(happened: &[Happened]) -> Vec<Recovery> {
    let mut kinds: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for one in happened.iter().filter(|one| !one.through_a_kill || one.kind == "kill -9") {
        let Some(took) = one.recovered_s else { continue };
        kinds.entry(one.kind).or_default().push(took);
        if one.to.starts_with("cam-") && one.kind != "edited" {
            kinds.entry("all of cameras").or_default().push(took);
        }
    }
    let row = |(kind, mut times): (&'static str, Vec<f64>)| {
        let of = |times: &mut [f64], share| quantile(times, share).unwrap_or_default();
        Recovery {
            kind,
            times: times.len(),
            p50: of(&mut times, 0.5),
            p95: of(&mut times, 0.95),
            max: of(&mut times, 1.0),
        }
    };
    let kinds = kinds.into_iter().map(|(kind, times)| (name(happened, kind), times));
    kinds.map(row).collect()
}

/// The kind's own text, which outlives the log.
fn name(happened: &[Happened], kind: &str) -> &'static str {
    happened.iter().find(|one| one.kind == kind).map_or("all of cameras", |one| one.kind)
}

fn accused(stage: &Stage, all: &BTreeMap<String, Sealed>, happened: &[Happened]) -> Accused {
    let mut accused = Accused::default();
    let first = happened.iter().map(|one| one.from_s).fold(f64::INFINITY, f64::min);
    let left_alone = stage.street.left_alone().map(|camera| camera.id.as_str());
    let unread = |of: &str| of.ends_with("an unread plate");
    let quiet = |one: &&Sealed| Some(one.camera.as_str()) == left_alone || one.seen_s < first;
    let known: BTreeSet<(&str, &str)> =
        all.values().filter(quiet).map(|one| (&*one.camera, &*one.accused)).collect();
    for one in all.values() {
        let camera = stage.street.cameras.iter().find(|camera| camera.id == one.camera);
        if camera.is_some_and(|camera| camera.guilty.contains(&one.accused)) {
            accused.right += 1;
        } else if unread(&one.accused) {
            accused.unread += 1;
        } else {
            let told = format!("{}: {} at {:.0} s", one.camera, one.accused, one.seen_s);
            match known.contains(&(&*one.camera, &*one.accused)) {
                true => accused.wrong_without_a_fault.push(told),
                false => accused.wrong.push(told),
            }
        }
    }
    accused
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, median, most, allowed, .. } = self;
        write!(f, "{of:<12} {median:>7.0} {most:>7.0}")?;
        match (self.per_hour, self.over_the_run) {
            (Some(hour), Some(run)) => {
                write!(f, " {hour:>+9.1} {run:>+9.1} of {allowed:.0} allowed")
            }
            _ => write!(f, "   too short to tell"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n  {:.0} min on {} ({} cores, load {:.1}), seed {}; agent started {} times, {:.2} cores",
            self.seconds / 60.0,
            self.processor,
            self.cores,
            self.load,
            self.seed,
            self.agent_starts,
            self.agent_cores
        )?;
        writeln!(f, "\n  agent         median    most    an hour   this run")?;
        self.growth.iter().try_for_each(|growth| writeln!(f, "  {growth}"))?;
        writeln!(f, "\n  well again after, s     times    p50    p95    max")?;
        for Recovery { kind, times, p50, p95, max } in &self.recovery {
            writeln!(f, "  {kind:<22} {times:>6} {p50:>6.1} {p95:>6.1} {max:>6.1}")?;
        }
        let fps = self.fps.iter().map(|(id, fps)| format!("{id} {fps:.2}"));
        writeln!(f, "\n  pictures a second: {}", fps.collect::<Vec<_>>().join(", "))?;
        writeln!(
            f,
            "  connections made anew: {}, of them {} of the camera that was left alone",
            self.reconnects, self.left_alone
        )?;
        let Accused { right, unread, wrong_without_a_fault, wrong } = &self.accused;
        writeln!(
            f,
            "  accused: {right} rightly, {unread} without a plate, {} wrongly though nothing was \
             done, {} because of a fault",
            wrong_without_a_fault.len(),
            wrong.len()
        )?;
        let Ledger { sealed, held, cases, lost, doubled, verified } = &self.ledger;
        writeln!(
            f,
            "  sealed {sealed}, with the central {held} in {cases} cases, {} lost, {} doubled, {} \
             waited at most",
            lost.len(),
            doubled.len(),
            self.most_waiting
        )?;
        writeln!(f, "  {}", verified.replace('\n', "\n  "))?;
        self.wrong.iter().try_for_each(|wrong| writeln!(f, "  WRONG {wrong}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(i: u32, life: u32, memory_mb: f64) -> Sample {
        Sample {
            at_s: f64::from(i) * 5.0,
            life,
            age_s: f64::from(i % 100) * 5.0,
            memory_mb,
            threads: 30,
            descriptors: 60 + (i % 7) as usize,
            cores: Some(1.0),
            fps: BTreeMap::new(),
            reconnects: 0,
            left_alone: 0,
            pending: 0,
            load: 1.0,
        }
    }

    #[test]
    fn a_leak_is_told_and_a_busy_agent_is_not() {
        let run = |leak: f64| {
            let memory = |i: u32| 500.0 + f64::from(i * 31 % 40) + leak * f64::from(i % 100);
            let samples: Vec<_> = (0..200).map(|i| sample(i, i / 100 + 1, memory(i))).collect();
            growths(&samples)
        };
        let level = run(0.0);
        assert!(level.iter().all(|it| it.over_the_run.unwrap() < it.allowed), "{level:?}");
        // A MB every five seconds.
        let leaking = run(1.0);
        assert!(leaking[0].over_the_run.unwrap() > leaking[0].allowed, "{leaking:?}");
        assert!((leaking[0].per_hour.unwrap() - 720.0).abs() < 40.0, "{leaking:?}");
        let short: Vec<_> = (0..30).map(|i| sample(i, 1, f64::from(i))).collect();
        assert_eq!(growths(&short)[0].over_the_run, None);
    }

    #[test]
    fn what_the_agents_death_prolonged_is_not_counted() {
        let one = |kind, to: &str, took, through_a_kill| Happened {
            kind,
            to: to.into(),
            from_s: 0.0,
            until_s: 5.0,
            recovered_s: took,
            through_a_kill,
            shown: None,
        };
        let rows = recoveries(&[
            one("camera gone", "cam-01", Some(3.0), false),
            one("camera gone", "cam-02", Some(5.0), false),
            one("camera gone", "cam-02", Some(90.0), true),
            one("edited", "cam-01", Some(7.0), false),
            one("killed", "central", Some(40.0), false),
        ]);
        let told: Vec<_> = rows.iter().map(|row| (row.kind, row.times, row.max)).collect();
        let expected = [
            ("all of cameras", 2, 5.0),
            ("camera gone", 2, 5.0),
            ("edited", 1, 7.0),
            ("killed", 1, 40.0),
        ];
        assert_eq!(told, expected);
    }
}
