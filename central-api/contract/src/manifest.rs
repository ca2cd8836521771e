//! The evidence manifest: everything that is claimed about one violation, and the digest of every
//! file that backs it. Fields follow NĐ 61/2026 Điều 14.2 and QCVN 05:2024/BCA (DOMAIN: place,
//! time, image, video, plate, device, verification, plan).
//!
//! The manifest's *bytes* are sealed, never a re-serialisation: parse keeps nothing canonical.

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::Digest;
use crate::plate::{MAX_CHARS, PlateClass, PlateColour, normalise};
use crate::view::View;
use crate::violation::Violation;

time::serde::format_description!(iso_date, Date, "[year]-[month]-[day]");

/// The only version of the manifest so far.
pub const VERSION: u32 = 1;
/// Upper bound on a manifest's bytes.
pub const MAX_MANIFEST_BYTES: usize = 64 * 1024;
/// Upper bound on one file of a package, bytes. The one place this is said: what the edge keeps and
/// cuts, and what the central reads, derive from it.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Upper bound on the files of a package.
pub const MAX_FILES: usize = 16;
/// Upper bound on any one text in a manifest, in characters.
pub const MAX_TEXT: usize = 256;

/// One sealed violation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Manifest {
    pub version: u32,
    pub evidence_id: Uuid,
    /// Position in the device's chain, from 1, without gaps.
    pub sequence: u64,
    /// Digest of the manifest with `sequence - 1`; absent only for the first.
    pub previous: Option<Digest>,
    pub device: Device,
    pub unit: Unit,
    pub camera: Camera,
    pub clock: Clock,
    /// What the pictures came from; absent in packages of older software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceKind>,
    pub violation: Violation,
    /// Absent where the plate was not read: the case then waits for a human.
    pub plate: Option<PlateReading>,
    /// Every model that took part, with the digest of its weights.
    pub models: Vec<ModelUsed>,
    /// Digest of the effective configuration of the camera.
    pub config: Digest,
    pub files: Vec<File>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Device {
    /// Name under which the device is enrolled; equals its certificate's common name.
    pub id: String,
    pub serial: String,
    pub software: String,
}

/// The unit that operates the device and answers for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unit {
    pub code: String,
    pub name: String,
    pub operator: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Camera {
    pub id: String,
    pub place: String,
    /// Kilometre post, e.g. `Km 12+300`.
    pub km: Option<String>,
    /// WGS 84 latitude and longitude, degrees.
    pub gps: Option<[f64; 2]>,
    pub direction: String,
    pub lane: Option<String>,
    /// Number of the approved installation plan (NĐ 61/2026 Điều 12).
    pub plan: String,
    /// Verification or calibration certificate where the device needs one.
    pub verification: Option<Verification>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verification {
    pub certificate: String,
    /// Last day of validity, `YYYY-MM-DD`.
    #[serde(with = "iso_date")]
    pub valid_to: Date,
}

/// How the capture time is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Clock {
    pub source: ClockSource,
    /// Estimated error against UTC in milliseconds, where the source tells.
    pub offset_ms: Option<i64>,
    /// Age of the last synchronisation in milliseconds.
    pub age_ms: Option<u64>,
    /// Counts clock steps since the agent started: times of different epochs do not compare.
    pub epoch: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ClockSource {
    /// The camera's RTCP sender reports.
    Rtcp,
    /// The box's clock at arrival, itself synchronised by NTP.
    Arrival,
    /// A recording's own timestamps on a start time given by the operator.
    Recording,
    /// Never enough to accuse.
    Unknown,
}

/// What the pictures came from. Only a camera's live stream shows when an act was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SourceKind {
    /// A camera on the network, seen as it happened.
    CameraStream,
    /// A file in a camera's place.
    File,
    /// A recording, replayed with a start time that somebody gave.
    Recording,
}

/// The plate as read, with the doubt kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlateReading {
    /// The reader's most probable characters, before the grammar.
    pub raw: String,
    /// Normalised number (A–Z, 0–9, Đ), or none where the reading is not accepted.
    pub text: Option<String>,
    pub class: Option<PlateClass>,
    pub colour: PlateColour,
    /// 1 or 2.
    pub rows: u8,
    /// Probability that `text` is right, 0 to 1: the weakest character decides.
    pub confidence: f64,
    /// Frames that were fused.
    pub frames: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelUsed {
    pub name: String,
    pub sha256: Digest,
}

