//! The three models of one worker, loaded and checked together.

use std::path::Path;

use contract::VehicleClass;
use contract::manifest::ModelUsed;

use crate::detect::{Detection, Detector};
use crate::error::Result;
use crate::finder::{PlateFinder, PlateQuad};
use crate::frame::Planes;
use crate::fusion::{Fusion, Thresholds};
use crate::geometry::BBox;
use crate::reader::PlateReader;
use crate::runtime::{Runtime, RuntimeOptions};

/// What to load.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub runtime: RuntimeOptions,
    /// Base names of the cards: `<name>.card.toml`.
    pub vehicles: String,
    pub finder: String,
    pub reader: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            runtime: RuntimeOptions::default(),
            vehicles: "vehicles".into(),
            finder: "finder".into(),
            reader: "reader".into(),
        }
    }
}

/// Detector, finder and reader with their own sessions; one set a worker thread.
#[derive(Debug)]
pub struct Models {
    pub detector: Detector,
    pub finder: PlateFinder,
    pub reader: PlateReader,
    /// For the evidence: name and digest of each.
    pub used: Vec<ModelUsed>,
}

impl Models {
    /// Loads the models of a folder; the first call also loads ONNX Runtime.
    pub fn load(folder: &Path, options: &Options) -> Result<Self> {
        let runtime = Runtime::load(&options.runtime)?;
        let detector = Detector::load(&runtime, folder, &options.vehicles)?;
        let finder = PlateFinder::load(&runtime, folder, &options.finder)?;
        let reader = PlateReader::load(&runtime, folder, &options.reader)?;
        let used = vec![detector.used(), finder.used(), reader.used()];
        Ok(Self { detector, finder, reader, used })
    }

    /// The reader's calibrated thresholds.
    pub fn thresholds(&self) -> Thresholds {
        let (accept, confident) = self.reader.thresholds();
        Thresholds { accept, confident, ..Thresholds::default() }
    }

    /// A fusion for one vehicle with the reader's calibrated thresholds.
    pub fn fusion(&self, vehicle: impl Into<Option<VehicleClass>>) -> Fusion {
        Fusion::with(vehicle, self.thresholds())
    }

    /// Plates of a still picture that need not show a whole vehicle: inside every vehicle that is
    /// seen, in the picture as a whole and in its quarters. Best first, each plate once, with the
    /// vehicle it sits in.
    pub fn plates_in_picture(
        &mut self,
        planes: &Planes<'_>,
    ) -> Result<Vec<(PlateQuad, Option<Detection>)>> {
        let vehicles = self.detector.detect(planes, None)?;
        let (width, height) = (planes.width() as f32, planes.height() as f32);
        let mut places: Vec<BBox> = vehicles.iter().map(|vehicle| vehicle.bbox).collect();
        places.push(BBox::new(0.0, 0.0, width, height));
        for (x, y) in [(0.0, 0.0), (0.4, 0.0), (0.0, 0.4), (0.4, 0.4)] {
            let (x, y) = (x * width, y * height);
            places.push(BBox::new(x, y, x + 0.6 * width, y + 0.6 * height));
        }
        let mut found: Vec<PlateQuad> = Vec::new();
        for place in places {
            found.extend(self.finder.find(planes, place)?);
        }
        // Stable: on equal scores the vehicle's own crop, looked at first, stays.
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut kept: Vec<(PlateQuad, Option<Detection>)> = Vec::new();
        for quad in found {
            let bbox = quad.bbox();
            let known = |other: &PlateQuad| {
                let other = other.bbox();
                bbox.iou(&other) > 0.3 || bbox.inside(&other) > 0.7 || other.inside(&bbox) > 0.7
            };
            if !kept.iter().any(|(other, _)| known(other)) {
                // The smallest vehicle around it: a bus behind a motorbike also surrounds its plate.
                let around = vehicles.iter().filter(|vehicle| bbox.inside(&vehicle.bbox) > 0.8);
                let vehicle = around.min_by(|a, b| a.bbox.area().total_cmp(&b.bbox.area()));
                kept.push((quad, vehicle.copied()));
            }
        }
        for (quad, _) in &mut kept {
            *quad = self.finder.closer(planes, quad)?;
        }
        Ok(kept)
    }
}
