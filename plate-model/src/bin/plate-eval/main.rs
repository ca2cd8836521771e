//! Measures the models on labelled pictures, through the very code the agent runs: a JPEG becomes
//! I420 and takes the way of a camera's frame.

mod calibration;
mod chart;
mod confusion;
mod cost;
mod data;
mod draw;
mod end_to_end;
mod job;
mod plates;
mod predictions;
mod reader;
mod reading;
mod report;
mod score;
mod sheet;
mod split;
mod tiles;
mod tracks;
mod vehicles;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use plate_model::{Models, Options, Precision, RuntimeOptions};

use job::Job;
use predictions::Predictions;
use split::{Split, Which};

#[derive(Parser)]
#[command(name = "plate-eval", about = "Measures detector, finder, reader and the whole chain")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Plates found in pictures: recall, precision, corner error.
    Plates(Common),
    /// Plates read from ready crops.
    Reader(Common),
    /// Vehicles found in frames: average precision, recall, precision.
    Vehicles(Common),
    /// Plates found and read in whole pictures.
    EndToEnd(Common),
    /// Tracks held against the truth: HOTA, IDF1, swaps, losses.
    Tracks(tracks::Options),
}

#[derive(Args)]
struct Common {
    /// Folder with `plates/`, `reader/`, `vehicles/`; what is missing is skipped and said.
    #[arg(long)]
    data: PathBuf,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
    /// Writes one JSON line a picture.
    #[arg(long)]
    predictions: Option<PathBuf>,
    /// Folder for the report, charts, confusions and contact sheets.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Folder with model cards and weights.
    #[arg(long, default_value = "plate-model/weights")]
    models: PathBuf,
    /// Which weights: auto (as the agent chooses on this processor), float or int8.
    #[arg(long, default_value = "auto")]
    precision: Precision,
    /// Which pictures: all, or those that were held out of training.
    #[arg(long, value_enum, default_value = "all")]
    split: Which,
    /// Stops after so many pictures.
    #[arg(long)]
    limit: Option<usize>,
    /// ONNX Runtime's library, where it is not found by itself.
    #[arg(long)]
    runtime: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let common = match &cli.what {
        What::Tracks(options) => return tracks::run(options),
        What::Plates(common)
        | What::Reader(common)
        | What::Vehicles(common)
        | What::EndToEnd(common) => common,
    };
    anyhow::ensure!(common.data.is_dir(), "--data {} is no folder", common.data.display());
    let options = Options {
        runtime: RuntimeOptions { library: common.runtime.clone(), folder: None },
        ..Options::of(common.precision)
    };
    let models = Models::load(&common.models, &options)
        .with_context(|| format!("models of {}", common.models.display()))?;
    if let Some(folder) = &common.report {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut job = Job {
        models,
        data: common.data.clone(),
        split: Split::new(common.split)?,
        limit: common.limit.unwrap_or(usize::MAX),
        predictions: Predictions::create(common.predictions.as_deref())?,
        folder: common.report.clone(),
        weights: common.models.clone(),
        options,
    };
    let report = match &cli.what {
        What::Plates(_) => plates::run(&mut job)?,
        What::Reader(_) => reader::run(&mut job)?,
        What::Vehicles(_) => vehicles::run(&mut job)?,
        What::EndToEnd(_) => end_to_end::run(&mut job)?,
        What::Tracks(options) => return tracks::run(options),
    };
    job.predictions.flush()?;
    let (text, json) = (report.text(), report.json()?);
    if let Some(folder) = &common.report {
        for (name, content) in [("report.txt", &text), ("report.json", &json)] {
            let path = folder.join(name);
            fs::write(&path, content)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    println!("{}", if common.json { json } else { text });
    Ok(())
}
