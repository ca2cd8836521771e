//! When something holds: hours of the day and days of the week, in Vietnam's time.

use serde::{Deserialize, Serialize};
use settings::{Node, Reader, Value};
use time::macros::offset;
use time::{Duration, OffsetDateTime, UtcOffset};

/// Vietnam's time, whatever offset a clock is written in.
const LOCAL: UtcOffset = offset!(+7);
/// This close to a change of hours nobody is held to it: watches and signs differ.
const GUARD: Duration = Duration::minutes(2);
const DAY: u16 = 24 * 60;
/// Words for the days in site files, from Monday.
const DAYS: [(&str, u8); 7] =
    [("mon", 0), ("tue", 1), ("wed", 2), ("thu", 3), ("fri", 4), ("sat", 5), ("sun", 6)];

/// Hours and days in which something holds; without any it always does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// From and until, minutes of the day; over midnight where the second is smaller.
    spans: Vec<[u16; 2]>,
    /// From Monday, 0; a span over midnight belongs to the day on which it began.
    days: Vec<u8>,
}

impl Hours {
    pub fn read(table: &Reader<'_>) -> Self {
        let span = |node| {
            let span = parse(node);
            if span.is_none() {
                table.reject("hours", "must be spans of the day such as [\"06:00-09:00\"]");
            }
            span
        };
        if matches!(table.take("hours").map(|node| &node.value), Some(Value::Array(all)) if all.is_empty())
        {
            table.reject("hours", "is empty: leave it out where it holds always");
        }
        Self {
            spans: table.array("hours").iter().filter_map(span).collect(),
            days: table.words("days", &DAYS).unwrap_or_default(),
        }
    }

    pub const fn always(&self) -> bool {
        self.spans.is_empty() && self.days.is_empty()
    }

    /// Whether it held all the time from `from` to `to`, plainly.
    pub fn held(&self, from: OffsetDateTime, to: OffsetDateTime) -> bool {
        let minutes = (to - from).whole_minutes().max(0) + 2 * GUARD.whole_minutes();
        let steps =
            (0..=minutes).map(Duration::minutes).filter_map(|m| (from - GUARD).checked_add(m));
        steps.chain([to + GUARD]).all(|t| self.at(t))
    }

    fn at(&self, t: OffsetDateTime) -> bool {
        let t = t.to_offset(LOCAL);
        let minute = u16::from(t.hour()) * 60 + u16::from(t.minute());
        let today = t.weekday().number_days_from_monday();
        let yesterday = (today + 6) % 7;
        let on = |day: u8| self.days.is_empty() || self.days.contains(&day);
        let within = |&[from, until]: &[u16; 2]| {
            if from < until {
                on(today) && (from..until).contains(&minute)
            } else {
                on(today) && minute >= from || on(yesterday) && minute < until
            }
        };
        if self.spans.is_empty() { on(today) } else { self.spans.iter().any(within) }
    }
}

/// `06:00-09:00`.
fn parse(node: &Node) -> Option<[u16; 2]> {
    let Value::Text(text) = &node.value else { return None };
    let minute = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let number = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok()).flatten();
        let minutes = number(hour)? * 60 + number(minute).filter(|minute| *minute < 60)?;
        (minutes <= DAY).then_some(minutes)
    };
    let (from, until) = text.split_once('-')?;
    let (from, until) = (minute(from)?, minute(until)?);
    (from != until && from < DAY).then_some([from, until])
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn hours(spans: &[[u16; 2]], days: &[u8]) -> Hours {
        Hours { spans: spans.to_vec(), days: days.to_vec() }
    }

    #[test]
    fn hours_hold_in_local_time_with_a_margin() {
        let morning = hours(&[[360, 540]], &[]);
        let held = |from, to| morning.held(from, to);
        assert!(held(datetime!(2026-11-28 06:02 +7), datetime!(2026-11-28 08:57 +7)));
        assert!(held(datetime!(2026-11-28 00:10 UTC), datetime!(2026-11-28 00:20 UTC)));
        assert!(!held(datetime!(2026-11-28 06:01 +7), datetime!(2026-11-28 06:30 +7)));
        assert!(!held(datetime!(2026-11-28 08:30 +7), datetime!(2026-11-28 08:59 +7)));
        let twice = hours(&[[360, 540], [960, 1200]], &[]);
        assert!(!twice.held(datetime!(2026-11-28 07:00 +7), datetime!(2026-11-28 18:00 +7)));
    }

    #[test]
    fn a_span_over_midnight_belongs_to_the_day_it_began() {
        // 2026-11-28 is a Saturday.
        let night = hours(&[[1320, 360]], &[5]);
        let at = |t| night.held(t, t);
        assert!(at(datetime!(2026-11-28 23:00 +7)));
        assert!(at(datetime!(2026-11-29 05:00 +7)));
        assert!(!at(datetime!(2026-11-28 05:00 +7)));
        assert!(!at(datetime!(2026-11-29 23:00 +7)));
        assert!(
            hours(&[], &[5]).held(datetime!(2026-11-28 12:00 +7), datetime!(2026-11-28 13:00 +7))
        );
        assert!(
            !hours(&[], &[5]).held(datetime!(2026-11-28 23:59 +7), datetime!(2026-11-28 23:59 +7))
        );
    }
}
