//! The last seconds of the encoded stream, bounded in time and bytes. Pictures leave at the old end
//! in groups, each from one place where decoding may begin to the next, so what is kept can always
//! be decoded from its first unit.

use std::collections::VecDeque;

use bytes::Bytes;
use time::OffsetDateTime;

use super::cut::{self, Group};
use super::decoder::Codec;
use super::nal;
use crate::accusation::{AccessUnit, Clip, Span};
use crate::boxes::Turn;
use crate::see::{Nanos, seconds};

/// Encoded units of one stream.
#[derive(Debug)]
pub struct Ring {
    units: VecDeque<Kept>,
    caps: String,
    codec: Codec,
    /// Parameter sets in force, each behind a start code.
    sets: Vec<Vec<u8>>,
    bytes: usize,
    /// Bytes since the last place where decoding may begin.
    group_bytes: usize,
    keep: Nanos,
    /// Nothing before this is asked for any more; all is where nobody says.
    needed: Option<Nanos>,
    keep_bytes: usize,
}

/// Kept in any case: who is followed next may have come into the picture then.
const LATELY: Nanos = seconds(10.0);

#[derive(Debug)]
struct Kept {
    unit: AccessUnit,
    /// Decoding may begin here; after so many units all is as the camera saw it.
    start: Option<u32>,
    /// By any decoder, not only by careful ones.
    clean: bool,
}

const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// More parameter sets than any camera sends; what sends more is garbage.
const MOST_SETS: usize = 32;

impl Ring {
    pub const fn new(keep: Nanos, keep_bytes: usize) -> Self {
        Self {
            units: VecDeque::new(),
            caps: String::new(),
            codec: Codec::H264,
            sets: Vec::new(),
            bytes: 0,
            group_bytes: 0,
            keep,
            needed: None,
            keep_bytes,
        }
    }

    /// What is before `from` need not be kept.
    pub const fn need(&mut self, from: Nanos) {
        self.needed = Some(from);
    }

    /// A new form of the stream: what came before does not go into one clip with what follows.
    pub fn restart(&mut self, caps: String) {
        self.clear();
        self.sets.clear();
        let name = caps.split(',').next().unwrap_or_default();
        self.codec = Codec::from_name(name).unwrap_or(Codec::H264);
        self.caps = caps;
    }

    fn clear(&mut self) {
        self.units.clear();
        self.bytes = 0;
    }

    pub fn caps(&self) -> &str {
        &self.caps
    }

    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Stream time and capture time of the unit that came last.
    pub fn newest(&self) -> Option<(Nanos, OffsetDateTime)> {
        self.units.back().map(|kept| (kept.unit.pts_ns, kept.unit.captured_at))
    }

    /// Bytes since the last place where decoding may begin: of a camera that is asked for key
    /// pictures seldom or never, no clip can be cut once these are more than a clip may have.
    pub const fn group_bytes(&self) -> usize {
        self.group_bytes
    }

    /// Appends a unit; units before the first place where decoding may begin are useless and not
    /// kept.
    pub fn push(&mut self, mut unit: AccessUnit) {
        let front = nal::front(self.codec, &unit.data);
        if front.complete {
            self.sets.clear();
        }
        for set in &front.sets {
            let set = [&START_CODE, *set].concat();
            self.sets.retain(|known| *known != set);
            self.sets.push(set);
        }
        self.sets.truncate(MOST_SETS);
        let (complete, clean) = (front.complete, front.clean);
        let start = front.start.or(unit.key.then_some(0));
        if start.is_some() && !complete {
            // Cut here, the clip must decode by itself.
            let missing = self.sets.concat();
            unit.data = Bytes::from([&missing, &unit.data[..]].concat());
        }
        unit.key = start.is_some();
        self.group_bytes = unit.data.len() + if unit.key { 0 } else { self.group_bytes };
        if self.units.is_empty() && start.is_none() {
            return;
        }
        self.bytes += unit.data.len();
        let newest = unit.pts_ns;
        let needed = self.needed.and_then(|t| Some(t.min(newest.checked_sub(LATELY)?)));
        let from = newest.checked_sub(self.keep).max(needed);
        self.units.push_back(Kept { unit, start, clean });
        // The oldest group goes when the rest still covers the time, or when bytes run out.
        while let Some(second) = self.units.iter().skip(1).position(|kept| kept.start.is_some()) {
            let next = second + 1;
            let whole = self.whole_from(next);
            let covered = from.is_some_and(|from| whole <= from);
            if !covered && self.bytes <= self.keep_bytes {
                break;
            }
            for kept in self.units.drain(..next) {
                self.bytes -= kept.unit.data.len();
            }
        }
        // One endless group must not grow without bound, and a clip of it would be too large.
        if self.bytes > self.keep_bytes {
            self.clear();
        }
    }

