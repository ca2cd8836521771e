//! The demo's camera: a synthetic junction, a recording, or a real stream.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};

use crate::process::{self, Running};
use crate::site::Site;

/// The scene of the demo.
pub const JUNCTION: &str = "junction";

/// Renders the synthetic junction once and keeps it; later runs find it. Clip, truth, site file.
pub fn render(site: &Site, seed: u64) -> Result<(PathBuf, PathBuf, PathBuf)> {
    render_scene(site, JUNCTION, seed)
}

/// The same in other weather, as `world render --weather` names it.
pub fn render_weather(site: &Site, seed: u64, sky: &str) -> Result<(PathBuf, PathBuf, PathBuf)> {
    let flags = ["--seed", &seed.to_string(), "--weather", sky];
    made(site, &format!("{}-{sky}", junction(seed)), &flags.map(AsRef::as_ref), None)
}

/// The same for any built-in scene; but for the junction each seed has weather of its own.
pub fn render_scene(site: &Site, scene: &str, seed: u64) -> Result<(PathBuf, PathBuf, PathBuf)> {
    let flags = ["--scene", scene, "--seed", &seed.to_string()];
    made(site, &format!("{scene}-{seed}"), &flags.map(AsRef::as_ref), None)
}

/// The same as the scene's second camera sees it, where it has one.
pub fn render_further(site: &Site, scene: &str, seed: u64) -> Result<(PathBuf, PathBuf, PathBuf)> {
    let flags = ["--scene", scene, "--seed", &seed.to_string(), "--further"];
    made(site, &format!("{scene}-{seed}-further"), &flags.map(AsRef::as_ref), None)
}

/// The same for a scenario file, its truth with every picture's boxes; `seed` instead of its own.
pub fn render_scenario(
    site: &Site,
    scenario: &Path,
    seed: Option<u64>,
) -> Result<(PathBuf, PathBuf, PathBuf)> {
    let mut name = scenario.file_stem().context("a scenario is a file")?.to_owned();
    let mut flags = vec!["--truth-frames".as_ref(), "--scenario".as_ref(), scenario.as_os_str()];
    let seed = seed.map(|seed| seed.to_string());
    if let Some(seed) = &seed {
        name.push(format!("-{seed}"));
        flags.extend::<[&OsStr; 2]>(["--seed".as_ref(), seed.as_ref()]);
    }
    made(site, &name.to_string_lossy(), &flags, Some(scenario))
}

/// The same with lamps that over-expose, 0 to 1; its first 50 seconds.
pub fn render_glare(site: &Site, seed: u64, glare: f64) -> Result<(PathBuf, PathBuf, PathBuf)> {
    let name = format!("{}-glare-{:.0}", junction(seed), glare * 100.0);
    let (seed, glare) = (seed.to_string(), glare.to_string());
    let flags = ["--seed", &seed, "--glare", &glare, "--duration", "50"];
    made(site, &name, &flags.map(AsRef::as_ref), None)
}

fn junction(seed: u64) -> String {
    format!("{JUNCTION}-{seed}")
}

fn made(
    site: &Site,
    name: &str,
    flags: &[&OsStr],
    source: Option<&Path>,
) -> Result<(PathBuf, PathBuf, PathBuf)> {
    let [clip, truth, geometry] =
        ["mp4", "truth.json", "site.toml"].map(|end| kept(site, name, end));
    let program = site.program("world")?;
    // The renderer itself may have changed since: its own modification time is part of the key.
    let mut since = modified(Path::new(program.get_program()))?;
    if let Some(source) = source {
        since = since.max(modified(source).with_context(|| source.display().to_string())?);
    }
    let fresh = |path: &Path| modified(path).is_ok_and(|made| made > since);
    if ![&clip, &truth, &geometry].into_iter().all(|path| fresh(path)) {
        let mut command: Command = program;
        command.arg("render").args(flags).arg("--out").arg(&clip);
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

/// When a file was last written.
pub fn modified(path: &Path) -> std::io::Result<SystemTime> {
    std::fs::metadata(path)?.modified()
}

fn kept(site: &Site, name: &str, end: &str) -> PathBuf {
    site.cache.join(format!("{name}.{end}"))
}

/// The same pictures as a camera's substream of `size` has them, made once.
pub fn substream(site: &Site, clip: &Path, size: &str) -> Result<PathBuf> {
    derived(site, clip, size, &["substream", "--size", size])
}

/// What `world` makes of `clip` when told so, made once.
pub fn derived(site: &Site, clip: &Path, mark: &str, words: &[&str]) -> Result<PathBuf> {
    let made = clip.with_extension(format!("{mark}.mp4"));
    if modified(&made).is_ok_and(|made| modified(clip).is_ok_and(|clip| made > clip)) {
        return Ok(made);
    }
    let mut command: Command = site.program("world")?;
    command.args(words).arg("--in").arg(clip).arg("--out").arg(&made);
    process::finish(command)?;
    Ok(made)
}

/// Path of the camera on its server.
pub const PATH: &str = "/cam-01";

/// Serves `clip` over RTSP in an endless loop.
pub async fn serve(site: &Site, clip: &Path) -> Result<(Running, String)> {
    serve_with(site, clip, &[]).await
}

/// The same by a camera that is told more, such as how to misbehave.
pub async fn serve_with(site: &Site, clip: &Path, flags: &[&str]) -> Result<(Running, String)> {
    serve_at(site, site.ports.rtsp, clip, flags).await
}

/// The same on another port.
pub async fn serve_at(
    site: &Site,
    port: u16,
    clip: &Path,
    flags: &[&str],
) -> Result<(Running, String)> {
    let mut command = site.program("camera")?;
    command.arg("--file").arg(clip).args(flags);
    command.args(["--port", &port.to_string(), "--path", PATH]);
    // A log of its own: "ready" must be this camera's word.
    let name = clip.file_stem().unwrap_or_default().to_string_lossy();
    let told: String = flags.join("").replace([':', '/'], "-").chars().take(60).collect();
    let log = site.log(&format!("camera-{name}{told}"));
    // What one before said in it does not count.
    let before = std::fs::metadata(&log).map_or(0, |log| log.len() as usize);
    let mut running = Running::start("camera", command, &log)?;
    for _ in 0..600 {
        running.check()?;
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let new = text.get(before..).unwrap_or_default();
        if let Some(line) = new.lines().find_map(|line| line.strip_prefix("ready ")) {
            return Ok((running, line.trim().to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("the camera is not ready after 60 s; {}", running.last_words())
}
