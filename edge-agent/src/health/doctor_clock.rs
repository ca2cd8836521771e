//! Whether the box's own clock is synchronised: what arrival times, certificates and file dates
//! rest on.

use time::OffsetDateTime;

use super::doctor::{Finding, Verdict};
use crate::clock;

pub fn check() -> Finding {
    if clock::synchronised(OffsetDateTime::now_utc()) {
        Finding::new("clock", Verdict::Good, "synchronised, says the kernel")
    } else {
        Finding::new(
            "clock",
            Verdict::Warn,
            "not synchronised, says the kernel: set up systemd-timesyncd or chrony; until then only \
             cameras whose own time agrees with it accuse anybody",
        )
    }
}
