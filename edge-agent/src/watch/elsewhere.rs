//! Passages at the cameras of one agent: who passed where ways begin is kept, with the picture, until
//! nobody could have been too fast any more. Shared by the cameras' threads.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::MomentRole;
use contract::manifest::{Clock, ClockSource};
use judge::Scene;
use judge::track::Passed;
use time::OffsetDateTime;

use super::Watch;
use super::candidate::{Candidate, Kept, compressed};
use super::eyes::Eyes;
use crate::accusation::{Origin, Shot};
use crate::config::Camera;
use crate::see::track::Track;

/// Most passages kept at once, of all cameras; each holds a compressed picture.
const MOST: usize = 256;
/// So much longer than can matter passages are kept: who is judged now passed a moment ago.
const SLACK: Duration = Duration::from_secs(60);
/// How far the time of a picture that is dated by its arrival may lie from when it was taken.
const ON_THE_WAY: Duration = Duration::from_millis(500);
/// Clocks of two cameras that go apart by more than their sources say, and this, have stepped.
const MOST_APART: Duration = Duration::from_secs(1);

/// A passage with the picture that shows it.
#[derive(Debug, Clone)]
pub struct Begun {
    pub passed: Passed,
    pub shot: Shot,
    pub origin: Origin,
    /// The capture time less the same on the clock that never steps, nanoseconds.
    pub steps: Option<i128>,
}

impl Begun {
    /// As it is to be seen where clocks stand at `steps`, known to `known`: what they have stepped
    /// since, or go apart, is not known of the time between. None where that is too much.
    fn seen_from(self: &Arc<Self>, steps: Option<i128>, known: Duration) -> Option<Arc<Self>> {
        let (Some(then), Some(now)) = (self.steps, steps) else { return Some(Arc::clone(self)) };
        let apart = Duration::from_nanos(u64::try_from(then.abs_diff(now)).unwrap_or(u64::MAX));
        let unexplained = apart.saturating_sub(known + known_to(&self.origin.clock));
        if unexplained > MOST_APART {
            metrics::counter!("edge_passages_undated_total").increment(1);
            tracing::warn!(
                camera = self.passed.camera,
                apart_s = apart.as_secs_f64(),
                "clocks stepped between two cameras: a passage is let go"
            );
            return None;
        }
        let mut seen = Self::clone(self);
        let wrong = self.passed.known_to() + unexplained;
        seen.passed.known_to_ms =
            u32::try_from(wrong.as_micros().div_ceil(1000)).unwrap_or(u32::MAX);
        Some(Arc::new(seen))
    }
}

/// Every passage that a way may have begun with.
#[derive(Debug, Default)]
pub struct Passages(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    /// Cameras at which ways begin, and how long passages there are kept.
    kept_for: BTreeMap<String, Duration>,
    /// In the order in which they were told.
    kept: VecDeque<Arc<Begun>>,
}

impl Passages {
    pub fn of<'a>(cameras: impl IntoIterator<Item = &'a Arc<Camera>> + Clone) -> Self {
        let passages = Self::default();
        passages.keep_for(cameras);
        passages
    }

    /// From now on for the ways that these cameras end. Who passed at one that was set up otherwise, or
    /// is no more, passed another line: that is forgotten.
    pub fn keep_for<'a>(&self, cameras: impl IntoIterator<Item = &'a Arc<Camera>> + Clone) {
        let same = |begun: &Begun| {
            cameras.clone().into_iter().any(|camera| camera.text() == begun.origin.camera.text())
        };
        self.book().kept.retain(|begun| same(begun));
        let mut kept_for: BTreeMap<String, Duration> = BTreeMap::new();
        for rule in cameras.into_iter().flat_map(|camera| &camera.site.rules) {
            if let Some((from, longest)) = rule.begins_at() {
                let kept = kept_for.entry(from.to_owned()).or_default();
                *kept = longest.max(*kept);
            }
        }
        self.book().kept_for = kept_for;
    }

    /// Whether ways begin at this camera.
    fn begin_at(&self, camera: &str) -> bool {
        self.book().kept_for.contains_key(camera)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Plain values: a panicked holder left them whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a passage, unless no way begins there.
    fn note(&self, begun: Begun) {
        let kept = &mut self.book().kept;
        kept.push_back(Arc::new(begun));
        while kept.len() > MOST {
            kept.pop_front();
            metrics::counter!("edge_passages_forgotten_total").increment(1);
        }
        metrics::gauge!("edge_passages").set(kept.len() as f64);
    }

    /// The passages of a vehicle with this plate, asked where ways end, at the time there: who passed
    /// too long ago is forgotten. `clock` is what the clocks there have stepped and are known to.
    pub fn of_plate(
        &self,
        plate: &str,
        now: OffsetDateTime,
        (steps, known_to): (Option<i128>, Duration),
    ) -> Vec<Arc<Begun>> {
        let Book { kept_for, kept } = &mut *self.book();
        kept.retain(|begun| {
            let longest = kept_for.get(&begun.passed.camera);
            longest.is_some_and(|longest| now - begun.passed.at <= *longest + SLACK)
        });
        let of_plate = kept.iter().filter(|begun| begun.passed.plate == plate);
        of_plate.filter_map(|begun| begun.seen_from(steps, known_to)).collect()
    }
}

/// How exactly `clock` is known.
pub fn known_to(clock: &Clock) -> Duration {
    let offset = Duration::from_millis(clock.offset_ms.unwrap_or(0).unsigned_abs());
    offset + if clock.source == ClockSource::Arrival { ON_THE_WAY } else { Duration::ZERO }
}

impl<E: Eyes> Watch<E> {
    /// Takes note of where a track that is over passed, if other cameras may have to know.
    pub(super) fn note_passage(&self, track: &Track, candidate: &Candidate, scene: &Scene<'_>) {
        if !self.passages.begin_at(&self.camera.id) {
            return;
        }
        for rule in &self.camera.site.rules {
            let Some((at, exact)) = rule.timed(track, scene) else { continue };
            let reading = candidate.fusion.verdict().reading();
            let plate = reading.and_then(|reading| reading.text);
            let taken = candidate.shot(&rule.act(), MomentRole::End);
            let (Some(plate), Some(at), Some(Kept { shot, clock, .. })) =
                (plate, scene.captured(at), taken)
            else {
                tracing::debug!(camera = self.camera.id, %track, "passed with no plate or time");
                metrics::counter!("edge_passages_unknown_total",
                    "camera" => self.camera.id.clone())
                .increment(1);
                continue;
            };
            let exact = exact + known_to(clock);
            self.passages.note(Begun {
                passed: Passed {
                    camera: self.camera.id.clone(),
                    plate,
                    class: track.class,
                    at,
                    known_to_ms: u32::try_from(exact.as_millis()).unwrap_or(u32::MAX),
                },
                shot: compressed(shot.clone()),
                origin: Origin { camera: Arc::clone(&self.camera), clock: clock.clone() },
                steps: self.steps,
            });
        }
    }
}
