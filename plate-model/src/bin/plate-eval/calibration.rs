//! What a reading's confidence is worth: how often readings of a confidence are right, and what is
//! accepted and wrong as the threshold moves.

use std::fmt;

use serde::Serialize;

use crate::score::share;

/// Bins of equal width between 0 and 1.
const BINS: usize = 10;

/// One reading of a labelled plate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Of the number that the reading makes; none where it makes no number at any threshold.
    pub confidence: Option<f32>,
    pub right: bool,
}

/// Readings of about one confidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bin {
    pub from: f64,
    pub readings: usize,
    pub mean_confidence: f64,
    pub share_right: f64,
}

/// What a threshold would accept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    pub threshold: f32,
    /// Share of the plates read.
    pub accepted: f64,
    /// Share of the accepted.
    pub wrong: f64,
}

#[derive(Debug, Serialize)]
pub struct Calibration {
    /// Readings that make a number.
    pub reliability: Vec<Bin>,
    /// Mean distance of a bin's confidence from its share right, weighted by its readings.
    pub calibration_error: f64,
    pub coverage: Vec<Point>,
    pub shipped: Point,
}

impl Calibration {
    pub fn new(readings: &[Judged], shipped: f32) -> Self {
        let reliability = reliability(readings);
        let count: usize = reliability.iter().map(|bin| bin.readings).sum();
        let off: f64 = reliability
            .iter()
            .map(|bin| bin.readings as f64 * (bin.mean_confidence - bin.share_right).abs())
            .sum();
        // Confidence crowds near 1: the last hundredth is told in thousandths.
        let thresholds = (0..100).map(|i| i as f32 / 100.0);
        let thresholds = thresholds.chain((990..=1000).map(|i| i as f32 / 1000.0));
        let mut coverage: Vec<Point> = thresholds.map(|t| at(readings, t)).collect();
        coverage.dedup_by(|a, b| a.threshold == b.threshold);
        Self {
            reliability,
            calibration_error: off / count.max(1) as f64,
            coverage,
            shipped: at(readings, shipped),
        }
    }
}

/// What of the readings `threshold` accepts.
fn at(readings: &[Judged], threshold: f32) -> Point {
    let accepted = || readings.iter().filter(|r| r.confidence.is_some_and(|c| c >= threshold));
    let wrong = accepted().filter(|reading| !reading.right).count();
    Point {
        threshold,
        accepted: share(accepted().count(), readings.len()),
        wrong: share(wrong, accepted().count()),
    }
}

/// Bins that hold at least one reading.
fn reliability(readings: &[Judged]) -> Vec<Bin> {
    let mut bins: Vec<(Vec<f64>, usize)> = vec![(Vec::new(), 0); BINS];
    for reading in readings {
        let Some(confidence) = reading.confidence else { continue };
        let bin = ((confidence * BINS as f32) as usize).min(BINS - 1);
        bins[bin].0.push(f64::from(confidence));
        bins[bin].1 += usize::from(reading.right);
    }
    let bins = bins.into_iter().enumerate().filter(|(_, (held, _))| !held.is_empty());
    bins.map(|(bin, (held, right))| Bin {
        from: bin as f64 / BINS as f64,
        readings: held.len(),
        mean_confidence: held.iter().sum::<f64>() / held.len() as f64,
        share_right: share(right, held.len()),
    })
    .collect()
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nconfidence of readings that make a number, and how many are right:")?;
        for Bin { from, readings, mean_confidence, share_right } in &self.reliability {
            writeln!(
                f,
                "  from {from:.1}: {readings:5} readings, confidence {mean_confidence:.3}, right {share_right:.3}"
            )?;
        }
        writeln!(f, "  calibration error {:.4}", self.calibration_error)?;
        writeln!(f, "accepted (of read) and wrong (of accepted) as the threshold moves:")?;
        let told = [0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];
        for point in self.coverage.iter().filter(|point| told.contains(&point.threshold)) {
            line(f, "", point)?;
        }
        line(f, " as shipped", &self.shipped)
    }
}

fn line(f: &mut fmt::Formatter<'_>, note: &str, point: &Point) -> fmt::Result {
    let Point { threshold, accepted, wrong } = point;
    writeln!(f, "  {threshold:<6} accepted {accepted:.4}, wrong {wrong:.4}{note}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(confidence: f32, right: bool) -> Judged {
        Judged { confidence: Some(confidence), right }
    }

    #[test]
    fn a_higher_threshold_accepts_fewer() {
        let mut readings = vec![judged(0.99, true), judged(0.9, true), judged(0.6, false)];
        readings.push(Judged { confidence: None, right: false });
        let curve = Calibration::new(&readings, 0.85);
        assert_eq!(curve.shipped, Point { threshold: 0.85, accepted: 0.5, wrong: 0.0 });
        let all = &curve.coverage[0];
        assert_eq!((all.accepted, all.wrong), (0.75, 1.0 / 3.0));
        assert!(curve.coverage.windows(2).all(|pair| pair[1].accepted <= pair[0].accepted));
        assert!(curve.coverage.windows(2).all(|pair| pair[1].threshold > pair[0].threshold));
        assert_eq!(curve.coverage.last().map(|point| point.accepted), Some(0.0));
    }

    #[test]
    fn honest_confidence_has_no_error() {
        let mut readings = vec![judged(0.75, true); 3];
        readings.push(judged(0.75, false));
        let curve = Calibration::new(&readings, 0.85);
        assert_eq!(curve.reliability.len(), 1);
        assert_eq!((curve.reliability[0].from, curve.reliability[0].readings), (0.7, 4));
        assert!(curve.calibration_error < 1e-9);
        let boastful = Calibration::new(&[judged(1.0, false)], 0.85);
        assert_eq!(boastful.calibration_error, 1.0);
        assert_eq!(boastful.reliability[0].from, 0.9);
    }
}
