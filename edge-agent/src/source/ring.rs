//! The last seconds of the encoded stream, bounded in time and bytes. Whole groups of pictures
//! leave at the old end, so what is kept can always be decoded from its first unit.

use std::collections::VecDeque;

use crate::accusation::{AccessUnit, Clip};
use crate::see::Nanos;

/// Encoded units of one stream.
#[derive(Debug)]
pub struct Ring {
    units: VecDeque<AccessUnit>,
    caps: String,
    bytes: usize,
    keep: Nanos,
    keep_bytes: usize,
}

impl Ring {
    pub const fn new(keep: Nanos, keep_bytes: usize) -> Self {
        Self { units: VecDeque::new(), caps: String::new(), bytes: 0, keep, keep_bytes }
    }

    /// A new form of the stream: what came before does not go into one clip with what follows.
    pub fn restart(&mut self, caps: String) {
        self.units.clear();
        self.bytes = 0;
        self.caps = caps;
    }

    pub fn caps(&self) -> &str {
        &self.caps
    }

    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends a unit; units before the first key picture are useless and not kept.
    pub fn push(&mut self, unit: AccessUnit) {
        if self.units.is_empty() && !unit.key {
            return;
        }
        self.bytes += unit.data.len();
        let newest = unit.pts_ns;
        self.units.push_back(unit);
        // The oldest group goes when the rest still covers the time, or when bytes run out.
        while let Some(second) = self.units.iter().skip(1).position(|unit| unit.key) {
            let next_start = self.units[second + 1].pts_ns;
            let covered = newest.saturating_sub(next_start) >= self.keep;
            if !covered && self.bytes <= self.keep_bytes {
                break;
            }
            for unit in self.units.drain(..=second) {
                self.bytes -= unit.data.len();
            }
        }
        // One endless group must not grow without bound either.
        if self.bytes > 2 * self.keep_bytes {
            self.units.clear();
            self.bytes = 0;
        }
    }

    /// The units that show the time from `from` to `to`, beginning at a key picture; none where
    /// nothing of it is kept any more.
    pub fn clip(&self, from: Nanos, to: Nanos) -> Option<Clip> {
        let key = |unit: &AccessUnit| unit.key;
        let start = self
            .units
            .iter()
            .rposition(|unit| unit.key && unit.pts_ns <= from)
            .or_else(|| self.units.iter().position(key))?;
        let units: Vec<AccessUnit> = self
            .units
            .iter()
            .skip(start)
            // Units stand in decoding order; one past the end ends only with its group's order.
            .take_while(|unit| unit.dts_ns.unwrap_or(unit.pts_ns) <= to)
            .cloned()
            .collect();
        (units.len() > 1).then(|| Clip { caps: self.caps.clone(), units })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use time::OffsetDateTime;

    use super::*;

    const MS: Nanos = 1_000_000;

    fn unit(i: u64, key: bool) -> AccessUnit {
        AccessUnit {
            pts_ns: i * 40 * MS,
            dts_ns: None,
            key,
            data: Bytes::from(vec![0; 1000]),
            captured_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    fn filled(seconds: u64, bytes: usize, units: u64, group: u64) -> Ring {
        let mut ring = Ring::new(seconds * 1000 * MS, bytes);
        for i in 0..units {
            ring.push(unit(i, i % group == 0));
        }
        ring
    }

    #[test]
    fn old_groups_leave_and_the_time_stays_covered() {
        let ring = filled(4, usize::MAX / 4, 1000, 25);
        assert!(ring.units[0].key);
        let span = ring.units.back().unwrap().pts_ns - ring.units[0].pts_ns;
        assert!((4000 * MS..5100 * MS).contains(&span), "{span}");
        assert_eq!(ring.bytes(), ring.units.len() * 1000);
    }

    #[test]
    fn bytes_bound_it_too() {
        assert!(filled(60, 40_000, 1000, 25).bytes() <= 40_000);
        assert!(filled(60, 40_000, 1000, 5000).bytes() <= 80_000, "one endless group");
    }

    #[test]
    fn a_clip_starts_at_the_key_before_and_ends_in_time() {
        let ring = filled(10, usize::MAX / 4, 200, 25);
        let clip = ring.clip(2900 * MS, 5000 * MS).unwrap();
        assert!(clip.units[0].key);
        assert_eq!(clip.units[0].pts_ns, 2000 * MS);
        assert_eq!(clip.units.last().unwrap().pts_ns, 5000 * MS);
    }

    #[test]
    fn nothing_is_kept_before_the_first_key() {
        let mut ring = Ring::new(1000 * MS, 1 << 20);
        ring.push(unit(0, false));
        assert!(ring.clip(0, 1000 * MS).is_none());
        ring.push(unit(1, true));
        ring.push(unit(2, false));
        assert_eq!(ring.clip(0, 1000 * MS).unwrap().units.len(), 2);
        ring.restart("video/x-h265".into());
        assert!(ring.clip(0, 1000 * MS).is_none());
    }
}
