//! Processor and memory of the central over the time, as SVG.

use super::table::Course;
use crate::chart::{self, Chart};

/// Two charts, one above the other.
pub fn draw(course: &Course) -> String {
    let last = course.looks.iter().map(|look| look.at_s).fold(0.0, f64::max);
    let minutes = (last / 60.0).ceil() as u32;
    let every = minutes.div_ceil(10).max(1) as usize;
    let ticks = || {
        (0..=minutes).step_by(every).map(|n| (f64::from(n) * 60.0, format!("{n} min"))).collect()
    };
    let memory = course.looks.iter().map(|look| (look.at_s, look.memory_mb())).collect();
    chart::draw(&[
        Chart {
            title: "cores that the central takes, database included",
            ticks: ticks(),
            lines: vec![("", course.cores().collect())],
        },
        Chart { title: "its resident memory, MB", ticks: ticks(), lines: vec![("", memory)] },
    ])
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
        let low =
            [Look { at_s: 1.0, ..look(0) }, Look { at_s: 2.0, central_cpu_s: 0.2, ..look(0) }];
        let svg = draw(&Course::of(low.into()).unwrap());
        assert!(svg.contains(">0.15<") && svg.contains(">0.05<"), "{svg}");
    }
}
