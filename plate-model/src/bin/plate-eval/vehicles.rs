//! Vehicles in frames of fixed cameras.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use contract::VehicleClass;
use plate_model::{BBox, Detection, View};

use crate::data::labelled_boxes;
use crate::job::{Groups, Job, Key, open};
use crate::predictions::Predicted;
use crate::report::{Column, Figures, Report};
use crate::score::{Outcome, average_precision, matched, mean, operating};
use crate::tiles::{self, Scored};

/// Boxes smaller than this at a width of 640 are not scored: labels miss half of them.
const SMALLEST: f32 = 14.0;
/// Height at a width of 640 from which a motorbike is one that matters.
const MOTORBIKE: f32 = 24.0;
/// Lowest score on the precision–recall curve.
const FLOOR: f32 = 0.02;
/// Share of overlap that counts as found.
const OVERLAP: f32 = 0.5;
/// The overlaps that `ap` averages over.
const OVERLAPS: [f32; 10] = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];
/// Sizes by the box's height at a width of 640.
const SIZES: [(&str, f32, f32); 4] = [
    ("14-24 px", 0.0, 24.0),
    ("24-48 px", 24.0, 48.0),
    ("48-96 px", 48.0, 96.0),
    ("96 px and more", 96.0, f32::INFINITY),
];

const VEHICLES: Column = Column::new(
    "vehicles",
    "labelled vehicles, those under 14 px (at 640 px width) ignored as misses and as finds",
);
const RECALL: Column = Column::new(
    "recall",
    "share of the vehicles found at the shipped threshold with IoU 0.5 and their class",
);
const PRECISION: Column = Column::new(
    "precision",
    "share of the finds at the shipped threshold that are a labelled vehicle of their class",
);
const MOTORBIKES: Column = Column::new(
    "bike recall",
    "recall of motorbikes at least 24 px high (at 640 px width) at the shipped threshold",
);
const AP50: Column = Column::new("ap50", "mean over the classes that are there of ap50");
const AP: Column = Column::new("ap", "mean over the classes that are there of ap");
const BY_CLASS: [[Column; 2]; 4] = [
    [Column::new("ap50 motorbike", AP50_OF), Column::new("ap motorbike", AP_OF)],
    [Column::new("ap50 car", AP50_OF), Column::new("ap car", AP_OF)],
    [Column::new("ap50 bus", AP50_OF), Column::new("ap bus", AP_OF)],
    [Column::new("ap50 truck", AP50_OF), Column::new("ap truck", AP_OF)],
];
const AP50_OF: &str = "area under precision over recall at IoU 0.5, scores from 0.02 up";
const AP_OF: &str = "the same, mean over IoU 0.5 to 0.95 in steps of 0.05";

/// One class in one group of frames.
#[derive(Debug, Default)]
struct Counts {
    labels: usize,
    /// Score and whether it is right, for each of [`OVERLAPS`].
    hits: [Vec<(f32, bool)>; 10],
}

#[derive(Debug, Default)]
struct Classes {
    counts: [Counts; 4],
    /// Of motorbikes that matter: labelled and found at the shipped threshold.
    motorbikes: [usize; 2],
}

impl Classes {
    fn figures(&self, shipped: f32) -> Figures {
        let labels: usize = self.counts.iter().map(|counts| counts.labels).sum();
        let finds = || {
            let all = self.counts.iter().flat_map(|counts| &counts.hits[0]);
            all.filter(move |(score, _)| *score >= shipped)
        };
        let right = finds().filter(|(_, hit)| *hit).count();
        let mut all: [Vec<f64>; 2] = Default::default();
        let mut each = Vec::new();
        for (counts, columns) in self.counts.iter().zip(BY_CLASS) {
            let aps: Vec<f64> = counts
                .hits
                .iter()
                .filter_map(|hits| average_precision(hits.clone(), counts.labels))
                .collect();
            for (i, value) in [aps.first().copied(), mean(&aps)].into_iter().enumerate() {
                all[i].extend(value);
                each.push(columns[i].value(value));
            }
        }
        [
            Some(VEHICLES.count(labels)),
            RECALL.share(right, labels),
            PRECISION.share(right, finds().count()),
            MOTORBIKES.share(self.motorbikes[1], self.motorbikes[0]),
            AP50.value(mean(&all[0])),
            AP.value(mean(&all[1])),
        ]
        .into_iter()
        .chain(each)
        .flatten()
        .collect()
    }

