//! How long to wait before trying again, a camera or the central: doubling, bounded, jittered so that
//! after a power cut a street's cameras are not all called, and a province's boxes do not all come
//! back, in the same second.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

#[derive(Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    attempt: u32,
    rng: StdRng,
}

impl Backoff {
    pub fn new(min: Duration, max: Duration, seed: u64) -> Self {
        let min = min.max(Duration::from_millis(1));
        Self { min, max: max.max(min), attempt: 0, rng: StdRng::seed_from_u64(seed) }
    }

    /// The next wait: between half and all of the doubled step.
    pub fn next(&mut self) -> Duration {
        let step = self.min.saturating_mul(1 << self.attempt.min(30)).min(self.max);
        self.attempt = self.attempt.saturating_add(1);
        self.jitter(step)
    }

    /// The longest wait, for what only people can settle.
    pub fn longest(&mut self) -> Duration {
        self.jitter(self.max)
    }

    pub fn reset(&mut self) {
        self.attempt = 0;
    }

    fn jitter(&mut self, step: Duration) -> Duration {
        step.mul_f64(self.rng.random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_bound_and_start_over() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), 7);
        let waits: Vec<f64> = (0..40).map(|_| backoff.next().as_secs_f64()).collect();
        for (attempt, wait) in waits.iter().enumerate() {
            let step = f64::from(1u32 << attempt.min(20)).min(60.0);
            assert!((step / 2.0..=step).contains(wait), "{attempt}: {wait}");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_secs(1));
    }

    #[test]
    fn boxes_differ_and_a_seed_repeats() {
        let waits = |seed| {
            let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), seed);
            (0..5).map(|_| backoff.next()).collect::<Vec<_>>()
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}
