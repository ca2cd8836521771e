//! Room for the next package: what goes first, and when sealing has to stop.

use super::{Entry, Spool, SpoolError, State, disk};

impl Spool {
    /// Makes room for `needed` bytes by deleting delivered packages, oldest first.
    pub(super) fn make_room(&self, needed: u64) -> Result<(), SpoolError> {
        self.expire()?;
        loop {
            let used = self.index().total_bytes();
            let free = disk::free_bytes(&self.root)?;
            let fits = used.saturating_add(needed) <= self.policy.max_bytes
                && free >= self.policy.min_free_bytes.saturating_add(needed);
            if fits {
                return Ok(());
            }
            if !self.evict_oldest()? {
                return Err(self.full_with(needed, free));
            }
        }
    }

    /// Deletes delivered packages that are over age.
    pub fn sweep(&self) -> Result<(), SpoolError> {
        let _writer = self.writer();
        self.expire()
    }

    fn expire(&self) -> Result<(), SpoolError> {
        let now = self.clock.now();
        loop {
            let old = match self.index().oldest_delivered() {
                Some(entry) => entry.settled_at.is_none_or(|at| now - at > self.policy.max_age),
                None => false,
            };
            if !old {
                return Ok(());
            }
            self.evict_oldest()?;
        }
    }

    /// Deletes the oldest delivered package; false where there is none. It leaves by way of `tmp/`,
    /// so a crash never leaves half a package behind.
    pub(super) fn evict_oldest(&self) -> Result<bool, SpoolError> {
        let Some(entry) = self.index().oldest_delivered().cloned() else {
            return Ok(false);
        };
        self.bury(State::Delivered, &entry)?;
        metrics::counter!("edge_spool_expired_total").increment(1);
        Ok(true)
    }

    /// Deletes a package that the central has signed for where there is no room to keep it.
    pub(super) fn discard(&self, from: State, sequence: u64) -> Result<(), SpoolError> {
        let _writer = self.writer();
        let entry =
            self.index().get(from, sequence).ok_or(SpoolError::Unknown { sequence })?.clone();
        self.bury(from, &entry)
    }

    /// Moves a package to `tmp/` in one step and deletes it there.
    fn bury(&self, from: State, entry: &Entry) -> Result<(), SpoolError> {
        let name = entry.name();
        let folder = self.root.join(from.folder());
        let grave = self.root.join(disk::TMP).join(format!("old-{name}"));
        disk::rename(&folder.join(&name), &grave)?;
        disk::sync_dir(&folder)?;
        disk::remove_dir_all_if_there(&grave)?;
        let mut index = self.index();
        index.remove(from, entry.sequence);
        index.publish();
        Ok(())
    }

    /// The error for want of room, counted and alarmed; any other error as it is.
    pub(super) fn full_or(&self, error: SpoolError) -> SpoolError {
        if error.is_out_of_space() {
            self.full_with(0, disk::free_bytes(&self.root).unwrap_or(0))
        } else {
            error
        }
    }

    fn full_with(&self, needed: u64, free: u64) -> SpoolError {
        let mut index = self.index();
        index.full(true);
        index.publish();
        metrics::counter!("edge_spool_full_total").increment(1);
        let error = SpoolError::Full {
            needed,
            used: index.undelivered_bytes(),
            max: self.policy.max_bytes,
            free,
            min_free: self.policy.min_free_bytes,
        };
        tracing::error!(pending = index.stats().pending, "{error}");
        error
    }
}
