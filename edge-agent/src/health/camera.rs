//! What is known of one camera, as the board keeps and `/status` shows it.

use std::collections::BTreeMap;

use contract::VehicleClass;
use contract::manifest;
use judge::lamp::Light;
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::onvif::Difference;
use crate::pace::{Less, Present};
use crate::wire::WireState;

/// Where a camera stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraState {
    /// Being reached, for the first time or again.
    Connecting,
    /// Frames come and are analysed.
    Streaming,
    /// Connected, but no frame came for too long.
    Stalled,
    /// Frames come but may not accuse: their clock is not known.
    ClockUnknown,
    /// Frames come, but parts of the stream are missing: nothing is believed until it recovers.
    Damaged,
    /// Frames come and only repeat one another.
    Frozen,
    /// The camera looks elsewhere than it did: nothing is believed until it looks back.
    Moved,
    /// Its pictures are not sharp any more.
    Defocused,
    /// Its pictures are too bright, too dark or covered.
    Blinded,
    /// Cannot work until somebody changes something: wrong password, no H.264/H.265, no such host.
    Failed,
    /// Ended as asked.
    Stopped,
}

impl CameraState {
    pub const ALL: [Self; 11] = [
        Self::Connecting,
        Self::Streaming,
        Self::Stalled,
        Self::ClockUnknown,
        Self::Damaged,
        Self::Frozen,
        Self::Moved,
        Self::Defocused,
        Self::Blinded,
        Self::Failed,
        Self::Stopped,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Streaming => "streaming",
            Self::Stalled => "stalled",
            Self::ClockUnknown => "clock_unknown",
            Self::Damaged => "damaged",
            Self::Frozen => "frozen",
            Self::Moved => "moved",
            Self::Defocused => "defocused",
            Self::Blinded => "blinded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// What of a camera is decoded and looked at, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Analysed {
    pub stream: Stream,
    pub width: u32,
    pub height: u32,
    /// The decoder's name in GStreamer: `avdec_h264` is software.
    pub decoder: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    Main,
    /// The camera's small one; clips and pictures are taken from the main one.
    Substream,
}

/// How many pictures a second a camera is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PaceStatus {
    pub least: f32,
    pub most: f32,
    #[serde(flatten)]
    pub present: Present,
}

impl PaceStatus {
    /// Whether the box does not bear more than the least.
    pub fn is_least(&self) -> bool {
        self.present.less == Some(Less::Governed) && self.present.fps <= self.least
    }
}

/// What is known of one lamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LampStatus {
    pub name: String,
    /// None while it cannot be read.
    pub light: Option<Light>,
    /// When it changed to what was read last; none before it was read.
    #[serde(with = "time::serde::rfc3339::option")]
    pub since: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub unreadable_since: Option<OffsetDateTime>,
    #[serde(skip)]
    pub(super) last: Option<Light>,
}

/// The last vehicle that was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LastVehicle {
    pub class: VehicleClass,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// The last violation that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastFinding {
    pub act: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub evidence_id: Uuid,
}

/// A camera's own clock against the box's, where the camera can be asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CameraClock {
    #[serde(with = "time::serde::rfc3339")]
    pub checked_at: OffsetDateTime,
    #[serde(flatten)]
    pub outcome: ClockCheck,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ClockCheck {
    Compared {
        #[serde(flatten)]
        difference: Difference,
        /// By more than the configured bound.
        beyond_bound: bool,
    },
    Failed {
        problem: String,
    },
}

/// A snapshot of one camera.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CameraStatus {
    pub id: String,
    pub state: CameraState,
    /// Why, in words.
    pub detail: String,
    /// By the box's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// Since the latest connection; none before the first picture.
    pub analysed: Option<Analysed>,
    /// Frames analysed.
    pub frames: u64,
    /// Analysed frames a second, lately.
    pub fps: f64,
    /// Frames a second that come and are decoded, lately.
    pub arriving_fps: f64,
    /// How often it is looked at as far as the box goes, and how often it may be; none before it was
    /// connected for a second.
    pub pace: Option<PaceStatus>,
    /// How the last picture's time is known; none before the first.
    pub clock: Option<manifest::Clock>,
    pub lamps: Vec<LampStatus>,
    /// What the last picture shows: `clear`, `still` where nothing moves, or why it is not believed.
    pub sight: Option<&'static str>,
    pub last_vehicle: Option<LastVehicle>,
    pub last_finding: Option<LastFinding>,
    /// Time since the last frame arrived.
    pub last_frame_age_ms: Option<u64>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_captured_at: Option<OffsetDateTime>,
    /// None where the camera is not asked.
    pub camera_clock: Option<CameraClock>,
    /// Lamps that are held against their wire, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub wires: BTreeMap<String, WireState>,
    /// Dropped frames, events and clips by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    pub reconnects: u64,
}
