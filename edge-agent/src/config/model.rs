//! The configuration as values. Geometry is normalised: 0 to 1 of the frame's width and height,
//! so a site drawn on one resolution holds on another.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use contract::manifest::Verification;
use contract::{Digest, Movement};
use judge::Site;
use judge::lamp::Light;
use plate_model::Precision;
use serde::{Serialize, Serializer};
use settings::shapes::Point;

use super::Fps;
use crate::onvif::Setting;
use crate::wire::Wire;

/// The whole agent.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Absent in a bare site file: enough to replay, not to run.
    pub device: Option<Device>,
    pub unit: Option<Unit>,
    pub models: Models,
    pub spool: Spool,
    /// Absent: sealed evidence stays in the spool.
    pub uplink: Option<Uplink>,
    pub health: Health,
    pub history: History,
    /// Absent: what was installed runs for ever.
    pub update: Option<Update>,
    pub cameras: Vec<Arc<Camera>>,
}

impl Agent {
    /// Names of the sections besides the cameras in which `next` differs.
    pub fn sections_apart(&self, next: &Self) -> Vec<&'static str> {
        let Self { device, unit, models, spool, uplink, health, history, update, cameras: _ } =
            self;
        let apart = [
            ("device", *device != next.device),
            ("unit", *unit != next.unit),
            ("models", *models != next.models),
            ("spool", *spool != next.spool),
            ("uplink", *uplink != next.uplink),
            ("health", *health != next.health),
            ("history", *history != next.history),
            ("update", *update != next.update),
        ];
        apart.iter().filter_map(|(name, apart)| apart.then_some(*name)).collect()
    }
}

/// The box itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Name under which the device is enrolled; equals its certificate's common name.
    pub id: String,
    pub serial: String,
    /// Folder with `seal.key`, `tls.key`, `tls.pem`, `ca.pem`, `central.pub`.
    pub keys: PathBuf,
}

/// The unit that operates the device and answers for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    pub code: String,
    pub name: String,
    pub operator: String,
}

/// Where the weights are and how inference runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Models {
    /// Folder with `vehicles`, `finder`, `refiner` and `reader` and their int8 twins, each an ONNX
    /// file beside its card.
    pub dir: PathBuf,
    pub precision: Precision,
    /// Sets of networks, one thread each; 0: one a core.
    pub workers: usize,
    /// Plate crops searched in one frame at most.
    pub plates_per_frame: usize,
}

/// Durable store of sealed evidence until the central has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    pub dir: PathBuf,
    pub max_bytes: u64,
    pub max_age_days: u32,
    /// Free space kept on the volume; below it sealing stops, counted and alarmed.
    pub min_free_bytes: u64,
}

/// The way to the central.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// Base address of the device API, e.g. `https://central:8443`.
    pub url: String,
    /// Upload limit in bytes a second; 0 is none.
    pub rate_bytes_per_s: u64,
    pub timeout_s: u64,
    pub backoff_min_ms: u64,
    pub backoff_max_ms: u64,
}

/// Metrics and liveness for the local network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Address of `/metrics` and `/healthz`; absent: none.
    pub listen: Option<SocketAddr>,
}

/// What was seen in the last days, for who asks why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    pub enabled: bool,
    pub dir: PathBuf,
    pub keep_days: u32,
    pub keep_bytes: u64,
}

/// Signed releases from the central.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// PEM file with the public halves of the release keys.
    pub keys: PathBuf,
    pub dir: PathBuf,
    /// How often the central is asked.
    pub every_s: u64,
    /// How long a release may take to show that the box is well with it.
    pub trial_s: u64,
    /// How long it must have been well with it within that time.
    pub calm_s: u64,
}

