//! Truth and tracks of the same pictures, side by side.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result};
use plate_model::BBox;
use plate_model::assign::assign;
use serde::Deserialize;

use super::SAME;
use super::log::Log;

/// Smaller things need not be followed: longer side in pixels.
const LEAST_SIDE: f32 = 40.0;
/// Vehicles of which less is to be seen need not be followed.
const LEAST_VISIBLE: f32 = 0.3;

/// A vehicle in a picture.
#[derive(Debug, Clone)]
pub struct Thing {
    pub id: u64,
    pub bbox: BBox,
}

/// What really was where.
#[derive(Debug, Default)]
pub struct Truth {
    /// Seconds, things, and whether each must be followed.
    moments: Vec<(f64, Vec<(Thing, bool)>)>,
    /// Plates by vehicle, where they are known.
    pub plates: HashMap<u64, String>,
}

#[derive(Deserialize)]
struct World {
    vehicles: Vec<Vehicle>,
    #[serde(default)]
    frames: Vec<Moment>,
}

#[derive(Deserialize)]
struct Vehicle {
    id: u64,
    plate: String,
}

#[derive(Deserialize)]
struct Moment {
    t: f64,
    vehicles: Vec<Drawn>,
}

#[derive(Deserialize)]
struct Drawn {
    id: u64,
    /// Pixels.
    bounds: [f32; 4],
    visible: f32,
}

impl Truth {
    /// The truth of a rendered world.
    pub fn read(path: &Path) -> Result<Self> {
        let name = || path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(name)?;
        let world: World = serde_json::from_str(&text).with_context(name)?;
        anyhow::ensure!(
            !world.frames.is_empty(),
            "{} has no frames: render it with --truth-frames",
            path.display()
        );
        let thing = |drawn: Drawn| {
            let [x1, y1, x2, y2] = drawn.bounds;
            let bbox = BBox::new(x1, y1, x2, y2);
            let counts = large(&bbox) && drawn.visible >= LEAST_VISIBLE;
            (Thing { id: drawn.id, bbox }, counts)
        };
        let moment = |m: Moment| (m.t, m.vehicles.into_iter().map(thing).collect());
        Ok(Self {
            moments: world.frames.into_iter().map(moment).collect(),
            plates: world.vehicles.into_iter().map(|v| (v.id, v.plate)).collect(),
        })
    }

    /// What a log's confirmed tracks saw; what it saw strongly must be followed.
    pub fn of_log(log: &Log) -> Self {
        let confirmed = log.confirmed();
        let moments = log.pictures.iter().map(|picture| {
            let kept = picture.tracks.iter().filter(|track| confirmed.contains(&track.id));
            let things = kept.map(|track| {
                let bbox = pixels(track.bbox, picture.width, picture.height);
                (Thing { id: track.id, bbox }, track.strong && large(&bbox))
            });
            (picture.t, things.collect())
        });
        Self { moments: moments.collect(), plates: HashMap::new() }
    }

    /// The moment nearest to `t`, at most 30 ms away.
    fn at(&self, t: f64) -> Option<&[(Thing, bool)]> {
        let after = self.moments.partition_point(|(at, _)| *at < t);
        let near = after.saturating_sub(1)..(after + 1).min(self.moments.len());
        let distance = |i: &usize| (self.moments[*i].0 - t).abs();
        let nearest = near.min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        (distance(&nearest) <= 0.03).then(|| self.moments[nearest].1.as_slice())
    }
}

fn large(bbox: &BBox) -> bool {
    bbox.width().max(bbox.height()) >= LEAST_SIDE
}

fn pixels([x1, y1, x2, y2]: [f32; 4], width: f32, height: f32) -> BBox {
    BBox::new(x1 * width, y1 * height, x2 * width, y2 * height)
}

