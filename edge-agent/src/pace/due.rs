//! Which of a camera's pictures are due, and why the others are not: more came than are ever looked
//! at, or the camera is looked at less often just now.

use super::{Less, Pace, Present};
use crate::see::Nanos;

/// What becomes of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Due,
    /// More pictures come than the camera is ever looked at.
    NotDue,
    /// It would be due, were the camera looked at as often as it can be.
    LeftOut(Less),
}

/// Follows a stream's pictures: when they would be due at the most, and when they are.
#[derive(Debug, Default)]
pub struct Due {
    at_most: Grid,
    now: Grid,
    /// So many were looked at between those that would be due at the most; each stands for one of
    /// these, so that what is left out is counted exactly.
    ahead: u64,
}

impl Due {
    /// The picture at `t`, later than all before.
    pub fn turn(&mut self, t: Nanos, pace: &Pace) -> Outcome {
        let Present { fps, less } = pace.present();
        let would_be = self.at_most.takes(t, period(pace.range().most));
        match (would_be, self.now.takes(t, period(fps))) {
            (true, true) => Outcome::Due,
            (false, true) => {
                self.ahead += 1;
                Outcome::Due
            }
            (false, false) => Outcome::NotDue,
            (true, false) if self.ahead > 0 => {
                self.ahead -= 1;
                Outcome::NotDue
            }
            (true, false) => less.map_or(Outcome::NotDue, Outcome::LeftOut),
        }
    }
}

fn period(fps: f32) -> Nanos {
    (1e9 / f64::from(fps)) as Nanos
}

/// Times a period apart, which may change.
#[derive(Debug, Default)]
struct Grid {
    last: Nanos,
    next: Nanos,
    period: Nanos,
}

impl Grid {
    fn takes(&mut self, t: Nanos, period: Nanos) -> bool {
        if period < self.period {
            // It has become shorter: what the longer one put off is due sooner.
            self.next = self.next.min(self.last + period);
        }
        self.period = period;
        // A quarter of a period early is due: frame times need not divide the period.
        if t + period / 4 < self.next {
            return false;
        }
        let next = self.next + period;
        self.next = if next > t { next } else { t + period };
        self.last = t;
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Fps;
    use crate::see::SECOND;

    /// Counts of due, not due and left out, of pictures from second to second at `arriving` a second.
    fn told(due: &mut Due, pace: &Pace, from: u64, to: u64, arriving: u64) -> [u64; 3] {
        let mut told = [0; 3];
        for i in from * arriving..to * arriving {
            match due.turn(i * SECOND / arriving, pace) {
                Outcome::Due => told[0] += 1,
                Outcome::NotDue => told[1] += 1,
                Outcome::LeftOut(_) => told[2] += 1,
            }
        }
        told
    }

    #[test]
    fn what_is_left_out_is_counted_by_cause() {
        let pace = Pace::new(Fps { least: 4.0, most: 10.0 });
        let mut due = Due::default();
        assert_eq!(told(&mut due, &pace, 0, 20, 25), [200, 300, 0]);
        pace.allow(6.0);
        let [seen, .., left] = told(&mut due, &pace, 20, 40, 25);
        assert!(seen.abs_diff(120) <= 1 && (seen + left).abs_diff(200) <= 1, "{seen} {left}");
        pace.still(true);
        let [seen, .., left] = told(&mut due, &pace, 40, 60, 25);
        assert!(seen.abs_diff(80) <= 1 && (seen + left).abs_diff(200) <= 1, "{seen} {left}");
    }

    #[test]
    fn who_wakes_is_looked_at_at_once() {
        let pace = Pace::new(Fps { least: 2.0, most: 10.0 });
        let mut due = Due::default();
        pace.still(true);
        let at = |ms: u64| ms * 1_000_000;
        let due_at = |due: &mut Due, ms| due.turn(at(ms), &pace) == Outcome::Due;
        assert_eq!([0, 40, 80, 120].map(|ms| due_at(&mut due, ms)), [true, false, false, false]);
        pace.still(false);
        assert!(due_at(&mut due, 160), "the next was put off to 500 ms");
    }

    proptest! {
        /// However often the pace changes, the range is kept, and what would be due at the most is
        /// looked at or left out with its cause.
        #[test]
        fn the_range_is_kept_and_what_is_left_out_is_counted(
            paces in prop::collection::vec((1.0f32..30.0, any::<bool>()), 1..20),
            arriving in 12u64..60,
        ) {
            let pace = Pace::new(Fps { least: 4.0, most: 10.0 });
            let (mut due, mut at_most) = (Due::default(), Due::default());
            let most = Pace::new(Fps::fixed(10.0));
            let (mut seen, mut left, mut would_be) = (Vec::new(), 0usize, 0usize);
            for (second, (allowed, still)) in paces.iter().enumerate() {
                pace.allow(*allowed);
                pace.still(*still);
                let from = second as u64 * arriving;
                for i in from..from + arriving {
                    let t = i * SECOND / arriving;
                    would_be += usize::from(at_most.turn(t, &most) == Outcome::Due);
                    match due.turn(t, &pace) {
                        Outcome::Due => seen.push(t),
                        Outcome::LeftOut(_) => left += 1,
                        Outcome::NotDue => {}
                    }
                }
            }
            let arrival = SECOND / arriving;
            for pair in seen.windows(2) {
                let apart = pair[1] - pair[0];
                prop_assert!(apart <= SECOND / 4 + arrival, "{apart}");
            }
            let seconds = paces.len();
            let bounds = 4 * seconds - 1..=10 * seconds + 1 + seconds / 2;
            prop_assert!(bounds.contains(&seen.len()), "{} in {seconds} s", seen.len());
            // One may be told wrongly where the pace changes.
            let told = seen.len() + left;
            prop_assert!(told.abs_diff(would_be) <= seconds, "{told} of {would_be}");
        }
    }
}
