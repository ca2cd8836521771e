//! The agent's track log as it is read here; it may hold more. Times in seconds, boxes left, top,
//! right, bottom, 0 to 1.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// The agent's rules believe in no vehicle that was out of sight for longer, seconds.
const FORGIVEN: f64 = 0.7;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Picture(Picture),
    Plate(Look),
    Track(Over),
}

#[derive(Debug, Deserialize)]
pub struct Picture {
    pub t: f64,
    pub width: f32,
    pub height: f32,
    pub tracks: Vec<Followed>,
}

#[derive(Debug, Deserialize)]
pub struct Followed {
    pub id: u64,
    #[serde(rename = "box")]
    pub bbox: [f32; 4],
    pub strong: bool,
    confirmed: bool,
    doubt: bool,
}

/// One look at a plate.
#[derive(Debug, Deserialize)]
pub struct Look {
    pub track: u64,
    pub weight: f64,
    pub alone: Reading,
}

/// A track that is over.
#[derive(Debug, Deserialize)]
pub struct Over {
    pub id: u64,
    /// From, to: out of sight in between.
    #[serde(default)]
    gaps: Vec<[f64; 2]>,
    pub plate: Reading,
}

#[derive(Debug, Deserialize)]
pub struct Reading {
    pub text: Option<String>,
    pub confidence: f64,
    pub frames: u32,
}

/// One recording as the tracker saw it.
#[derive(Debug, Default)]
pub struct Log {
    pub pictures: Vec<Picture>,
    pub looks: Vec<Look>,
    pub over: Vec<Over>,
}

impl Log {
    pub fn read(path: &Path) -> Result<Self> {
        let name = || path.display().to_string();
        let file = File::open(path).with_context(name)?;
        let mut log = Self::default();
        for (number, line) in BufReader::new(file).lines().enumerate() {
            let line = line.with_context(name)?;
            let line = serde_json::from_str(&line)
                .with_context(|| format!("{}:{}", path.display(), number + 1))?;
            match line {
                Line::Picture(picture) => log.pictures.push(picture),
                Line::Plate(look) => log.looks.push(look),
                Line::Track(over) => log.over.push(over),
            }
        }
        Ok(log)
    }

    /// Tracks that were confirmed at some time: they count from their first sighting, as they do for
    /// the rules.
    pub fn confirmed(&self) -> HashSet<u64> {
        let followed = self.pictures.iter().flat_map(|picture| &picture.tracks);
        followed.filter(|track| track.confirmed).map(|track| track.id).collect()
    }

    /// Whether between two moments, seconds, a track was doubted, or out of sight for so long that
    /// the rules would abstain.
    pub fn doubted(&self, id: u64, from: f64, to: f64) -> bool {
        let over = self.over.iter().find(|over| over.id == id);
        let mut gaps = over.into_iter().flat_map(|over| &over.gaps);
        if gaps.any(|[lost, back]| *back > from && *lost < to && back - lost > FORGIVEN) {
            return true;
        }
        let within = self.pictures.iter().filter(|picture| (from..=to).contains(&picture.t));
        within.flat_map(|picture| &picture.tracks).any(|track| track.id == id && track.doubt)
    }
}
