//! Where updates stand, for the box's pages, the central and the metrics.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::folder::Undone;

/// What is being done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// Nothing new is given to this box.
    Idle,
    Fetching {
        next: u64,
        bytes: u64,
        of: u64,
    },
    Checking {
        next: u64,
    },
    /// It is on trial and not confirmed yet.
    Proving {
        lacks: Vec<String>,
    },
    /// Nobody launched this agent: nothing is fetched.
    NotLaunched,
    /// The central does not answer; tried again.
    Unreached {
        why: String,
    },
    /// What is given to this box cannot be taken, or not yet.
    Waiting {
        why: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// 0: what was installed.
    pub release: u64,
    pub on_trial: bool,
    /// The last release that was not kept or did not pass its check.
    pub undone: Option<Undone>,
    #[serde(flatten)]
    pub phase: Phase,
}

impl Status {
    /// What was undone, unless a later release runs.
    pub fn undone(&self) -> Option<&Undone> {
        self.undone.as_ref().filter(|undone| undone.number > self.release)
    }
}

/// Shared by who updates and who shows it.
#[derive(Debug, Clone)]
pub struct Updates(Arc<Mutex<Status>>);

impl Updates {
    pub fn new(status: Status) -> Self {
        let updates = Self(Arc::new(Mutex::new(status)));
        updates.publish();
        updates
    }

    /// Of updates that cannot be made.
    pub fn failed(why: String) -> Self {
        let phase = Phase::Waiting { why };
        Self::new(Status { release: 0, on_trial: false, undone: None, phase })
    }

    pub fn status(&self) -> Status {
        self.lock().clone()
    }

    pub(super) fn phase(&self, phase: Phase) {
        self.lock().phase = phase;
    }

    pub(super) fn undone(&self, undone: Undone) {
        self.lock().undone = Some(undone);
        self.publish();
    }

    pub(super) fn proven(&self) {
        self.lock().on_trial = false;
        self.publish();
    }

    fn publish(&self) {
        let status = self.status();
        let flag = |yes: bool| f64::from(u8::from(yes));
        metrics::gauge!("edge_release").set(status.release as f64);
        metrics::gauge!("edge_release_on_trial").set(flag(status.on_trial));
        metrics::gauge!("edge_release_undone").set(flag(status.undone().is_some()));
    }

    fn lock(&self) -> MutexGuard<'_, Status> {
        // Plain values, each set in one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
