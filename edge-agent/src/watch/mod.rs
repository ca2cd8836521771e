//! The loop of one camera: a picture comes in, vehicles and lamps are seen, the rules are asked,
//! and what they accuse leaves with the pixels and bits that show it. Live and replay run exactly
//! this; nothing in here looks at a wall clock.

mod accuse;
mod candidate;
mod clips;
mod company;
mod develop;
pub mod elsewhere;
pub mod eyes;
mod ground;
mod lamps;
mod legible;
pub mod listener;
mod plates;
mod sight;
mod verdicts;

#[cfg(test)]
mod judged;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use contract::manifest::{ClockSource, ModelUsed};
use contract::{Act, Digest};
use judge::lamp::Lamp;
use judge::rules::Elsewhere;
use judge::{Attention, Finding, Scene};
use plate_model::{BBox, Detection, Frame, Region, View};

use crate::accusation::{Accusation, Clip};
use crate::config::Camera;
use crate::evidence::caption::VIETNAM;
use crate::health::{CameraHandle, CameraState};
use crate::pace::Pace;
use crate::see::Nanos;
use crate::see::appearance::Appearance;
use crate::see::lamp::{self, LampReader};
use crate::see::track::{Sighting, Track};
use crate::see::tracker::Tracker;
use crate::source::Picture;
use crate::wire::Check;
use candidate::Candidate;
use clips::{CLIP_AFTER, CLIP_BEFORE};
pub use clips::{Clips, KEEP_BYTES, keep};
use company::Company;
pub use develop::{Negative, Undeveloped, develop};
use elsewhere::{Begun, Passages};
use eyes::{Eyes, Pool};
use ground::Ground;
use legible::Legible;
use listener::Listener;
pub use plates::Wanted;
pub use sight::clock_words;
use sight::{Seen, Sight};
use time::OffsetDateTime;
use verdicts::includes;

/// What a camera's loop found.
#[derive(Debug)]
pub struct Accused {
    pub accusation: Accusation,
    /// Stream time of the crossing, between frames.
    pub crossed_at: Nanos,
    /// Where its pictures are still to be taken from the clip.
    pub negative: Option<Box<Negative>>,
}

/// Why tracks are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// They left the picture or were lost in it.
    Seen,
    /// Nothing more was seen of anybody.
    SightLost,
}

/// An accusation that waits for the clip to run on, and for what the vehicle does next.
struct Waiting {
    /// The rule that found it, by its own act.
    rule: Act,
    finding: Finding,
    /// What the verdict stood on.
    basis: Bytes,
    /// The passage at another camera at which it began.
    begun: Option<Arc<Begun>>,
    /// The picture after which it was found.
    found_at: Nanos,
    track: Track,
    candidate: Candidate,
    /// Cut as soon as it is complete: the recording is kept only so long.
    clip: Option<Clip>,
}

/// The part of a picture that is analysed for a camera.
pub fn view(camera: &Camera, frame: &Frame) -> View {
    let (width, height) = (frame.width(), frame.height());
    let region = |[x, y, w, h]: [f32; 4]| {
        let (fw, fh) = (width as f32, height as f32);
        Region::touched(&BBox::new(x * fw, y * fh, (x + w) * fw, (y + h) * fh), width, height)
    };
    View { part: camera.detect.and_then(region), closer: camera.closer.and_then(region) }
}

/// One camera's eyes, memory and judgement.
pub struct Watch<E: Eyes> {
    camera: Arc<Camera>,
    device: String,
    /// The configuration as evidence holds it, and its digest.
    config: String,
    config_digest: Digest,
    models: Vec<ModelUsed>,
    plates_per_frame: usize,
    wanted: Wanted,
    passages: Arc<Passages>,
    listeners: Vec<Box<dyn Listener>>,
    eyes: Arc<Pool<E>>,
    board: CameraHandle,
    pace: Arc<Pace>,
    /// How long it waited for networks and had them, for the latest picture.
    lent: (Duration, Duration),
    out: Box<dyn FnMut(Accused) + Send>,
    tracker: Tracker,
    company: Company,
    lamp_readers: Vec<LampReader>,
    lamps: Vec<Lamp>,
    /// What lamps are held against, in their order; nothing in a replay.
    wires: Vec<Option<Check>>,
    sight: Sight,
    ground: Option<Ground>,
    epoch: u32,
    /// A capture time and its stream time, where the clock is known, and how exactly it is.
    dated: Option<(OffsetDateTime, Nanos)>,
    known_to: Duration,
    /// The capture time less the same on the clock that never steps, nanoseconds.
    steps: Option<i128>,
    legible: Legible,
    candidates: BTreeMap<u64, Candidate>,
    waiting: Vec<Waiting>,
}

