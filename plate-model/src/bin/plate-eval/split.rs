//! What training never saw: `train/split.toml`, the one file that training reads as well.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;

/// Which pictures are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    All,
    /// What training holds out: whole scenes and cameras, never single pictures of a scene.
    Validation,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldOut {
    vehicles: Frames,
    plates: Plates,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Frames {
    cameras: BTreeSet<String>,
    disputed: Vec<Disputed>,
}

/// A place of a camera at which the labels are known to be wrong.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Disputed {
    camera: String,
    /// x, y, width, height in shares of the frame.
    region: [f32; 4],
    /// For people.
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plates {
    scenes: BTreeSet<String>,
    /// Domains of which the vehicles are held out whose text's CRC-32 is divisible by `every`.
    vehicles: BTreeSet<String>,
    every: u32,
}

/// Says of every picture whether it is scored.
#[derive(Debug)]
pub struct Split {
    which: Which,
    held_out: HeldOut,
}

impl Split {
    pub fn new(which: Which) -> Result<Self> {
        let held_out: HeldOut =
            toml::from_str(include_str!("../../../train/split.toml")).context("split.toml")?;
        anyhow::ensure!(held_out.plates.every > 0, "split.toml: plates.every is 0");
        Ok(Self { which, held_out })
    }

    pub fn name(&self) -> &'static str {
        match self.which {
            Which::All => "all",
            Which::Validation => "validation",
        }
    }

    pub fn has_camera(&self, camera: &str) -> bool {
        self.which == Which::All || self.held_out.vehicles.cameras.contains(camera)
    }

    /// Whether the labels of a camera are known to be wrong at a point, in shares of its frame.
    pub fn is_disputed(&self, camera: &str, [px, py]: [f32; 2]) -> bool {
        let here = self.held_out.vehicles.disputed.iter().filter(|place| place.camera == camera);
        here.map(|place| place.region)
            .any(|[x, y, w, h]| (x..x + w).contains(&px) && (y..y + h).contains(&py))
    }

    /// A crop counts by its own text.
    pub fn has_crop(&self, domain: &str, text: &str) -> bool {
        self.has_picture(domain, [text])
    }

    /// A picture counts by any of its plates' texts.
    pub fn has_picture<'a>(&self, domain: &str, texts: impl IntoIterator<Item = &'a str>) -> bool {
        let plates = &self.held_out.plates;
        let is_drawn = |text: &str| crc32fast::hash(text.as_bytes()).is_multiple_of(plates.every);
        self.which == Which::All
            || plates.scenes.contains(domain)
            || plates.vehicles.contains(domain) && texts.into_iter().any(is_drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vehicles_are_drawn_as_python_draws_them() {
        // The values of Python's `zlib.crc32`.
        assert_eq!(crc32fast::hash(b"29B112345"), 1_831_455_221);
        assert_eq!(crc32fast::hash(b"51F12344"), 97_138_800);
        let split = Split::new(Which::Validation).unwrap();
        assert!(!split.has_crop("tgmt", "29B112345"));
        assert!(split.has_crop("tgmt", "51F12344"));
        assert!(split.has_picture("tgmt", ["29B112345", "51F12344"]));
        assert!(!split.has_picture("tgmt", []));
    }

    #[test]
    fn disputed_places_are_of_one_held_out_camera() {
        let split = Split::new(Which::Validation).unwrap();
        assert!(split.is_disputed("dongha_leloi", [0.09, 0.59]));
        assert!(!split.is_disputed("dongha_leloi", [0.5, 0.59]));
        assert!(!split.is_disputed("hcmc_cam_02", [0.09, 0.59]));
        let places = &split.held_out.vehicles.disputed;
        assert!(places.iter().all(|place| split.held_out.vehicles.cameras.contains(&place.camera)));
        // Places, not large parts of a picture.
        assert!(places.iter().all(|Disputed { region: [.., w, h], .. }| w * h < 0.01));
    }

    #[test]
    fn scenes_are_held_out_whole_and_others_not_at_all() {
        let split = Split::new(Which::Validation).unwrap();
        assert!(split.has_crop("hung", "29B112345") && split.has_picture("hung", []));
        assert!(!split.has_crop("dieu", "51F12344"));
        assert!(split.has_camera("dongha_leloi") && !split.has_camera("dongha_tranphu_day"));
        let all = Split::new(Which::All).unwrap();
        assert!(all.has_crop("dieu", "29B112345") && all.has_camera("dongha_tranphu_day"));
    }
}
