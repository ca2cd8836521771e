//! Whether the camera still looks where the site was drawn, and sees it. A camera that a lorry knocked
//! or whose bracket gave way shows lawful vehicles beyond a line; one that is out of focus, dazzled
//! or covered shows too little to accuse anybody.
//!
//! Where it should look is what it showed when it was first reached ([`Scenery`] learns it); what
//! changes slowly, as daylight does, is learned on. A camera that had been turned before that, or
//! turns by less than a cell in some minutes, is not noticed here.

mod place;
mod sketch;

use plate_model::Planes;

use super::{Nanos, seconds};
use place::{Fit, Patterns};
use sketch::{COLUMNS, Sketch};

/// Time from one check to the next, at least.
const CHECK: Nanos = seconds(0.35);
/// So many checks in a row decide. Sooner than an accusation leaves, which waits for its clip.
const IN_A_ROW: u32 = 3;
/// A change that lasts this long is the camera's and not a bus before it.
const SURE: Nanos = seconds(10.0);
/// Checks of which the scenery is first made: their median has few vehicles in it.
const FIRST: usize = 15;
/// Blocks with a pattern without which nothing can be said of where the camera looks.
const BLOCKS: usize = 8;
/// Shift from which the drawn site no longer fits, in cells: 9 px of 1920.
const SHIFTED: f32 = 0.75;
/// Up to this shift the picture is still learned on.
const FITS: f32 = 0.3;
/// Likeness from which a peak where it belongs is the view itself: by night headlamps leave no more
/// than half of it, and another view has its peak anywhere.
const ALIKE: f32 = 0.25;
/// By how much the peak of the likeness stands out where the scenery is recognised elsewhere.
const CLEAR: f32 = 0.08;
/// … and by how much a shift must be liker than none.
const GAIN: f32 = 0.08;
/// Weight of a new picture in the scenery: about five minutes count.
const LEARN: f32 = 0.0015;
/// Under this share of the usual number of sharp edges the picture is out of focus.
const FEW_EDGES: f32 = 0.25;
/// Sharp edges in a thousand samples, without which nothing can be said of focus.
const EDGES: f32 = 0.5;
/// Contrast (standard deviation of luma) under which a picture shows nothing.
const NO_CONTRAST: f32 = 6.0;
/// Share of burnt-out cells from which a picture shows nothing.
const BURNT: f32 = 0.6;

/// What is the matter with a view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// Shifted by so many parts of the picture's width, right and down.
    Moved([f32; 2]),
    /// Nothing is where it was.
    Elsewhere,
    /// Not sharp any more.
    Defocused,
    /// Too bright, too dark or covered.
    Blinded,
}

/// That the view is not the usual one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strange {
    /// The last check at which it was.
    pub since: Nanos,
    pub fault: Fault,
    /// It has lasted too long to pass by itself.
    pub sure: bool,
}

/// What a camera usually shows.
#[derive(Debug, Clone)]
struct Usual {
    cells: Vec<f32>,
    patterns: Patterns,
    sharp: f32,
}

/// Watches one camera's view, over all its connections.
#[derive(Debug, Default)]
pub struct Scenery {
    first: Vec<Sketch>,
    usual: Option<Usual>,
    checked: Option<Nanos>,
    /// The last check at which the view was the usual one.
    well: Nanos,
    /// Checks in a row that found it strange, and usual again.
    strange: u32,
    again: u32,
    told: Option<Strange>,
}

impl Scenery {
    /// A new connection: its times begin anew, what the camera should show does not.
    pub fn reconnected(&mut self) {
        self.checked = None;
        self.strange = 0;
    }

    /// Takes in the picture at `t`; says what is the matter while something is.
    pub fn look(&mut self, t: Nanos, planes: &Planes<'_>) -> Option<Strange> {
        if self.checked.is_some_and(|last| t >= last && t - last < CHECK) {
            return self.told;
        }
        if self.checked.replace(t).is_none() {
            // As if it had just been found well: nothing of another connection is judged any more.
            self.well = t;
            self.told = self.told.map(|told| Strange { since: t, ..told });
        }
        let sketch = Sketch::of(planes)?;
        let fault = match &mut self.usual {
            None => {
                let fault = blinded(&sketch);
                if fault.is_none() {
                    self.first.push(sketch);
                    if self.first.len() == FIRST {
                        self.usual = Some(Usual::of(&std::mem::take(&mut self.first)));
                    }
                }
                fault
            }
            Some(usual) => usual.hold(&sketch),
        };
        self.step(t, fault);
        self.told
    }

    fn step(&mut self, t: Nanos, fault: Option<Fault>) {
        let Some(fault) = fault else {
            self.strange = 0;
            self.again += 1;
            if self.told.is_none() || self.again >= IN_A_ROW {
                self.told = None;
                self.well = t;
            }
            return;
        };
        self.again = 0;
        self.strange += 1;
        if self.told.is_some() || self.strange >= IN_A_ROW {
            let sure = t.saturating_sub(self.well) >= SURE;
            // A shift is told as it was when it was sure: it wavers in the wind.
            let same = |told: &Strange| {
                told.sure && std::mem::discriminant(&told.fault) == std::mem::discriminant(&fault)
            };
            let fault = self.told.filter(same).map_or(fault, |told| told.fault);
            self.told = Some(Strange { since: self.well, fault, sure });
        }
    }
}

impl Usual {
    fn of(first: &[Sketch]) -> Self {
        let median = |mut values: Vec<f32>| {
            values.sort_by(f32::total_cmp);
            values[values.len() / 2]
        };
        let cell = |i: usize| median(first.iter().map(|sketch| sketch.cells[i]).collect());
        let cells: Vec<f32> = (0..first[0].cells.len()).map(cell).collect();
        let patterns = Patterns::of(&cells);
        Self { patterns, cells, sharp: median(first.iter().map(|sketch| sketch.sharp).collect()) }
    }

    /// Holds a picture against what is usual, and learns from it where it is.
    fn hold(&mut self, sketch: &Sketch) -> Option<Fault> {
        if let Some(fault) = blinded(sketch) {
            return Some(fault);
        }
        if self.sharp >= EDGES && sketch.sharp < FEW_EDGES * self.sharp {
            return Some(Fault::Defocused);
        }
        if self.patterns.count() < BLOCKS {
            self.learn(sketch);
            return None;
        }
        let fit = self.patterns.fit(&sketch.cells);
        tracing::trace!(?fit, sharp = sketch.sharp, usual = self.sharp, "view");
        let Fit { shift: [x, y], like, clear, gain } = fit;
        let far = x.hypot(y);
        if far < SHIFTED && like >= ALIKE {
            if far < FITS {
                self.learn(sketch);
            }
            return None;
        }
        if clear < CLEAR {
            return Some(Fault::Elsewhere);
        }
        (gain >= GAIN).then_some(Fault::Moved([x, y].map(|cells| cells / COLUMNS as f32)))
    }

    fn learn(&mut self, sketch: &Sketch) {
        for (usual, new) in self.cells.iter_mut().zip(&sketch.cells) {
            *usual += LEARN * (new - *usual);
        }
        self.sharp += LEARN * (sketch.sharp - self.sharp);
        self.patterns = Patterns::of(&self.cells);
    }
}

fn blinded(sketch: &Sketch) -> Option<Fault> {
    (sketch.contrast() < NO_CONTRAST || sketch.burnt() > BURNT).then_some(Fault::Blinded)
}

#[cfg(test)]
mod tests;