    /// Counts one frame. Labels that `is_scored` leaves out excuse what lies on them; finds that it
    /// leaves out are only counted where they are on a scored label.
    fn add(
        &mut self,
        seen: &[Detection],
        labels: &[(usize, BBox)],
        shipped: f32,
        is_scored: impl Fn(&BBox) -> bool,
        is_tall: impl Fn(&BBox) -> bool,
    ) {
        for (class, vehicle) in VehicleClass::ALL.iter().enumerate() {
            let truth: Vec<BBox> =
                labels.iter().filter(|(c, _)| *c == class).map(|(_, bbox)| *bbox).collect();
            let found: Vec<_> = seen.iter().filter(|seen| seen.class == *vehicle).collect();
            let scored: Vec<bool> = truth.iter().map(&is_scored).collect();
            let counts = &mut self.counts[class];
            counts.labels += scored.iter().filter(|scored| **scored).count();
            let bikes = *vehicle == VehicleClass::Motorbike;
            let matters = |label: usize| bikes && scored[label] && is_tall(&truth[label]);
            self.motorbikes[0] += (0..truth.len()).filter(|label| matters(*label)).count();
            for (hits, least) in counts.hits.iter_mut().zip(OVERLAPS) {
                let overlap = |f: usize, t: usize| found[f].bbox.iou(&truth[t]);
                let outcomes = matched(found.len(), &scored, least, overlap);
                for (seen, outcome) in found.iter().zip(outcomes) {
                    match outcome {
                        Outcome::Found(label) => {
                            hits.push((seen.score, true));
                            if least == OVERLAP && seen.score >= shipped && matters(label) {
                                self.motorbikes[1] += 1;
                            }
                        }
                        Outcome::False if is_scored(&seen.bbox) => hits.push((seen.score, false)),
                        Outcome::False | Outcome::Ignored => {}
                    }
                }
            }
        }
    }
}

pub fn run(job: &mut Job) -> Result<Report> {
    let mut report = job.report("vehicles");
    let shipped = job.models.detector.score_threshold();
    report.thresholds.insert("vehicles", shipped);
    let mut groups: Groups<Classes> = Groups::new();
    let mut cost = job.detector_cost()?;
    let mut scored: Vec<Scored> = Vec::new();
    for (path, camera) in job.frames(&mut report)?.into_iter().take(job.limit) {
        let Some(frame) = open(&path, &mut report) else { continue };
        let start = Instant::now();
        let seen = job.models.detector.hypotheses(&frame.planes(), FLOOR)?;
        report.picture(start.elapsed());
        // A tall picture is looked at several times: its time is not that of one inference.
        let wide = 4 * frame.width() > 5 * frame.height();
        if wide && cost.is_open() {
            let start = Instant::now();
            job.models.detector.detect(&frame.planes(), &View::WHOLE)?;
            cost.add(start.elapsed(), job.models.detector.tensor())?;
        }
        let (width, height) = (frame.width(), frame.height());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let shown: Vec<_> =
            seen.iter().map(|vehicle| Predicted::vehicle(vehicle, width, height)).collect();
        job.predictions.add(&name, &shown)?;
        let Some(labels) = labelled_boxes(&path, (width as f32, height as f32))? else {
            report.unlabelled();
            continue;
        };
        let unit = width as f32 / 640.0;
        let is_large = |bbox: &BBox| bbox.width().min(bbox.height()) >= SMALLEST * unit;
        let is_tall = |bbox: &BBox| bbox.height() >= MOTORBIKE * unit;
        for key in [("all", "all".to_owned()), ("camera", place(&camera))] {
            let group = groups.entry(key).or_default();
            group.add(&seen, &labels, shipped, is_large, is_tall);
        }
        let undisputed = |bbox: &BBox| {
            let [x, y] = bbox.centre();
            let at = [x / width as f32, y / height as f32];
            is_large(bbox) && !job.split.is_disputed(&camera, at)
        };
        let key: Key = ("all", "undisputed".to_owned());
        groups.entry(key).or_default().add(&seen, &labels, shipped, undisputed, is_tall);
        for (name, from, to) in SIZES {
            let is_of = |b: &BBox| is_large(b) && (from..to).contains(&(b.height() / unit));
            let key: Key = ("height", name.to_owned());
            groups.entry(key).or_default().add(&seen, &labels, shipped, is_of, is_tall);
        }
        if job.folder.is_some() {
            scored.push(one_frame(path, seen, labels, shipped, is_large));
        }
    }
    report.groups(&groups, |classes| classes.figures(shipped));
    if let Some(Classes { counts, .. }) = groups.get(&("all", "all".to_owned())) {
        let hits: Vec<_> = counts.iter().flat_map(|counts| counts.hits[0].clone()).collect();
        report.thresholded = operating(&hits, counts.iter().map(|counts| counts.labels).sum());
    }
    report.cost(cost);
    if let Some(folder) = &job.folder {
        tiles::write(&scored, folder)?;
    }
    Ok(report.finish())
}

/// Hundreds of one-picture "cameras" of a photo collection are one group.
fn place(camera: &str) -> String {
    match camera.split_once("-coco") {
        Some((collection, _)) => collection.to_owned(),
        None => camera.to_owned(),
    }
}

