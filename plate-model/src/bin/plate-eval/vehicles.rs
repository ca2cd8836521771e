//! Vehicles in frames of fixed cameras.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use contract::VehicleClass;
use plate_model::{BBox, Frame, Models};

use crate::data::{Split, labelled_vehicles, pictures};
use crate::predictions::{Predicted, Predictions};
use crate::report::{Report, share};
use crate::score::{average_precision, matched};

/// Boxes smaller than this at a width of 640 are not scored: labels miss half of them.
const SMALLEST: f32 = 14.0;
/// Lowest score on the precision–recall curve.
const FLOOR: f32 = 0.02;
/// The operating point of the agent.
const OPERATING: f32 = 0.35;
/// Share of overlap that counts as found.
const OVERLAP: f32 = 0.5;

#[derive(Default)]
struct Counts {
    labels: [usize; 4],
    hits: [Vec<(f32, bool)>; 4],
}

impl Counts {
    fn figures(&self) -> Vec<(&'static str, f64)> {
        let mut figures = Vec::new();
        let names = ["ap50 motorbike", "ap50 car", "ap50 bus", "ap50 truck"];
        for (class, name) in names.into_iter().enumerate() {
            if let Some(ap) = average_precision(self.hits[class].clone(), self.labels[class]) {
                figures.push((name, ap));
            }
        }
        let accepted = || self.hits.iter().flatten().filter(|(score, _)| *score >= OPERATING);
        let right = accepted().filter(|(_, hit)| *hit).count();
        figures.push(("recall", share(right, self.labels.iter().sum())));
        figures.push(("precision", share(right, accepted().count())));
        figures.push(("vehicles", self.labels.iter().sum::<usize>() as f64));
        figures
    }
}

pub fn run(
    models: &mut Models,
    data: &Path,
    split: Split,
    limit: usize,
    predictions: &mut Predictions,
) -> Result<Report> {
    let mut report = Report::new("vehicles");
    let folder = data.join("vehicles");
    if !folder.is_dir() {
        report.skip(format!("{} is missing", folder.display()));
        return Ok(report);
    }
    models.detector.set_score_threshold(FLOOR);
    let mut groups: BTreeMap<String, Counts> = BTreeMap::new();
    let chosen = pictures(&folder, "camera")?;
    for (path, camera) in chosen.into_iter().filter(|(_, c)| split.has_camera(c)).take(limit) {
        let frame = match Frame::open(&path) {
            Ok(frame) => frame,
            Err(error) => {
                report.skip(error.to_string());
                continue;
            }
        };
        let start = Instant::now();
        let seen = models.detector.detect(&frame.planes(), None)?;
        report.picture(start.elapsed());
        let (width, height) = (frame.width(), frame.height());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let shown: Vec<_> =
            seen.iter().map(|vehicle| Predicted::vehicle(vehicle, width, height)).collect();
        predictions.add(&name, &shown)?;
        let Some(labels) = labelled_vehicles(&path, (width as f32, height as f32))? else {
            report.skip(format!("{name} has no labels: predicted, not scored"));
            continue;
        };
        let smallest = SMALLEST * width as f32 / 640.0;
        let is_small = |bbox: &BBox| bbox.width().min(bbox.height()) < smallest;
        // Hundreds of one-picture "cameras" of a photo collection are one group.
        let camera = camera.split("-coco").next().unwrap_or_default().to_owned();
        for (class, vehicle) in VehicleClass::ALL.iter().enumerate() {
            let truth: Vec<_> = labels.iter().filter(|(c, _)| *c == class).collect();
            let found: Vec<_> = seen.iter().filter(|seen| seen.class == *vehicle).collect();
            let pairs =
                matched(found.len(), truth.len(), OVERLAP, |f, t| found[f].bbox.iou(&truth[t].1));
            for key in ["all".to_owned(), camera.clone()] {
                let counts = groups.entry(key).or_default();
                counts.labels[class] += truth.iter().filter(|(_, b)| !is_small(b)).count();
                for (found, pair) in found.iter().zip(&pairs) {
                    match pair {
                        Some(label) if is_small(&truth[*label].1) => {}
                        None if is_small(&found.bbox) => {}
                        pair => counts.hits[class].push((found.score, pair.is_some())),
                    }
                }
            }
        }
    }
    for (name, counts) in &groups {
        report.group(name, counts.figures());
    }
    Ok(report)
}
