//! The answer in words, for a terminal.

use std::fmt::{self, Write as _};

use contract::manifest::ClockSource;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::ask::{Answer, Said, Stretch, Vehicle};
use super::record::Word;

const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
const SECOND: &[BorrowedFormatItem<'_>] =
    format_description!("[hour]:[minute]:[second].[subsecond digits:1]");

/// Day and second.
pub fn moment(at: OffsetDateTime) -> String {
    // Plain numbers of a date: formatting them cannot fail.
    at.format(MOMENT).unwrap_or_default()
}

fn second(at: OffsetDateTime) -> String {
    at.format(SECOND).unwrap_or_default()
}

/// What a terminal is shown.
pub fn told(answer: &Answer) -> String {
    let mut text = String::new();
    // Writing into a text cannot fail.
    let _ = write(&mut text, answer);
    text
}

fn write(to: &mut String, answer: &Answer) -> fmt::Result {
    writeln!(
        to,
        "camera {} at {} (+07:00), {} s before and after",
        answer.camera,
        moment(answer.at),
        answer.within_s
    )?;
    writeln!(to, "\nthe camera:")?;
    if answer.states.is_empty() {
        writeln!(to, "  nothing is known of how it was")?;
    }
    for state in &answer.states {
        write_state(to, state)?;
    }
    for lacking in &answer.lacking {
        writeln!(to, "  missing: {lacking}")?;
    }
    match answer.vehicles.len() {
        0 => writeln!(to, "\nno vehicle was followed then")?,
        1 => writeln!(to, "\n1 vehicle:")?,
        count => writeln!(to, "\n{count} vehicles:")?,
    }
    for vehicle in &answer.vehicles {
        write_vehicle(to, vehicle, answer.at)?;
    }
    if answer.left_out > 0 {
        writeln!(to, "\n{} more are not shown: ask for less time", answer.left_out)?;
    }
    Ok(())
}

fn write_state(to: &mut String, Stretch { words, from, to: until, .. }: &Stretch) -> fmt::Result {
    let until = until.map_or_else(|| "now, or what is known".into(), moment);
    writeln!(to, "  {} – {until}  {words}", moment(*from))
}

fn write_vehicle(to: &mut String, vehicle: &Vehicle, at: OffsetDateTime) -> fmt::Result {
    writeln!(
        to,
        "\n  {}, track {}, {} – {}",
        vehicle.class.name(),
        vehicle.track,
        second(vehicle.begin),
        second(vehicle.end)
    )?;
    let point = |[x, y]: [f64; 2]| format!("{x:.2}, {y:.2}");
    let ends = [vehicle.path.first(), vehicle.path.last()].map(|end| end.copied().map(point));
    if let ([Some(from), Some(until)], Some(place)) = (ends, vehicle.place) {
        let then = if vehicle.present {
            format!("at {} then", point(place))
        } else if at < vehicle.begin {
            format!("came {:.1} s later", (vehicle.begin - at).as_seconds_f64())
        } else {
            format!("was gone {:.1} s before", (at - vehicle.end).as_seconds_f64())
        };
        writeln!(to, "    from {from} to {until}; {then}")?;
    }
    writeln!(
        to,
        "    seen {} times, {} % clearly; {}",
        vehicle.seen,
        vehicle.clear_percent,
        clock(vehicle.clock, vehicle.offset_ms)
    )?;
    if vehicle.said.is_empty() {
        writeln!(to, "    no rule said anything of it")?;
    }
    vehicle.said.iter().try_for_each(|said| write_said(to, said))
}

fn write_said(to: &mut String, Said { rule, word, words }: &Said) -> fmt::Result {
    match word {
        Word::Lawful(_) => writeln!(to, "    {rule:<14} lawful     {words}"),
        Word::Doubt(_) => writeln!(to, "    {rule:<14} in doubt   {words}"),
        Word::Accused { act, evidence, .. } => {
            writeln!(to, "    {rule:<14} ACCUSED    {words}; {act}, evidence {evidence}")
        }
    }
}

fn clock(source: ClockSource, offset_ms: Option<i64>) -> String {
    let source = match source {
        ClockSource::Rtcp => "time by the camera's clock",
        ClockSource::Arrival => "time by arrival at the box",
        ClockSource::Recording => "time by the recording's beginning",
        ClockSource::Unknown => return "time not known with certainty: nobody is accused".into(),
    };
    match offset_ms {
        Some(offset) => format!("{source}, {offset} ms from the box's"),
        None => source.into(),
    }
}
