//! One verdict from many looks at one plate.
//!
//! Frames vote on the number of characters; those that agree are averaged position by position in
//! log probability, weighted by how well they show the plate and how sure they are of all of it.
//! Only the best of them count: many far looks must not drown the near ones. Averaging, not
//! multiplying: frames of one track share their glare and their dirt, so ten of them are not ten
//! witnesses. A look that the picture's edge cuts or that glare has burnt is used only where there
//! is no other, and then gives no number. The grammar
//! comes last and only where the characters leave room; a tie, a weak character or an ambiguous
//! number gives no text, and says why.

mod decide;

use std::collections::VecDeque;

use contract::VehicleClass;
use contract::manifest::PlateReading;
use contract::plate::{PlateClass, PlateColour, Sight};

use crate::detect::best;
use crate::finder::PlateQuad;
use crate::flaw::Flaw;
use crate::reader::{ALPHABET, BLANK, Characters, POSITIONS, SYMBOLS};

/// Readings kept for one vehicle; past that the least useful makes room.
pub const MOST: usize = 64;
/// Fewest characters that any plate has.
const SHORTEST: usize = 5;
/// No single frame may veto a character: probabilities count as at least this.
const FLOOR: f32 = 1e-4;
/// Height of one row of a plate, in pixels, from which size no longer limits reading.
const READABLE: f32 = 24.0;
/// Sharpness from which blur no longer limits reading.
const CRISP: f32 = 0.3;

/// Looks that count less than this share of the best are left out, down to so many looks.
const WORTH: f32 = 0.5;
const ENOUGH: usize = 8;

/// Looks from which on [`Thresholds::accept_fused`] holds.
pub const AGREEING: usize = 3;

/// When a text is accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Least probability of the weakest character in a single look.
    pub accept: f32,
    /// The same where [`AGREEING`] looks or more say the same: not as many witnesses as frames, but
    /// more than one.
    pub accept_fused: f32,
    /// A character this probable is never overruled by the grammar.
    pub confident: f32,
    /// A runner-up this close to the winner (as a share of it) is a tie.
    pub tie: f32,
    /// Share of the votes that settles rows or colour; less leaves them open.
    pub settled: f32,
    /// The finder's score that the best frame must have: corners that cut off a character look as
    /// certain to the reader as whole ones.
    pub found: f32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            accept: 0.85,
            accept_fused: 0.96,
            confident: 0.9,
            tie: 0.8,
            settled: 0.65,
            found: 0.5,
        }
    }
}

/// Why there is no text.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Doubt {
    #[error("no frame shows a readable plate")]
    NoReading,
    #[error("{0} in every frame")]
    Flawed(Flaw),
    #[error("no frame shows the plate's corners clearly: the best score is {score:.2}")]
    Corners { score: f32 },
    #[error("frames disagree on the number of characters: {0} or {1}")]
    Length(usize, usize),
    #[error("character {position} may be {first} or {second}")]
    Tie { position: usize, first: char, second: char },
    #[error("character {position} is read with probability {confidence:.2} only")]
    Weak { position: usize, confidence: f32 },
    #[error("the characters fit {} kinds of plate", .0.len())]
    Ambiguous(Vec<PlateClass>),
    #[error("the characters are no plate number")]
    NoPlate,
}

/// What the frames of one vehicle say together.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Most probable characters, before the grammar; empty where nothing was read.
    pub raw: String,
    /// The accepted number, A–Z and 0–9.
    pub text: Option<String>,
    pub class: Option<PlateClass>,
    pub colour: PlateColour,
    /// 1 or 2.
    pub rows: u8,
    /// Probability of the weakest character, 0 to 1.
    pub confidence: f32,
    /// Frames that were averaged: the best of those that agree on the number of characters.
    pub frames: u32,
    /// Why `text` is absent.
    pub doubt: Option<Doubt>,
}

impl Verdict {
    /// The form the evidence manifest has; none where no frame was read.
    pub fn reading(&self) -> Option<PlateReading> {
        (self.frames > 0).then(|| PlateReading {
            raw: self.raw.clone(),
            text: self.text.clone(),
            class: self.class,
            colour: self.colour,
            rows: self.rows,
            confidence: f64::from(self.confidence.clamp(0.0, 1.0)),
            frames: self.frames,
        })
    }
}

/// How much one look at a plate counts, 0 to 1: size, sharpness and the finder's score.
pub fn weight(characters: &Characters, quad: &PlateQuad) -> f32 {
    let row_height = quad.height() / f32::from(quad.rows.max(1));
    let size = (row_height / READABLE).clamp(0.05, 1.0);
    let crisp = (characters.sharpness / CRISP).clamp(0.1, 1.0);
    size * crisp * quad.score.clamp(0.0, 1.0)
}

