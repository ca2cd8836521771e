//! A plate that the finder pointed at, straightened by its first corners with some surroundings
//! and looked at once more: where the corners really are, and whether it is a plate at all.
//!
//! In a vehicle's crop one pixel of the finder's input may be several of the frame. The refiner
//! always sees a plate at the same size and upright, so a small network places its corners well.

use std::path::Path;

use contract::manifest::ModelUsed;

use crate::card::Kind;
use crate::corners;
use crate::detect::best;
use crate::error::Result;
use crate::finder::{COLOUR_NAMES, COLOURS, PlateQuad};
use crate::flaw;
use crate::frame::Planes;
use crate::geometry::Point;
use crate::model::{Expected, Model, Numbers};
use crate::rectify::{Rectifier, unrectified};
use crate::runtime::Runtime;

/// Width and height of the refiner's input.
pub const INPUT: (usize, usize) = (128, 64);
/// What the first quadrilateral is grown by on every side, as in training.
pub const MARGIN: f32 = 0.4;
/// Where it is looked at again: beside what the first look found, as shares of the plate's width
/// and height. Looks from different places err differently, so their mean errs less.
const BESIDE: [[f32; 2]; 4] = [[0.05, 0.0], [-0.05, 0.0], [0.0, 0.07], [0.0, -0.07]];
/// Looks at one plate.
pub const LOOKS: usize = 1 + BESIDE.len();

/// What the finder's score weighs in the plate's: it saw the surroundings, this one the plate.
const FIRST_SHARE: f32 = 0.25;

const EXPECTED: Expected = Expected {
    kind: Kind::Refiner,
    input: ("plates", [None, Some(3), Some(INPUT.1 as u32), Some(INPUT.0 as u32)]),
    numbers: Numbers::Shares,
    outputs: &[
        ("corners", &[None, Some(8)]),
        ("scores", &[None]),
        ("rows", &[None]),
        ("colours", &[None, Some(4)]),
    ],
    thresholds: &["score"],
};

/// What one look says; corners in input pixels, later in the frame's.
#[derive(Default)]
struct Look {
    corners: [Point; 4],
    score: f32,
    two_rows: f32,
    colours: [f32; 4],
}

impl Look {
    /// Adds a share of another look.
    fn add(&mut self, other: &Self, share: f32) {
        let ours = self.corners.as_flattened_mut().iter_mut().chain(&mut self.colours);
        for (mine, theirs) in ours.zip(other.corners.as_flattened().iter().chain(&other.colours)) {
            *mine += theirs * share;
        }
        self.score += other.score * share;
        self.two_rows += other.two_rows * share;
    }
}

/// The refiner of one worker.
#[derive(Debug)]
pub struct CornerRefiner {
    model: Model,
    rectifier: Rectifier,
    tensor: Vec<f32>,
    /// Least score of a plate.
    score: f32,
}

impl CornerRefiner {
    /// Loads `<base>.card.toml` and its weights from `folder`.
    pub fn load(runtime: &Runtime, folder: &Path, base: &str) -> Result<Self> {
        let model = Model::load(runtime, folder, base, &EXPECTED)?;
        model.expect_colours(&COLOUR_NAMES)?;
        let score = model.threshold("score", 0.7);
        let tensor = vec![0.0; 3 * INPUT.0 * INPUT.1];
        Ok(Self { model, rectifier: Rectifier::default(), tensor, score })
    }

    /// The plate with better corners, rows and colour; its score is the weighted geometric mean of
    /// the finder's and this one's. None where no plate is after all.
    pub fn refine(&mut self, planes: &Planes<'_>, first: &PlateQuad) -> Result<Option<PlateQuad>> {
        let least = self.score;
        // NaN is no plate.
        let score = |look: &Look| {
            let both = first.score.powf(FIRST_SHARE) * look.score.powf(1.0 - FIRST_SHARE);
            (both >= least).then_some(both)
        };
        let Some(rough) = self.look(planes, &first.corners)? else { return Ok(None) };
        if score(&rough).is_none() {
            return Ok(None);
        }
        let mut mean = Look::default();
        for beside in BESIDE {
            let Some(look) = self.look(planes, &shifted(&rough.corners, beside))? else {
                return Ok(None);
            };
            mean.add(&look, 1.0 / BESIDE.len() as f32);
        }
        let (Some(score), Some(corners)) = (score(&mean), corners::ordered(&mean.corners)) else {
            return Ok(None);
        };
        let (colour, colour_confidence) = best(&mean.colours);
        Ok(Some(PlateQuad {
            corners,
            score,
            rows: if mean.two_rows >= 0.5 { 2 } else { 1 },
            rows_confidence: mean.two_rows.max(1.0 - mean.two_rows),
            colour: COLOURS[colour],
            colour_confidence,
            cut: flaw::is_cut(&corners, &planes.bounds()),
        }))
    }

