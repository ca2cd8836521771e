//! The evidence clip: the camera's own encoded pictures put into an MP4, never re-encoded.
//!
//! Presentation times are the stream's, rebased so that the clip starts at zero. Decoding times are
//! derived from them and the order of the pictures, since RTSP carries none and arrival times are
//! noise; streams with B frames thus come out right.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::fd::AsRawFd as _;
use std::str::FromStr as _;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSrc;

use crate::accusation::Clip;
use crate::boxes::BoxError;

use super::mp4;

/// Most bytes of pictures in a clip: what the contract allows one file, less what the container
/// adds. Ring and shortening derive their limits from this one.
pub const MAX_PICTURES: usize = contract::manifest::MAX_FILE_BYTES as usize - (1 << 20);
/// Longest wait for the muxer, which works on memory alone.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(30);

/// Why a clip could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    #[error("the clip has no pictures")]
    Empty,
    #[error("the clip does not start at a key frame: it could not be shown")]
    NoKeyFrame,
    #[error("clip caps {caps:?} are not H.264 or H.265")]
    Codec { caps: String },
    #[error("GStreamer is not complete: {0}; install the good and bad plugin sets")]
    Element(String),
    #[error("failed to mux the clip: {0}")]
    Mux(String),
    #[error("failed to hold the clip in memory: {0}")]
    Memory(#[from] std::io::Error),
    #[error("the muxer's file does not read: {0}")]
    Mp4(#[from] BoxError),
}

/// Decoding and presentation time of one picture, from the clip's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Timing {
    dts: u64,
    pts: u64,
}

/// Makes the MP4.
pub fn mux(clip: &Clip) -> Result<Vec<u8>, ClipError> {
    let first = clip.units.first().ok_or(ClipError::Empty)?;
    if !first.key {
        return Err(ClipError::NoKeyFrame);
    }
    gst::init().map_err(|e| ClipError::Element(e.to_string()))?;
    let caps_error = || ClipError::Codec { caps: clip.caps.clone() };
    let caps = gst::Caps::from_str(&clip.caps).map_err(|_| caps_error())?;
    let (parser, format) = match caps.structure(0).map(|s| s.name().as_str()) {
        Some("video/x-h264") => ("h264parse", "video/x-h264,stream-format=avc,alignment=au"),
        Some("video/x-h265") => ("h265parse", "video/x-h265,stream-format=hvc1,alignment=au"),
        _ => return Err(caps_error()),
    };

    // A file in memory: the muxer seeks back to fill in sizes, and a full disk must not hurt here.
    let memory = rustix::fs::memfd_create("clip", rustix::fs::MemfdFlags::CLOEXEC)
        .map_err(std::io::Error::from)?;
    let mut memory = File::from(memory);
    let pipeline = gst::Pipeline::new();
    let element = |name: &str| {
        gst::ElementFactory::make(name).build().map_err(|e| ClipError::Element(e.to_string()))
    };
    let source = AppSrc::builder().caps(&caps).format(gst::Format::Time).max_bytes(0).build();
    let parser = element(parser)?;
    let filter = element("capsfilter")?;
    // Two constant texts that GStreamer knows.
    filter.set_property("caps", gst::Caps::from_str(format).map_err(|_| caps_error())?);
    let muxer = element("mp4mux")?;
    let sink = element("fdsink")?;
    sink.set_property("fd", memory.as_raw_fd());
    sink.set_property("sync", false);
    let chain = [source.upcast_ref(), &parser, &filter, &muxer, &sink];
    if let Some(out) = filter.static_pad("src") {
        first_is_key(&out);
    }
    let fail = |e: &dyn std::fmt::Display| ClipError::Mux(e.to_string());
    pipeline.add_many(chain).map_err(|e| fail(&e))?;
    gst::Element::link_many(chain).map_err(|e| fail(&e))?;

    let outcome = feed(&pipeline, &source, clip);
    // Stopped in any case, so that no thread keeps writing to the descriptor.
    let stopped = pipeline.set_state(gst::State::Null);
    outcome?;
    stopped.map_err(|e| fail(&e))?;

    let mut bytes = Vec::new();
    memory.rewind()?;
    memory.read_to_end(&mut bytes)?;
    Ok(mp4::finish(&bytes, first.captured_at.unix_timestamp(), clip.turn)?)
}

