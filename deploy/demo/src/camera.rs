//! The demo's camera: a synthetic junction, a recording, or a real stream.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::process::Running;
use crate::site::Site;

/// Renders the synthetic junction once and keeps it; later runs find it.
pub fn render(site: &Site, seed: u64) -> Result<(PathBuf, PathBuf, PathBuf)> {
    let [clip, truth, geometry] =
        ["mp4", "truth.json", "site.toml"].map(|end| kept(site, seed, end));
    let program = site.program("world")?;
    // The renderer itself may have changed since: its own modification time is part of the key.
    let built = std::fs::metadata(program.get_program())?.modified()?;
    let fresh = |path: &Path| {
        std::fs::metadata(path).and_then(|file| file.modified()).is_ok_and(|made| made > built)
    };
    if ![&clip, &truth, &geometry].into_iter().all(|path| fresh(path)) {
        let mut command: Command = program;
        command.args(["render", "--seed", &seed.to_string(), "--out"]).arg(&clip);
        command.arg("--truth").arg(&truth).arg("--site").arg(&geometry);
        // Its progress bar is the user's.
        let status =
            command.stdin(Stdio::null()).status().context("render the synthetic junction")?;
        if !status.success() {
            bail!("rendering the synthetic junction ended with {status}");
        }
    }
    Ok((clip, truth, geometry))
}

/// What really happens in the rendered junction, as JSON.
pub fn truth(site: &Site, seed: u64) -> PathBuf {
    kept(site, seed, "truth.json")
}

fn kept(site: &Site, seed: u64, end: &str) -> PathBuf {
    site.cache.join(format!("junction-{seed}.{end}"))
}

/// Serves `clip` over RTSP in an endless loop.
pub async fn serve(site: &Site, clip: &Path) -> Result<(Running, String)> {
    let mut command = site.program("camera")?;
    command.arg("--file").arg(clip);
    command.args(["--port", &site.ports.rtsp.to_string(), "--path", "/cam-01"]);
    let log = site.log("camera");
    let mut running = Running::start("camera", command, &log)?;
    for _ in 0..600 {
        running.check()?;
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        if let Some(line) = text.lines().find_map(|line| line.strip_prefix("ready ")) {
            return Ok((running, line.trim().to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("the camera is not ready after 60 s; {}", running.last_words())
}
