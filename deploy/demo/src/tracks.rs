//! Replays a crowded rendered junction at several frame rates and has the tracks scored.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};

use crate::camera;
use crate::process;
use crate::site::Site;

#[derive(Debug, clap::Args)]
pub struct Plan {
    /// The crowd to render.
    #[arg(long, default_value = "fixtures/scenarios/dense.toml")]
    scenario: PathBuf,
    /// Analysed pictures a second.
    #[arg(long, num_args = 1.., default_values_t = [5, 10, 25])]
    fps: Vec<u32>,
}

/// Prints a line a frame rate.
pub fn tracks(dir: &Path, weights: &Path, plan: &Plan) -> Result<()> {
    let site = Site::prepare(dir, "tracks")?;
    let (clip, truth, geometry) = camera::render_scenario(&site, &plan.scenario)?;
    let config = site.models(weights)?;
    let mut score = site.program("plate-eval")?;
    score.args(["tracks", "--truth"]).arg(&truth).arg("--tracks");
    for fps in &plan.fps {
        let log = site.dir.join(format!("tracks-{fps:02}fps.jsonl"));
        let mut replay = site.program("edge-agent")?;
        replay.arg("replay").arg("--config").arg(&geometry).arg("--config").arg(&config);
        replay.arg("--input").arg(&clip).args(["--fps", &fps.to_string()]);
        replay.arg("--out").arg(site.dir.join(format!("replay-{fps}"))).arg("--tracks").arg(&log);
        replay.arg("--sheets").arg(site.dir.join(format!("sheets-{fps:02}fps")));
        let words = site.log(&format!("replay-{fps}"));
        replay.stdin(Stdio::null()).stdout(Stdio::null());
        let status = replay
            .stderr(std::fs::File::create(&words)?)
            .status()
            .context("run edge-agent replay")?;
        if !status.success() {
            bail!("edge-agent replay at {fps} fps ended with {status}; {}", words.display());
        }
        score.arg(&log);
    }
    print!("{}", process::finish(score)?);
    println!("pictures to look at: {}", site.dir.join("sheets-*").display());
    Ok(())
}
