//! What the benchmarks share: samples of a measurement and what is told of them.

use std::time::Duration;

/// Times of one measurement.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Middle of the sorted times; 0 without samples.
    pub fn median_ms(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.get(sorted.len() / 2).map_or(0.0, in_ms)
    }

    /// The least disturbed run; 0 without samples.
    pub fn fastest_ms(&self) -> f64 {
        self.0.iter().min().map_or(0.0, in_ms)
    }
}

fn in_ms(time: &Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_fastest() {
        let mut samples = Samples::default();
        assert_eq!(samples.median_ms(), 0.0);
        for ms in [9, 1, 5] {
            samples.add(Duration::from_millis(ms));
        }
        assert_eq!((samples.median_ms(), samples.fastest_ms()), (5.0, 1.0));
    }
}
