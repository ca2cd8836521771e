//! The command line: parsing, and the way from each command to the library.

mod admin;
mod release;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use central_api::clock::System;
use central_api::config::Config;
use central_api::serve::{self, ServeError};
use central_api::store::Store;
use central_api::{ops, work};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The central service: takes sealed evidence in, leads cases from review to notice.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    /// Configuration file; without it the built-in defaults hold. CENTRAL_SECTION__KEY in the
    /// environment overrides both.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service.
    Serve,
    /// Work off jobs without serving anything: beside `serve`, on this machine or another one.
    Work {
        /// Jobs at once.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
        workers: u32,
    },
    /// Bring the database up to this version.
    Migrate,
    /// Users and devices.
    #[command(subcommand)]
    Admin(admin::Admin),
    /// What boxes run: sign it on a machine apart, publish it, give it to boxes step by step.
    #[command(subcommand)]
    Release(release::Release),
    /// Check an evidence package or everything that is stored; exit code 1 where anything fails.
    Verify(verify::Verify),
    /// Print the reference configuration, every key with its default.
    ShowConfig,
}

impl Cli {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        if matches!(self.command, Command::ShowConfig) {
            print!("{}", central_api::config::REFERENCE);
            return Ok(ExitCode::SUCCESS);
        }
        let config = Config::load(self.config.as_deref(), environment())?;
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("failed to start the runtime")?
            .block_on(self.command.run(config))
    }
}

/// Variables that are not Unicode cannot be ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

impl Command {
    async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve => run_server(config).await,
            Self::Work { workers } => run_workers(config, workers).await,
            Self::Migrate => {
                let store = open_store(&config).await?;
                let steps = store.migrate().await?;
                println!("{steps} migrations applied, the database is up to date");
                store.close().await;
                Ok(ExitCode::SUCCESS)
            }
            Self::Admin(command) => command.run(config).await,
            Self::Release(command) => command.run(config).await,
            Self::Verify(command) => command.run(config).await,
            // Answered before the configuration is read.
            Self::ShowConfig => Ok(ExitCode::SUCCESS),
        }
    }
}

async fn open_store(config: &Config) -> anyhow::Result<Store> {
    Ok(Store::open(&config.database.url, config.database.connections).await?)
}

/// Hears when this process is asked to end: SIGTERM, Ctrl-C.
struct Stopping(Signal);

impl Stopping {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self(signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?))
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}

async fn run_workers(config: Config, workers: u32) -> anyhow::Result<ExitCode> {
    ops::logging::start(&config.log)?;
    ops::install()?;
    // Beside a running `serve`: the database is brought up to date by that, or by `migrate`.
    let store = open_store(&config).await?;
    let is_current = store.is_current().await;
    store.close().await;
    anyhow::ensure!(is_current, "the database is of another version: run `central-api migrate`");
    let app = serve::open_app(config, Arc::new(System)).await?;
    let stop = CancellationToken::new();
    let mut crew = tokio::spawn(work::run(app.clone(), workers, stop.clone()));
    tracing::info!(workers, "working off jobs");
    let mut stopping = Stopping::listen()?;
    tokio::select! {
        ended = &mut crew => return Ok(ended.map(|()| ExitCode::FAILURE)?),
        () = stopping.asked() => {}
    }
    tracing::info!("stopping: jobs at hand are finished");
    stop.cancel();
    crew.await?;
    app.store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn run_server(config: Config) -> anyhow::Result<ExitCode> {
    ops::logging::start(&config.log)?;
    ops::install()?;
    let app = serve::open_app(config, Arc::new(System)).await?;
    let mut running = serve::start(app).await?;
    let mut stopping = Stopping::listen()?;
    let failure: Option<ServeError> = tokio::select! {
        error = running.failed() => Some(error),
        () = stopping.asked() => None,
    };
    tracing::info!("stopping: open requests may finish");
    running.stop().await;
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::SUCCESS),
    }
}
