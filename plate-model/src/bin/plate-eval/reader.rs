//! Plates read from ready crops.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Result;
use plate_model::{BBox, Frame, PlateQuad, Region, picture};

use crate::data::{LabelledCrop, colour, labelled_crops, pictures};
use crate::job::{Job, open, plate_keys};
use crate::predictions::Predicted;
use crate::reading::{Reading, Readings};
use crate::report::Report;

pub fn run(job: &mut Job) -> Result<Report> {
    let mut report = job.report("reader");
    let folder = job.data.join("reader");
    let mut crops = Vec::new();
    if folder.join("labels.csv").is_file() {
        crops = labelled_crops(&job.data)?;
    } else {
        report.skip("reader/labels.csv is missing".into());
    }
    crops.extend(unlabelled(job, &crops, &mut report)?);
    let mut readings = Readings::of_crops();
    let mut cost = job.reader_cost()?;
    let mut sheet = job.errors();
    crops.retain(|crop| job.split.has_crop(&crop.domain, &crop.text));
    for crop in crops.iter().take(job.limit) {
        let Some(frame) = open(&crop.path, &mut report) else { continue };
        let quad = quad(crop, &frame);
        let start = Instant::now();
        let characters = job.models.reader.read(&frame.planes(), &quad)?;
        report.picture(start.elapsed());
        if cost.is_open() {
            let start = Instant::now();
            job.models.reader.read(&frame.planes(), &quad)?;
            cost.add(start.elapsed(), job.models.reader.tensor())?;
        }
        let reading = Reading::new(&job.models, &characters, &quad, None);
        let name = crop.path.file_name().unwrap_or_default().to_string_lossy();
        let plate = Predicted::plate(&quad, frame.width(), frame.height());
        job.predictions.add(&name, &[plate.with_text(&reading)])?;
        if crop.text.is_empty() {
            report.unlabelled();
            continue;
        }
        let keys = plate_keys(&crop.domain, crop.rows, &crop.colour, quad.height());
        readings.add(&keys, &crop.text, Some(&reading));
        if reading.text() != crop.text {
            let section = if reading.is_accepted() { "accepted and wrong" } else { "read wrong" };
            let lines = vec![format!("is {}", crop.text), reading.told(), name.into_owned()];
            let whole = Region::whole(frame.width(), frame.height());
            sheet.add(section, lines, || Ok(picture::rgb(&frame.planes(), whole)?))?;
        }
    }
    readings.finish(job, &mut report)?;
    report.cost(cost);
    sheet.finish()?;
    Ok(report.finish())
}

/// Pictures of the folder that no line of `labels.csv` names.
fn unlabelled(
    job: &Job,
    labelled: &[LabelledCrop],
    report: &mut Report,
) -> Result<Vec<LabelledCrop>> {
    let folder = job.data.join("reader");
    if !folder.join("images").is_dir() {
        report.skip("reader/images is missing".into());
        return Ok(Vec::new());
    }
    let known: BTreeSet<_> = labelled.iter().map(|crop| &crop.path).collect();
    let found = pictures(&folder, "domain")?.into_iter();
    Ok(found
        .filter(|(path, _)| !known.contains(path))
        .map(|(path, domain)| LabelledCrop { path, domain, ..LabelledCrop::default() })
        .collect())
}

/// The labelled corners, or the crop's own border.
fn quad(crop: &LabelledCrop, frame: &Frame) -> PlateQuad {
    /// Two rows are at most 330x165 mm, one row at least 470x110 mm.
    const ONE_ROW: f32 = 2.6;
    let (w, h) = (frame.width() as f32, frame.height() as f32);
    let corners = crop.corners.unwrap_or([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]);
    let corners = corners.map(|[x, y]| [x * w, y * h]);
    let bbox = BBox::around(&corners);
    let (rows, rows_confidence) = match crop.rows {
        // Nobody has counted them: the shape shows, the grammar is not told.
        0 => (if bbox.width() > ONE_ROW * bbox.height() { 1 } else { 2 }, 0.5),
        rows => (rows, 1.0),
    };
    let colour_confidence = if crop.colour.is_empty() { 0.0 } else { 1.0 };
    PlateQuad {
        corners,
        score: 1.0,
        rows,
        rows_confidence,
        colour: colour(&crop.colour),
        colour_confidence,
        cut: false,
    }
}
