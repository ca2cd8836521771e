//! What one input has said lately, by the time it was heard here. Pictures are looked at a moment after
//! they were taken, so what was said is kept for longer than that.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Cabinet, Word};

/// Changes kept: minutes of any signal.
const KEPT: usize = 64;
/// Not heard of for so long, a wire is silent.
pub const STALE: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
pub struct Said {
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    changes: VecDeque<(Duration, bool)>,
    /// The last sign that its latest word still holds.
    heard: Option<Duration>,
}

impl Said {
    /// The input was heard to be so.
    pub fn word(&self, red: bool, now: Duration) {
        let mut log = self.lock();
        let last = log.heard.replace(now);
        // Between two words that are far apart nobody knows what it was.
        let gap = last.is_some_and(|last| now.saturating_sub(last) > STALE);
        if gap {
            log.changes.clear();
        }
        if log.changes.back().map(|(_, before)| *before) != Some(red) {
            if log.changes.len() == KEPT {
                log.changes.pop_front();
            }
            log.changes.push_back((now, red));
        }
    }

    /// Its latest word, if there is one, still holds.
    pub fn holds(&self, now: Duration) {
        let mut log = self.lock();
        if let Some(heard) = &mut log.heard {
            *heard = now.max(*heard);
        }
    }

    /// The way to it is lost: what it said is no word for what comes.
    pub fn lost(&self) {
        *self.lock() = Log::default();
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        // Plain values, each changed in one step.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cabinet for Said {
    fn says(&self, at: Duration) -> Word {
        let log = self.lock();
        let fresh = log.heard.is_some_and(|heard| at.saturating_sub(heard) <= STALE);
        let said = log.changes.iter().rev().find(|(since, _)| *since <= at);
        match said.filter(|_| fresh) {
            Some((_, true)) => Word::Red,
            Some((_, false)) => Word::NotRed,
            None => Word::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_said_is_known_for_its_time_and_no_longer() {
        let said = Said::default();
        assert_eq!(said.says(s(1)), Word::Nothing);
        said.holds(s(1));
        assert_eq!(said.says(s(1)), Word::Nothing, "a sign of life is no word");
        said.word(false, s(10));
        said.word(true, s(12));
        said.word(true, s(14));
        assert_eq!(said.says(s(9)), Word::Nothing);
        assert_eq!(said.says(s(11)), Word::NotRed);
        assert_eq!((said.says(s(12)), said.says(s(17))), (Word::Red, Word::Red));
        assert_eq!(said.says(s(18)), Word::Nothing, "stale");
        said.holds(s(17));
        assert_eq!(said.says(s(20)), Word::Red);
        said.word(true, s(60));
        assert_eq!(said.says(s(30)), Word::Nothing, "nobody heard it in between");
        assert_eq!(said.says(s(60)), Word::Red);
        said.lost();
        assert_eq!(said.says(s(60)), Word::Nothing);
        for n in 0..1000 {
            said.word(n % 2 == 0, s(100 + n));
        }
        assert_eq!(said.lock().changes.len(), KEPT);
    }
}
