//! What the spool holds, in memory: rebuilt from the folders at every start.

use std::collections::{BTreeMap, HashMap};

use contract::chain::Head;
use uuid::Uuid;

use super::{Entry, SpoolError, State};

#[derive(Debug, Default)]
pub struct Index {
    pub head: Head,
    by_state: [BTreeMap<u64, Entry>; 4],
    by_id: HashMap<Uuid, (State, u64)>,
    bytes: [u64; 4],
    full: bool,
    poisoned: Option<String>,
}

/// Counts of the spool, for metrics and the doctor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    pub sequence: u64,
    pub pending: usize,
    pub pending_bytes: u64,
    pub delivered: usize,
    pub delivered_bytes: u64,
    pub refused: usize,
    pub damaged: usize,
    pub total_bytes: u64,
    /// Sealing has stopped for want of room.
    pub full: bool,
    /// The volume failed; sealing has stopped until a restart.
    pub failed: bool,
}

impl Index {
    pub fn insert(&mut self, state: State, entry: Entry) {
        self.bytes[state as usize] += entry.bytes;
        self.by_id.insert(entry.evidence_id, (state, entry.sequence));
        let replaced = self.by_state[state as usize].insert(entry.sequence, entry);
        if let Some(old) = replaced {
            self.bytes[state as usize] -= old.bytes;
        }
    }

    pub fn remove(&mut self, state: State, sequence: u64) -> Option<Entry> {
        let entry = self.by_state[state as usize].remove(&sequence)?;
        self.bytes[state as usize] -= entry.bytes;
        self.by_id.remove(&entry.evidence_id);
        Some(entry)
    }

    pub fn get(&self, state: State, sequence: u64) -> Option<&Entry> {
        self.by_state[state as usize].get(&sequence)
    }

    /// Damaged packages do not count: their act may be sealed again.
    pub fn by_id(&self, id: Uuid) -> Option<&Entry> {
        let (state, sequence) = *self.by_id.get(&id)?;
        if state == State::Damaged { None } else { self.get(state, sequence) }
    }

    pub fn next_pending(&self, from: u64) -> Option<&Entry> {
        self.by_state[State::Pending as usize].range(from..).next().map(|(_, entry)| entry)
    }

    pub fn oldest_delivered(&self) -> Option<&Entry> {
        self.by_state[State::Delivered as usize].values().next()
    }

    pub fn total_bytes(&self) -> u64 {
        self.bytes.iter().sum()
    }

    pub fn undelivered_bytes(&self) -> u64 {
        self.total_bytes() - self.bytes[State::Delivered as usize]
    }

    pub fn full(&mut self, full: bool) {
        self.full = full;
    }

    pub fn poison(&mut self, cause: &SpoolError) {
        self.poisoned = Some(cause.to_string());
        self.publish();
    }

    pub fn poisoned(&self) -> Result<(), SpoolError> {
        match &self.poisoned {
            Some(cause) => Err(SpoolError::Poisoned { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    pub fn stats(&self) -> Stats {
        let count = |state: State| self.by_state[state as usize].len();
        let bytes = |state: State| self.bytes[state as usize];
        Stats {
            sequence: self.head.sequence,
            pending: count(State::Pending),
            pending_bytes: bytes(State::Pending),
            delivered: count(State::Delivered),
            delivered_bytes: bytes(State::Delivered),
            refused: count(State::Refused),
            damaged: count(State::Damaged),
            total_bytes: self.total_bytes(),
            full: self.full,
            failed: self.poisoned.is_some(),
        }
    }

    /// Shows the counts as metrics.
    pub fn publish(&self) {
        for state in State::ALL {
            let label = state.folder();
            metrics::gauge!("edge_spool_packages", "state" => label)
                .set(self.by_state[state as usize].len() as f64);
            metrics::gauge!("edge_spool_bytes", "state" => label)
                .set(self.bytes[state as usize] as f64);
        }
        metrics::gauge!("edge_spool_sequence").set(self.head.sequence as f64);
        metrics::gauge!("edge_spool_full").set(f64::from(u8::from(self.full)));
        metrics::gauge!("edge_spool_failed").set(f64::from(u8::from(self.poisoned.is_some())));
    }
}
