//! One lamp's picture against its wire.

use std::sync::Arc;
use std::time::Duration;

use judge::lamp::{Light, Reading};
use serde::Serialize;

use super::said::STALE;
use super::{Cabinet, Word};
use crate::see::Nanos;

/// How picture and wire of a lamp stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WireState {
    /// The wire is there; no picture has borne it out yet.
    Heard,
    Agrees,
    /// For longer than is borne.
    Differs,
    /// Nothing is heard of the wire.
    Silent,
}

impl WireState {
    /// Whether the lamp is unreadable by it.
    pub const fn is_alarm(self) -> bool {
        matches!(self, Self::Differs | Self::Silent)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Heard => "heard",
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::Silent => "silent",
        }
    }
}

/// What becomes of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    pub reading: Reading,
    /// What was seen of the lamp since then is not believed any more.
    pub doubt_since: Option<Nanos>,
    pub state: WireState,
}

#[derive(Debug)]
pub struct Check {
    cabinet: Arc<dyn Cabinet>,
    /// A difference is borne so long.
    bears: Nanos,
    differs_since: Option<Nanos>,
    /// The last picture at which the wire had a word.
    heard: Option<Nanos>,
    state: WireState,
}

impl Check {
    pub fn new(cabinet: Arc<dyn Cabinet>, bears: Nanos) -> Self {
        Self { cabinet, bears, differs_since: None, heard: None, state: WireState::Silent }
    }

    /// Stream time begins anew.
    pub const fn restart(&mut self) {
        (self.differs_since, self.heard) = (None, None);
    }

    /// Holds what the picture at `t`, taken at `taken`, shows against the wire.
    pub fn judge(&mut self, t: Nanos, taken: Duration, seen: Reading) -> Judged {
        let word = self.cabinet.says(taken);
        if word != Word::Nothing {
            self.heard = Some(t);
        }
        let before = self.state;
        // Where nothing is decided, it stands as it did.
        let as_before = if before == WireState::Silent { WireState::Heard } else { before };
        let (state, reading, since) = match (word, seen) {
            (Word::Nothing, _) => {
                self.differs_since = None;
                // Its last word may have been as old as a word may be.
                let heard = self.heard.take().unwrap_or(t);
                (
                    WireState::Silent,
                    Reading::Unclear,
                    heard.saturating_sub(STALE.as_nanos() as Nanos),
                )
            }
            (Word::Red | Word::NotRed, Reading::Lit(light))
                if (light == Light::Red) != (word == Word::Red) =>
            {
                let since = *self.differs_since.get_or_insert(t);
                if before == WireState::Differs || t.saturating_sub(since) > self.bears {
                    (WireState::Differs, Reading::Unclear, since)
                } else if light == Light::Red {
                    (as_before, Reading::Unclear, since)
                } else {
                    (as_before, seen, since)
                }
            }
            (_, Reading::Lit(_)) => {
                self.differs_since = None;
                (WireState::Agrees, seen, t)
            }
            // A picture that says nothing ends no difference.
            (_, Reading::Dark | Reading::Unclear) => match before {
                WireState::Differs => (before, Reading::Unclear, t),
                _ => (as_before, seen, t),
            },
        };
        self.state = state;
        let doubted = state.is_alarm() && state != before;
        Judged { reading, doubt_since: doubted.then_some(since), state }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use judge::time::seconds;

    use super::*;

    #[derive(Debug)]
    struct Told(Mutex<Word>);

    impl Cabinet for Told {
        fn says(&self, _: Duration) -> Word {
            *self.0.lock().unwrap()
        }
    }

    const TENTH: Nanos = 100_000_000;

    struct Bench {
        told: Arc<Told>,
        check: Check,
        /// Tenths of a second.
        at: Nanos,
    }

    impl Bench {
        fn new() -> Self {
            let told = Arc::new(Told(Mutex::new(Word::NotRed)));
            let cabinet: Arc<dyn Cabinet> = Arc::clone(&told) as _;
            Self { told, check: Check::new(cabinet, seconds(1.5)), at: 0 }
        }

        /// So many tenths of a second of this word and sight; the last judgement, and all doubts.
        fn run(&mut self, word: Word, seen: Reading, tenths: u32) -> (Judged, Vec<Nanos>) {
            *self.told.0.lock().unwrap() = word;
            let mut last = None;
            let mut doubts = Vec::new();
            for _ in 0..tenths {
                self.at += 1;
                let judged = self.check.judge(self.at * TENTH, Duration::ZERO, seen);
                doubts.extend(judged.doubt_since);
                last = Some(judged);
            }
            (last.unwrap(), doubts)
        }
    }

    const RED: Reading = Reading::Lit(Light::Red);
    const GREEN: Reading = Reading::Lit(Light::Green);

    #[test]
    fn agreement_changes_nothing() {
        let mut bench = Bench::new();
        for (word, seen) in [
            (Word::NotRed, GREEN),
            (Word::NotRed, Reading::Lit(Light::Amber)),
            (Word::Red, RED),
            (Word::Red, Reading::Dark),
            (Word::NotRed, Reading::Unclear),
        ] {
            let (judged, doubts) = bench.run(word, seen, 30);
            assert_eq!((judged.reading, judged.state, doubts), (seen, WireState::Agrees, vec![]));
        }
    }

    #[test]
    fn a_red_counts_once_the_wire_knows_it_and_a_short_lag_is_no_alarm() {
        let mut bench = Bench::new();
        bench.run(Word::NotRed, GREEN, 10);
        let (judged, doubts) = bench.run(Word::NotRed, RED, 5);
        assert_eq!(
            (judged.reading, judged.state, doubts),
            (Reading::Unclear, WireState::Agrees, vec![])
        );
        assert_eq!(bench.run(Word::Red, RED, 5).0.reading, RED);
        // The other way round the picture is believed for the while.
        assert_eq!(bench.run(Word::Red, GREEN, 5).0.reading, GREEN);
        assert_eq!(bench.run(Word::NotRed, GREEN, 5).0.state, WireState::Agrees);
    }

    #[test]
    fn a_difference_that_lasts_takes_back_what_was_seen_until_both_agree() {
        for (word, seen) in [(Word::NotRed, RED), (Word::Red, GREEN)] {
            let mut bench = Bench::new();
            let began = TENTH;
            let (judged, doubts) = bench.run(word, seen, 40);
            assert_eq!((judged.reading, judged.state), (Reading::Unclear, WireState::Differs));
            assert_eq!(doubts, [began], "told once, from its beginning");
            let (judged, _) = bench.run(word, Reading::Dark, 5);
            assert_eq!(judged.state, WireState::Differs, "darkness is no agreement");
            let word = if word == Word::Red { Word::NotRed } else { Word::Red };
            let (judged, doubts) = bench.run(word, seen, 5);
            assert_eq!((judged.reading, judged.state, doubts), (seen, WireState::Agrees, vec![]));
        }
    }

    #[test]
    fn a_silent_wire_makes_the_lamp_unreadable() {
        let mut bench = Bench::new();
        bench.run(Word::Red, RED, 10);
        let (judged, doubts) = bench.run(Word::Nothing, RED, 10);
        assert_eq!((judged.reading, judged.state), (Reading::Unclear, WireState::Silent));
        assert_eq!(doubts.len(), 1);
        assert_eq!(bench.run(Word::Red, RED, 1).0.reading, RED);
    }
}
