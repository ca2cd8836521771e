//! Where frames come from: a camera over RTSP or a recording. Either gives decoded pictures with
//! capture times and keeps the last seconds of the encoded stream, so that the clip in the evidence
//! is the camera's own bits.
//!
//! A source is opened, read until it fails, and opened again by its supervisor ([`supervise`]);
//! nothing here is shared between cameras, so one camera's trouble is its own.

mod address;
pub mod clock;
mod concealment;
mod container;
pub mod continuity;
mod cut;
mod decoded;
pub mod decoder;
mod error;
mod head;
mod nal;
pub mod paired;
pub mod pipeline;
mod reach;
pub mod rewind;
pub mod ring;
mod shared;
mod stand_in;
pub mod supervise;

pub use address::{Address, AddressError, Login, login_file, without_login};
pub use continuity::Damage;
pub use error::SourceError;
pub use paired::{Paired, Source};
pub use pipeline::{Next, Pipeline, Purpose};

use std::sync::Arc;
use std::time::Duration;

use contract::manifest;
use plate_model::Frame;
use time::OffsetDateTime;

use crate::pace::Pace;
use crate::see::Nanos;

/// A decoded picture on its way to be analysed.
#[derive(Debug, Clone)]
pub struct Picture {
    pub frame: Frame,
    /// Stream time since the source was opened.
    pub t: Nanos,
    /// Time stamp within the encoded stream: names the access unit it was decoded from.
    pub pts: Nanos,
    pub captured_at: OffsetDateTime,
    /// The same on a clock that never steps, one for all cameras; none of a recording.
    pub steady: Option<Duration>,
    pub clock: manifest::Clock,
    /// Why it may not be what the camera saw; such a picture proves nothing.
    pub damage: Option<Damage>,
}

/// What to open.
#[derive(Debug, Clone)]
pub enum Input {
    Rtsp {
        address: Address,
        /// From the login file; counts before one in the address.
        login: Option<Login>,
    },
    /// A recording: read as fast as it is analysed, nothing dropped.
    File { path: std::path::PathBuf },
}

impl Input {
    /// For messages: without user and password.
    pub fn address(&self) -> String {
        match self {
            Self::Rtsp { address, .. } => address.to_string(),
            Self::File { path } => path.display().to_string(),
        }
    }
}

/// How capture times are made.
#[derive(Debug, Clone, Copy)]
pub enum Dating {
    Camera(crate::config::ClockPolicy),
    Recording { start: OffsetDateTime },
}

/// Everything needed to open a source.
#[derive(Debug, Clone)]
pub struct Settings {
    /// For logs and metrics.
    pub camera: String,
    /// What is analysed.
    pub input: Input,
    /// Where that is a camera's substream: the main stream, and whether the two go together.
    pub larger: Option<(Input, Arc<Paired>)>,
    pub dating: Dating,
    /// How often it is looked at.
    pub pace: Arc<Pace>,
    /// Encoded stream kept.
    pub keep: Nanos,
    pub keep_bytes: usize,
}
