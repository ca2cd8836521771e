//! IDF1: Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera
//! Tracking", ECCV workshops 2016. Every truth is given at most one track for the whole recording so
//! that IDTP, the pictures in which the two overlap, is greatest in total;
//! IDF1 = 2 IDTP / (2 IDTP + IDFP + IDFN), the last three being all pictures of truth and tracks.

use std::collections::BTreeMap;

use plate_model::assign::assign;

use super::SAME;
use super::scene::Scene;

pub fn idf1(scene: &Scene) -> f64 {
    let (truths, tracks) = (scene.truths(), scene.tracks());
    let place = |ids: &BTreeMap<u64, usize>| {
        ids.keys().enumerate().map(|(i, id)| (*id, i)).collect::<BTreeMap<u64, usize>>()
    };
    let (rows, columns) = (place(&truths), place(&tracks));
    let mut together = vec![vec![0.0f32; columns.len()]; rows.len()];
    for picture in &scene.pictures {
        for (truth, row) in picture.truth.iter().zip(picture.overlaps()) {
            for (found, overlap) in picture.found.iter().zip(row) {
                if overlap >= SAME {
                    together[rows[&truth.id]][columns[&found.id]] += 1.0;
                }
            }
        }
    }
    let pairs = assign(&together, 0.0).into_iter().enumerate();
    let right: f32 = pairs.filter_map(|(i, j)| j.map(|j| together[i][j])).sum();
    let all: usize = truths.values().sum::<usize>() + tracks.values().sum::<usize>();
    if all == 0 { 0.0 } else { 2.0 * f64::from(right) / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::super::script::scene;
    use super::*;

    #[test]
    fn one_number_a_vehicle_counts_the_longest() {
        assert_eq!(idf1(&scene(&[("aaaa", "1111")])), 1.0);
        // IDTP 3, IDFN 1, IDFP 1: 6/8.
        assert_eq!(idf1(&scene(&[("aaaa", "1112")])), 0.75);
        // Two of four found: IDTP 2, IDFN 2: 4/6.
        assert!((idf1(&scene(&[("aaaa", "11--")])) - 4.0 / 6.0).abs() < 1e-9);
        // Exchanged after three of four: the first pairing is right in 6 of 8: 12/16.
        assert_eq!(idf1(&scene(&[("aaaa", "1112"), ("bbbb", "2221")])), 0.75);
    }
}
