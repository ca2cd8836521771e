//! Matching predictions to labels, and average precision.

/// Greedy matching, best prediction first: the index of each prediction's label.
pub fn matched(
    predictions: usize,
    labels: usize,
    least: f32,
    overlap: impl Fn(usize, usize) -> f32,
) -> Vec<Option<usize>> {
    let mut taken = vec![false; labels];
    (0..predictions)
        .map(|prediction| {
            let best = (0..labels)
                .filter(|label| !taken[*label])
                .map(|label| (label, overlap(prediction, label)))
                .max_by(|a, b| a.1.total_cmp(&b.1))
                .filter(|(_, overlap)| *overlap >= least);
            best.map(|(label, _)| {
                taken[label] = true;
                label
            })
        })
        .collect()
}

/// Area under the precision–recall curve with monotone precision.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_label_is_matched_once() {
        let overlaps = [[0.9, 0.0], [0.8, 0.1], [0.0, 0.6]];
        let found = matched(3, 2, 0.5, |p, l| overlaps[p][l]);
        assert_eq!(found, [Some(0), None, Some(1)]);
    }

    #[test]
    fn perfect_and_useless_detectors() {
        assert_eq!(average_precision(vec![(0.9, true), (0.8, true)], 2), Some(1.0));
        assert_eq!(average_precision(vec![(0.9, false)], 2), Some(0.0));
        assert_eq!(average_precision(vec![], 0), None);
        // One of two found, after one mistake: half the recall at half the precision.
        assert_eq!(average_precision(vec![(0.9, false), (0.8, true)], 2), Some(0.25));
    }
}
