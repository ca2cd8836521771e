//! What programs take of this machine, by what the kernel counts (proc(5)).

use std::path::Path;

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
    megabytes(&format!("/proc/{id}/status"), "VmRSS:")
}

/// The same, what it shares with others counted in part: of several that share, the sum is right.
pub fn memory_shared(id: u32) -> Result<f64> {
    megabytes(&format!("/proc/{id}/smaps_rollup"), "Pss:")
}

fn megabytes(path: &str, name: &str) -> Result<f64> {
    let text = std::fs::read_to_string(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let line = line.with_context(|| format!("no {name} in {path}"))?;
    let kib = line.trim().trim_end_matches("kB").trim().parse::<f64>()?;
    Ok(kib * 1024.0 / 1e6)
}

pub fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.into(), |(_, name)| name.trim().to_owned())
}

/// Bytes that a process and all it ever waited for have handed to the disk.
pub fn written(id: u32) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/io"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes:"));
    Ok(line.context("no write_bytes")?.trim().parse()?)
}

pub fn threads(id: u32) -> Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{id}/task"))?.count())
}

/// Open files and connections of a process.
pub fn descriptors(id: u32) -> Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{id}/fd"))?.count())
}

/// Established TCP connections to a port of this machine.
pub fn connections(port: u16) -> Result<usize> {
    let text = std::fs::read_to_string("/proc/net/tcp")?;
    let local = format!(":{port:04X}");
    let is_ours = |line: &&str| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        // Local address, remote address, state; 01 is established.
        fields.next().is_some_and(|address| address.ends_with(&local))
            && fields.nth(1) == Some("01")
    };
    Ok(text.lines().filter(is_ours).count())
}

/// Processes that wait for a processor, mean of the last minute: ours and everybody's.
pub fn load() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    Ok(text.split_ascii_whitespace().next().context("no load")?.parse()?)
}

/// A process's children.
pub fn children(id: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
    text.unwrap_or_default().split_ascii_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// Bytes of everything under a folder; what vanishes meanwhile counts nothing.
pub fn weight(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let weigh = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(of) if of.is_dir() => weight(&entry.path()),
        Ok(of) => of.len(),
        Err(_) => 0,
    };
    entries.flatten().map(weigh).sum()
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
        let (all, share) = (memory(id).unwrap(), memory_shared(id).unwrap());
        assert!((1.0..100_000.0).contains(&all) && (0.5..=all + 1.0).contains(&share));
        assert!(!processor().is_empty());
        let before = threads(id).unwrap();
        let (held, waits) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || waits.recv());
        assert!(threads(id).unwrap() > before);
        drop(held);
        let _: Result<(), _> = thread.join().unwrap();
    }

    #[test]
    fn a_connection_and_a_file_are_counted() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(connections(port).unwrap(), 0);
        let _one = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let _other = listener.accept().unwrap();
        assert_eq!(connections(port).unwrap(), 1);
        assert!(descriptors(std::process::id()).unwrap() >= 3);
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        std::fs::write(folder.path().join("in/file"), [0; 700]).unwrap();
        assert_eq!(weight(folder.path()), 700);
    }
}
