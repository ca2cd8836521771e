//! Memory over time as a drawing: the agent's resident memory, its starts, and below it a lane for
//! everybody to whom something happened.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use super::report::Report;

const WIDTH: f64 = 1100.0;
const HEIGHT: f64 = 320.0;
const LANE: f64 = 22.0;
const LEFT: f64 = 90.0;

pub fn drawn(report: &Report) -> String {
    let mut svg = String::new();
    // Writing into a text cannot fail.
    let _ = write(&mut svg, report);
    svg
}

fn write(to: &mut String, report: &Report) -> fmt::Result {
    let whole = report.samples.iter().map(|sample| sample.at_s).fold(report.seconds, f64::max);
    let most = report.samples.iter().map(|sample| sample.memory_mb).fold(100.0, f64::max);
    // A round number of hundreds above it.
    let top = (most / 100.0).ceil() * 100.0;
    let x = |at_s: f64| LEFT + at_s / whole.max(1.0) * WIDTH;
    let y = |mb: f64| 50.0 + HEIGHT * (1.0 - mb / top);
    let lanes: BTreeSet<&str> = report.happened.iter().map(|one| one.to.as_str()).collect();
    let (width, height) = (LEFT + WIDTH + 30.0, HEIGHT + 100.0 + LANE * lanes.len() as f64);
    writeln!(
        to,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"28\" font-size=\"17\">Agent's resident memory, MB; below, what went \
         wrong (light: until all was well again)</text>"
    )?;
    for step in 0..=5 {
        let share = f64::from(step) / 5.0;
        let (mb, minutes) = (share * top, share * whole / 60.0);
        writeln!(
            to,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{1:.1}\" y2=\"{1:.1}\" stroke=\"#ddd\"/>\n\
             <text x=\"{2}\" y=\"{1:.1}\" text-anchor=\"end\" dy=\"4\">{mb:.0}</text>\n\
             <text x=\"{3:.1}\" y=\"{4}\" text-anchor=\"middle\">{minutes:.1} min</text>",
            LEFT + WIDTH,
            y(mb),
            LEFT - 8.0,
            x(share * whole),
            HEIGHT + 70.0
        )?;
    }
    // A line a life: between two, there was no agent.
    for life in report.samples.chunk_by(|a, b| a.life == b.life) {
        let points = life.iter().map(|it| format!("{:.1},{:.1}", x(it.at_s), y(it.memory_mb)));
        let points = points.collect::<Vec<_>>().join(" ");
        writeln!(
            to,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"#0a58ca\" stroke-width=\"2\"/>"
        )?;
    }
    for (lane, name) in lanes.iter().enumerate() {
        let at = HEIGHT + 88.0 + LANE * lane as f64;
        writeln!(
            to,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>",
            LEFT - 8.0,
            at + 12.0
        )?;
        for one in report.happened.iter().filter(|one| one.to == *name) {
            let well = one.until_s + one.recovered_s.unwrap_or(0.0);
            for (from, until, colour) in
                [(one.from_s, one.until_s, "#d62728"), (one.until_s, well, "#f4b6b6")]
            {
                writeln!(
                    to,
                    "<rect x=\"{:.1}\" y=\"{at}\" width=\"{:.1}\" height=\"{}\" fill=\"{colour}\">\
                     <title>{}</title></rect>",
                    x(from),
                    (x(until) - x(from)).max(1.5),
                    LANE - 6.0,
                    one.kind
                )?;
            }
        }
    }
    to.push_str("</svg>\n");
    Ok(())
}
