//! What the rules hand to evidence: one violation with the pixels and the camera's own bits that
//! show it. Everything a sealed package needs is here; nothing is looked up again later, so sealing
//! may lag behind the road without changing what is claimed.

use std::sync::Arc;

use bytes::Bytes;
use contract::Digest;
use contract::manifest::{Clock, ModelUsed, PlateReading};
use contract::violation::Violation;
use plate_model::{BBox, Frame};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::boxes::Turn;
use crate::config::Camera;

/// One violation, ready to be drawn, packed and sealed.
#[derive(Debug, Clone)]
pub struct Accusation {
    /// UUID v5 over device, camera, rule, capture time, track and clock epoch: the same act seen
    /// twice (a replay, a retry) has the same name.
    pub evidence_id: Uuid,
    pub camera: Arc<Camera>,
    /// Digest of the effective configuration of the camera.
    pub config_digest: Digest,
    pub violation: Violation,
    pub clock: Clock,
    /// The vehicle before the line, lamp red.
    pub before: Shot,
    /// The vehicle on the line, lamp red.
    pub on: Shot,
    /// The vehicle past the line; for the stop line rule: still standing there later.
    pub past: Shot,
    /// The frame that shows the vehicle and its plate best.
    pub close_up: Shot,
    pub plate: Option<PlateReading>,
    pub models: Vec<ModelUsed>,
    pub clip: Clip,
}

/// A decoded frame and where the accused vehicle is in it. Coordinates are pixels of the frame.
#[derive(Debug, Clone)]
pub struct Shot {
    pub frame: Frame,
    pub captured_at: OffsetDateTime,
    pub vehicle: BBox,
    /// Other vehicles that reach into its box.
    pub others: Vec<BBox>,
    /// Corners of the plate, clockwise from its top left as it reads, where it was found.
    pub plate: Option<[[f32; 2]; 4]>,
}

/// What a clip is to show, in stream time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: u64,
    /// Before, on and past the line, in order: what no shortening may leave out.
    pub moments: [u64; 3],
    pub to: u64,
}

/// The camera's own encoded bits around the act. Starts where decoding may begin.
#[derive(Debug, Clone)]
pub struct Clip {
    /// GStreamer caps of the encoded stream as parsed: `video/x-h264` or `video/x-h265` with its
    /// stream format, alignment `au` and, for `avc`/`hvc1`, `codec_data`.
    pub caps: String,
    pub units: Vec<AccessUnit>,
    /// How the pictures are to be turned when shown.
    pub turn: Turn,
    /// Not the camera's bits: encoded anew on the box, since those could not be cut.
    pub reencoded: bool,
}

/// One encoded picture.
#[derive(Debug, Clone)]
pub struct AccessUnit {
    pub pts_ns: u64,
    pub dts_ns: Option<u64>,
    /// Decoding may begin here.
    pub key: bool,
    pub data: Bytes,
    pub captured_at: OffsetDateTime,
}
