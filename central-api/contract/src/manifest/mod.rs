//! The evidence manifest: everything that is claimed about one violation, and the digest of every
//! file that backs it. Fields follow NĐ 61/2026 Điều 14.2 and QCVN 05:2024/BCA (DOMAIN: place,
//! time, image, video, plate, device, verification, plan).
//!
//! The manifest's *bytes* are sealed, never a re-serialisation: parse keeps nothing canonical.

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::Digest;
use crate::act::{Moment, MomentRole, Violation};
use crate::plate::{PlateClass, PlateColour};
use crate::view::View;

mod check;
mod v1;

time::serde::format_description!(iso_date, Date, "[year]-[month]-[day]");

/// The version that is written. Every version before it is read for ever, as if it had been
/// written in this one's terms.
pub const VERSION: u32 = 2;
/// Upper bound on a manifest's bytes.
pub const MAX_MANIFEST_BYTES: usize = 64 * 1024;
/// Upper bound on one file of a package, bytes. The one place this is said: what the edge keeps and
/// cuts, and what the central reads, derive from it.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Upper bound on the files of a package.
pub const MAX_FILES: usize = 32;
/// Upper bound on the moments of an act.
pub const MAX_MOMENTS: usize = 12;
/// Upper bound on the models that took part.
const MAX_MODELS: usize = 16;
/// Name of the file that says what the verdict stood on.
pub const BASIS_FILE: &str = "basis.json";
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
    /// What the pictures came from; absent only in packages of older software.
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

/// What a file is. The first three are of version 1 alone, whose acts had just these moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FileRole {
    FrameBefore,
    FrameOn,
    FramePast,
    /// A moment of the act, as the camera saw it.
    Scene,
    /// The vehicle and its plate, closer.
    CloseUp,
    Clip,
    /// Camera geometry over a moment; explains, proves nothing.
    Overlay,
    /// What the verdict stood on, to judge again.
    Basis,
}

impl FileRole {
    /// Whether a package may hold several.
    const fn many(self) -> bool {
        matches!(self, Self::Scene | Self::Clip)
    }

    /// How the media type of such a file begins.
    pub const fn media(self) -> &'static str {
        match self {
            Self::Clip => "video/",
            Self::Basis => "application/json",
            _ => "image/",
        }
    }

    const fn of_version_1(self) -> bool {
        matches!(self, Self::FrameBefore | Self::FrameOn | Self::FramePast)
    }

    const fn of_any_version(self) -> bool {
        matches!(self, Self::CloseUp | Self::Clip | Self::Overlay)
    }

    /// Whether it is a picture of a moment, as the camera saw it.
    pub const fn is_scene(self) -> bool {
        self.of_version_1() || matches!(self, Self::Scene)
    }
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
    #[error("manifest version {found} is not supported, only 1 to {VERSION} are")]
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
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let syntax = |e: serde_json::Error| ManifestError::Syntax(quote(&e));
        let manifest: Self =
            match serde_json::from_slice::<Versioned>(bytes).map_err(syntax)?.version {
                1 => serde_json::from_slice::<v1::Manifest>(bytes).map_err(syntax)?.into(),
                VERSION => serde_json::from_slice(bytes).map_err(syntax)?,
                found => return Err(ManifestError::Version { found }),
            };
        manifest.check()?;
        Ok(manifest)
    }

    /// The bytes to seal and store, of a manifest of this version that [`Manifest::check`] accepts.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Plain values with string keys, and times that `check` accepts: serialisation cannot fail.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// The first file of `role`, if the package has one.
    pub fn file(&self, role: FileRole) -> Option<&File> {
        self.files.iter().find(|file| file.role == role)
    }

    /// The moment whose picture dates the act: the one at its time, on the line where there is one.
    pub fn main_moment(&self) -> Option<MomentRole> {
        let moments = &self.violation.moments;
        let at = |moment: &&Moment| moment.at == self.violation.at;
        let on = |moment: &&Moment| moment.role == MomentRole::On;
        moments.iter().find(on).or_else(|| moments.iter().find(at)).map(|moment| moment.role)
    }

    /// The picture that dates the act.
    pub fn main_picture(&self) -> Option<&File> {
        self.picture(self.main_moment()?)
    }

    /// The picture of a moment of the act, as the camera saw it.
    pub fn picture(&self, role: MomentRole) -> Option<&File> {
        let moment = self.violation.moments.iter().find(|moment| moment.role == role)?;
        self.files.iter().find(|file| file.name == moment.file)
    }
}

/// Why `text` may not stand in a manifest, or none where it may. Whoever writes texts that end in
/// manifests asks here first.
pub fn text_problem(text: &str) -> Option<&'static str> {
    if text.chars().count() > MAX_TEXT {
        return Some("is longer than 256 characters");
    }
    text.chars().any(controls).then_some(
        "holds control characters (tab, line break, bell, …): write it on one plain line",
    )
}

/// Whether a character is not shown but changes how others are: besides Unicode's control characters
/// those that break a line or turn the direction of writing, by which a text could read otherwise than it
/// is compared.
fn controls(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The parser's message, bounded and on one line: it quotes text that a stranger may have written.
pub(crate) fn quote(error: &serde_json::Error) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let mut message: String = error.to_string().chars().take(MAX_TEXT).map(shown).collect();
    if !message.contains(" at line ") {
        message = format!("{message} at line {} column {}", error.line(), error.column());
    }
    message
}
