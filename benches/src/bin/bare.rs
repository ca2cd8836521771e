//! The machine's limit, beside which the agent on many cameras is measured: so many recordings decoded
//! at their own pace with nothing done to the pictures, and as many pictures a second through the bare
//! vehicle model as the agent is to look at. No line, no tensor, no plates, no judging, no evidence.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use benches::pattern;
use clap::Parser;
use edge_agent::boxes::Turn;
use edge_agent::source::decoder::{self, Codec};
use gstreamer as gst;
use gstreamer::prelude::*;
use plate_model::timing::Bare;
use plate_model::{Detector, Options, PixelFormat, Precision, Runtime, RuntimeOptions, View};
use serde::Serialize;

#[derive(Parser)]
#[command(about = "Decodes recordings and runs the bare vehicle model at a pace: a box's limit")]
struct Arguments {
    /// An H.264 recording in MP4, at least as long as is measured.
    clip: PathBuf,
    /// How often it is decoded at once.
    #[arg(long, default_value_t = 1)]
    streams: u32,
    /// Pictures of each that the model is to see in a second.
    #[arg(long, default_value_t = 5.0)]
    fps: f64,
    /// How long is measured, seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Folder with the model cards and weights.
    #[arg(long, default_value = "plate-model/weights")]
    models: PathBuf,
}

/// What came of it, a second; printed as JSON.
#[derive(Serialize)]
struct Limit {
    decoded: f64,
    looked_at: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    gst::init()?;
    let runtime = Runtime::load(&RuntimeOptions::default())?;
    let weights = Options::of(Precision::default()).vehicles;
    let mut detector = Detector::load(&runtime, &arguments.models, &weights)?;
    // What is in the picture does not change the cost.
    detector.detect(&pattern(PixelFormat::I420)?.planes(), &View::WHOLE)?;
    let mut bare = Bare::load(&runtime, &arguments.models, &weights)?;
    let decoded = Arc::new(AtomicU64::new(0));
    let streams: Vec<Stream> = (0..arguments.streams)
        .map(|_| Stream::open(&arguments.clip, &decoded))
        .collect::<Result<_>>()?;
    let (from, whole) = (Instant::now(), Duration::from_secs(arguments.seconds));
    let every = Duration::from_secs_f64(1.0 / (arguments.fps * f64::from(arguments.streams)));
    let (mut due, mut looked_at) = (Duration::ZERO, 0u32);
    while from.elapsed() < whole {
        bare.run(detector.tensor())?;
        looked_at += 1;
        // What comes too late is left out, as the agent does.
        due = (due + every).max(from.elapsed().saturating_sub(every));
        std::thread::sleep(due.saturating_sub(from.elapsed()));
    }
    let took = from.elapsed().as_secs_f64();
    let limit = Limit {
        decoded: decoded.load(Ordering::Relaxed) as f64 / took,
        looked_at: f64::from(looked_at) / took,
    };
    streams.iter().try_for_each(Stream::check)?;
    println!("{}", serde_json::to_string(&limit)?);
    Ok(())
}

/// One recording on its way through the decoder that the agent would take.
struct Stream(gst::Pipeline);

impl Stream {
    fn open(clip: &Path, decoded: &Arc<AtomicU64>) -> Result<Self> {
        let (chain, _) = decoder::chain(Codec::H264, Turn::default())?;
        let decoder = chain.into_iter().next().context("a chain without a decoder")?;
        let head = gst::parse::bin_from_description(
            "filesrc name=file ! qtdemux ! h264parse name=last",
            false,
        )?;
        let file = head.by_name("file").context("no file element")?;
        file.set_property("location", clip);
        let last = head.by_name("last").and_then(|last| last.static_pad("src"));
        head.add_pad(&gst::GhostPad::with_target(&last.context("a parser without its pad")?)?)?;
        let sink = gst::ElementFactory::make("fakesink").property("sync", true).build()?;
        // Who is late decodes on: the agent's decoder leaves out nothing either.
        sink.set_property("qos", false);
        let counted = Arc::clone(decoded);
        let pad = sink.static_pad("sink").context("a sink without its pad")?;
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            counted.fetch_add(1, Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
        let pipeline = gst::Pipeline::new();
        pipeline.add_many([head.upcast_ref(), &decoder, &sink])?;
        gst::Element::link_many([head.upcast_ref(), &decoder, &sink])?;
        pipeline.set_state(gst::State::Playing)?;
        Ok(Self(pipeline))
    }

    /// That it was neither broken nor over before its time.
    fn check(&self) -> Result<()> {
        let bus = self.0.bus().context("no bus")?;
        let kinds = [gst::MessageType::Error, gst::MessageType::Eos];
        let said = bus.pop_filtered(&kinds);
        ensure!(said.is_none(), "a recording broke or ended early: {said:?}");
        Ok(())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.0.set_state(gst::State::Null);
    }
}
