//! Plates found in pictures.

use std::time::Instant;

use anyhow::Result;
use plate_model::geometry::distance;
use plate_model::{BBox, PlateQuad, refiner};

use crate::data::{LabelledPlate, colour_name};
use crate::job::{Groups, Job, open, plate_keys};
use crate::predictions::Predicted;
use crate::report::{Column, Figures, Report};
use crate::score::{Outcome, average_precision, matched, mean, operating};
use crate::sheet;

/// Share of overlap (of upright boxes around the corners) that counts as found.
const OVERLAP: f32 = 0.5;

const PLATES: Column = Column::new("plates", "labelled plates");
const RECALL: Column = Column::new(
    "recall",
    "share of the labelled plates found with IoU 0.5 of the boxes around the corners",
);
const PRECISION: Column = Column::new(
    "precision",
    "share of the plates found that are labelled; false ones count in the group that they seem to be of",
);
const AP50: Column =
    Column::new("ap50", "area under precision over recall, scores from the shipped threshold up");
const CORNERS: Column = Column::new(
    "corner error",
    "mean distance of the four corners from the label's over the plate's width, found plates with exact corners",
);
const EXACT: Column = Column::new("exact", "found plates with exact corners");
const ROWS: Column =
    Column::new("rows right", "share of the found plates with the right number of rows");
const COLOUR: Column =
    Column::new("colour right", "share of the found plates of known colour with the right colour");

#[derive(Debug, Default)]
struct Counts {
    labels: usize,
    hits: Vec<(f32, bool)>,
    /// Right and known.
    rows: [usize; 2],
    colour: [usize; 2],
    corner_errors: Vec<f64>,
}

impl Counts {
    fn found(&mut self, quad: &PlateQuad, label: &LabelledPlate, colour: &str) {
        self.hits.push((quad.score, true));
        if label.rows > 0 {
            self.rows[0] += usize::from(label.rows == quad.rows);
            self.rows[1] += 1;
        }
        if !colour.is_empty() {
            self.colour[0] += usize::from(colour == colour_name(quad.colour));
            self.colour[1] += 1;
        }
        if label.exact {
            self.corner_errors.push(corner_error(&quad.corners, &label.corners));
        }
    }

    fn figures(&self) -> Figures {
        let right = self.hits.iter().filter(|(_, hit)| *hit).count();
        [
            Some(PLATES.count(self.labels)),
            RECALL.share(right, self.labels),
            PRECISION.share(right, self.hits.len()),
            AP50.value(average_precision(self.hits.clone(), self.labels)),
            CORNERS.value(mean(&self.corner_errors)),
            Some(EXACT.count(self.corner_errors.len())),
            ROWS.share(self.rows[0], self.rows[1]),
            COLOUR.share(self.colour[0], self.colour[1]),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

pub fn run(job: &mut Job) -> Result<Report> {
    let mut report = job.report("plates");
    let (chosen, crops) = job.plate_pictures(&mut report)?;
    let mut groups: Groups<Counts> = Groups::new();
    let (mut cost, mut refining) = (job.finder_cost()?, job.refiner_cost()?);
    let mut errors = job.errors();
    for (path, domain) in chosen.into_iter().take(job.limit) {
        let Some(frame) = open(&path, &mut report) else { continue };
        let planes = frame.planes();
        let (width, height) = (frame.width(), frame.height());
        let start = Instant::now();
        let found = job.models.plates_in_picture(&planes)?;
        report.picture(start.elapsed());
        if cost.is_open() {
            let whole = BBox::new(0.0, 0.0, width as f32, height as f32);
            let start = Instant::now();
            job.models.finder.find(&planes, whole)?;
            cost.add(start.elapsed(), job.models.finder.tensor())?;
        }
        if let Some((quad, _)) = found.first().filter(|_| refining.is_open()) {
            let start = Instant::now();
            job.models.refiner.refine(&planes, quad)?;
            refining.add_runs(start.elapsed(), job.models.refiner.tensor(), refiner::LOOKS)?;
        }
        let found: Vec<PlateQuad> = found.into_iter().map(|(quad, _)| quad).collect();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let shown: Vec<_> =
            found.iter().map(|quad| Predicted::plate(quad, width, height)).collect();
        job.predictions.add(&name, &shown)?;
        let size = (width as f32, height as f32);
        let Some(labels) = crate::data::labelled_plates(&path, size)? else {
            report.unlabelled();
            continue;
        };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let colour_of = |label: usize| -> &str {
            let crop = crops.get(&*stem).and_then(|plates| plates.get(&label));
            crop.map_or("", |crop| &crop.colour)
        };
        let truth: Vec<BBox> = labels.iter().map(|label| BBox::around(&label.corners)).collect();
        let outcomes = matched(found.len(), &vec![true; labels.len()], OVERLAP, |f, t| {
            found[f].bbox().iou(&truth[t])
        });
        for (i, label) in labels.iter().enumerate() {
            let by = outcomes.iter().position(|outcome| *outcome == Outcome::Found(i));
            for key in plate_keys(&domain, label.rows, colour_of(i), label.height()) {
                let counts = groups.entry(key).or_default();
                counts.labels += 1;
                if let Some(by) = by {
                    counts.found(&found[by], label, colour_of(i));
                }
            }
            if by.is_none() {
                let lines = vec![
                    format!("{domain}, {} rows, {:.0} px high", label.rows, label.height()),
                    name.to_string(),
                ];
                let view = || sheet::plate(&frame, &truth[i], &labels, &found);
                errors.add("missed", lines, view)?;
            }
        }
        for (quad, _) in found.iter().zip(&outcomes).filter(|(_, o)| **o == Outcome::False) {
            for key in plate_keys(&domain, quad.rows, colour_name(quad.colour), quad.height()) {
                groups.entry(key).or_default().hits.push((quad.score, false));
            }
            let lines = vec![format!("{domain}, score {:.2}", quad.score), name.to_string()];
            errors.add("false", lines, || sheet::plate(&frame, &quad.bbox(), &labels, &found))?;
        }
    }
    report.groups(&groups, Counts::figures);
    if let Some(all) = groups.get(&("all", "all".to_owned())) {
        report.thresholded = operating(&all.hits, all.labels);
    }
    report.cost(cost);
    report.cost(refining);
    errors.finish()?;
    Ok(report.finish())
}

/// Mean distance of the corners over the labelled plate's width.
fn corner_error(found: &[[f32; 2]; 4], label: &[[f32; 2]; 4]) -> f64 {
    let [a, b, c, d] = *label;
    let across = (distance(a, b) + distance(d, c)) / 2.0;
    let off: f32 = found.iter().zip(label).map(|(p, q)| distance(*p, *q)).sum();
    f64::from(off / 4.0 / across.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corner_error_is_a_share_of_the_width() {
        let label = [[0.0, 0.0], [40.0, 0.0], [40.0, 30.0], [0.0, 30.0]];
        let shifted = label.map(|[x, y]| [x + 4.0, y]);
        assert!((corner_error(&shifted, &label) - 0.1).abs() < 1e-6);
    }
}