/// What went right and wrong in a frame at the shipped threshold.
fn one_frame(
    path: PathBuf,
    mut seen: Vec<Detection>,
    labels: Vec<(usize, BBox)>,
    shipped: f32,
    is_large: impl Fn(&BBox) -> bool,
) -> Scored {
    seen.retain(|vehicle| vehicle.score >= shipped);
    let large: Vec<bool> = labels.iter().map(|(_, bbox)| is_large(bbox)).collect();
    let outcomes = matched(seen.len(), &large, OVERLAP, |f, t| {
        let same = VehicleClass::ALL.get(labels[t].0) == Some(&seen[f].class);
        if same { seen[f].bbox.iou(&labels[t].1) } else { 0.0 }
    });
    let found: Vec<_> = seen
        .iter()
        .zip(&outcomes)
        .map(|(vehicle, outcome)| (*vehicle, *outcome == Outcome::False && is_large(&vehicle.bbox)))
        .collect();
    let missed = (0..labels.len())
        .filter(|label| large[*label] && !outcomes.contains(&Outcome::Found(*label)))
        .map(|label| labels[label].1)
        .collect();
    Scored { path, found, missed, vehicles: large.iter().filter(|large| **large).count() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Figure;

    fn car(score: f32, x: f32, side: f32) -> Detection {
        let bbox = BBox::new(x, 0.0, x + side, side);
        Detection { class: VehicleClass::Car, score, bbox }
    }

    fn figures(seen: &[Detection], labels: &[(usize, BBox)]) -> Figures {
        let mut classes = Classes::default();
        let is_large = |b: &BBox| b.width().min(b.height()) >= SMALLEST;
        classes.add(seen, labels, 0.35, is_large, |b| b.height() >= MOTORBIKE);
        classes.figures(0.35)
    }

    fn of(figures: &Figures, name: &str) -> f64 {
        match figures.iter().find(|(column, _)| column.name == name).unwrap().1 {
            Figure::Count(count) => count as f64,
            Figure::Share(share) => share,
        }
    }

    #[test]
    fn small_boxes_are_neither_missed_nor_false() {
        let labels = [
            (1, BBox::new(0.0, 0.0, 40.0, 40.0)),
            // Too small: found or not, it says nothing.
            (1, BBox::new(100.0, 0.0, 110.0, 10.0)),
            (1, BBox::new(200.0, 0.0, 210.0, 10.0)),
        ];
        let seen = [car(0.9, 0.0, 40.0), car(0.8, 100.0, 10.0), car(0.7, 300.0, 10.0)];
        let told = figures(&seen, &labels);
        assert_eq!(of(&told, "vehicles"), 1.0);
        assert_eq!((of(&told, "recall"), of(&told, "precision")), (1.0, 1.0));
        assert_eq!((of(&told, "ap50 car"), of(&told, "ap50")), (1.0, 1.0));
    }

    #[test]
    fn recall_and_precision_are_those_of_the_shipped_threshold() {
        let labels =
            [(1, BBox::new(0.0, 0.0, 40.0, 40.0)), (1, BBox::new(100.0, 0.0, 140.0, 40.0))];
        let seen = [car(0.9, 0.0, 40.0), car(0.5, 300.0, 40.0), car(0.1, 100.0, 40.0)];
        let told = figures(&seen, &labels);
        assert_eq!((of(&told, "recall"), of(&told, "precision")), (0.5, 0.5));
        // The curve knows the low score too: precision 1 up to half the recall, then 2/3.
        assert!((of(&told, "ap50 car") - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-9);
    }

    #[test]
    fn loose_boxes_lower_ap_not_ap50() {
        let labels = [(1, BBox::new(0.0, 0.0, 40.0, 40.0))];
        // IoU 30/50 = 0.6: right for 0.5, 0.55 and (just) 0.6 of the ten overlaps.
        let told = figures(&[car(0.9, 10.0, 40.0)], &labels);
        assert_eq!(of(&told, "ap50 car"), 1.0);
        assert!((of(&told, "ap car") - 0.3).abs() < 1e-9, "{told:?}");
    }

    #[test]
    fn motorbikes_that_matter_are_counted_apart() {
        let bike = |x: f32, h: f32| (0, BBox::new(x, 0.0, x + 20.0, h));
        let labels = [bike(0.0, 40.0), bike(100.0, 30.0), bike(200.0, 20.0)];
        let seen = [Detection { class: VehicleClass::Motorbike, score: 0.8, bbox: labels[0].1 }];
        let told = figures(&seen, &labels);
        assert_eq!(of(&told, "bike recall"), 0.5);
        assert!((of(&told, "recall") - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_frame_tells_what_was_missed_and_what_was_false() {
        let labels = vec![
            (1, BBox::new(0.0, 0.0, 40.0, 40.0)),
            // A bus that was called a car: missed and false at once.
            (2, BBox::new(100.0, 0.0, 140.0, 40.0)),
        ];
        let seen = vec![car(0.9, 0.0, 40.0), car(0.8, 100.0, 40.0), car(0.1, 300.0, 40.0)];
        let scored = one_frame(PathBuf::new(), seen, labels, 0.35, |_| true);
        assert_eq!(scored.found.iter().map(|(_, wrong)| *wrong).collect::<Vec<_>>(), [false, true]);
        assert_eq!((scored.missed.len(), scored.vehicles), (1, 2));
    }
}
