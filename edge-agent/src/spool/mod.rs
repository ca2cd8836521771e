//! The durable store of sealed evidence on the box: what [`Spool::store`] returned for survives
//! any crash, whole, until the central's signed receipt is in hand.
//!
//! ```text
//! spool/
//!   lock          one process at a time
//!   head.json     end of the device's chain
//!   tmp/          packages being written or deleted; emptied at start
//!   pending/      whole, not yet delivered     000000000042-<evidence id>/
//!   delivered/    the same plus receipt.jws; kept while there is room and age allows
//!   refused/      the central will never take it: the same plus problem.txt; for a human
//!   damaged/      failed verification at start or before sending; for a human
//! ```
//!
//! Order of storing: every file is written and fsync'd in `tmp/`, the folder is fsync'd, renamed
//! into `pending/`, both parents are fsync'd, then `head.json` is replaced the same way. A crash
//! before the rename leaves nothing (the next start empties `tmp/`), a crash after it a whole
//! package; the head is recovered as the larger of `head.json` and the packages found.
//!
//! Room: when the spool is over its size, or the volume under its floor, the oldest *delivered*
//! packages go first; when none is left, storing fails with [`SpoolError::Full`]. Undelivered
//! evidence is never deleted.

mod check;
pub(crate) mod disk;
mod entry;
mod error;
mod index;
mod recover;
mod room;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::chain::Head;
use contract::package::{MANIFEST_FILE, SEAL_FILE};
use contract::seal::VerifyingKey;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::clock::Clock;

pub use check::{Finding, Report, check};
pub use disk::free_bytes;
pub use entry::{Entry, Opened, State};
pub use error::SpoolError;
pub use index::Stats;
pub use recover::Recovery;

use index::Index;

/// Name of the receipt inside a delivered package.
pub const RECEIPT_FILE: &str = "receipt.jws";
/// Name of the central's answer inside a refused package.
pub const PROBLEM_FILE: &str = "problem.txt";

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Bound on everything in the spool, bytes.
    pub max_bytes: u64,
    /// Delivered packages older than this are deleted.
    pub max_age: std::time::Duration,
    /// Free space kept on the volume, bytes.
    pub min_free_bytes: u64,
}

impl From<&crate::config::Spool> for Policy {
    fn from(config: &crate::config::Spool) -> Self {
        let days = u64::from(config.max_age_days);
        Self {
            max_bytes: config.max_bytes,
            max_age: std::time::Duration::from_secs(days * 24 * 3600),
            min_free_bytes: config.min_free_bytes,
        }
    }
}

/// A sealed package as bytes, before it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    pub evidence_id: Uuid,
    pub sequence: u64,
    pub manifest: Vec<u8>,
    pub seal: String,
    /// Name and content of every file the manifest lists.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Package {
    /// All files of the package, manifest and seal included.
    fn contents(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let named = self.files.iter().map(|(name, content)| (name.as_str(), content.as_slice()));
        let sealed = [(MANIFEST_FILE, self.manifest.as_slice()), (SEAL_FILE, self.seal.as_bytes())];
        named.chain(sealed)
    }

    /// Writes the package as a folder `dir`, durably: for replays and exports. `dir` must not
    /// exist.
    pub fn write_to(&self, dir: &Path) -> Result<(), SpoolError> {
        disk::create_dir(dir)?;
        for (name, content) in self.contents() {
            disk::write_synced(&dir.join(name), content)?;
        }
        disk::sync_dir(dir)
    }

    /// The same, replacing what an earlier run left at `dir`.
    pub fn replace_at(&self, dir: &Path) -> Result<(), SpoolError> {
        let staged = dir.with_extension("partial");
        disk::remove_dir_all_if_there(&staged)?;
        if let Some(parent) = dir.parent() {
            disk::create_dir_all(parent)?;
        }
        self.write_to(&staged)?;
        disk::remove_dir_all_if_there(dir)?;
        disk::rename(&staged, dir)
    }
}

