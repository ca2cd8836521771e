//! The whole system on one machine: for people (`run`), for tests (`smoke`), against sudden death
//! (`crash`), against known truth (`score`, `tracks`), against damage (`damage`), against load
//! (`cameras`, `fleet`, `day`), against time with all of its trouble (`soak`). Everything it starts ends
//! with it.

mod acts;
mod agent;
mod browser;
mod camera;
mod cameras;
mod central;
mod chart;
mod crash;
mod damage;
mod day;
mod fines;
mod fleet;
mod json;
mod ledger;
mod machine;
mod officer;
mod owner;
mod page;
mod past;
mod proceedings;
mod process;
mod registry;
mod release;
mod run;
mod score;
mod secrecy;
mod sheet;
mod site;
mod smoke;
mod soak;
mod stages;
mod story;
mod system;
mod tracks;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs camera, edge agent and central service together on this machine.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// Folder for everything a run writes; each mode empties its own subfolder at the start.
    #[arg(long, default_value = "run", global = true)]
    dir: PathBuf,
    /// Folder of the models and their cards.
    #[arg(long, default_value = "plate-model/weights", global = true)]
    weights: PathBuf,
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Starts everything, prints the pages and logins, and shows what happens until Ctrl-C.
    Run(run::Input),
    /// Drives officer and owner through the real pages and checks every stage.
    Smoke,
    /// Kills agent and central at random moments; afterwards each sealed violation is one case.
    Crash(Box<crash::Plan>),
    /// Replays rendered junctions and holds the agent's events against the truth.
    Score(score::Plan),
    /// Damages recordings and clocks in hundreds of ways: nobody may be accused because of it.
    Damage(damage::Plan),
    /// Replays a crowded junction at several frame rates and scores how vehicles are followed.
    Tracks(tracks::Plan),
    /// Serves one street as many cameras and measures how many one box bears.
    Cameras(cameras::Plan),
    /// Plays a province's boxes against one central and measures what it needs; nothing may be lost.
    Fleet(fleet::Plan),
    /// Takes a province's day from the received package to the paid fine, by forty officers at once.
    Day(day::Measured),
    /// Runs for an hour with everything that goes wrong around a box, and measures what it does to it.
    Soak(soak::Plan),
}

// One thread: the kernel ends the children with the thread that started them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // The only provider this build has; a second call would mean a second main.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let result = match cli.mode {
        Mode::Run(input) => run::run(&cli.dir, &cli.weights, &input).await,
        Mode::Smoke => smoke::smoke(&cli.dir, &cli.weights).await,
        Mode::Crash(plan) => crash::crash(&cli.dir, &cli.weights, &plan).await,
        Mode::Score(plan) => score::score(&cli.dir, &cli.weights, &plan),
        Mode::Damage(plan) => damage::damage(&cli.dir, &cli.weights, &plan).await,
        Mode::Cameras(plan) => cameras::measure(&cli.dir, &cli.weights, &plan).await,
        Mode::Day(plan) => day::measure(&cli.dir, &plan).await,
        Mode::Fleet(plan) => fleet::load(&cli.dir, &plan).await,
        Mode::Soak(plan) => soak::soak(&cli.dir, &cli.weights, &plan).await,
        Mode::Tracks(plan) => tracks::tracks(&cli.dir, &cli.weights, &plan),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the backtrace that RUST_BACKTRACE would add: the words must be the last seen.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
