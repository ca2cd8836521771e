//! What a province's boxes ask of one central: a fleet of simulated boxes against the real service on a
//! fresh store. Nothing may be lost and nothing doubled, whatever happens to the lines; what the
//! central took of the machine is said beside what came in.

pub mod account;
pub mod cluster;
mod plot;
mod table;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::central::{Central, Owners};
use crate::json;
use crate::officer::Api;
use crate::process::{self, Running};
use crate::site::Site;
use crate::stages::Stages;

use cluster::Cluster;
use table::Table;
use watch::Watch;

/// Seconds between two looks at what the central takes.
const LOOK_EVERY: f64 = 5.0;
/// After the play, what is left is delivered within this, seconds.
const REST: f64 = 300.0;

#[derive(Debug, clap::Args)]
pub struct Plan {
    /// Boxes, each with its own certificate, key and chain.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u16).range(1..))]
    boxes: u16,
    /// How long they seal, minutes.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Violations a day of all boxes together.
    #[arg(long, default_value_t = 6000.0)]
    per_day: f64,
    /// The hour that is played is so many times as busy as the day's mean.
    #[arg(long, default_value_t = 5.0)]
    factor: f64,
    /// Decides what is sealed when, and what goes wrong.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// On a PostgreSQL of its own instead of SQLite.
    #[arg(long)]
    postgres: bool,
    /// Where the table is written as JSON, and beside it CPU and memory over the time as SVG.
    #[arg(long, default_value = "benches/results/fleet.json")]
    json: PathBuf,
    /// Further flags of `fleet play`: what goes wrong, how heavy packages are.
    #[arg(last = true)]
    fleet: Vec<String>,
}

pub async fn load(dir: &Path, plan: &Plan) -> Result<()> {
    let site = Site::prepare(dir, "fleet")?.aside()?;
    let stages = Stages::new();
    tokio::select! {
        result = measure(&site, plan, &stages) => result,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    }
}

async fn measure(site: &Site, plan: &Plan, stages: &Stages) -> Result<()> {
    let cluster = match plan.postgres {
        true => Some(Cluster::start(site).await?),
        false => None,
    };
    let central = stages
        .run("database, officers", async {
            let central = match &cluster {
                Some(cluster) => Central::set_up_on(site, Owners::Unknown, &cluster.url())?,
                None => Central::set_up(site, Owners::Unknown)?,
            };
            Ok((central, if plan.postgres { "PostgreSQL" } else { "SQLite" }.to_owned()))
        })
        .await?;
    enrol(site, &central, plan.boxes)?;
    let served = stages
        .run("central service ready", async { Ok((central.serve(site).await?, site.web_url("/"))) })
        .await?;
    let mut watch = Watch::begin(site, served, cluster)?;
    let outcome = play(site, plan, &mut watch).await?;
    let refusals = watch::refusals(site).await?;
    let course = watch.course()?;
    let packages = stages
        .run("every package looked up", async {
            let api = Api::sign_in(site, &central.reviewer).await?;
            let packages = api.cases_of_packages().await?;
            let remark = format!("{} packages in cases", packages.len());
            Ok((packages, remark))
        })
        .await?;
    let verified = stages
        .run("the whole store verified", async {
            let said = central.verify_store(site, false)?;
            Ok((said.trim().to_owned(), String::new()))
        })
        .await?;
    let account = account::hold(&outcome, &packages)?;
    let table = Table::new(plan, &outcome, account, course, refusals, verified)?;
    println!("{table}");
    json::write(&plan.json, &table)?;
    let picture = plan.json.with_extension("svg");
    std::fs::write(&picture, plot::draw(&table.course)).context("write the plot")?;
    println!("{}, {}", plan.json.display(), picture.display());
    table.account().check()?;
    let failures = table.failures();
    ensure!(failures.is_empty(), "the central failed requests: {}", failures.join(", "));
    Ok(())
}

/// Keys of every box, each enrolled as an administrator does it.
pub fn enrol(site: &Site, central: &Central, boxes: u16) -> Result<()> {
    let mut keys = site.program("fleet")?;
    keys.args(["keys", "--boxes", &boxes.to_string(), "--out"]).arg(site.dir.join("keys"));
    let names = process::finish(keys)?;
    let bar = bar(u64::from(boxes), "{bar:30} {pos}/{len} boxes enrolled, eta {eta}");
    for name in names.lines() {
        central.enrol(site, name)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    println!("  ok  {} boxes enrolled in {:.0} s", boxes, bar.elapsed().as_secs_f64());
    Ok(())
}

/// Lets the fleet play, and looks at the central meanwhile; gives the fleet's own account.
async fn play(site: &Site, plan: &Plan, watch: &mut Watch) -> Result<Value> {
    let seconds = plan.minutes * 60.0;
    let json = site.dir.join("fleet.json");
    let mut command = site.program("fleet")?;
    command.args(["play", "--keys"]).arg(site.dir.join("keys")).arg("--json").arg(&json);
    for (flag, value) in [
        ("--url", format!("https://127.0.0.1:{}", site.ports.device)),
        ("--seconds", seconds.to_string()),
        ("--rest", REST.to_string()),
        ("--per-day", plan.per_day.to_string()),
        ("--factor", plan.factor.to_string()),
        ("--seed", plan.seed.to_string()),
    ] {
        command.arg(flag).arg(value);
    }
    command.args(&plan.fleet);
    let mut fleet = Running::start("fleet", command, &site.log("fleet"))?;
    let bar = bar(seconds as u64, "{bar:30} {elapsed} of {len} s  {msg}");
    let every = Duration::from_secs_f64(LOOK_EVERY.min(seconds / 4.0));
    while fleet.ended()?.is_none() {
        tokio::time::sleep(every).await;
        watch.look()?;
        bar.set_position(bar.elapsed().as_secs());
        bar.set_message(fleet.last_line().unwrap_or_default());
    }
    bar.finish_and_clear();
    // Where a package never got through, the account says which.
    if !json.is_file() {
        fleet.check()?;
    }
    json::read(&json)
}

pub fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
