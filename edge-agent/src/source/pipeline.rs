//! One open source: pulls decoded pictures, keeps the encoded ring, and says how it failed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use time::OffsetDateTime;

use super::clock::Dated;
use super::container::{self, Container};
use super::continuity::{Continuity, Damage};
use super::decoded::{Decoded, Wrong, decoded, with_strides};
use super::head::Outlet;
use super::shared::{Counts, Passing, Shared, UNCUT, stream_time};
use super::stand_in::StandIn;
use super::{Input, Picture, Settings, SourceError, decoder, head};
use crate::accusation::{Clip, Span};
use crate::evidence::clip::MAX_PICTURES;
use crate::see::Nanos;

/// No encoded unit for this long and the connection is given up.
pub const STALL: Duration = Duration::from_secs(5);
/// A camera may take this long from the first packet to the first picture.
const START: Duration = Duration::from_secs(15);
/// A camera whose stream does not recover for this long is asked anew: a new connection begins with
/// a key picture.
const UNRECOVERED: Duration = Duration::from_secs(120);
/// Streams came, none of them usable, and no other within this time.
const UNUSABLE: Duration = Duration::from_secs(2);

/// What pulling gave.
#[derive(Debug)]
pub enum Next {
    Picture(Box<Picture>),
    /// Nothing within the time; the source is alive.
    Nothing,
    /// A recording is over.
    Ended,
}

/// What a stream is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be analysed, and to cut clips from.
    Everything,
    /// To be analysed; clips come from another stream of the camera.
    Analysis,
    /// To cut clips from: nothing is decoded.
    Clips,
}

/// One open stream. Dropping it closes the connection.
#[derive(Debug)]
pub struct Pipeline {
    pipeline: gst::Pipeline,
    sink: gst_app::AppSink,
    bus: gst::Bus,
    shared: Arc<Shared>,
    input: Input,
    address: String,
    purpose: Purpose,
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
    pub fn open(settings: &Settings, purpose: Purpose, epoch: u32) -> Result<Self, SourceError> {
        gst::init().map_err(|e| SourceError::Element(e.to_string()))?;
        let (address, live) =
            (settings.input.address(), matches!(settings.input, Input::Rtsp { .. }));
        let container = match &settings.input {
            Input::Rtsp { .. } => Container::default(),
            Input::File { path } => container::inspect(path)?,
        };
        let shared = Arc::new(Shared::new(settings, &address, container.turn, epoch));
        // Live: only the newest picture is worth analysing. A recording waits for the analysis.
        let decoded = purpose != Purpose::Clips;
        let sink = gst_app::AppSink::builder()
            .max_buffers(if live { 1 } else { 4 })
            .drop(live)
            .sync(false)
            .enable_last_sample(false)
            .build();
        if let Some(pad) = sink.static_pad("sink")
            && decoded
        {
            with_strides(&pad);
            shared.thin(&pad, &settings.pace);
        }
        let pipeline = gst::Pipeline::new();
        pipeline.add(&sink).map_err(|e| SourceError::Element(e.to_string()))?;
        let outlet = Outlet { sink: sink.clone(), decoded };
        head::build(&pipeline, &settings.input, &outlet, &shared)?;
        let bus = pipeline.bus().ok_or_else(|| SourceError::Element("no bus".into()))?;
        let input = settings.input.clone();
        let this = Self {
            pipeline,
            sink,
            bus,
            shared,
            input,
            address,
            purpose,
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
            let Some(picture) = self.picture(&sample)? else { return Ok(Next::Nothing) };
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
        self.trouble()
    }

    /// Goes on without decoding, of a recording up to stream time `until`; a camera does not wait.
    pub fn keep_up(&mut self, until: Nanos) -> Result<(), SourceError> {
        while !self.live && self.newest().is_none_or(|(newest, _)| newest < until) {
            if self.sink.try_pull_sample(gst::ClockTime::from_mseconds(500)).is_some() {
                continue;
            }
            if let Next::Ended = self.trouble()? {
                break;
            }
        }
        self.trouble().map(|_| ())
    }

    /// Stream time and capture time of the unit that came last.
    pub fn newest(&self) -> Option<(Nanos, OffsetDateTime)> {
        self.shared.lock().ring.newest()
    }

    /// No clip will be asked for that begins before `from`.
    pub fn need(&self, from: Nanos) {
        self.shared.lock().ring.need(from);
    }

    /// What came since the last place where a clip may begin is more than a clip may have.
    pub fn uncut(&self) -> bool {
        self.shared.lock().uncut_now
    }

    /// Where nothing can be pulled: why, unless that is as it should be.
    fn trouble(&mut self) -> Result<Next, SourceError> {
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
        if let Some(found) = self.shared.nothing_usable(UNUSABLE) {
            return Err(SourceError::Codec { address: self.address.clone(), found });
        }
        let inner = self.shared.lock();
        let (since, limit) = match inner.last_unit {
            Some(last) => (last.elapsed(), STALL),
            None => (inner.started.elapsed(), START),
        };
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
        if self.purpose != Purpose::Everything {
            return;
        }
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

    /// None of a live picture that nobody can date: it came without a time of its own.
    fn picture(&mut self, sample: &gst::Sample) -> Result<Option<Picture>, SourceError> {
        let address = || self.address.clone();
        let Decoded { frame, pts, corrupted } = decoded(sample).map_err(|wrong| match wrong {
            Wrong::Size { width, height } => {
                SourceError::ZeroSize { address: address(), width, height }
            }
            Wrong::Other(problem) => SourceError::Stream { address: address(), problem },
        })?;
        let wrong =
            |problem: &str| SourceError::Stream { address: address(), problem: problem.into() };
        let unit = |segment| self.unit_of(stream_time(segment, pts), pts);
        let Some((t, dated, damage)) = sample.segment().and_then(unit) else {
            if !self.live {
                return Err(wrong("picture of no known unit"));
            }
            self.shared.lock().counts.disordered += 1;
            return Ok(None);
        };
        let damage = damage.or(corrupted.then_some(Damage::Concealed));
        let Dated { captured_at, clock, steady } = dated;
        Ok(Some(Picture { frame, t, pts, captured_at, steady, clock, damage }))
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
