//! A limit on upload bytes a second for slow WANs that others share: a token bucket.

use std::sync::Arc;
use std::time::Duration;

use contract::wire::CHUNK_BYTES;

use crate::clock::Clock;

/// Smallest chunk worth a request.
const MIN_CHUNK: u64 = 64 * 1024;

#[derive(Debug)]
pub struct Bucket {
    /// Bytes a second; 0 is no limit.
    rate: u64,
    clock: Arc<dyn Clock>,
    /// When everything taken so far has been paid for.
    free_at: Duration,
}

impl Bucket {
    pub fn new(rate: u64, clock: Arc<dyn Clock>) -> Self {
        let free_at = clock.monotonic();
        Self { rate, clock, free_at }
    }

    /// Chunk size that keeps bursts at about two seconds' worth.
    pub fn chunk(&self) -> u64 {
        match self.rate {
            0 => CHUNK_BYTES,
            rate => rate.saturating_mul(2).clamp(MIN_CHUNK, CHUNK_BYTES),
        }
    }

    /// Waits until `bytes` may be sent.
    pub async fn take(&mut self, bytes: u64) {
        if self.rate == 0 {
            return;
        }
        let now = self.clock.monotonic();
        if let Some(wait) = self.free_at.checked_sub(now)
            && !wait.is_zero()
        {
            self.clock.sleep(wait).await;
        }
        let start = self.free_at.max(now);
        self.free_at = start + Duration::from_secs_f64(bytes as f64 / self.rate as f64);
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::clock::Simulated;

    #[tokio::test]
    async fn the_long_run_rate_holds() {
        let clock = Simulated::at(OffsetDateTime::UNIX_EPOCH);
        let mut bucket = Bucket::new(50_000, Arc::new(clock.clone()));
        assert_eq!(bucket.chunk(), 100_000);
        for _ in 0..11 {
            bucket.take(100_000).await;
        }
        // The first is free, the other ten wait for the ones before.
        assert_eq!(clock.monotonic(), Duration::from_secs(20));
    }

    #[tokio::test]
    async fn an_idle_line_saves_nothing_up() {
        let clock = Simulated::at(OffsetDateTime::UNIX_EPOCH);
        let mut bucket = Bucket::new(1000, Arc::new(clock.clone()));
        clock.advance(Duration::from_secs(3600));
        bucket.take(1000).await;
        bucket.take(1000).await;
        bucket.take(1000).await;
        assert_eq!(clock.monotonic(), Duration::from_secs(3602));
    }

    #[tokio::test]
    async fn no_limit_never_waits() {
        let clock = Simulated::at(OffsetDateTime::UNIX_EPOCH);
        let mut bucket = Bucket::new(0, Arc::new(clock.clone()));
        for _ in 0..100 {
            bucket.take(u64::MAX).await;
        }
        assert_eq!(clock.monotonic(), Duration::ZERO);
        assert_eq!(bucket.chunk(), CHUNK_BYTES);
    }
}
