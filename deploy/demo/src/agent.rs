//! Sets up and runs the edge agent of the demo.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process::{self, Running};
use crate::release;
use crate::site::Site;

/// Name under which the demo's box is enrolled.
pub const DEVICE: &str = "demo-box";

/// The agent's configuration files.
#[derive(Debug)]
pub struct Agent {
    configs: Vec<PathBuf>,
}

impl Agent {
    /// Makes the box's keys; enrolment follows at the central.
    pub fn keygen(site: &Site) -> Result<()> {
        let mut command = site.program("edge-agent")?;
        command.args(["keygen", "--device", DEVICE, "--out"]);
        command.arg(site.dir.join("keys").join(DEVICE));
        process::finish(command).map(drop)
    }

    /// Writes the configuration: the camera's geometry comes from `geometry`, its stream is `uri`.
    pub fn configure(site: &Site, geometry: &Path, weights: &Path, uri: &str) -> Result<Self> {
        let path = |path: PathBuf| quoted(&path.display().to_string());
        let updates = format!(
            "[update]\nkeys = {}\ndir = {}\nevery_s = 2\ntrial_s = 240\ncalm_s = 3\n",
            path(release::folder(site).join("release.pub")),
            path(site.dir.join("update")),
        );
        Self::write(site, geometry, weights, uri, &(uplink(Some(site.ports.device)) + &updates))
    }

    /// The same for an agent that keeps what it seals: there is no central service.
    pub fn alone(site: &Site, geometry: &Path, weights: &Path, uri: &str) -> Result<Self> {
        Self::write(site, geometry, weights, uri, "")
    }

    /// The same for all cameras that `geometry` names with their streams; with a central service
    /// behind that port where there is one.
    pub fn many(
        site: &Site,
        geometry: &Path,
        weights: &Path,
        central: Option<u16>,
    ) -> Result<Self> {
        let config = site.dir.join("agent.toml");
        let text = configuration(site, &found(weights)?, &uplink(central));
        std::fs::write(&config, text).with_context(|| format!("write {}", config.display()))?;
        Ok(Self { configs: vec![geometry.to_path_buf(), config] })
    }

