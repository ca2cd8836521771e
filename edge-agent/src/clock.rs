//! Time, injected: everything that waits, ages or dates asks a [`Clock`], so tests simulate hours
//! in microseconds and nothing sleeps in a test.
//!
//! Capture times are not from here: they travel with the frames. This clock dates housekeeping
//! (delivery, retries, ages).

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
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

/// Time since this process first asked; never steps.
pub fn since_start() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Whether the kernel says that the wall clock is synchronised, and `now` is that clock's time:
/// asked anew each time, because a box loses its time servers without a restart. The kernel itself
/// withdraws its word when nobody has set its clock right for hours.
pub fn synchronised(now: OffsetDateTime) -> bool {
    // SAFETY: every field of `timex` is a plain number, for which zero is valid.
    let mut told: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: with no mode set the call only writes into `told`, which outlives it.
    let state = unsafe { libc::adjtimex(&raw mut told) };
    let vouched = state != -1 && state != libc::TIME_ERROR && told.status & libc::STA_UNSYNC == 0;
    // A process may be shown another clock than the kernel's: that one nobody vouches for.
    vouched && now.unix_timestamp().abs_diff(told.time.tv_sec) <= 1
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

    /// Moves on to `now`; never back.
    pub fn advance_to(&self, now: OffsetDateTime) {
        let ahead = now - self.now();
        self.advance(ahead.try_into().unwrap_or(Duration::ZERO));
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
