//! Tracks as the agent wrote them (`edge-agent replay --tracks`) held against the truth of a rendered
//! world, or against a denser log of the same recording where there is no truth.

mod clear;
mod hota;
mod identity;
mod log;
mod lost;
mod plates;
mod scene;
#[cfg(test)]
mod script;
mod sides;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;

use clear::Clear;
use hota::Hota;
use log::Log;
use lost::Lost;
use plates::Plates;
use scene::{Scene, Truth};
use sides::Sides;

/// Boxes that overlap this much (intersection over union) are the same thing, except for HOTA, which
/// goes over all thresholds.
const SAME: f32 = 0.5;

#[derive(Args)]
#[command(group(clap::ArgGroup::new("against").args(["truth", "reference"]).required(true)))]
pub struct Options {
    /// Logs of `edge-agent replay --tracks`; each is a line of the table.
    #[arg(long, required = true, num_args = 1..)]
    tracks: Vec<PathBuf>,
    /// Truth of `world render --truth-frames`.
    #[arg(long)]
    truth: Option<PathBuf>,
    /// Where there is no truth: a log of the same recording at its full frame rate. What it saw
    /// strongly was visible. It shares the detector, so it shows what following loses, not what the
    /// detector never saw.
    #[arg(long)]
    reference: Option<PathBuf>,
    /// Prints the figures as JSON.
    #[arg(long)]
    json: bool,
}

/// All figures of one log.
#[derive(Debug, Serialize)]
struct Figures {
    log: String,
    pictures: usize,
    #[serde(flatten)]
    hota: Hota,
    idf1: f64,
    #[serde(flatten)]
    clear: Clear,
    #[serde(flatten)]
    lost: Lost,
    sides: Sides,
    #[serde(skip_serializing_if = "Option::is_none")]
    plates: Option<Plates>,
}

pub fn run(options: &Options) -> Result<()> {
    let truth = match (&options.truth, &options.reference) {
        (Some(path), _) => Truth::read(path)?,
        (None, Some(path)) => Truth::of_log(&Log::read(path)?),
        // The parser asks for one of the two.
        (None, None) => anyhow::bail!("give --truth or --reference"),
    };
    let mut all = Vec::new();
    for path in &options.tracks {
        let log = Log::read(path)?;
        let scene = Scene::new(&truth, &log).with_context(|| path.display().to_string())?;
        all.push(Figures {
            log: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            pictures: scene.pictures.len(),
            hota: Hota::of(&scene),
            idf1: identity::idf1(&scene),
            clear: Clear::of(&scene, &log),
            lost: Lost::of(&scene),
            sides: Sides::of(&scene),
            plates: Plates::of(&scene, &log, &truth),
        });
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        print(&all);
    }
    Ok(())
}

fn print(all: &[Figures]) {
    let width = all.iter().map(|figures| figures.log.len()).max().unwrap_or(0).max(6);
    println!(
        "{:width$}  HOTA  DetA  AssA  IDF1 recall precis tracks swaps silent /1000 switch breaks \
         objects lost missed",
        "tracks"
    );
    for Figures { log, hota, idf1, clear, lost, .. } in all {
        println!(
            "{log:width$} {:.3} {:.3} {:.3} {idf1:.3}  {:.3}  {:.3} {:>6} {:>5} {:>6} {:>5.1} {:>6} \
             {:>6} {:>7} {:.3}  {:.3}",
            hota.hota,
            hota.det_a,
            hota.ass_a,
            clear.recall,
            clear.precision,
            clear.tracks,
            clear.swaps,
            clear.silent_swaps,
            clear.swaps_per_1000_tracks,
            clear.switches,
            clear.breaks,
            lost.objects,
            lost.lost,
            lost.missed,
        );
    }
    for Figures { log, sides, .. } in all {
        let Sides { trembling, covered, covered_a_while, covered_for, covered_by } = sides;
        println!(
            "{log:width$} sides tremble by {trembling:.3} heights; lower edge too high in {covered:.3} \
             of sightings, for a while of {covered_a_while:.3} of vehicles ({covered_for:.1} s, by \
             {covered_by:.2})"
        );
    }
    for Figures { log, plates, .. } in all {
        if let Some(plates) = plates {
            println!("{log:width$} {plates}");
        }
    }
}
