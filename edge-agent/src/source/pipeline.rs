//! One open source: pulls decoded pictures, keeps the encoded ring, and says how it failed.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use plate_model::{ColourSpace, Frame, Layout, Matrix, PixelFormat};
use time::OffsetDateTime;

use super::clock::{Arrival, CaptureClock, Dated, from_ntp};
use super::container::{self, Container};
use super::continuity::{Continuity, Damage, Judged};
use super::decoder::Codec;
use super::ring::Ring;
use super::stand_in::StandIn;
use super::{Input, Picture, Settings, SourceError, concealment, decoder, head};
use crate::accusation::{AccessUnit, Clip, Span};
use crate::boxes::Turn;
use crate::clock;
use crate::evidence::clip::MAX_PICTURES;
use crate::see::Nanos;

/// No encoded unit for this long and the connection is given up.
pub const STALL: Duration = Duration::from_secs(5);
/// A camera may take this long from the first packet to the first picture.
const START: Duration = Duration::from_secs(15);
/// More than this since the last place where decoding may begin, and a clip might not fit: three
/// groups, of before, on and past the line, must.
const UNCUT: usize = MAX_PICTURES / 4;
/// A camera whose stream does not recover for this long is asked anew: a new connection begins with
/// a key picture.
const UNRECOVERED: Duration = Duration::from_secs(120);
/// Streams came, none of them usable, and no other within this time.
const UNUSABLE: Duration = Duration::from_secs(2);
/// A picture this much before the last is not out of order by a slip: time began anew.
const JUMP: Nanos = 1_000_000_000;
/// Stretches remembered for pictures still in the decoder.
const STRETCHES: usize = 8;
/// Most units on their way through the decoder.
const PASSING: usize = 256;

/// What pulling gave.
#[derive(Debug)]
pub enum Next {
    Picture(Box<Picture>),
    /// Nothing within the time; the source is alive.
    Nothing,
    /// A recording is over.
    Ended,
}

/// Counts since the source was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub decoded: u64,
    /// Not due at the analysed rate.
    pub skipped: u64,
    /// Due, but overwritten because analysis was late.
    pub late: u64,
    /// Not later than the picture before: no sequence to judge.
    pub disordered: u64,
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
struct Inner {
    ring: Ring,
    clock: CaptureClock,
    /// Units not yet decoded, in decoding order.
    passing: VecDeque<Passing>,
    /// Whether the stream is whole; once its codec is known.
    continuity: Option<Continuity>,
    /// Stamp of the unit in the decoder.
    decoding: Option<Nanos>,
    /// Losses noticed, by cause.
    losses: BTreeMap<Damage, u64>,
    failure: Option<SourceError>,
    decoder: Option<&'static str>,
    seen: Vec<String>,
    started: Instant,
    last_unit: Option<Instant>,
    counts: Counts,
    /// Due pictures handed to the sink.
    due: u64,
    next_due: Nanos,
    /// Stretches of time far from any place where decoding may begin; the last may be going on.
    uncut: VecDeque<(Nanos, Nanos)>,
    uncut_now: bool,
    /// Time of the latest picture.
    newest: Option<Nanos>,
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
struct Passing {
    /// Stream stamp.
    pts: Nanos,
    /// Stream time.
    t: Nanos,
    dated: Dated,
    judged: Judged,
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
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panicking streaming thread leaves plain values behind; the supervisor reopens anyway.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn fail(&self, error: SourceError) {
        self.lock().failure.get_or_insert(error);
    }

    pub fn saw(&self, stream: String) {
        self.lock().seen.push(stream);
    }

    pub fn attached(&self) -> bool {
        self.lock().decoder.is_some()
    }

    pub fn attach(&self, decoder: &'static str) {
        self.lock().decoder = Some(decoder);
    }

    /// What the source has, where none of it is usable video.
    pub fn only_other_streams(&self) -> Option<String> {
        let inner = self.lock();
        let none = || String::from("no stream");
        inner.decoder.is_none().then(|| match inner.seen.is_empty() {
            true => none(),
            false => inner.seen.join(", "),
        })
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
        let monotonic = inner.started.elapsed();
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
        inner.passing.push_back(Passing { pts: pts.nseconds(), t, dated, judged });
        // In stream time: stamps may begin anew where a recording was edited.
        let reorder = dts.and_then(|dts| pts.nseconds().checked_sub(dts));
        inner.ring.push(AccessUnit {
            pts_ns: t,
            dts_ns: reorder.map(|reorder| t.saturating_sub(reorder)),
            key: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
            data: bytes::Bytes::copy_from_slice(&map),
            captured_at,
        });
        inner.note_uncut(t);
    }

