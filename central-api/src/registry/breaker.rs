//! Spares a server that does not work: after some failures in a row nobody asks it for a while, then one
//! asks whether it works again.

use time::{Duration, OffsetDateTime};

/// Failures in a row that are borne.
const BORNE: u32 = 5;
/// For so long it is left alone then.
const REST: Duration = Duration::MINUTE;

#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    rests_until: Option<OffsetDateTime>,
}

impl Breaker {
    /// Whether the server may be asked; if not, until when it is left alone. Who may ask after a rest is
    /// alone in that: the others rest on until it has said how it went.
    pub fn ask(&mut self, now: OffsetDateTime) -> Result<(), OffsetDateTime> {
        match self.rests_until {
            Some(until) if now < until => Err(until),
            Some(_) => {
                self.rests_until = Some(now + REST);
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub fn answered(&mut self) {
        *self = Self::default();
    }

    pub fn failed(&mut self, now: OffsetDateTime) {
        self.failures += 1;
        if self.failures >= BORNE {
            self.rests_until = Some(now + REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_asks_after_a_rest_and_the_rest_hear_from_it() {
        let at = |seconds| OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds);
        let mut breaker = Breaker::default();
        for n in 0..4 {
            breaker.ask(at(n)).unwrap();
            breaker.failed(at(n));
        }
        breaker.ask(at(4)).unwrap();
        breaker.failed(at(4));
        assert_eq!(breaker.ask(at(5)), Err(at(64)));
        assert_eq!(breaker.ask(at(64)), Ok(()));
        assert_eq!(breaker.ask(at(64)), Err(at(124)), "the others wait for its word");
        breaker.failed(at(70));
        assert_eq!(breaker.ask(at(124)), Err(at(130)));
        assert_eq!(breaker.ask(at(131)), Ok(()));
        breaker.answered();
        assert_eq!(breaker.ask(at(131)), Ok(()));
        breaker.failed(at(131));
        assert_eq!(breaker.ask(at(131)), Ok(()), "one failure is none");
    }
}
