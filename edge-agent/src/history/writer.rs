//! The one thread that writes: lines onto the segment of the hour, synced within a second, old ones
//! deleted. A disk that is full or takes nothing turns it off visibly; it tries again, and says in
//! the history itself what is missing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use time::OffsetDateTime;

use super::frame::framed;
use super::queue::{Note, Sender, Shared};
use super::record::{Record, State};
use super::recorder::millis;
use super::segments::{self, Quota};
use crate::clock::Clock;

/// A power cut loses no more than this.
const SYNC: Duration = Duration::from_secs(1);
/// A disk that failed is tried again after this.
const RETRY: Duration = Duration::from_secs(30);
/// Room is looked at after so many bytes, and so often.
const PRUNE_BYTES: u64 = 1 << 20;
const PRUNE: Duration = Duration::from_secs(60);
/// How long it waits for work between two looks at what is due.
const NAP: Duration = Duration::from_millis(200);
/// A state that is well again is believed after this: a stream that loses a picture a second would
/// fill the history otherwise.
const SETTLED: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub struct Writer {
    dir: PathBuf,
    quota: Quota,
    clock: Arc<dyn Clock>,
    from: Receiver<Note>,
    shared: Arc<Shared>,
    open: Option<Open>,
    /// How every camera is, as written, and as it may be written when it lasts.
    states: BTreeMap<String, State>,
    unsettled: BTreeMap<String, State>,
    started: Record,
    /// Not written since.
    missed: Option<Missed>,
}

/// The segment being written.
#[derive(Debug)]
struct Open {
    file: File,
    name: String,
    unsynced: bool,
    synced: Duration,
    pruned: Duration,
    since_pruned: u64,
}

#[derive(Debug)]
struct Missed {
    from: OffsetDateTime,
    records: u64,
    why: String,
    retry: Duration,
}

impl Writer {
    pub fn new(dir: PathBuf, quota: Quota, from: Receiver<Note>, sender: &Sender) -> Self {
        let (clock, shared) = (Arc::clone(sender.clock()), sender.shared());
        shared.lock().dir = dir.display().to_string();
        let started =
            Record::Started { at: millis(clock.now()), version: env!("CARGO_PKG_VERSION").into() };
        Self {
            dir,
            quota,
            clock,
            from,
            shared,
            open: None,
            states: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            started,
            missed: None,
        }
    }

    /// Writes until `stop` and nothing more waits, telling `alive` all the while.
    pub fn run(&mut self, stop: &AtomicBool, alive: &impl Fn()) {
        // The first line of this run: whether the disk takes it is known at once.
        let started = self.started.clone();
        self.take(Note { at: self.clock.now(), record: started });
        loop {
            alive();
            let stopping = stop.load(Ordering::Relaxed);
            let nap = if stopping { Duration::ZERO } else { NAP };
            match self.from.recv_timeout(nap) {
                Ok(note) => self.take(note),
                Err(RecvTimeoutError::Timeout) if !stopping => {}
                Err(_) => break,
            }
            self.due();
        }
        self.settle(Duration::ZERO);
        self.sync();
    }

    fn take(&mut self, note: Note) {
        let Note { at, record } = note;
        match record {
            Record::State(state) => self.turn(at, state),
            record => self.put(at, &record),
        }
    }

    /// Trouble is written at once, its end when it has lasted.
    fn turn(&mut self, at: OffsetDateTime, state: State) {
        let written = self.states.get(&state.camera).map(|known| known.state.as_str());
        if written == Some(state.state.as_str()) {
            self.unsettled.remove(&state.camera);
            return;
        }
        if state.state == WELL && written.is_some() {
            self.unsettled.entry(state.camera.clone()).or_insert(state);
            return;
        }
        self.unsettled.remove(&state.camera);
        self.states.insert(state.camera.clone(), state.clone());
        self.put(at, &Record::State(state));
    }

    /// Writes the states that have lasted so long.
    fn settle(&mut self, lasting: Duration) {
        let now = self.clock.now();
        let since = millis(now - lasting);
        let lasted: Vec<State> =
            self.unsettled.values().filter(|state| state.at <= since).cloned().collect();
        for state in lasted {
            self.unsettled.remove(&state.camera);
            self.states.insert(state.camera.clone(), state.clone());
            self.put(now, &Record::State(state));
        }
    }

    /// What the time has come for, whether or not there was work.
    fn due(&mut self) {
        self.settle(SETTLED);
        let now = self.clock.monotonic();
        if self.open.as_ref().is_some_and(|open| open.unsynced && now >= open.synced + SYNC) {
            self.sync();
        }
        if self.missed.as_ref().is_some_and(|missed| now >= missed.retry) {
            self.recover();
        }
    }

    fn put(&mut self, at: OffsetDateTime, record: &Record) {
        if let Some(missed) = &mut self.missed {
            missed.records += 1;
            self.shared.lock().missed += 1;
            metrics::counter!("edge_history_missed_total").increment(1);
            return;
        }
        if let Err(error) = self.write(at, record) {
            self.fail(at, &error, 1);
        }
    }

