//! The folder in which updates are kept, and the few files by which launcher and agent speak. Each
//! has one writer, is replaced as a whole, and is synced before anybody can see it.
//!
//! | file | written by | what |
//! |---|---|---|
//! | `standing.json` | launcher | which release is proven, which is on trial, which was undone |
//! | `releases/NUMBER/` | agent, by a rename once it is whole | a release, with its description and seal |
//! | `incoming/` | agent | what is being fetched |
//! | `refused.json` | agent | the last release that did not pass its check here |
//! | `wanted.json` | agent | the release to try next |
//! | `waiting` | agent | why the one on trial is not confirmed yet |
//! | `confirmed` | agent | the number of the one on trial: the box is well with it |

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use contract::release::{RELEASE_FILE, RELEASE_SEAL, Release};
use contract::seal::VerifyingKey;
use contract::{Digest, release};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::UpdateError;
use crate::spool::disk;

const STANDING: &str = "standing.json";
const REFUSED: &str = "refused.json";
const WANTED: &str = "wanted.json";
const WAITING: &str = "waiting";
const CONFIRMED: &str = "confirmed";
/// More than any of these files has. The launcher's holds what it took from the agent's.
const MAX_BYTES: u64 = 64 * 1024;
const MAX_STANDING_BYTES: u64 = 4 * MAX_BYTES;
/// Characters of a reason that are kept.
const MAX_REASON: usize = 1000;

/// Which releases the box has. Number 0 is what was installed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Runs, unless another is on trial.
    pub proven: u64,
    /// Proven before that one, and kept.
    pub previous: u64,
    pub trial: Option<Trial>,
    /// No release up to this number is taken any more.
    pub highest: u64,
    pub undone: Option<Undone>,
}

/// A release that has to show that the box is well with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    pub number: u64,
    /// Cameras that worked before.
    pub cameras: Vec<String>,
    /// How often it was started.
    pub starts: u32,
    /// How it ended last.
    pub ended: Option<String>,
}

/// A release that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    pub number: u64,
    pub reason: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

impl Undone {
    pub(super) fn new(number: u64, reason: &str, at: OffsetDateTime) -> Self {
        Self { number, reason: reason.chars().take(MAX_REASON).collect(), at }
    }
}

/// What the agent asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    pub number: u64,
    /// Cameras that work now.
    pub cameras: Vec<String>,
}

impl Standing {
    pub fn running(&self) -> u64 {
        self.trial.as_ref().map_or(self.proven, |trial| trial.number)
    }
}

