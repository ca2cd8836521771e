//! The loop of one camera: a picture comes in, vehicles and lamps are seen, the rules are asked,
//! and what they accuse leaves with the pixels and bits that show it. Live and replay run exactly
//! this; nothing in here looks at a wall clock.

mod accuse;
mod candidate;
pub mod eyes;
pub mod listener;
mod plates;
mod sight;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use contract::manifest::{ClockSource, ModelUsed};
use contract::{Digest, Rule};
use plate_model::{BBox, Detection, View};

use crate::accusation::{Accusation, Clip, Span};
use crate::config::{Camera, Light};
use crate::evidence::clip::MAX_PICTURES;
use crate::health::{CameraHandle, CameraState};
use crate::rules::{self, Doubt, Finding, Scene, Verdict};
use crate::see::appearance::Appearance;
use crate::see::lamp::Lamp;
use crate::see::road::Road;
use crate::see::track::{Sighting, Track};
use crate::see::tracker::Tracker;
use crate::see::{Nanos, seconds};
use crate::source::Picture;
use candidate::Candidate;
use eyes::{Eyes, Pool};
use listener::Listener;
pub use plates::Wanted;
pub use sight::clock_words;
use sight::{Seen, Sight};

/// Shown after the vehicle was past the line.
const CLIP_AFTER: Nanos = seconds(2.0);
/// Shown before it crossed.
const CLIP_BEFORE: Nanos = seconds(3.0);
/// Encoded stream that must be kept: the longest way from the line to a decision, and the clip.
const KEEP: Nanos = seconds(40.0);
/// Encoded stream that must be kept for `camera`: where a stop counts only after minutes, the way to
/// a decision is as much longer.
pub fn keep(camera: &Camera) -> Nanos {
    KEEP + seconds(camera.stop_seconds)
}

/// Room for one clip of the largest size while its end is still to come.
pub const KEEP_BYTES: usize = 2 * MAX_PICTURES;

/// Where the clip comes from.
pub trait Clips {
    /// The encoded stream that shows `span`.
    fn clip(&self, span: &Span) -> Option<Clip>;
}

impl Clips for crate::source::Pipeline {
    fn clip(&self, span: &Span) -> Option<Clip> {
        crate::source::Pipeline::clip(self, span)
    }
}

/// What a camera's loop found.
#[derive(Debug)]
pub struct Accused {
    pub accusation: Accusation,
    /// Stream time of the crossing, between frames.
    pub crossed_at: Nanos,
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
    finding: Finding,
    /// The picture after which it was found.
    found_at: Nanos,
    track: Track,
    candidate: Candidate,
    /// Cut as soon as it is complete: the recording is kept only so long.
    clip: Option<Clip>,
}

/// One camera's eyes, memory and judgement.
pub struct Watch<E: Eyes> {
    camera: Arc<Camera>,
    device: String,
    config_digest: Digest,
    models: Vec<ModelUsed>,
    plates_per_frame: usize,
    wanted: Wanted,
    listeners: Vec<Box<dyn Listener>>,
    eyes: Arc<Pool<E>>,
    board: CameraHandle,
    out: Box<dyn FnMut(Accused) + Send>,
    tracker: Tracker,
    lamps: Vec<Lamp>,
    sight: Sight,
    road: Option<(u32, u32, Road)>,
    epoch: u32,
    candidates: BTreeMap<u64, Candidate>,
    waiting: Vec<Waiting>,
}