/// One analysed picture.
#[derive(Debug)]
pub struct Picture {
    pub t: f64,
    /// What had to be followed.
    pub truth: Vec<Thing>,
    /// What was followed and has to do with it.
    pub found: Vec<Thing>,
}

impl Picture {
    /// Intersection over union of every truth (rows) with everything found.
    pub fn overlaps(&self) -> Vec<Vec<f32>> {
        let row = |truth: &Thing| self.found.iter().map(|f| truth.bbox.iou(&f.bbox)).collect();
        self.truth.iter().map(row).collect()
    }
}

/// Every analysed picture of a recording.
#[derive(Debug)]
pub struct Scene {
    pub pictures: Vec<Picture>,
}

impl Scene {
    /// Tracks on vehicles that need not be followed count neither for nor against.
    pub fn new(truth: &Truth, log: &Log) -> Result<Self> {
        let confirmed = log.confirmed();
        let mut pictures = Vec::new();
        for picture in &log.pictures {
            let Some(things) = truth.at(picture.t) else { continue };
            let kept = picture.tracks.iter().filter(|track| confirmed.contains(&track.id));
            let found: Vec<Thing> = kept
                .map(|track| {
                    let bbox = pixels(track.bbox, picture.width, picture.height);
                    Thing { id: track.id, bbox }
                })
                .collect();
            let row = |(thing, _): &(Thing, bool)| {
                found.iter().map(|f| thing.bbox.iou(&f.bbox)).collect::<Vec<f32>>()
            };
            let overlaps: Vec<Vec<f32>> = things.iter().map(row).collect();
            let mut owner = vec![None; found.len()];
            for (i, j) in assign(&overlaps, SAME).into_iter().enumerate() {
                if let Some(j) = j {
                    owner[j] = Some(i);
                }
            }
            let matters = |j: usize, bbox: &BBox| match owner[j] {
                Some(i) => things[i].1,
                None => large(bbox),
            };
            pictures.push(Picture {
                t: picture.t,
                truth: things
                    .iter()
                    .filter(|(_, counts)| *counts)
                    .map(|(t, _)| t.clone())
                    .collect(),
                found: found
                    .iter()
                    .enumerate()
                    .filter(|(j, thing)| matters(*j, &thing.bbox))
                    .map(|(_, thing)| thing.clone())
                    .collect(),
            });
        }
        anyhow::ensure!(!pictures.is_empty(), "no picture has the time of a picture of the truth");
        Ok(Self { pictures })
    }

    /// How many pictures show each truth.
    pub fn truths(&self) -> BTreeMap<u64, usize> {
        count(self.pictures.iter().flat_map(|picture| &picture.truth))
    }

    /// In how many pictures each track was found.
    pub fn tracks(&self) -> BTreeMap<u64, usize> {
        count(self.pictures.iter().flat_map(|picture| &picture.found))
    }

    /// The vehicle that each track overlaps most often.
    pub fn owners(&self) -> HashMap<u64, u64> {
        let mut votes: BTreeMap<(u64, u64), usize> = BTreeMap::new();
        for picture in &self.pictures {
            for (i, row) in picture.overlaps().iter().enumerate() {
                for (j, _) in row.iter().enumerate().filter(|(_, overlap)| **overlap >= SAME) {
                    *votes.entry((picture.found[j].id, picture.truth[i].id)).or_default() += 1;
                }
            }
        }
        let mut best: HashMap<u64, (usize, u64)> = HashMap::new();
        for ((track, truth), votes) in votes {
            let kept = best.entry(track).or_insert((votes, truth));
            if votes > kept.0 {
                *kept = (votes, truth);
            }
        }
        best.into_iter().map(|(track, (_, truth))| (track, truth)).collect()
    }
}

fn count<'a>(things: impl Iterator<Item = &'a Thing>) -> BTreeMap<u64, usize> {
    let mut counts = BTreeMap::new();
    for thing in things {
        *counts.entry(thing.id).or_default() += 1;
    }
    counts
}
