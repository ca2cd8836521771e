//! A limit on bytes a second for slow WANs that others share, a token bucket; and how much to ask of
//! the line at once, so that a request on the slowest comes through before it is given up.

use std::sync::Arc;
use std::time::Duration;

use contract::wire::CHUNK_BYTES;

use super::Trouble;
use crate::clock::Clock;

/// Smallest chunk worth a request, where a limit alone decides.
const MIN_CHUNK: u64 = 64 * 1024;
/// Smallest on a line that bears no more: half a minute at half a kilobyte a second.
const LEAST_CHUNK: u64 = 16 * 1024;
/// A chunk is to take about so long, far less than it is waited for.
const AIM: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Bucket {
    /// Bytes a second; 0 is no limit.
    rate: u64,
    clock: Arc<dyn Clock>,
    /// When everything taken so far has been paid for.
    free_at: Duration,
    /// What the line bears at once, as far as is known.
    line: u64,
}

impl Bucket {
    pub fn new(rate: u64, clock: Arc<dyn Clock>) -> Self {
        let free_at = clock.monotonic();
        Self { rate, clock, free_at, line: CHUNK_BYTES }
    }

    /// Chunk size that keeps bursts at about two seconds' worth and that the line bears.
    pub fn chunk(&self) -> u64 {
        let limit = match self.rate {
            0 => CHUNK_BYTES,
            rate => rate.saturating_mul(2).clamp(MIN_CHUNK, CHUNK_BYTES),
        };
        limit.min(self.line)
    }

    /// Takes note of what became of a chunk that was begun at `begun` of the monotonic clock.
    pub(crate) fn learn<T>(&mut self, bytes: u64, begun: Duration, came: &Result<T, Trouble>) {
        match came {
            Ok(_) => self.passed(bytes, self.clock.monotonic().saturating_sub(begun)),
            // The central itself had something against it: the line is as it was.
            Err(trouble) if !trouble.is_line() => {}
            Err(_) => self.gave_up(),
        }
    }

    /// It came through in `took`.
    fn passed(&mut self, bytes: u64, took: Duration) {
        let in_time = bytes as f64 * AIM.as_secs_f64() / took.as_secs_f64().max(1e-3);
        self.line = (in_time as u64).clamp(LEAST_CHUNK, CHUNK_BYTES);
    }

    /// It was given up: half of it may come through.
    fn gave_up(&mut self) {
        self.line = (self.chunk() / 2).max(LEAST_CHUNK);
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

    #[test]
    fn a_line_of_a_kilobyte_a_second_is_asked_for_what_it_bears() {
        let clock = Simulated::at(OffsetDateTime::UNIX_EPOCH);
        let mut bucket = Bucket::new(0, Arc::new(clock));
        let patience = |bytes: u64| bytes / (8 * 1024) + 30;
        let mut given_up = 0;
        for _ in 0..100 {
            let (bytes, took) = (bucket.chunk(), Duration::from_secs(bucket.chunk() / 1024));
            if took.as_secs() > patience(bytes) {
                bucket.gave_up();
                given_up += 1;
            } else {
                bucket.passed(bytes, took);
            }
        }
        assert_eq!((bucket.chunk(), given_up), (30 * 1024, 5));
        // It grows again with the first chunk of a better one, and one that is dead asks for little.
        bucket.passed(30 * 1024, Duration::from_millis(100));
        assert_eq!(bucket.chunk(), CHUNK_BYTES);
        (0..100).for_each(|_| bucket.gave_up());
        assert_eq!(bucket.chunk(), LEAST_CHUNK);
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
