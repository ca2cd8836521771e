//! A release on its way: signed apart, published and given at the central, fetched by the box, tried
//! and kept; and one that does not come well, after which the box runs what it ran before.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::agent;
use crate::process;
use crate::site::Site;
use crate::stages::Stages;
use crate::system::System;

/// Makes the release key whose public half the agent's configuration names.
pub fn key(site: &Site) -> Result<()> {
    let mut command = site.program("central-api")?;
    command.args(["release", "key", "--out"]).arg(folder(site));
    process::finish(command).map(drop)
}

/// Where the demo's machine apart keeps its things.
pub fn folder(site: &Site) -> PathBuf {
    site.dir.join("keys").join("release")
}

/// Leads both releases through.
pub async fn walk(system: &mut System, stages: &Stages, patience: Duration) -> Result<()> {
    stages
        .run("a release is tried and kept", async {
            let real = site_program(&system.site)?;
            offer(system, 1, &real)?;
            let status = system
                .until("release 1 confirmed", patience, async |site| {
                    let update = update(site).await;
                    Ok(update.filter(|it| it["release"] == 1 && it["on_trial"] == false))
                })
                .await?;
            ensure!(status["undone"].is_null(), "{status}");
            let megabytes = real.metadata()?.len() / 1_000_000;
            Ok(((), format!("program of {megabytes} MB over mTLS, confirmed by the box")))
        })
        .await?;
    stages
        .run("a bad release is undone", async {
            let script = system.site.dir.join("bad.sh");
            std::fs::write(&script, "#!/bin/sh\n[ \"$1\" = run ] && exit 9\nexit 0\n")?;
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
            offer(system, 2, &script)?;
            let status = system
                .until("release 2 undone", patience, async |site| {
                    Ok(update(site).await.filter(|it| it["undone"]["number"] == 2))
                })
                .await?;
            ensure!(status["release"] == 1, "the box should run release 1 again: {status}");
            let reason = status["undone"]["reason"].as_str().unwrap_or_default();
            Ok(((), reason.to_owned()))
        })
        .await
}

fn site_program(site: &Site) -> Result<PathBuf> {
    Ok(PathBuf::from(site.program("edge-agent")?.get_program()))
}

/// Signs a release with this program, publishes it and gives it to the demo's box.
fn offer(system: &System, number: u64, program: &Path) -> Result<()> {
    let (site, apart) = (&system.site, folder(&system.site));
    let number = number.to_string();
    let release = apart.join(&number);
    std::fs::create_dir_all(release.join("program"))?;
    let to = release.join("program/edge-agent");
    std::fs::copy(program, &to).with_context(|| format!("copy to {}", to.display()))?;
    let mut make = site.program("central-api")?;
    make.args(["release", "make", "--number", &number, "--version", "demo", "--key"]);
    make.arg(apart.join("release.key")).arg("--dir").arg(&release);
    process::finish(make)?;
    let mut publish = system.central.command(site, &["release", "publish"])?;
    publish.arg("--key").arg(apart.join("release.pub")).arg("--dir").arg(&release);
    process::finish(publish)?;
    let assign = ["release", "assign", "--number", &number, "--device", agent::DEVICE];
    process::finish(system.central.command(site, &assign)?).map(drop)
}

/// What the agent says of updates; nothing while it is being replaced.
async fn update(site: &Site) -> Option<Value> {
    agent::status(site).await.ok().map(|status| status["update"].clone())
}
