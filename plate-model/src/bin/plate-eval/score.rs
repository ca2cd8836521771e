//! Matching predictions to labels, average precision, and what a threshold gives.

use serde::Serialize;

/// What became of one prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The label it found.
    Found(usize),
    /// It lies on a label that is not scored: neither right nor wrong.
    Ignored,
    False,
}

/// Greedy matching, best prediction first. A prediction takes the scored label that it overlaps
/// most and at least by `least`; only where there is none, one that is not scored.
pub fn matched(
    predictions: usize,
    scored: &[bool],
    least: f32,
    overlap: impl Fn(usize, usize) -> f32,
) -> Vec<Outcome> {
    let mut taken = vec![false; scored.len()];
    (0..predictions)
        .map(|prediction| {
            let mut best_of = |wanted: bool| {
                let best = (0..scored.len())
                    .filter(|label| scored[*label] == wanted && !taken[*label])
                    .map(|label| (label, overlap(prediction, label)))
                    .filter(|(_, overlap)| *overlap >= least)
                    .max_by(|a, b| a.1.total_cmp(&b.1))?;
                taken[best.0] = true;
                Some(best.0)
            };
            match best_of(true) {
                Some(label) => Outcome::Found(label),
                None if best_of(false).is_some() => Outcome::Ignored,
                None => Outcome::False,
            }
        })
        .collect()
}

/// Area under the precision–recall curve with monotone precision; `hits` are the score of each
/// prediction and whether it found a label, in any order. None where there are no labels.
pub fn average_precision(mut hits: Vec<(f32, bool)>, labels: usize) -> Option<f64> {
    if labels == 0 {
        return None;
    }
    hits.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut right = 0;
    let mut points: Vec<(f64, f64)> = Vec::new();
    for (i, (_, hit)) in hits.iter().enumerate() {
        right += usize::from(*hit);
        points.push((right as f64 / labels as f64, right as f64 / (i + 1) as f64));
    }
    let mut best = 0.0f64;
    for point in points.iter_mut().rev() {
        best = best.max(point.1);
        point.1 = best;
    }
    let mut recall = 0.0;
    let mut area = 0.0;
    for (at, precision) in points {
        area += (at - recall) * precision;
        recall = at;
    }
    Some(area)
}

/// What a score threshold would give.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Operating {
    pub threshold: f32,
    pub recall: f64,
    pub precision: f64,
}

/// Recall and precision at every twentieth from the lowest that any prediction reaches.
pub fn operating(hits: &[(f32, bool)], labels: usize) -> Vec<Operating> {
    let lowest = hits.iter().map(|(score, _)| *score).fold(1.0, f32::min);
    let thresholds = (1..20).map(|i| i as f32 / 20.0).filter(|t| *t + 0.05 > lowest);
    let at = |threshold: f32| {
        let found = || hits.iter().filter(|(score, _)| *score >= threshold);
        let right = found().filter(|(_, hit)| *hit).count();
        let (recall, precision) = (share(right, labels), share(right, found().count()));
        Operating { threshold, recall, precision }
    };
    thresholds.map(at).collect()
}

/// A share that is 0 of nothing.
pub fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The mean, none of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{False, Found, Ignored};

    #[test]
    fn each_label_is_matched_once() {
        let overlaps = [[0.9, 0.0], [0.8, 0.1], [0.0, 0.6]];
        let found = matched(3, &[true; 2], 0.5, |p, l| overlaps[p][l]);
        assert_eq!(found, [Found(0), False, Found(1)]);
    }

    #[test]
    fn what_is_not_scored_excuses_but_does_not_count() {
        // The first label is not scored; a prediction that also fits a scored one takes that.
        let overlaps = [[0.9, 0.6], [0.8, 0.0], [0.7, 0.0]];
        let found = matched(3, &[false, true], 0.5, |p, l| overlaps[p][l]);
        assert_eq!(found, [Found(1), Ignored, False]);
    }

    #[test]
    fn perfect_and_useless_detectors() {
        assert_eq!(average_precision(vec![(0.9, true), (0.8, true)], 2), Some(1.0));
        assert_eq!(average_precision(vec![(0.9, false)], 2), Some(0.0));
        assert_eq!(average_precision(vec![], 0), None);
        // One of two found, after one mistake: half the recall at half the precision.
        assert_eq!(average_precision(vec![(0.9, false), (0.8, true)], 2), Some(0.25));
    }

    #[test]
    fn precision_between_two_hits_is_the_later_ones_where_that_is_higher() {
        // Precision 1, 1/2, 2/3, 3/4: monotone 1, 3/4, 3/4, 3/4 over recall 1/3, 1/3, 2/3, 1.
        let hits = vec![(0.9, true), (0.8, false), (0.7, true), (0.6, true)];
        let ap = average_precision(hits, 3).unwrap();
        assert!((ap - (1.0 + 0.75 + 0.75) / 3.0).abs() < 1e-12, "{ap}");
    }

    #[test]
    fn a_higher_threshold_finds_less_and_better() {
        let curve = operating(&[(0.9, true), (0.7, false), (0.62, true)], 4);
        assert_eq!(curve.first().map(|at| at.threshold), Some(0.6));
        assert_eq!((curve[0].recall, curve[0].precision), (0.5, 2.0 / 3.0));
        let high = curve.iter().find(|at| at.threshold == 0.8).unwrap();
        assert_eq!((high.recall, high.precision), (0.25, 1.0));
        assert!(operating(&[], 4).is_empty());
    }
}
