//! Whether the box's own clock is synchronised: what arrival times, certificates and file dates
//! rest on.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use super::doctor::{Finding, Verdict};

/// systemd-timesyncd touches this file at each synchronisation.
const TIMESYNC: &str = "/run/systemd/timesync/synchronized";
/// timesyncd polls every 34 minutes at most.
const STALE: Duration = Duration::from_secs(2 * 3600);

pub fn check() -> Finding {
    if let Some(age) = touched(Path::new(TIMESYNC)) {
        return if age < STALE {
            Finding::new("clock", Verdict::Good, format!("synchronised {} s ago", age.as_secs()))
        } else {
            let hours = age.as_secs() / 3600;
            Finding::new(
                "clock",
                Verdict::Warn,
                format!("last synchronised {hours} h ago; check the NTP servers"),
            )
        };
    }
    // Other daemons (chrony, ntpd) tell the kernel, and this tells what the kernel was told.
    let told = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    match told.as_deref() {
        Some("yes") => Finding::new("clock", Verdict::Good, "synchronised by NTP"),
        Some("no") => Finding::new(
            "clock",
            Verdict::Bad,
            "not synchronised; set up systemd-timesyncd or chrony, or use cameras with RTCP time",
        ),
        _ => Finding::new(
            "clock",
            Verdict::Warn,
            "cannot tell whether it is synchronised: neither systemd-timesyncd nor timedatectl \
             answers here",
        ),
    }
}

fn touched(path: &Path) -> Option<Duration> {
    let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    SystemTime::now().duration_since(modified).ok()
}