/// The spool of this process; there is one at a time for a folder.
#[derive(Debug)]
pub struct Spool {
    root: PathBuf,
    policy: Policy,
    key: VerifyingKey,
    clock: Arc<dyn Clock>,
    /// Held for as long as this value lives.
    _lock: File,
    /// Serialises everything that changes the folders; held across fsyncs.
    writer: Mutex<()>,
    /// Between the first byte of a package on disk and the head that counts it.
    storing: AtomicBool,
    /// What is where; held for moments only.
    index: Mutex<Index>,
    arrived: Notify,
}

impl Spool {
    /// Opens the spool at `root`, creating and recovering it. `key` is the public half of the
    /// device's sealing key.
    pub fn open(
        root: &Path,
        policy: Policy,
        key: VerifyingKey,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Recovery), SpoolError> {
        for state in State::ALL {
            disk::create_dir_all(&root.join(state.folder()))?;
        }
        disk::create_dir_all(&root.join(disk::TMP))?;
        disk::close_to_others(root)?;
        let lock = disk::lock(root)?;
        let (index, recovery) = recover::recover(root, &key, clock.now())?;
        disk::sync_dir(root)?;
        if let Some(parent) = root.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            disk::sync_dir(parent)?;
        }
        let spool = Self {
            root: root.into(),
            policy,
            key,
            clock,
            _lock: lock,
            writer: Mutex::new(()),
            storing: AtomicBool::new(false),
            index: Mutex::new(index),
            arrived: Notify::new(),
        };
        spool.index().publish();
        Ok((spool, recovery))
    }

    /// Stores the package that `make` seals onto the chain's head. On success the package is on
    /// disk, whole, whatever happens next. An evidence id that the spool holds already is not
    /// stored again: its entry is returned.
    pub fn store<E: From<SpoolError>>(
        &self,
        evidence_id: Uuid,
        bytes: u64,
        make: impl FnOnce(Head) -> Result<Package, E>,
    ) -> Result<Entry, E> {
        let _writer = self.writer();
        let head = {
            let mut index = self.index();
            if self.storing.load(Ordering::Relaxed) {
                // Somebody panicked on the way and left the folders between two states: recovery
                // at the next start knows which, this process does not.
                index.poison(&SpoolError::Io {
                    action: "finish storing in",
                    path: self.root.clone(),
                    source: std::io::Error::other("a thread panicked"),
                });
            }
            if let Some(entry) = index.by_id(evidence_id) {
                return Ok(entry.clone());
            }
            index.poisoned()?;
            index.head
        };
        self.make_room(bytes)?;
        let package = make(head)?;
        self.storing.store(true, Ordering::Relaxed);
        let stored = self.commit(head, &package);
        self.storing.store(false, Ordering::Relaxed);
        Ok(stored?)
    }

    fn commit(&self, head: Head, package: &Package) -> Result<Entry, SpoolError> {
        let entry = Entry::of(package);
        let next = Head {
            sequence: package.sequence,
            digest: Some(contract::Digest::of(&package.manifest)),
        };
        if package.sequence != head.sequence + 1 {
            return Err(SpoolError::Chain { expected: head.sequence + 1, found: package.sequence });
        }
        let name = entry.name();
        let staged = self.root.join(disk::TMP).join(&name);
        loop {
            match package.write_to(&staged) {
                Ok(()) => break,
                Err(error) => {
                    disk::remove_dir_all_if_there(&staged)?;
                    if !(error.is_out_of_space() && self.evict_oldest()?) {
                        return Err(self.full_or(error));
                    }
                }
            }
        }
        let place = self.root.join(State::Pending.folder()).join(&name);
        let settle = || {
            disk::rename(&staged, &place)?;
            disk::sync_dir(&self.root.join(State::Pending.folder()))?;
            disk::sync_dir(&self.root.join(disk::TMP))?;
            disk::write_head(&self.root, next)
        };
        if let Err(error) = settle() {
            // Not reported as sealed, so it must not stay either: its number will be used again.
            let undone = disk::remove_dir_all_if_there(&place).is_ok()
                && disk::remove_dir_all_if_there(&staged).is_ok();
            let undone = undone && disk::write_head(&self.root, head).is_ok();
            if !undone {
                self.index().poison(&error);
            }
            return Err(self.full_or(error));
        }
        let mut index = self.index();
        index.head = next;
        index.insert(State::Pending, entry.clone());
        index.full(false);
        index.publish();
        metrics::counter!("edge_spool_sealed_total").increment(1);
        drop(index);
        self.arrived.notify_one();
        Ok(entry)
    }

    /// Marks a package delivered. The caller has verified `receipt`.
    pub fn deliver(&self, from: State, sequence: u64, receipt: &str) -> Result<(), SpoolError> {
        match self.transfer(sequence, from, State::Delivered, RECEIPT_FILE, receipt) {
            // Not even room for the receipt: the central has signed for it, so it may go at once.
            Err(error) if error.is_out_of_space() => self.discard(from, sequence)?,
            other => other?,
        }
        metrics::counter!("edge_spool_delivered_total").increment(1);
        self.sweep()
    }

    /// Takes a package out of the queue that the central will never accept.
    pub fn refuse(&self, sequence: u64, problem: &str) -> Result<(), SpoolError> {
        metrics::counter!("edge_spool_refused_total").increment(1);
        self.transfer(sequence, State::Pending, State::Refused, PROBLEM_FILE, problem)
    }

    /// Takes a package out of the queue whose content no longer matches its manifest.
    pub fn damage(&self, sequence: u64, problem: &str) -> Result<(), SpoolError> {
        metrics::counter!("edge_spool_damaged_total").increment(1);
        self.transfer(sequence, State::Pending, State::Damaged, PROBLEM_FILE, problem)
    }

    fn transfer(
        &self,
        sequence: u64,
        from: State,
        to: State,
        note: &str,
        text: &str,
    ) -> Result<(), SpoolError> {
        let _writer = self.writer();
        let mut entry =
            self.index().get(from, sequence).ok_or(SpoolError::Unknown { sequence })?.clone();
        let source = self.root.join(from.folder()).join(entry.name());
        disk::write_synced(&source.join(note), text.as_bytes())?;
        disk::sync_dir(&source)?;
        disk::rename(&source, &self.root.join(to.folder()).join(entry.name()))?;
        disk::sync_dir(&self.root.join(to.folder()))?;
        disk::sync_dir(&self.root.join(from.folder()))?;
        entry.bytes += text.len() as u64;
        entry.settled_at = (to == State::Delivered).then(|| self.clock.now());
        let mut index = self.index();
        index.remove(from, sequence);
        index.insert(to, entry);
        index.publish();
        Ok(())
    }

    /// Oldest package in the queue with a sequence of at least `from`.
    pub fn next_pending(&self, from: u64) -> Option<Entry> {
        self.index().next_pending(from).cloned()
    }

    /// Where the package with this sequence is, whatever its state.
    pub fn find(&self, sequence: u64) -> Option<(State, Entry)> {
        let index = self.index();
        State::ALL
            .into_iter()
            .find_map(|state| index.get(state, sequence).map(|entry| (state, entry.clone())))
    }

    /// Reads manifest and seal of a package and checks the seal; the files stay on disk.
    pub fn read(&self, state: State, entry: &Entry) -> Result<Opened, SpoolError> {
        Opened::read(&self.root.join(state.folder()).join(entry.name()), entry, &self.key)
    }

    /// Waits until something is stored.
    pub async fn arrival(&self) {
        self.arrived.notified().await;
    }

    pub fn head(&self) -> Head {
        self.index().head
    }

    pub fn stats(&self) -> Stats {
        self.index().stats()
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    fn writer(&self) -> MutexGuard<'_, ()> {
        // It guards no data: a panicked holder leaves the folders, which recovery understands.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // Every change to the index is one insert or remove: never half done.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