/// What a file shows. A package holds each of the first five once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FileRole {
    FrameBefore,
    FrameOn,
    FramePast,
    CloseUp,
    Clip,
    /// Camera geometry over the frame on the line; explains, proves nothing.
    Overlay,
}

impl FileRole {
    /// Roles without which no notice may be issued (video before, during and after: QCVN 05:2024).
    pub const MANDATORY: [Self; 5] =
        [Self::FrameBefore, Self::FrameOn, Self::FramePast, Self::CloseUp, Self::Clip];
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct File {
    /// File name inside the package: `[a-z0-9._-]`, no leading dot.
    pub name: String,
    pub role: FileRole,
    pub media_type: String,
    pub bytes: u64,
    pub sha256: Digest,
    /// Capture time of the picture, or of the clip's first frame.
    #[serde(with = "time::serde::rfc3339")]
    pub captured_at: OffsetDateTime,
    /// Where the accused vehicle stands in a picture; absent in packages of older software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
}

/// Why bytes are not an acceptable manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    #[error("manifest has {bytes} bytes, at most {MAX_MANIFEST_BYTES} are accepted")]
    TooLarge { bytes: usize },
    #[error("manifest is not valid JSON of the expected form: {0}")]
    Syntax(String),
    #[error("manifest version {found} is not supported, expected {VERSION}")]
    Version { found: u32 },
    #[error("manifest field {field}: {problem}")]
    Field { field: String, problem: &'static str },
}

impl Manifest {
    /// Reads and checks a manifest of at most [`MAX_MANIFEST_BYTES`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLarge { bytes: bytes.len() });
        }
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|e| ManifestError::Syntax(quote(&e)))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The bytes to seal and store, of a manifest that [`Manifest::check`] accepts.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Plain values with string keys, and times that `check` accepts: serialisation cannot fail.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// The file of `role`, if the package has one.
    pub fn file(&self, role: FileRole) -> Option<&File> {
        self.files.iter().find(|file| file.role == role)
    }

    /// Mandatory roles that the package lacks.
    pub fn missing_roles(&self) -> Vec<FileRole> {
        FileRole::MANDATORY.into_iter().filter(|role| self.file(*role).is_none()).collect()
    }

    /// Checks what the types alone do not say.
    pub fn check(&self) -> Result<(), ManifestError> {
        if self.version != VERSION {
            return Err(ManifestError::Version { found: self.version });
        }
        let field =
            |field: &str, problem| Err(ManifestError::Field { field: field.into(), problem });
        if self.sequence == 0 {
            return field("sequence", "must start at 1");
        }
        if (self.sequence == 1) != self.previous.is_none() {
            return field("previous", "must be absent exactly for sequence 1");
        }
        let absent = String::new();
        let certificate = self.camera.verification.as_ref().map(|v| &v.certificate);
        for (name, text, required) in [
            ("device.id", &self.device.id, true),
            ("device.serial", &self.device.serial, true),
            ("device.software", &self.device.software, true),
            ("unit.code", &self.unit.code, true),
            ("unit.name", &self.unit.name, true),
            ("unit.operator", &self.unit.operator, true),
            ("camera.id", &self.camera.id, true),
            ("camera.place", &self.camera.place, true),
            ("camera.direction", &self.camera.direction, true),
            ("camera.plan", &self.camera.plan, true),
            ("camera.km", self.camera.km.as_ref().unwrap_or(&absent), false),
            ("camera.lane", self.camera.lane.as_ref().unwrap_or(&absent), false),
            ("camera.verification.certificate", certificate.unwrap_or(&absent), false),
            ("violation.reason", &self.violation.reason, false),
        ] {
            if required && text.trim().is_empty() {
                return field(name, "is empty");
            }
            if let Some(problem) = text_problem(text) {
                return field(name, problem);
            }
        }
        if !is_writable(self.violation.at) {
            return field("violation.at", "is no time that RFC 3339 can write");
        }
        if self.clock.source == ClockSource::Unknown {
            return field("clock.source", "is unknown: such evidence accuses nobody");
        }
        if self.source == Some(SourceKind::CameraStream)
            && self.clock.source == ClockSource::Recording
        {
            return field("source", "is a camera's stream, but the clock is that of a recording");
        }
        if let Some([lat, lon]) = self.camera.gps
            && !((-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon))
        {
            return field("camera.gps", "is not a latitude and longitude in degrees");
        }
        if let Some(plate) = &self.plate {
            if !(0.0..=1.0).contains(&plate.confidence) {
                return field("plate.confidence", "is not between 0 and 1");
            }
            if !(1..=2).contains(&plate.rows) {
                return field("plate.rows", "is not 1 or 2");
            }
            if plate.raw.len() > MAX_CHARS || !plate.raw.bytes().all(|b| b.is_ascii_graphic()) {
                return field("plate.raw", "is not at most 16 printable ASCII characters");
            }
            if plate.text.as_ref().is_some_and(|text| text.is_empty() || normalise(text) != *text) {
                return field("plate.text", "is not 1 to 16 of A-Z 0-9 and Đ");
            }
        }
        if self.models.len() > MAX_FILES {
            return field("models", "lists more than 16 models");
        }
        if self.models.iter().any(|model| model.name.chars().count() > MAX_TEXT) {
            return field("models", "has a name longer than 256 characters");
        }
        self.check_files()
    }

    fn check_files(&self) -> Result<(), ManifestError> {
        let problem = |index: usize, key: &str, problem| {
            Err(ManifestError::Field { field: format!("files[{index}].{key}"), problem })
        };
        if self.files.len() > MAX_FILES {
            return Err(ManifestError::Field {
                field: "files".into(),
                problem: "lists more than 16 files",
            });
        }
        for (index, file) in self.files.iter().enumerate() {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
            if file.name.is_empty()
                || file.name.len() > 64
                || file.name.starts_with('.')
                || !file.name.bytes().all(plain)
            {
                return problem(
                    index,
                    "name",
                    "is not 1 to 64 of a-z 0-9 . _ - without leading dot",
                );
            }
            if file.bytes == 0 || file.bytes > MAX_FILE_BYTES {
                return problem(index, "bytes", "is zero or over 64 MiB");
            }
            let endings: &[&str] = match file.media_type.as_str() {
                "image/jpeg" => &[".jpg", ".jpeg"],
                "image/png" => &[".png"],
                "video/mp4" => &[".mp4"],
                _ => {
                    let media_types = "is not image/jpeg, image/png or video/mp4";
                    return problem(index, "media_type", media_types);
                }
            };
            // So no file can take the place of the manifest, its seal, a receipt or a notice.
            if !endings.iter().any(|ending| file.name.ends_with(ending)) {
                let endings = "does not end in .jpg, .jpeg, .png or .mp4 as its media type asks";
                return problem(index, "name", endings);
            }
            if !is_writable(file.captured_at) {
                return problem(index, "captured_at", "is no time that RFC 3339 can write");
            }
            if let Some(view) = &file.view {
                if file.role == FileRole::Clip {
                    return problem(index, "view", "belongs to pictures, not to a clip");
                }
                if let Some(wrong) = view.problem() {
                    return problem(index, "view", wrong);
                }
            }
            let earlier = &self.files[..index];
            if earlier.iter().any(|other| other.name == file.name || other.role == file.role) {
                return problem(index, "name", "repeats the name or role of an earlier file");
            }
        }
        Ok(())
    }
}

/// Why `text` may not stand in a manifest, or none where it may. Whoever writes texts that end in
/// manifests asks here first.
pub fn text_problem(text: &str) -> Option<&'static str> {
    if text.chars().count() > MAX_TEXT {
        return Some("is longer than 256 characters");
    }
    text.chars().any(char::is_control).then_some(
        "holds control characters (tab, line break, bell, …): write it on one plain line",
    )
}

/// RFC 3339 has years of four digits and offsets of whole minutes.
fn is_writable(at: OffsetDateTime) -> bool {
    (0..=9999).contains(&at.year()) && at.offset().seconds_past_minute() == 0
}

/// The parser's message, bounded and on one line: it quotes text that a stranger may have written.
fn quote(error: &serde_json::Error) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let mut message: String = error.to_string().chars().take(MAX_TEXT).map(shown).collect();
    if !message.contains(" at line ") {
        message = format!("{message} at line {} column {}", error.line(), error.column());
    }
    message
}
