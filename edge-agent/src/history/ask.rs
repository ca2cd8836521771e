//! Reads the history for one camera and one moment: who was there and where, what every rule said,
//! how the camera was, and what is not known. Reads while the agent writes, or a copied folder.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::VehicleClass;
use contract::manifest::ClockSource;
use serde::Serialize;
use time::OffsetDateTime;

use super::frame::{Line, Lines};
use super::path::place_at;
use super::record::{Followed, Millis, Record, State, Word};
use super::recorder::millis;
use super::{segments, words};
use crate::evidence::caption::VIETNAM;

/// Most vehicles told of.
const MOST: usize = 500;

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("no history at {}: {source}; is [history] dir the folder, has the agent run?", .dir.display())]
    Folder { dir: PathBuf, source: io::Error },
    #[error("{}: {source}", .path.display())]
    Segment { path: PathBuf, source: io::Error },
    #[error("the history knows no camera {wanted:?}, only: {}", .known.join(", "))]
    NoSuchCamera { wanted: String, known: Vec<String> },
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    pub camera: &'a str,
    pub at: OffsetDateTime,
    pub within: Duration,
}

/// What is known.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    pub camera: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub within_s: f64,
    pub vehicles: Vec<Vehicle>,
    /// More were there than are told.
    pub left_out: usize,
    /// How the camera was, in the order of time.
    pub states: Vec<Stretch>,
    /// What the history lacks of the time asked about, in words.
    pub lacking: Vec<String>,
    /// First and last time that anything of this camera is known.
    #[serde(with = "time::serde::rfc3339::option")]
    pub known_from: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub known_to: Option<OffsetDateTime>,
}

/// One vehicle that was there.
#[derive(Debug, Clone, Serialize)]
pub struct Vehicle {
    pub track: u64,
    pub class: VehicleClass,
    #[serde(with = "time::serde::rfc3339")]
    pub begin: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub end: OffsetDateTime,
    pub clock: ClockSource,
    pub offset_ms: Option<i64>,
    pub seen: u32,
    pub clear_percent: u8,
    /// It was followed at the time asked about, not only next to it.
    pub present: bool,
    /// Where it was then, or nearest to then; 0 to 1 of the picture.
    pub place: Option<[f64; 2]>,
    pub path: Vec<[f64; 2]>,
    pub said: Vec<Said>,
}

/// What one rule said.
#[derive(Debug, Clone, Serialize)]
pub struct Said {
    pub rule: String,
    #[serde(flatten)]
    pub word: Word,
    /// The same in words.
    pub words: String,
}

/// How the camera was for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stretch {
    pub state: String,
    pub words: String,
    #[serde(with = "time::serde::rfc3339")]
    pub from: OffsetDateTime,
    /// None where it lasts, as far as is known.
    #[serde(with = "time::serde::rfc3339::option")]
    pub to: Option<OffsetDateTime>,
}

/// Asks the history in `dir`.
pub fn ask(dir: &Path, question: &Question<'_>) -> Result<Answer, AskError> {
    let folder = |source| AskError::Folder { dir: dir.into(), source };
    let within = Millis::try_from(question.within.as_millis()).unwrap_or(Millis::MAX / 4);
    let at = millis(question.at);
    let mut heard = Heard {
        camera: question.camera,
        span: (at.saturating_sub(within), at.saturating_add(within)),
        vehicles: Vec::new(),
        left_out: 0,
        turns: Vec::new(),
        lacking: Vec::new(),
        known: None,
        cameras: BTreeSet::new(),
    };
    for segment in segments::list(dir).map_err(folder)? {
        heard
            .segment(&segment)
            .map_err(|source| AskError::Segment { path: segment.path, source })?;
    }
    heard.answer(question)
}

/// What was heard on the way through the segments.
struct Heard<'a> {
    camera: &'a str,
    span: (Millis, Millis),
    vehicles: Vec<Followed>,
    left_out: usize,
    /// States of the camera, and starts of the agent, in the order of writing.
    turns: Vec<Turn>,
    lacking: Vec<String>,
    known: Option<(Millis, Millis)>,
    cameras: BTreeSet<String>,
}

enum Turn {
    To(State),
    Started(Millis),
}

