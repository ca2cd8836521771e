//! Why a source does not give frames, in kinds that ask for different hands.

use std::path::PathBuf;

use gstreamer as gst;
use gstreamer::prelude::*;

use super::{AddressError, Input};
use crate::health::CameraState;
use crate::onvif::OnvifError;

/// A source's failure. Messages name the address, never the login.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SourceError {
    #[error("{address}: uri {problem}")]
    Address { address: String, problem: AddressError },
    #[error("RTSP 401 from {address}: {}", if *.asked {
        "it asks for a login, name a file with user:password as `credentials`"
    } else {
        "check user and password"
    })]
    Unauthorized {
        address: String,
        /// No login was given.
        asked: bool,
    },
    #[error("RTSP 403 from {address}: this login may not see this stream")]
    Forbidden { address: String },
    #[error("{address} redirects in a circle or without end")]
    Redirected { address: String },
    #[error("RTSP 404 from {address}: no such stream, check the path in uri")]
    NotFound { address: String },
    #[error(
        "{address} describes its streams but sends none of them over TCP: switch on RTSP over TCP \
         (interleaved) in the camera; over UDP and multicast pictures get lost without a word"
    )]
    Transport { address: String },
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
    #[error(
        "{address}: {}; from now on it is analysed itself, without the substream",
        if *.uncut {
            "sends no key pictures to cut at, set it to one every 1 to 4 s"
        } else {
            "its pictures are not those of the substream at the same time: give both streams one \
             clock and one view"
        }
    )]
    Apart {
        address: String,
        /// Because of missing key pictures.
        uncut: bool,
    },
    #[error("{address} ended the stream")]
    Ended { address: String },
    #[error(
        "{address}: pictures have no times, nobody could say when anything happened; put the \
             video into MP4 with its true rate, e.g. `ffmpeg -i IN -c copy out.mp4`"
    )]
    Untimed { address: String },
    #[error(
        "{address}: the time of a picture jumps back from {from_s:.3} s to {to_s:.3} s; parts \
             recorded separately must be judged separately"
    )]
    Disordered { address: String, from_s: f64, to_s: f64 },
    #[error("{}: ends before its length: {there} of {promised} bytes are there, pictures up to \
             {until_s:.1} s; these were judged, the rest is missing", path.display())]
    Cut { path: PathBuf, there: u64, promised: u64, until_s: f64 },
    #[error("decoder {decoder} failed: {problem}")]
    Decoder { decoder: String, problem: String },
    #[error("{}: {problem}", path.display())]
    File { path: PathBuf, problem: String },
    #[error(transparent)]
    Onvif(#[from] OnvifError),
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
            Self::Address { .. } => "address",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Forbidden { .. } => "forbidden",
            Self::Redirected { .. } => "redirected",
            Self::NotFound { .. } => "not_found",
            Self::Transport { .. } => "transport",
            Self::Unreachable { .. } => "unreachable",
            Self::Codec { .. } => "codec",
            Self::ZeroSize { .. } => "zero_size",
            Self::Stalled { .. } => "stalled",
            Self::Damaged { .. } => "damaged",
            Self::Apart { .. } => "apart",
            Self::Ended { .. } => "ended",
            Self::Untimed { .. } => "untimed",
            Self::Disordered { .. } => "disordered",
            Self::Cut { .. } => "cut",
            Self::Decoder { .. } => "decoder",
            Self::File { .. } => "file",
            Self::Onvif(error) => error.kind(),
            Self::Login { .. } => "login",
            Self::Element(_) => "element",
            Self::Stream { .. } => "stream",
        }
    }

    /// What the camera's place on the board shows while this lasts.
    pub const fn state(&self) -> CameraState {
        match self {
            Self::Address { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::Redirected { .. }
            | Self::NotFound { .. }
            | Self::Transport { .. }
            | Self::Codec { .. }
            | Self::ZeroSize { .. }
            | Self::Untimed { .. }
            | Self::Cut { .. }
            | Self::File { .. }
            | Self::Login { .. }
            | Self::Element(_) => CameraState::Failed,
            Self::Onvif(error) => error.state(),
            Self::Stalled { .. } => CameraState::Stalled,
            Self::Damaged { .. } => CameraState::Damaged,
            Self::Unreachable { .. }
            | Self::Apart { .. }
            | Self::Ended { .. }
            | Self::Disordered { .. }
            | Self::Decoder { .. }
            | Self::Stream { .. } => CameraState::Connecting,
        }
    }

    /// Reads an error message of the pipeline; `address` names `input` in messages.
    pub fn from_message(
        message: &gst::message::Error,
        input: &Input,
        address: &str,
        decoder: &str,
    ) -> Self {
        let error = message.error();
        let address = address.to_owned();
        let from = message.src().map(|source| source.name().to_string()).unwrap_or_default();
        // The server's own words stand only in the last line of the debug text.
        let debug = message.debug().unwrap_or_default();
        let detail = debug.lines().last().unwrap_or_default();
        let problem = match input {
            Input::Rtsp { address, login } => {
                let words = format!("{} {detail}", error.message());
                address.mask(words.trim(), login.as_ref())
            }
            Input::File { .. } => error.message().to_owned(),
        };
        if from == "decoder" {
            return Self::Decoder { decoder: decoder.into(), problem };
        }
        if let (Input::Rtsp { address: place, login }, Some(kind)) =
            (input, error.kind::<gst::ResourceError>())
        {
            let asked = login.is_none() && place.login().is_none();
            return match kind {
                gst::ResourceError::NotAuthorized => Self::Unauthorized { address, asked },
                _ if detail.contains("(401)") => Self::Unauthorized { address, asked },
                _ if detail.contains("(403)") => Self::Forbidden { address },
                _ if detail.contains("(404)") => Self::NotFound { address },
                _ => Self::Unreachable { problem: place.silence().unwrap_or(problem), address },
            };
        }
        match error.kind::<gst::StreamError>() {
            // Of a camera only rtspsrc says this: what was described could not be set up (RTSP 461).
            Some(gst::StreamError::CodecNotFound) if matches!(input, Input::Rtsp { .. }) => {
                Self::Transport { address }
            }
            Some(gst::StreamError::CodecNotFound | gst::StreamError::WrongType) => {
                Self::Codec { address, found: problem }
            }
            _ => Self::Stream { address, problem },
        }
    }
}
