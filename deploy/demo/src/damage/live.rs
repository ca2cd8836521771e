//! What goes wrong between camera and agent, live. Clocks that disagree: the camera's sender reports
//! and this machine's clock hours apart, to either side, by the camera's fault or by the machine's.
//! Nothing may be sealed; with clocks that agree something must be. Packets that get lost: only who
//! did what he is accused of may be sealed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::table::Outcome;
use crate::agent::{self, Agent};
use crate::camera;
use crate::process::Running;
use crate::site::Site;

/// Until something is sealed where the clocks agree: the recording's round and the agent's start.
const PATIENCE: Duration = Duration::from_secs(150);
/// How much longer than that a wrong clock is watched.
const LONGER: Duration = Duration::from_secs(8);

/// The recording's round and the agent's start.
const ROUND: Duration = Duration::from_secs(80);
/// The picture that shows the change to green, seconds from the recording's beginning.
const GREEN: &str = "packets:42:3";

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
struct Fault {
    name: &'static str,
    /// How the camera misbehaves, as `camera --misbehave` takes it.
    camera: Option<&'static str>,
    /// Seconds this machine is ahead, as seen by the agent and by nobody else.
    machine: i32,
}

const RIGHT: Fault = Fault { name: "nothing wrong", camera: None, machine: 0 };
const HOURS: i32 = 3 * 3600;

/// Runs the agent on each wrong clock for as long as it took to seal with right ones.
pub async fn clocks(site: &Site, weights: &Path) -> Result<Vec<Outcome>> {
    let camera = |name, told| Fault { name, camera: Some(told), ..RIGHT };
    let machine = |name, machine| Fault { name, machine, ..RIGHT };
    let all = [
        camera("camera 3 h ahead", "clock:10800"),
        machine("machine 3 h behind", -HOURS),
        camera("camera 3 h behind", "clock:-10800"),
        machine("machine 3 h ahead", HOURS),
        camera("camera 2 min ahead", "clock:120"),
        camera("camera 2 min behind", "clock:-120"),
    ];
    let run = Run::prepare(site, weights)?;
    let started = tokio::time::Instant::now();
    let (sealed, state) = run.sealed(RIGHT, PATIENCE, true).await?;
    if sealed.is_empty() {
        bail!("with clocks that agree nothing was sealed within {PATIENCE:?}: camera {state}");
    }
    let time = started.elapsed() + LONGER;
    let outcome = |fault: Fault, new: Vec<String>| Outcome {
        kind: "clock".into(),
        name: fault.name.into(),
        new,
        ..Outcome::default()
    };
    // What the wrong clocks are held against.
    let mut outcomes = vec![Outcome {
        made: 1,
        kept: 1,
        made_outside: 1,
        kept_outside: 1,
        ..outcome(RIGHT, vec![])
    }];
    for clock in all {
        let (sealed, state) = run.sealed(clock, time, true).await?;
        println!("  clock: {:<20} sealed {}, camera {state}", clock.name, sealed.len());
        let new = sealed.iter().map(|act| format!("{act} sealed while the camera was {state}"));
        outcomes.push(outcome(clock, new.collect()));
    }
    Ok(outcomes)
}

/// Loses packets of the picture that turns green, a round long.
pub async fn packets(site: &Site, weights: &Path) -> Result<Outcome> {
    let run = Run::prepare(site, weights)?;
    let guilty = offences(&run.truth)?;
    let lossy =
        Fault { name: "packets of the picture that turns green", camera: Some(GREEN), ..RIGHT };
    let (sealed, state) = run.sealed(lossy, ROUND, false).await?;
    println!("  packets: sealed {}, camera {state}", sealed.len());
    if sealed.is_empty() {
        bail!("with some packets lost nothing was sealed within {ROUND:?}: camera {state}");
    }
    let (right, new): (Vec<_>, Vec<_>) = sealed.into_iter().partition(|act| guilty.contains(act));
    let right = right.len() as u64;
    Ok(Outcome {
        kind: "packets".into(),
        name: lossy.name.into(),
        made: right,
        kept: right,
        innocent: new.len() as u64,
        new,
        ..Outcome::default()
    })
}

struct Run<'a> {
    site: &'a Site,
    weights: &'a Path,
    clip: PathBuf,
    truth: PathBuf,
    geometry: PathBuf,
}

impl<'a> Run<'a> {
    fn prepare(site: &'a Site, weights: &'a Path) -> Result<Self> {
        let (clip, truth, geometry) = camera::render(site, 1)?;
        Agent::keygen(site)?;
        Ok(Self { site, weights, clip, truth, geometry })
    }

    /// What was sealed within `limit`, or until the first, and what the agent says of its camera.
    async fn sealed(
        &self,
        fault: Fault,
        limit: Duration,
        first: bool,
    ) -> Result<(Vec<String>, String)> {
        let site = self.site;
        let spool = site.dir.join("spool");
        if spool.exists() {
            std::fs::remove_dir_all(&spool)?;
        }
        let flags: Vec<&str> = fault.camera.iter().flat_map(|told| ["--misbehave", told]).collect();
        let (mut camera, uri) = camera::serve_with(site, &self.clip, &flags).await?;
        let agent = Agent::alone(site, &self.geometry, self.weights, &uri)?;
        let mut process: Running = agent.run_shifted(site, fault.machine).await?;
        let end = tokio::time::Instant::now() + limit;
        loop {
            process.check()?;
            camera.check()?;
            let sealed = agent::packages(site)?;
            if first && !sealed.is_empty() || tokio::time::Instant::now() > end {
                let acts = sealed.iter().map(|package| accused(package)).collect::<Result<_>>()?;
                return Ok((acts, state(site).await?));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// Every offence of a truth, as [`act`] writes it.
pub fn offences(truth: &Path) -> Result<HashSet<String>> {
    let truth = crate::json::read(truth)?;
    let offences = truth["violations"].as_array().context("a truth without violations")?;
    Ok(offences.iter().map(|offence| act(&offence["act"], &offence["plate"])).collect())
}

/// An act and who is said to have done it.
pub fn act(rule: &Value, plate: &Value) -> String {
    format!(
        "{} of {}",
        rule.as_str().unwrap_or_default(),
        plate.as_str().unwrap_or("an unread plate")
    )
}

/// What a sealed package accuses of.
fn accused(package: &Path) -> Result<String> {
    let manifest = crate::json::read(&package.join("manifest.json"))?;
    Ok(act(&manifest["violation"]["act"], &manifest["plate"]["text"]))
}

/// What the agent says of its camera.
async fn state(site: &Site) -> Result<String> {
    let status = agent::status(site).await?;
    let camera = status.pointer("/cameras/0").context("the agent's status has no camera")?;
    let text = |key: &str| camera.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (state, detail) = (text("state"), text("detail"));
    Ok(if detail.is_empty() { state } else { format!("{state} ({detail})") })
}
