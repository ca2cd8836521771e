//! A release: the program, models and settings that boxes are to run, told whole by one small file
//! that is signed offline. The central stores and hands on; it cannot make one.
//!
//! A release is a folder with [`RELEASE_FILE`], its detached JWS [`RELEASE_SEAL`], and files under a
//! folder for each [`Part`] that it carries; of a part that it does not carry the box runs what was
//! installed on it. Numbers only grow: what was signed once cannot be played back as an update, and a
//! way back is a new release with the old files.
//!
//! - `GET /device/v1/release` → 200 [`Offer`], or 204 where this box is to stay as it is
//! - `GET /device/v1/release/files/{sha256}` with `Range: bytes=FIRST-LAST`, at most
//!   [`crate::wire::CHUNK_BYTES`] → 206 with these bytes of a file of that release

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::Digest;
use crate::manifest::{quote, text_problem};
use crate::seal::{Purpose, SealError, VerifyingKey};

/// The form that is written and read.
pub const FORMAT: u32 = 1;
/// Name of the description inside a release's folder.
pub const RELEASE_FILE: &str = "release.json";
/// Name of the file with its detached JWS.
pub const RELEASE_SEAL: &str = "release.jws";
/// The program inside a release that carries one.
pub const PROGRAM: &str = "program/edge-agent";
/// Upper bound on the description, bytes.
pub const MAX_RELEASE_BYTES: usize = 64 * 1024;
/// Upper bound on one file, bytes.
pub const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;
/// Upper bound on all of them together, bytes.
pub const MAX_BYTES: u64 = 1024 * 1024 * 1024;
/// Upper bound on the files.
pub const MAX_FILES: usize = 128;
/// Upper bound on a number: far away, and exact in any JSON reader.
pub const MAX_NUMBER: u64 = 1 << 40;
const MAX_PATH: usize = 128;
const MAX_DEPTH: usize = 4;

/// What a box is to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub format: u32,
    /// Grows from release to release.
    pub number: u64,
    /// For people.
    pub version: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// Processor that the program is for, as Rust names it: `x86_64`, `aarch64`.
    pub target: String,
    /// The least number of a release that this one may follow; 0: any, and a bare box.
    pub over: u64,
    /// By path, every one listed.
    pub files: Vec<File>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// `PART/NAME`, or deeper: names of A–Z a–z 0–9 . _ - that begin with no dot.
    pub path: String,
    pub bytes: u64,
    pub sha256: Digest,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

/// What a release may carry, each in a folder of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The agent and its libraries.
    Program,
    /// Weights and their cards.
    Models,
    /// Configuration files, read after the box's own in the order of their names.
    Settings,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Program, Self::Models, Self::Settings];

    pub const fn folder(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Models => "models",
            Self::Settings => "settings",
        }
    }

    fn of(path: &str) -> Option<Self> {
        let (folder, _) = path.split_once('/')?;
        Self::ALL.into_iter().find(|part| part.folder() == folder)
    }
}

/// The answer to a box that asks what it is to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Offer {
    /// The description's exact text.
    pub release: String,
    /// Detached JWS over it.
    pub seal: String,
}

/// Why a release is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    #[error("{RELEASE_SEAL}: {0}")]
    Seal(#[from] SealError),
    #[error("no release key is known to check it with")]
    NoKey,
    #[error("{RELEASE_FILE} has {bytes} bytes, {MAX_RELEASE_BYTES} are the most")]
    TooLarge { bytes: usize },
    #[error("{RELEASE_FILE} does not read: {0}")]
    Syntax(String),
    #[error("{RELEASE_FILE}: {field} {problem}")]
    Field { field: String, problem: String },
}

impl Release {
    /// Checks the seal over `bytes` with whichever of `keys` it names, then reads them.
    ///
    /// # Errors
    /// Where none of the keys sealed these bytes, or they describe no release.
    pub fn open(keys: &[VerifyingKey], bytes: &[u8], seal: &str) -> Result<Self, ReleaseError> {
        let mut refused = ReleaseError::NoKey;
        for key in keys {
            match key.verify_detached(Purpose::Release, seal.trim_end(), bytes) {
                Ok(()) => return Self::parse(bytes),
                // Another key's word on a seal that names this one counts.
                Err(error @ SealError::Key { .. }) => refused = error.into(),
                Err(error) => return Err(error.into()),
            }
        }
        Err(refused)
    }

