//! Why a source does not give frames, in kinds that ask for different hands.

use std::path::PathBuf;

use gstreamer as gst;
use gstreamer::prelude::*;

use crate::health::CameraState;

/// A source's failure. Messages name the address, never the login.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("RTSP 401 from {address}: check user and password")]
    Unauthorized { address: String },
    #[error("RTSP 404 from {address}: no such stream, check the path in uri")]
    NotFound { address: String },
    #[error("{address} cannot be reached: {problem}")]
    Unreachable { address: String, problem: String },
    #[error("{address} sends {found}, must be H.264 or H.265 video")]
    Codec { address: String, found: String },
    #[error("{address} sends pictures of {width}x{height}")]
    ZeroSize { address: String, width: u32, height: u32 },
    #[error("{address}: no picture for {seconds} s")]
    Stalled { address: String, seconds: u64 },
    #[error("{address}: for {seconds} s no picture could be believed: {why}")]
    Damaged { address: String, seconds: u64, why: &'static str },
    #[error("{address} ended the stream")]
    Ended { address: String },
    #[error("decoder {decoder} failed: {problem}")]
    Decoder { decoder: String, problem: String },
    #[error("{}: {problem}", path.display())]
    File { path: PathBuf, problem: String },
    #[error("login file {}: {problem}", path.display())]
    Login { path: PathBuf, problem: String },
    #[error("GStreamer: {0}; install gstreamer1.0-plugins-good, -bad and gstreamer1.0-libav")]
    Element(String),
    #[error("{address}: {problem}")]
    Stream { address: String, problem: String },
}

impl SourceError {
    /// A word for metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unauthorized { .. } => "unauthorized",
            Self::NotFound { .. } => "not_found",
            Self::Unreachable { .. } => "unreachable",
            Self::Codec { .. } => "codec",
            Self::ZeroSize { .. } => "zero_size",
            Self::Stalled { .. } => "stalled",
            Self::Damaged { .. } => "damaged",
            Self::Ended { .. } => "ended",
            Self::Decoder { .. } => "decoder",
            Self::File { .. } => "file",
            Self::Login { .. } => "login",
            Self::Element(_) => "element",
            Self::Stream { .. } => "stream",
        }
    }

    /// What the camera's place on the board shows while this lasts.
    pub const fn state(&self) -> CameraState {
        match self {
            Self::Unauthorized { .. }
            | Self::NotFound { .. }
            | Self::Codec { .. }
            | Self::ZeroSize { .. }
            | Self::File { .. }
            | Self::Login { .. }
            | Self::Element(_) => CameraState::Failed,
            Self::Stalled { .. } => CameraState::Stalled,
            Self::Damaged { .. } => CameraState::Damaged,
            Self::Unreachable { .. }
            | Self::Ended { .. }
            | Self::Decoder { .. }
            | Self::Stream { .. } => CameraState::Connecting,
        }
    }

    /// Reads an error message of the pipeline.
    pub fn from_message(message: &gst::message::Error, address: &str, decoder: &str) -> Self {
        let error = message.error();
        let address = address.to_owned();
        let from = message.src().map(|source| source.name().to_string()).unwrap_or_default();
        let problem = error.message().to_owned();
        if from == "decoder" {
            return Self::Decoder { decoder: decoder.into(), problem };
        }
        // rtspsrc puts the server's own words only into the debug text.
        let debug = message.debug().unwrap_or_default();
        let said = |code: &str| debug.contains(code) || problem.contains(code);
        match error.kind::<gst::ResourceError>() {
            Some(gst::ResourceError::NotAuthorized) => return Self::Unauthorized { address },
            Some(gst::ResourceError::NotFound) if !said("resolve") => {
                return Self::NotFound { address };
            }
            _ if said("Unauthorized") => return Self::Unauthorized { address },
            _ if said("Not Found") => return Self::NotFound { address },
            Some(_) => return Self::Unreachable { address, problem },
            None => {}
        }
        match error.kind::<gst::StreamError>() {
            Some(gst::StreamError::CodecNotFound | gst::StreamError::WrongType) => {
                Self::Codec { address, found: problem }
            }
            _ => Self::Stream { address, problem },
        }
    }
}
