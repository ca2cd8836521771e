//! A drawing that is not saved yet, tried on the traffic that was kept: the agent's own loop looks at
//! the same pictures once more, with what the detector found in them, and the rules are asked. Nothing
//! is sealed, nothing leaves: what would have been accused is listed, and why the others were not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use contract::{Act, VehicleClass};
use plate_model::{BBox, Characters, Detection, Fusion, Planes, PlateQuad, Verdict, View};
use serde::Serialize;

use super::live::{Tape, smaller};
use crate::accusation::{Accusation, Clip, Span};
use crate::boxes::Turn;
use crate::clock::System;
use crate::config::Camera;
use crate::evidence::{frames, overlay};
use crate::health::Board;
use crate::see::track::{Sighting, Track};
use crate::source::{Picture, SourceError, rewind};
use crate::watch::eyes::{Eyes, Pool};
use crate::watch::listener::{Listener, Look, Said};
use crate::watch::{Clips, Context, Wanted, Watch};

/// Longest trial.
const LONGEST: Duration = Duration::from_secs(180);
/// Accusations listed, each with a picture.
const MOST: usize = 40;
const WIDTH: u32 = 800;

/// What would have become of the traffic.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    pub accused: Vec<Would>,
    /// Accusations beyond those listed.
    pub more: usize,
    pub unaccused: Vec<Count>,
    pub tracks: usize,
    pub pictures: usize,
    /// Traffic tried, seconds.
    pub seconds: f64,
    /// The time was up before the end.
    pub cut_short: bool,
}

/// One that would have been accused.
#[derive(Debug, Clone, Serialize)]
pub struct Would {
    pub act: Act,
    pub vehicle: VehicleClass,
    pub track: u64,
    /// Seconds from the first picture tried.
    pub at: f64,
    /// The act in the words of the caption.
    pub caption: String,
    pub reason: String,
    pub plate_read: bool,
    #[serde(skip)]
    pub picture: Bytes,
}

/// How many were not accused of an act for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    pub act: String,
    pub reason: &'static str,
    pub count: usize,
}

/// Why a trial gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    #[error("the kept stream cannot be decoded: {0}")]
    Source(#[from] SourceError),
}

/// Sees what was seen before, and reads plates anew.
struct Recalled<E: Eyes> {
    pool: Arc<Pool<E>>,
    vehicles: Arc<Mutex<Vec<Detection>>>,
}

