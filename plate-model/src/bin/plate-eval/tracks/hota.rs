//! Higher Order Tracking Accuracy: Luiten et al., "HOTA: A Higher Order Metric for Evaluating
//! Multi-Object Tracking", IJCV 2020, equations 15 to 28.
//!
//! At a threshold α, DetA = TP / (TP + FN + FP); AssA is the mean over all TP of
//! TPA / (TPA + FNA + FPA), where for the pair of identities of that TP, TPA counts the pictures in
//! which the two are matched to one another, FNA the other pictures of the truth and FPA the other
//! pictures of the track; HOTA = √(DetA · AssA). All three are averaged over α = 0.05, 0.10 … 0.95.
//! Matching maximises identity agreement over the whole recording first, overlap second.

use std::collections::BTreeMap;

use plate_model::assign::assign;
use serde::Serialize;

use super::scene::Scene;

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Hota {
    pub hota: f64,
    pub det_a: f64,
    pub ass_a: f64,
}

impl Hota {
    pub fn of(scene: &Scene) -> Self {
        let (truths, tracks) = (scene.truths(), scene.tracks());
        let agreement = agreement(scene, &truths, &tracks);
        let mut matched: Vec<Vec<(u64, u64, f32)>> = Vec::new();
        for picture in &scene.pictures {
            let overlaps = picture.overlaps();
            let ids = |i: usize, j: usize| (picture.truth[i].id, picture.found[j].id);
            let likely: Vec<Vec<f32>> = overlaps
                .iter()
                .enumerate()
                .map(|(i, row)| {
                    let likely = |(j, overlap): (usize, &f32)| {
                        agreement.get(&ids(i, j)).copied().unwrap_or(0.0) as f32 * overlap
                    };
                    row.iter().enumerate().map(likely).collect()
                })
                .collect();
            let pairs = assign(&likely, 0.0).into_iter().enumerate();
            let pairs = pairs.filter_map(|(i, j)| j.map(|j| (i, j)));
            matched.push(pairs.map(|(i, j)| (ids(i, j).0, ids(i, j).1, overlaps[i][j])).collect());
        }
        let (all_truth, all_found): (usize, usize) = (truths.values().sum(), tracks.values().sum());
        let mut sum = Self::default();
        const STEPS: u32 = 19;
        for step in 1..=STEPS {
            let alpha = 0.05 * step as f32 - f32::EPSILON;
            let mut together: BTreeMap<(u64, u64), usize> = BTreeMap::new();
            for (truth, track, _) in matched.iter().flatten().filter(|pair| pair.2 >= alpha) {
                *together.entry((*truth, *track)).or_default() += 1;
            }
            let tp: usize = together.values().sum();
            if tp == 0 {
                continue;
            }
            let det_a = tp as f64 / (all_truth + all_found - tp) as f64;
            let association = together.iter().map(|((truth, track), &tpa)| {
                tpa as f64 * tpa as f64 / (truths[truth] + tracks[track] - tpa) as f64
            });
            let ass_a = association.sum::<f64>() / tp as f64;
            sum.det_a += det_a;
            sum.ass_a += ass_a;
            sum.hota += (det_a * ass_a).sqrt();
        }
        let mean = |sum: f64| sum / f64::from(STEPS);
        Self { hota: mean(sum.hota), det_a: mean(sum.det_a), ass_a: mean(sum.ass_a) }
    }
}

/// How far two identities are the same over the whole recording, 0 to 1: the Jaccard index of their
/// pictures, each weighted by how clearly it is this pair (as in the authors' TrackEval).
fn agreement(
    scene: &Scene,
    truths: &BTreeMap<u64, usize>,
    tracks: &BTreeMap<u64, usize>,
) -> BTreeMap<(u64, u64), f64> {
    let mut shared: BTreeMap<(u64, u64), f64> = BTreeMap::new();
    for picture in &scene.pictures {
        let overlaps = picture.overlaps();
        let column = |j: usize| overlaps.iter().map(|row| row[j]).sum::<f32>();
        for (i, row) in overlaps.iter().enumerate() {
            let total: f32 = row.iter().sum();
            for (j, &overlap) in row.iter().enumerate().filter(|(_, overlap)| **overlap > 0.0) {
                let ids = (picture.truth[i].id, picture.found[j].id);
                let part = overlap / (total + column(j) - overlap);
                *shared.entry(ids).or_default() += f64::from(part);
            }
        }
    }
    let whole = |truth: u64, track: u64| (truths[&truth] + tracks[&track]) as f64;
    shared.into_iter().map(|(ids, part)| (ids, part / (whole(ids.0, ids.1) - part))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::script::scene;
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn perfect_tracks_score_one_and_none_score_nothing() {
        let perfect = scene(&[("aa", "11"), ("bb", "22")]);
        assert_eq!(Hota::of(&perfect), Hota { hota: 1.0, det_a: 1.0, ass_a: 1.0 });
        assert_eq!(Hota::of(&scene(&[("aa", "--")])), Hota::default());
    }

    #[test]
    fn a_vehicle_followed_under_two_numbers() {
        // Eight pictures, numbers 1 and 2 for four each: DetA 1; every TP has TPA 4, FNA 4, FPA 0.
        let found = Hota::of(&scene(&[("aaaaaaaa", "11112222")]));
        assert!(close(found.det_a, 1.0) && close(found.ass_a, 0.5), "{found:?}");
        assert!(close(found.hota, 0.5f64.sqrt()), "{found:?}");
    }

    #[test]
    fn a_vehicle_followed_half_the_time() {
        // TP 2, FN 2: DetA 1/2; TPA 2, FNA 2: AssA 1/2; HOTA 1/2.
        let found = Hota::of(&scene(&[("aaaa", "11--")]));
        let all = [found.det_a, found.ass_a, found.hota];
        assert!(all.into_iter().all(|part| close(part, 0.5)), "{found:?}");
    }

    #[test]
    fn two_vehicles_that_exchange_their_numbers_half_way() {
        // All detected; each of the four pairs has TPA 2, FNA 2, FPA 2: 2/6.
        let found = Hota::of(&scene(&[("aaaa", "1122"), ("bbbb", "2211")]));
        assert!(close(found.det_a, 1.0) && close(found.ass_a, 1.0 / 3.0), "{found:?}");
    }
}
