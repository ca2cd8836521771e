//! The demo for people: starts everything, says where to look, and shows what happens.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::agent;
use crate::site::Site;
use crate::stages::Stages;
use crate::system::{SEED, System, View};

#[derive(Debug, clap::Args)]
pub struct Input {
    /// Serve this recording (H.264 or H.265) over RTSP instead of the synthetic junction.
    #[arg(long, requires = "site", conflicts_with = "camera")]
    video: Option<PathBuf>,
    /// Use this camera instead, e.g. rtsp://user:password@host/stream.
    #[arg(long, requires = "site")]
    camera: Option<String>,
    /// Geometry of the recording or camera, e.g. fixtures/sites/vn-redlight.toml.
    #[arg(long)]
    site: Option<PathBuf>,
}

impl Input {
    fn view(&self) -> Result<View> {
        Ok(match (&self.video, &self.camera, &self.site) {
            (Some(clip), None, Some(geometry)) => {
                View::Recording { clip: clip.clone(), geometry: geometry.clone() }
            }
            (None, Some(uri), Some(geometry)) => {
                View::Stream { uri: uri.clone(), geometry: geometry.clone() }
            }
            (None, None, None) => View::Synthetic { seed: SEED },
            _ => bail!(
                "SITE goes with VIDEO or CAMERA: give the recording or stream it was drawn for"
            ),
        })
    }
}

/// Runs until Ctrl-C or until a program ends by itself.
pub async fn run(dir: &Path, weights: &Path, input: &Input) -> Result<()> {
    let view = input.view()?;
    let site = Site::prepare(dir, "demo")?;
    let stages = Stages::new();
    tokio::select! {
        result = show(site, weights, &view, &stages) => result,
        _ = tokio::signal::ctrl_c() => {
            println!("\nended: everything the demo started is stopped");
            Ok(())
        }
    }
}

async fn show(site: Site, weights: &Path, view: &View, stages: &Stages) -> Result<()> {
    let mut system = System::start(site, weights, view, stages).await?;
    println!();
    println!("  officers   {}", system.site.web_url("/"));
    for officer in [&system.central.reviewer, &system.central.approver] {
        println!("             {} / {}   ({})", officer.login, officer.password, officer.title);
    }
    println!("  owners     {}", system.site.web_url("/tra-cuu"));
    println!("  agent      http://127.0.0.1:{}/metrics", system.site.ports.health);
    println!("  logs       {}", system.site.dir.join("logs").display());
    println!("\n  Ctrl-C ends everything.\n");
    let mut shown = String::new();
    loop {
        system.check()?;
        let line = match agent::status(&system.site).await {
            Ok(status) => describe(&status),
            Err(error) => format!("agent does not answer: {error}"),
        };
        if line != shown {
            println!("  {:>5.0} s  {line}", stages.elapsed().as_secs_f64());
            shown = line;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// One line of the agent's `/status`.
fn describe(status: &serde_json::Value) -> String {
    let number = |pointer: &str| status.pointer(pointer).and_then(serde_json::Value::as_f64);
    let text = |pointer: &str| status.pointer(pointer).and_then(serde_json::Value::as_str);
    format!(
        "{} {} at {:.0} fps · sealed and waiting {} · delivered {}",
        text("/cameras/0/id").unwrap_or("camera"),
        text("/cameras/0/state").unwrap_or("unknown"),
        number("/cameras/0/fps").unwrap_or(0.0),
        number("/spool/pending").unwrap_or(0.0),
        number("/spool/delivered").unwrap_or(0.0),
    )
}