#[derive(Debug, Clone)]
struct Reading {
    characters: [[f32; SYMBOLS]; POSITIONS],
    length: usize,
    /// Votes on the length with its doubt: an unsure reading counts less.
    weakest: f32,
    two_rows: f32,
    colour: PlateColour,
    colour_confidence: f32,
    /// The finder's.
    score: f32,
    weight: f32,
    flaw: Option<Flaw>,
}

impl Reading {
    /// What it counts: how well it shows the plate, and how sure it is of its weakest character.
    fn worth(&self) -> f32 {
        self.weight * self.weakest
    }

    fn whole(&self) -> bool {
        self.flaw.is_none()
    }
}

/// Collects the looks at one vehicle's plate.
#[derive(Debug, Clone)]
pub struct Fusion {
    vehicle: Option<VehicleClass>,
    thresholds: Thresholds,
    readings: VecDeque<Reading>,
    ignored: u32,
}

impl Fusion {
    /// For a vehicle of a class, or of none where only the plate is seen.
    pub fn new(vehicle: impl Into<Option<VehicleClass>>) -> Self {
        Self::with(vehicle, Thresholds::default())
    }

    /// With thresholds of its own, as a calibrated reader's card has them.
    pub fn with(vehicle: impl Into<Option<VehicleClass>>, thresholds: Thresholds) -> Self {
        let vehicle = vehicle.into();
        Self { vehicle, thresholds, readings: VecDeque::new(), ignored: 0 }
    }

    /// Adds one frame's reading. Malformed, too short and weightless ones are counted, not used.
    pub fn add(&mut self, characters: &Characters, quad: &PlateQuad, weight: f32) {
        let length = characters.length();
        // NaN is not above zero either.
        let useful = weight > 0.0 && weight.is_finite();
        if !useful || length < SHORTEST || !characters.is_well_formed() {
            self.ignored += 1;
            return;
        }
        let two_rows =
            if quad.rows == 2 { quad.rows_confidence } else { 1.0 - quad.rows_confidence };
        self.readings.push_back(Reading {
            characters: characters.probabilities,
            length,
            weakest: characters.weakest(),
            two_rows,
            colour: quad.colour,
            colour_confidence: quad.colour_confidence,
            score: quad.score,
            weight,
            flaw: Flaw::of(quad, characters),
        });
        if self.readings.len() > MOST {
            // The first of equals: older readings make room, flawed ones before whole ones.
            let value = |i: usize| (self.readings[i].whole(), self.readings[i].worth());
            let least = (0..self.readings.len()).min_by(|&a, &b| {
                let ((a, of_a), (b, of_b)) = (value(a), value(b));
                a.cmp(&b).then(of_a.total_cmp(&of_b))
            });
            if let Some(least) = least {
                self.readings.remove(least);
                self.ignored += 1;
            }
        }
    }

    /// Readings in use.
    pub fn frames(&self) -> usize {
        self.readings.len()
    }

    /// Readings that were not used or made room.
    pub fn ignored(&self) -> u32 {
        self.ignored
    }

    /// With the same thresholds and vehicle, and no readings.
    pub fn emptied(&self) -> Self {
        Self { readings: VecDeque::new(), ignored: 0, ..*self }
    }

    /// The class may become clearer while the track grows.
    pub fn set_vehicle(&mut self, vehicle: VehicleClass) {
        self.vehicle = Some(vehicle);
    }

