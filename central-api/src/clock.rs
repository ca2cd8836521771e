//! Time as a dependency: services ask a clock, tests hold a simulated one and never sleep.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use time::{Duration, OffsetDateTime, UtcOffset};

/// Source of the present time, in UTC.
pub trait Clock: Debug + Send + Sync {
    fn now(&self) -> OffsetDateTime;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// A clock that moves only when told.
#[derive(Debug)]
pub struct Simulated(Mutex<OffsetDateTime>);

impl Simulated {
    pub fn at(start: OffsetDateTime) -> Self {
        Self(Mutex::new(start.to_offset(UtcOffset::UTC)))
    }

    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for Simulated {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
