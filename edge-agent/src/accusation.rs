//! What the rules hand to evidence: one violation with the pixels and the camera's own bits that
//! show it. Everything a sealed package needs is here; nothing is looked up again later, so sealing
//! may lag behind the road without changing what is claimed.

use std::sync::Arc;

use bytes::Bytes;
use contract::Digest;
use contract::MomentRole;
use contract::act::Violation;
use contract::manifest::{Clock, ModelUsed, PlateReading};
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
    /// The moment whose picture dates the act.
    pub main: MomentRole,
    /// The pictures of the act, in the order of time.
    pub moments: Vec<Taken>,
    /// The frame that shows the vehicle and its plate best.
    pub close_up: Shot,
    pub plate: Option<PlateReading>,
    pub models: Vec<ModelUsed>,
    pub clip: Clip,
    /// What the verdict stood on ([`judge::basis`]), as it is sealed.
    pub basis: Bytes,
}

impl Accusation {
    /// The lines and areas that were broken, 0 to 1 of the frame.
    /// In the pictures of `camera`.
    pub fn marks(&self, camera: &Camera) -> Vec<Vec<[f32; 2]>> {
        let rule = camera.site.rule(&self.violation.act);
        rule.map_or_else(Vec::new, |rule| rule.marks(&camera.site, &self.violation.facts))
    }

    /// What its pictures come from, unless another camera took one.
    pub fn origin(&self) -> Origin {
        Origin { camera: Arc::clone(&self.camera), clock: self.clock.clone() }
    }

    /// The picture that dates the act.
    pub fn main_shot(&self) -> Option<&Shot> {
        self.moments.iter().find(|taken| taken.role == self.main).map(|taken| &taken.shot)
    }
}

/// A moment of the act and the picture taken of it.
#[derive(Debug, Clone)]
pub struct Taken {
    pub role: MomentRole,
    pub shot: Shot,
    /// Where another camera took it.
    pub elsewhere: Option<Origin>,
}

/// The camera that took a picture, and how its time was known.
#[derive(Debug, Clone)]
pub struct Origin {
    pub camera: Arc<Camera>,
    pub clock: Clock,
}

impl Taken {
    /// The picture's name in a package.
    pub fn file(&self) -> String {
        format!("{}.jpg", self.role.name())
    }
}

/// A picture as it is kept until it is sealed.
#[derive(Debug, Clone)]
pub enum Pixels {
    /// As decoded: shares the decoder's memory, for seconds.
    Frame(Frame),
    /// Compressed: for acts that last for minutes.
    Jpeg { bytes: Bytes, size: [u32; 2] },
}

impl Pixels {
    /// Width and height.
    pub const fn size(&self) -> [u32; 2] {
        match self {
            Self::Frame(frame) => [frame.width(), frame.height()],
            Self::Jpeg { size, .. } => *size,
        }
    }
}

/// A picture and where the accused vehicle is in it. Coordinates are its pixels.
#[derive(Debug, Clone)]
pub struct Shot {
    pub pixels: Pixels,
    pub captured_at: OffsetDateTime,
    pub vehicle: BBox,
    /// Other vehicles that reach into its box.
    pub others: Vec<BBox>,
    /// Corners of the plate, clockwise from its top left as it reads, where it was found.
    pub plate: Option<[[f32; 2]; 4]>,
}

/// What a clip is to show, in stream time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub from: u64,
    /// In order: what no shortening may leave out.
    pub moments: Vec<u64>,
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
    /// Of the camera's main stream, while its substream was analysed: how far the times of these
    /// units lie ahead of those.
    pub larger: Option<i64>,
}

/// One encoded picture.
#[derive(Debug, Clone)]
pub struct AccessUnit {
    pub pts_ns: u64,
    pub dts_ns: Option<u64>,
    /// Decoding may begin here.
    pub key: bool,
    /// Nothing was lost that it is decoded from.
    pub whole: bool,
    pub data: Bytes,
    pub captured_at: OffsetDateTime,
}
