//! What every evaluation is given: the loaded models, the pictures it may look at, and where its
//! predictions and sheets go.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use plate_model::timing::Bare;
use plate_model::{Frame, Models, Options, Runtime};

use crate::cost::Cost;
use crate::data::{ByPicture, by_picture, labelled_crops, pictures};
use crate::predictions::Predictions;
use crate::report::Report;
use crate::sheet::Sheet;
use crate::split::Split;

/// One run of `plate-eval`.
pub struct Job {
    pub models: Models,
    pub data: PathBuf,
    pub split: Split,
    /// Pictures at most.
    pub limit: usize,
    pub predictions: Predictions,
    /// Where charts and sheets go.
    pub folder: Option<PathBuf>,
    pub weights: PathBuf,
    pub options: Options,
}

impl Job {
    pub fn report(&self, what: &'static str) -> Report {
        Report::new(what, self.split.name(), self.models.used.clone())
    }

    /// Pictures of `plates/` with their domains, and the crops cut from them; none where the folder
    /// is missing.
    pub fn plate_pictures(
        &self,
        report: &mut Report,
    ) -> Result<(Vec<(PathBuf, String)>, ByPicture)> {
        let mut crops = ByPicture::new();
        if self.data.join("reader/labels.csv").is_file() {
            crops = by_picture(labelled_crops(&self.data)?);
        } else {
            report.skip("reader/labels.csv is missing: no texts and colours to score by".into());
        }
        let folder = self.data.join("plates");
        if !folder.is_dir() {
            report.skip("plates/ is missing".into());
            return Ok((Vec::new(), crops));
        }
        let mut chosen = pictures(&folder, "domain")?;
        chosen.retain(|(path, domain)| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let plates = crops.get(&*stem).into_iter().flat_map(|plates| plates.values());
            self.split.has_picture(domain, plates.map(|crop| crop.text.as_str()))
        });
        Ok((chosen, crops))
    }

    /// Frames of `vehicles/` with their cameras; none where the folder is missing.
    pub fn frames(&self, report: &mut Report) -> Result<Vec<(PathBuf, String)>> {
        let folder = self.data.join("vehicles");
        if !folder.is_dir() {
            report.skip("vehicles/ is missing".into());
            return Ok(Vec::new());
        }
        let mut chosen = pictures(&folder, "camera")?;
        chosen.retain(|(_, camera)| self.split.has_camera(camera));
        Ok(chosen)
    }

    pub fn errors(&self) -> Sheet {
        Sheet::new(self.folder.clone())
    }

    pub fn detector_cost(&self) -> Result<Cost> {
        self.cost("detector, a frame", &self.options.vehicles)
    }

    pub fn finder_cost(&self) -> Result<Cost> {
        self.cost("finder, a crop", &self.options.finder)
    }

    pub fn refiner_cost(&self) -> Result<Cost> {
        self.cost("refiner, a plate, five looks", &self.options.refiner)
    }

    pub fn reader_cost(&self) -> Result<Cost> {
        self.cost("reader, a plate", &self.options.reader)
    }

    fn cost(&self, what: &'static str, base: &str) -> Result<Cost> {
        let runtime = Runtime::load(&self.options.runtime)?;
        Ok(Cost::new(what, Bare::load(&runtime, &self.weights, base)?))
    }
}

/// Opens a picture, or says in the report that it cannot be read.
pub fn open(path: &Path, report: &mut Report) -> Option<Frame> {
    Frame::open(path).map_err(|error| report.skip(error.to_string())).ok()
}

/// A table of the report and a group in it, e.g. `("domain", "hung")`.
pub type Key = (&'static str, String);

/// What is counted for each group.
pub type Groups<T> = BTreeMap<Key, T>;

/// The groups that a plate belongs to; `height` in pixels of its picture.
pub fn plate_keys(domain: &str, rows: u8, colour: &str, height: f32) -> [Key; 5] {
    let rows = match rows {
        0 => "unknown".to_owned(),
        rows => rows.to_string(),
    };
    let colour = if colour.is_empty() { "unknown" } else { colour };
    let height = match height {
        h if h < 20.0 => "0-20 px",
        h if h < 40.0 => "20-40 px",
        h if h < 80.0 => "40-80 px",
        _ => "80 px and more",
    };
    [
        ("all", "all".to_owned()),
        ("domain", domain.to_owned()),
        ("rows", rows),
        ("colour", colour.to_owned()),
        ("plate height", height.to_owned()),
    ]
}
