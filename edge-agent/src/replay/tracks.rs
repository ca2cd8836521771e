//! What the tracker did, as JSON lines: a `picture` line an analysed picture (all detections, and
//! the tracks found in it), a `plate` line a look at a plate, a `track` line a track that is over
//! (its gaps, its doubts, and what its plate was read as or why not). `plate-eval tracks` scores it.
//!
//! Times are seconds of the stream; boxes are left, top, right, bottom, 0 to 1.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use contract::VehicleClass;
use plate_model::{BBox, Verdict};
use serde::Serialize;

use super::round;
use crate::see::track::{Sighting, Track};
use crate::see::{Nanos, SECOND};
use crate::source::Picture;
use crate::watch::listener::{Listener, Look};

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Picture { t: f64, width: u32, height: u32, seen: Vec<Seen>, tracks: Vec<Followed> },
    Plate { t: f64, track: u64, corners: [[f64; 2]; 4], weight: f64, alone: Reading },
    Track(Over),
}

/// A detection as the tracker got it.
#[derive(Serialize)]
struct Seen {
    class: VehicleClass,
    score: f64,
    #[serde(rename = "box")]
    bbox: [f64; 4],
}

/// A track found in this picture.
#[derive(Serialize)]
struct Followed {
    id: u64,
    class: VehicleClass,
    #[serde(rename = "box")]
    bbox: [f64; 4],
    score: f64,
    strong: bool,
    confirmed: bool,
    /// It may have been taken for another vehicle in this very picture.
    doubt: bool,
}

#[derive(Serialize)]
struct Over {
    id: u64,
    class: VehicleClass,
    from: f64,
    to: f64,
    sightings: usize,
    clarity: f64,
    /// From, to: out of sight in between.
    gaps: Vec<[f64; 2]>,
    doubts: Vec<f64>,
    /// Looks at its plate, with or without one found.
    looks: u32,
    /// All looks together.
    plate: Reading,
}

#[derive(Serialize)]
struct Reading {
    /// The accepted number.
    text: Option<String>,
    /// The most probable characters, accepted or not.
    raw: String,
    confidence: f64,
    frames: u32,
    /// Why there is no number.
    doubt: Option<String>,
}

impl From<&Verdict> for Reading {
    fn from(verdict: &Verdict) -> Self {
        Self {
            text: verdict.text.clone(),
            raw: verdict.raw.clone(),
            confidence: round(f64::from(verdict.confidence), 4),
            frames: verdict.frames,
            doubt: verdict.doubt.as_ref().map(ToString::to_string),
        }
    }
}

/// Writes the lines; the first failure is kept until asked for.
#[derive(Debug)]
pub struct TrackLog {
    out: BufWriter<File>,
    failed: Option<io::Error>,
}

impl TrackLog {
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { out: BufWriter::new(File::create(path)?), failed: None })
    }

    /// Everything written, or why not.
    pub fn finish(&mut self) -> io::Result<()> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }

    fn write(&mut self, line: &Line) {
        if self.failed.is_none() {
            let written = serde_json::to_writer(&mut self.out, line).map_err(io::Error::from);
            self.failed = written.and_then(|()| self.out.write_all(b"\n")).err();
        }
    }
}

impl Listener for TrackLog {
    fn picture(&mut self, picture: &Picture, sightings: &[Sighting], tracks: &[Track]) {
        let (width, height) = (picture.frame.width(), picture.frame.height());
        let size = (width, height);
        let seen = sightings.iter().map(|seen| Seen {
            class: seen.class,
            score: round(f64::from(seen.score), 3),
            bbox: share(&seen.bbox, size),
        });
        let found = tracks.iter().filter(|track| track.last().t == picture.t);
        let followed = found.map(|track| Followed {
            id: track.id,
            class: track.class,
            bbox: share(&track.last().bbox, size),
            score: round(f64::from(track.score), 3),
            strong: track.last().strong,
            confirmed: track.confirmed,
            doubt: track.doubts.last() == Some(&picture.t),
        });
        let line = Line::Picture {
            t: second(picture.t),
            width,
            height,
            seen: seen.collect(),
            tracks: followed.collect(),
        };
        self.write(&line);
    }

    fn look(&mut self, picture: &Picture, look: &Look<'_>) {
        let (width, height) = (picture.frame.width() as f32, picture.frame.height() as f32);
        let part = |of: f32, whole: f32| round(f64::from(of / whole), 5);
        self.write(&Line::Plate {
            t: second(picture.t),
            track: look.track,
            corners: look.quad.corners.map(|[x, y]| [part(x, width), part(y, height)]),
            weight: round(f64::from(look.weight), 4),
            alone: Reading::from(&look.alone),
        });
    }

    fn ended(&mut self, track: &Track, looks: u32, fused: &Verdict) {
        let (from, to) = (track.path[0].t, track.last().t);
        let quality = track.quality(from, to);
        self.write(&Line::Track(Over {
            id: track.id,
            class: track.class,
            from: second(from),
            to: second(to),
            sightings: quality.sightings,
            clarity: round(f64::from(quality.clarity), 3),
            gaps: track.gaps.iter().map(|gap| [second(gap.from), second(gap.to)]).collect(),
            doubts: track.doubts.iter().map(|t| second(*t)).collect(),
            looks,
            plate: Reading::from(fused),
        }));
    }
}

fn second(t: Nanos) -> f64 {
    round(t as f64 / SECOND as f64, 3)
}

fn share(bbox: &BBox, (width, height): (u32, u32)) -> [f64; 4] {
    let (w, h) = (width as f32, height as f32);
    [bbox.x1 / w, bbox.y1 / h, bbox.x2 / w, bbox.y2 / h].map(|part| round(f64::from(part), 5))
}