/// A camera's own view, and what was drawn on it.
#[derive(Debug)]
pub struct KnownView {
    drawn: Digest,
    scenery: crate::see::scenery::Scenery,
}

/// What a camera's loop needs to know besides the camera.
#[derive(Debug, Clone)]
pub struct Context {
    pub device: String,
    pub models: Vec<ModelUsed>,
    /// Most plates looked for in one picture.
    pub plates_per_frame: usize,
    pub wanted: Wanted,
    /// What the agent's cameras know of each other.
    pub passages: Arc<Passages>,
}

impl<E: Eyes> std::fmt::Debug for Watch<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("camera", &self.camera.id).finish_non_exhaustive()
    }
}

impl<E: Eyes> Watch<E> {
    /// `out` takes every accusation; it may block, then pictures are dropped and counted, never
    /// accusations.
    pub fn new(
        camera: Arc<Camera>,
        context: Context,
        eyes: Arc<Pool<E>>,
        board: CameraHandle,
        out: impl FnMut(Accused) + Send + 'static,
    ) -> Self {
        let config = camera.text();
        Self {
            config_digest: Digest::of(config.as_bytes()),
            config,
            lamp_readers: camera.lamps.iter().map(LampReader::new).collect(),
            lamps: camera.lamps.iter().map(lamp::unseen).collect(),
            wires: Vec::new(),
            sight: Sight::new(camera.analysed_fps.least),
            pace: Pace::fixed(camera.analysed_fps.most),
            lent: (Duration::ZERO, Duration::ZERO),
            company: Company::new(
                camera.site.rules.iter().map(|rule| rule.company()).max().unwrap_or(0),
            ),
            camera,
            device: context.device,
            models: context.models,
            plates_per_frame: context.plates_per_frame,
            wanted: context.wanted,
            passages: context.passages,
            listeners: Vec::new(),
            tracker: Tracker::new(eyes.tracking(), 1),
            eyes,
            board,
            out: Box::new(out),
            ground: None,
            epoch: 0,
            dated: None,
            known_to: Duration::ZERO,
            steps: None,
            legible: Legible::default(),
            candidates: BTreeMap::new(),
            waiting: Vec::new(),
        }
    }

    pub fn camera_id(&self) -> &str {
        &self.camera.id
    }

    /// Tells `listener` too, from now on.
    pub fn listen(&mut self, listener: Box<dyn Listener>) {
        self.listeners.push(listener);
    }

    /// How often the camera is looked at.
    pub fn go_by(&mut self, pace: Arc<Pace>) {
        self.pace = pace;
    }

    /// What it knows of the camera's own view, for the watch that comes after it.
    pub fn view(&mut self) -> KnownView {
        KnownView { drawn: self.camera.drawn(), scenery: self.sight.take_scenery() }
    }

    /// Goes by what another knew, where it was drawn on the same view. A camera that is drawn anew is
    /// where it should be.
    pub fn recall(&mut self, known: KnownView) {
        if known.drawn == self.camera.drawn() {
            self.sight.recall(known.scenery);
        }
    }