    /// Whether the picture at `t` is to be analysed.
    fn due(&self, t: Nanos, period: Nanos) -> bool {
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
        // A quarter of a period early is due: frame times need not divide the period.
        if t + period / 4 < inner.next_due {
            inner.counts.skipped += 1;
            return false;
        }
        let next = inner.next_due + period;
        inner.next_due = if next > t { next } else { t + period };
        inner.due += 1;
        true
    }

    /// Lets only pictures through that are due at the analysed rate.
    fn thin(self: &Arc<Self>, pad: &gst::Pad, fps: f32) {
        let shared = Arc::clone(self);
        let period = (1e9 / f64::from(fps)) as Nanos;
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let Some(gst::PadProbeData::Buffer(buffer)) = &info.data else {
                return gst::PadProbeReturn::Ok;
            };
            let due = buffer.pts().is_some_and(|pts| shared.due(running_time(pad, pts), period));
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
fn stream_time(segment: &gst::Segment, pts: Nanos) -> Nanos {
    let stamp = gst::ClockTime::from_nseconds(pts);
    let segment = segment.downcast_ref::<gst::ClockTime>();
    match segment.and_then(|segment| segment.to_running_time_full(stamp)) {
        Some(gst::Signed::Positive(time)) => time.nseconds(),
        Some(gst::Signed::Negative(_)) => 0,
        None => pts,
    }
}

/// An open source. Dropping it closes the connection.
#[derive(Debug)]
pub struct Pipeline {
    pipeline: gst::Pipeline,
    sink: gst_app::AppSink,
    bus: gst::Bus,
    shared: Arc<Shared>,
    input: Input,
    address: String,
    live: bool,
    pulled: u64,
    /// Since when no picture could be believed, and why.
    damaged: Option<(Instant, Damage)>,
    /// Of a recording.
    container: Container,
    /// A clip takes from it what its encoder still holds.
    stand_in: RefCell<Option<StandIn>>,
    /// When the camera's own bits last left no place to cut.
    uncut_at: Option<Nanos>,
    keep: Nanos,
}

impl Pipeline {
    /// Starts opening; trouble shows when pulling. `epoch` counts on from earlier connections.
    pub fn open(settings: &Settings, epoch: u32) -> Result<Self, SourceError> {
        gst::init().map_err(|e| SourceError::Element(e.to_string()))?;
        let (address, live) =
            (settings.input.address(), matches!(settings.input, Input::Rtsp { .. }));
        let container = match &settings.input {
            Input::Rtsp { .. } => Container::default(),
            Input::File { path } => container::inspect(path)?,
        };
        let shared = Arc::new(Shared {
            turn: container.turn,
            address: address.clone(),
            recording: !live,
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
                started: Instant::now(),
                last_unit: None,
                counts: Counts::default(),
                due: 0,
                next_due: 0,
                uncut: VecDeque::new(),
                uncut_now: false,
                newest: None,
            }),
        });
        // Live: only the newest picture is worth analysing. A recording waits for the analysis.
        let sink = gst_app::AppSink::builder()
            .max_buffers(if live { 1 } else { 4 })
            .drop(live)
            .sync(false)
            .enable_last_sample(false)
            .build();
        if let Some(pad) = sink.static_pad("sink") {
            // Strides travel as metadata; without this the decoder copies every picture.
            pad.add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, |_, info| {
                if let Some(gst::PadProbeData::Query(query)) = &mut info.data
                    && let gst::QueryViewMut::Allocation(allocation) = query.view_mut()
                {
                    allocation.add_allocation_meta::<gst_video::VideoMeta>(None);
                }
                gst::PadProbeReturn::Ok
            });
            shared.thin(&pad, settings.analysed_fps);
        }
        let pipeline = gst::Pipeline::new();
        pipeline.add(&sink).map_err(|e| SourceError::Element(e.to_string()))?;
        head::build(&pipeline, &settings.input, &sink, &shared)?;
        let bus = pipeline.bus().ok_or_else(|| SourceError::Element("no bus".into()))?;
        let input = settings.input.clone();
        let this = Self {
            pipeline,
            sink,
            bus,
            shared,
            input,
            address,
            live,
            pulled: 0,
            damaged: None,
            container,
            stand_in: RefCell::new(None),
            uncut_at: None,
            keep: settings.keep,
        };
        if this.pipeline.set_state(gst::State::Playing).is_err() {
            return Err(this.failure().unwrap_or(SourceError::Stream {
                address: this.address.clone(),
                problem: "could not be started".into(),
            }));
        }
        Ok(this)
    }