    /// The tensor of the last look; for benchmarks and parity tests.
    pub fn tensor(&self) -> &[f32] {
        &self.tensor
    }

    pub fn used(&self) -> ModelUsed {
        self.model.used()
    }

    /// Straightens by the corners and looks once; corners of the answer are in frame pixels. None
    /// where there is nothing to look at, or no quadrilateral.
    fn look(&mut self, planes: &Planes<'_>, corners: &[Point; 4]) -> Result<Option<Look>> {
        let around = grown(corners);
        if !touches(&around, planes) {
            return Ok(None);
        }
        self.rectifier.rectify(planes, &around, INPUT, &mut self.tensor)?;
        let look = self.infer()?;
        let found = unrectified(&around, INPUT, &look.corners)?;
        Ok(corners::ordered(&found).map(|corners| Look { corners, ..look }))
    }

    fn infer(&mut self) -> Result<Look> {
        let names = ["corners", "scores", "rows", "colours"];
        let shape = [1, 3, INPUT.1, INPUT.0];
        let look =
            self.model.run(shape, &self.tensor, names, |[corners, scores, rows, colours]| {
                let corners: [f32; 8] = corners.try_into().ok()?;
                Some(Look {
                    corners: std::array::from_fn(|i| [corners[2 * i], corners[2 * i + 1]]),
                    score: *scores.first()?,
                    two_rows: *rows.first()?,
                    colours: colours.try_into().ok()?,
                })
            })?;
        look.ok_or_else(|| self.model.mismatch("its outputs are not those of one plate".into()))
    }
}

/// Moved along the plate's own sides by shares of their lengths.
fn shifted(corners: &[Point; 4], [along, down]: [f32; 2]) -> [Point; 4] {
    let [a, b, c, d] = *corners;
    let by: Point = std::array::from_fn(|i| {
        ((b[i] - a[i] + c[i] - d[i]) * along + (d[i] - a[i] + c[i] - b[i]) * down) / 2.0
    });
    corners.map(|p| [p[0] + by[0], p[1] + by[1]])
}

fn centre(corners: &[Point; 4]) -> Point {
    corners.iter().fold([0.0, 0.0], |c, p| [c[0] + p[0] / 4.0, c[1] + p[1] / 4.0])
}

/// Scaled about the centre so that [`MARGIN`] of the size lies around on every side.
fn grown(corners: &[Point; 4]) -> [Point; 4] {
    let centre = centre(corners);
    corners.map(|p| std::array::from_fn(|i| centre[i] + (p[i] - centre[i]) * (1.0 + 2.0 * MARGIN)))
}

/// Whether the middle of the quadrilateral lies in the picture.
fn touches(corners: &[Point; 4], planes: &Planes<'_>) -> bool {
    let [x, y] = centre(corners);
    (0.0..planes.width() as f32).contains(&x) && (0.0..planes.height() as f32).contains(&y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_along_its_own_sides_and_all_shifts_cancel() {
        let plate = [[10.0, 10.0], [10.0, 30.0], [0.0, 30.0], [0.0, 10.0]];
        assert_eq!(shifted(&plate, [0.1, 0.0]), plate.map(|[x, y]| [x, y + 2.0]));
        assert_eq!(shifted(&plate, [0.0, 0.1]), plate.map(|[x, y]| [x - 1.0, y]));
        let mut mean = Look::default();
        for beside in BESIDE {
            let look = Look { corners: shifted(&plate, beside), score: 0.8, ..Look::default() };
            mean.add(&look, 0.25);
        }
        for (found, wanted) in mean.corners.iter().flatten().zip(plate.iter().flatten()) {
            assert!((found - wanted).abs() < 1e-4, "{:?}", mean.corners);
        }
        assert!((mean.score - 0.8).abs() < 1e-6);
    }

    #[test]
    fn grows_about_the_centre() {
        let grown = grown(&[[10.0, 10.0], [20.0, 10.0], [20.0, 15.0], [10.0, 15.0]]);
        let wanted = [[6.0, 8.0], [24.0, 8.0], [24.0, 17.0], [6.0, 17.0]];
        for (found, wanted) in grown.iter().flatten().zip(wanted.iter().flatten()) {
            assert!((found - wanted).abs() < 1e-4, "{grown:?}");
        }
    }
}