impl Heard<'_> {
    fn segment(&mut self, segment: &segments::Segment) -> io::Result<()> {
        let file = match File::open(&segment.path) {
            // Deleted for its age meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let (mut damaged, mut unfinished) = (0, false);
        for line in Lines::new(BufReader::with_capacity(64 * 1024, file)) {
            match line? {
                Line::Whole(text) => match serde_json::from_str(&text) {
                    Ok(record) => self.hear(record),
                    // Of another version.
                    Err(_) => damaged += 1,
                },
                Line::Damaged => damaged += 1,
                Line::Unfinished => unfinished = true,
            }
        }
        let name = &segment.name;
        if damaged > 0 {
            self.lacking.push(format!("{name}: {damaged} lines are torn or damaged"));
        }
        if unfinished {
            self.lacking.push(format!("{name}: its last line is not whole"));
        }
        Ok(())
    }

    fn hear(&mut self, record: Record) {
        let (first, last) = self.span;
        match record {
            Record::Track(track) => {
                if !self.of_camera(&track.camera) {
                    return;
                }
                self.know(track.begin, track.end);
                if track.begin <= last && first <= track.end {
                    if self.vehicles.len() < MOST {
                        self.vehicles.push(track);
                    } else {
                        self.left_out += 1;
                    }
                }
            }
            Record::State(state) => {
                if self.of_camera(&state.camera) {
                    self.know(state.at, state.at);
                    self.turns.push(Turn::To(state));
                }
            }
            Record::Started { at, .. } => self.turns.push(Turn::Started(at)),
            Record::Missed { from, to, records, why } => {
                if from <= last && first <= to {
                    self.lacking.push(format!(
                        "from {} to {} nothing was written, {records} records are missing: {why}",
                        clock(from),
                        clock(to)
                    ));
                }
            }
        }
    }

    fn of_camera(&mut self, camera: &str) -> bool {
        if camera != self.camera && !self.cameras.contains(camera) {
            self.cameras.insert(camera.to_owned());
        }
        camera == self.camera
    }

    fn know(&mut self, from: Millis, to: Millis) {
        let (first, last) = self.known.unwrap_or((from, to));
        self.known = Some((first.min(from), last.max(to)));
    }

    fn answer(mut self, question: &Question<'_>) -> Result<Answer, AskError> {
        if self.known.is_none() && !self.cameras.is_empty() {
            return Err(AskError::NoSuchCamera {
                wanted: self.camera.into(),
                known: self.cameras.into_iter().collect(),
            });
        }
        let states = stretches(&self.turns, self.span);
        let at = millis(question.at);
        match self.known {
            None => self.lacking.push("nothing is kept of any camera".into()),
            Some((first, _)) if self.span.1 < first => self.lacking.push(format!(
                "what is kept of this camera begins at {}, after the time asked about",
                clock(first)
            )),
            Some((_, last)) if self.span.0 > last && self.vehicles.is_empty() => {
                self.lacking.push(format!(
                    "the last that is known of this camera is of {}, before the time asked about",
                    clock(last)
                ));
            }
            Some(_) => {}
        }
        self.vehicles.sort_by_key(|track| (track.begin, track.track));
        Ok(Answer {
            camera: self.camera.into(),
            at: question.at.to_offset(VIETNAM),
            within_s: question.within.as_secs_f64(),
            vehicles: self.vehicles.into_iter().map(|track| vehicle(track, at)).collect(),
            left_out: self.left_out,
            states,
            lacking: self.lacking,
            known_from: self.known.map(|(first, _)| dated(first)),
            known_to: self.known.map(|(_, last)| dated(last)),
        })
    }
}

fn vehicle(track: Followed, at: Millis) -> Vehicle {
    let said = track.said.into_iter().map(|(rule, word)| {
        let words = match &word {
            Word::Lawful(kind) => words::lawful(kind).unwrap_or(kind).to_owned(),
            Word::Doubt(kind) => words::doubt(kind).unwrap_or(kind).to_owned(),
            Word::Accused { reason, .. } => reason.clone(),
        };
        Said { rule, word, words }
    });
    Vehicle {
        track: track.track,
        class: track.class,
        begin: dated(track.begin),
        end: dated(track.end),
        clock: track.clock,
        offset_ms: track.offset_ms,
        seen: track.seen,
        clear_percent: track.clear,
        present: track.begin <= at && at <= track.end,
        place: place_at(&track.path, at.saturating_sub(track.begin)),
        path: track.path.iter().map(|place| place.point()).collect(),
        said: said.collect(),
    }
}

/// The states that reach into `span`, each until the next, or until the agent began anew.
fn stretches(turns: &[Turn], (first, last): (Millis, Millis)) -> Vec<Stretch> {
    let mut states: Vec<(Millis, Option<Millis>, Stretch)> = Vec::new();
    let mut current: Option<&State> = None;
    for turn in turns {
        match turn {
            // Said again where a segment begins.
            Turn::To(state) if current == Some(state) => {}
            Turn::To(state) => {
                if let Some(before) = current.replace(state) {
                    states.push(stretch(before, Some(state.at)));
                }
            }
            &Turn::Started(at) => {
                if let Some(before) = current.take() {
                    states.push(stretch(before, Some(at)));
                }
                let words = "the agent was started; how long it had been down is not known";
                let (state, words) = ("restarted".into(), words.into());
                let (from, to) = (dated(at), Some(dated(at)));
                states.push((at, Some(at), Stretch { state, words, from, to }));
            }
        }
    }
    states.extend(current.map(|state| stretch(state, None)));
    let reaches = |(from, to, _): &(Millis, Option<Millis>, Stretch)| {
        *from <= last && to.is_none_or(|to| first <= to)
    };
    states.into_iter().filter(reaches).map(|(.., stretch)| stretch).collect()
}

fn stretch(state: &State, to: Option<Millis>) -> (Millis, Option<Millis>, Stretch) {
    let colon = if state.detail.is_empty() { "" } else { ": " };
    let told = Stretch {
        words: format!("{}{colon}{}", words::state(&state.state), state.detail),
        state: state.state.clone(),
        from: dated(state.at),
        to: to.map(dated),
    };
    (state.at, to, told)
}

fn dated(at: Millis) -> OffsetDateTime {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000);
    // No time that was ever written.
    time.unwrap_or(OffsetDateTime::UNIX_EPOCH).to_offset(VIETNAM)
}

fn clock(at: Millis) -> String {
    super::tell::moment(dated(at))
}

#[cfg(test)]
mod tests;