    /// The next due picture, waiting at most `timeout`.
    pub fn next(&mut self, timeout: Duration) -> Result<Next, SourceError> {
        let wait = gst::ClockTime::from_nseconds(timeout.as_nanos() as u64);
        if let Some(sample) = self.sink.try_pull_sample(wait) {
            self.pulled += 1;
            let picture = self.picture(&sample)?;
            self.damaged = match (picture.damage, self.damaged) {
                (Some(damage), None) => Some((Instant::now(), damage)),
                (Some(_), since) => since,
                (None, _) => None,
            };
            if let Some((since, damage)) = self.damaged
                && self.live
                && since.elapsed() > UNRECOVERED
            {
                return Err(SourceError::Damaged {
                    address: self.address.clone(),
                    seconds: since.elapsed().as_secs(),
                    why: damage.words(),
                });
            }
            self.stand_in(&sample, &picture);
            return Ok(Next::Picture(Box::new(picture)));
        }
        if let Some(error) = self.failure() {
            return Err(error);
        }
        if self.sink.is_eos() {
            return if self.live {
                Err(SourceError::Ended { address: self.address.clone() })
            } else {
                Ok(Next::Ended)
            };
        }
        let inner = self.shared.lock();
        let (since, limit) = match inner.last_unit {
            Some(last) => (last.elapsed(), STALL),
            None => (inner.started.elapsed(), START),
        };
        let idle = inner.decoder.is_none() && !inner.seen.is_empty();
        if idle && since > UNUSABLE {
            let found = inner.seen.join(", ");
            return Err(SourceError::Codec { address: self.address.clone(), found });
        }
        if self.live && since > limit {
            return Err(SourceError::Stalled {
                address: self.address.clone(),
                seconds: since.as_secs(),
            });
        }
        Ok(Next::Nothing)
    }

    /// The encoded stream that shows `span`, as long as a file of evidence may be.
    pub fn clip(&self, span: &Span) -> Option<Clip> {
        let own = self.shared.lock().ring.clip(span, MAX_PICTURES);
        match own {
            Some(clip) => Some(Clip { turn: self.container.turn, ..clip }),
            None => self.stand_in.borrow_mut().as_mut()?.clip(span, MAX_PICTURES),
        }
    }

    /// Encodes anew while the camera sends no places to cut at, and for as long after as a clip may
    /// reach back.
    fn stand_in(&mut self, sample: &gst::Sample, picture: &Picture) {
        let far = |(from, to): &(Nanos, Nanos)| (*from..=*to).contains(&picture.t);
        if self.shared.lock().uncut.iter().any(far) {
            self.uncut_at = Some(picture.t);
        }
        let Some(uncut_at) = self.uncut_at else { return };
        if picture.t > uncut_at.saturating_add(self.keep) {
            self.uncut_at = None;
            self.stand_in.take();
            return;
        }
        let mut stand_in = self.stand_in.borrow_mut();
        if stand_in.is_none()
            && let Some(caps) = sample.caps()
        {
            tracing::warn!(
                source = self.address,
                "no key picture for {} MiB: clips are encoded anew; set the camera to a key \
                 picture (I-frame) every 1 to 4 s",
                UNCUT >> 20
            );
            *stand_in = StandIn::open(caps, self.keep, MAX_PICTURES);
        }
        if let (Some(stand_in), Some(buffer)) = (stand_in.as_mut(), sample.buffer()) {
            stand_in.push(buffer, picture.t, picture.captured_at);
        }
    }

    /// Whether a recording that ended was all there.
    pub fn whole(&self) -> Result<(), SourceError> {
        match (self.container.cut, &self.input) {
            (Some((there, promised)), Input::File { path }) => {
                let until_s = self.shared.lock().newest.unwrap_or(0) as f64 / 1e9;
                Err(SourceError::Cut { path: path.clone(), there, promised, until_s })
            }
            _ => Ok(()),
        }
    }

    /// Counts since opening.
    pub fn counts(&self) -> Counts {
        let inner = self.shared.lock();
        let late = if self.live { inner.due.saturating_sub(self.pulled) } else { 0 };
        Counts { late, ..inner.counts }
    }

    pub fn epoch(&self) -> u32 {
        self.shared.lock().clock.epoch()
    }