    fn write(
        site: &Site,
        geometry: &Path,
        weights: &Path,
        uri: &str,
        uplink: &str,
    ) -> Result<Self> {
        let (_, camera) = drawn(geometry)?;
        let id = camera
            .get("id")
            .and_then(|id| id.as_str())
            .with_context(|| format!("{}: [[camera]] has no id", geometry.display()))?;
        let config = site.dir.join("agent.toml");
        let weights = found(weights)?;
        // The address may hold the camera's password.
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&config)
            .with_context(|| format!("write {}", config.display()))?;
        file.write_all(configuration(site, &weights, uplink).as_bytes())?;
        file.write_all(stream(id, uri).as_bytes())?;
        Ok(Self { configs: vec![geometry.to_path_buf(), config] })
    }

    pub fn configs(&self) -> &[PathBuf] {
        &self.configs
    }

    /// Starts the agent and waits until it answers on its health port.
    pub async fn run(&self, site: &Site) -> Result<Running> {
        self.start(site, site.program("edge-agent")?).await
    }

    /// The same where the machine's clock is `ahead_s` wrong for the agent alone; its monotonic
    /// clock is not.
    pub async fn run_shifted(&self, site: &Site, ahead_s: i32) -> Result<Running> {
        let mut program = site.program("edge-agent")?;
        if ahead_s != 0 {
            // Not through the command `faketime`, which stays between: its end is not the agent's.
            program.env("LD_PRELOAD", faketime()?).env("FAKETIME", format!("{ahead_s:+}"));
            program.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        self.start(site, program).await
    }

    async fn start(&self, site: &Site, mut command: Command) -> Result<Running> {
        // What `run` is, where the configuration has no [update].
        command.arg("launch");
        for config in &self.configs {
            command.arg("--config").arg(config);
        }
        let mut running = Running::start("agent", command, &site.log("agent"))?;
        for _ in 0..450 {
            running.check()?;
            if status(site).await.is_ok() {
                return Ok(running);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        bail!("the agent does not answer after 90 s; {}", running.last_words())
    }
}

/// A site file and its only camera.
pub fn drawn(geometry: &Path) -> Result<(toml::Table, toml::Table)> {
    let text = std::fs::read_to_string(geometry)
        .with_context(|| format!("read site file {}", geometry.display()))?;
    let table: toml::Table =
        toml::from_str(&text).with_context(|| format!("site file {}", geometry.display()))?;
    let cameras = table.get("camera").and_then(|cameras| cameras.as_array());
    let Some([toml::Value::Table(camera)]) = cameras.map(Vec::as_slice) else {
        bail!("{}: the demo wants exactly one [[camera]]", geometry.display());
    };
    let camera = camera.clone();
    Ok((table, camera))
}

/// The way to the central service, where there is one.
fn uplink(central: Option<u16>) -> String {
    let Some(port) = central else { return String::new() };
    format!("[uplink]\nurl = \"https://127.0.0.1:{port}\"\nbackoff_max_ms = 2000\n")
}

/// The library of the Debian package faketime, wherever this architecture has it.
fn faketime() -> Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib")?.filter_map(Result::ok);
    let mut found = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    found
        .find(|path| path.is_file())
        .context("install the Debian package faketime (make test does)")
}

fn found(weights: &Path) -> Result<PathBuf> {
    weights.canonicalize().with_context(|| format!("weights folder {}", weights.display()))
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Where the camera's stream comes from.
fn stream(id: &str, uri: &str) -> String {
    format!("[[camera]]\nid = {}\nuri = {}\n", quoted(id), quoted(uri))
}

/// The configuration but for the cameras, every value quoted as TOML wants it.
fn configuration(site: &Site, weights: &Path, uplink: &str) -> String {
    let path = |path: PathBuf| quoted(&path.display().to_string());
    format!(
        "[device]\nid = \"{DEVICE}\"\nserial = \"DEMO-0001\"\nkeys = {keys}\n\
         [unit]\ncode = \"PC08-DEMO\"\nname = \"Đội CSGT mẫu\"\noperator = \"Cán bộ mẫu\"\n\
         [models]\ndir = {weights}\n\
         [spool]\ndir = {spool}\nmax_mib = 2048\nmin_free_mib = 64\n\
         [history]\ndir = {history}\n\
         {uplink}\
         [health]\nlisten = \"127.0.0.1:{health}\"\n",
        keys = path(site.dir.join("keys").join(DEVICE)),
        weights = path(weights.to_path_buf()),
        spool = path(site.dir.join("spool")),
        history = path(site.dir.join("history")),
        health = site.ports.health,
    )
}

/// The agent's own `/status`.
pub async fn status(site: &Site) -> Result<Value> {
    let url = format!("http://127.0.0.1:{}/status", site.ports.health);
    Ok(reqwest::get(url).await?.error_for_status()?.json().await?)
}

/// Folders of the packages in the spool, delivered or not: what the agent holds whole.
pub fn packages(site: &Site) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for state in ["pending", "delivered", "refused"] {
        let Ok(entries) = std::fs::read_dir(site.dir.join("spool").join(state)) else { continue };
        for entry in entries {
            folders.push(entry?.path());
        }
    }
    Ok(folders)
}

/// Sequence numbers of the packages in one state.
pub fn sequences(site: &Site, state: &str) -> Result<Vec<u64>> {
    let Ok(entries) = std::fs::read_dir(site.dir.join("spool").join(state)) else {
        return Ok(Vec::new());
    };
    let number = |name: std::ffi::OsString| name.to_str()?.split_once('-')?.0.parse::<u64>().ok();
    let mut numbers = Vec::new();
    for entry in entries {
        numbers.extend(number(entry?.file_name()));
    }
    Ok(numbers)
}

/// Their evidence ids.
pub fn spooled(site: &Site) -> Result<Vec<String>> {
    let id = |folder: &PathBuf| {
        // 000000000012-<evidence id>
        Some(folder.file_name()?.to_string_lossy().split_once('-')?.1.to_owned())
    };
    Ok(packages(site)?.iter().filter_map(id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_address_and_folder_comes_through_the_configuration() {
        let root = tempfile::tempdir().unwrap();
        let site = Site::prepare(&root.path().join("a \"b\" $c"), "demo").unwrap();
        for uri in ["rtsp://u:pa$w\"o\\r'd@h/s", "rtsp://u:`id`\"\"\"'x@h/s"] {
            let text = configuration(&site, Path::new("w\"x"), "") + &stream("cam-01", uri);
            let written: toml::Value = toml::from_str(&text).unwrap();
            assert_eq!(written["camera"][0]["uri"].as_str(), Some(uri));
            assert_eq!(written["models"]["dir"].as_str(), Some("w\"x"));
            let spool = site.dir.join("spool");
            assert_eq!(written["spool"]["dir"].as_str(), spool.to_str());
        }
    }
}
