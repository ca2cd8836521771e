//! A camera's clock against the box's. It tells whole seconds only, so it is asked at several points
//! of the second, and what all its answers allow is its difference. Nothing is set by it: capture
//! times come from the stream (`source::clock`); this says to people which clock is wrong.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::device::{SetBy, Told, date_and_time};
use super::session::Session;
use super::{OnvifError, Setting};
use crate::clock::Clock;
use crate::config::Camera;
use crate::health::{Board, CameraClock, ClockCheck};
use crate::source::supervise;

/// How often a camera is asked to narrow its time down, and how far apart: not in step with seconds.
const ASKED: usize = 4;
const APART: Duration = Duration::from_millis(270);
/// Between two comparisons of a running agent.
const EVERY: Duration = Duration::from_secs(300);

/// How far a camera's clock is ahead of the box's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub ms: i64,
    /// The true one is at most so far from it.
    pub give_or_take_ms: i64,
    pub set_by: SetBy,
}

impl Difference {
    /// Whether it is beyond the bound, for certain.
    pub const fn beyond(&self, bound_ms: u64) -> bool {
        self.ms.unsigned_abs().saturating_sub(self.give_or_take_ms.unsigned_abs()) > bound_ms
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { ms, give_or_take_ms, set_by } = self;
        let way = if *ms < 0 { "behind" } else { "ahead of" };
        let size = ms.unsigned_abs();
        match size {
            0..10_000 => write!(f, "{size} ms")?,
            10_000..600_000 => write!(f, "{} s", (size + 500) / 1000)?,
            600_000..172_800_000 => write!(f, "{} min", (size + 30_000) / 60_000)?,
            _ => write!(f, "{} days", size / 86_400_000)?,
        }
        write!(f, " {way} this box's")?;
        if size < 10_000 {
            write!(f, ", give or take {give_or_take_ms} ms")?;
        }
        f.write_str(match set_by {
            SetBy::Ntp => "; it follows NTP",
            SetBy::Hand => "; it was set by hand, let it follow NTP",
            SetBy::Unknown => "; it does not tell what sets it",
        })
    }
}

/// What the answers so far allow: the camera's time less the box's, from and to, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bracket {
    from: i64,
    to: i64,
}

impl Bracket {
    /// Of one answer, that came between these two times of the box.
    fn of(told: Told, sent: OffsetDateTime, received: OffsetDateTime) -> Self {
        let ms = |from: OffsetDateTime| {
            i64::try_from((told.utc - from).whole_milliseconds()).unwrap_or_default()
        };
        // A clock that steps back between the two leaves at least the second.
        let (from, to) = (ms(received), ms(sent));
        Self { from: from.min(to), to: to.max(from).saturating_add(1000) }
    }

    /// What both allow; where nothing is left a clock was set in between, and the newest counts.
    fn and(self, newest: Self) -> Self {
        let both = Self { from: self.from.max(newest.from), to: self.to.min(newest.to) };
        if both.from <= both.to { both } else { newest }
    }

    const fn middle(self) -> (i64, i64) {
        let half = (self.to - self.from) / 2;
        (self.from + half, half + 1)
    }
}

/// Asks the camera for its time, several times.
pub async fn compare(session: &mut Session) -> Result<Difference, OnvifError> {
    let clock = Arc::clone(session.clock());
    let (mut bracket, mut set_by): (Option<Bracket>, _) = (None, SetBy::Unknown);
    for nth in 0..ASKED {
        if nth > 0 {
            tokio::time::sleep(APART).await;
        }
        let sent = clock.now();
        let told = date_and_time(session).await?;
        let newest = Bracket::of(told, sent, clock.now());
        let both = bracket.map_or(newest, |before| before.and(newest));
        bracket = Some(both);
        set_by = told.set_by;
        let (ms, _) = both.middle();
        session.differs(time::Duration::milliseconds(ms));
    }
    let (ms, give_or_take_ms) = bracket.map_or((0, i64::MAX), Bracket::middle);
    Ok(Difference { ms, give_or_take_ms, set_by })
}

/// One camera's clock, compared now.
pub async fn check(
    camera: &Camera,
    setting: &Setting,
    clock: Arc<dyn Clock>,
) -> Result<Difference, String> {
    let login = supervise::login(camera).map_err(|error| error.to_string())?;
    let session = Session::new(setting.device.clone(), login, clock);
    let mut session = session.map_err(|error| error.to_string())?;
    compare(&mut session).await.map_err(|error| error.to_string())
}

/// Compares the clock of every camera that there is at the start and every few minutes, onto the board.
pub async fn watch(
    cameras: watch::Receiver<Vec<Arc<Camera>>>,
    board: Board,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let round = || async {
        let now = cameras.borrow().clone();
        for camera in &now {
            let Some(setting) = &camera.onvif else { continue };
            let outcome = match check(camera, setting, Arc::clone(&clock)).await {
                Ok(difference) => ClockCheck::Compared {
                    difference,
                    beyond_bound: difference.beyond(setting.clock_bound_ms),
                },
                Err(problem) => ClockCheck::Failed { problem },
            };
            board.of(&camera.id).clock(CameraClock { checked_at: clock.now(), outcome });
        }
        clock.sleep(EVERY).await;
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = round() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    proptest! {
        /// Whatever the clocks and the line: the truth lies in what is told, and four answers tell it
        /// to a fraction of their second.
        #[test]
        fn the_true_difference_is_within_what_is_told(
            ahead in -100_000_000_i64..100_000_000,
            start in 0_i64..1000,
            delays in prop::collection::vec((0_i64..60, 0_i64..60), ASKED),
        ) {
            let mut now = datetime!(2026-11-21 08:00:00 UTC) + time::Duration::milliseconds(start);
            let mut bracket: Option<Bracket> = None;
            for (there, back) in delays {
                let sent = now;
                let asked = now + time::Duration::milliseconds(there + ahead);
                let utc = asked.replace_millisecond(0).unwrap();
                now += time::Duration::milliseconds(there + back);
                let newest = Bracket::of(Told { utc, set_by: SetBy::Ntp }, sent, now);
                bracket = Some(bracket.map_or(newest, |before| before.and(newest)));
                now += APART;
            }
            let (ms, give_or_take) = bracket.unwrap().middle();
            prop_assert!((ms - ahead).abs() <= give_or_take, "{ms} ± {give_or_take}, is {ahead}");
            prop_assert!(give_or_take <= 260, "{give_or_take}");
        }
    }

    #[test]
    fn a_difference_is_beyond_only_for_certain() {
        let of = |ms| Difference { ms, give_or_take_ms: 150, set_by: SetBy::Hand };
        assert!(!of(1100).beyond(1000) && of(1151).beyond(1000) && of(-1151).beyond(1000));
        assert!(of(i64::MIN).beyond(1000));
        assert_eq!(
            of(-1240).to_string(),
            "1240 ms behind this box's, give or take 150 ms; it was set by hand, let it follow NTP"
        );
        assert!(of(7_200_000).to_string().starts_with("120 min ahead of this box's;"));
    }

    #[test]
    fn a_clock_set_in_between_counts_as_it_is_now() {
        let before = Bracket { from: 0, to: 900 };
        let now = Bracket { from: 60_000, to: 61_000 };
        assert_eq!(before.and(now), now);
    }
}