    /// Reads and checks a description, whoever sealed it.
    ///
    /// # Errors
    /// What is wrong with it, by field.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReleaseError> {
        if bytes.len() > MAX_RELEASE_BYTES {
            return Err(ReleaseError::TooLarge { bytes: bytes.len() });
        }
        let release: Self =
            serde_json::from_slice(bytes).map_err(|e| ReleaseError::Syntax(quote(&e)))?;
        release.check()?;
        Ok(release)
    }

    /// The bytes to seal and store.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Plain values with string keys, and a time that `check` accepts: serialisation cannot fail.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    pub fn carries(&self, part: Part) -> bool {
        self.files.iter().any(|file| Part::of(&file.path) == Some(part))
    }

    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// # Errors
    /// What is wrong, by field.
    pub fn check(&self) -> Result<(), ReleaseError> {
        let problem = |field: &str, problem: &str| {
            Err(ReleaseError::Field { field: field.into(), problem: problem.into() })
        };
        if self.format != FORMAT {
            return problem("format", &format!("is {}, {FORMAT} is read", self.format));
        }
        if self.number == 0 || self.number > MAX_NUMBER {
            return problem("number", "must be 1 to 2^40");
        }
        if self.over >= self.number {
            return problem("over", "must be a number before the release's own");
        }
        if self.version.is_empty() {
            return problem("version", "is empty");
        }
        if let Some(wrong) = text_problem(&self.version) {
            return problem("version", wrong);
        }
        if !(2020..2200).contains(&self.created.year())
            || self.created.offset().seconds_past_minute() != 0
        {
            return problem("created", "is no time of the years 2020 to 2199");
        }
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !(1..=32).contains(&self.target.len()) || !self.target.bytes().all(plain) {
            return problem("target", "must be a processor such as x86_64 or aarch64");
        }
        self.check_files()
    }

    fn check_files(&self) -> Result<(), ReleaseError> {
        let problem = |index: usize, problem: &str| {
            let name = self.files.get(index).map_or("", |file| file.path.as_str());
            let shown: String = name.chars().take(MAX_PATH).flat_map(char::escape_debug).collect();
            let field = format!("files[{index}] \"{shown}\"");
            Err(ReleaseError::Field { field, problem: problem.into() })
        };
        if self.files.is_empty() || self.files.len() > MAX_FILES {
            let (field, problem) = ("files".into(), format!("must be 1 to {MAX_FILES}"));
            return Err(ReleaseError::Field { field, problem });
        }
        let mut total: u64 = 0;
        for (index, file) in self.files.iter().enumerate() {
            if !is_path(&file.path) {
                return problem(index, "is no path inside program/, models/ or settings/");
            }
            if let Some(before) = index.checked_sub(1).map(|before| &self.files[before].path) {
                if *before >= file.path {
                    return problem(index, "must come after the path before it, in byte order");
                }
                // Others may stand between a folder and what a file of its name would hide.
                let hides = |other: &File| {
                    file.path.strip_prefix(&other.path).is_some_and(|rest| rest.starts_with('/'))
                };
                if self.files[..index].iter().any(hides) {
                    return problem(index, "lies inside a file");
                }
            }
            if file.bytes == 0 || file.bytes > MAX_FILE_BYTES {
                return problem(index, "is empty or over 512 MiB");
            }
            total = total.saturating_add(file.bytes);
            match Part::of(&file.path) {
                Some(Part::Program) => {}
                _ if file.executable => return problem(index, "is executable outside program/"),
                Some(Part::Settings)
                    if !file.path.ends_with(".toml") || file.path.matches('/').count() > 1 =>
                {
                    return problem(index, "must be settings/NAME.toml");
                }
                _ => {}
            }
        }
        if total > MAX_BYTES {
            let problem = "are over 1 GiB together".into();
            return Err(ReleaseError::Field { field: "files".into(), problem });
        }
        let program = self.files.iter().any(|file| file.path == PROGRAM && file.executable);
        if self.carries(Part::Program) && !program {
            let problem = format!("carry a program without an executable {PROGRAM}");
            return Err(ReleaseError::Field { field: "files".into(), problem });
        }
        Ok(())
    }
}

