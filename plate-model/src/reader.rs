//! Characters of a plate: rectified by its four corners, read position by position as
//! distributions, so that doubt survives until frames are fused.

use std::path::Path;

use contract::manifest::ModelUsed;

use crate::card::Kind;
use crate::detect::best;
use crate::error::Result;
use crate::finder::PlateQuad;
use crate::flaw;
use crate::frame::Planes;
use crate::fusion::Thresholds;
use crate::model::{Expected, Model, Numbers};
use crate::rectify::{Rectifier, sharpness};
use crate::runtime::Runtime;

/// Width and height of the reader's input.
pub const INPUT: (usize, usize) = (128, 64);
/// Characters on a plate at most.
pub const POSITIONS: usize = 10;
/// Characters and the blank.
pub const SYMBOLS: usize = 37;
/// Channel of the blank.
pub const BLANK: usize = 36;
/// Characters in channel order. Đ reads as D.
pub const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

const EXPECTED: Expected = Expected {
    kind: Kind::Reader,
    input: ("plates", [None, Some(3), Some(INPUT.1 as u32), Some(INPUT.0 as u32)]),
    numbers: Numbers::Shares,
    outputs: &[("chars", &[None, Some(POSITIONS as u32), Some(SYMBOLS as u32)])],
    thresholds: &["accept", "accept_fused", "confident"],
};

/// Channel of a character, none for what no plate holds.
pub fn channel(character: char) -> Option<usize> {
    ALPHABET.iter().position(|known| char::from(*known) == character)
}

/// What one look at a plate says.
#[derive(Debug, Clone, PartialEq)]
pub struct Characters {
    /// A distribution for each position over [`ALPHABET`] and the blank; upper row first.
    pub probabilities: [[f32; SYMBOLS]; POSITIONS],
    /// Contrast of edges in the rectified plate, 0 (blurred) to about 1.
    pub sharpness: f32,
    /// Whether glare has burnt or washed out a part of the plate: characters there are guessed,
    /// however sure.
    pub glare: bool,
}

impl Characters {
    /// Positions before the first blank.
    pub fn length(&self) -> usize {
        self.probabilities.iter().position(|p| best(p).0 == BLANK).unwrap_or(POSITIONS)
    }

    /// Whether blanks stand only at the end, as the reader was taught.
    pub fn is_well_formed(&self) -> bool {
        self.probabilities[self.length()..].iter().all(|p| best(p).0 == BLANK)
    }

    /// The most probable characters.
    pub fn text(&self) -> String {
        self.probabilities[..self.length()]
            .iter()
            .map(|p| char::from(ALPHABET[best(p).0]))
            .collect()
    }

    /// The least probability that another look gives these characters, the end included.
    fn held_by(&self, other: &[[f32; SYMBOLS]; POSITIONS]) -> f32 {
        let seen = (self.length() + 1).min(POSITIONS);
        let pairs = self.probabilities[..seen].iter().zip(other);
        pairs.map(|(own, other)| other[best(own).0]).fold(1.0, f32::min)
    }

    /// Probability of the least certain position, the end included; 0 where nothing was read.
    pub fn weakest(&self) -> f32 {
        let length = self.length();
        if length == 0 {
            return 0.0;
        }
        let seen = &self.probabilities[..(length + 1).min(POSITIONS)];
        seen.iter().map(|p| best(p).1).fold(1.0, f32::min)
    }
}

/// Characters this sure are looked at once more with the plate's contrast evened out, on rows this
/// high in pixels: smaller ones are blurred, and evening out a blur makes noise.
const SURE: f32 = 0.85;
const LARGE: f32 = 20.0;
/// What the second look must hold of each of them: where light has washed strokes out, it sees
/// another character.
const HELD: f32 = 0.7;

fn infer(model: &mut Model, tensor: &[f32]) -> Result<[[f32; SYMBOLS]; POSITIONS]> {
    let mut probabilities = [[0.0; SYMBOLS]; POSITIONS];
    let complete = model.run([1, 3, INPUT.1, INPUT.0], tensor, ["chars"], |[chars]| {
        if chars.len() != POSITIONS * SYMBOLS {
            return false;
        }
        for (into, from) in probabilities.iter_mut().zip(chars.chunks_exact(SYMBOLS)) {
            into.copy_from_slice(from);
        }
        true
    })?;
    if complete {
        Ok(probabilities)
    } else {
        Err(model.mismatch("output chars is not 10 x 37 numbers a plate".into()))
    }
}

