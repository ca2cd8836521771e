//! What a running process takes of the machine, as the kernel tells it (proc(5)).

use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// Processor time that a process has taken, seconds (proc_pid_stat(5), fields 14 and 15).
pub fn cpu(id: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The program's name may hold blanks; it ends with the last bracket.
    let fields = text.rsplit_once(')').context("no /proc/PID/stat")?.1;
    let times = fields.split_ascii_whitespace().skip(11).take(2);
    let ticks: u64 = times.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Resident memory, MB.
pub fn memory(id: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib = line.trim().trim_end_matches("kB").trim().parse::<f64>()?;
    Ok(kib * 1024.0 / 1e6)
}

pub fn threads(id: u32) -> Result<usize> {
    entries(format!("/proc/{id}/task").into())
}

/// Files, sockets and pipes that are open.
pub fn descriptors(id: u32) -> Result<usize> {
    entries(format!("/proc/{id}/fd").into())
}

fn entries(folder: PathBuf) -> Result<usize> {
    Ok(std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?.count())
}

/// Tasks that run or want to, of the last minute, of the whole machine.
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_ascii_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or_default()
}

/// The machine's processor, by name.
pub fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.into(), |(_, name)| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_process_knows_what_it_takes() {
        let id = std::process::id();
        let before = cpu(id).unwrap();
        let until = Instant::now() + Duration::from_millis(60);
        while Instant::now() < until {}
        assert!(cpu(id).unwrap() >= before);
        assert!((1.0..100_000.0).contains(&memory(id).unwrap()));
        assert!(!processor().is_empty());
        let (threads_before, open) = (threads(id).unwrap(), descriptors(id).unwrap());
        let (file, (held, waits)) = (std::fs::File::open("/dev/null"), std::sync::mpsc::channel());
        let thread = std::thread::spawn(move || waits.recv());
        assert!(descriptors(id).unwrap() > open && threads(id).unwrap() > threads_before);
        drop((file, held));
        let _: Result<(), _> = thread.join().unwrap();
    }
}