    /// Takes in one picture.
    pub fn look(&mut self, picture: &Picture, clips: &dyn Clips) {
        let size = [picture.frame.width(), picture.frame.height()];
        let same = self.ground.as_ref().is_some_and(|ground| ground.size == size);
        if !same || self.epoch != picture.clock.epoch {
            self.begin(picture, size);
        }
        let seen = self.sight.look(picture);
        self.pace.still(self.sight.is_still());
        match seen {
            Seen::Clear => {}
            Seen::After { blind_since } => self.lose_sight(blind_since, clips),
            Seen::Nothing { since, why } => {
                self.lose_sight(since, clips);
                self.board.dropped(why.name(), 1);
                self.board.shows(why.sight(), &picture.clock);
                for listener in &mut self.listeners {
                    listener.picture(picture, &[], &[]);
                }
                match why.trouble() {
                    Some((state, words)) => self.board.state(state, words),
                    None => {
                        self.show(picture);
                        self.board.frame(picture.captured_at);
                    }
                }
                return;
            }
        }
        self.show(picture);
        self.board.shows("clear", &picture.clock);
        let known = picture.clock.source != ClockSource::Unknown;
        self.dated = known.then(|| (picture.captured_at.to_offset(VIETNAM), picture.t));
        self.known_to = elsewhere::known_to(&picture.clock);
        self.steps = picture
            .steady
            .map(|steady| picture.captured_at.unix_timestamp_nanos() - steady.as_nanos() as i128);
        self.read_lamps(picture);
        let ended = {
            let pool = Arc::clone(&self.eyes);
            let idle = |candidate: &Candidate| candidate.attention == Attention::Idle;
            let asked = Instant::now();
            let mut eyes = pool.take(!self.candidates.values().all(idle));
            let lent = Instant::now();
            let sightings = self.vehicles(&mut eyes, picture);
            let step = self.tracker.step(picture.t, &sightings);
            self.company.see(picture.t, self.tracker.tracks());
            let seen = |track: &&Track| track.confirmed && track.last().t == picture.t;
            if let Some(track) = self.tracker.tracks().iter().rfind(seen) {
                self.board.vehicle(track.class, picture.captured_at);
            }
            self.trace(picture, &sightings);
            for listener in &mut self.listeners {
                listener.picture(picture, &sightings, self.tracker.tracks());
            }
            self.keep_shots(picture, clips.is_pair());
            if !clips.is_pair() {
                self.read_plates(&mut eyes, picture);
            }
            self.lent = (lent - asked, lent.elapsed());
            step.ended
        };
        self.judge_all(picture.t, &ended, Ended::Seen);
        self.release(picture.t, false, clips);
        clips.need(self.needed_from(picture.t));
        metrics::gauge!("edge_tracks", "camera" => self.camera.id.clone())
            .set(self.tracker.tracks().len() as f64);
        self.board.frame(picture.captured_at);
    }

    /// Where the earliest clip may begin that what is followed now may yet need.
    fn needed_from(&self, now: Nanos) -> Nanos {
        let kept = self.candidates.values().filter_map(Candidate::since);
        let waiting = self.waiting.iter().filter(|waiting| waiting.clip.is_none());
        let waiting = waiting.map(|waiting| waiting.finding.span().0.min(waiting.finding.at));
        let first = kept.chain(waiting).min().unwrap_or(now);
        first.saturating_sub(CLIP_BEFORE + CLIP_AFTER)
    }

    /// The stream is over: decides what is open with what there is.
    pub fn finish(&mut self, clips: &dyn Clips) {
        if let Some(since) = self.sight.in_question() {
            self.lose_sight(since, clips);
        }
        let now = self.tracker.tracks().iter().map(|track| track.last().t).max().unwrap_or(0);
        let ended = self.tracker.finish();
        let confirmed: Vec<Track> = ended.into_iter().filter(|track| track.confirmed).collect();
        self.judge_all(now, &confirmed, Ended::Seen);
        self.release(Nanos::MAX, true, clips);
        self.candidates.clear();
    }