/// Whether `path` leads to a file of a part and nowhere else.
pub fn is_path(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let name = |name: &str| !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain);
    path.len() <= MAX_PATH
        && path.split('/').count() <= MAX_DEPTH
        && path.split('/').all(name)
        && Part::of(path).is_some()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::seal::SigningKey;

    fn file(path: &str) -> File {
        let executable = path == PROGRAM;
        File { path: path.into(), bytes: 3, sha256: Digest::of(b"abc"), executable }
    }

    fn release() -> Release {
        Release {
            format: FORMAT,
            number: 12,
            version: "0.2.0".into(),
            created: datetime!(2026-11-29 10:00 +07:00),
            target: "x86_64".into(),
            over: 3,
            files: ["models/reader.json", "models/reader.onnx", PROGRAM, "settings/fleet.toml"]
                .map(file)
                .into(),
        }
    }

    fn wrong(change: impl FnOnce(&mut Release)) -> String {
        let mut release = release();
        change(&mut release);
        Release::parse(&release.to_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_release_reads_back_and_says_what_it_carries() {
        let first = release();
        let read = Release::parse(&first.to_bytes()).unwrap();
        assert_eq!(read, first);
        assert!(Part::ALL.into_iter().all(|part| read.carries(part)));
        let mut models = first;
        models.files.retain(|file| file.path.starts_with("models/"));
        let carried = Part::ALL.map(|part| models.carries(part));
        assert_eq!((models.check(), carried), (Ok(()), [false, true, false]));
    }

    #[test]
    fn no_path_leaves_its_folder() {
        for good in [PROGRAM, "models/a.onnx", "program/lib/x/libonnxruntime.so.1"] {
            assert!(is_path(good), "{good}");
        }
        let long = format!("models/{}", "a".repeat(MAX_PATH));
        for bad in [
            "",
            "/",
            "program",
            "program/",
            "/program/a",
            "program//a",
            "program/../a",
            "../a",
            "program/..",
            "program/.a",
            "program/a/b/c/d",
            "other/a",
            "release.json",
            "program/a b",
            "program/a\0",
            "program/ả",
            "program\\a",
            "models/a\n",
            &long,
        ] {
            assert!(!is_path(bad), "{bad:?}");
            let said = wrong(|it| it.files[0].path = bad.into());
            assert!(said.contains("is no path inside") && !said.contains('\n'), "{said}");
        }
    }

    #[test]
    fn what_no_release_can_be_is_named() {
        for (said, part) in [
            (wrong(|it| it.format = 2), "format is 2"),
            (wrong(|it| it.number = 0), "number must be"),
            (wrong(|it| it.over = 12), "over must be"),
            (wrong(|it| it.version.clear()), "version is empty"),
            (wrong(|it| it.version = "a\nb".into()), "version holds control"),
            (wrong(|it| it.created = OffsetDateTime::UNIX_EPOCH), "created is no time"),
            (wrong(|it| it.target = "X86-64".into()), "target must be"),
            (wrong(|it| it.files.clear()), "files must be 1 to 128"),
            (wrong(|it| it.files = vec![file("models/a"); 129]), "files must be 1 to 128"),
            (wrong(|it| it.files.swap(0, 1)), "must come after"),
            (wrong(|it| it.files[1] = it.files[0].clone()), "must come after"),
            (wrong(|it| it.files[0].bytes = 0), "is empty or over"),
            (wrong(|it| it.files[0].bytes = MAX_FILE_BYTES + 1), "is empty or over"),
            (wrong(|it| it.files[..3].iter_mut().for_each(|f| f.bytes = 400 << 20)), "over 1 GiB"),
            (wrong(|it| it.files[0].executable = true), "is executable outside"),
            (
                wrong(|it| it.files[2].executable = false),
                "without an executable program/edge-agent",
            ),
            (wrong(|it| it.files[3].path = "settings/a.json".into()), "must be settings/NAME.toml"),
            (
                wrong(|it| it.files = ["models/a", "models/a-b", "models/a/b"].map(file).into()),
                "\"models/a/b\" lies inside a file",
            ),
        ] {
            assert!(said.contains(part), "{said}: {part}");
        }
    }

    #[test]
    fn only_a_known_key_and_the_sealed_bytes_are_taken() {
        let [ours, older, foreign] = [1, 2, 3].map(|seed| SigningKey::from_seed(&[seed; 32]));
        let keys = [ours.verifying_key(), older.verifying_key()];
        let bytes = release().to_bytes();
        for key in [&ours, &older] {
            let seal = key.sign_detached(Purpose::Release, &bytes);
            assert_eq!(Release::open(&keys, &bytes, &format!("{seal}\n")), Ok(release()));
        }
        let open = |bytes: &[u8], seal: &str| Release::open(&keys, bytes, seal).unwrap_err();
        let seal = foreign.sign_detached(Purpose::Release, &bytes);
        assert!(matches!(open(&bytes, &seal), ReleaseError::Seal(SealError::Key { .. })));
        let seal = ours.sign_detached(Purpose::Manifest, &bytes);
        assert!(matches!(open(&bytes, &seal), ReleaseError::Seal(SealError::Purpose { .. })));
        let seal = ours.sign_detached(Purpose::Release, &bytes);
        let mut changed = bytes.clone();
        changed[20] ^= 1;
        assert!(matches!(open(&changed, &seal), ReleaseError::Seal(SealError::Payload { .. })));
        assert_eq!(Release::open(&[], &bytes, &seal), Err(ReleaseError::NoKey));
    }
}
