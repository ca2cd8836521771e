//! Sudden death: `kill -9` of agent and central at random moments. Afterwards every violation that
//! the agent sealed is exactly one case, and the central's store verifies. With `--desk` it is service,
//! worker and database that die, under a day's officers and payments ([`day`]).

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::agent;
use crate::day;
use crate::ledger::Ledger;
use crate::site::Site;
use crate::stages::Stages;
use crate::system::{JUNCTION_SEED, System, View};

#[derive(Debug, clap::Args)]
pub struct Plan {
    /// How often something is killed.
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// Decides the moments and the victims.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Longest time between two kills, seconds.
    #[arg(long, default_value_t = 12.0)]
    longest_s: f64,
    /// Kills under a province's day at the desks instead of under a junction.
    #[arg(long)]
    desk: bool,
    #[command(flatten)]
    day: day::Plan,
}

pub async fn crash(dir: &Path, weights: &Path, plan: &Plan) -> Result<()> {
    if plan.desk {
        return day::torment(dir, &plan.day, plan.kills, plan.seed).await;
    }
    let site = Site::prepare(dir, "crash")?;
    let stages = Stages::new();
    tokio::select! {
        result = torment(site, weights, plan, &stages) => result,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    }
}

async fn torment(site: Site, weights: &Path, plan: &Plan, stages: &Stages) -> Result<()> {
    let mut system =
        System::start(site, weights, &View::Synthetic { seed: JUNCTION_SEED, past: false }, stages)
            .await?;
    let mut random = ChaCha8Rng::seed_from_u64(plan.seed);
    // Whatever was ever whole in the spool counts, also if a later crash should lose it.
    let mut sealed = BTreeSet::new();
    for number in 1..=plan.kills {
        let wait = random.random_range(0.5..plan.longest_s);
        let moment = tokio::time::Instant::now() + Duration::from_secs_f64(wait);
        while tokio::time::Instant::now() < moment {
            system.check()?;
            sealed.extend(agent::spooled(&system.site)?);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let victim = if random.random_bool(0.5) { "agent" } else { "central" };
        system = kill(system, victim).await?;
        sealed.extend(agent::spooled(&system.site)?);
        println!(
            "  kill {number:>3}/{}  after {wait:>4.1} s: {victim:<8} sealed so far {}",
            plan.kills,
            sealed.len()
        );
    }
    stages
        .run("everything delivered", async {
            system
                .until("an empty spool", Duration::from_secs(180), async |site| {
                    sealed.extend(agent::spooled(site)?);
                    let status = agent::status(site).await?;
                    Ok((status.pointer("/spool/pending").and_then(Value::as_u64) == Some(0))
                        .then_some(()))
                })
                .await?;
            Ok(((), format!("{} sealed", sealed.len())))
        })
        .await?;
    sealed.extend(agent::spooled(&system.site)?);
    let ledger = Ledger::of(&system.site, &system.central, &sealed).await?;
    let Ledger { sealed, cases, lost, doubled, verified, .. } = &ledger;
    println!("  {sealed} sealed, {cases} cases, {} lost, {} doubled", lost.len(), doubled.len());
    ensure!(lost.is_empty() && doubled.is_empty(), "lost {lost:?}, doubled {doubled:?}");
    ensure!(*sealed > 0, "nothing was sealed: the test showed nothing");
    println!("  {verified}");
    Ok(())
}

/// Kills one program and starts it again.
async fn kill(system: System, victim: &str) -> Result<System> {
    let System { agent_process, central_process, camera_process, agent, central, truth, site } =
        system;
    let (agent_process, central_process) = if victim == "agent" {
        agent_process.kill()?;
        (agent.run(&site).await?, central_process)
    } else {
        central_process.kill()?;
        (agent_process, central.serve(&site).await?)
    };
    Ok(System { agent_process, central_process, camera_process, agent, central, truth, site })
}
