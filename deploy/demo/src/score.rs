//! Replays rendered junctions through the agent and holds its events against the truth.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::camera;
use crate::process;
use crate::site::Site;

#[derive(Debug, clap::Args)]
pub struct Plan {
    /// Junctions to render and replay, seeds 1 to this.
    #[arg(long, default_value_t = 10)]
    seeds: u64,
}

/// Prints a line a seed and the sum; fails where anybody is accused wrongly or the recall of red
/// lights is under 0.95.
pub fn score(dir: &Path, weights: &Path, plan: &Plan) -> Result<()> {
    let site = Site::prepare(dir, "score")?;
    let config = site.models(weights)?;
    let mut sum = Tally::default();
    println!("  seed  vehicles  red-light truth  found  wrong  plate right");
    for seed in 1..=plan.seeds {
        let (clip, truth, geometry) = camera::render(&site, seed)?;
        let out = site.dir.join(format!("replay-{seed}"));
        let events = site.dir.join(format!("events-{seed}.jsonl"));
        let mut replay = site.program("edge-agent")?;
        replay.args(["replay", "--json", "--config"]).arg(&geometry).arg("--config").arg(&config);
        replay.arg("--input").arg(&clip).arg("--out").arg(&out);
        let log = std::fs::File::create(site.log(&format!("replay-{seed}")))?;
        let status = replay
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&events)?)
            .stderr(log)
            .status()
            .context("run edge-agent replay")?;
        if !status.success() {
            bail!(
                "edge-agent replay of seed {seed} ended with {status}; {}",
                site.log(&format!("replay-{seed}")).display()
            );
        }
        let mut judge = site.program("world")?;
        judge.args(["score", "--json", "--truth"]).arg(&truth).arg("--events").arg(&events);
        let tally = Tally::from_json(&serde_json::from_str(&process::finish(judge)?)?)?;
        println!("  {seed:>4}  {tally}");
        sum.add(&tally);
    }
    println!("   all  {sum}");
    println!(
        "red light: precision {:.3}, recall {:.3}, plate right {:.3}",
        sum.precision(),
        sum.recall(),
        sum.plates()
    );
    if sum.wrong > 0 || sum.recall() < 0.95 || sum.plates() < 0.95 {
        bail!("below the bar: precision 1.00, recall 0.95, plates 0.95");
    }
    Ok(())
}

/// Counts of red-light events of one or several junctions.
#[derive(Debug, Default)]
struct Tally {
    vehicles: u64,
    truth: u64,
    found: u64,
    wrong: u64,
    plates: u64,
}

impl Tally {
    fn from_json(score: &Value) -> Result<Self> {
        let count = |pointer: &str| {
            score
                .pointer(pointer)
                .and_then(Value::as_u64)
                .with_context(|| format!("world score gave no {pointer}: {score}"))
        };
        let (events, found) =
            (count("/red_light/counts/events")?, count("/red_light/counts/matched")?);
        Ok(Self {
            vehicles: count("/vehicles")?,
            truth: count("/red_light/counts/truths")?,
            found,
            wrong: events.saturating_sub(found),
            plates: count("/red_light/counts/plates_right")?,
        })
    }

    fn add(&mut self, other: &Self) {
        self.vehicles += other.vehicles;
        self.truth += other.truth;
        self.found += other.found;
        self.wrong += other.wrong;
        self.plates += other.plates;
    }

    fn precision(&self) -> f64 {
        ratio(self.found, self.found + self.wrong)
    }

    fn recall(&self) -> f64 {
        ratio(self.found, self.truth)
    }

    fn plates(&self) -> f64 {
        ratio(self.plates, self.found)
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    // Counts of vehicles: far below 2^53.
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:>8}  {:>15}  {:>5}  {:>5}  {:>11}",
            self.vehicles, self.truth, self.found, self.wrong, self.plates
        )
    }
}
