//! Plates found in pictures.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use plate_model::geometry::distance;
use plate_model::{BBox, Frame, Models};

use crate::data::{Split, labelled_plates, pictures};
use crate::predictions::{Predicted, Predictions};
use crate::report::{Report, share};
use crate::score::{average_precision, matched};

/// Share of overlap that counts as found.
const OVERLAP: f32 = 0.5;

#[derive(Default)]
struct Counts {
    labels: usize,
    predicted: usize,
    hits: Vec<(f32, bool)>,
    rows_right: usize,
    /// Mean distance of the corners over the plate's width, of plates with exact corners.
    corner_errors: Vec<f64>,
}

pub fn run(
    models: &mut Models,
    data: &Path,
    split: Split,
    limit: usize,
    predictions: &mut Predictions,
) -> Result<Report> {
    let mut report = Report::new("plates");
    let folder = data.join("plates");
    if !folder.is_dir() {
        report.skip(format!("{} is missing", folder.display()));
        return Ok(report);
    }
    let mut groups: BTreeMap<String, Counts> = BTreeMap::new();
    let chosen = pictures(&folder, "domain")?;
    for (path, domain) in chosen.into_iter().filter(|(_, d)| split.has_pictures_of(d)).take(limit) {
        let frame = match Frame::open(&path) {
            Ok(frame) => frame,
            Err(error) => {
                report.skip(error.to_string());
                continue;
            }
        };
        let start = Instant::now();
        let found = models.plates_in_picture(&frame.planes())?;
        report.picture(start.elapsed());
        let (width, height) = (frame.width(), frame.height());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let shown: Vec<_> =
            found.iter().map(|(quad, _)| Predicted::plate(quad, width, height)).collect();
        predictions.add(&name, &shown)?;
        let Some(labels) = labelled_plates(&path, (width as f32, height as f32))? else {
            report.skip(format!("{name} has no labels: predicted, not scored"));
            continue;
        };
        let truth: Vec<BBox> = labels.iter().map(|label| BBox::around(&label.corners)).collect();
        let pairs =
            matched(found.len(), truth.len(), OVERLAP, |f, t| found[f].0.bbox().iou(&truth[t]));
        for key in ["all".to_owned(), domain] {
            let counts = groups.entry(key).or_default();
            counts.labels += labels.len();
            counts.predicted += found.len();
            for ((quad, _), pair) in found.iter().zip(&pairs) {
                counts.hits.push((quad.score, pair.is_some()));
                let Some(label) = pair.map(|label| &labels[label]) else { continue };
                counts.rows_right += usize::from(label.rows == quad.rows);
                if label.exact {
                    let [a, b, c, d] = label.corners;
                    let across = (distance(a, b) + distance(d, c)) / 2.0;
                    let off: f32 =
                        quad.corners.iter().zip(label.corners).map(|(p, q)| distance(*p, q)).sum();
                    counts.corner_errors.push(f64::from(off / 4.0 / across.max(1.0)));
                }
            }
        }
    }
    for (name, counts) in groups {
        let right = counts.hits.iter().filter(|(_, hit)| *hit).count();
        let errors = &counts.corner_errors;
        let mean = errors.iter().sum::<f64>() / errors.len().max(1) as f64;
        report.group(
            name,
            vec![
                ("recall", share(right, counts.labels)),
                ("precision", share(right, counts.predicted)),
                ("ap50", average_precision(counts.hits, counts.labels).unwrap_or(0.0)),
                ("corner error", mean),
                ("rows right", share(counts.rows_right, right)),
                ("plates", counts.labels as f64),
            ],
        );
    }
    Ok(report)
}
