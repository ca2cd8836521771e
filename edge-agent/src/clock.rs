//! Time, injected: everything that waits, ages or dates asks a [`Clock`], so tests simulate hours
//! in microseconds and nothing sleeps in a test.
//!
//! Capture times are not from here: they travel with the frames. This clock dates housekeeping
//! (delivery, retries, ages).

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

/// A future that ends when the asked time has passed.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The source of time.
pub trait Clock: Send + Sync + Debug {
    /// Wall clock, UTC. May step.
    fn now(&self) -> OffsetDateTime;
    /// Time since some fixed start; never steps.
    fn monotonic(&self) -> Duration;
    /// Waits.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The machine's clocks.
#[derive(Debug, Clone)]
pub struct System {
    start: Instant,
}

impl Default for System {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for System {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock that moves only when told, or when somebody sleeps on it: a sleep ends at once and
/// moves the clock by its length.
#[derive(Debug, Clone)]
pub struct Simulated {
    start: OffsetDateTime,
    elapsed: Arc<Mutex<Duration>>,
}

impl Simulated {
    pub fn at(start: OffsetDateTime) -> Self {
        Self { start, elapsed: Arc::new(Mutex::new(Duration::ZERO)) }
    }

    pub fn advance(&self, by: Duration) {
        // The value is a plain number: a panic elsewhere cannot have left it half written.
        let mut elapsed = self.elapsed.lock().unwrap_or_else(PoisonError::into_inner);
        *elapsed = elapsed.saturating_add(by);
    }
}

impl Clock for Simulated {
    fn now(&self) -> OffsetDateTime {
        self.start + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        *self.elapsed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.advance(duration);
        // Let others run, as a real sleep would.
        Box::pin(tokio::task::yield_now())
    }
}
