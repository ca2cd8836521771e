//! Where the uplink stands, for metrics, `/status` and the doctor.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;

use crate::clock::Clock;

use super::Trouble;

/// What the uplink is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    Idle,
    Sending {
        sequence: u64,
    },
    Waiting {
        seconds: u64,
        reason: String,
    },
    /// Only people can go on from here.
    Blocked {
        reason: String,
    },
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub phase: Phase,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_contact: Option<OffsetDateTime>,
    pub delivered: u64,
    pub last_delivered: Option<u64>,
    pub failures: u64,
    pub last_trouble: Option<String>,
    /// What keeps everything in the queue until somebody helps, and what would help.
    pub blocked: Option<String>,
}

/// Shared view of the status.
#[derive(Debug, Clone)]
pub struct Monitor {
    clock: Arc<dyn Clock>,
    status: Arc<Mutex<Status>>,
}

impl Monitor {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let status = Status {
            phase: Phase::Idle,
            last_contact: None,
            delivered: 0,
            last_delivered: None,
            failures: 0,
            last_trouble: None,
            blocked: None,
        };
        metrics::gauge!("edge_uplink_blocked").set(0.0);
        Self { clock, status: Arc::new(Mutex::new(status)) }
    }

    pub fn status(&self) -> Status {
        self.lock().clone()
    }

    pub(super) fn phase(&self, phase: Phase) {
        self.lock().phase = phase;
    }

    pub(super) fn contact(&self) {
        let now = self.clock.now();
        metrics::gauge!("edge_uplink_last_contact_timestamp_seconds")
            .set(now.unix_timestamp() as f64);
        self.lock().last_contact = Some(now);
    }

    pub(super) fn delivered(&self, sequence: u64) {
        metrics::gauge!("edge_uplink_blocked").set(0.0);
        self.contact();
        let mut status = self.lock();
        status.delivered += 1;
        status.last_delivered = Some(sequence);
        status.last_trouble = None;
        status.blocked = None;
    }

    pub(super) fn trouble(&self, trouble: &Trouble) {
        metrics::counter!("edge_uplink_failures_total", "kind" => trouble.kind()).increment(1);
        let mut status = self.lock();
        status.failures += 1;
        status.last_trouble = Some(trouble.to_string());
    }

    /// Nothing goes out until somebody helps.
    pub(super) fn blocked(&self, reason: String) {
        metrics::gauge!("edge_uplink_blocked").set(1.0);
        let mut status = self.lock();
        status.blocked = Some(reason.clone());
        status.phase = Phase::Blocked { reason };
    }

    pub(super) fn waiting(&self, pause: Duration) {
        let mut status = self.lock();
        if matches!(status.phase, Phase::Blocked { .. }) {
            return;
        }
        let reason = status.last_trouble.clone().unwrap_or_default();
        status.phase = Phase::Waiting { seconds: pause.as_secs(), reason };
    }

    fn lock(&self) -> MutexGuard<'_, Status> {
        // Plain values, each set in one step.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
