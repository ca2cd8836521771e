//! Terms of the procedure as data: a count of a unit from an event (BLDS 91/2015 Điều 147–148).
//! The event's day is left out; a term whose last day is off ends with the next working day.

use serde::Deserialize;
use time::{Date, Duration, Month, OffsetDateTime, Time};

use super::calendar::{Calendar, Day};
use super::{LawError, VIETNAM};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineUnit {
    Days,
    WorkingDays,
    Months,
    Years,
}

/// The terms that the procedure has; every one of them stands in the file, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    Notice,
    Record,
    NoShow,
    HearingRequest,
    WrittenExplanation,
    Decision,
    DecisionTransferred,
    DecisionExplained,
    DecisionComplex,
    DecisionSent,
    DecisionCorrected,
    Execution,
    Pay,
    Complaint,
    Lawsuit,
    Limitation,
    ServedReturned,
    ServedElectronic,
    ServedPosted,
    SendAgain,
    PostAnswer,
}

impl Term {
    pub const ALL: [Self; 21] = [
        Self::Notice,
        Self::Record,
        Self::NoShow,
        Self::HearingRequest,
        Self::WrittenExplanation,
        Self::Decision,
        Self::DecisionTransferred,
        Self::DecisionExplained,
        Self::DecisionComplex,
        Self::DecisionSent,
        Self::DecisionCorrected,
        Self::Execution,
        Self::Pay,
        Self::Complaint,
        Self::Lawsuit,
        Self::Limitation,
        Self::ServedReturned,
        Self::ServedElectronic,
        Self::ServedPosted,
        Self::SendAgain,
        Self::PostAnswer,
    ];
}

/// One term, e.g. ten days from detection to the notice.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    pub name: Term,
    /// The event it runs from.
    pub from: String,
    pub count: u32,
    pub unit: DeadlineUnit,
    /// Whether a last day off moves to the next working day. A limitation does not move
    /// (thời hiệu, BLDS Điều 151); a term does (thời hạn, Điều 148).
    #[serde(default = "moves")]
    pub moves: bool,
    pub text: String,
    pub source: String,
}

const fn moves() -> bool {
    true
}

/// The last moment of a term. The two differ where the calendar is not settled: whoever the term
/// binds keeps the earliest, whoever it protects is held to the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    pub earliest: OffsetDateTime,
    pub latest: OffsetDateTime,
}

impl Deadline {
    /// The end of the term that starts with `event`: the last second of its last day in Vietnam.
    pub fn end(&self, event: OffsetDateTime, calendar: &Calendar) -> Result<End, LawError> {
        let event = event.to_offset(VIETNAM).date();
        let end = |doubtful_is_worked| {
            let works = |day| {
                Ok::<_, LawError>(match calendar.day(day)? {
                    Day::Working => true,
                    Day::Off => false,
                    Day::Doubtful => doubtful_is_worked,
                })
            };
            let mut day = self.last(event, works)?;
            while self.moves && !works(day)? {
                day = next(day);
            }
            // 23:59:59 always exists.
            let midnight = day.with_time(Time::MIDNIGHT).assume_offset(VIETNAM);
            Ok::<_, LawError>(midnight.saturating_add(Duration::DAY - Duration::SECOND))
        };
        Ok(End { earliest: end(true)?, latest: end(false)? })
    }

    /// The counted last day.
    fn last(
        &self,
        event: Date,
        works: impl Fn(Date) -> Result<bool, LawError>,
    ) -> Result<Date, LawError> {
        Ok(match self.unit {
            DeadlineUnit::Days => event.saturating_add(Duration::days(i64::from(self.count))),
            DeadlineUnit::Months => months_later(event, self.count),
            DeadlineUnit::Years => months_later(event, self.count.saturating_mul(12)),
            DeadlineUnit::WorkingDays => {
                let (mut day, mut counted) = (event, 0);
                while counted < self.count {
                    day = next(day);
                    counted += u32::from(works(day)?);
                }
                day
            }
        })
    }
}

pub(super) fn next(day: Date) -> Date {
    day.next_day().unwrap_or(Date::MAX)
}

