//! `edge-agent why`: what was seen at a moment, and why nobody was accused.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::ask::{Question, ask};
use super::{draw, tell};
use crate::config::Agent;
use crate::evidence::caption::VIETNAM;

/// A time as people of the country write it, with T or a blank.
const LOCAL_TIMES: [&[BorrowedFormatItem<'_>]; 2] = [
    format_description!(
        "[year]-[month]-[day]T[hour]:[minute][optional [:[second][optional [.[subsecond]]]]]"
    ),
    format_description!(
        "[year]-[month]-[day] [hour]:[minute][optional [:[second][optional [.[subsecond]]]]]"
    ),
];

/// What is asked.
#[derive(Debug, Args)]
pub struct Why {
    /// Camera, by its id.
    #[arg(long, value_name = "ID")]
    camera: String,
    /// The moment, e.g. 2026-11-28T08:15:30: Vietnam's time unless an offset is given.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: OffsetDateTime,
    /// So long before and after it, e.g. 10s or 2m.
    #[arg(long, value_name = "TIME", value_parser = parse_span, default_value = "10s")]
    within: Duration,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Draw the ways over the site's drawing into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// A copied folder, instead of the configuration's.
    #[arg(long, value_name = "DIR")]
    history: Option<PathBuf>,
}

impl Why {
    /// Answers on standard output.
    pub fn run(&self, agent: &Agent) -> anyhow::Result<()> {
        let dir: &Path = self.history.as_deref().unwrap_or(&agent.history.dir);
        let question = Question { camera: &self.camera, at: self.at, within: self.within };
        let answer = ask(dir, &question)?;
        let mut out = std::io::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, &answer)?;
            writeln!(out)?;
        } else {
            out.write_all(tell::told(&answer).as_bytes())?;
        }
        if let Some(path) = &self.svg {
            let camera = agent.cameras.iter().find(|camera| camera.id == self.camera);
            let svg = draw::drawn(&answer, camera.map(AsRef::as_ref));
            std::fs::write(path, svg).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

fn parse_time(text: &str) -> Result<OffsetDateTime, String> {
    let local = || {
        let mut forms = LOCAL_TIMES.iter();
        let time = forms.find_map(|form| PrimitiveDateTime::parse(text, form).ok());
        time.map(|time| time.assume_offset(VIETNAM))
    };
    let time = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(local);
    time.filter(|time| (1970..2200).contains(&time.year()))
        .ok_or_else(|| "expected a time such as 2026-11-28T08:15:30".into())
}

fn parse_span(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => 0,
    };
    let span = digits.parse::<u32>().ok().map(|count| u64::from(count) * unit);
    span.filter(|span| (1..=24 * 3600).contains(span))
        .map(Duration::from_secs)
        .ok_or_else(|| "expected a time such as 10s or 2m, a day at most".into())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_are_the_countrys_unless_they_say_otherwise() {
        let wanted = datetime!(2026-11-28 08:15:30 +07:00);
        for text in ["2026-11-28T08:15:30", "2026-11-28 08:15:30", "2026-11-28T01:15:30Z"] {
            assert_eq!(parse_time(text).unwrap(), wanted, "{text}");
        }
        assert_eq!(parse_time("2026-11-28T08:15").unwrap(), datetime!(2026-11-28 08:15 +07:00));
        assert_eq!(parse_time("2026-11-28T08:15:30.5").unwrap().millisecond(), 500);
        for text in ["", "08:15", "2026-13-28T08:15:30", "2026-11-28T25:00"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_have_units() {
        for (text, seconds) in [("10s", 10), ("10", 10), ("2m", 120), ("1h", 3600)] {
            assert_eq!(parse_span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "-1s", "10 s", "9d", "25h", "0", "4294967296"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
