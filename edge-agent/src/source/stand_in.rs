//! A clip where the camera's own bits cannot be cut. Cameras that are set to send a key picture once
//! in minutes, or never again, leave no place where decoding may begin: all since the last would
//! have to go along, more than a file of evidence may have. From then on the pictures that are
//! analysed are encoded anew, so that an act can still be shown; its clip says that it was.

use std::collections::VecDeque;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};
use time::OffsetDateTime;

use super::ring::Ring;
use crate::accusation::{AccessUnit, Clip, Span};
use crate::see::Nanos;

/// A key picture a second; the same pictures give the same bits, on any number of processors.
const ENCODER: &str = "appsrc name=source format=time max-buffers=4 max-bytes=0 block=true ! \
    x264enc tune=zerolatency speed-preset=superfast pass=quant quantizer=21 key-int-max=10 \
    threads=1 ! h264parse config-interval=-1 ! \
    video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=sink sync=false";
/// Longest wait for one picture.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(5);

/// Encodes what it is shown and keeps the last of it.
#[derive(Debug)]
pub struct StandIn {
    pipeline: gst::Pipeline,
    source: AppSrc,
    sink: AppSink,
    ring: Ring,
    /// When pictures on their way through the encoder were captured.
    passing: VecDeque<OffsetDateTime>,
}

impl StandIn {
    /// None where this machine has no encoder.
    pub fn open(caps: &gst::CapsRef, keep: Nanos, keep_bytes: usize) -> Option<Self> {
        let pipeline = gst::parse::launch(ENCODER).ok()?.downcast::<gst::Pipeline>().ok()?;
        let source = pipeline.by_name("source")?.downcast::<AppSrc>().ok()?;
        let sink = pipeline.by_name("sink")?.downcast::<AppSink>().ok()?;
        source.set_caps(Some(&caps.to_owned()));
        pipeline.set_state(gst::State::Playing).ok()?;
        let ring = Ring::new(keep, keep_bytes);
        Some(Self { pipeline, source, sink, ring, passing: VecDeque::new() })
    }

    /// Takes in the picture at stream time `t`.
    pub fn push(&mut self, picture: &gst::BufferRef, t: Nanos, captured_at: OffsetDateTime) {
        let mut buffer = picture.copy();
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(gst::ClockTime::from_nseconds(t));
            buffer.set_dts(gst::ClockTime::NONE);
        }
        if self.source.push_buffer(buffer).is_ok() {
            self.passing.push_back(captured_at);
        }
        self.take(gst::ClockTime::ZERO);
    }

    /// The part that shows `span`.
    pub fn clip(&mut self, span: &Span, limit: usize) -> Option<Clip> {
        self.take(PATIENCE);
        self.ring.clip(span, limit).map(|clip| Clip { reencoded: true, ..clip })
    }

    /// Moves what is encoded into the ring, waiting for each picture on its way at most `wait`.
    fn take(&mut self, wait: gst::ClockTime) {
        while !self.passing.is_empty()
            && let Some(sample) = self.sink.try_pull_sample(wait)
        {
            let Some(captured_at) = self.passing.pop_front() else { return };
            if let Some(caps) = sample.caps().map(ToString::to_string)
                && caps != self.ring.caps()
            {
                self.ring.restart(caps);
            }
            let running = |pts| {
                let segment = sample.segment()?.downcast_ref::<gst::ClockTime>()?;
                segment.to_running_time(pts)
            };
            let Some(buffer) = sample.buffer() else { continue };
            let (Some(t), Ok(map)) = (buffer.pts().and_then(running), buffer.map_readable()) else {
                continue;
            };
            self.ring.push(AccessUnit {
                pts_ns: t.nseconds(),
                dts_ns: None,
                key: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
                whole: true,
                data: bytes::Bytes::copy_from_slice(&map),
                captured_at,
            });
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // Failing to stop leaves nothing to do: the elements are dropped either way.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}
