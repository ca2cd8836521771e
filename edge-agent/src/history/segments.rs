//! The folder: a file an hour, named by when it began, oldest deleted first when they are too old or
//! too many.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// UTC, so that names sort by time.
const NAME: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]Z.log");
/// Who drove where concerns this user only.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub age: Duration,
    pub bytes: u64,
    /// Free space that others need of the volume.
    pub min_free_bytes: u64,
}

/// One file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub path: PathBuf,
    pub name: String,
    pub bytes: u64,
}

/// The name of the segment of this hour.
pub fn name(at: OffsetDateTime) -> String {
    // Plain numbers of a date: formatting them cannot fail.
    at.to_offset(time::UtcOffset::UTC).format(NAME).unwrap_or_default()
}

fn is_name(name: &str) -> bool {
    name.len() == "2026-11-28T01Z.log".len()
        && name.ends_with("Z.log")
        && name.bytes().take(4).all(|digit| digit.is_ascii_digit())
}

/// The segments in `dir`, oldest first.
pub fn list(dir: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let meta = match entry.metadata() {
            Ok(meta) => meta,
            // Deleted for its age meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if is_name(&name) && meta.is_file() {
            segments.push(Segment { path: entry.path(), name, bytes: meta.len() });
        }
    }
    segments.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(segments)
}

/// Opens the segment `name` to write on, with whether it is new. Where its last line was torn, the
/// next begins a line of its own.
pub fn open(dir: &Path, name: &str) -> io::Result<(File, bool)> {
    fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(dir)?;
    let path = dir.join(name);
    let new = !path.exists();
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).mode(FILE_MODE).open(&path)?;
    if new {
        // The name itself must outlast a power cut, too.
        File::open(dir)?.sync_all()?;
    } else if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != [b'\n'] {
            file.write_all(b"\n")?;
        }
    }
    Ok((file, new))
}

/// Deletes what is too old or too much, oldest first and never `current`; says what is left.
pub fn prune(dir: &Path, quota: &Quota, now: OffsetDateTime, current: &str) -> io::Result<Left> {
    let segments = list(dir)?;
    let oldest = now.checked_sub(quota.age.try_into().unwrap_or(time::Duration::MAX));
    let oldest = oldest.map(name).unwrap_or_default();
    let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let mut free = free_bytes(dir)?;
    let mut deleted = 0;
    for segment in &segments {
        let needed = segment.name < oldest || bytes > quota.bytes || free < quota.min_free_bytes;
        if segment.name.as_str() == current {
            continue;
        }
        if !needed {
            break;
        }
        fs::remove_file(&segment.path)?;
        deleted += 1;
        bytes -= segment.bytes;
        free = free_bytes(dir)?;
    }
    Ok(Left { segments: segments.len() - deleted, bytes, free })
}

/// What a pruned folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub segments: usize,
    pub bytes: u64,
    /// On the volume.
    pub free: u64,
}

fn free_bytes(dir: &Path) -> io::Result<u64> {
    crate::spool::free_bytes(dir).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-28 08:15:30 +07:00);

    fn folder(hours: &[i64], bytes: usize) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for hour in hours {
            let at = NOW - time::Duration::hours(*hour);
            fs::write(dir.path().join(name(at)), vec![b'\n'; bytes]).unwrap();
        }
        fs::write(dir.path().join("notes.txt"), "somebody else's").unwrap();
        dir
    }

    fn names(dir: &Path) -> Vec<String> {
        list(dir).unwrap().into_iter().map(|segment| segment.name).collect()
    }

    #[test]
    fn the_oldest_goes_first_and_the_current_stays() {
        let quota = |hours: u64, bytes| Quota {
            age: Duration::from_secs(3600 * hours),
            bytes,
            min_free_bytes: 0,
        };
        let current = name(NOW);
        assert_eq!(current, "2026-11-28T01Z.log");
        let dir = folder(&[0, 1, 2, 30, 49], 100);
        let left = prune(dir.path(), &quota(48, 1000), NOW, &current).unwrap();
        assert_eq!((left.segments, left.bytes), (4, 400), "one was too old");
        prune(dir.path(), &quota(48, 250), NOW, &current).unwrap();
        assert_eq!(names(dir.path()), ["2026-11-28T00Z.log", "2026-11-28T01Z.log"]);
        // Even one byte of room keeps what is being written.
        prune(dir.path(), &quota(48, 1), NOW, &current).unwrap();
        assert_eq!(names(dir.path()), [current.as_str()]);
        let full = Quota { min_free_bytes: u64::MAX, ..quota(48, 1000) };
        let dir = folder(&[0, 1, 2], 100);
        prune(dir.path(), &full, NOW, &current).unwrap();
        assert_eq!(names(dir.path()), [current.as_str()], "evidence needs the room");
        assert!(dir.path().join("notes.txt").exists());
    }

    #[test]
    fn what_was_torn_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let name = name(NOW);
        let (mut file, new) = open(dir.path(), &name).unwrap();
        assert!(new);
        file.write_all(b"torn").unwrap();
        let (mut file, new) = open(dir.path(), &name).unwrap();
        assert!(!new);
        file.write_all(b"whole\n").unwrap();
        drop(open(dir.path(), &name).unwrap());
        assert_eq!(fs::read(dir.path().join(&name)).unwrap(), b"torn\nwhole\n");
    }
}