/// What a camera's loop needs to know besides the camera.
#[derive(Debug, Clone)]
pub struct Context {
    pub device: String,
    pub models: Vec<ModelUsed>,
    /// Most plates looked for in one picture.
    pub plates_per_frame: usize,
    pub wanted: Wanted,
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
        Self {
            config_digest: camera.digest(),
            lamps: camera.lamps.iter().map(Lamp::new).collect(),
            sight: Sight::new(camera.analysed_fps),
            camera,
            device: context.device,
            models: context.models,
            plates_per_frame: context.plates_per_frame,
            wanted: context.wanted,
            listeners: Vec::new(),
            tracker: Tracker::new(eyes.tracking(), 1),
            eyes,
            board,
            out: Box::new(out),
            road: None,
            epoch: 0,
            candidates: BTreeMap::new(),
            waiting: Vec::new(),
        }
    }

    /// Tells `listener` too, from now on.
    pub fn listen(&mut self, listener: Box<dyn Listener>) {
        self.listeners.push(listener);
    }

    /// Takes in one picture.
    pub fn look(&mut self, picture: &Picture, clips: &dyn Clips) {
        let size = (picture.frame.width(), picture.frame.height());
        let same = self.road.as_ref().is_some_and(|(w, h, _)| (*w, *h) == size);
        if !same || self.epoch != picture.clock.epoch {
            self.begin(picture, size);
        }
        match self.sight.look(picture) {
            Seen::Clear => {}
            Seen::After { blind_since } => self.lose_sight(blind_since, clips),
            Seen::Nothing { since, why } => {
                self.lose_sight(since, clips);
                self.board.dropped(why.name(), 1);
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
        for (lamp, drawn) in self.lamps.iter_mut().zip(&self.camera.lamps) {
            lamp.look(picture.t, &picture.frame.planes(), drawn);
        }
        let ended = {
            let pool = Arc::clone(&self.eyes);
            let mut eyes = pool.take();
            let sightings = self.vehicles(&mut eyes, picture);
            let step = self.tracker.step(picture.t, &sightings);
            self.trace(picture, &sightings);
            for listener in &mut self.listeners {
                listener.picture(picture, &sightings, self.tracker.tracks());
            }
            self.keep_shots(picture);
            self.read_plates(&mut eyes, picture);
            step.ended
        };
        self.judge_all(picture.t, &ended, Ended::Seen);
        self.release(picture.t, false, clips);
        metrics::gauge!("edge_tracks", "camera" => self.camera.id.clone())
            .set(self.tracker.tracks().len() as f64);
        self.board.frame(picture.captured_at);
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
        for Waiting { finding, track, candidate, .. } in late {
            let candidate = self.candidates.entry(track.id).or_insert(candidate);
            candidate
                .decided
                .retain(|rule| *rule != finding.rule && !finding.rule.included().contains(rule));
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
        self.candidates.clear();
        let (complete, open): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|w| w.clip.is_some());
        if !open.is_empty() {
            self.board.dropped("accusation_interrupted", open.len() as u64);
        }
        for waiting in complete {
            self.hand_on(waiting);
        }
        self.sight = Sight::new(self.camera.analysed_fps);
        self.road = None;
    }

    /// A new size or clock epoch: nothing seen before is comparable.
    fn begin(&mut self, picture: &Picture, (width, height): (u32, u32)) {
        if let Some((w, h, _)) = &self.road {
            tracing::warn!(
                camera = self.camera.id,
                from = format!("{w}x{h}, epoch {}", self.epoch),
                to = format!("{width}x{height}, epoch {}", picture.clock.epoch),
                "picture size or clock changed, tracks start anew"
            );
            self.board.dropped("tracks_restarted", self.tracker.tracks().len() as u64);
        }
        self.interrupted();
        self.road = Some((width, height, Road::new(&self.camera, width, height)));
        self.epoch = picture.clock.epoch;
        self.tracker = Tracker::new(self.eyes.tracking(), self.tracker.next_id());
        self.lamps = self.camera.lamps.iter().map(Lamp::new).collect();
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
        let (width, height) = (picture.frame.width(), picture.frame.height());
        let region = |[x, y, w, h]: [f32; 4]| {
            let (fw, fh) = (width as f32, height as f32);
            BBox::new(x * fw, y * fh, (x + w) * fw, (y + h) * fh).region(width, height)
        };
        let view = View {
            part: self.camera.detect.and_then(region),
            closer: self.camera.closer.and_then(region),
        };
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
            self.road.as_ref().is_some_and(|(.., road)| road.masked(&found.bbox))
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
            let beyond = self.road.as_ref().map_or(0.0, |(.., road)| road.stop.beyond(bbox.foot()));
            tracing::trace!(
                track = track.id,
                class = track.class().name(),
                score = track.last().score,
                confirmed = track.confirmed,
                foot = ?bbox.foot(),
                size = ?(bbox.width(), bbox.height()),
                beyond,
                doubts = track.doubts.len(),
                "seen"
            );
        }
    }

    /// Whether a crossing now could be a violation: red or amber shown, or nothing readable.
    fn tense(&self, t: Nanos) -> bool {
        self.lamps
            .iter()
            .filter(|lamp| !lamp.arrow)
            .any(|lamp| lamp.history.at(t).is_none_or(|stretch| stretch.light != Light::Green))
    }

    fn keep_shots(&mut self, picture: &Picture) {
        let Some((.., road)) = &self.road else { return };
        let tense = self.tense(picture.t);
        let seen = |track: &&Track| track.last().t == picture.t;
        let present: Vec<BBox> =
            self.tracker.tracks().iter().filter(seen).map(|track| track.last().bbox).collect();
        for track in self.tracker.tracks() {
            let candidate = self
                .candidates
                .entry(track.id)
                .or_insert_with(|| Candidate::new(self.eyes.fusion(track.class())));
            candidate.fusion.set_vehicle(track.class());
            if track.last().t == picture.t {
                candidate.see(track, road, picture, tense, &present);
            }
        }
        let alive = |id: &u64| self.tracker.tracks().iter().any(|track| track.id == *id);
        // Tracks that just ended are judged before their candidates go.
        self.candidates.retain(|id, candidate| alive(id) || candidate.fresh(picture.t));
    }

    fn read_plates(&mut self, eyes: &mut E, picture: &Picture) {
        let Some((.., road)) = &self.road else { return };
        let calm = !self.tense(picture.t) && self.candidates.values().all(|c| c.on.is_none());
        if calm && self.wanted == Wanted::Suspects {
            return;
        }
        let chosen = plates::choose(
            self.tracker.tracks(),
            &self.candidates,
            road,
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

    /// Asks every rule about every track; those in `ended` are over, all for the reason given.
    fn judge_all(&mut self, now: Nanos, ended: &[Track], why: Ended) {
        let Some((.., road)) = &self.road else { return };
        let camera = Arc::clone(&self.camera);
        let scene = Scene { camera: &camera, road, lamps: &self.lamps, now, ended: false };
        let alive = self.tracker.tracks().iter().filter(|t| t.confirmed).map(|t| (t, false));
        let mut found = Vec::new();
        for (track, ended) in alive.chain(ended.iter().map(|track| (track, true))) {
            let Some(candidate) = self.candidates.get_mut(&track.id) else { continue };
            for &rule in &camera.rules {
                if candidate.decided.contains(&rule) {
                    continue;
                }
                let verdict = rules::judge(rule, track, &Scene { ended, ..scene });
                let beyond = || road.stop.beyond(track.last().bbox.foot()) >= 0.0;
                match verdict {
                    Verdict::Pending => continue,
                    // What it did from there on was not seen: neither that it is lawful nor another
                    // doubt is the reason.
                    Verdict::Lawful(_) | Verdict::Abstained(_)
                        if why == Ended::SightLost && beyond() =>
                    {
                        abstain(&camera, track, rule, Doubt::SightLost);
                    }
                    Verdict::Lawful(reason) => tracing::debug!(
                        camera = camera.id,
                        track = %track,
                        rule = rule.name(),
                        reason = reason.name(),
                        "lawful"
                    ),
                    Verdict::Abstained(doubt) => abstain(&camera, track, rule, doubt),
                    Verdict::Violation(finding) => {
                        // One passage is one act: what is less than this one is not asked any more.
                        candidate.decided.extend(rule.included());
                        found.push(Waiting {
                            finding,
                            found_at: now,
                            track: track.clone(),
                            candidate: candidate.clone(),
                            clip: None,
                        });
                    }
                }
                candidate.decided.push(rule);
            }
        }
        for track in ended {
            let Some(candidate) = self.candidates.remove(&track.id) else { continue };
            for listener in &mut self.listeners {
                listener.ended(track, candidate.looks, &candidate.fusion.verdict());
            }
        }
        for graver in found {
            self.replace_lesser(&graver);
            self.waiting.push(graver);
        }
    }

    /// Takes back what is included in an act of the same vehicle that was found later.
    fn replace_lesser(&mut self, graver: &Waiting) {
        let lesser = graver.finding.rule.included();
        let camera = Arc::clone(&self.camera);
        self.waiting.retain(|waiting| {
            let included =
                waiting.track.id == graver.track.id && lesser.contains(&waiting.finding.rule);
            if included {
                abstain(&camera, &waiting.track, waiting.finding.rule, Doubt::GraverAct);
            }
            !included
        });
    }

    /// Whether the vehicle may yet do what includes this act: then its accusation waits.
    fn may_get_graver(&self, waiting: &Waiting) -> bool {
        let candidate = self.candidates.get(&waiting.track.id);
        candidate.is_some_and(|candidate| {
            self.camera.rules.iter().any(|rule| {
                rule.included().contains(&waiting.finding.rule) && !candidate.decided.contains(rule)
            })
        })
    }

    /// Hands out accusations whose clip is complete and whose vehicle has done what it will, or all
    /// of them where nothing will be seen beyond `now` that belongs to them.
    fn release(&mut self, now: Nanos, all: bool, clips: &dyn Clips) {
        for mut waiting in std::mem::take(&mut self.waiting) {
            // Reading goes on while the vehicle is in sight and the clip runs.
            if waiting.clip.is_none()
                && let Some(candidate) = self.candidates.get(&waiting.track.id)
            {
                waiting.candidate.fusion = candidate.fusion.clone();
                waiting.candidate.close_up.clone_from(&candidate.close_up);
            }
            let until = waiting.finding.past.saturating_add(CLIP_AFTER);
            if waiting.clip.is_none() && (all || now >= until) {
                let Finding { before, at, past, .. } = waiting.finding;
                let from = at.saturating_sub(CLIP_BEFORE).min(before);
                let span = Span { from, moments: [before, at, past], to: until.min(now) };
                waiting.clip = clips.clip(&span);
            }
            let more = now < until || waiting.clip.is_some() && self.may_get_graver(&waiting);
            if more && !all {
                self.waiting.push(waiting);
            } else {
                self.hand_on(waiting);
            }
        }
    }

    fn hand_on(&mut self, waiting: Waiting) {
        match self.accuse(&waiting) {
            Ok(accused) => {
                let violation = &accused.accusation.violation;
                tracing::info!(
                    camera = self.camera.id,
                    track = violation.track,
                    rule = violation.rule.name(),
                    vehicle = violation.vehicle.name(),
                    reason = violation.reason,
                    "violation"
                );
                metrics::counter!("edge_accusations_total",
                    "camera" => self.camera.id.clone(), "rule" => violation.rule.name())
                .increment(1);
                (self.out)(accused);
            }
            Err(doubt) => abstain(&self.camera, &waiting.track, waiting.finding.rule, doubt),
        }
    }
}

fn abstain(camera: &Camera, track: &Track, rule: Rule, doubt: Doubt) {
    tracing::debug!(
        camera = camera.id,
        %track,
        rule = rule.name(),
        reason = doubt.name(),
        "abstained"
    );
    metrics::counter!("edge_abstentions_total",
        "camera" => camera.id.clone(), "rule" => rule.name(), "reason" => doubt.name())
    .increment(1);
}

impl<E: Eyes> crate::source::supervise::Watcher for Watch<E> {
    fn picture(&mut self, picture: Picture, source: &crate::source::Pipeline) {
        self.look(&picture, source);
    }

    fn interrupted(&mut self) {
        Self::interrupted(self);
    }
}