/// A clip may begin at a recovery point, which the parser takes for no key picture; but a file
/// without a key picture at its front is not played.
fn first_is_key(pad: &gst::Pad) {
    pad.add_probe(gst::PadProbeType::BUFFER, |_, info| {
        if let Some(gst::PadProbeData::Buffer(buffer)) = &mut info.data {
            buffer.make_mut().unset_flags(gst::BufferFlags::DELTA_UNIT);
        }
        gst::PadProbeReturn::Remove
    });
}

fn feed(pipeline: &gst::Pipeline, source: &AppSrc, clip: &Clip) -> Result<(), ClipError> {
    let fail = |e: &dyn std::fmt::Display| ClipError::Mux(e.to_string());
    pipeline.set_state(gst::State::Playing).map_err(|e| fail(&e))?;
    let pts: Vec<u64> = clip.units.iter().map(|unit| unit.pts_ns).collect();
    let timings = timings(&pts);
    for (index, (unit, timing)) in clip.units.iter().zip(&timings).enumerate() {
        let mut buffer = gst::Buffer::from_slice(unit.data.clone());
        // A buffer just made has one owner.
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(gst::ClockTime::from_nseconds(timing.pts));
            buffer.set_dts(gst::ClockTime::from_nseconds(timing.dts));
            buffer.set_duration(gst::ClockTime::from_nseconds(duration(&timings, index)));
            if !unit.key {
                buffer.set_flags(gst::BufferFlags::DELTA_UNIT);
            }
        }
        if source.push_buffer(buffer).is_err() {
            // The reason is on the bus.
            break;
        }
    }
    let _ = source.end_of_stream();
    let bus = pipeline.bus().ok_or(ClipError::Mux("the pipeline has no bus".into()))?;
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    match bus.timed_pop_filtered(PATIENCE, &kinds).as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Eos(_)) => Ok(()),
        Some(gst::MessageView::Error(error)) => Err(fail(&error.error())),
        _ => Err(ClipError::Mux("the muxer did not finish".into())),
    }
}

/// Decoding times for pictures given in decoding order with presentation times `pts`: the sorted
/// presentation times, early enough that no picture is shown before it is decoded.
fn timings(pts: &[u64]) -> Vec<Timing> {
    let mut dts = pts.to_vec();
    dts.sort_unstable();
    let start = dts.first().copied().unwrap_or(0);
    let delay = dts.iter().zip(pts).map(|(dts, pts)| dts.saturating_sub(*pts)).max().unwrap_or(0);
    dts.iter()
        .zip(pts)
        .map(|(dts, pts)| Timing { dts: dts - start, pts: pts - start + delay })
        .collect()
}

fn duration(timings: &[Timing], index: usize) -> u64 {
    let pair = match timings.len() {
        0 | 1 => return 40_000_000,
        length if index + 1 < length => [index, index + 1],
        length => [length - 2, length - 1],
    };
    timings[pair[1]].dts - timings[pair[0]].dts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_in_order_decode_when_shown() {
        let times = timings(&[1000, 1040, 1080]);
        assert_eq!(times[0], Timing { dts: 0, pts: 0 });
        assert!(times.iter().all(|t| t.dts == t.pts));
        assert_eq!(duration(&times, 2), 40);
    }

    #[test]
    fn reordered_pictures_are_decoded_before_they_are_shown() {
        // I P B B: decoded 0 1 2 3, shown I B B P.
        let times = timings(&[0, 120, 40, 80, 240, 160, 200]);
        assert!(times.iter().all(|t| t.dts <= t.pts), "{times:?}");
        assert!(times.windows(2).all(|pair| pair[0].dts <= pair[1].dts));
        let mut shown: Vec<u64> = times.iter().map(|t| t.pts).collect();
        shown.sort_unstable();
        assert!(shown.windows(2).all(|pair| pair[1] - pair[0] == 40), "{shown:?}");
    }
}