    /// Time from which a clip that begins at unit `start` shows what the camera saw.
    fn whole_from(&self, start: usize) -> Nanos {
        let refresh = self.units[start].start.unwrap_or(0) as usize;
        let last = self.units.len() - 1;
        self.units[(start + refresh).min(last)].unit.pts_ns
    }

    /// The units that show `span`, beginning where decoding may begin, in at most `limit` bytes;
    /// none where that cannot be, or nothing of it is kept any more.
    pub fn clip(&self, span: &Span, limit: usize) -> Option<Clip> {
        let starts: Vec<usize> =
            (0..self.units.len()).filter(|&i| self.units[i].start.is_some()).collect();
        let groups = |sure: bool| -> Vec<Group> {
            let whole_from = |index: usize| {
                let start = starts[index];
                // Joining a stream whose pictures are numbered on, some decoders miss the first
                // picture, and find their feet at the next start.
                let found = match (self.units[start].clean || !sure, starts.get(index + 1)) {
                    (true, _) => start,
                    (false, Some(&next)) => next,
                    (false, None) => return Nanos::MAX,
                };
                self.whole_from(found)
            };
            let end = |index: usize| starts.get(index + 1).copied().unwrap_or(self.units.len());
            (0..starts.len())
                .map(|i| Group { units: starts[i]..end(i), whole_from: whole_from(i) })
                .collect()
        };
        let units = |range: std::ops::Range<usize>| self.units.range(range).map(|kept| &kept.unit);
        let chosen = cut::choose(&groups(true), units, span, limit)
            .or_else(|| cut::choose(&groups(false), units, span, limit))?;
        let mut picked = Vec::new();
        let mut before = None;
        for range in chosen {
            let joined = before == Some(range.start);
            before = Some(range.end);
            let Some(begins) = self.units.get(range.start).map(|kept| kept.unit.pts_ns) else {
                continue;
            };
            // Shown before the picture that decoding begins at, they refer to what is not there.
            let mut leading = !joined;
            for (index, kept) in self.units.range(range).enumerate() {
                leading &= index == 0 || kept.unit.pts_ns < begins;
                if index == 0 || !leading {
                    picked.push(kept.unit.clone());
                }
            }
        }
        (picked.len() > 1).then(|| Clip {
            caps: self.caps.clone(),
            units: picked,
            turn: Turn::NONE,
            reencoded: false,
            larger: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    const MS: Nanos = 1_000_000;
    const ALL: usize = usize::MAX;

    /// An IDR picture or one that refers to others, of 1000 bytes.
    fn unit(i: u64, key: bool) -> AccessUnit {
        let mut data = if key { IDR } else { PREDICTED }.to_vec();
        data.resize(1000, 0xff);
        AccessUnit {
            pts_ns: i * 40 * MS,
            dts_ns: None,
            key,
            whole: true,
            data: data.into(),
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

    /// From and to, the act in the middle.
    fn span(from: u64, to: u64) -> Span {
        let middle = (from + to) / 2 * MS;
        Span { from: from * MS, moments: vec![middle; 3], to: to * MS }
    }

    #[test]
    fn old_groups_leave_and_the_time_stays_covered() {
        let ring = filled(4, usize::MAX / 4, 1000, 25);
        assert!(ring.units[0].unit.key);
        let span = ring.units.back().unwrap().unit.pts_ns - ring.units[0].unit.pts_ns;
        assert!((4000 * MS..5100 * MS).contains(&span), "{span}");
        assert_eq!(ring.bytes(), ring.units.len() * 1000);
    }

    #[test]
    fn no_more_is_kept_than_somebody_needs() {
        let mut ring = Ring::new(60_000 * MS, usize::MAX / 4);
        let mut kept = Vec::new();
        for i in 0..2000 {
            // For a while somebody is followed who came at second 20.
            ring.need(if (500..1250).contains(&i) { 20_000 * MS } else { i * 40 * MS });
            ring.push(unit(i, i % 25 == 0));
            kept.push(ring.units[0].unit.pts_ns / MS);
        }
        assert_eq!(kept[499], 9_000, "ten seconds, from a key picture on");
        assert_eq!(kept[1249], 20_000, "as long as it is needed");
        assert_eq!(kept[1999], 69_000);
    }

    #[test]
    fn bytes_bound_it_too() {
        assert!(filled(60, 40_000, 1000, 25).bytes() <= 40_000);
        let endless = filled(60, 40_000, 1000, 5000);
        assert!(endless.bytes() <= 40_000);
        assert_eq!(endless.group_bytes(), 1_000_000);
        assert_eq!(filled(60, 40_000, 1001, 25).group_bytes(), 1000);
    }

    #[test]
    fn a_clip_starts_at_the_key_before_and_ends_in_time() {
        let ring = filled(10, usize::MAX / 4, 200, 25);
        let clip = ring.clip(&span(2900, 5000), ALL).unwrap();
        assert!(clip.units[0].key);
        assert_eq!(clip.units[0].pts_ns, 2000 * MS);
        assert_eq!(clip.units.last().unwrap().pts_ns, 5000 * MS);
        assert!(ring.clip(&span(2900, 5000), 1000).is_none(), "nothing decodable is so small");
    }

    #[test]
    fn nothing_is_kept_before_the_first_key() {
        let mut ring = Ring::new(1000 * MS, 1 << 20);
        ring.push(unit(0, false));
        assert!(ring.clip(&span(0, 1000), ALL).is_none());
        ring.push(unit(1, true));
        ring.push(unit(2, false));
        assert_eq!(ring.clip(&span(0, 1000), ALL).unwrap().units.len(), 2);
        ring.restart("video/x-h265".into());
        assert!(ring.clip(&span(0, 1000), ALL).is_none());
    }

    const SPS: &[u8] = &[0, 0, 0, 1, 0x67, 1, 2];
    const PPS: &[u8] = &[0, 0, 0, 1, 0x68, 3];
    const IDR: &[u8] = &[0, 0, 0, 1, 0x65, 0x88];
    const INTRA: &[u8] = &[0, 0, 0, 1, 0x41, 0x88];
    const PREDICTED: &[u8] = &[0, 0, 0, 1, 0x41, 0x9a];
    /// Recovery after two pictures.
    const RECOVERY: &[u8] = &[0, 0, 0, 1, 6, 6, 1, 0b0111_0000, 0x80];

    fn coded(i: u64, key: bool, parts: &[&[u8]]) -> AccessUnit {
        AccessUnit { data: Bytes::from(parts.concat()), ..unit(i, key) }
    }

    #[test]
    fn a_clip_of_an_open_group_brings_its_parameter_sets_and_no_leading_pictures() {
        let mut ring = Ring::new(60_000 * MS, 1 << 20);
        ring.restart("video/x-h264, alignment=au".into());
        ring.push(coded(0, true, &[SPS, PPS, IDR]));
        ring.push(coded(1, false, &[PREDICTED]));
        // Decoded first, shown behind the two that follow.
        ring.push(coded(4, true, &[INTRA]));
        ring.push(coded(2, false, &[PREDICTED]));
        ring.push(coded(3, false, &[PREDICTED]));
        ring.push(coded(5, false, &[PREDICTED]));
        // The next start makes sure.
        ring.push(coded(6, true, &[INTRA]));
        ring.push(coded(7, true, &[INTRA]));
        let clip = ring.clip(&span(250, 260), ALL).unwrap();
        let shown: Vec<u64> = clip.units.iter().map(|unit| unit.pts_ns / (40 * MS)).collect();
        assert_eq!(shown, [4, 5, 6]);
        assert_eq!(clip.units[0].data, [SPS, PPS, INTRA].concat());
        // Where the group before is there too, they are whole.
        assert_eq!(ring.clip(&span(0, 240), ALL).unwrap().units.len(), 7);
    }

    #[test]
    fn a_gradual_refresh_is_a_start_early_enough_to_be_complete() {
        let mut ring = Ring::new(60_000 * MS, 1 << 20);
        ring.restart("video/x-h264, alignment=au".into());
        ring.push(coded(0, true, &[SPS, PPS, IDR]));
        for i in 1..40 {
            let parts: &[&[u8]] = if i % 10 == 0 { &[RECOVERY, PREDICTED] } else { &[PREDICTED] };
            ring.push(coded(i, false, parts));
        }
        // Complete at pictures 12, 22, 32, or 480, 880, 1280 ms, and sure one later.
        for (from, start) in [(870, 0), (880, 10), (1270, 10), (1280, 20), (1500, 20)] {
            let clip = ring.clip(&span(from, 1560), ALL).unwrap();
            assert_eq!(clip.units[0].pts_ns, start * 40 * MS, "{from}");
            assert!(clip.units[0].data.starts_with(SPS));
        }
        // And groups leave there, though no key picture ever comes.
        let mut ring = Ring::new(400 * MS, 1 << 20);
        for i in 0..400 {
            let parts: &[&[u8]] = if i % 10 == 0 { &[RECOVERY, PREDICTED] } else { &[PREDICTED] };
            ring.push(coded(i, i == 0, parts));
        }
        assert!((10..40).contains(&ring.units.len()), "{}", ring.units.len());
    }
}
