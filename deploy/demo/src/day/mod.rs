//! A province's day at the desks: what its cameras delivered is reviewed, approved, notified, and half of
//! it decided and paid, by forty officers at once over HTTP, against the real service with its workers
//! on a fresh store. Nothing may be lost, doubled or left out, whatever is killed meanwhile.

mod account;
mod bank;
mod desk;
mod house;
mod reaper;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use indicatif::ProgressBar;

use crate::fleet;
use crate::json;
use crate::officer::Api;
use crate::process::Running;
use crate::registry;
use crate::site::Site;
use crate::stages::Stages;

use desk::Desk;
use house::House;
use reaper::Reaper;
use table::Table;

/// Boxes that deliver.
const BOXES: u16 = 40;
/// In this time everything is sealed, seconds for a thousand packages.
const SEALED_IN: f64 = 20.0;
/// Without a step for this long something is stuck.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Debug, Clone, clap::Args)]
pub struct Plan {
    /// Cases of the day.
    #[arg(long, default_value_t = 6000, value_parser = clap::value_parser!(u32).range(2..))]
    pub cases: u32,
    /// Officers at once: half of them review, the others approve, draw up, propose and sign.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(8..))]
    pub officers: u16,
    /// On a PostgreSQL of its own, with the worker a program of its own, instead of SQLite.
    #[arg(long)]
    pub postgres: bool,
    /// Jobs that are worked off at once.
    #[arg(long, default_value_t = 2)]
    pub workers: u32,
    /// Decides what is sealed.
    #[arg(long, default_value_t = 1)]
    pub packages_seed: u64,
    /// Width of the packages' pictures, pixels.
    #[arg(long, default_value_t = 1280)]
    pub picture: u32,
    /// Mean size of their clips, KB: nobody decodes them here, but every look hashes them.
    #[arg(long, default_value_t = 100)]
    pub clip: u32,
}

#[derive(Debug, clap::Args)]
pub struct Measured {
    #[command(flatten)]
    plan: Plan,
    /// Where the figures are written, beside those of the other database, and beside them as a table.
    #[arg(long, default_value = "benches/results/day.json")]
    json: PathBuf,
}

/// `demo day`: measures.
pub async fn measure(dir: &Path, measured: &Measured) -> Result<()> {
    let table = live(dir, "day", &measured.plan, None).await?;
    println!("{}\n{}", Table::HEAD, table.line());
    table.write(&measured.json)
}

/// `demo crash --desk`: `kills` times something dies; afterwards the day's account must be whole.
pub async fn torment(dir: &Path, plan: &Plan, kills: u32, seed: u64) -> Result<()> {
    let reaper = Reaper::new(plan, kills, seed);
    let table = live(dir, "crash-desk", plan, Some(reaper)).await?;
    println!("  {}", table.account_in_words());
    Ok(())
}

async fn live(dir: &Path, name: &str, plan: &Plan, reaper: Option<Reaper>) -> Result<Table> {
    let site = Site::prepare(dir, name)?.aside()?;
    let stages = Stages::new();
    tokio::select! {
        result = day(&site, plan, reaper, &stages) => result,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    }
}

