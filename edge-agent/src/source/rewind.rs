//! Pictures of a clip that is kept encoded: decoded once more, from where decoding may surely begin to
//! the last that is wanted.

use std::collections::BTreeSet;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};
use plate_model::Frame;

use super::SourceError;
use super::decoded::{Wrong, decoded, with_strides};
use super::decoder::{self, Codec};
use super::nal;
use crate::accusation::{AccessUnit, Clip};
use crate::see::Nanos;

/// Units decoded beyond the last one wanted: those are shown later than they come.
const REORDERED: usize = 16;
/// Longest wait for one picture.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// Hands on those pictures of `clip` whose times, as its units tell them, are `wanted`.
pub fn pictures(
    clip: &Clip,
    wanted: &BTreeSet<Nanos>,
    mut each: impl FnMut(&AccessUnit, Frame),
) -> Result<(), SourceError> {
    let name = clip.caps.split(',').next().unwrap_or_default();
    let codec = Codec::from_name(name)
        .ok_or_else(|| SourceError::Element(format!("{name} is not H.264 or H.265")))?;
    for units in parts(codec, &clip.units, wanted) {
        decode(clip, codec, units, wanted, &mut each)?;
    }
    Ok(())
}

/// The times of every unit that is decoded where those are `wanted`.
pub fn decoded_with(clip: &Clip, wanted: &BTreeSet<Nanos>) -> BTreeSet<Nanos> {
    let codec = Codec::from_name(clip.caps.split(',').next().unwrap_or_default());
    let parts = codec.map(|codec| parts(codec, &clip.units, wanted)).unwrap_or_default();
    parts.into_iter().flatten().map(|unit| unit.pts_ns).collect()
}

/// The stretches of units that must be decoded, each from a sure beginning.
fn parts<'a>(
    codec: Codec,
    units: &'a [AccessUnit],
    wanted: &BTreeSet<Nanos>,
) -> Vec<&'a [AccessUnit]> {
    let sure = |unit: &AccessUnit| {
        let front = nal::front(codec, &unit.data);
        front.clean && front.start == Some(0)
    };
    let mut begins: Vec<usize> =
        (0..units.len()).filter(|&i| units[i].key && sure(&units[i])).collect();
    if begins.first() != Some(&0) {
        begins.insert(0, 0);
    }
    let ends = begins.iter().skip(1).copied().chain([units.len()]);
    let mut stretches: Vec<std::ops::Range<usize>> = Vec::new();
    for (from, to) in begins.iter().copied().zip(ends) {
        let last = units[from..to].iter().rposition(|unit| wanted.contains(&unit.pts_ns));
        let Some(last) = last else { continue };
        let until = (from + last + 1 + REORDERED).min(to);
        match stretches.last_mut() {
            Some(before) if before.end == from => before.end = until,
            _ => stretches.push(from..until),
        }
    }
    stretches.into_iter().map(|stretch| &units[stretch]).collect()
}

fn decode(
    clip: &Clip,
    codec: Codec,
    units: &[AccessUnit],
    wanted: &BTreeSet<Nanos>,
    each: &mut impl FnMut(&AccessUnit, Frame),
) -> Result<(), SourceError> {
    let wrong = |e: &dyn std::fmt::Display| SourceError::Element(e.to_string());
    let caps: gst::Caps = clip.caps.parse().map_err(|e| wrong(&e))?;
    let source = AppSrc::builder().caps(&caps).format(gst::Format::Time).max_bytes(0).build();
    let sink = AppSink::builder().max_buffers(2).sync(false).enable_last_sample(false).build();
    if let Some(pad) = sink.static_pad("sink") {
        with_strides(&pad);
    }
    let (decoding, name) = decoder::chain(codec, clip.turn)?;
    let mut chain: Vec<gst::Element> = vec![source.clone().upcast()];
    chain.extend(decoding);
    chain.push(sink.clone().upcast());
    let pipeline = Running(gst::Pipeline::new());
    pipeline.0.add_many(&chain).map_err(|e| wrong(&e))?;
    gst::Element::link_many(&chain).map_err(|e| wrong(&e))?;
    pipeline.0.set_state(gst::State::Playing).map_err(|e| wrong(&e))?;
    let failed = |problem: String| SourceError::Decoder { decoder: name.into(), problem };
    for unit in units {
        let mut buffer = gst::Buffer::from_slice(unit.data.clone());
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(gst::ClockTime::from_nseconds(unit.pts_ns));
            if !unit.key {
                buffer.set_flags(gst::BufferFlags::DELTA_UNIT);
            }
        }
        source.push_buffer(buffer).map_err(|e| failed(e.to_string()))?;
    }
    source.end_of_stream().map_err(|e| failed(e.to_string()))?;
    loop {
        let Some(sample) = sink.try_pull_sample(PATIENCE) else {
            let over = sink.is_eos();
            return if over { Ok(()) } else { Err(failed("gives no pictures".into())) };
        };
        let picture = decoded(&sample).map_err(|wrong| match wrong {
            Wrong::Size { width, height } => failed(format!("gives {width}x{height}")),
            Wrong::Other(problem) => failed(problem),
        })?;
        if wanted.contains(&picture.pts)
            && !picture.corrupted
            && let Some(unit) = units.iter().find(|unit| unit.pts_ns == picture.pts)
        {
            each(unit, picture.frame);
        }
    }
}

/// Stops when dropped.
struct Running(gst::Pipeline);

impl Drop for Running {
    fn drop(&mut self) {
        // Failing to stop leaves nothing to do: the elements are dropped either way.
        let _ = self.0.set_state(gst::State::Null);
    }
}
