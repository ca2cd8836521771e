//! How well plates are read at this camera lately: whose plate is not recognised where others' are not
//! either has hidden nothing.

use std::collections::VecDeque;

use judge::rules::Plates;
use judge::track::Looked;
use plate_model::Characters;

/// Vehicles that count, the latest.
const LATELY: usize = 20;
/// Looked at less often, a plate need not have been read.
const LOOKS: usize = 6;
/// So many characters, none of them weaker, are something of a plate.
const CHARACTERS: usize = 4;
const WEAKEST: f32 = 0.3;

/// Whether the latest vehicles' plates were read.
#[derive(Debug, Default)]
pub struct Legible {
    lately: VecDeque<bool>,
}

impl Legible {
    /// Takes note of a vehicle that is gone.
    pub fn note(&mut self, looks: usize, verdict: &plate_model::Verdict) {
        if looks < LOOKS {
            return;
        }
        if self.lately.len() == LATELY {
            self.lately.pop_front();
        }
        self.lately.push_back(verdict.reading().is_some_and(|reading| reading.text.is_some()));
    }

    pub fn plates<'a>(&self, looks: &'a [Looked]) -> Plates<'a> {
        Plates {
            looks,
            others: self.lately.len() as u32,
            others_read: self.lately.iter().filter(|read| **read).count() as u32,
        }
    }
}

/// Whether anything of a plate was read in one look.
pub fn legible(characters: &Characters) -> bool {
    characters.length() >= CHARACTERS && characters.weakest() >= WEAKEST
}
