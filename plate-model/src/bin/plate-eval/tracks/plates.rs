//! What all frames of a track together say of its plate, beside what its best frame says alone.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::log::{Log, Look, Reading};
use super::scene::{Scene, Truth};

/// Accepted texts; `right` and `wrong` only where the truth is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub accepted: usize,
    pub right: usize,
    pub wrong: usize,
}

impl Tally {
    fn add(&mut self, reading: &Reading, truth: Option<&String>) {
        let Some(text) = &reading.text else { return };
        self.accepted += 1;
        match truth {
            Some(truth) if truth == text => self.right += 1,
            Some(_) => self.wrong += 1,
            None => {}
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Plates {
    /// Tracks with at least one plate read.
    pub tracks: usize,
    /// Looks with a plate.
    pub looks: usize,
    /// Every look by itself.
    pub frames: Tally,
    /// For each track the look that counts most.
    pub best_frame: Tally,
    /// For each track all its looks.
    pub fused: Tally,
    /// Accepted single frames that contradict their track's accepted text.
    pub overruled: usize,
}

impl Plates {
    /// None where no plate was looked at.
    pub fn of(scene: &Scene, log: &Log, truth: &Truth) -> Option<Self> {
        let owners = scene.owners();
        let plate = |track: u64| owners.get(&track).and_then(|owner| truth.plates.get(owner));
        let mut looks: BTreeMap<u64, Vec<&Look>> = BTreeMap::new();
        for look in &log.looks {
            looks.entry(look.track).or_default().push(look);
        }
        let mut out = Self::default();
        for over in log.over.iter().filter(|over| over.plate.frames > 0) {
            let Some(looks) = looks.get(&over.id) else { continue };
            out.tracks += 1;
            out.fused.add(&over.plate, plate(over.id));
            let value = |look: &Look| look.weight * look.alone.confidence;
            let best = looks.iter().max_by(|a, b| value(a).total_cmp(&value(b)));
            if let Some(best) = best {
                out.best_frame.add(&best.alone, plate(over.id));
            }
            for look in looks {
                out.looks += 1;
                out.frames.add(&look.alone, plate(over.id));
                let differs = look.alone.text.is_some() && look.alone.text != over.plate.text;
                out.overruled += usize::from(over.plate.text.is_some() && differs);
            }
        }
        (out.tracks > 0).then_some(out)
    }
}

impl fmt::Display for Plates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally =
            |t: &Tally| format!("{} accepted ({} right, {} wrong)", t.accepted, t.right, t.wrong);
        write!(
            f,
            "plates: {} tracks: fused {}, best frame alone {}; {} looks: {}, {} overruled",
            self.tracks,
            tally(&self.fused),
            tally(&self.best_frame),
            self.looks,
            tally(&self.frames),
            self.overruled
        )
    }
}