    /// Nothing after `since` was truly seen: what was followed is judged by what it had done until
    /// then, as if it had left the picture, and lamps are unknown until they are seen again.
    fn lose_sight(&mut self, since: Nanos, clips: &dyn Clips) {
        for lamp in &mut self.lamps {
            lamp.history.sever(since);
        }
        let mut tracks = self.tracker.finish();
        let (known, late): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(|waiting| waiting.found_at <= since);
        self.waiting = known;
        // What was found in pictures that show nothing has to be found again without them.
        for Waiting { rule, finding, track, candidate, .. } in late {
            let candidate = self.candidates.entry(track.id).or_insert(candidate);
            let includes = |other: &Act| includes(&self.camera, &finding.act, other);
            candidate.decided.retain(|act| *act != rule && !includes(act));
            if tracks.iter().all(|other| other.id != track.id) {
                tracks.push(track);
            }
        }
        let tracks = tracks.into_iter().filter(|track| track.confirmed);
        let tracks: Vec<Track> = tracks.filter_map(|track| track.until(since)).collect();
        self.judge_all(since, &tracks, Ended::SightLost);
        self.release(since, true, clips);
        self.candidates.clear();
    }

    /// The connection broke: what was followed is lost, and with it the clip. What was complete and
    /// only waited for the vehicle to go on is all that will ever be known of it.
    pub fn interrupted(&mut self) {
        let (complete, open): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|w| w.clip.is_some());
        if !open.is_empty() {
            self.board.dropped("accusation_interrupted", open.len() as u64);
        }
        let mut followed = self.tracker.finish();
        followed.retain(|track| track.confirmed);
        self.lose(&followed, &open);
        self.candidates.clear();
        for waiting in complete {
            self.hand_on(waiting);
        }
        self.sight.reconnected();
        self.ground = None;
    }

    /// A new size or clock epoch: nothing seen before is comparable.
    fn begin(&mut self, picture: &Picture, size: [u32; 2]) {
        if let Some(Ground { size: [w, h], .. }) = self.ground {
            let [width, height] = size;
            tracing::warn!(
                camera = self.camera.id,
                from = format!("{w}x{h}, epoch {}", self.epoch),
                to = format!("{width}x{height}, epoch {}", picture.clock.epoch),
                "picture size or clock changed, tracks start anew"
            );
            self.board.dropped("tracks_restarted", self.tracker.tracks().len() as u64);
        }
        self.interrupted();
        self.ground = Some(Ground::new(&self.camera, size));
        self.epoch = picture.clock.epoch;
        self.tracker = Tracker::new(self.eyes.tracking(), self.tracker.next_id());
        self.company.forget();
        self.begin_lamps();
    }

    fn show(&self, picture: &Picture) {
        if picture.clock.source == ClockSource::Unknown {
            self.board.state(CameraState::ClockUnknown, clock_words(&picture.clock));
        } else {
            self.board.state(CameraState::Streaming, "");
        }
    }

    fn vehicles(&self, eyes: &mut E, picture: &Picture) -> Vec<Sighting> {
        let started = Instant::now();
        let view = view(&self.camera, &picture.frame);
        let planes = picture.frame.planes();
        let found = match eyes.vehicles(&planes, &view) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(camera = self.camera.id, %error, "detection failed");
                self.board.dropped("inference_failed", 1);
                Vec::new()
            }
        };
        metrics::histogram!("edge_inference_seconds", "model" => "vehicles")
            .record(started.elapsed().as_secs_f64());
        let masked = |found: &Detection| {
            self.ground.as_ref().is_some_and(|ground| ground.masked(&found.bbox))
        };
        found
            .into_iter()
            .filter(|found| !masked(found))
            .map(|found| Sighting {
                bbox: found.bbox,
                class: found.class,
                score: found.score,
                appearance: Appearance::of(&planes, &found.bbox),
            })
            .collect()
    }

    /// For drawing sites and tuning: RUST_LOG=edge_agent::watch=trace.
    fn trace(&self, picture: &Picture, sightings: &[Sighting]) {
        if !tracing::enabled!(tracing::Level::TRACE) {
            return;
        }
        let lamps: Vec<_> =
            self.lamps.iter().map(|l| l.history.at(picture.t).map(|s| s.light)).collect();
        tracing::trace!(t = picture.t as f64 / 1e9, ?lamps, seen = sightings.len(), "picture");
        for track in self.tracker.tracks().iter().filter(|track| track.last().t == picture.t) {
            let bbox = track.last().bbox;
            let road = self.ground.as_ref().and_then(|ground| ground.road.as_ref());
            let beyond = road.map(|road| road.stop.beyond(bbox.foot()));
            tracing::trace!(
                track = track.id,
                class = track.class.name(),
                score = track.score,
                confirmed = track.confirmed,
                foot = ?bbox.foot(),
                size = ?(bbox.width(), bbox.height()),
                ?beyond,
                doubts = track.doubts.len(),
                "seen"
            );
        }
    }

    /// What the rules may look at beside a track, as of `now`.
    fn scene<'a>(&'a self, ground: &'a Ground, now: Nanos) -> Scene<'a> {
        Scene {
            road: ground.road.as_ref(),
            lamps: &self.lamps,
            company: self.company.all(),
            elsewhere: Elsewhere { known_to: self.known_to, ..Elsewhere::default() },
            size: ground.size,
            now,
            captured_at: self
                .dated
                .map(|(at, t)| at + Duration::from_nanos(now) - Duration::from_nanos(t)),
            ended: false,
        }
    }

    fn keep_shots(&mut self, picture: &Picture, places: bool) {
        let Some(ground) = &self.ground else { return };
        let mut candidates = std::mem::take(&mut self.candidates);
        let scene = self.scene(ground, picture.t);
        let seen = |track: &&Track| track.last().t == picture.t;
        let tracks = self.tracker.tracks();
        let present: Vec<BBox> =
            tracks.iter().filter(seen).map(|track| track.last().bbox).collect();
        let rules = &self.camera.site.rules;
        for track in tracks {
            let new = || Candidate::new(self.eyes.fusion(track.class), rules);
            let candidate = candidates.entry(track.id).or_insert_with(new);
            candidate.fusion.set_vehicle(track.class);
            if track.last().t == picture.t {
                candidate.see(track, &scene, rules, picture, &present);
                if places {
                    candidate.place(picture.t, track.last().bbox, &present);
                }
            }
        }
        let alive = |id: &u64| tracks.iter().any(|track| track.id == *id);
        // Tracks that just ended are judged before their candidates go.
        candidates.retain(|id, candidate| alive(id) || candidate.fresh(picture.t));
        self.candidates = candidates;
    }

    fn read_plates(&mut self, eyes: &mut E, picture: &Picture) {
        let idle = |candidate: &Candidate| candidate.attention == Attention::Idle;
        if self.candidates.values().all(idle) && self.wanted == Wanted::Suspects {
            return;
        }
        let chosen = plates::choose(
            self.tracker.tracks(),
            &self.candidates,
            picture.t,
            self.wanted,
            self.plates_per_frame,
        );
        let (width, height) = (picture.frame.width() as f32, picture.frame.height() as f32);
        let part = self.camera.detect.map(|[x, y, w, h]| {
            BBox::new(x * width, y * height, (x + w) * width, (y + h) * height)
        });
        let started = Instant::now();
        let read = chosen.len();
        for (id, bbox) in chosen {
            let Some(candidate) = self.candidates.get_mut(&id) else { continue };
            let present = self
                .tracker
                .tracks()
                .iter()
                .filter(|track| track.confirmed && track.last().t == picture.t);
            let others: Vec<BBox> =
                present.filter(|track| track.id != id).map(|track| track.last().bbox).collect();
            match plates::look(eyes, candidate, picture, bbox, &others, part.as_ref()) {
                Ok(Some(read)) => {
                    for listener in &mut self.listeners {
                        listener.look(picture, &read.told(id, bbox, &candidate.fusion));
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(camera = self.camera.id, %error, "plate reading failed");
                    self.board.dropped("inference_failed", 1);
                }
            }
        }
        if read > 0 {
            metrics::histogram!("edge_inference_seconds", "model" => "plates")
                .record(started.elapsed().as_secs_f64() / read as f64);
        }
    }
}

impl<E: Eyes> crate::source::supervise::Watcher for Watch<E> {
    fn picture(&mut self, picture: Picture, source: &crate::source::Source) {
        let began = Instant::now();
        self.look(&picture, source);
        let (waited, eyes) = std::mem::take(&mut self.lent);
        self.pace.worked(began.elapsed(), waited, eyes);
    }

    fn interrupted(&mut self) {
        Self::interrupted(self);
    }
}