/// A handle on the folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Opens it, made if absent.
    pub fn open(root: &Path) -> Result<Self, UpdateError> {
        // A child of another folder must find it, too.
        let absolute = std::path::absolute(root);
        let failed = |e: io::Error| UpdateError::File { path: root.into(), problem: e.to_string() };
        let folder = Self { root: absolute.map_err(failed)? };
        disk::create_dir_all(&folder.releases())?;
        disk::create_dir_all(&folder.incoming())?;
        Ok(folder)
    }

    /// One that is there already, to look at.
    pub fn existing(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub fn releases(&self) -> PathBuf {
        self.root.join("releases")
    }

    pub fn release(&self, number: u64) -> PathBuf {
        self.releases().join(number.to_string())
    }

    pub fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    /// Takes the lock that one launcher has.
    pub fn lock(&self) -> Result<fs::File, UpdateError> {
        Ok(disk::lock(&self.root)?)
    }

    pub fn standing(&self) -> Result<Standing, UpdateError> {
        Ok(self.read_json(STANDING)?.unwrap_or_default())
    }

    pub(super) fn stand(&self, standing: &Standing) -> Result<(), UpdateError> {
        self.write_json(STANDING, standing)
    }

    pub fn refused(&self) -> Result<Option<Undone>, UpdateError> {
        self.read_json(REFUSED)
    }

    pub(super) fn refuse(&self, refused: &Undone) -> Result<(), UpdateError> {
        self.write_json(REFUSED, refused)
    }

    pub fn wanted(&self) -> Result<Option<Wanted>, UpdateError> {
        self.read_json(WANTED)
    }

    pub fn want(&self, wanted: &Wanted) -> Result<(), UpdateError> {
        self.write_json(WANTED, wanted)
    }

    pub(super) fn forget_wanted(&self) -> Result<(), UpdateError> {
        self.remove(WANTED)
    }

    /// Number of the release that said it is well.
    pub fn confirmed(&self) -> Result<Option<u64>, UpdateError> {
        Ok(self.read(CONFIRMED)?.and_then(|text| String::from_utf8(text).ok()?.trim().parse().ok()))
    }

    pub fn confirm(&self, number: u64) -> Result<(), UpdateError> {
        self.write(CONFIRMED, format!("{number}\n").as_bytes())
    }

    /// Why the release on trial is not confirmed yet, in its own words.
    pub fn waiting(&self) -> Option<String> {
        let text = String::from_utf8(self.read(WAITING).ok()??).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    pub(super) fn wait_for(&self, what: &str) -> Result<(), UpdateError> {
        self.write(WAITING, what.as_bytes())
    }

    /// What an earlier trial said is no word of the next.
    pub(super) fn forget_trial(&self) -> Result<(), UpdateError> {
        self.remove(CONFIRMED)?;
        self.remove(WAITING)
    }

    /// The release that lies under `number`, if it is whole and sealed by one of `keys`.
    pub fn verified(&self, number: u64, keys: &[VerifyingKey]) -> Result<Release, UpdateError> {
        let folder = self.release(number);
        let release = described(&folder, keys)?;
        let problem = |path: PathBuf, problem: String| UpdateError::File { path, problem };
        if release.number != number {
            let said = format!("is release {}", release.number);
            return Err(problem(folder, said));
        }
        for file in &release.files {
            let path = folder.join(&file.path);
            if !holds(&path, file).map_err(|e| problem(path.clone(), e.to_string()))? {
                return Err(problem(path, "is not the file that was signed".into()));
            }
        }
        Ok(release)
    }

    /// Numbers of the releases that lie here.
    pub fn numbers(&self) -> Result<Vec<u64>, UpdateError> {
        let folders = disk::folders(&self.releases())?;
        Ok(folders.iter().filter_map(|name| name.parse().ok()).collect())
    }

    pub(super) fn remove_release(&self, number: u64) -> Result<(), UpdateError> {
        Ok(disk::remove_dir_all_if_there(&self.release(number))?)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, UpdateError> {
        let path = self.root.join(name);
        let most = if name == STANDING { MAX_STANDING_BYTES } else { MAX_BYTES };
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Ok(meta) if meta.len() > most => {
                Err(UpdateError::File { path, problem: "is too long".into() })
            }
            _ => Ok(Some(disk::read(&path)?)),
        }
    }

    fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, UpdateError> {
        let Some(text) = self.read(name)? else { return Ok(None) };
        let problem = |error: serde_json::Error| UpdateError::File {
            path: self.root.join(name),
            problem: format!("does not read ({error}): stop the service and remove the folder"),
        };
        serde_json::from_slice(&text).map(Some).map_err(problem)
    }

    fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), UpdateError> {
        // Plain values with string keys: serialisation cannot fail.
        self.write(name, &serde_json::to_vec_pretty(value).unwrap_or_default())
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), UpdateError> {
        let draft = self.root.join(format!("{name}.new"));
        disk::write_synced(&draft, content)?;
        disk::rename(&draft, &self.root.join(name))?;
        Ok(disk::sync_dir(&self.root)?)
    }

    fn remove(&self, name: &str) -> Result<(), UpdateError> {
        disk::remove_file_if_there(&self.root.join(name))?;
        Ok(disk::sync_dir(&self.root)?)
    }
}

/// The description in `folder`, if one of `keys` sealed it.
pub(super) fn described(folder: &Path, keys: &[VerifyingKey]) -> Result<Release, UpdateError> {
    let read = |name: &str| {
        let path = folder.join(name);
        let long = fs::metadata(&path).is_ok_and(|it| it.len() > release::MAX_RELEASE_BYTES as u64);
        if long {
            return Err(UpdateError::File { path, problem: "is too long".into() });
        }
        Ok(disk::read(&path)?)
    };
    let seal = String::from_utf8_lossy(&read(RELEASE_SEAL)?).into_owned();
    Ok(Release::open(keys, &read(RELEASE_FILE)?, &seal)?)
}

/// Whether the file at `path` is `file`.
pub(super) fn holds(path: &Path, file: &release::File) -> io::Result<bool> {
    let content = match fs::File::open(path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let whole = content.metadata()?.len() == file.bytes;
    Ok(whole && Digest::read(content)?.1 == file.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_and_what_was_torn_is_named() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path()).unwrap();
        assert_eq!(folder.standing().unwrap(), Standing::default());
        assert_eq!((folder.wanted().unwrap(), folder.confirmed().unwrap()), (None, None));
        let trial = Trial { number: 7, cameras: vec!["a".into()], starts: 1, ended: None };
        let standing = Standing { proven: 3, trial: Some(trial), ..Standing::default() };
        folder.stand(&standing).unwrap();
        folder.confirm(7).unwrap();
        assert_eq!(folder.standing().unwrap(), standing);
        assert_eq!((standing.running(), folder.confirmed().unwrap()), (7, Some(7)));
        folder.forget_trial().unwrap();
        assert_eq!((folder.confirmed().unwrap(), folder.waiting()), (None, None));
        fs::write(root.path().join(STANDING), b"{\"proven\":").unwrap();
        let said = folder.standing().unwrap_err().to_string();
        assert!(said.contains("standing.json: does not read"), "{said}");
    }
}
