//! How fast something grows: the median of the slopes between all pairs of samples (Theil and Sen),
//! which single leaps and gaps do not move.

/// Units of `y` a unit of `x`; none for fewer than two different `x`. Only pairs within one group are
/// compared: after a restart counting begins anew.
pub fn robust(groups: &[Vec<(f64, f64)>]) -> Option<f64> {
    let mut slopes = Vec::new();
    for points in groups {
        for (i, (x, y)) in points.iter().enumerate() {
            let later = points[i + 1..].iter().filter(|(later, _)| later > x);
            slopes.extend(later.map(|(later, high)| (high - y) / (later - x)));
        }
    }
    quantile(&mut slopes, 0.5)
}

/// The value below which this share of them lies.
pub fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    values.get((last as f64 * share).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Grows by two a step, with what a busy machine adds now and then.
    fn growing(from: f64) -> Vec<(f64, f64)> {
        let leap = |i: i32| if i % 7 == 3 { 60.0 } else { f64::from(i % 3) };
        (0..60).map(|i| (f64::from(i), from + 2.0 * f64::from(i) + leap(i))).collect()
    }

    #[test]
    fn leaps_and_restarts_are_no_growth() {
        let slope = robust(&[growing(100.0)]).unwrap();
        assert!((slope - 2.0).abs() < 0.15, "{slope}");
        let slope = robust(&[growing(500.0), growing(0.0)]).unwrap();
        assert!((slope - 2.0).abs() < 0.15, "over a restart: {slope}");
        let level: Vec<_> = (0..60).map(|i| (f64::from(i), f64::from(i * 37 % 11))).collect();
        assert!(robust(&[level]).unwrap().abs() < 0.05);
        assert_eq!(robust(&[vec![(1.0, 5.0)], vec![]]), None);
    }

    #[test]
    fn quantiles_are_values_that_were_there() {
        let mut values = [9.0, 1.0, 5.0];
        assert_eq!(quantile(&mut values, 0.0), Some(1.0));
        assert_eq!(quantile(&mut values, 0.5), Some(5.0));
        assert_eq!(quantile(&mut values, 0.95), Some(9.0));
        assert_eq!(quantile(&mut [], 0.5), None);
    }
}
