//! Whose plate is looked for in this picture. Only vehicles that matter to a rule; the least known
//! first, within the budget of the frame. To measure reading itself, all of them.

use std::collections::BTreeMap;

use judge::Attention;
use judge::track::Looked;
use plate_model::{BBox, Characters, Flaw, Fusion, PlateQuad, flaw, fusion};

use super::candidate::{Candidate, shot};
use super::eyes::Eyes;
use super::legible::legible;
use super::listener::Look;
use crate::see::track::Track;
use crate::see::{Nanos, seconds};
use crate::source::Picture;

/// Looks spent on a vehicle that only waits.
const WAITING: usize = 12;
/// Looks spent on one that may be accused.
const SUSPECT: usize = 60;
/// Time between two looks at one vehicle: pictures closer together show the same, and the looks
/// must last for the way at any frame rate.
const BETWEEN: Nanos = seconds(0.07);
/// Smaller vehicles have no readable plate, pixels.
const SMALLEST: f32 = 36.0;

/// Whose plates are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Vehicles that may yet be accused: what the box at the junction does.
    #[default]
    Suspects,
    /// Every vehicle large enough, wherever it is: for measuring.
    Everyone,
}

/// Tracks to look at, with their boxes.
pub fn choose(
    tracks: &[Track],
    candidates: &BTreeMap<u64, Candidate>,
    t: Nanos,
    wanted: Wanted,
    most: usize,
) -> Vec<(u64, BBox)> {
    let everyone = wanted == Wanted::Everyone;
    let mut chosen: Vec<(bool, usize, u64, BBox)> = tracks
        .iter()
        .filter(|track| track.last().t == t)
        .filter_map(|track| {
            let candidate = candidates.get(&track.id)?;
            let bbox = track.last().bbox;
            let suspect = candidate.attention == Attention::Suspect;
            let near = candidate.attention == Attention::Near;
            let enough =
                candidate.looks.len() >= if suspect || everyone { SUSPECT } else { WAITING };
            let large = bbox.height() >= SMALLEST && bbox.width() >= SMALLEST / 2.0;
            let rested = candidate.looks.last().is_none_or(|last| t >= last.t + BETWEEN);
            (large && rested && !enough && (suspect || near || everyone)).then_some((
                !suspect,
                candidate.looks.len(),
                track.id,
                bbox,
            ))
        })
        .collect();
    chosen.sort_by_key(|&(waiting, looks, id, _)| (waiting, looks, id));
    chosen.into_iter().take(most).map(|(.., id, bbox)| (id, bbox)).collect()
}

/// What one look at a vehicle gave.
#[derive(Debug)]
pub struct Read {
    quad: PlateQuad,
    characters: Characters,
    weight: f32,
}

impl Read {
    /// As a listener is told it; `fusion` is the vehicle's, for its thresholds and class.
    pub fn told(&self, track: u64, vehicle: BBox, fusion: &Fusion) -> Look<'_> {
        let mut alone = fusion.emptied();
        alone.add(&self.characters, &self.quad, self.weight);
        Look { track, vehicle, quad: &self.quad, weight: self.weight, alone: alone.verdict() }
    }
}

/// Looks for the plate of one vehicle and adds what is read, unless the plate is rather one of the
/// `others` in the picture: in a queue the plate ahead shows inside the box of whoever follows. A
/// plate at the edge of the `part` analysed is cut like one at the picture's: bars may lie beside it.
pub fn look(
    eyes: &mut impl Eyes,
    candidate: &mut Candidate,
    picture: &Picture,
    bbox: BBox,
    others: &[BBox],
    part: Option<&BBox>,
) -> plate_model::Result<Option<Read>> {
    candidate.looks.push(Looked { t: picture.t, found: false, read: false });
    let Some((mut quad, characters)) = eyes.plate(&picture.frame.planes(), bbox)? else {
        return Ok(None);
    };
    let plate = quad.bbox();
    if others.iter().any(|other| seat(&plate, other) < seat(&plate, &bbox)) {
        return Ok(None);
    }
    if let Some(look) = candidate.looks.last_mut() {
        (look.found, look.read) = (true, legible(&characters));
    }
    quad.cut |= part.is_some_and(|part| flaw::is_cut(&quad.corners, part));
    let weight = fusion::weight(&characters, &quad);
    candidate.fusion.add(&characters, &quad, weight);
    let shot = || shot(picture, bbox, Some(quad.corners), others);
    let whole = Flaw::of(&quad, &characters).is_none();
    let shown = if whole { weight * characters.weakest() } else { 0.0 };
    candidate.consider(1.0 + shown * 10.0, shot);
    Ok(Some(Read { quad, characters, weight }))
}

/// How far a plate sits from where this vehicle's would be, in the vehicle's sizes: in the middle,
/// two thirds down. Infinite where it lies outside.
fn seat(plate: &BBox, vehicle: &BBox) -> f32 {
    if plate.inside(vehicle) < 0.8 {
        return f32::INFINITY;
    }
    let ([x, y], [middle, _]) = (plate.centre(), vehicle.centre());
    let down = vehicle.y1 + 0.67 * vehicle.height();
    ((x - middle) / vehicle.width().max(1.0)).hypot((y - down) / vehicle.height().max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plate_is_its_own_vehicles_not_the_followers() {
        let ahead = BBox::new(100.0, 100.0, 160.0, 220.0);
        // Close behind and a little aside; its own plate is below the picture.
        let behind = BBox::new(110.0, 140.0, 190.0, 300.0);
        let plate = BBox::new(120.0, 170.0, 140.0, 186.0);
        assert!(seat(&plate, &ahead) < seat(&plate, &behind));
        assert_eq!(seat(&plate, &BBox::new(300.0, 100.0, 360.0, 220.0)), f32::INFINITY);
    }
}