    /// What the readings so far say.
    pub fn verdict(&self) -> Verdict {
        // A flawed look says nothing beside a whole one.
        let any_whole = self.readings.iter().any(Reading::whole);
        let seen: Vec<&Reading> =
            self.readings.iter().filter(|reading| reading.whole() || !any_whole).collect();
        let Some((length, runner_up)) = self.vote_length(&seen) else {
            return Verdict {
                raw: String::new(),
                text: None,
                class: None,
                colour: PlateColour::White,
                rows: 1,
                confidence: 0.0,
                frames: 0,
                doubt: Some(Doubt::NoReading),
            };
        };
        let group = best_of(seen.into_iter().filter(|reading| reading.length == length));
        let average = average(&group);
        let (colour, colour_settled) = self.vote_colour(&group);
        let (rows, rows_settled) = self.vote_rows(&group);
        let sight = Sight {
            rows: rows_settled.then_some(rows),
            colour: colour_settled.then_some(colour),
            vehicle: self.vehicle,
        };
        let raw: String =
            average[..length].iter().map(|p| char::from(ALPHABET[best(&p[..BLANK]).0])).collect();
        let mut verdict = Verdict {
            raw,
            text: None,
            class: None,
            colour,
            rows,
            confidence: decide::weakest_of(&average, length),
            frames: group.len() as u32,
            doubt: None,
        };
        if let Some(flaw) = group.iter().find_map(|reading| reading.flaw) {
            // A character that is not there is not read, however sure the reader is of it.
            verdict.confidence = 0.0;
            verdict.doubt = Some(Doubt::Flawed(flaw));
            return verdict;
        }
        if let Some(other) = runner_up {
            verdict.doubt = Some(Doubt::Length(length, other));
            return verdict;
        }
        let score = group.iter().map(|reading| reading.score).fold(0.0, f32::max);
        if score < self.thresholds.found {
            verdict.doubt = Some(Doubt::Corners { score });
            return verdict;
        }
        let mut thresholds = self.thresholds;
        if group.len() >= AGREEING {
            thresholds.accept = thresholds.accept_fused;
        }
        match decide::decide(&average, length, &sight, &thresholds) {
            Ok((plate, confidence)) => {
                verdict.text = Some(plate.text().to_owned());
                verdict.class = Some(plate.class());
                verdict.confidence = confidence;
            }
            Err(doubt) => verdict.doubt = Some(doubt),
        }
        verdict
    }

    /// The number of characters with most votes, and another that comes too close.
    fn vote_length(&self, seen: &[&Reading]) -> Option<(usize, Option<usize>)> {
        let mut votes = [0.0f32; POSITIONS + 1];
        for reading in seen {
            votes[reading.length] += reading.worth();
        }
        let (length, most) = best(&votes);
        if seen.is_empty() || most <= 0.0 {
            return None;
        }
        let others = (0..votes.len()).filter(|other| *other != length);
        let second = others.max_by(|a, b| votes[*a].total_cmp(&votes[*b]))?;
        let close = votes[second] >= self.thresholds.tie * most;
        Some((length, close.then_some(second)))
    }

    fn vote_rows(&self, group: &[&Reading]) -> (u8, bool) {
        let total: f32 = group.iter().map(|reading| reading.weight).sum();
        let two: f32 = group.iter().map(|reading| reading.weight * reading.two_rows).sum();
        let share = two / total;
        let rows = if share >= 0.5 { 2 } else { 1 };
        (rows, share.max(1.0 - share) >= self.thresholds.settled)
    }

    fn vote_colour(&self, group: &[&Reading]) -> (PlateColour, bool) {
        const ALL: [PlateColour; 4] =
            [PlateColour::White, PlateColour::Yellow, PlateColour::Blue, PlateColour::Red];
        let votes = ALL.map(|colour| {
            let of = group.iter().filter(|reading| reading.colour == colour);
            of.map(|reading| reading.weight * reading.colour_confidence).sum::<f32>()
        });
        let total: f32 = group.iter().map(|reading| reading.weight).sum();
        let (colour, most) = best(&votes);
        (ALL[colour], most >= self.thresholds.settled * total)
    }
}

/// The readings that are worth most, best first.
fn best_of<'a>(readings: impl Iterator<Item = &'a Reading>) -> Vec<&'a Reading> {
    let mut group: Vec<&Reading> = readings.collect();
    // Stable: of equals the older stays.
    group.sort_by(|a, b| b.worth().total_cmp(&a.worth()));
    let least = group.first().map_or(0.0, |best| WORTH * best.worth());
    let worthy = group.partition_point(|reading| reading.worth() >= least);
    group.truncate(worthy.max(ENOUGH));
    group
}

/// Weighted mean of log probabilities, normalised again, for each position.
fn average(group: &[&Reading]) -> [[f32; SYMBOLS]; POSITIONS] {
    let total: f32 = group.iter().map(|reading| reading.worth()).sum();
    let mut average = [[0.0; SYMBOLS]; POSITIONS];
    for (position, into) in average.iter_mut().enumerate() {
        for (symbol, value) in into.iter_mut().enumerate() {
            let log = |reading: &&Reading| {
                reading.worth() * reading.characters[position][symbol].max(FLOOR).ln()
            };
            *value = (group.iter().map(log).sum::<f32>() / total).exp();
        }
        let sum: f32 = into.iter().sum();
        into.iter_mut().for_each(|value| *value /= sum);
    }
    average
}

#[cfg(test)]
mod tests;
