//! What the hot loop costs above the machine's limit: the tensor pass alone, then detector, finder,
//! refiner and reader as the agent runs them, each beside bare ONNX Runtime on the same tensor, measured
//! alternately in one process so that a busy machine slows both alike.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use benches::{Samples, pattern};
use clap::Parser;
use contract::plate::PlateColour;
use plate_model::tensor::Sampler;
use plate_model::timing::{Bare, Element};
use plate_model::{
    BBox, CornerRefiner, Detector, Frame, Options, PixelFormat, PlateFinder, PlateQuad,
    PlateReader, Precision, Region, Runtime, RuntimeOptions, View, detect,
};
use serde::Serialize;

#[derive(Parser)]
#[command(about = "Times the tensor pass and every model against bare ONNX Runtime")]
struct Arguments {
    /// Folder with the model cards and weights.
    #[arg(long, default_value = "plate-model/weights")]
    models: PathBuf,
    /// Which weights: float, int8, or auto as the agent chooses on this processor.
    #[arg(long, default_value = "auto")]
    precision: Precision,
    /// A picture instead of the built-in pattern.
    #[arg(long)]
    picture: Option<PathBuf>,
    /// Repetitions of each measurement.
    #[arg(long, default_value_t = 50)]
    repeat: usize,
    /// Writes the figures there as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// One line of the table, times in milliseconds.
#[derive(Serialize)]
struct Row {
    what: String,
    median_ms: f64,
    fastest_ms: f64,
    /// Bare ONNX Runtime on the same tensor.
    bare_median_ms: Option<f64>,
    /// Median over bare median.
    ratio: Option<f64>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = Runtime::load(&RuntimeOptions::default())?;
    let frame = match &arguments.picture {
        Some(path) => Frame::open(path)?,
        None => pattern(PixelFormat::Nv12)?,
    };
    let mut rows =
        vec![tensor("tensor 1080p NV12", &pattern(PixelFormat::Nv12)?, false, &arguments)?];
    rows.push(tensor("tensor 1080p I420", &pattern(PixelFormat::I420)?, false, &arguments)?);
    rows.push(tensor("tensor 1080p NV12 scalar", &pattern(PixelFormat::Nv12)?, true, &arguments)?);
    let options = Options::of(arguments.precision);
    for measure in [time_detector, time_finder, time_refiner, time_reader] {
        match measure(&runtime, &frame, &arguments, &options) {
            Ok(row) => rows.push(row),
            Err(error) => println!("left out: {error:#}"),
        }
    }
    println!("{:28} {:>10} {:>10} {:>10} {:>7}", "", "median ms", "fastest", "bare ms", "ratio");
    for row in &rows {
        let or_dash = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.3}"));
        println!(
            "{:28} {:>10.3} {:>10.3} {:>10} {:>7}",
            row.what,
            row.median_ms,
            row.fastest_ms,
            or_dash(row.bare_median_ms),
            or_dash(row.ratio)
        );
    }
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_vec_pretty(&rows)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn tensor(what: &str, frame: &Frame, scalar: bool, arguments: &Arguments) -> Result<Row> {
    let mut sampler = if scalar { Sampler::scalar() } else { Sampler::default() };
    let mut out = vec![0; detect::SHAPE.iter().product()];
    let region = Region::whole(frame.width(), frame.height());
    let mut samples = Samples::default();
    for _ in 0..arguments.repeat {
        let planes = frame.planes();
        samples.add(time(|| sampler.letterbox_blocks(&planes, region, detect::INPUT, &mut out))?);
        black_box(&out);
    }
    Ok(row(what, &samples, None))
}

fn time_detector(
    runtime: &Runtime,
    frame: &Frame,
    arguments: &Arguments,
    options: &Options,
) -> Result<Row> {
    let detector = Detector::load(runtime, &arguments.models, &options.vehicles)?;
    let bare = Bare::load(runtime, &arguments.models, &options.vehicles)?;
    let look = |detector: &mut Detector| detector.detect(&frame.planes(), &View::WHOLE).map(drop);
    paired("detector, frame to boxes", arguments.repeat, (detector, bare), look, Detector::tensor)
}

fn time_finder(
    runtime: &Runtime,
    frame: &Frame,
    arguments: &Arguments,
    options: &Options,
) -> Result<Row> {
    let finder = PlateFinder::load(runtime, &arguments.models, &options.finder)?;
    let bare = Bare::load(runtime, &arguments.models, &options.finder)?;
    let (w, h) = (frame.width() as f32, frame.height() as f32);
    let vehicle = BBox::new(w * 0.4, h * 0.4, w * 0.6, h * 0.8);
    let look = |finder: &mut PlateFinder| finder.find(&frame.planes(), vehicle).map(drop);
    paired(
        "finder, vehicle to corners",
        arguments.repeat,
        (finder, bare),
        look,
        PlateFinder::tensor,
    )
}

/// As many looks as it takes: where a pattern is no plate, only the first, so a plate's picture tells more.
fn time_refiner(
    runtime: &Runtime,
    frame: &Frame,
    arguments: &Arguments,
    options: &Options,
) -> Result<Row> {
    let refiner = CornerRefiner::load(runtime, &arguments.models, &options.refiner)?;
    let bare = Bare::load(runtime, &arguments.models, &options.refiner)?;
    let quad = quad(frame);
    let look = |refiner: &mut CornerRefiner| refiner.refine(&frame.planes(), &quad).map(drop);
    paired(
        "refiner, rough to exact corners",
        arguments.repeat,
        (refiner, bare),
        look,
        CornerRefiner::tensor,
    )
}

fn quad(frame: &Frame) -> PlateQuad {
    let (x, y) = (frame.width() as f32 / 2.0, frame.height() as f32 / 2.0);
    PlateQuad {
        corners: [[x, y], [x + 90.0, y + 4.0], [x + 88.0, y + 64.0], [x - 2.0, y + 60.0]],
        score: 1.0,
        rows: 2,
        rows_confidence: 1.0,
        colour: PlateColour::White,
        colour_confidence: 1.0,
        cut: false,
    }
}

fn time_reader(
    runtime: &Runtime,
    frame: &Frame,
    arguments: &Arguments,
    options: &Options,
) -> Result<Row> {
    let reader = PlateReader::load(runtime, &arguments.models, &options.reader)?;
    let bare = Bare::load(runtime, &arguments.models, &options.reader)?;
    let quad = quad(frame);
    let look = |reader: &mut PlateReader| reader.read(&frame.planes(), &quad).map(drop);
    paired(
        "reader, corners to characters",
        arguments.repeat,
        (reader, bare),
        look,
        PlateReader::tensor,
    )
}

/// Ours and the bare runtime on the tensor that ours made, one after the other.
fn paired<M, T: Element>(
    what: &str,
    repeat: usize,
    (mut model, mut bare): (M, Bare),
    look: impl Fn(&mut M) -> plate_model::Result<()>,
    tensor: impl Fn(&M) -> &[T],
) -> Result<Row> {
    let (mut ours, mut limit) = (Samples::default(), Samples::default());
    for _ in 0..repeat {
        ours.add(time(|| look(&mut model))?);
        limit.add(bare.run(tensor(&model))?);
    }
    Ok(row(what, &ours, Some(&limit)))
}

fn time<T>(run: impl FnOnce() -> plate_model::Result<T>) -> Result<Duration> {
    let start = Instant::now();
    black_box(run()?);
    Ok(start.elapsed())
}

fn row(what: &str, ours: &Samples, bare: Option<&Samples>) -> Row {
    let bare_median_ms = bare.map(Samples::median_ms);
    Row {
        what: what.to_owned(),
        median_ms: ours.median_ms(),
        fastest_ms: ours.fastest_ms(),
        bare_median_ms,
        ratio: bare_median_ms.map(|bare| ours.median_ms() / bare),
    }
}
