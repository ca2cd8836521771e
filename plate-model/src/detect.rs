//! Vehicles in a picture: the network's boxes, thinned to one box and one class an object, in
//! frame pixels.

use std::path::Path;

use contract::VehicleClass;
use contract::manifest::ModelUsed;

use crate::card::Kind;
use crate::error::Result;
use crate::frame::Planes;
use crate::geometry::{BBox, Region};
use crate::model::{Expected, Model};
use crate::runtime::Runtime;
use crate::suppress::{Candidate, Limits, suppress};
use crate::tensor::{Letterbox, Sampler};

/// Width and height of the detector's input.
pub const INPUT: (usize, usize) = (640, 384);

const EXPECTED: Expected = Expected {
    kind: Kind::Vehicles,
    input: ("images", [Some(1), Some(3), Some(INPUT.1 as u32), Some(INPUT.0 as u32)]),
    outputs: &[("boxes", &[Some(1), None, Some(4)]), ("scores", &[Some(1), None, Some(4)])],
    thresholds: &["score", "same_class_iou", "cross_class_iou"],
};

/// One vehicle seen; a motorbike's box includes its rider.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    pub class: VehicleClass,
    /// 0 to 1.
    pub score: f32,
    /// In frame pixels, cut at the frame's edge.
    pub bbox: BBox,
}

/// The detector of one worker.
#[derive(Debug)]
pub struct Detector {
    model: Model,
    sampler: Sampler,
    tensor: Vec<f32>,
    limits: Limits,
}

impl Detector {
    /// Loads `<base>.card.toml` and its weights from `folder`.
    pub fn load(runtime: &Runtime, folder: &Path, base: &str) -> Result<Self> {
        let model = Model::load(runtime, folder, base, &EXPECTED)?;
        let names: Vec<_> = VehicleClass::ALL.iter().map(|class| class.name()).collect();
        if model.card().classes != names {
            let found = model.card().classes.join(", ");
            return Err(model.mismatch(format!(
                "its card lists classes [{found}], expected [{}]",
                names.join(", ")
            )));
        }
        let limits = Limits {
            score: model.threshold("score", 0.35),
            same_class_iou: model.threshold("same_class_iou", 0.6),
            cross_class_iou: model.threshold("cross_class_iou", 0.7),
        };
        Ok(Self {
            model,
            sampler: Sampler::default(),
            tensor: vec![0.0; 3 * INPUT.0 * INPUT.1],
            limits,
        })
    }

    /// The lowest score that is reported; the card's until it is set.
    pub fn score_threshold(&self) -> f32 {
        self.limits.score
    }

    /// The lowest score that is reported; a tracker may ask for more than the card's.
    pub fn set_score_threshold(&mut self, score: f32) {
        self.limits.score = score;
    }

    /// Vehicles in the picture or in a part of it, best first.
    pub fn detect(
        &mut self,
        planes: &Planes<'_>,
        region: Option<Region>,
    ) -> Result<Vec<Detection>> {
        let region = region.unwrap_or(Region::whole(planes.width(), planes.height()));
        let letterbox = self.sampler.letterbox(planes, region, INPUT, &mut self.tensor)?;
        let candidates = self.infer(&letterbox)?;
        let (width, height) = (planes.width(), planes.height());
        let detections = suppress(candidates, &self.limits)
            .into_iter()
            .map(|found| Detection {
                class: VehicleClass::ALL[found.class],
                score: found.score,
                bbox: letterbox.to_frame_box(&found.bbox).clipped(width, height),
            })
            .filter(|detection| detection.bbox.area() > 0.0)
            .collect();
        Ok(detections)
    }

    /// The tensor that the last [`Detector::detect`] made; for benchmarks and parity tests.
    pub fn tensor(&self) -> &[f32] {
        &self.tensor
    }

    pub fn used(&self) -> ModelUsed {
        self.model.used()
    }

    fn infer(&mut self, letterbox: &Letterbox) -> Result<Vec<Candidate>> {
        let floor = self.limits.score;
        let (width, height) = letterbox.content();
        let shape = [1, 3, INPUT.1, INPUT.0];
        let found =
            self.model.run(shape, &self.tensor, ["boxes", "scores"], |[boxes, scores]| {
                if boxes.len() != scores.len() {
                    return None;
                }
                let mut candidates = Vec::new();
                for (corners, scores) in boxes.chunks_exact(4).zip(scores.chunks_exact(4)) {
                    let (class, score) = best(scores);
                    // NaN never passes this comparison.
                    if score >= floor {
                        let bbox = BBox::new(
                            corners[0].clamp(0.0, width),
                            corners[1].clamp(0.0, height),
                            corners[2].clamp(0.0, width),
                            corners[3].clamp(0.0, height),
                        );
                        if bbox.area() > 0.0 {
                            candidates.push(Candidate { class, score, bbox });
                        }
                    }
                }
                Some(candidates)
            })?;
        found.ok_or_else(|| self.model.mismatch("its outputs do not count the same boxes".into()))
    }
}

/// The highest score and its channel; the first one on a tie.
pub(crate) fn best(scores: &[f32]) -> (usize, f32) {
    let mut best = (0, f32::NEG_INFINITY);
    for (channel, score) in scores.iter().enumerate() {
        if *score > best.1 {
            best = (channel, *score);
        }
    }
    best
}
