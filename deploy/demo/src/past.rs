//! A package of long ago that a box still has: what it saw before its line came back after more than a
//! year. The limitation has passed, so the central closes the case by itself.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::agent::Agent;
use crate::process::Running;
use crate::site::Site;

/// A year is the limitation.
const AGO: time::Duration = time::Duration::days(400);
/// Until the first who breaks a rule in the recording is judged.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(100);

/// Puts the first package that the agent seals of `clip`, as if it were [`AGO`], at the head of its empty
/// spool.
pub async fn leave(site: &Site, agent: &Agent, clip: &Path) -> Result<()> {
    let out = site.dir.join("past");
    std::fs::create_dir_all(&out).with_context(|| out.display().to_string())?;
    let mut replay = site.program("edge-agent")?;
    replay.arg("replay").arg("--input").arg(clip).arg("--out").arg(&out);
    replay.arg("--start").arg((OffsetDateTime::now_utc() - AGO).format(&Rfc3339)?);
    for config in agent.configs() {
        replay.arg("--config").arg(config);
    }
    let mut running = Running::start("replay", replay, &site.log("past"))?;
    let began = Instant::now();
    let package = loop {
        if let Some(package) = first(&out)? {
            break package;
        }
        if running.ended()?.is_some() || began.elapsed() > PATIENCE {
            bail!("nobody was caught in {}; {}", clip.display(), running.last_words());
        }
        tokio::time::sleep(LOOK).await;
    };
    running.end();
    let pending = site.dir.join("spool/pending");
    std::fs::create_dir_all(&pending).with_context(|| pending.display().to_string())?;
    let name = package.file_name().context("a package without a name")?;
    std::fs::rename(&package, pending.join(name)).with_context(|| package.display().to_string())
}

/// The first package of a chain, once it is whole.
fn first(out: &Path) -> Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(out)? {
        let path = entry?.path();
        let is_first = path.file_name().is_some_and(|name| {
            name.to_str().is_some_and(|name| name.starts_with("000000000001-"))
        });
        if is_first && path.is_dir() {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
