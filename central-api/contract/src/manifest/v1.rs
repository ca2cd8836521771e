//! Version 1, written until 2026-11: two acts, each with a lamp, a movement and three pictures. Its
//! packages lie sealed in stores for years; they are read into the terms of today.

use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Camera, Clock, Device, FileRole, ModelUsed, PlateReading, SourceKind, Unit};
use crate::act::{Act, Moment, MomentRole};
use crate::facts::{self, Facts, Lamp, Line, LineKind, Lit, Measured, Signal};
use crate::view::Area;
use crate::{Digest, VehicleClass};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    version: u32,
    evidence_id: Uuid,
    sequence: u64,
    previous: Option<Digest>,
    device: Device,
    unit: Unit,
    camera: Camera,
    clock: Clock,
    #[serde(default)]
    source: Option<SourceKind>,
    violation: Violation,
    plate: Option<PlateReading>,
    models: Vec<ModelUsed>,
    config: Digest,
    files: Vec<File>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rule {
    RedLight,
    StopLine,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Movement {
    Straight,
    Left,
    Right,
    /// Stayed at the line.
    Stopped,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Violation {
    rule: Rule,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    track: u64,
    vehicle: VehicleClass,
    movement: Movement,
    lamp: Lamp,
    red_elapsed_ms: u64,
    right_arrow: bool,
    reason: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Role {
    FrameBefore,
    FrameOn,
    FramePast,
    CloseUp,
    Clip,
    Overlay,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    role: Role,
    media_type: String,
    bytes: u64,
    sha256: Digest,
    #[serde(with = "time::serde::rfc3339")]
    captured_at: OffsetDateTime,
    #[serde(default)]
    view: Option<View>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct View {
    picture: [u32; 2],
    vehicle: Area,
    #[serde(default)]
    plate: Option<[[u32; 2]; 4]>,
    #[serde(default)]
    others: Vec<Area>,
    #[serde(default)]
    lamps: Vec<Area>,
    #[serde(default)]
    stop_line: Option<[[u32; 2]; 2]>,
}

impl From<Manifest> for super::Manifest {
    fn from(old: Manifest) -> Self {
        let moments = old.files.iter().filter_map(File::moment).collect();
        Self {
            version: old.version,
            evidence_id: old.evidence_id,
            sequence: old.sequence,
            previous: old.previous,
            device: old.device,
            unit: old.unit,
            camera: old.camera,
            clock: old.clock,
            source: old.source,
            violation: old.violation.with(moments),
            plate: old.plate,
            models: old.models,
            config: old.config,
            files: old.files.into_iter().map(super::File::from).collect(),
        }
    }
}

impl Violation {
    fn with(self, mut moments: Vec<Moment>) -> crate::act::Violation {
        moments.sort_by_key(|moment| (moment.at, moment.role));
        let red = Measured::new(self.red_elapsed_ms as f64, facts::Unit::Milliseconds);
        let lit = Lit { lamp: self.lamp, red, right_arrow: self.right_arrow };
        let signal = |movement, lit| Facts::Signal(Signal { movement, lit });
        crate::act::Violation {
            may_be_on_duty: false,
            act: match self.rule {
                Rule::RedLight => Act::RED_LIGHT,
                Rule::StopLine => Act::STOP_LINE,
            },
            at: self.at,
            track: self.track,
            vehicle: self.vehicle,
            facts: match self.movement {
                Movement::Straight => signal(facts::Movement::Straight, lit),
                Movement::Left => signal(facts::Movement::Left, lit),
                Movement::Right => signal(facts::Movement::Right, lit),
                Movement::Stopped => {
                    let line = LineKind::Stop;
                    Facts::Line(Line { line, place: None, lit: Some(lit), over: None, stood: None })
                }
            },
            moments,
            reason: self.reason,
        }
    }
}

impl File {
    fn moment(&self) -> Option<Moment> {
        let role = match self.role {
            Role::FrameBefore => MomentRole::Before,
            Role::FrameOn => MomentRole::On,
            Role::FramePast => MomentRole::Past,
            Role::CloseUp | Role::Clip | Role::Overlay => return None,
        };
        Some(Moment { role, at: self.captured_at, file: self.name.clone() })
    }
}

impl From<File> for super::File {
    fn from(old: File) -> Self {
        Self {
            name: old.name,
            role: match old.role {
                Role::FrameBefore => FileRole::FrameBefore,
                Role::FrameOn => FileRole::FrameOn,
                Role::FramePast => FileRole::FramePast,
                Role::CloseUp => FileRole::CloseUp,
                Role::Clip => FileRole::Clip,
                Role::Overlay => FileRole::Overlay,
            },
            media_type: old.media_type,
            bytes: old.bytes,
            sha256: old.sha256,
            captured_at: old.captured_at,
            view: old.view.map(Into::into),
        }
    }
}

impl From<View> for crate::view::View {
    fn from(old: View) -> Self {
        Self {
            picture: old.picture,
            vehicle: old.vehicle,
            plate: old.plate,
            others: old.others,
            lamps: old.lamps,
            marks: old.stop_line.map(Vec::from).into_iter().collect(),
        }
    }
}