/// The reader of one worker.
#[derive(Debug)]
pub struct PlateReader {
    model: Model,
    rectifier: Rectifier,
    tensor: Vec<f32>,
}

impl PlateReader {
    /// Loads `<base>.card.toml` and its weights from `folder`.
    pub fn load(runtime: &Runtime, folder: &Path, base: &str) -> Result<Self> {
        let model = Model::load(runtime, folder, base, &EXPECTED)?;
        if model.card().alphabet.as_bytes() != ALPHABET {
            let found = &model.card().alphabet;
            return Err(model.mismatch(format!(
                "its card lists the alphabet {found:?}, expected {:?}",
                String::from_utf8_lossy(ALPHABET)
            )));
        }
        Ok(Self {
            model,
            rectifier: Rectifier::default(),
            tensor: vec![0.0; 3 * INPUT.0 * INPUT.1],
        })
    }

    /// Reads one plate.
    pub fn read(&mut self, planes: &Planes<'_>, quad: &PlateQuad) -> Result<Characters> {
        self.rectifier.rectify(planes, &quad.corners, INPUT, &mut self.tensor)?;
        let sharpness = sharpness(&self.tensor, INPUT);
        let glare = flaw::has_glare(&self.tensor, INPUT);
        let probabilities = infer(&mut self.model, &self.tensor)?;
        let mut characters = Characters { probabilities, sharpness, glare };
        let row = quad.height() / f32::from(quad.rows.max(1));
        if !glare && row >= LARGE && characters.weakest() >= SURE {
            let even = flaw::evened(&self.tensor, INPUT)?;
            characters.glare = characters.held_by(&infer(&mut self.model, &even)?) < HELD;
        }
        Ok(characters)
    }

    /// The tensor that the last [`PlateReader::read`] made; for benchmarks and parity tests.
    pub fn tensor(&self) -> &[f32] {
        &self.tensor
    }

    /// The card's thresholds, the crate's own where it has none.
    pub fn thresholds(&self) -> Thresholds {
        let default = Thresholds::default();
        Thresholds {
            accept: self.model.threshold("accept", default.accept),
            accept_fused: self.model.threshold("accept_fused", default.accept_fused),
            confident: self.model.threshold("confident", default.confident),
            ..default
        }
    }

    pub fn used(&self) -> ModelUsed {
        self.model.used()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn characters(text: &str, probability: f32) -> Characters {
        let mut probabilities = [[0.0; SYMBOLS]; POSITIONS];
        for (position, into) in probabilities.iter_mut().enumerate() {
            let at = text.chars().nth(position).and_then(channel).unwrap_or(BLANK);
            into.fill((1.0 - probability) / (SYMBOLS - 1) as f32);
            into[at] = probability;
        }
        Characters { probabilities, sharpness: 1.0, glare: false }
    }

    #[test]
    fn text_ends_at_the_first_blank() {
        let read = characters("29B12345", 0.9);
        assert_eq!(read.text(), "29B12345");
        assert_eq!(read.length(), 8);
        assert!(read.is_well_formed());
        assert!((read.weakest() - 0.9).abs() < 1e-6);
    }

    #[test]
    fn a_gap_is_not_well_formed() {
        let mut read = characters("29B12345", 0.9);
        read.probabilities[2] = [0.0; SYMBOLS];
        read.probabilities[2][BLANK] = 1.0;
        assert!(!read.is_well_formed());
        assert_eq!(read.text(), "29");
    }

    #[test]
    fn weakest_counts_the_end() {
        let mut read = characters("29B12345", 0.99);
        read.probabilities[8][BLANK] = 0.6;
        assert!((read.weakest() - 0.6).abs() < 1e-6);
        assert_eq!(characters("", 0.99).weakest(), 0.0);
    }
}
