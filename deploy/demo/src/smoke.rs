//! The whole way of one violation, driven without a person: camera, agent, seal, delivery, review,
//! approval, notice, lookup, fine and payment, verification, and what happens when one bit is flipped;
//! of a second one whose driver is heard first; of other acts from other scenes; and of a release from
//! the machine apart to the box.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::acts;
use crate::agent;
use crate::browser::Browser;
use crate::fines;
use crate::officer::{self, text};
use crate::owner;
use crate::process;
use crate::registry;
use crate::release;
use crate::secrecy;
use crate::site::Site;
use crate::stages::Stages;
use crate::story::red_light;
use crate::system::{JUNCTION_SEED, System, View};

/// How long a stage may take: a busy machine is slow, not broken.
const PATIENCE: Duration = Duration::from_secs(300);

pub async fn smoke(dir: &Path, weights: &Path) -> Result<()> {
    let site = Site::prepare(dir, "smoke")?;
    let stages = Stages::new();
    tokio::select! {
        result = walk(site, weights, &stages) => result?,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    }
    println!("smoke test passed in {:.1} s", stages.elapsed().as_secs_f64());
    Ok(())
}

async fn walk(site: Site, weights: &Path, stages: &Stages) -> Result<()> {
    let view = View::Synthetic { seed: JUNCTION_SEED, past: false };
    let mut system = System::start(site, weights, &view, stages).await?;
    let junction = system.truth.clone().context("a synthetic junction without its truth")?;
    let known = registry::plates(&junction)?;
    stages
        .run("camera analysed", async {
            let fps = system
                .until("analysed frames", PATIENCE, async |site| {
                    let status = agent::status(site).await?;
                    let fps = status.pointer("/cameras/0/fps").and_then(Value::as_f64);
                    Ok(fps.filter(|fps| *fps > 0.0))
                })
                .await?;
            Ok(((), format!("{fps:.1} frames a second")))
        })
        .await?;
    stages
        .run("red light sealed", async {
            let sealed = system
                .until("sealed evidence", PATIENCE, async |site| {
                    Ok(agent::spooled(site)?.into_iter().next())
                })
                .await?;
            Ok(((), sealed))
        })
        .await?;
    let reviewer = system.central.reviewer.clone();
    let approver = system.central.approver.clone();
    let case = stages
        .run("case in the officer's queue", async {
            let api = officer::Api::sign_in(&system.site, &reviewer).await?;
            // The first whose plate was read, of an owner whom the registry knows: with the others a
            // person must help.
            let case = system
                .until("a red-light case with a plate", PATIENCE, async |_| {
                    let cases = api.cases().await?;
                    let ready = |case: &&Value| {
                        red_light(case, &known, "motorbike") && case["state"] == "received"
                    };
                    Ok(cases.iter().find(ready).cloned())
                })
                .await?;
            let id = text(&case, "/id")?;
            Ok((case, id))
        })
        .await?;
    let (id, plate) = (text(&case, "/id")?, text(&case, "/plate")?);
    let evidence = text(&case, "/evidence_id")?;

    stages
        .run("reviewer looks and accepts", async {
            let browser = Browser::open(&system.site, "reviewer").await?;
            officer::sign_in(&browser, &system.site, &reviewer).await?;
            let seen = officer::review(&browser, &system.site, &id).await?;
            browser.close().await?;
            Ok(((), seen))
        })
        .await?;
    stages
        .run("approver issues the notice", async {
            let browser = Browser::open(&system.site, "approver").await?;
            officer::sign_in(&browser, &system.site, &approver).await?;
            let bytes = officer::approve(&browser, &system.site, &id).await?;
            browser.close().await?;
            Ok(((), format!("PDF of {bytes} bytes")))
        })
        .await?;
    stages
        .run("owner finds it by plate", async {
            let browser = Browser::open(&system.site, "owner").await?;
            let fields = owner::look_up(&browser, &system.site, &plate, true).await?;
            browser.close().await?;
            let shown: String = fields[0].1.chars().filter(|c| c.is_alphanumeric()).collect();
            ensure!(shown == plate, "asked for {plate}, shown {shown}");
            Ok(((), "nine public fields, no picture".to_owned()))
        })
        .await?;
    fines::walk(&system, &id, &plate, &known, stages).await?;
    let mut truths = acts::walk(&mut system, weights, stages, PATIENCE).await?;
    release::walk(&mut system, stages, PATIENCE).await?;
    stages
        .run("store verifies", async {
            let report = system.central.verify_store(&system.site, true)?;
            Ok(((), report.lines().last().unwrap_or_default().to_owned()))
        })
        .await?;
    stages
        .run("one flipped bit is named", async {
            let names = flip_each(&system, &evidence)?;
            Ok(((), names))
        })
        .await?;
    truths.push(junction);
    stages
        .run("logs name nobody", async { Ok(((), secrecy::logs_name_nobody(&system, &truths)?)) })
        .await
}

/// Flips one bit in copies of manifest, frame and clip of a delivered package; each must be named.
fn flip_each(system: &System, evidence: &str) -> Result<String> {
    let site = &system.site;
    let package = delivered(site, evidence)?;
    let key = site.dir.join("keys").join(agent::DEVICE).join("seal.pub");
    let verify = |folder: &Path| -> Result<String> {
        let mut command = site.program("central-api")?;
        command.args(["verify", "--package"]).arg(folder).arg("--key").arg(&key);
        process::finish(command)
    };
    verify(&package).context("the untouched package")?;
    for name in ["manifest.json", "on.jpg", "clip.mp4"] {
        let copy = site.dir.join("flipped");
        std::fs::create_dir_all(&copy)?;
        for entry in std::fs::read_dir(&package)? {
            let entry = entry?;
            std::fs::copy(entry.path(), copy.join(entry.file_name()))?;
        }
        let file = copy.join(name);
        let mut bytes = std::fs::read(&file)?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes)?;
        match verify(&copy) {
            Ok(report) => bail!("one bit of {name} was flipped and verification passed: {report}"),
            Err(error) if error.to_string().contains(name) => {}
            Err(error) => {
                bail!("one bit of {name} was flipped; the failure does not name it: {error}")
            }
        }
    }
    Ok("manifest.json, on.jpg, clip.mp4".into())
}

fn delivered(site: &Site, evidence: &str) -> Result<PathBuf> {
    let holds = |folder: &PathBuf| folder.to_string_lossy().ends_with(evidence);
    if let Some(folder) = agent::packages(site)?.into_iter().find(holds) {
        return Ok(folder);
    }
    bail!("the spool no longer holds {evidence}")
}
