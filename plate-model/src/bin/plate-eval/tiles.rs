//! Contact sheets of frames: sixty at random and the thirty worst, with the vehicles found in
//! their class's colour, a stroke through false ones, and the missed ones in white.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use contract::VehicleClass;
use image::{Rgb, RgbImage, imageops};
use plate_model::{BBox, Detection, Frame, Point, Region, picture};

use crate::draw::{Colour, WHITE, line, outline};

/// Frames shown of either kind.
const RANDOM: usize = 60;
const WORST: usize = 30;
/// A frame with fewer vehicles is not among the worst: one mistake would be all of it.
const LEAST: usize = 3;
/// Frames side by side, rows of them, and a frame's width and height on the sheet.
const ACROSS: usize = 3;
const DOWN: usize = 4;
const TILE: (u32, u32) = (640, 384);

/// One frame at the shipped threshold.
pub struct Scored {
    pub path: PathBuf,
    /// What was found, and whether it is false.
    pub found: Vec<(Detection, bool)>,
    pub missed: Vec<BBox>,
    /// Labelled vehicles.
    pub vehicles: usize,
}

impl Scored {
    /// Mistakes as a share of what was found or should have been.
    fn badness(&self) -> f64 {
        let wrong = self.missed.len() + self.found.iter().filter(|(_, wrong)| *wrong).count();
        wrong as f64 / (self.found.len() + self.missed.len()).max(1) as f64
    }
}

/// Writes `random-N.jpg` and `worst-N.jpg`.
pub fn write(frames: &[Scored], folder: &Path) -> Result<()> {
    for (name, chosen) in [("random", random(frames)), ("worst", worst(frames))] {
        for (page, frames) in chosen.chunks(ACROSS * DOWN).enumerate() {
            let path = folder.join(format!("{name}-{}.jpg", page + 1));
            let sheet = page_of(frames)?;
            sheet.save(&path).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}

/// As if drawn by lot, but always the same: in the order of their names' checksums.
fn random(frames: &[Scored]) -> Vec<&Scored> {
    let lot = |scored: &&Scored| {
        crc32fast::hash(scored.path.file_name().unwrap_or_default().as_encoded_bytes())
    };
    let mut chosen: Vec<&Scored> = frames.iter().collect();
    chosen.sort_by_key(lot);
    chosen.truncate(RANDOM);
    chosen
}

fn worst(frames: &[Scored]) -> Vec<&Scored> {
    let mut chosen: Vec<&Scored> =
        frames.iter().filter(|scored| scored.vehicles >= LEAST && scored.badness() > 0.0).collect();
    chosen.sort_by(|a, b| b.badness().total_cmp(&a.badness()));
    chosen.truncate(WORST);
    chosen
}

fn page_of(frames: &[&Scored]) -> Result<RgbImage> {
    let rows = frames.len().div_ceil(ACROSS);
    let mut sheet = RgbImage::new(TILE.0 * ACROSS as u32, TILE.1 * rows as u32);
    for (i, scored) in frames.iter().enumerate() {
        let (x, y) = ((i % ACROSS) as u32 * TILE.0, (i / ACROSS) as u32 * TILE.1);
        imageops::replace(&mut sheet, &tile(scored)?, i64::from(x), i64::from(y));
    }
    Ok(sheet)
}

fn tile(scored: &Scored) -> Result<RgbImage> {
    let frame = Frame::open(&scored.path)?;
    let (w, h) = (frame.width(), frame.height());
    let whole = picture::rgb(&frame.planes(), Region::whole(w, h))?;
    let scale = (TILE.0 as f32 / w as f32).min(TILE.1 as f32 / h as f32);
    let side = |length: u32| ((length as f32 * scale) as u32).max(1);
    let mut tile = imageops::thumbnail(&whole, side(w), side(h));
    let corners = |b: &BBox| -> [Point; 4] {
        [[b.x1, b.y1], [b.x2, b.y1], [b.x2, b.y2], [b.x1, b.y2]]
            .map(|[x, y]| [x * scale, y * scale])
    };
    for missed in &scored.missed {
        outline(&mut tile, &corners(missed), WHITE);
    }
    for (vehicle, is_false) in &scored.found {
        let at = corners(&vehicle.bbox);
        outline(&mut tile, &at, colour(vehicle.class));
        if *is_false {
            line(&mut tile, at[0], at[2], colour(vehicle.class));
        }
    }
    Ok(tile)
}

const fn colour(class: VehicleClass) -> Colour {
    match class {
        VehicleClass::Motorbike => Rgb([50, 220, 70]),
        VehicleClass::Car => Rgb([60, 140, 255]),
        VehicleClass::Bus => Rgb([255, 170, 30]),
        VehicleClass::Truck => Rgb([235, 60, 200]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(name: &str, found: &[bool], missed: usize, vehicles: usize) -> Scored {
        let bbox = BBox::new(10.0, 10.0, 60.0, 60.0);
        let car = Detection { class: VehicleClass::Car, score: 0.9, bbox };
        let found = found.iter().map(|wrong| (car, *wrong)).collect();
        Scored { path: name.into(), found, missed: vec![bbox; missed], vehicles }
    }

    #[test]
    fn the_worst_come_first_and_faultless_ones_not_at_all() {
        let frames = [
            scored("good", &[false, false, false], 0, 3),
            scored("half", &[false, false, true], 1, 3),
            scored("bad", &[true, true], 3, 3),
            scored("one", &[], 1, 1),
        ];
        let names: Vec<_> = worst(&frames).iter().map(|s| s.path.to_str().unwrap()).collect();
        assert_eq!(names, ["bad", "half"]);
    }

    #[test]
    fn the_lot_does_not_depend_on_the_order() {
        let names: Vec<String> = (0..100).map(|i| format!("{i}.jpg")).collect();
        let frames: Vec<_> = names.iter().map(|name| scored(name, &[], 0, 0)).collect();
        let turned: Vec<_> = names.iter().rev().map(|name| scored(name, &[], 0, 0)).collect();
        let paths = |frames: Vec<&Scored>| -> Vec<PathBuf> {
            frames.into_iter().map(|scored| scored.path.clone()).collect()
        };
        assert_eq!(paths(random(&frames)), paths(random(&turned)));
        assert_eq!(random(&frames).len(), RANDOM);
    }
}