    fn write(&mut self, at: OffsetDateTime, record: &Record) -> io::Result<()> {
        let name = segments::name(at);
        if self.open.as_ref().is_none_or(|open| open.name != name) {
            self.begin(name)?;
        }
        let now = self.clock.monotonic();
        let Some(open) = &mut self.open else { return Ok(()) };
        open.since_pruned += line(&mut open.file, record)?;
        open.unsynced = true;
        if open.since_pruned > PRUNE_BYTES || now >= open.pruned + PRUNE {
            self.prune()?;
        }
        let mut status = self.shared.lock();
        status.writes = true;
        status.written += 1;
        Ok(())
    }

    /// Begins the segment `name`, or goes on with it; a new one says first how the cameras are.
    fn begin(&mut self, name: String) -> io::Result<()> {
        self.synced()?;
        let (mut file, new) = segments::open(&self.dir, &name)?;
        if new {
            for state in self.states.values() {
                line(&mut file, &Record::State(state.clone()))?;
            }
        }
        let now = self.clock.monotonic();
        self.open =
            Some(Open { file, name, unsynced: true, synced: now, pruned: now, since_pruned: 0 });
        self.prune()
    }

    fn prune(&mut self) -> io::Result<()> {
        let now = self.clock.monotonic();
        let Some(open) = &mut self.open else { return Ok(()) };
        let wall = self.clock.now();
        // By a clock that nobody vouches for nothing is old: one set far ahead would empty the folder.
        let age = if crate::clock::synchronised(wall) { self.quota.age } else { Duration::MAX };
        let quota = Quota { age, ..self.quota };
        let left = segments::prune(&self.dir, &quota, wall, &open.name)?;
        (open.pruned, open.since_pruned) = (now, 0);
        let mut status = self.shared.lock();
        (status.segments, status.bytes) = (left.segments, left.bytes);
        metrics::gauge!("edge_history_bytes").set(left.bytes as f64);
        drop(status);
        if left.free < self.quota.min_free_bytes {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                format!("{} MB are free, which evidence may need", left.free / 1_000_000),
            ));
        }
        Ok(())
    }

    fn synced(&mut self) -> io::Result<()> {
        if let Some(open) = self.open.as_mut().filter(|open| open.unsynced) {
            open.file.sync_data()?;
            (open.unsynced, open.synced) = (false, self.clock.monotonic());
        }
        Ok(())
    }

    fn sync(&mut self) {
        if let Err(error) = self.synced() {
            self.fail(self.clock.now(), &error, 0);
        }
    }

    /// Writes nothing more until the disk takes something again.
    fn fail(&mut self, from: OffsetDateTime, error: &io::Error, records: u64) {
        let why = format!("{}: {error}", self.dir.display());
        self.open = None;
        let retry = self.clock.monotonic() + RETRY;
        if let Some(missed) = &mut self.missed {
            (missed.why, missed.retry) = (why.clone(), retry);
        } else {
            tracing::error!(
                error = why,
                "the history is not written until the disk takes it again"
            );
            self.missed = Some(Missed { from, records, why: why.clone(), retry });
        }
        metrics::gauge!("edge_history_failed").set(1.0);
        metrics::counter!("edge_history_missed_total").increment(records);
        let mut status = self.shared.lock();
        (status.writes, status.trouble) = (false, Some(why));
        status.missed += records;
    }

    /// Tries whether the disk takes it that something is missing.
    fn recover(&mut self) {
        let now = self.clock.now();
        let Some(missed) = self.missed.take() else { return };
        let Missed { from, records, ref why, .. } = missed;
        let gap = Record::Missed { from: millis(from), to: millis(now), records, why: why.clone() };
        let states: Vec<State> = self.states.values().cloned().collect();
        let told = self.write(now, &gap).and_then(|()| {
            // What they turned to meanwhile was not written.
            states.iter().try_for_each(|state| self.write(now, &Record::State(state.clone())))
        });
        if let Err(error) = told.and_then(|()| self.synced()) {
            self.missed = Some(missed);
            self.fail(now, &error, 0);
            return;
        }
        tracing::info!(records, "the history is written again");
        metrics::gauge!("edge_history_failed").set(0.0);
        self.shared.lock().trouble = None;
    }
}

/// The state that needs no telling.
const WELL: &str = crate::health::CameraState::Streaming.name();

/// Writes one line; says how long it is.
fn line(file: &mut File, record: &Record) -> io::Result<u64> {
    let text = serde_json::to_string(record)?;
    // Bounded fields, no line's end in JSON: only a camera's name or words could be too long, which
    // the configuration bounds.
    let Some(line) = framed(&text) else { return Ok(0) };
    file.write_all(&line)?;
    Ok(line.len() as u64)
}

#[cfg(test)]
mod tests;
