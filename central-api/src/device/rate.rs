//! A token bucket per device, so that one box gone wild leaves room for the others.
//!
//! Kept in memory: it protects this replica, nothing depends on it being exact.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

/// Enough for every box of a province; beyond, the idle ones are forgotten.
const MAX_BUCKETS: usize = 10_000;

/// Buckets of all devices.
#[derive(Debug)]
pub struct RateLimit {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: OffsetDateTime,
}

impl RateLimit {
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self {
            per_second: f64::from(per_second),
            burst: f64::from(burst),
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Takes one token of `key`, or says how long to wait for one.
    pub fn take(&self, key: &str, now: OffsetDateTime) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(key) {
            buckets.retain(|_, bucket| self.filled(bucket, now) < self.burst);
        }
        let full = Bucket { tokens: self.burst, at: now };
        let bucket = buckets.entry(key.to_owned()).or_insert(full);
        bucket.tokens = self.filled(bucket, now);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return Err(Duration::seconds_f64((1.0 - bucket.tokens) / self.per_second));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    fn filled(&self, bucket: &Bucket, now: OffsetDateTime) -> f64 {
        // A clock set back must not drain anybody.
        let elapsed = (now - bucket.at).as_seconds_f64().max(0.0);
        (bucket.tokens + elapsed * self.per_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate_and_others_unharmed() {
        let limit = RateLimit::new(2, 3);
        let now = time::macros::datetime!(2026-11-21 00:00 UTC);
        for _ in 0..3 {
            assert_eq!(limit.take("a", now), Ok(()));
        }
        assert_eq!(limit.take("a", now), Err(Duration::milliseconds(500)));
        assert_eq!(limit.take("b", now), Ok(()));
        assert_eq!(limit.take("a", now + Duration::milliseconds(500)), Ok(()));
        assert!(limit.take("a", now + Duration::milliseconds(500)).is_err());
    }
}
