//! Which decoder works on this machine: hardware first, each tried for real, software last. A
//! hardware decoder that fails on a stream is not tried again in this process; every fallback is
//! logged, because a box decoding in software by mistake loses half its cameras.

use std::sync::{Mutex, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;

use super::SourceError;
use crate::boxes::Turn;

/// What a stream is encoded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    H264,
    H265,
}

impl Codec {
    /// From `video/x-h264` and the like, or an RTP encoding name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "video/x-h264" | "H264" => Some(Self::H264),
            "video/x-h265" | "H265" | "HEVC" => Some(Self::H265),
            _ => None,
        }
    }

    pub const fn parser(self) -> &'static str {
        match self {
            Self::H264 => "h264parse",
            Self::H265 => "h265parse",
        }
    }

    pub const fn depayloader(self) -> &'static str {
        match self {
            Self::H264 => "rtph264depay",
            Self::H265 => "rtph265depay",
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::H264 => "video/x-h264",
            Self::H265 => "video/x-h265",
        }
    }

    /// In the order tried.
    pub const fn decoders(self) -> [&'static str; 5] {
        match self {
            Self::H264 => ["vah264dec", "nvh264dec", "v4l2h264dec", "qsvh264dec", "avdec_h264"],
            Self::H265 => ["vah265dec", "nvh265dec", "v4l2h265dec", "qsvh265dec", "avdec_h265"],
        }
    }
}

/// Decoders that failed on a stream.
static FAILED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Notes that `decoder` failed. The last resort is never ruled out.
pub fn rule_out(decoder: &str) {
    if decoder.starts_with("avdec") {
        return;
    }
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    if !failed.iter().any(|name| name == decoder) {
        tracing::warn!(decoder, "hardware decoder failed, falling back");
        failed.push(decoder.to_owned());
    }
}

/// A new element.
pub fn make(name: &str) -> Result<gst::Element, SourceError> {
    gst::ElementFactory::make(name)
        .build()
        .map_err(|_| SourceError::Element(format!("element {name} is missing")))
}

/// From encoded units to upright progressive pictures of a known form, the decoder first; and its name.
pub fn chain(codec: Codec, turn: Turn) -> Result<(Vec<gst::Element>, &'static str), SourceError> {
    let (decoder, name) = choose(codec)?;
    let convert = make("videoconvert")?;
    // Two fields woven together show a moving plate twice; one of them is a whole picture. What is
    // progressive passes untouched.
    let deinterlace = make("deinterlace")?;
    deinterlace.set_property_from_str("fields", "top");
    deinterlace.set_property_from_str("method", "linear");
    let flip = make("videoflip")?;
    flip.set_property_from_str("video-direction", direction(turn));
    let raw = make("capsfilter")?;
    let formats = gst::List::new(["I420", "NV12"]);
    raw.set_property("caps", gst::Caps::builder("video/x-raw").field("format", formats).build());
    Ok((vec![decoder, convert, deinterlace, flip, raw], name))
}

/// A turn in the words of `videoflip`.
const fn direction(turn: Turn) -> &'static str {
    match (turn.mirrored, turn.quarters % 4) {
        (false, 0) => "identity",
        (false, 1) => "90r",
        (false, 2) => "180",
        (false, _) => "90l",
        (true, 0) => "horiz",
        (true, 1) => "ur-ll",
        (true, 2) => "vert",
        (true, _) => "ul-lr",
    }
}

/// The first decoder that can be set up.
fn choose(codec: Codec) -> Result<(gst::Element, &'static str), SourceError> {
    let ruled_out = FAILED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for name in codec.decoders() {
        if ruled_out.iter().any(|failed| failed == name) {
            continue;
        }
        let Ok(element) = gst::ElementFactory::make(name).name("decoder").build() else { continue };
        let ready = element.set_state(gst::State::Ready).is_ok();
        let _ = element.set_state(gst::State::Null);
        if !ready {
            tracing::info!(decoder = name, "present but not usable here");
            continue;
        }
        if name.starts_with("avdec") {
            // One thread a camera: cameras are the parallelism, and frame threads add delay.
            element.set_property("max-threads", 1i32);
        }
        return Ok((element, name));
    }
    Err(SourceError::Element(format!("no decoder for {}", codec.media_type())))
}
