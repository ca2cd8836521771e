//! How the box itself is, as Linux tells it: heat and throttling, memory, load, and whether disks
//! have room and may be written.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::StatVfsMountFlags;
use serde::Serialize;

/// A snapshot; what this system does not tell is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Machine {
    /// The hottest of the processor's places.
    pub celsius: Option<f64>,
    /// The processor is slowed down for its heat.
    pub throttled: Option<bool>,
    pub memory_bytes: Option<u64>,
    pub memory_free_bytes: Option<u64>,
    /// Tasks that want a core, over the last minute.
    pub load: Option<f64>,
    pub cores: usize,
}

impl Machine {
    /// Reads `/proc` and `/sys` below `root`.
    pub fn read(root: &Path) -> Self {
        let memory = |key: &str| {
            let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
            line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
        };
        let load = fs::read_to_string(root.join("proc/loadavg")).ok();
        Self {
            celsius: celsius(&root.join("sys/class/thermal")),
            throttled: throttled(&root.join("sys/class/thermal")),
            memory_bytes: memory("MemTotal"),
            memory_free_bytes: memory("MemAvailable"),
            load: load.and_then(|text| text.split_whitespace().next()?.parse().ok()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// Entries of `dir` whose names begin with `prefix`.
fn entries(dir: &Path, prefix: &str) -> Vec<PathBuf> {
    let named = fs::read_dir(dir).into_iter().flatten().flatten();
    let wanted = named.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    wanted.map(|entry| entry.path()).collect()
}

fn number(path: &Path) -> Option<f64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn celsius(thermal: &Path) -> Option<f64> {
    let zones = entries(thermal, "thermal_zone");
    let told = zones.iter().filter_map(|zone| number(&zone.join("temp")));
    // Thousandths; sensors that are not there tell nonsense.
    let sane = told.map(|thousandths| thousandths / 1000.0).filter(|c| (-40.0..150.0).contains(c));
    sane.max_by(f64::total_cmp)
}

/// Whether anything that slows the processor down for heat is at work; none where nothing is known.
fn throttled(thermal: &Path) -> Option<bool> {
    let slows = |device: &PathBuf| {
        let kind = fs::read_to_string(device.join("type")).unwrap_or_default().to_lowercase();
        kind.contains("cpu") || kind.contains("processor")
    };
    let devices = entries(thermal, "cooling_device");
    let states: Vec<f64> = devices
        .iter()
        .filter(|device| slows(device))
        .filter_map(|device| number(&device.join("cur_state")))
        .collect();
    (!states.is_empty()).then(|| states.iter().any(|state| *state > 0.0))
}

/// The volume of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disk {
    /// What is kept there.
    pub holds: &'static str,
    pub dir: PathBuf,
    pub free_bytes: Option<u64>,
    pub total_bytes: Option<u64>,
    pub read_only: bool,
}

impl Disk {
    /// Of the folder, or of the nearest above it that exists.
    pub fn of(holds: &'static str, dir: &Path) -> Self {
        let there = dir.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
        let told = rustix::fs::statvfs(there).ok();
        let bytes = |blocks: u64| told.as_ref().map(|told| blocks.saturating_mul(told.f_frsize));
        Self {
            holds,
            dir: dir.into(),
            free_bytes: told.as_ref().and_then(|told| bytes(told.f_bavail)),
            total_bytes: told.as_ref().and_then(|told| bytes(told.f_blocks)),
            read_only: told
                .as_ref()
                .is_some_and(|told| told.f_flag.contains(StatVfsMountFlags::RDONLY)),
        }
    }
}

/// Whether a file can be written, synced and removed in `dir`.
pub fn writes(dir: &Path) -> std::io::Result<()> {
    let path = dir.join(format!(".doctor-{}", std::process::id()));
    let written = fs::write(&path, [0; 4096]).and_then(|()| fs::File::open(&path)?.sync_all());
    let removed = fs::remove_file(&path);
    written.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn what_linux_tells_is_read() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        assert_eq!(Machine { cores: 0, ..Machine::read(root) }, Machine::default());
        file(root, "proc/meminfo", "MemTotal:  8000 kB\nMemFree: 1 kB\nMemAvailable:   2000 kB\n");
        file(root, "proc/loadavg", "3.25 2.00 1.00 2/300 4711\n");
        file(root, "sys/class/thermal/thermal_zone0/temp", "54000\n");
        file(root, "sys/class/thermal/thermal_zone1/temp", "81500\n");
        file(root, "sys/class/thermal/thermal_zone2/temp", "-274000\n");
        file(root, "sys/class/thermal/cooling_device0/type", "thermal-cpufreq-0\n");
        file(root, "sys/class/thermal/cooling_device0/cur_state", "0\n");
        file(root, "sys/class/thermal/cooling_device1/type", "pwm-fan\n");
        file(root, "sys/class/thermal/cooling_device1/cur_state", "3\n");
        let read = Machine::read(root);
        assert_eq!(
            (read.celsius, read.throttled),
            (Some(81.5), Some(false)),
            "a fan is no throttle"
        );
        assert_eq!(read.memory_bytes.zip(read.memory_free_bytes), Some((8_192_000, 2_048_000)));
        assert_eq!(read.load, Some(3.25));
        file(root, "sys/class/thermal/cooling_device0/cur_state", "2\n");
        assert_eq!(Machine::read(root).throttled, Some(true));
    }

    #[test]
    fn a_disk_is_told_of_a_folder_that_is_not_there_yet() {
        let root = tempfile::tempdir().unwrap();
        let disk = Disk::of("spool", &root.path().join("a/b"));
        assert!(disk.free_bytes.is_some_and(|free| free > 0) && !disk.read_only);
        assert!(disk.total_bytes >= disk.free_bytes);
        writes(root.path()).unwrap();
        assert!(fs::read_dir(root.path()).unwrap().next().is_none(), "nothing is left");
        assert!(writes(&root.path().join("none")).is_err());
    }
}
