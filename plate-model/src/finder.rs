//! Plates inside a vehicle: roughly where their four corners are, one or two rows, background
//! colour. [`CornerRefiner`](crate::CornerRefiner) then says exactly.

use std::path::Path;

use contract::manifest::ModelUsed;
use contract::plate::PlateColour;

use crate::card::Kind;
use crate::corners;
use crate::detect::best;
use crate::error::Result;
use crate::flaw;
use crate::frame::Planes;
use crate::geometry::{BBox, Point, Region, distance};
use crate::model::{Expected, Model, Numbers};
use crate::runtime::Runtime;
use crate::tensor::{Letterbox, Sampler};

/// Width and height of the finder's input.
pub const INPUT: (usize, usize) = (192, 192);
/// What a vehicle's box is expanded by on every side, as in training.
pub const EXPANSION: f32 = 0.08;
/// Plates reported for one vehicle at most.
pub const MOST: usize = 16;

/// Colours in channel order.
pub(crate) const COLOURS: [PlateColour; 4] =
    [PlateColour::White, PlateColour::Yellow, PlateColour::Blue, PlateColour::Red];
pub(crate) const COLOUR_NAMES: [&str; 4] = ["white", "yellow", "blue", "red"];

const EXPECTED: Expected = Expected {
    kind: Kind::Finder,
    input: ("crops", [None, Some(3), Some(INPUT.1 as u32), Some(INPUT.0 as u32)]),
    numbers: Numbers::Shares,
    outputs: &[
        ("corners", &[None, None, Some(8)]),
        ("scores", &[None, None]),
        ("rows", &[None, None]),
        ("colours", &[None, None, Some(4)]),
    ],
    thresholds: &["score", "iou"],
};

/// One plate found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlateQuad {
    /// Frame pixels, clockwise from the top left of the plate as it reads; convex.
    pub corners: [Point; 4],
    /// 0 to 1.
    pub score: f32,
    /// 1 or 2.
    pub rows: u8,
    /// Probability of that number of rows, 0.5 to 1.
    pub rows_confidence: f32,
    pub colour: PlateColour,
    /// Probability of that colour.
    pub colour_confidence: f32,
    /// Whether it touches or leaves the picture: part of it is not there.
    pub cut: bool,
}

impl PlateQuad {
    pub fn bbox(&self) -> BBox {
        BBox::around(&self.corners)
    }

    /// Mean length of the left and right edge, in frame pixels.
    pub fn height(&self) -> f32 {
        let [a, b, c, d] = self.corners;
        (distance(a, d) + distance(b, c)) / 2.0
    }

    /// Mean length of the upper and lower edge, in frame pixels.
    pub fn width(&self) -> f32 {
        let [a, b, c, d] = self.corners;
        (distance(a, b) + distance(d, c)) / 2.0
    }
}

/// The finder of one worker.
#[derive(Debug)]
pub struct PlateFinder {
    model: Model,
    sampler: Sampler,
    tensor: Vec<f32>,
    score: f32,
    iou: f32,
}

impl PlateFinder {
    /// Loads `<base>.card.toml` and its weights from `folder`.
    pub fn load(runtime: &Runtime, folder: &Path, base: &str) -> Result<Self> {
        let model = Model::load(runtime, folder, base, &EXPECTED)?;
        model.expect_colours(&COLOUR_NAMES)?;
        let score = model.threshold("score", 0.4);
        let iou = model.threshold("iou", 0.4);
        let tensor = vec![0.0; 3 * INPUT.0 * INPUT.1];
        Ok(Self { model, sampler: Sampler::default(), tensor, score, iou })
    }

    /// The lowest score that is reported.
    pub fn set_score_threshold(&mut self, score: f32) {
        self.score = score;
    }

    /// Plates of one vehicle, best first. A box around the whole picture looks for plates in a
    /// close-up.
    pub fn find(&mut self, planes: &Planes<'_>, vehicle: BBox) -> Result<Vec<PlateQuad>> {
        let (width, height) = (planes.width(), planes.height());
        let Some(region) = Region::touched(&vehicle.expanded(EXPANSION), width, height) else {
            return Ok(Vec::new());
        };
        let letterbox = self.sampler.letterbox(planes, region, INPUT, &mut self.tensor)?;
        let frame = planes.bounds();
        let mut found = self.infer(&letterbox, &frame)?;
        // Stable: equal scores keep the network's order.
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut kept: Vec<PlateQuad> = Vec::new();
        for mut quad in found {
            let Some(corners) = corners::ordered(&quad.corners) else { continue };
            quad.corners = corners;
            let bbox = quad.bbox();
            let seen = bbox.inside(&frame) > 0.5;
            let new = kept.iter().all(|other| bbox.iou(&other.bbox()) <= self.iou);
            if seen && new {
                kept.push(quad);
                if kept.len() == MOST {
                    break;
                }
            }
        }
        Ok(kept)
    }

    /// The tensor that the last [`PlateFinder::find`] made; for benchmarks and parity tests.
    pub fn tensor(&self) -> &[f32] {
        &self.tensor
    }

    pub fn used(&self) -> ModelUsed {
        self.model.used()
    }

    fn infer(&mut self, letterbox: &Letterbox, frame: &BBox) -> Result<Vec<PlateQuad>> {
        let floor = self.score;
        let names = ["corners", "scores", "rows", "colours"];
        let shape = [1, 3, INPUT.1, INPUT.0];
        let found =
            self.model.run(shape, &self.tensor, names, |[corners, scores, rows, colours]| {
                let count = scores.len();
                if corners.len() != 8 * count || rows.len() != count || colours.len() != 4 * count {
                    return None;
                }
                let each = scores.iter().zip(rows);
                let shapes = corners.chunks_exact(8).zip(colours.chunks_exact(4));
                let mut found = Vec::new();
                for ((score, two_rows), (corners, colours)) in each.zip(shapes) {
                    // NaN never passes this comparison.
                    if *score >= floor {
                        let (colour, colour_confidence) = best(colours);
                        let corner =
                            |i: usize| letterbox.to_frame([corners[2 * i], corners[2 * i + 1]]);
                        let corners = [corner(0), corner(1), corner(2), corner(3)];
                        found.push(PlateQuad {
                            corners,
                            score: *score,
                            rows: if *two_rows >= 0.5 { 2 } else { 1 },
                            rows_confidence: two_rows.max(1.0 - two_rows),
                            colour: COLOURS[colour],
                            colour_confidence,
                            cut: flaw::is_cut(&corners, frame),
                        });
                    }
                }
                Some(found)
            })?;
        found.ok_or_else(|| self.model.mismatch("its outputs do not count the same plates".into()))
    }
}