impl<E: Eyes> Eyes for Recalled<E> {
    fn vehicles(&mut self, _: &Planes<'_>, _: &View) -> plate_model::Result<Vec<Detection>> {
        Ok(std::mem::take(&mut *self.vehicles.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn plate(
        &mut self,
        planes: &Planes<'_>,
        bbox: BBox,
    ) -> plate_model::Result<Option<(PlateQuad, Characters)>> {
        self.pool.take(false).plate(planes, bbox)
    }

    fn fusion(&self, class: VehicleClass) -> Fusion {
        self.pool.fusion(class)
    }
}

/// Cuts no clip: nobody will see one.
struct Uncut;

impl Clips for Uncut {
    fn clip(&self, _: &Span) -> Option<Clip> {
        let caps = String::new();
        Some(Clip { caps, units: Vec::new(), turn: Turn::NONE, reencoded: false, larger: None })
    }
}

/// Counts those who are not accused.
#[derive(Default)]
struct Tally {
    /// Why not, by track and rule; none of who is accused.
    said: BTreeMap<(u64, String), Option<&'static str>>,
    /// Who was followed; one may end twice.
    tracks: BTreeSet<u64>,
}

impl Listener for Tally {
    fn picture(&mut self, _: &Picture, _: &[Sighting], _: &[Track]) {}

    fn look(&mut self, _: &Picture, _: &Look<'_>) {}

    fn ended(&mut self, track: &Track, _: u32, _: &Verdict) {
        self.tracks.insert(track.id);
    }

    fn decided(&mut self, track: &Track, rule: &Act, said: &Said<'_>) {
        let why = match said {
            Said::Lawful(kind) => Some(kind.name()),
            Said::Abstained(doubt) => Some(doubt.name()),
            Said::Accused(_) => None,
        };
        self.said.insert((track.id, rule.name().to_owned()), why);
    }
}

/// Tries `camera`'s drawing on `tape`; `done` counts the pictures.
pub fn run<E: Eyes>(
    camera: &Arc<Camera>,
    tape: Tape,
    pool: &Arc<Pool<E>>,
    done: &AtomicUsize,
) -> Result<Outcome, TrialError> {
    let Tape { clip, seen } = tape;
    let first = seen.first().map_or(0, |seen| seen.t);
    let last = seen.last().map_or(0, |seen| seen.t);
    let wanted: BTreeSet<u64> = seen.iter().map(|seen| seen.t).collect();
    let mut seen: BTreeMap<u64, _> = seen.into_iter().map(|seen| (seen.t, seen)).collect();

    let vehicles: Arc<Mutex<Vec<Detection>>> = Arc::default();
    let recalled = Recalled { pool: Arc::clone(pool), vehicles: Arc::clone(&vehicles) };
    let eyes = Arc::new(Pool::new(recalled, Vec::new(), pool.tracking()));
    let board = Board::new(Arc::new(System::default())).camera(&camera.id);
    let context = Context {
        device: "trial".into(),
        models: Vec::new(),
        plates_per_frame: 4,
        wanted: Wanted::Suspects,
        passages: Arc::default(),
    };
    let found: Arc<Mutex<(Vec<Would>, usize)>> = Arc::default();
    let inbox = Arc::clone(&found);
    let mut watch = Watch::new(Arc::clone(camera), context, eyes, board, move |accused| {
        let mut inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
        if inbox.0.len() < MOST {
            let at = accused.crossed_at.saturating_sub(first) as f64 / 1e9;
            inbox.0.push(would(&accused.accusation, at));
        } else {
            inbox.1 += 1;
        }
    });
    let tally: Arc<Mutex<Tally>> = Arc::default();
    watch.listen(Box::new(Arc::clone(&tally)));

    let until = Instant::now() + LONGEST;
    let mut pictures = 0;
    let mut reached = first;
    rewind::pictures(&clip, &wanted, |unit, frame| {
        let Some(seen) = seen.remove(&unit.pts_ns).filter(|_| Instant::now() < until) else {
            return;
        };
        *vehicles.lock().unwrap_or_else(PoisonError::into_inner) = seen.vehicles;
        let picture = Picture {
            frame,
            t: seen.t,
            pts: seen.pts,
            captured_at: seen.captured_at,
            steady: seen.steady,
            clock: seen.clock,
            damage: seen.damage,
        };
        watch.look(&picture, &Uncut);
        reached = seen.t;
        pictures += 1;
        done.store(pictures, Ordering::Relaxed);
    })?;
    watch.finish(&Uncut);
    drop(watch);

    let (accused, more) =
        std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
    let tally = std::mem::take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner));
    let mut counts: BTreeMap<(String, &'static str), usize> = BTreeMap::new();
    for ((_, rule), why) in tally.said {
        if let Some(why) = why {
            *counts.entry((rule, why)).or_default() += 1;
        }
    }
    let mut unaccused: Vec<Count> =
        counts.into_iter().map(|((act, reason), count)| Count { act, reason, count }).collect();
    unaccused.sort_by(|a, b| (&a.act, b.count).cmp(&(&b.act, a.count)));
    Ok(Outcome {
        accused,
        more,
        unaccused,
        tracks: tally.tracks.len(),
        pictures,
        seconds: (reached - first) as f64 / 1e9,
        cut_short: reached < last && Instant::now() >= until,
    })
}

/// What is shown of an accusation; its picture is made now, and its frames are let go.
fn would(accusation: &Accusation, at: f64) -> Would {
    let violation = &accusation.violation;
    let site = &accusation.camera.site;
    let rule = site.rule(&violation.act);
    let main = accusation.moments.iter().find(|taken| taken.role == accusation.main);
    let rgb = main.and_then(|taken| frames::open(&taken.shot.pixels).ok());
    let picture = rgb.and_then(|rgb| smaller(&overlay::draw(accusation, &rgb), WIDTH));
    Would {
        act: violation.act.clone(),
        vehicle: violation.vehicle,
        track: violation.track,
        at,
        caption: rule.map_or_else(String::new, |rule| rule.caption(&violation.facts)),
        reason: violation.reason.clone(),
        plate_read: accusation.plate.as_ref().is_some_and(|plate| plate.text.is_some()),
        picture: picture.unwrap_or_default().into(),
    }
}
