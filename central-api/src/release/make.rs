//! Makes a release of a folder, on the machine that keeps the release key.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use contract::Digest;
use contract::release::{self, FORMAT, Part, RELEASE_FILE, RELEASE_SEAL, Release};
use contract::seal::{Purpose, SigningKey, VerifyingKey};
use time::OffsetDateTime;

use super::Refusal;
use crate::device::keyfile;

/// Names of the key's two files.
const KEY: &str = "release.key";
const PUBLIC: &str = "release.pub";

/// What is said of a new release besides its files.
#[derive(Debug, Clone)]
pub struct NewRelease<'a> {
    pub number: u64,
    pub version: &'a str,
    pub over: u64,
    pub target: &'a str,
}

/// Makes a release key in `folder`, unless there is one already; gives its public half.
pub fn new_key(folder: &Path) -> Result<VerifyingKey, Refusal> {
    let path = folder.join(KEY);
    let text = keyfile::load_or_create(&path, true, || {
        let key = SigningKey::from_seed(&rand::random());
        key.to_pem().map_err(|error| keyfile::KeyFileError::content(&path, error))
    })?;
    let public = SigningKey::from_pem(&text)?.verifying_key();
    let pem = public.to_pem()?;
    keyfile::load_or_create(&folder.join(PUBLIC), false, || Ok(pem))?;
    Ok(public)
}

/// Describes what lies in the parts' folders below `folder`, and signs that beside them.
pub fn make(
    key: &Path,
    folder: &Path,
    now: OffsetDateTime,
    new: &NewRelease<'_>,
) -> Result<Release, Refusal> {
    let key = SigningKey::from_pem(&keyfile::load(key, true)?)?;
    let mut files = Vec::new();
    for part in Part::ALL {
        let inside = folder.join(part.folder());
        if inside.is_dir() {
            collect(&inside, part.folder(), part, &mut files)?;
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let release = Release {
        format: FORMAT,
        number: new.number,
        version: new.version.into(),
        created: now.replace_nanosecond(0).unwrap_or(now),
        target: new.target.into(),
        over: new.over,
        files,
    };
    release.check()?;
    let bytes = release.to_bytes();
    // What boxes would refuse is not signed.
    Release::parse(&bytes)?;
    let seal = key.sign_detached(Purpose::Release, &bytes);
    write_new(&folder.join(RELEASE_FILE), &bytes)?;
    write_new(&folder.join(RELEASE_SEAL), format!("{seal}\n").as_bytes())?;
    Ok(release)
}

fn collect(
    folder: &Path,
    name: &str,
    part: Part,
    files: &mut Vec<release::File>,
) -> Result<(), Refusal> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Refusal::Io { path, source }
    };
    for entry in fs::read_dir(folder).map_err(io(folder))? {
        let entry = entry.map_err(io(folder))?;
        let path = entry.path();
        let problem = |problem: &str| Refusal::File { path: path.clone(), problem: problem.into() };
        let kind = entry.file_type().map_err(io(&path))?;
        let inside = entry.file_name();
        let inside = inside.to_str().ok_or_else(|| problem("has a name that is no text"))?;
        let name = format!("{name}/{inside}");
        if kind.is_dir() {
            collect(&path, &name, part, files)?;
            continue;
        }
        if !kind.is_file() {
            return Err(problem("is no plain file: links and devices cannot be released"));
        }
        if !release::is_path(&name) {
            let rule =
                "has a name that no release may hold: A–Z a–z 0–9 . _ - without a dot in front";
            return Err(problem(rule));
        }
        if files.len() == release::MAX_FILES {
            return Err(problem("is one file more than a release may have"));
        }
        let file = File::open(&path).map_err(io(&path))?;
        let mode = file.metadata().map_err(io(&path))?.permissions().mode();
        let (bytes, sha256) = Digest::read(file).map_err(io(&path))?;
        let executable = part == Part::Program && mode & 0o111 != 0;
        files.push(release::File { path: name, bytes, sha256, executable });
    }
    Ok(())
}

/// Never over what was signed before.
fn write_new(path: &Path, content: &[u8]) -> Result<(), Refusal> {
    let written = File::create_new(path).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => Refusal::File {
            path: path.to_owned(),
            problem: "is there already: what was signed stays; make a folder for each release"
                .into(),
        },
        _ => Refusal::Io { path: path.to_owned(), source },
    })
}
