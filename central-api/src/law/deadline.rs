//! Terms of the procedure as data: a count of a unit from an event.

use serde::Deserialize;
use time::{Duration, OffsetDateTime, Time};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineUnit {
    Days,
    WorkingDays,
    Months,
    Years,
}

/// One term, e.g. ten days from detection to the notice.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    pub name: String,
    /// The event it runs from.
    pub from: String,
    pub count: u32,
    pub unit: DeadlineUnit,
    pub text: String,
    pub source: String,
}

impl Deadline {
    /// The last moment of a term in calendar days: the end of its last day in Vietnam, the day
    /// of the event not counted. Working days, months and years need the calendar of holidays,
    /// which no caller needs yet: `None`.
    pub fn end(&self, event: OffsetDateTime) -> Option<OffsetDateTime> {
        if self.unit != DeadlineUnit::Days {
            return None;
        }
        let last = event
            .to_offset(super::VIETNAM)
            .date()
            .checked_add(Duration::days(i64::from(self.count)))?;
        // 23:59:59 always exists.
        let midnight = last.with_time(Time::MIDNIGHT).assume_offset(super::VIETNAM);
        midnight.checked_add(Duration::DAY - Duration::SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn ten_days_end_with_the_tenth_day_in_vietnam() {
        let deadline = Deadline {
            name: "notice".into(),
            from: "detection".into(),
            count: 10,
            unit: DeadlineUnit::Days,
            text: String::new(),
            source: String::new(),
        };
        // 18:30 UTC is already the next day in Vietnam.
        assert_eq!(
            deadline.end(datetime!(2026-11-20 18:30 UTC)),
            Some(datetime!(2026-12-01 23:59:59 +7))
        );
        let working = Deadline { unit: DeadlineUnit::WorkingDays, ..deadline };
        assert_eq!(working.end(datetime!(2026-11-20 18:30 UTC)), None);
    }
}
