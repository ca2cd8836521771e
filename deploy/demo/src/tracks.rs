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
    /// Plays of it: the scenario's own traffic, or that of these seeds.
    #[arg(long, num_args = 1..)]
    seeds: Vec<u64>,
    /// Analysed pictures a second.
    #[arg(long, num_args = 1.., default_values_t = [5, 10, 25])]
    fps: Vec<u32>,
}

/// Prints a line a frame rate.
pub fn tracks(dir: &Path, weights: &Path, plan: &Plan) -> Result<()> {
    let site = Site::prepare(dir, "tracks")?;
    let config = site.models(weights)?;
    if plan.seeds.is_empty() {
        play(&site, &config, plan, None)?;
    }
    for &seed in &plan.seeds {
        println!("seed {seed}");
        play(&site, &config, plan, Some(seed))?;
    }
    println!("pictures to look at: {}", site.dir.join("sheets-*").display());
    Ok(())
}

fn play(site: &Site, config: &Path, plan: &Plan, seed: Option<u64>) -> Result<()> {
    let (clip, truth, geometry) = camera::render_scenario(site, &plan.scenario, seed)?;
    let of_seed = seed.map(|seed| format!("-{seed}")).unwrap_or_default();
    let mut score = site.program("plate-eval")?;
    score.args(["tracks", "--truth"]).arg(&truth).arg("--tracks");
    for fps in &plan.fps {
        let which = format!("{fps:02}fps{of_seed}");
        let log = site.dir.join(format!("tracks-{which}.jsonl"));
        let mut replay = site.program("edge-agent")?;
        replay.arg("replay").arg("--config").arg(&geometry).arg("--config").arg(config);
        replay.arg("--input").arg(&clip).args(["--fps", &fps.to_string()]);
        replay.arg("--out").arg(site.dir.join(format!("replay-{which}"))).arg("--tracks").arg(&log);
        replay.arg("--sheets").arg(site.dir.join(format!("sheets-{which}")));
        let words = site.log(&format!("replay-{which}"));
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
    Ok(())
}
