//! The three models of one worker, loaded and checked together.

use std::path::Path;

use contract::VehicleClass;
use contract::manifest::ModelUsed;

use crate::detect::Detector;
use crate::error::Result;
use crate::finder::PlateFinder;
use crate::fusion::{Fusion, Thresholds};
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

    /// A fusion for one vehicle with the reader's calibrated thresholds.
    pub fn fusion(&self, vehicle: VehicleClass) -> Fusion {
        let (accept, confident) = self.reader.thresholds();
        Fusion::with(vehicle, Thresholds { accept, confident, ..Thresholds::default() })
    }
}