/// One camera: where it stands, what it sees and what is judged there.
#[derive(Debug, Clone, Serialize)]
pub struct Camera {
    pub id: String,
    /// `rtsp://` or `rtsps://`; absent in a site file that is only replayed.
    /// Not part of the digest: it may hold a password.
    #[serde(skip)]
    pub uri: Option<String>,
    /// In place of `uri`: a camera that is asked for its streams.
    #[serde(skip)]
    pub onvif: Option<Setting>,
    /// A smaller stream of the same camera, which is then analysed; evidence is of the one at `uri`.
    /// Its address, or its profile's name where the camera is asked. The digest holds only that there
    /// is one.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "present")]
    pub substream: Option<String>,
    /// File with `user:password` for the camera, so that the configuration holds no secret.
    #[serde(skip)]
    pub credentials: Option<PathBuf>,
    pub place: String,
    pub direction: String,
    pub plan: String,
    pub km: Option<String>,
    pub gps: Option<[f64; 2]>,
    pub lane: Option<String>,
    pub verification: Option<Verification>,
    pub analysed_fps: Fps,
    pub clock: ClockPolicy,
    /// The drawn road, and what is judged on it.
    pub site: Site,
    /// Region analysed: x, y, width, height. The rest of the picture is not looked at.
    pub detect: Option<[f32; 4]>,
    /// Part of that region looked at once more from closer, where vehicles are far and many.
    pub closer: Option<[f32; 4]>,
    /// Areas in which nothing counts: overlays, parked vehicles, a side road.
    pub mask: Vec<Vec<Point>>,
    pub lamps: Vec<Lamp>,
}

/// One lamp head in the picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lamp {
    pub name: String,
    /// x, y, width, height.
    pub region: [f32; 4],
    pub layout: LampLayout,
    /// Lights from the top (or left) in order.
    pub lights: Vec<Light>,
    /// The lights are arrows; round ones where it is false, but for a head of green alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub arrows: bool,
    /// Movements the lamp governs.
    pub controls: Vec<Movement>,
    /// What it is held against. Not part of the digest: by it a lamp can only become unreadable.
    #[serde(skip)]
    pub wired: Option<Wired>,
}

/// A lamp's wire to the signal cabinet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wired {
    pub at: Wire,
    /// A difference between wire and picture is borne so long.
    pub bears_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LampLayout {
    Vertical,
    Horizontal,
}

/// Which clocks may date an accusation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockPolicy {
    /// Only the camera's sender reports; without them nobody is accused.
    Rtcp,
    /// Sender reports when there are some, else arrival at the box.
    RtcpOrArrival,
    /// Arrival at the box, whatever the camera says.
    Arrival,
}

fn present<S: Serializer>(_: &Option<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bool(true)
}

impl Camera {
    /// Whether there is a way to it: a site file that is only replayed needs none.
    pub const fn is_reachable(&self) -> bool {
        self.uri.is_some() || self.onvif.is_some()
    }

    /// Whether the substream will do: not where plates of vehicles that nobody accuses must be read,
    /// for which it is too small.
    pub fn analyses_substream(&self) -> bool {
        self.substream.is_some() && !self.site.rules.iter().any(|rule| rule.reads_plates())
    }

    /// Whether it is the same camera set up the same way, and reached likewise.
    pub fn is(&self, other: &Self) -> bool {
        let way = |camera: &Self| {
            let Self { uri, onvif, substream, credentials, lamps, .. } = camera;
            let wires: Vec<_> = lamps.iter().map(|lamp| lamp.wired.clone()).collect();
            (uri.clone(), onvif.clone(), substream.clone(), credentials.clone(), wires)
        };
        way(self) == way(other) && self.text() == other.text()
    }

    /// Of all that is drawn on its picture.
    pub fn drawn(&self) -> Digest {
        let Self { site, detect, closer, mask, lamps, .. } = self;
        // As in `text`.
        let text = serde_json::to_string(&(site, detect, closer, mask, lamps)).unwrap_or_default();
        Digest::of(text.as_bytes())
    }

    /// The configuration in force as evidence holds it: everything but the way to the camera.
    pub fn text(&self) -> String {
        // A struct of plain values cannot fail to serialise; field order is the declaration's.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What the evidence names as the configuration in force.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text().as_bytes())
    }
}
