//! What an open source shares with GStreamer's threads: every encoded unit is dated, judged and put
//! into the ring as it passes, and pictures that are not due are let go.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use time::OffsetDateTime;

use super::clock::{Arrival, CaptureClock, Dated, from_ntp};
use super::continuity::{Continuity, Damage, Judged};
use super::decoder::Codec;
use super::ring::Ring;
use super::{Input, Settings, SourceError, concealment};
use crate::accusation::AccessUnit;
use crate::boxes::Turn;
use crate::clock;
use crate::evidence::clip::MAX_PICTURES;
use crate::pace::{Due, Less, Outcome, Pace};
use crate::see::Nanos;

/// More than this since the last place where decoding may begin, and a clip might not fit: three
/// groups, of before, on and past the line, must.
pub const UNCUT: usize = MAX_PICTURES / 4;
/// A picture this much before the last is not out of order by a slip: time began anew.
const JUMP: Nanos = 1_000_000_000;
/// Stretches remembered for pictures still in the decoder.
const STRETCHES: usize = 8;
/// Most units on their way through the decoder.
const PASSING: usize = 256;

/// Counts since the source was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub decoded: u64,
    /// More than are ever looked at.
    pub skipped: u64,
    /// Not looked at because the box does not bear more.
    pub governed: u64,
    /// Not looked at because nothing moves.
    pub quiet: u64,
    /// Due, but overwritten because analysis was late.
    pub late: u64,
    /// Not later than the picture before, or of no known time: no sequence to judge.
    pub disordered: u64,
}

