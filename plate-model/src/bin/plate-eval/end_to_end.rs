//! Plates found and read in whole pictures: what an officer would get.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use plate_model::{BBox, Frame, Models};

use crate::data::{Split, labelled_crops, labelled_plates, pictures};
use crate::predictions::{Predicted, Predictions};
use crate::reader::{Counts, verdict};
use crate::report::Report;
use crate::score::matched;

/// A plate found this roughly can still be read.
const OVERLAP: f32 = 0.3;

pub fn run(
    models: &mut Models,
    data: &Path,
    split: Split,
    limit: usize,
    predictions: &mut Predictions,
) -> Result<Report> {
    let mut report = Report::new("end to end");
    let folder = data.join("plates");
    if !folder.is_dir() {
        report.skip(format!("{} is missing", folder.display()));
        return Ok(report);
    }
    let mut texts: HashMap<(String, usize), String> = HashMap::new();
    if data.join("reader/labels.csv").is_file() {
        for crop in labelled_crops(data)? {
            if let Some(number) = crop.number.filter(|_| !crop.picture.is_empty()) {
                texts.insert((crop.picture, number), crop.text);
            }
        }
    } else {
        report.skip("reader/labels.csv is missing: plates are read, not scored".into());
    }
    let mut groups: BTreeMap<String, Counts> = BTreeMap::new();
    let chosen = pictures(&folder, "domain")?;
    for (path, domain) in chosen.into_iter().filter(|(_, d)| split.has_plates_of(d)).take(limit) {
        let frame = match Frame::open(&path) {
            Ok(frame) => frame,
            Err(error) => {
                report.skip(error.to_string());
                continue;
            }
        };
        let planes = frame.planes();
        let start = Instant::now();
        let found = models.plates_in_picture(&planes)?;
        let mut verdicts = Vec::new();
        for (quad, vehicle) in &found {
            let characters = models.reader.read(&planes, quad)?;
            let class = vehicle.map(|vehicle| vehicle.class);
            verdicts.push(verdict(models, &characters, quad, class));
        }
        report.picture(start.elapsed());
        let (width, height) = (frame.width(), frame.height());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let shown: Vec<_> = found
            .iter()
            .zip(&verdicts)
            .map(|((quad, _), verdict)| Predicted::plate(quad, width, height).with_text(verdict))
            .collect();
        predictions.add(&name, &shown)?;
        let Some(labels) = labelled_plates(&path, (width as f32, height as f32))? else { continue };
        let truth: Vec<BBox> = labels.iter().map(|label| BBox::around(&label.corners)).collect();
        let pairs =
            matched(found.len(), truth.len(), OVERLAP, |f, t| found[f].0.bbox().iou(&truth[t]));
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for (number, label) in labels.iter().enumerate() {
            let Some(text) = texts.get(&(stem.clone(), number)) else { continue };
            let at = pairs.iter().position(|pair| *pair == Some(number));
            let verdict = at.map(|found| &verdicts[found]);
            let keys =
                ["all".to_owned(), format!("domain {domain}"), format!("rows {}", label.rows)];
            for key in keys {
                groups.entry(key).or_default().add(text, verdict);
            }
        }
    }
    for (name, counts) in &groups {
        report.group(name, counts.figures());
    }
    Ok(report)
}
