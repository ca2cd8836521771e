//! The four models of one worker, loaded and checked together.

use std::path::Path;

use contract::VehicleClass;
use contract::manifest::ModelUsed;

use crate::detect::{Detection, Detector};
use crate::error::Result;
use crate::finder::{PlateFinder, PlateQuad};
use crate::frame::Planes;
use crate::fusion::{Fusion, Thresholds};
use crate::geometry::BBox;
use crate::precision::Precision;
use crate::reader::PlateReader;
use crate::refiner::CornerRefiner;
use crate::runtime::{Runtime, RuntimeOptions};
use crate::view::View;

/// What to load.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub runtime: RuntimeOptions,
    /// Base names of the cards: `<name>.card.toml`.
    pub vehicles: String,
    pub finder: String,
    pub refiner: String,
    pub reader: String,
}

impl Default for Options {
    /// The float models: they give the same answers on every processor.
    fn default() -> Self {
        Self::of(Precision::Float)
    }
}

impl Options {
    /// All four models in one precision, ONNX Runtime from its usual places.
    pub fn of(precision: Precision) -> Self {
        let named = |name: &str| match precision.resolved() {
            Precision::Int8 => format!("{name}.int8"),
            _ => name.to_owned(),
        };
        Self {
            runtime: RuntimeOptions::default(),
            vehicles: named("vehicles"),
            finder: named("finder"),
            refiner: named("refiner"),
            reader: named("reader"),
        }
    }
}

/// Detector, finder, refiner and reader with their own sessions; one set a worker thread.
#[derive(Debug)]
pub struct Models {
    pub detector: Detector,
    pub finder: PlateFinder,
    pub refiner: CornerRefiner,
    pub reader: PlateReader,
    /// For the evidence: name and digest of each.
    pub used: Vec<ModelUsed>,
}

/// Score from which a still picture's vehicles are searched for plates: what a tracker would follow
/// from picture to picture is not lost in one.
const UNSURE: f32 = 0.175;

impl Models {
    /// Loads the models of a folder; the first call also loads ONNX Runtime.
    pub fn load(folder: &Path, options: &Options) -> Result<Self> {
        let runtime = Runtime::load(&options.runtime)?;
        let detector = Detector::load(&runtime, folder, &options.vehicles)?;
        let finder = PlateFinder::load(&runtime, folder, &options.finder)?;
        let refiner = CornerRefiner::load(&runtime, folder, &options.refiner)?;
        let reader = PlateReader::load(&runtime, folder, &options.reader)?;
        let used = vec![detector.used(), finder.used(), refiner.used(), reader.used()];
        Ok(Self { detector, finder, refiner, reader, used })
    }

    /// The reader's calibrated thresholds.
    pub fn thresholds(&self) -> Thresholds {
        self.reader.thresholds()
    }

    /// A fusion for one vehicle with the reader's calibrated thresholds.
    pub fn fusion(&self, vehicle: impl Into<Option<VehicleClass>>) -> Fusion {
        Fusion::with(vehicle, self.thresholds())
    }

    /// Plates of one vehicle with exact corners, best first, each once.
    pub fn plates(&mut self, planes: &Planes<'_>, vehicle: BBox) -> Result<Vec<PlateQuad>> {
        let found = self.finder.find(planes, vehicle)?;
        self.refined(planes, &found)
    }

    /// What the refiner makes of first answers; two that become one plate count once.
    fn refined(&mut self, planes: &Planes<'_>, found: &[PlateQuad]) -> Result<Vec<PlateQuad>> {
        let mut refined = Vec::with_capacity(found.len());
        for quad in found {
            refined.extend(self.refiner.refine(planes, quad)?);
        }
        // Stable: on equal scores what was found first stays.
        refined.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut kept: Vec<PlateQuad> = Vec::new();
        for quad in refined {
            if !kept.iter().any(|other| same_plate(&quad, other)) {
                kept.push(quad);
            }
        }
        Ok(kept)
    }

    /// Plates of a still picture that need not show a whole vehicle: inside everything that may be a
    /// vehicle, in the picture as a whole and in its quarters. Best first, each plate once, with the
    /// vehicle it sits in where one is seen.
    pub fn plates_in_picture(
        &mut self,
        planes: &Planes<'_>,
    ) -> Result<Vec<(PlateQuad, Option<Detection>)>> {
        let sure = self.detector.score_threshold();
        let likely = self.detector.likely(planes, &View::WHOLE, UNSURE.min(sure))?;
        let (width, height) = (planes.width() as f32, planes.height() as f32);
        let mut places: Vec<BBox> = likely.iter().map(|vehicle| vehicle.bbox).collect();
        let vehicles: Vec<_> = likely.into_iter().filter(|vehicle| vehicle.score >= sure).collect();
        places.push(BBox::new(0.0, 0.0, width, height));
        for (x, y) in [(0.0, 0.0), (0.4, 0.0), (0.0, 0.4), (0.4, 0.4)] {
            let (x, y) = (x * width, y * height);
            places.push(BBox::new(x, y, x + 0.6 * width, y + 0.6 * height));
        }
        let mut found: Vec<PlateQuad> = Vec::new();
        for place in places {
            found.extend(self.finder.find(planes, place)?);
        }
        let with_vehicle = |quad: PlateQuad| {
            // The smallest vehicle around it: a bus behind a motorbike also surrounds its plate.
            let bbox = quad.bbox();
            let around = vehicles.iter().filter(|vehicle| bbox.inside(&vehicle.bbox) > 0.8);
            let vehicle = around.min_by(|a, b| a.bbox.area().total_cmp(&b.bbox.area()));
            (quad, vehicle.copied())
        };
        // Looks overlap: the rough answers to one plate are thinned before each is looked at closely.
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut rough: Vec<PlateQuad> = Vec::new();
        for quad in found {
            let seen = rough.iter().filter(|other| same_plate(&quad, other)).count();
            if seen < 2 {
                rough.push(quad);
            }
        }
        Ok(self.refined(planes, &rough)?.into_iter().map(with_vehicle).collect())
    }
}

/// Whether two answers are about one plate.
fn same_plate(a: &PlateQuad, b: &PlateQuad) -> bool {
    let (a, b) = (a.bbox(), b.bbox());
    a.iou(&b) > 0.3 || a.inside(&b) > 0.7 || b.inside(&a) > 0.7
}