/// The same day of a later month, or that month's last where it has no such day.
pub(super) fn months_later(day: Date, months: u32) -> Date {
    let index = i64::from(day.year()) * 12 + i64::from(u8::from(day.month())) - 1;
    let index = index + i64::from(months);
    let month = u8::try_from(index.rem_euclid(12) + 1).ok().and_then(|m| Month::try_from(m).ok());
    let year = i32::try_from(index.div_euclid(12)).ok();
    year.zip(month)
        .and_then(|(year, month)| {
            let last = month.length(year);
            Date::from_calendar_date(year, month, day.day().min(last)).ok()
        })
        .unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn term(count: u32, unit: DeadlineUnit) -> Deadline {
        Deadline {
            name: Term::Notice,
            from: "detection".into(),
            count,
            unit,
            moves: true,
            text: String::new(),
            source: String::new(),
        }
    }

    #[test]
    fn terms_end_as_the_civil_code_counts() {
        use DeadlineUnit::{Days, Months, WorkingDays, Years};
        let book = super::super::book().unwrap();
        let calendar = book.calendar();
        for (count, unit, event, last) in [
            // 18:30 UTC is already the next day in Vietnam.
            (10, Days, datetime!(2026-11-20 18:30 UTC), datetime!(2026-12-01 23:59:59 +7)),
            // The tenth day is Saturday the 28th: Monday.
            (10, Days, datetime!(2026-11-18 09:00 +7), datetime!(2026-11-30 23:59:59 +7)),
            // … is a holiday in the middle of the week: the day after.
            (10, Days, datetime!(2026-11-14 09:00 +7), datetime!(2026-11-25 23:59:59 +7)),
            // … falls into Tết and its weekend, 14 to 22 February.
            (10, Days, datetime!(2026-02-06 09:00 +7), datetime!(2026-02-23 23:59:59 +7)),
            // … is the Saturday worked for 31 August.
            (10, Days, datetime!(2026-08-12 09:00 +7), datetime!(2026-08-22 23:59:59 +7)),
            // Three working days over a weekend and a holiday: 20, 23, 25 November.
            (3, WorkingDays, datetime!(2026-11-19 09:00 +7), datetime!(2026-11-25 23:59:59 +7)),
            // The Saturday worked counts.
            (2, WorkingDays, datetime!(2026-08-20 09:00 +7), datetime!(2026-08-22 23:59:59 +7)),
            (1, Months, datetime!(2026-05-31 09:00 +7), datetime!(2026-06-30 23:59:59 +7)),
            (1, Years, datetime!(2025-11-24 09:00 +7), datetime!(2026-11-25 23:59:59 +7)),
        ] {
            let end = term(count, unit).end(event, calendar).unwrap();
            assert_eq!(end, End { earliest: last, latest: last }, "{count} {unit:?} from {event}");
        }
        let limitation = Deadline { moves: false, ..term(1, Years) };
        let end = limitation.end(datetime!(2025-11-24 09:00 +7), calendar).unwrap();
        assert_eq!(end.latest, datetime!(2026-11-24 23:59:59 +7));
        // It needs no calendar: a year nobody has announced is no obstacle.
        let end = limitation.end(datetime!(2028-02-29 09:00 +7), calendar).unwrap();
        assert_eq!(end.latest, datetime!(2029-02-28 23:59:59 +7));
    }

    proptest::proptest! {
        /// Lists of terms are kept in the order of what began them.
        #[test]
        fn what_begins_later_ends_no_earlier(
            count in 1_u32..40, unit in 0_usize..4, first in 0_i64..700, later in 0_i64..40,
        ) {
            use DeadlineUnit::{Days, Months, WorkingDays, Years};
            let book = super::super::book().unwrap();
            let unit = [Days, WorkingDays, Months, Years][unit];
            let count = if unit == Years { 1 } else { count };
            let at = |days| datetime!(2025-01-02 09:00 +7) + Duration::days(days);
            let end = |days| term(count, unit).end(at(days), book.calendar());
            if let (Ok(one), Ok(other)) = (end(first), end(first + later)) {
                proptest::prop_assert!(one.earliest <= other.earliest && one.latest <= other.latest);
                proptest::prop_assert!(one.earliest <= one.latest);
            }
        }
    }

    #[test]
    fn an_unsettled_calendar_gives_both_ends_and_an_unknown_one_none() {
        let book = super::super::book().unwrap();
        let calendar = book.calendar();
        let ten = term(10, DeadlineUnit::Days);
        // Monday 8 to Thursday 11 February 2027 may be off.
        let end = ten.end(datetime!(2027-01-29 09:00 +7), calendar).unwrap();
        assert_eq!(end.earliest, datetime!(2027-02-08 23:59:59 +7));
        assert_eq!(end.latest, datetime!(2027-02-12 23:59:59 +7));
        let unknown = ten.end(datetime!(2027-12-28 09:00 +7), calendar);
        assert!(matches!(unknown, Err(LawError::UnknownYear { year: 2028, .. })), "{unknown:?}");
    }
}
