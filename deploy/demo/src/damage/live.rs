//! Clocks that disagree, live: the camera's sender reports and this machine's clock hours apart, to
//! either side, by the camera's fault or by the machine's. Nothing may be sealed; with clocks that
//! agree something must be.

use std::path::Path;
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

/// A clock that is wrong.
#[derive(Debug, Clone, Copy)]
struct Wrong {
    name: &'static str,
    /// Seconds the camera's sender reports are ahead.
    camera: i32,
    /// Seconds this machine is ahead, as seen by the agent and by nobody else.
    machine: i32,
}

const HOURS: i32 = 3 * 3600;

/// Runs the agent on each wrong clock for as long as it took to seal with right ones.
pub async fn clocks(site: &Site, weights: &Path) -> Result<Vec<Outcome>> {
    let wrong = |name, camera, machine| Wrong { name, camera, machine };
    let all = [
        wrong("camera 3 h ahead", HOURS, 0),
        wrong("machine 3 h behind", 0, -HOURS),
        wrong("camera 3 h behind", -HOURS, 0),
        wrong("machine 3 h ahead", 0, HOURS),
        wrong("camera 2 min ahead", 120, 0),
        wrong("camera 2 min behind", -120, 0),
    ];
    let (clip, _, geometry) = camera::render(site, 1)?;
    Agent::keygen(site)?;
    let right = wrong("right", 0, 0);
    let mut run = Run { site, weights, clip: &clip, geometry: &geometry };
    let started = tokio::time::Instant::now();
    let (sealed, state) = run.until_sealed(right, PATIENCE).await?;
    if sealed == 0 {
        bail!("with clocks that agree nothing was sealed within {PATIENCE:?}: camera {state}");
    }
    let time = started.elapsed() + LONGER;
    let mut outcomes = Vec::new();
    for clock in all {
        let (sealed, state) = run.until_sealed(clock, time).await?;
        println!("  clock: {:<20} sealed {sealed}, camera {state}", clock.name);
        let new = (0..sealed).map(|_| format!("sealed while the camera was {state}"));
        outcomes.push(Outcome {
            kind: "clock".into(),
            name: clock.name.into(),
            new: new.collect(),
            innocent: 0,
            ..Outcome::default()
        });
    }
    Ok(outcomes)
}

struct Run<'a> {
    site: &'a Site,
    weights: &'a Path,
    clip: &'a Path,
    geometry: &'a Path,
}

impl Run<'_> {
    /// How much was sealed within `limit`, ending with the first, and what the agent says of its
    /// camera.
    async fn until_sealed(&mut self, clock: Wrong, limit: Duration) -> Result<(usize, String)> {
        let site = self.site;
        let spool = site.dir.join("spool");
        if spool.exists() {
            std::fs::remove_dir_all(&spool)?;
        }
        let ahead = format!("clock:{}", clock.camera);
        let flags: &[&str] = if clock.camera == 0 { &[] } else { &["--misbehave", &ahead] };
        let (mut camera, uri) = camera::serve_with(site, self.clip, flags).await?;
        let agent = Agent::alone(site, self.geometry, self.weights, &uri)?;
        let mut process: Running = agent.run_shifted(site, clock.machine).await?;
        let end = tokio::time::Instant::now() + limit;
        loop {
            process.check()?;
            camera.check()?;
            let sealed = agent::spooled(site)?.len();
            if sealed > 0 || tokio::time::Instant::now() > end {
                return Ok((sealed, state(site).await?));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// What the agent says of its camera.
async fn state(site: &Site) -> Result<String> {
    let status = agent::status(site).await?;
    let camera = status.pointer("/cameras/0").context("the agent's status has no camera")?;
    let text = |key: &str| camera.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (state, detail) = (text("state"), text("detail"));
    Ok(if detail.is_empty() { state } else { format!("{state} ({detail})") })
}
