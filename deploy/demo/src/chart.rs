//! A chart of one or more lines as SVG, for what benches write beside their tables.

use std::fmt::Write as _;

/// The drawing area of one chart and the room around it, in SVG units.
const SIDE: (f64, f64) = (640.0, 180.0);
const MARGIN: f64 = 60.0;
/// Colours of the lines, told apart also by whoever sees no red or green.
const COLOURS: [&str; 4] = ["#0a58ca", "#d97706", "#666666", "#7c3aed"];

/// One chart: what it shows, where its axis has words, and its lines.
pub struct Chart<'a> {
    pub title: &'a str,
    /// Places along the axis and what stands below them; the last is the right end if no point lies
    /// farther.
    pub ticks: Vec<(f64, String)>,
    /// Each with its name; a chart of one line needs none.
    pub lines: Vec<(&'a str, Vec<(f64, f64)>)>,
}

/// Charts one above the other.
pub fn draw(charts: &[Chart<'_>]) -> String {
    let each = SIDE.1 + MARGIN;
    let (width, height) = (SIDE.0 + 2.0 * MARGIN, each * charts.len() as f64 + MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (n, chart) in charts.iter().enumerate() {
        chart.draw(&mut svg, MARGIN + each * n as f64);
    }
    svg.push_str("</svg>\n");
    svg
}

impl Chart<'_> {
    fn draw(&self, svg: &mut String, top: f64) {
        let points = || self.lines.iter().flat_map(|(_, points)| points);
        let most = |value: fn(&(f64, f64)) -> f64| points().map(value).fold(0.0, f64::max);
        let (right, up) = (most(|point| point.0).max(1.0), above(most(|point| point.1)));
        let x = |at: f64| MARGIN + at / right * SIDE.0;
        let y = |value: f64| top + (1.0 - value / up) * SIDE.1;
        let (left, end) = (x(0.0), x(right));
        // Writing to a string cannot fail.
        let _ = writeln!(svg, "<text x=\"{left}\" y=\"{}\">{}</text>", top - 12.0, self.title);
        for step in 0..=4 {
            let value = round(up * f64::from(step) / 4.0);
            let at = y(value);
            let _ = writeln!(
                svg,
                "<line x1=\"{left}\" x2=\"{end}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\n\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
                left - 6.0,
                at + 4.0
            );
        }
        for (at, word) in self.ticks.iter().filter(|(at, _)| *at <= right) {
            let below = top + SIDE.1 + 18.0;
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{below}\" text-anchor=\"middle\">{word}</text>",
                x(*at)
            );
        }
        for (n, ((name, points), colour)) in
            self.lines.iter().zip(COLOURS.iter().cycle()).enumerate()
        {
            let line: Vec<_> =
                points.iter().map(|&(at, value)| format!("{:.1},{:.1}", x(at), y(value))).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
                line.join(" ")
            );
            if self.lines.len() > 1 {
                let _ = writeln!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"{colour}\">{name}</text>",
                    end,
                    top - 12.0 + 16.0 * n as f64
                );
            }
        }
    }
}

/// A round number not below `value`, of which a quarter is round, too.
fn above(value: f64) -> f64 {
    let decade = 10_f64.powf(value.max(0.01).log10().floor());
    let steps = [1.0, 2.0, 4.0, 8.0, 10.0];
    let step = steps.into_iter().find(|step| step * decade >= value).unwrap_or(10.0);
    round(step * decade)
}

/// Without the dust of binary fractions.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_their_names_and_scales_are_round() {
        let line = |up: f64| (0..9).map(|n| (f64::from(n), f64::from(n) * up)).collect();
        let lines = vec![("ours", line(2.0)), ("bare", line(1.0))];
        let ticks = [0.0, 4.0, 80.0].map(|at| (at, format!("{at} cameras"))).into();
        let svg = draw(&[Chart { title: "cores", ticks, lines }]);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && !svg.contains("NaN"));
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains(">ours<") && svg.contains(">bare<") && svg.contains(">20<"), "{svg}");
        assert!(svg.contains("4 cameras") && !svg.contains("80 cameras"), "{svg}");
        assert_eq!([above(0.0), above(0.3), above(61.0)], [0.01, 0.4, 80.0]);
    }
}
