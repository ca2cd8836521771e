//! How exactly boxes lie on what was seen, in vehicle heights: how much their sides tremble, and how
//! often something covers a vehicle from below so that its box ends too high. The drill of the acts
//! (`make acts`) sees its vehicles as this says.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::clear::pairs;
use super::scene::Scene;

/// A lower edge that is farther too high than any trembling makes it.
const COVERED: f32 = 0.15;
/// Covered for as long, seconds, it is no slip of one picture.
const LASTS: f64 = 0.3;

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Sides {
    /// Deviation of a side, in vehicle heights: of left, upper, right and lower edge together, by the
    /// middle miss, which what is covered does not move.
    pub trembling: f64,
    /// Share of the sightings whose lower edge is too high.
    pub covered: f64,
    /// Vehicles of which that is so for a while, as a share of all.
    pub covered_a_while: f64,
    /// How long such a while is and how much of the height is covered then: middle values.
    pub covered_for: f64,
    pub covered_by: f64,
}

/// A run of sightings with the lower edge too high.
struct Run {
    since: f64,
    until: f64,
    by: Vec<f32>,
}

impl Sides {
    pub fn of(scene: &Scene) -> Self {
        let mut misses: Vec<f32> = Vec::new();
        let (mut seen, mut covered) = (0usize, 0usize);
        let mut running: BTreeMap<u64, Option<Run>> = BTreeMap::new();
        let mut runs: Vec<(u64, Run)> = Vec::new();
        let mut together = HashMap::new();
        for picture in &scene.pictures {
            for (truth, pair) in picture.truth.iter().zip(pairs(picture, &mut together)) {
                let run = running.entry(truth.id).or_default();
                let Some(found) = pair.map(|j| &picture.found[j].bbox) else { continue };
                let (real, height) = (&truth.bbox, truth.bbox.height().max(1.0));
                let off = [
                    found.x1 - real.x1,
                    found.y1 - real.y1,
                    found.x2 - real.x2,
                    found.y2 - real.y2,
                ];
                misses.extend(off.map(|miss| miss.abs() / height));
                seen += 1;
                let high = -off[3] / height;
                if high > COVERED {
                    covered += 1;
                    let fresh = || Run { since: picture.t, until: picture.t, by: Vec::new() };
                    let run = run.get_or_insert_with(fresh);
                    run.until = picture.t;
                    run.by.push(high);
                } else if let Some(run) = run.take() {
                    runs.push((truth.id, run));
                }
            }
        }
        let vehicles = running.len();
        runs.extend(running.into_iter().filter_map(|(id, run)| Some((id, run?))));
        runs.retain(|(_, run)| run.until - run.since >= LASTS);
        let mut for_: Vec<f64> = runs.iter().map(|(_, run)| run.until - run.since).collect();
        let mut by: Vec<f64> =
            runs.iter().flat_map(|(_, run)| &run.by).map(|by| f64::from(*by)).collect();
        let mut misses: Vec<f64> = misses.into_iter().map(f64::from).collect();
        let mut who: Vec<u64> = runs.iter().map(|(id, _)| *id).collect();
        who.sort_unstable();
        who.dedup();
        Self {
            // Half of a normal distribution lies within 0.6745 deviations.
            trembling: middle(&mut misses) / 0.6745,
            covered: covered as f64 / seen.max(1) as f64,
            covered_a_while: who.len() as f64 / vehicles.max(1) as f64,
            covered_for: middle(&mut for_),
            covered_by: middle(&mut by),
        }
    }
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use plate_model::BBox;

    use super::super::scene::{Picture, Thing};
    use super::*;

    #[test]
    fn a_box_that_ends_too_high_for_a_while_is_covered() {
        let pictures = (0..20).map(|i| {
            let real = BBox::new(100.0, 100.0, 200.0, 200.0);
            let lower = if (5..10).contains(&i) { 170.0 } else { 202.0 };
            let found = BBox::new(98.0, 102.0, 202.0, lower);
            let thing = |bbox| vec![Thing { id: 1, bbox }];
            Picture { t: f64::from(i) / 10.0, truth: thing(real), found: thing(found) }
        });
        let sides = Sides::of(&Scene { pictures: pictures.collect() });
        assert!((sides.trembling - 0.02 / 0.6745).abs() < 1e-6, "{sides:?}");
        assert_eq!((sides.covered, sides.covered_a_while), (0.25, 1.0));
        assert!((sides.covered_for - 0.4).abs() < 1e-9 && (sides.covered_by - 0.3).abs() < 1e-6);
    }
}
