//! Plates found and read in whole pictures: what an officer would get.

use std::time::Instant;

use anyhow::Result;
use plate_model::{BBox, View};

use crate::data::{colour_name, labelled_plates};
use crate::job::{Job, open, plate_keys};
use crate::predictions::Predicted;
use crate::reading::{Reading, Readings};
use crate::report::Report;
use crate::score::{Outcome, matched};
use crate::sheet;

/// A plate found this roughly can still be read.
const OVERLAP: f32 = 0.3;

pub fn run(job: &mut Job) -> Result<Report> {
    let mut report = job.report("end to end");
    let (chosen, crops) = job.plate_pictures(&mut report)?;
    let mut readings = Readings::of_pictures();
    let mut costs = [job.detector_cost()?, job.finder_cost()?, job.reader_cost()?];
    let mut errors = job.errors();
    for (path, domain) in chosen.into_iter().take(job.limit) {
        let Some(frame) = open(&path, &mut report) else { continue };
        let planes = frame.planes();
        let (width, height) = (frame.width(), frame.height());
        let start = Instant::now();
        let found = job.models.plates_in_picture(&planes)?;
        let mut read = Vec::new();
        for (quad, vehicle) in &found {
            let characters = job.models.reader.read(&planes, quad)?;
            let class = vehicle.map(|vehicle| vehicle.class);
            read.push(Reading::new(&job.models, &characters, quad, class));
        }
        report.picture(start.elapsed());
        if costs[0].is_open() {
            let start = Instant::now();
            job.models.detector.detect(&planes, &View::WHOLE)?;
            costs[0].add(start.elapsed(), job.models.detector.tensor())?;
            let start = Instant::now();
            job.models.finder.find(&planes, BBox::new(0.0, 0.0, width as f32, height as f32))?;
            costs[1].add(start.elapsed(), job.models.finder.tensor())?;
        }
        if let Some((quad, _)) = found.first().filter(|_| costs[2].is_open()) {
            let start = Instant::now();
            job.models.reader.read(&planes, quad)?;
            costs[2].add(start.elapsed(), job.models.reader.tensor())?;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let quads: Vec<_> = found.iter().map(|(quad, _)| *quad).collect();
        let shown: Vec<_> = quads
            .iter()
            .zip(&read)
            .map(|(quad, reading)| Predicted::plate(quad, width, height).with_text(reading))
            .collect();
        job.predictions.add(&name, &shown)?;
        let Some(labels) = labelled_plates(&path, (width as f32, height as f32))? else {
            report.unlabelled();
            continue;
        };
        let truth: Vec<BBox> = labels.iter().map(|label| BBox::around(&label.corners)).collect();
        let outcomes = matched(quads.len(), &vec![true; labels.len()], OVERLAP, |f, t| {
            quads[f].bbox().iou(&truth[t])
        });
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        for (number, label) in labels.iter().enumerate() {
            let Some(crop) = crops.get(&*stem).and_then(|plates| plates.get(&number)) else {
                continue;
            };
            // The picture may be held out for another plate's sake, and training know this one.
            if !job.split.has_crop(&domain, &crop.text) {
                continue;
            }
            let by = outcomes.iter().position(|outcome| *outcome == Outcome::Found(number));
            let reading = by.map(|by| &read[by]);
            let keys = plate_keys(&domain, label.rows, &crop.colour, label.height());
            readings.add(&keys, &crop.text, reading);
            let (section, told) = match reading {
                None => ("not found", "not found".to_owned()),
                Some(reading) if reading.text() == crop.text => continue,
                Some(reading) if reading.is_accepted() => ("accepted and wrong", reading.told()),
                Some(reading) => ("read wrong", reading.told()),
            };
            let lines = vec![format!("is {}", crop.text), told, format!("{domain}: {name}")];
            errors.add(section, lines, || sheet::plate(&frame, &truth[number], &labels, &quads))?;
        }
        for ((quad, reading), outcome) in quads.iter().zip(&read).zip(&outcomes) {
            if *outcome == Outcome::False && reading.is_accepted() {
                let colour = colour_name(quad.colour);
                readings.add_elsewhere(&plate_keys(&domain, quad.rows, colour, quad.height()));
                let lines = vec![reading.told(), format!("{domain}: {name}")];
                let view = || sheet::plate(&frame, &quad.bbox(), &labels, &quads);
                errors.add("accepted where no plate is labelled", lines, view)?;
            }
        }
    }
    readings.finish(job, &mut report)?;
    for cost in costs {
        report.cost(cost);
    }
    errors.finish()?;
    Ok(report.finish())
}