async fn day(
    site: &Site,
    plan: &Plan,
    mut reaper: Option<Reaper>,
    stages: &Stages,
) -> Result<Table> {
    let mut house = stages
        .run("database, officers, service", async {
            let house = House::set_up(site, plan).await?;
            Ok((house, site.web_url("/")))
        })
        .await?;
    fleet::enrol(site, &house.central, BOXES)?;
    house.open(site, plan).await?;
    let begun = Instant::now();
    let outcome = deliver(site, plan, &mut house, reaper.as_mut()).await?;
    let delivered_s = begun.elapsed().as_secs_f64();
    let cases = stages
        .run("registration data of the vehicles", async {
            let api = Api::sign_in(site, &house.central.reviewer).await?;
            let cases = api.cases().await?;
            registry::import_cases(site, &house.central, &cases)?;
            let remark = format!("{} cases", cases.len());
            Ok((cases, remark))
        })
        .await?;
    ensure!(cases.len() == plan.cases as usize, "{} cases of {}", cases.len(), plan.cases);
    let ids = cases.iter().map(|case| crate::officer::text(case, "/id"));
    // Those that come again every night.
    let [recurring, _] = House::jobs(site).await?;
    let desk = Arc::new(Desk::new(ids.collect::<Result<_>>()?, house.central.bank_key.clone()));
    let staff = house.staff(site).await?;
    let (cpu, begun) = (house.cpu(), Instant::now());
    let mut officers = desk::sit_down(&desk, site, staff);
    let bar = fleet::bar(desk.all(), "{bar:30} {pos}/{len} steps  {elapsed}, eta {eta}  {msg}");
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    while !officers.is_empty() {
        tokio::select! {
            done = officers.join_next() => if let Some(done) = done { done.context("an officer")? },
            _ = ticks.tick() => {}
        }
        house.check()?;
        if let Some(reaper) = &mut reaper {
            reaper.look(u64::from(plan.cases) + desk.done(), &mut house, site, plan).await?;
        }
        tell(&bar, &desk);
        ensure!(
            desk.rested() < PATIENCE,
            "no step for {PATIENCE:?} after {} of {}: {}",
            desk.done(),
            desk.all(),
            desk.last_trouble()
        );
    }
    bar.finish_and_clear();
    let worked_s = begun.elapsed().as_secs_f64();
    println!("  ok  {} steps in {worked_s:.0} s, troubles {:?}", desk.done(), desk.troubles());
    if let Some(reaper) = &reaper {
        reaper.finished()?;
    }
    let cpu_s = house.cpu() - cpu;
    stages
        .run("every job done", async {
            // What a killed worker had is another's once its lease is over.
            for _ in 0..PATIENCE.as_secs() * 2 {
                let [waiting, dead] = House::jobs(site).await?;
                ensure!(dead == 0, "{dead} jobs were given up");
                if waiting <= recurring {
                    return Ok(((), String::new()));
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            bail!("jobs still wait");
        })
        .await?;
    let account = stages
        .run("packages, numbers and money held", async {
            let account = account::hold(site, &house.central, plan, &outcome).await?;
            let remark = account.in_words();
            Ok((account, remark))
        })
        .await?;
    let verified = stages
        .run("the whole store verified", async {
            Ok((house.central.verify_store(site, false)?.trim().to_owned(), String::new()))
        })
        .await?;
    let spent = [delivered_s, worked_s, cpu_s];
    Ok(Table::new(plan, &desk, spent, account, verified))
}

/// The boxes deliver everything, as far as it gets through.
async fn deliver(
    site: &Site,
    plan: &Plan,
    house: &mut House,
    mut reaper: Option<&mut Reaper>,
) -> Result<serde_json::Value> {
    let json = site.dir.join("fleet.json");
    let mut command = site.program("fleet")?;
    command.args(["play", "--keys"]).arg(site.dir.join("keys")).arg("--json").arg(&json);
    let seconds = (SEALED_IN * f64::from(plan.cases) / 1000.0).max(4.0);
    // Mishaps on the way are the fleet's own measurement.
    let calm =
        ["--cut", "--lost", "--doubled", "--seen-twice", "--silent", "--slow", "--half-open"];
    for flag in calm {
        command.args([flag, "0"]);
    }
    for (flag, value) in [
        ("--url", format!("https://127.0.0.1:{}", site.ports.device)),
        ("--seconds", seconds.to_string()),
        ("--rest", "1200".to_owned()),
        ("--packages", plan.cases.to_string()),
        ("--seed", plan.packages_seed.to_string()),
        ("--picture", plan.picture.to_string()),
        ("--clip", plan.clip.to_string()),
    ] {
        command.arg(flag).arg(value);
    }
    let mut fleet = Running::start("fleet", command, &site.log("fleet"))?;
    let bar = fleet::bar(u64::from(plan.cases), "{bar:30} {pos}/{len} received  {elapsed}");
    while fleet.ended()?.is_none() {
        tokio::time::sleep(Duration::from_millis(200)).await;
        house.check()?;
        let said = fleet.last_line().unwrap_or_default();
        let mut words = said.split(' ').skip_while(|word| *word != "receipted").skip(1);
        let received = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        bar.set_position(received);
        if let Some(reaper) = &mut reaper {
            reaper.look(received, house, site, plan).await?;
        }
    }
    bar.finish_and_clear();
    if !json.is_file() {
        fleet.check()?;
    }
    println!("  ok  delivered in {:.0} s", bar.elapsed().as_secs_f64());
    json::read(&json)
}

/// On a terminal a bar, else a line every now and then.
fn tell(bar: &ProgressBar, desk: &Desk) {
    let (before, now) = (bar.position(), desk.done());
    bar.set_position(now);
    bar.set_message(desk.last_trouble());
    let part = desk.all().div_ceil(20).max(1);
    if bar.is_hidden() && before / part != now / part {
        println!("  {now}/{} steps after {:.0} s", desk.all(), bar.elapsed().as_secs_f64());
    }
}
