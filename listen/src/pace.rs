//! What one connection has done, and when it is due to be closed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Duration, Instant};

use crate::Bounds;
use crate::room::Place;

#[derive(Debug)]
pub(crate) struct Pace {
    bounds: Bounds,
    place: Place,
    began: Instant,
    /// When the last byte moved, milliseconds after `began`.
    moved: AtomicU64,
    requests: Mutex<Requests>,
    /// A request began or ended.
    changed: Notify,
}

#[derive(Debug)]
struct Requests {
    open: Vec<(u64, Instant)>,
    next: u64,
    /// Since when none is open.
    quiet: Instant,
}

impl Pace {
    pub fn new(bounds: Bounds, place: Place) -> Self {
        let began = Instant::now();
        let requests = Requests { open: Vec::new(), next: 0, quiet: began };
        Self {
            bounds,
            place,
            began,
            moved: AtomicU64::new(0),
            requests: Mutex::new(requests),
            changed: Notify::new(),
        }
    }

    /// A byte went in or out.
    pub fn moved(&self) {
        let since = self.began.elapsed().as_millis();
        self.moved.store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// A request's head is here; gives its number.
    pub fn begin(&self) -> u64 {
        let mut requests = self.requests();
        requests.next += 1;
        let id = requests.next;
        requests.open.push((id, Instant::now()));
        drop(requests);
        self.changed.notify_one();
        id
    }

    /// The request is whole.
    pub fn whole(&self) {
        self.place.settle();
    }

    /// The request and its answer are over.
    pub fn end(&self, id: u64) {
        let mut requests = self.requests();
        requests.open.retain(|(open, _)| *open != id);
        let rests = requests.open.is_empty();
        if rests {
            requests.quiet = Instant::now();
        }
        drop(requests);
        if rests {
            self.place.rest();
        }
        self.changed.notify_one();
    }

    /// Returns once the connection has outstayed its time.
    pub async fn outstayed(&self) {
        loop {
            let due = self.due();
            tokio::select! {
                () = tokio::time::sleep_until(due) => {
                    if self.due() <= Instant::now() {
                        return;
                    }
                }
                () = self.changed.notified() => {}
            }
        }
    }

    fn due(&self) -> Instant {
        let requests = self.requests();
        let oldest = requests.open.iter().map(|(_, since)| *since).min();
        match oldest {
            None if requests.next == 0 => requests.quiet + self.bounds.header,
            None => requests.quiet + self.bounds.idle,
            Some(oldest) => {
                let moved = self.began + Duration::from_millis(self.moved.load(Ordering::Relaxed));
                (moved + self.bounds.stall).min(oldest + self.bounds.request)
            }
        }
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        // Plain values, each changed in one step.
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
