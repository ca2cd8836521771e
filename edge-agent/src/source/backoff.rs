//! Waiting times between attempts to reach a camera: doubling, bounded, with jitter so that a
//! street of cameras coming back from one power cut is not called all at once.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Grows with each failure, starts again after success.
#[derive(Debug)]
pub struct Backoff {
    failures: u32,
    random: StdRng,
}

impl Backoff {
    pub fn new(seed: u64) -> Self {
        Self { failures: 0, random: StdRng::seed_from_u64(seed) }
    }

    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait before the next attempt.
    pub fn wait(&mut self) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        whole.mul_f64(self.random.random_range(0.5..1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_start_again() {
        let mut backoff = Backoff::new(7);
        for n in 0..40u32 {
            let wait = backoff.wait();
            let whole = FIRST.saturating_mul(1 << n.min(10)).min(LONGEST);
            assert!(wait >= whole / 2 && wait < whole, "{n}: {wait:?}");
        }
        backoff.reset();
        assert!(backoff.wait() < FIRST);
    }

    #[test]
    fn cameras_do_not_wait_alike() {
        assert_ne!(Backoff::new(1).wait(), Backoff::new(2).wait());
    }
}
