//! The few file operations the spool is made of, each durable when it returns.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use contract::chain::Head;

use super::SpoolError;

/// Folder of what is being written or deleted.
pub const TMP: &str = "tmp";
/// File with the end of the device's chain.
pub const HEAD: &str = "head.json";
const LOCK: &str = "lock";

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SpoolError {
    let path = PathBuf::from(path);
    move |source| SpoolError::Io { action, path, source }
}

/// Takes the lock on the spool; the file's life is the lock's.
pub fn lock(root: &Path) -> Result<File, SpoolError> {
    let path = root.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(FILE_MODE)
        .open(&path)
        .map_err(io_error("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SpoolError::Locked { path: root.into() }),
        Err(TryLockError::Error(source)) => Err(io_error("lock", &path)(source)),
    }
}

/// Pictures of people: what the spool makes is for this user only.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

pub fn create_dir(path: &Path) -> Result<(), SpoolError> {
    DirBuilder::new().mode(FOLDER_MODE).create(path).map_err(io_error("create", path))
}

pub fn create_dir_all(path: &Path) -> Result<(), SpoolError> {
    let made = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path);
    made.map_err(io_error("create", path))
}

/// Closes a folder to everybody else where an earlier version or a hand left it open.
pub fn close_to_others(path: &Path) -> Result<(), SpoolError> {
    let mode = fs::metadata(path).map_err(io_error("inspect", path))?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let closed = fs::Permissions::from_mode(mode & FOLDER_MODE);
    fs::set_permissions(path, closed).map_err(io_error("close to others", path))
}

/// Writes `content` to `path`, replacing what is there, and fsyncs it.
pub fn write_synced(path: &Path, content: &[u8]) -> Result<(), SpoolError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(path)
        .map_err(io_error("create", path))?;
    file.write_all(content).map_err(io_error("write", path))?;
    file.sync_all().map_err(io_error("fsync", path))
}

/// Makes creations, renames and deletions inside `dir` durable.
pub fn sync_dir(dir: &Path) -> Result<(), SpoolError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(io_error("fsync", dir))
}

pub fn rename(from: &Path, to: &Path) -> Result<(), SpoolError> {
    fs::rename(from, to).map_err(io_error("rename", from))
}

pub fn read(path: &Path) -> Result<Vec<u8>, SpoolError> {
    fs::read(path).map_err(io_error("read", path))
}

pub fn remove_file_if_there(path: &Path) -> Result<(), SpoolError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error("remove", path)(error))
        }
        _ => Ok(()),
    }
}

pub fn remove_dir_all_if_there(path: &Path) -> Result<(), SpoolError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Names of the folders in `dir`, sorted.
pub fn folders(dir: &Path) -> Result<Vec<String>, SpoolError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(io_error("list", dir))? {
        let entry = entry.map_err(io_error("list", dir))?;
        if entry.file_type().map_err(io_error("inspect", dir))?.is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Bytes of the files directly inside `dir`.
pub fn folder_bytes(dir: &Path) -> Result<u64, SpoolError> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir).map_err(io_error("list", dir))? {
        let metadata = entry.and_then(|entry| entry.metadata()).map_err(io_error("list", dir))?;
        bytes += metadata.len();
    }
    Ok(bytes)
}

/// Empties `tmp/`: whatever is there was never reported or is already delivered.
pub fn empty_tmp(root: &Path) -> Result<usize, SpoolError> {
    let tmp = root.join(TMP);
    let mut removed = 0;
    for entry in fs::read_dir(&tmp).map_err(io_error("list", &tmp))? {
        let entry = entry.map_err(io_error("list", &tmp))?;
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_dir_all_if_there(&path)?;
        } else {
            remove_file_if_there(&path)?;
        }
        removed += 1;
    }
    Ok(removed)
}

/// Replaces `head.json` in one step.
pub fn write_head(root: &Path, head: Head) -> Result<(), SpoolError> {
    // A number and a digest: serialisation cannot fail.
    let text = serde_json::to_vec(&head).unwrap_or_default();
    let staged = root.join(TMP).join(HEAD);
    write_synced(&staged, &text)?;
    rename(&staged, &root.join(HEAD))?;
    sync_dir(root)
}

/// Reads `head.json`; `Ok(None)` where there is none, `Err` with words where it does not read.
pub fn read_head(root: &Path) -> Result<Option<Head>, String> {
    match fs::read(root.join(HEAD)) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| format!("{HEAD} does not read ({error})")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{HEAD} does not read ({error})")),
    }
}

/// Free bytes for unprivileged users on the volume of `path`.
pub fn free_bytes(path: &Path) -> Result<u64, SpoolError> {
    let stat = rustix::fs::statvfs(path).map_err(|e| io_error("statvfs", path)(e.into()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}
