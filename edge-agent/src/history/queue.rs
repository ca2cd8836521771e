//! The way from the cameras' threads to the one that writes: bounded, and never waited for where
//! pictures come live. What finds no room is counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use time::OffsetDateTime;

use super::record::Record;
use crate::clock::Clock;

/// Records on the way: of a busy junction some minutes.
const ROOM: usize = 512;

/// A record, and when it was handed on by the box's clock.
#[derive(Debug)]
pub struct Note {
    pub at: OffsetDateTime,
    pub record: Record,
}

/// A camera's end of the way.
#[derive(Debug, Clone)]
pub struct Sender {
    to: SyncSender<Note>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    /// A recording waits for the writer.
    patient: bool,
}

/// What both ends and the health pages know.
#[derive(Debug, Default)]
pub struct Shared {
    dropped: AtomicU64,
    status: Mutex<Status>,
}

/// How the history is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Records are written.
    pub writes: bool,
    /// Why not.
    pub trouble: Option<String>,
    pub dir: String,
    pub segments: usize,
    pub bytes: u64,
    pub written: u64,
    /// For want of room on the way to the writer.
    pub dropped: u64,
    /// For want of a disk that takes them.
    pub missed: u64,
}

pub fn open(clock: Arc<dyn Clock>, patient: bool) -> (Sender, Receiver<Note>) {
    let (to, from) = sync_channel(ROOM);
    (Sender { to, clock, shared: Arc::default(), patient }, from)
}

impl Sender {
    pub fn send(&self, record: Record) {
        let note = Note { at: self.clock.now(), record };
        let sent = if self.patient {
            self.to.send(note).is_ok()
        } else {
            match self.to.try_send(note) {
                Ok(()) => true,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
            }
        };
        if !sent {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("edge_history_dropped_total").increment(1);
        }
    }

    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
}

impl Shared {
    pub fn status(&self) -> Status {
        Status { dropped: self.dropped.load(Ordering::Relaxed), ..self.lock().clone() }
    }

    pub fn lock(&self) -> MutexGuard<'_, Status> {
        // Plain values, each changed in one step.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