    pub fn decoder(&self) -> Option<&'static str> {
        self.shared.lock().decoder
    }

    fn failure(&self) -> Option<SourceError> {
        let mut inner = self.shared.lock();
        if let Some(error) = inner.failure.take() {
            return Some(error);
        }
        let decoder = inner.decoder.unwrap_or("none");
        drop(inner);
        let message = self.bus.pop_filtered(&[gst::MessageType::Error])?;
        let gst::MessageView::Error(error) = message.view() else { return None };
        let error = SourceError::from_message(error, &self.input, &self.address, decoder);
        if let SourceError::Decoder { decoder, .. } = &error {
            decoder::rule_out(decoder);
        }
        Some(error)
    }

    fn picture(&mut self, sample: &gst::Sample) -> Result<Picture, SourceError> {
        let wrong =
            |problem: String| SourceError::Stream { address: self.address.clone(), problem };
        let caps = sample.caps().ok_or_else(|| wrong("picture without a format".into()))?;
        let info = gst_video::VideoInfo::from_caps(caps).map_err(|e| wrong(e.to_string()))?;
        let (width, height) = (info.width(), info.height());
        if width == 0 || height == 0 {
            return Err(SourceError::ZeroSize { address: self.address.clone(), width, height });
        }
        let buffer = sample.buffer_owned().ok_or_else(|| wrong("empty picture".into()))?;
        let pts = buffer.pts().ok_or_else(|| wrong("picture without a time".into()))?.nseconds();
        let layout = layout(&info, &buffer).ok_or_else(|| {
            wrong(format!("decoder gives {}, expected I420 or NV12", info.format()))
        })?;
        let corrupted = buffer.flags().contains(gst::BufferFlags::CORRUPTED);
        let mapped =
            buffer.into_mapped_buffer_readable().map_err(|_| wrong("unreadable picture".into()))?;
        let frame = Frame::new(layout, Arc::new(mapped)).map_err(|e| wrong(e.to_string()))?;
        let (t, dated, damage) = sample
            .segment()
            .and_then(|segment| self.unit_of(stream_time(segment, pts), pts))
            .ok_or_else(|| wrong("picture of no known unit".into()))?;
        let damage = damage.or(corrupted.then_some(Damage::Concealed));
        let Dated { captured_at, clock } = dated;
        Ok(Picture { frame, t, pts, captured_at, clock, damage })
    }

    /// Time, date and damage of the unit that the picture shown at stream time `shown` with the
    /// stamp `pts` was decoded from.
    fn unit_of(&self, shown: Nanos, pts: Nanos) -> Option<(Nanos, Dated, Option<Damage>)> {
        let mut inner = self.shared.lock();
        let away = |unit: &&Passing| (unit.t.abs_diff(shown), unit.pts.abs_diff(pts));
        let nearest = inner.passing.iter().min_by_key(away)?;
        let found = (nearest.t, nearest.dated.clone(), nearest.judged.damage);
        // Decoders reorder by a few pictures; what lies a second back has left them.
        inner.passing.retain(|unit| unit.t + 1_000_000_000 > shown);
        Some(found)
    }

    /// Losses in the stream since it was opened, by cause.
    pub fn losses(&self) -> BTreeMap<Damage, u64> {
        let mut inner = self.shared.lock();
        let new = inner.continuity.as_mut().map(Continuity::losses).unwrap_or_default();
        for damage in new {
            *inner.losses.entry(damage).or_default() += 1;
        }
        inner.losses.clone()
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        // Failing to stop leaves nothing to do: the elements are dropped either way.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

fn layout(info: &gst_video::VideoInfo, buffer: &gst::BufferRef) -> Option<Layout> {
    let format = match info.format() {
        gst_video::VideoFormat::I420 => PixelFormat::I420,
        gst_video::VideoFormat::Nv12 => PixelFormat::Nv12,
        _ => return None,
    };
    let (mut strides, mut offsets) = ([0; 3], [0; 3]);
    let meta = buffer.meta::<gst_video::VideoMeta>();
    let (from_strides, from_offsets) = match &meta {
        Some(meta) => (meta.stride(), meta.offset()),
        None => (info.stride(), info.offset()),
    };
    for plane in 0..format.planes() {
        strides[plane] = usize::try_from(*from_strides.get(plane)?).ok()?;
        offsets[plane] = *from_offsets.get(plane)?;
    }
    let mut colour = ColourSpace::usual(info.height());
    let colorimetry = info.colorimetry();
    match colorimetry.matrix() {
        gst_video::VideoColorMatrix::Bt601 => colour.matrix = Matrix::Bt601,
        gst_video::VideoColorMatrix::Bt709 => colour.matrix = Matrix::Bt709,
        _ => {}
    }
    colour.full_range = colorimetry.range() == gst_video::VideoColorRange::Range0_255;
    Some(Layout { format, width: info.width(), height: info.height(), strides, offsets, colour })
}
