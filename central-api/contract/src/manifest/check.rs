//! What a manifest may say: what its types alone leave open. Every version is held to the same.

use time::{OffsetDateTime, UtcOffset};

use super::{
    BASIS_FILE, ClockSource, File, FileRole, MAX_FILE_BYTES, MAX_FILES, MAX_MODELS, MAX_MOMENTS,
    MAX_TEXT, Manifest, ManifestError, SourceKind, VERSION, text_problem,
};
use crate::plate::{MAX_CHARS, normalise};

impl Manifest {
    /// Checks what the types alone do not say.
    pub fn check(&self) -> Result<(), ManifestError> {
        if !(1..=VERSION).contains(&self.version) {
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
            return field(
                "violation.at",
                "is no time of the years 1970 to 2199 that RFC 3339 can write",
            );
        }
        if let Some(problem) = self.violation.facts.problem() {
            return field("violation.facts", problem);
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
        if self.models.len() > MAX_MODELS {
            return field("models", "lists more than 16 models");
        }
        if self.models.iter().any(|model| model.name.chars().count() > MAX_TEXT) {
            return field("models", "has a name longer than 256 characters");
        }
        self.check_files()?;
        self.check_moments()?;
        if self.version == 1 {
            return Ok(());
        }
        if self.source.is_none() {
            return field("source", "is missing: what did the pictures come from?");
        }
        if self.file(FileRole::Basis).is_none() {
            return field("files", "lacks basis.json: what did the verdict stand on?");
        }
        Ok(())
    }

    /// Every moment names the picture that shows it.
    fn check_moments(&self) -> Result<(), ManifestError> {
        let moments = &self.violation.moments;
        let problem = |index: usize, problem| {
            let field = format!("violation.moments[{index}]");
            Err(ManifestError::Field { field, problem })
        };
        if moments.len() > MAX_MOMENTS || moments.is_empty() && self.version > 1 {
            let field = "violation.moments".into();
            return Err(ManifestError::Field { field, problem: "are none, or over 12" });
        }
        for (index, moment) in moments.iter().enumerate() {
            let shows = |file: &&File| file.name == moment.file && file.role.is_scene();
            let Some(file) = self.files.iter().find(shows) else {
                return problem(index, "names no picture of the package");
            };
            if file.captured_at != moment.at {
                return problem(index, "has another time than its picture");
            }
        }
        Ok(())
    }

    fn check_files(&self) -> Result<(), ManifestError> {
        let problem = |index: usize, key: &str, problem| {
            Err(ManifestError::Field { field: format!("files[{index}].{key}"), problem })
        };
        if self.files.len() > MAX_FILES {
            return Err(ManifestError::Field {
                field: "files".into(),
                problem: "lists more than 32 files",
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
                "application/json" => &[],
                _ => {
                    let media_types = "is not image/jpeg, image/png, video/mp4 or application/json";
                    return problem(index, "media_type", media_types);
                }
            };
            // So no file can take the place of the manifest, its seal, a receipt or a notice.
            let named = endings.iter().any(|ending| file.name.ends_with(ending))
                || endings.is_empty() && file.name == BASIS_FILE;
            if !named {
                let endings = "does not end in .jpg, .jpeg, .png or .mp4 as its media type asks";
                return problem(index, "name", endings);
            }
            if (file.role == FileRole::Basis) != (file.name == BASIS_FILE) {
                return problem(index, "role", "and name do not agree: the basis is basis.json");
            }
            if file.role.of_version_1() != (self.version == 1) && !file.role.of_any_version() {
                return problem(index, "role", "is not one of this version");
            }
            if !is_writable(file.captured_at) {
                return problem(
                    index,
                    "captured_at",
                    "is no time of the years 1970 to 2199 that RFC 3339 can write",
                );
            }
            if let Some(view) = &file.view {
                if matches!(file.role, FileRole::Clip | FileRole::Basis) {
                    return problem(index, "view", "belongs to pictures, not to a clip");
                }
                if let Some(wrong) = view.problem() {
                    return problem(index, "view", wrong);
                }
            }
            let earlier = &self.files[..index];
            let same = |other: &File| {
                other.name == file.name || other.role == file.role && !file.role.many()
            };
            if earlier.iter().any(same) {
                return problem(index, "name", "repeats the name or role of an earlier file");
            }
        }
        Ok(())
    }
}

/// RFC 3339 has years of four digits and offsets of whole minutes. Far from where dates end, so that
/// nobody who reckons with the time, or shows it in another offset, gets beyond; boxes that lost
/// their clock begin at 1970.
fn is_writable(at: OffsetDateTime) -> bool {
    let in_utc = at.checked_to_offset(UtcOffset::UTC);
    in_utc.is_some_and(|at| (1970..2200).contains(&at.year()))
        && at.offset().seconds_past_minute() == 0
}
