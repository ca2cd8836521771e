//! Why a camera does not answer as asked, in kinds that ask for different hands.

use std::time::Duration;

use super::xml::{Unreadable, plain};
use crate::health::CameraState;
use crate::source::AddressError;

/// A failure between this box and a camera's ONVIF services. Messages name the address, never the
/// login, which is never sent as it is.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OnvifError {
    #[error("ONVIF at {address}: no answer within {} s: check power, cable and address", .waited.as_secs())]
    Timeout { address: String, waited: Duration },
    #[error("ONVIF at {address} cannot be reached: {problem}")]
    Unreachable { address: String, problem: String },
    #[error(
        "{address} answers, but not as ONVIF ({found}): check the path, which mostly is \
         /onvif/device_service, and that ONVIF is switched on in the camera's menu"
    )]
    NotOnvif { address: String, found: String },
    #[error("ONVIF at {address}: its answer is not read: {problem}")]
    Unreadable { address: String, problem: Unreadable },
    #[error("ONVIF at {address} {}", if *.asked {
        "asks for a login: name a file with user:password as `credentials`"
    } else {
        "refuses the login: check user and password (many cameras keep users for ONVIF apart from \
         their others)"
    })]
    Unauthorized {
        address: String,
        /// No login was given.
        asked: bool,
    },
    #[error(
        "ONVIF at {address} refuses the login and does not tell its time: where its clock is wrong it \
         refuses every login, so set the clock, best by NTP, then check user and password"
    )]
    Clock { address: String },
    #[error(
        "ONVIF at {address}: this login may not ask for {action}: give the user more rights \
         (media user or operator) in the camera's menu"
    )]
    Forbidden { address: String, action: &'static str },
    #[error("ONVIF at {address} refuses {action}: {reason}")]
    Fault { address: String, action: &'static str, reason: String },
    #[error("ONVIF at {address}: {problem}")]
    Profile { address: String, problem: String },
    #[error("ONVIF at {address}: the RTSP address of profile {profile:?} {problem}")]
    Stream { address: String, profile: String, problem: AddressError },
    #[error("no connection can be made from this box: {0}")]
    Client(String),
}

impl OnvifError {
    /// A word for metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Timeout { .. } => "onvif_timeout",
            Self::Unreachable { .. } => "onvif_unreachable",
            Self::NotOnvif { .. } => "not_onvif",
            Self::Unreadable { .. } => "onvif_unreadable",
            Self::Unauthorized { .. } => "onvif_unauthorized",
            Self::Clock { .. } => "onvif_clock",
            Self::Forbidden { .. } => "onvif_forbidden",
            Self::Fault { .. } => "onvif_fault",
            Self::Profile { .. } => "onvif_profile",
            Self::Stream { .. } => "onvif_stream",
            Self::Client(_) => "onvif_client",
        }
    }

    /// What the camera's place on the board shows while this lasts.
    pub const fn state(&self) -> CameraState {
        match self {
            // A camera that starts up says all kinds of things.
            Self::Timeout { .. } | Self::Unreachable { .. } | Self::Fault { .. } => {
                CameraState::Connecting
            }
            _ => CameraState::Failed,
        }
    }

    /// Whether it is about who asks, so that asking elsewhere is of no use.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Unauthorized { .. } | Self::Clock { .. } | Self::Forbidden { .. })
    }

    pub(super) fn of_request(error: &reqwest::Error, address: &str, waited: Duration) -> Self {
        let address = address.to_owned();
        if error.is_timeout() {
            return Self::Timeout { address, waited };
        }
        // The outermost only repeats the address.
        let mut cause: &dyn std::error::Error = error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        let problem = plain(&cause.to_string());
        if error.is_builder() {
            return Self::Client(problem);
        }
        if error.is_connect() {
            return Self::Unreachable { address, problem };
        }
        Self::NotOnvif { address, found: problem }
    }
}
