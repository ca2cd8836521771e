//! When a job that failed is tried again.

use time::Duration;

/// A job that failed this often is given up: after about ten hours.
pub const ATTEMPTS: u32 = 16;

const FIRST: Duration = Duration::seconds(5);
const LONGEST: Duration = Duration::HOUR;

/// How long to wait after `attempts` failures; none where it is given up.
pub(super) fn pause(attempts: u32) -> Option<Duration> {
    (attempts < ATTEMPTS).then(|| {
        let factor = 2_i32.saturating_pow(attempts.saturating_sub(1));
        FIRST.checked_mul(factor).unwrap_or(LONGEST).min(LONGEST)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_end() {
        let pauses: Vec<_> = (1..).map_while(pause).collect();
        assert_eq!(pauses.len(), 15);
        assert_eq!(pauses[..3], [5, 10, 20].map(Duration::seconds));
        assert_eq!(pauses[10..], [Duration::HOUR; 5]);
        let all: Duration = pauses.iter().sum();
        assert!((Duration::hours(6)..Duration::hours(12)).contains(&all), "{all}");
    }
}
