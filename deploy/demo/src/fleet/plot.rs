//! Processor and memory of the central over the time, as SVG.

use std::fmt::Write as _;

use super::table::Course;

/// The drawing area of one chart and the room around it, in SVG units.
const SIDE: (f64, f64) = (640.0, 180.0);
const MARGIN: f64 = 60.0;

/// Two charts, one above the other.
pub fn draw(course: &Course) -> String {
    let (width, height) = (SIDE.0 + 2.0 * MARGIN, 2.0 * (SIDE.1 + MARGIN) + MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    let cores: Vec<_> = course.cores().collect();
    let memory: Vec<_> = course.looks.iter().map(|look| (look.at_s, look.memory_mb())).collect();
    chart(&mut svg, MARGIN, "cores that the central takes, database included", &cores);
    chart(&mut svg, 2.0 * MARGIN + SIDE.1, "its resident memory, MB", &memory);
    svg.push_str("</svg>\n");
    svg
}

fn chart(svg: &mut String, top: f64, title: &str, points: &[(f64, f64)]) {
    let most = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).fold(0.0, f64::max);
    let (right, up) = (most(|point| point.0).max(1.0), above(most(|point| point.1)));
    let x = |at: f64| MARGIN + at / right * SIDE.0;
    let y = |value: f64| top + (1.0 - value / up) * SIDE.1;
    let (left, end) = (x(0.0), x(right));
    // Writing to a string cannot fail.
    let _ = writeln!(svg, "<text x=\"{left}\" y=\"{}\">{title}</text>", top - 12.0);
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
    let minutes = (right / 60.0).ceil() as u32;
    let every = minutes.div_ceil(10).max(1);
    for minute in (0..=minutes).step_by(every as usize) {
        let at = f64::from(minute) * 60.0;
        if at <= right {
            let below = top + SIDE.1 + 18.0;
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{below}\" text-anchor=\"middle\">{minute} min</text>",
                x(at)
            );
        }
    }
    let line: Vec<_> =
        points.iter().map(|&(at, value)| format!("{:.1},{:.1}", x(at), y(value))).collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#0a58ca\" stroke-width=\"1.5\"/>",
        line.join(" ")
    );
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
    use super::super::watch::Look;
    use super::*;

    #[test]
    fn every_look_is_drawn_inside() {
        let look = |step: u32| Look {
            at_s: f64::from(step) * 5.0,
            central_cpu_s: f64::from(step * step),
            central_mb: 60.0,
            ..Look::default()
        };
        let svg = draw(&Course::of((0..20).map(look).collect()).unwrap());
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains("1 min") && svg.contains(">80<"), "{svg}");
        assert_eq!([above(0.0), above(0.3), above(61.0)], [0.01, 0.4, 80.0]);
        let low =
            [Look { at_s: 1.0, ..look(0) }, Look { at_s: 2.0, central_cpu_s: 0.2, ..look(0) }];
        let svg = draw(&Course::of(low.into()).unwrap());
        assert!(svg.contains(">0.15<") && svg.contains(">0.05<"), "{svg}");
    }
}
