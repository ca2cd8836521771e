//! What happens along the way, by the matching of CLEAR MOT (Bernardin and Stiefelhagen,
//! "Evaluating Multiple Object Tracking Performance", 2008): pairs of the picture before that still
//! overlap stay together, the rest is matched anew.
//!
//! A *swap* is a track that goes over to another vehicle and stays with it for half a second: it may
//! accuse the wrong one. It is silent where within a second of it the tracker neither doubted nor
//! lost sight for longer than the rules forgive: no rule would abstain. A *switch* is a vehicle that
//! goes on under another number (CLEAR MOT's identity switch), a *break* one that is lost and found
//! again: they accuse nobody.

use std::collections::{BTreeMap, HashMap};

use plate_model::assign::assign;
use serde::Serialize;

use super::SAME;
use super::log::Log;
use super::scene::{Picture, Scene};

/// Doubt this near a swap covers it, seconds.
const NEAR: f64 = 1.0;
/// A box between two vehicles may for a moment be nearer to the other one, seconds.
const STAYS: f64 = 0.5;

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Clear {
    pub recall: f64,
    pub precision: f64,
    /// Tracks that have to do with what must be followed.
    pub tracks: usize,
    pub swaps: usize,
    pub silent_swaps: usize,
    pub swaps_per_1000_tracks: f64,
    pub switches: usize,
    pub breaks: usize,
}

/// For each truth of the picture the index of its track. `before` are the pairs, truth to track, of
/// the picture before, and of this one afterwards.
pub fn pairs(picture: &Picture, before: &mut HashMap<u64, u64>) -> Vec<Option<usize>> {
    let mut overlaps = picture.overlaps();
    let mut pairs = vec![None; picture.truth.len()];
    for (i, truth) in picture.truth.iter().enumerate() {
        let Some(track) = before.get(&truth.id) else { continue };
        let j = picture.found.iter().position(|found| found.id == *track);
        pairs[i] = j.filter(|&j| overlaps[i][j] >= SAME);
    }
    for i in 0..pairs.len() {
        if let Some(j) = pairs[i] {
            overlaps[i].fill(0.0);
            overlaps.iter_mut().for_each(|row| row[j] = 0.0);
        }
    }
    for (pair, new) in pairs.iter_mut().zip(assign(&overlaps, SAME)) {
        *pair = pair.or(new);
    }
    let made = picture.truth.iter().zip(&pairs);
    *before = made.filter_map(|(t, j)| j.map(|j| (t.id, picture.found[j].id))).collect();
    pairs
}

/// Whose track it is.
struct Owner {
    vehicle: u64,
    last: f64,
    /// On which other vehicle it has been instead, and since when.
    other: Option<(u64, f64)>,
}

impl Owner {
    /// The moments between which it went over, once it has stayed.
    fn seen_on(&mut self, vehicle: u64, t: f64) -> Option<(f64, f64)> {
        if vehicle == self.vehicle {
            *self = Self { vehicle, last: t, other: None };
            return None;
        }
        match self.other {
            Some((other, since)) if other == vehicle => {
                let gone = (self.last, since);
                (t - since >= STAYS).then(|| {
                    *self = Self { vehicle, last: t, other: None };
                    gone
                })
            }
            _ => {
                self.other = Some((vehicle, t));
                None
            }
        }
    }
}

impl Clear {
    pub fn of(scene: &Scene, log: &Log) -> Self {
        let mut out = Self { tracks: scene.tracks().len(), ..Self::default() };
        // By truth: its last track. By track: its vehicle.
        let mut together = HashMap::new();
        let mut of_truth: HashMap<u64, u64> = HashMap::new();
        let mut of_track: BTreeMap<u64, Owner> = BTreeMap::new();
        let mut last_seen: HashMap<u64, bool> = HashMap::new();
        let (mut hits, mut truths, mut found) = (0usize, 0usize, 0usize);
        for picture in &scene.pictures {
            truths += picture.truth.len();
            found += picture.found.len();
            for (truth, pair) in picture.truth.iter().zip(pairs(picture, &mut together)) {
                let Some(j) = pair else {
                    last_seen.insert(truth.id, false);
                    continue;
                };
                hits += 1;
                let track = picture.found[j].id;
                let before = of_truth.insert(truth.id, track);
                out.switches += usize::from(before.is_some_and(|before| before != track));
                let was_seen = last_seen.insert(truth.id, true);
                out.breaks += usize::from(before.is_some() && was_seen == Some(false));
                let fresh = Owner { vehicle: truth.id, last: picture.t, other: None };
                let owner = of_track.entry(track).or_insert(fresh);
                if let Some((from, to)) = owner.seen_on(truth.id, picture.t) {
                    out.swaps += 1;
                    let doubted = log.doubted(track, from - NEAR, to + NEAR);
                    out.silent_swaps += usize::from(!doubted);
                }
            }
        }
        let share = |whole: usize| if whole == 0 { 0.0 } else { hits as f64 / whole as f64 };
        out.recall = share(truths);
        out.precision = share(found);
        out.swaps_per_1000_tracks = 1000.0 * out.swaps as f64 / out.tracks.max(1) as f64;
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::scene;
    use super::*;

    fn clear(script: &[(&str, &str)]) -> Clear {
        Clear::of(&scene(script), &Log::default())
    }

    #[test]
    fn a_new_number_is_a_switch_and_accuses_nobody() {
        let found = clear(&[("aaaa", "1122")]);
        assert_eq!((found.switches, found.swaps, found.breaks, found.tracks), (1, 0, 0, 2));
    }

    #[test]
    fn exchanged_numbers_are_two_swaps_and_silent_without_doubt() {
        let found = clear(&[("aaaaaa", "112222"), ("bbbbbb", "221111")]);
        assert_eq!((found.swaps, found.silent_swaps, found.switches), (2, 2, 2));
        assert_eq!(found.swaps_per_1000_tracks, 1000.0);
    }

    #[test]
    fn a_box_that_strays_for_a_moment_is_no_swap() {
        let found = clear(&[("aaaaaa", "111-11"), ("bbbbbb", "---1--")]);
        assert_eq!((found.swaps, found.breaks), (0, 1));
    }

    #[test]
    fn a_number_that_passes_to_another_vehicle_over_a_gap_is_a_swap() {
        let found = clear(&[("aa....", "11----"), ("..bbbb", "--1111")]);
        assert_eq!((found.swaps, found.switches, found.breaks), (1, 0, 0));
        assert_eq!((found.recall, found.precision), (1.0, 1.0));
    }

    #[test]
    fn lost_and_found_again_is_a_break() {
        let found = clear(&[("aaaa", "1--1")]);
        assert_eq!((found.breaks, found.switches, found.swaps), (1, 0, 0));
        assert_eq!((found.recall, found.precision), (0.5, 1.0));
    }
}
