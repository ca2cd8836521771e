//! Vehicles in a picture: the network's boxes, thinned to one box and one class an object, in
//! frame pixels.

use std::path::Path;

use contract::VehicleClass;
use contract::manifest::ModelUsed;

use crate::card::Kind;
use crate::error::Result;
use crate::frame::Planes;
use crate::geometry::{BBox, Region};
use crate::model::{Expected, Model, Numbers};
use crate::runtime::Runtime;
use crate::suppress::{Candidate, Limits, suppress};
use crate::tensor::{BLOCK, Sampler};
use crate::view::View;

/// Width and height of the detector's input.
pub const INPUT: (usize, usize) = (640, 384);
/// Its shape: rows and columns of 2x2 blocks of pixels, and the bytes of a block.
pub const SHAPE: [usize; 4] = [1, INPUT.1 / 2, INPUT.0 / 2, BLOCK];

const EXPECTED: Expected = Expected {
    kind: Kind::Vehicles,
    input: (
        "images",
        [Some(1), Some(SHAPE[1] as u32), Some(SHAPE[2] as u32), Some(SHAPE[3] as u32)],
    ),
    numbers: Numbers::Bytes,
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
    tensor: Vec<u8>,
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
            tensor: vec![0; SHAPE.iter().product()],
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

    /// Vehicles in what `view` shows of the picture, best first. A part much taller than the input is
    /// looked at as a whole and in bands, else small vehicles would shrink to nothing.
    pub fn detect(&mut self, planes: &Planes<'_>, view: &View) -> Result<Vec<Detection>> {
        self.likely(planes, view, self.limits.score)
    }

    /// The same from another score up.
    pub fn likely(
        &mut self,
        planes: &Planes<'_>,
        view: &View,
        score: f32,
    ) -> Result<Vec<Detection>> {
        let candidates = self.candidates(planes, view, Offer::Best, score)?;
        Ok(detections(suppress(candidates, &self.limits), planes))
    }

    /// Everything the network holds possible from a score up, every class of a place by itself:
    /// what average precision is measured on. A vehicle may come as a bus and as a truck.
    pub fn hypotheses(&mut self, planes: &Planes<'_>, score: f32) -> Result<Vec<Detection>> {
        let limits = Limits { score, cross_class_iou: f32::INFINITY, ..self.limits };
        let candidates = self.candidates(planes, &View::WHOLE, Offer::Every, score)?;
        Ok(detections(suppress(candidates, &limits), planes))
    }

    /// The tensor that the last [`Detector::detect`] made; for benchmarks and parity tests.
    pub fn tensor(&self) -> &[u8] {
        &self.tensor
    }

    pub fn used(&self) -> ModelUsed {
        self.model.used()
    }

    /// Boxes in frame pixels from the score `floor` up, before suppression.
    fn candidates(
        &mut self,
        planes: &Planes<'_>,
        view: &View,
        offer: Offer,
        floor: f32,
    ) -> Result<Vec<Candidate>> {
        let looks = view.looks(planes.width(), planes.height());
        let mut found = Vec::new();
        for part in looks.parts() {
            let seen = self.look(planes, part, offer, floor)?;
            found.extend(seen.into_iter().filter(|c| looks.counts(part, &c.bbox)));
        }
        // Last, so that its tensor is the one that stays.
        let seen = self.look(planes, looks.whole, offer, floor)?;
        found.extend(seen.into_iter().filter(|c| looks.counts_in_whole(&c.bbox)));
        Ok(found)
    }

    fn look(
        &mut self,
        planes: &Planes<'_>,
        region: Region,
        offer: Offer,
        floor: f32,
    ) -> Result<Vec<Candidate>> {
        let letterbox = self.sampler.letterbox_blocks(planes, region, INPUT, &mut self.tensor)?;
        let (width, height) = letterbox.content();
        let found =
            self.model.run(SHAPE, &self.tensor, ["boxes", "scores"], |[boxes, scores]| {
                if boxes.len() != scores.len() {
                    return None;
                }
                let mut candidates = Vec::new();
                for (corners, scores) in boxes.chunks_exact(4).zip(scores.chunks_exact(4)) {
                    let (best, _) = best(scores);
                    for (class, &score) in scores.iter().enumerate() {
                        let offered = offer == Offer::Every || class == best;
                        // NaN never passes this comparison.
                        if !(offered && score >= floor) {
                            continue;
                        }
                        let bbox = letterbox.to_frame_box(&BBox::new(
                            corners[0].clamp(0.0, width),
                            corners[1].clamp(0.0, height),
                            corners[2].clamp(0.0, width),
                            corners[3].clamp(0.0, height),
                        ));
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

/// Which classes of one place of the network's grid count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    Best,
    Every,
}

fn detections(found: Vec<Candidate>, planes: &Planes<'_>) -> Vec<Detection> {
    let (width, height) = (planes.width(), planes.height());
    let cut = found.into_iter().map(|found| Detection {
        class: VehicleClass::ALL[found.class],
        score: found.score,
        bbox: found.bbox.clipped(width, height),
    });
    cut.filter(|detection| detection.bbox.area() > 0.0).collect()
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
