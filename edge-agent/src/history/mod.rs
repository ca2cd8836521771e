//! What the agent saw in the last days, and why it accused or did not: for a technician who asks
//! about a moment (`edge-agent why`). Every vehicle that was followed is kept with its way in few
//! points and the last word of every rule, and how the cameras were; no plates and no pictures.
//!
//! ```text
//! watch ── Recorder ─┐                       history/
//! watch ── Recorder ─┼─ bounded queue ─ Writer ─ 2026-11-28T01Z.log   a file an hour, lines with
//! board ─────────────┘                           2026-11-28T02Z.log   a digest, synced each second
//! ```
//!
//! It is no evidence and never in its way: what finds no room is counted and let go, and a disk that
//! fails turns it off until it works again.

pub mod ask;
pub mod command;
mod draw;
pub mod frame;
mod path;
mod queue;
pub mod record;
mod recorder;
mod segments;
mod tell;
mod words;
mod writer;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::Agent;
use crate::health::{Board, CameraHandle, Crew};
use crate::watch::Watch;
use crate::watch::eyes::Eyes;
use queue::Sender;
pub use queue::Status;
use record::{Record, State};
use recorder::{Recorder, millis};
use segments::Quota;
use writer::Writer;

/// The history being written; cheap to clone.
#[derive(Debug, Clone)]
pub struct History {
    /// None where it is switched off.
    sender: Option<Sender>,
    stop: Arc<AtomicBool>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl History {
    /// Begins to write what `agent` asks for: the states on `board`, and what the loops see that are
    /// attached.
    pub fn start(
        agent: &Agent,
        board: &Board,
        clock: Arc<dyn Clock>,
        crew: &Crew,
    ) -> io::Result<Self> {
        let config = &agent.history;
        let off = Self { sender: None, stop: Arc::default(), thread: Arc::default() };
        if !config.enabled {
            return Ok(off);
        }
        let quota = Quota {
            age: Duration::from_secs(u64::from(config.keep_days) * 24 * 3600),
            bytes: config.keep_bytes,
            min_free_bytes: agent.spool.min_free_bytes,
        };
        let (sender, from) = queue::open(clock, false);
        let mut writer = Writer::new(config.dir.clone(), quota, from, &sender);
        let stop = Arc::new(AtomicBool::new(false));
        let thread = crew.thread("history", Arc::clone(&stop), {
            let stop = Arc::clone(&stop);
            move |pulse| writer.run(&stop, &|| pulse.beat())
        })?;
        board.observe(states(sender.clone()));
        let thread = Arc::new(Mutex::new(Some(thread)));
        Ok(Self { sender: Some(sender), stop, thread })
    }

    /// Writes what a recording shows into `dir`, waiting for the disk. Time is the `clock`'s.
    pub fn of_recording(
        dir: &Path,
        camera: &CameraHandle,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let quota = Quota { age: Duration::MAX, bytes: u64::MAX, min_free_bytes: 0 };
        let (sender, from) = queue::open(clock, true);
        let mut writer = Writer::new(dir.into(), quota, from, &sender);
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("history".into())
            .spawn(move || writer.run(&stopping, &|| ()))?;
        camera.observe(states(sender.clone()));
        let thread = Arc::new(Mutex::new(Some(thread)));
        Ok(Self { sender: Some(sender), stop, thread })
    }

    /// Keeps what this loop sees.
    pub fn attach<E: Eyes>(&self, watch: &mut Watch<E>) {
        if let Some(sender) = &self.sender {
            let recorder = Recorder::new(watch.camera_id(), sender.clone());
            watch.listen(Box::new(recorder));
        }
    }

    /// None where it is switched off.
    pub fn status(&self) -> Option<Status> {
        self.sender.as_ref().map(|sender| sender.shared().status())
    }

    /// Writes the rest; the loops are over.
    pub fn finish(&self) -> Result<(), String> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = thread.is_none_or(|thread| thread.join().is_ok());
        match self.status().and_then(|status| status.trouble) {
            Some(trouble) => Err(trouble),
            None if !ended => Err("its writer panicked".into()),
            None => Ok(()),
        }
    }
}

/// Takes down every change of a camera's state.
fn states(sender: Sender) -> crate::health::Observer {
    Box::new(move |camera, state, detail| {
        sender.send(Record::State(State {
            camera: camera.into(),
            at: millis(sender.clock().now()),
            state: state.name().into(),
            detail: detail.into(),
        }));
    })
}