impl Counts {
    /// Pictures not looked at since `before`, by cause.
    pub fn since(&self, before: &Self) -> [(&'static str, u64); 5] {
        [
            ("late", self.late.saturating_sub(before.late)),
            ("not_due", self.skipped.saturating_sub(before.skipped)),
            (Less::Governed.name(), self.governed.saturating_sub(before.governed)),
            (Less::Quiet.name(), self.quiet.saturating_sub(before.quiet)),
            ("disordered", self.disordered.saturating_sub(before.disordered)),
        ]
    }
}

/// State shared with the streaming threads.
#[derive(Debug)]
pub struct Shared {
    /// How the container says that pictures are to be turned.
    pub turn: Turn,
    /// For messages.
    address: String,
    recording: bool,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
pub struct Inner {
    pub ring: Ring,
    pub clock: CaptureClock,
    /// Units not yet decoded, in decoding order.
    pub passing: VecDeque<Passing>,
    /// Whether the stream is whole; once its codec is known.
    pub continuity: Option<Continuity>,
    /// Stamp of the unit in the decoder.
    pub decoding: Option<Nanos>,
    /// Losses noticed, by cause.
    pub losses: BTreeMap<Damage, u64>,
    pub failure: Option<SourceError>,
    pub decoder: Option<&'static str>,
    pub seen: Vec<String>,
    /// When the last of them was.
    pub seen_at: Option<Instant>,
    /// One of them is usable and is attached or being so, for which a busy machine may take seconds.
    pub claimed: bool,
    pub started: Instant,
    pub last_unit: Option<Instant>,
    pub counts: Counts,
    /// Due pictures handed to the sink.
    pub due: u64,
    /// Which picture is next.
    pub turns: Due,
    /// Stretches of time far from any place where decoding may begin; the last may be going on.
    pub uncut: VecDeque<(Nanos, Nanos)>,
    pub uncut_now: bool,
    /// Time of the latest picture.
    pub newest: Option<Nanos>,
}

impl Inner {
    /// Notes whether decoding could have begun lately where the unit at `t` is shown.
    fn note_uncut(&mut self, t: Nanos) {
        let was = std::mem::replace(&mut self.uncut_now, self.ring.group_bytes() > UNCUT);
        match self.uncut.back_mut() {
            _ if !self.uncut_now => {}
            Some((from, to)) if was => (*from, *to) = (t.min(*from), t.max(*to)),
            _ => {
                if self.uncut.len() >= STRETCHES {
                    self.uncut.pop_front();
                }
                self.uncut.push_back((t, t));
            }
        }
    }
}

/// An encoded unit on its way through the decoder.
#[derive(Debug)]
pub struct Passing {
    /// Stream stamp.
    pub pts: Nanos,
    /// Stream time.
    pub t: Nanos,
    pub dated: Dated,
    pub judged: Judged,
}

impl Inner {
    /// The decoder complained of the unit last handed to it. What refers to it is not to be
    /// believed either, up to the next recovery; what was broken before has been said already.
    fn concealed(&mut self) {
        let Some(pts) = self.decoding else { return };
        let Some(at) = self.passing.iter().position(|unit| unit.pts == pts) else { return };
        let unit = &mut self.passing[at];
        if unit.judged.damage.is_some() {
            return;
        }
        unit.judged.damage = Some(Damage::Concealed);
        let Some(continuity) = &mut self.continuity else { return };
        if !unit.judged.reference {
            return continuity.note(Damage::Concealed);
        }
        for unit in self.passing.iter_mut().skip(at + 1) {
            if unit.judged.recovery {
                return continuity.note(Damage::Concealed);
            }
            unit.judged.damage.get_or_insert(Damage::Concealed);
        }
        continuity.conceal();
    }
}

impl Shared {
    pub fn new(settings: &Settings, address: &str, turn: Turn, epoch: u32) -> Self {
        Self {
            turn,
            address: address.to_owned(),
            recording: matches!(settings.input, Input::File { .. }),
            inner: Mutex::new(Inner {
                ring: Ring::new(settings.keep, settings.keep_bytes),
                clock: CaptureClock::new(settings.dating, epoch),
                passing: VecDeque::new(),
                continuity: None,
                decoding: None,
                losses: BTreeMap::new(),
                failure: None,
                decoder: None,
                seen: Vec::new(),
                seen_at: None,
                claimed: false,
                started: Instant::now(),
                last_unit: None,
                counts: Counts::default(),
                due: 0,
                turns: Due::default(),
                uncut: VecDeque::new(),
                uncut_now: false,
                newest: None,
            }),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panicking streaming thread leaves plain values behind; the supervisor reopens anyway.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn fail(&self, error: SourceError) {
        self.lock().failure.get_or_insert(error);
    }

    pub fn saw(&self, stream: String) {
        let mut inner = self.lock();
        inner.seen.push(stream);
        inner.seen_at = Some(Instant::now());
    }

    /// Whether the stream now at hand is the one to attach; then no other is.
    pub fn claim(&self) -> bool {
        !std::mem::replace(&mut self.lock().claimed, true)
    }

    /// Whether any has been.
    pub fn claimed(&self) -> bool {
        self.lock().claimed
    }

    pub fn attach(&self, decoder: &'static str) {
        self.lock().decoder = Some(decoder);
    }

    /// What the source has, where none of it is usable video.
    pub fn only_other_streams(&self) -> Option<String> {
        let inner = self.lock();
        let none = || String::from("no stream");
        (!inner.claimed).then(|| match inner.seen.is_empty() {
            true => none(),
            false => inner.seen.join(", "),
        })
    }

    /// The same once no further stream has come for `patience`.
    pub fn nothing_usable(&self, patience: Duration) -> Option<String> {
        // Since the last stream came, not since the camera was asked.
        let waited = self.lock().seen_at.is_some_and(|seen_at| seen_at.elapsed() > patience);
        waited.then(|| self.only_other_streams()).flatten()
    }

    /// Notes every encoded unit that passes `pad`.
    pub fn tap_encoded(self: &Arc<Self>, pad: &gst::Pad, codec: Codec) {
        self.lock().continuity = Some(Continuity::new(codec));
        let shared = Arc::clone(self);
        let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
        pad.add_probe(kinds, move |pad, info| {
            match &info.data {
                Some(gst::PadProbeData::Buffer(buffer)) => shared.unit(pad, buffer),
                Some(gst::PadProbeData::Event(event)) => {
                    if let gst::EventView::Caps(caps) = event.view() {
                        shared.form(caps.caps());
                    }
                }
                _ => {}
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// Notes packets that the network lost on the way to `pad`.
    pub fn tap_packets(self: &Arc<Self>, pad: &gst::Pad) {
        let shared = Arc::clone(self);
        let last: Mutex<Option<(u16, Nanos)>> = Mutex::new(None);
        let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        pad.add_probe(kinds, move |_, info| {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            let mut packet = |buffer: &gst::BufferRef| {
                let Some((number, pts)) = numbered(buffer) else { return };
                if let Some((before, from)) = *last
                    && number != before.wrapping_add(1)
                    && let Some(continuity) = &mut shared.lock().continuity
                {
                    continuity.tear(from, pts);
                }
                *last = Some((number, pts));
            };
            match &info.data {
                Some(gst::PadProbeData::Buffer(buffer)) => packet(buffer),
                Some(gst::PadProbeData::BufferList(list)) => list.iter().for_each(packet),
                _ => {}
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// Joins what the decoder says of a unit with the unit.
    pub fn tap_decoder(self: &Arc<Self>, decoder: &gst::Element) {
        concealment::listen();
        let (Some(into), Some(out)) = (decoder.static_pad("sink"), decoder.static_pad("src"))
        else {
            return;
        };
        let shared = Arc::clone(self);
        into.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let mut inner = shared.lock();
            if concealment::complained() {
                inner.concealed();
            }
            if let Some(gst::PadProbeData::Buffer(buffer)) = &info.data {
                inner.decoding = buffer.pts().map(gst::ClockTime::nseconds);
            }
            gst::PadProbeReturn::Ok
        });
        let shared = Arc::clone(self);
        out.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            if concealment::complained() {
                shared.lock().concealed();
            }
            gst::PadProbeReturn::Ok
        });
    }

    fn form(&self, caps: &gst::CapsRef) {
        let mut inner = self.lock();
        let new = caps.to_string();
        if size_of(inner.ring.caps()) != size_of(&new) {
            inner.ring.restart(new);
        }
    }

    fn unit(&self, pad: &gst::Pad, buffer: &gst::Buffer) {
        let Some(pts) = buffer.pts() else {
            if self.recording {
                self.fail(SourceError::Untimed { address: self.address.clone() });
            }
            return;
        };
        let Ok(map) = buffer.map_readable() else { return };
        let t = running_time(pad, pts);
        let wall = OffsetDateTime::now_utc();
        let reference = buffer
            .iter_meta::<gst::ReferenceTimestampMeta>()
            .find(|meta| {
                meta.reference().structure(0).is_some_and(|s| s.name() == "timestamp/x-ntp")
            })
            .and_then(|meta| from_ntp(meta.timestamp().nseconds()));
        let mut inner = self.lock();
        let monotonic = clock::since_start();
        let arrival = Arrival { wall, monotonic, vouched: clock::synchronised(wall) };
        let dated = inner.clock.date(t, reference, arrival);
        inner.last_unit = Some(Instant::now());
        if inner.passing.len() >= PASSING {
            inner.passing.pop_front();
        }
        let captured_at = dated.captured_at;
        let dts = buffer.dts().map(gst::ClockTime::nseconds);
        let torn = buffer.flags().contains(gst::BufferFlags::DISCONT);
        let Some(continuity) = &mut inner.continuity else { return };
        let judged = continuity.unit(&map, pts.nseconds(), dts, torn);
        let whole = judged.damage.is_none();
        inner.passing.push_back(Passing { pts: pts.nseconds(), t, dated, judged });
        // In stream time: stamps may begin anew where a recording was edited.
        let reorder = dts.and_then(|dts| pts.nseconds().checked_sub(dts));
        inner.ring.push(AccessUnit {
            pts_ns: t,
            dts_ns: reorder.map(|reorder| t.saturating_sub(reorder)),
            key: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
            whole,
            data: bytes::Bytes::copy_from_slice(&map),
            captured_at,
        });
        inner.note_uncut(t);
    }

    /// Whether the picture at `t` is to be analysed.
    fn due(&self, t: Nanos, pace: &Pace) -> bool {
        let mut inner = self.lock();
        inner.counts.decoded += 1;
        if let Some(newest) = inner.newest.filter(|newest| t <= *newest) {
            inner.counts.disordered += 1;
            if newest - t > JUMP {
                let address = self.address.clone();
                let (from_s, to_s) = (newest as f64 / 1e9, t as f64 / 1e9);
                inner.failure.get_or_insert(SourceError::Disordered { address, from_s, to_s });
            }
            return false;
        }
        inner.newest = Some(t);
        let turn = inner.turns.turn(t, pace);
        match turn {
            Outcome::Due => inner.due += 1,
            Outcome::NotDue => inner.counts.skipped += 1,
            Outcome::LeftOut(Less::Governed) => inner.counts.governed += 1,
            Outcome::LeftOut(Less::Quiet) => inner.counts.quiet += 1,
        }
        turn == Outcome::Due
    }

    /// Lets only pictures through that are due.
    pub fn thin(self: &Arc<Self>, pad: &gst::Pad, pace: &Arc<Pace>) {
        let (shared, pace) = (Arc::clone(self), Arc::clone(pace));
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let Some(gst::PadProbeData::Buffer(buffer)) = &info.data else {
                return gst::PadProbeReturn::Ok;
            };
            let due = buffer.pts().is_some_and(|pts| shared.due(running_time(pad, pts), &pace));
            if due {
                return gst::PadProbeReturn::Ok;
            }
            // Taken and handled rather than dropped: dropping a buffer that the probe has looked
            // at makes this GStreamer binding release it twice.
            drop(info.data.take());
            gst::PadProbeReturn::Handled
        });
    }
}

fn size_of(caps: &str) -> Option<(String, i32, i32)> {
    let caps: gst::Caps = caps.parse().ok()?;
    let form = caps.structure(0)?;
    Some((form.name().to_string(), form.get("width").ok()?, form.get("height").ok()?))
}

/// Sequence number (RFC 3550 5.1) and stamp of a packet.
fn numbered(buffer: &gst::BufferRef) -> Option<(u16, Nanos)> {
    let map = buffer.map_readable().ok()?;
    let number = u16::from_be_bytes([*map.get(2)?, *map.get(3)?]);
    Some((number, buffer.pts()?.nseconds()))
}

fn running_time(pad: &gst::Pad, pts: gst::ClockTime) -> Nanos {
    match pad.sticky_event::<gst::event::Segment>(0) {
        Some(event) => stream_time(event.segment(), pts.nseconds()),
        None => pts.nseconds(),
    }
}

/// Time since the stream began, of the stamp `pts`; of units that are decoded but not shown, 0 or
/// what it would be.
pub fn stream_time(segment: &gst::Segment, pts: Nanos) -> Nanos {
    let stamp = gst::ClockTime::from_nseconds(pts);
    let segment = segment.downcast_ref::<gst::ClockTime>();
    match segment.and_then(|segment| segment.to_running_time_full(stamp)) {
        Some(gst::Signed::Positive(time)) => time.nseconds(),
        Some(gst::Signed::Negative(_)) => 0,
        None => pts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Dating;

    fn shared() -> Shared {
        let settings = Settings {
            camera: "cam-01".into(),
            input: Input::File { path: "road.mp4".into() },
            larger: None,
            dating: Dating::Recording { start: OffsetDateTime::UNIX_EPOCH },
            pace: Pace::fixed(5.0),
            keep: 1_000_000_000,
            keep_bytes: 1 << 20,
        };
        Shared::new(&settings, "road.mp4", Turn::default(), 0)
    }

    #[test]
    fn a_stream_that_takes_long_to_be_attached_is_not_unusable() {
        let slow = shared();
        assert_eq!(slow.nothing_usable(Duration::ZERO), None, "the camera may still answer");
        assert!(slow.claim());
        slow.saw("H264 video".into());
        // Sound comes on a thread of its own while the video's decoder is being made.
        slow.saw("MPEG4-GENERIC".into());
        assert!(!slow.claim(), "one stream is enough");
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(slow.nothing_usable(Duration::from_millis(1)), None);
        assert_eq!(slow.only_other_streams(), None);
        let mute = shared();
        mute.saw("JPEG video".into());
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(mute.nothing_usable(Duration::from_secs(60)), None);
        let found = mute.nothing_usable(Duration::from_millis(1));
        assert_eq!(found.as_deref(), Some("JPEG video"));
    }
}
