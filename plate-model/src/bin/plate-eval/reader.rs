//! Plates read from ready crops.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use contract::VehicleClass;
use contract::plate::PlateColour;
use plate_model::{Characters, Doubt, Frame, Models, PlateQuad, Verdict};

use crate::data::{LabelledCrop, Split, labelled_crops};
use crate::predictions::{Predicted, Predictions};
use crate::report::{Report, share};

/// What was read of labelled plates.
#[derive(Debug, Default)]
pub struct Counts {
    plates: usize,
    /// Most probable characters, before the grammar.
    raw_right: usize,
    accepted: usize,
    accepted_wrong: usize,
}

impl Counts {
    pub fn add(&mut self, text: &str, verdict: Option<&Verdict>) {
        self.plates += 1;
        let Some(verdict) = verdict else { return };
        self.raw_right += usize::from(verdict.raw == text);
        if let Some(accepted) = &verdict.text {
            self.accepted += 1;
            self.accepted_wrong += usize::from(accepted != text);
        }
    }

    pub fn figures(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("read right", share(self.raw_right, self.plates)),
            ("accepted", share(self.accepted, self.plates)),
            ("accepted wrong", share(self.accepted_wrong, self.accepted)),
            ("plates", self.plates as f64),
        ]
    }
}

/// The colour that a label names.
pub fn colour(name: &str) -> PlateColour {
    match name {
        "yellow" => PlateColour::Yellow,
        "blue" => PlateColour::Blue,
        "red" => PlateColour::Red,
        _ => PlateColour::White,
    }
}

pub fn run(
    models: &mut Models,
    data: &Path,
    split: Split,
    limit: usize,
    predictions: &mut Predictions,
) -> Result<Report> {
    let mut report = Report::new("reader");
    let folder = data.join("reader");
    if !folder.join("labels.csv").is_file() {
        report.skip(format!("{} has no labels.csv", folder.display()));
        return Ok(report);
    }
    let mut groups: BTreeMap<String, Counts> = BTreeMap::new();
    let crops = labelled_crops(data)?;
    for crop in crops.iter().filter(|crop| split.has_crops_of(&crop.domain)).take(limit) {
        let frame = match Frame::open(&crop.path) {
            Ok(frame) => frame,
            Err(error) => {
                report.skip(error.to_string());
                continue;
            }
        };
        let quad = quad(crop, &frame);
        let start = Instant::now();
        let characters = models.reader.read(&frame.planes(), &quad)?;
        report.picture(start.elapsed());
        let verdict = verdict(models, &characters, &quad, None);
        let name = crop.path.file_name().unwrap_or_default().to_string_lossy();
        let plate = Predicted::plate(&quad, frame.width(), frame.height());
        predictions.add(&name, &[plate.with_text(&verdict)])?;
        let height = match quad.height() {
            h if h < 20.0 => "height under 20 px",
            h if h < 40.0 => "height 20 to 40 px",
            h if h < 80.0 => "height 40 to 80 px",
            _ => "height over 80 px",
        };
        for key in [
            "all".to_owned(),
            format!("domain {}", crop.domain),
            format!("rows {}", crop.rows),
            format!("colour {}", crop.colour),
            height.to_owned(),
        ] {
            groups.entry(key).or_default().add(&crop.text, Some(&verdict));
        }
    }
    for (name, counts) in &groups {
        report.group(name, counts.figures());
    }
    Ok(report)
}

/// What the agent would say of one look. Where no vehicle is seen, a two-row number may be a car's
/// or a motorbike's with the same characters; the plate's shape then says which.
pub fn verdict(
    models: &Models,
    characters: &Characters,
    quad: &PlateQuad,
    vehicle: Option<VehicleClass>,
) -> Verdict {
    /// Between a motorbike's 190x140 mm and a car's 330x165 mm.
    const BETWEEN: f32 = 1.65;
    let mut fusion = models.fusion(vehicle);
    // One look: its weight does not matter, only that it counts.
    fusion.add(characters, quad, 1.0);
    let mut verdict = fusion.verdict();
    if vehicle.is_none() && matches!(verdict.doubt, Some(Doubt::Ambiguous(_))) {
        let is_wide = quad.width() > BETWEEN * quad.height();
        fusion.set_vehicle(if is_wide { VehicleClass::Car } else { VehicleClass::Motorbike });
        verdict = fusion.verdict();
    }
    Verdict { raw: characters.text(), ..verdict }
}

/// The labelled corners, or the crop's own border.
fn quad(crop: &LabelledCrop, frame: &Frame) -> PlateQuad {
    let (w, h) = (frame.width() as f32, frame.height() as f32);
    let corners = crop.corners.unwrap_or([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]);
    PlateQuad {
        corners: corners.map(|[x, y]| [x * w, y * h]),
        score: 1.0,
        rows: crop.rows,
        rows_confidence: 1.0,
        colour: colour(&crop.colour),
        colour_confidence: 1.0,
    }
}
