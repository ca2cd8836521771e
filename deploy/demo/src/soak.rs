//! A long run with everything that goes wrong around a box: cameras that are cut, freeze, lose
//! packets, change size, codec and clock or are gone, a central that dies, hangs and cannot be
//! reached, a configuration edited meanwhile, an agent that is killed. All of it must be well again
//! without a hand; nothing grows, nothing is lost or doubled, nobody is accused because of it.

mod chart;
mod faults;
mod line;
mod report;
mod slope;
mod stage;
mod street;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::task::{JoinSet, LocalSet};

use crate::ledger::Ledger;
use crate::site::{self, Site};
use faults::{Log, Tempo, dice};
use report::Report;
use stage::Stage;
use street::Street;

/// A recording's round, in which nothing goes wrong: who is accused wrongly in it is not because of a
/// fault.
const ROUND_S: f64 = 75.0;
/// Where nothing was sealed by then, a busy machine may take so long to.
const PATIENCE: Duration = Duration::from_secs(150);
/// What is left after the last trouble is delivered within this.
const DELIVERY: Duration = Duration::from_secs(300);

#[derive(Debug, clap::Args)]
pub struct Plan {
    /// How long.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Nothing is done to the last of several.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    cameras: u32,
    /// Pictures a second that each camera is looked at.
    #[arg(long, default_value_t = 5.0)]
    fps: f64,
    /// Decides what goes wrong, when and for how long.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Two cameras and half a minute with something of everything: what `make test` runs.
    #[arg(long)]
    short: bool,
    /// Where the report is written as JSON, and beside it memory over time as SVG.
    #[arg(long, default_value = "benches/results/soak.json", value_name = "FILE")]
    json: PathBuf,
}

impl Plan {
    fn minutes(&self) -> f64 {
        if self.short { 0.5 } else { self.minutes }
    }

    fn tempo(&self) -> Tempo {
        if self.short { Tempo::short() } else { Tempo::of(self.minutes) }
    }
}

/// Prints a line for everything that happened and a table; fails with what is wrong.
pub async fn soak(dir: &Path, weights: &Path, plan: &Plan) -> Result<()> {
    let local = LocalSet::new();
    tokio::select! {
        result = local.run_until(whole(dir, weights, plan)) => result,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    }
}

async fn whole(dir: &Path, weights: &Path, plan: &Plan) -> Result<()> {
    let mut site = Site::prepare(dir, "soak")?;
    // The central is away for a while again and again.
    site.ports.web = site::steady_port()?;
    site.ports.device = site::steady_port()?;
    site.ports.health = site::steady_port()?;
    let cameras = if plan.short { 2 } else { plan.cameras };
    println!("  {cameras} cameras, {} min, seed {}", plan.minutes(), plan.seed);
    let street =
        Street::build(&site, cameras, plan.fps, (plan.short, plan.tempo().troubles)).await?;
    let stage = Rc::new(Stage::start(site, street, weights).await?);
    let (log, done) = (Rc::new(Log::default()), Rc::new(Cell::new(false)));
    let mut watching = JoinSet::new();
    watching.spawn_local({
        let (stage, done) = (Rc::clone(&stage), Rc::clone(&done));
        async move { stage.watch(&done).await }
    });
    let time = Duration::from_secs_f64(plan.minutes() * 60.0);
    let ledger = tokio::select! {
        ended = trouble(&stage, plan, &log, time) => match ended {
            Ok(()) => {
                stage.until_sealed(PATIENCE).await;
                settle(&stage).await
            }
            Err(error) => Err(error),
        },
        // It ends by itself only where something is wrong.
        ended = watching.join_next() => match ended {
            Some(Ok(Err(error))) => Err(error),
            _ => bail!("the soak's own look at the agent ended"),
        },
    };
    done.set(true);
    let ledger = ledger.with_context(|| {
        format!("after {:.0} s; wrong before that: {:?}", stage.now_s(), stage.wrong.borrow())
    })?;
    drop(watching);
    let report = Report::of(&stage, &log.borrow(), ledger, (plan.seed, plan.short));
    println!("{report}");
    crate::json::write(&plan.json, &report)?;
    let drawing = plan.json.with_extension("svg");
    std::fs::write(&drawing, chart::drawn(&report))
        .with_context(|| drawing.display().to_string())?;
    println!("{}, {}", plan.json.display(), drawing.display());
    if report.wrong.is_empty() { Ok(()) } else { bail!("{}", report.wrong.join("; ")) }
}

/// Everything that goes wrong, each by its own dice, until the time is over and all is well again.
async fn trouble(stage: &Rc<Stage>, plan: &Plan, log: &Rc<Log>, time: Duration) -> Result<()> {
    let quiet = if plan.short { 0.0 } else { ROUND_S.min(plan.minutes() * 12.0) };
    stage.rest(Duration::from_secs_f64(quiet)).await;
    let mut tasks = JoinSet::new();
    let task = |whose: u64| {
        let (stage, log, tempo) = (Rc::clone(stage), Rc::clone(log), plan.tempo());
        let random = dice(plan.seed, whose);
        async move {
            match whose {
                0 => stage.trouble_central(&tempo, random, &log).await,
                1 => stage.trouble_agent(&tempo, random, &log).await,
                2 => stage.edit(&tempo, random, &log).await,
                n => {
                    let camera = &stage.street.victims()[n as usize - 3];
                    stage.trouble_camera(camera, &tempo, random, &log).await
                }
            }
        }
    };
    for whose in 0..3 + stage.street.victims().len() as u64 {
        tasks.spawn_local(task(whose));
    }
    let mut ended = None;
    let end = tokio::time::sleep(time);
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end, if !stage.over.get() => stage.over.set(true),
            next = tasks.join_next() => match next {
                None => return ended.map_or(Ok(()), Err),
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => {
                    stage.over.set(true);
                    ended = ended.or(Some(error));
                }
                Some(Err(error)) => return Err(error.into()),
            },
        }
    }
}

/// Cameras off; what was sealed must be with the central, each once.
async fn settle(stage: &Stage) -> Result<Ledger> {
    for camera in &stage.street.cameras {
        camera.off()?;
    }
    // What was being sealed is.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let empty = |seen: &stage::Seen| {
        seen.status.pointer("/spool/pending").and_then(Value::as_u64) == Some(0)
    };
    if stage.until(std::time::Instant::now(), DELIVERY, empty).await.is_none() {
        stage.complain(format!("not everything was delivered within {} s", DELIVERY.as_secs()));
    }
    stage.note_sealed()?;
    let sealed = stage.sealed.borrow().keys().cloned().collect();
    Ledger::of(&stage.site, &stage.central, &sealed).await
}
