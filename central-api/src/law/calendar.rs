//! Which days are worked: the calendar of the civil service as dated data.

use std::collections::BTreeMap;

use serde::Deserialize;
use time::macros::format_description;
use time::{Date, Weekday};

use super::LawError;

/// What is known of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    Working,
    Off,
    /// The notice of that year may make it either.
    Doubtful,
}

/// The days of `law/calendar.toml`.
#[derive(Debug)]
pub struct Calendar {
    years: Vec<i32>,
    days: BTreeMap<Date, Day>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    years: Vec<i32>,
    source: String,
    day: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    date: String,
    kind: Kind,
    #[serde(default)]
    provisional: bool,
    name: String,
    source: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Off,
    Working,
    Undecided,
}

impl Calendar {
    pub(super) fn read((name, text): (&str, &str)) -> Result<Self, LawError> {
        let file: File = super::book::parse((name, text))?;
        let wrong = |entry: &str, problem: &str| Err(super::book::entry(name, entry, problem));
        if file.source.trim().is_empty() {
            return wrong("source", "is empty: every value names its source");
        }
        let mut days = BTreeMap::new();
        for row in file.day {
            let Ok(date) = Date::parse(&row.date, format_description!("[year]-[month]-[day]"))
            else {
                return wrong(&row.date, "is not a date like 2026-09-02");
            };
            if !file.years.contains(&date.year()) {
                return wrong(&row.date, "lies in a year that `years` does not list");
            }
            if row.name.trim().is_empty() || row.source.trim().is_empty() {
                return wrong(&row.date, "needs a name and a source");
            }
            let day = match row.kind {
                Kind::Working if !is_weekend(date) => {
                    return wrong(&row.date, "is a working day without being listed");
                }
                Kind::Working => Day::Working,
                // A provisional holiday on a weekend is off either way.
                _ if is_weekend(date) => Day::Off,
                Kind::Off if !row.provisional => Day::Off,
                Kind::Off | Kind::Undecided => Day::Doubtful,
            };
            if days.insert(date, day).is_some() {
                return wrong(&row.date, "is listed twice");
            }
        }
        Ok(Self { years: file.years, days })
    }

    /// What `date` is. An error where the calendar does not know its year: days off are announced
    /// year by year.
    pub fn day(&self, date: Date) -> Result<Day, LawError> {
        if !self.years.contains(&date.year()) {
            let known = self.years.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
            return Err(LawError::UnknownYear { year: date.year(), known });
        }
        Ok(match self.days.get(&date) {
            Some(day) => *day,
            None if is_weekend(date) => Day::Off,
            None => Day::Working,
        })
    }

    /// The first year that it knows.
    pub fn first_year(&self) -> i32 {
        self.years.iter().copied().min().unwrap_or_default()
    }

    /// Whether the days off of `year` are announced.
    pub fn knows(&self, year: i32) -> bool {
        self.years.contains(&year)
    }
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn days_are_what_the_notices_say() {
        let book = super::super::book().unwrap();
        let calendar = book.calendar();
        for (date, day) in [
            (date!(2026 - 11 - 23), Day::Working),
            (date!(2026 - 11 - 24), Day::Off),
            (date!(2026 - 11 - 28), Day::Off),
            // 31 August was swapped for Saturday the 22nd.
            (date!(2026 - 08 - 22), Day::Working),
            (date!(2026 - 08 - 31), Day::Off),
            (date!(2026 - 04 - 27), Day::Off),
            (date!(2027 - 02 - 08), Day::Doubtful),
            (date!(2027 - 02 - 06), Day::Off),
            (date!(2027 - 02 - 11), Day::Doubtful),
            (date!(2027 - 09 - 02), Day::Off),
        ] {
            assert_eq!(calendar.day(date), Ok(day), "{date}");
        }
        let unknown = calendar.day(date!(2028 - 01 - 04)).unwrap_err().to_string();
        assert!(unknown.contains("2028") && unknown.contains("2025, 2026, 2027"), "{unknown}");
    }

    #[test]
    fn a_calendar_that_contradicts_itself_is_named() {
        let row = |date: &str, kind: &str| {
            format!("[[day]]\ndate = \"{date}\"\nkind = \"{kind}\"\nname = \"n\"\nsource = \"s\"\n")
        };
        for (rows, problem) in [
            (row("2026-09-32", "off"), "not a date"),
            (row("2025-09-02", "off"), "`years`"),
            (row("2026-09-02", "working"), "without being listed"),
            (row("2026-09-02", "off") + &row("2026-09-02", "off"), "twice"),
            (row("2026-09-02", "off").replace("\"s\"", "\" \""), "source"),
        ] {
            let text = format!("years = [2026]\nsource = \"s\"\n{rows}");
            let error = Calendar::read(("calendar.toml", &text)).unwrap_err().to_string();
            assert!(error.contains(problem) && error.contains("calendar.toml"), "{error}");
        }
    }
}
