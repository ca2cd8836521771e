//! Where frames come from: a camera over RTSP or a recording. Either gives decoded pictures with
//! capture times and keeps the last seconds of the encoded stream, so that the clip in the evidence
//! is the camera's own bits.
//!
//! A source is opened, read until it fails, and opened again by its supervisor ([`supervise`]);
//! nothing here is shared between cameras, so one camera's trouble is its own.

pub mod backoff;
pub mod clock;
mod concealment;
pub mod continuity;
pub mod decoder;
mod error;
mod head;
pub mod pipeline;
pub mod ring;
pub mod supervise;

pub use continuity::Damage;
pub use error::SourceError;
pub use pipeline::{Next, Pipeline};

use contract::manifest;
use plate_model::Frame;
use time::OffsetDateTime;

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
    pub clock: manifest::Clock,
    /// Why it may not be what the camera saw; such a picture proves nothing.
    pub damage: Option<Damage>,
}

/// What to open.
#[derive(Debug, Clone)]
pub enum Input {
    Rtsp {
        uri: String,
        login: Option<(String, String)>,
    },
    /// A recording: read as fast as it is analysed, nothing dropped.
    File {
        path: std::path::PathBuf,
    },
}

impl Input {
    /// For messages: without user and password.
    pub fn address(&self) -> String {
        match self {
            Self::Rtsp { uri, .. } => without_login(uri),
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
    pub input: Input,
    pub dating: Dating,
    pub analysed_fps: f32,
    /// Encoded stream kept.
    pub keep: Nanos,
    pub keep_bytes: usize,
}

/// Removes user and password from an address, for messages.
pub fn without_login(uri: &str) -> String {
    match uri.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            match rest[..end].rfind('@') {
                Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
                None => uri.to_owned(),
            }
        }
        None => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_login;

    #[test]
    fn logins_never_reach_a_message() {
        assert_eq!(without_login("rtsp://u:p@ss@h:554/a@b"), "rtsp://h:554/a@b");
        assert_eq!(without_login("rtsp://h/s"), "rtsp://h/s");
        assert_eq!(without_login("file"), "file");
    }
}
