//! The two charts of a reader's confidence, as SVG.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::calibration::Calibration;

/// The drawing area and the room around it, in SVG units.
const SIDE: (f64, f64) = (560.0, 400.0);
const MARGIN: f64 = 70.0;

/// How often readings of a confidence are right; the diagonal is what confidence promises.
pub fn reliability(calibration: &Calibration, path: &Path) -> Result<()> {
    let mut chart = Chart::new("Confidence and truth", "confidence", "share right", 1.0);
    chart.line(&[(0.0, 0.0), (1.0, 1.0)], "#999", true);
    let bins = &calibration.reliability;
    let points: Vec<_> = bins.iter().map(|b| (b.mean_confidence, b.share_right)).collect();
    chart.line(&points, "#0a58ca", false);
    for (bin, at) in bins.iter().zip(&points) {
        chart.mark(*at, "#0a58ca", &bin.readings.to_string());
    }
    chart.write(path)
}

/// What is accepted and wrong as the threshold moves; the shipped one is marked.
pub fn coverage(calibration: &Calibration, path: &Path) -> Result<()> {
    let curve: Vec<_> = calibration
        .coverage
        .iter()
        .filter(|point| point.accepted > 0.0)
        .map(|point| (point.accepted, point.wrong))
        .collect();
    let most = curve.iter().map(|(_, wrong)| *wrong).fold(0.0, f64::max);
    let top = (most * 100.0).ceil().max(1.0) / 100.0;
    let (across, up) =
        ("share of the plates read that is accepted", "share of the accepted that is wrong");
    let mut chart = Chart::new("Accepted and wrong", across, up, top);
    chart.line(&curve, "#0a58ca", false);
    let shipped = &calibration.shipped;
    let label = format!("threshold {}", shipped.threshold);
    chart.mark((shipped.accepted, shipped.wrong), "#c0392b", &label);
    chart.write(path)
}

/// One chart; x runs from 0 to 1, y from 0 to `top`.
struct Chart {
    top: f64,
    svg: String,
}

impl Chart {
    fn new(title: &str, across: &str, up: &str, top: f64) -> Self {
        let (w, h) = (SIDE.0 + 2.0 * MARGIN, SIDE.1 + 2.0 * MARGIN);
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" font-family=\"sans-serif\" font-size=\"14\">\n\
             <rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\n\
             <text x=\"{}\" y=\"30\" text-anchor=\"middle\" font-size=\"18\">{title}</text>\n\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{across}</text>\n\
             <text transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">{up}</text>\n",
            w / 2.0,
            w / 2.0,
            h - 20.0,
            h / 2.0,
        );
        let mut chart = Self { top, svg };
        for step in 0..=5 {
            let share = f64::from(step) / 5.0;
            let (x, y) = (share, share * top);
            chart.line(&[(x, 0.0), (x, top)], "#ddd", false);
            chart.line(&[(0.0, y), (1.0, y)], "#ddd", false);
            let (at, below) = chart.place((x, 0.0));
            chart.text(at, below + 20.0, "middle", &format!("{x:.1}"));
            let (left, at) = chart.place((0.0, y));
            chart.text(left - 8.0, at + 5.0, "end", &format!("{y:.3}"));
        }
        chart
    }

    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (MARGIN + x * SIDE.0, MARGIN + (1.0 - y / self.top) * SIDE.1)
    }

    fn line(&mut self, points: &[(f64, f64)], colour: &str, dashed: bool) {
        let at: Vec<String> = points
            .iter()
            .map(|point| self.place(*point))
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let dash = if dashed { " stroke-dasharray=\"6 4\"" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(
            self.svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"{dash}/>",
            at.join(" ")
        );
    }

    fn mark(&mut self, point: (f64, f64), colour: &str, label: &str) {
        let (x, y) = self.place(point);
        let _ =
            writeln!(self.svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{colour}\"/>");
        self.text(x, y - 10.0, "middle", label);
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let _ = writeln!(
            self.svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
        );
    }

    fn write(mut self, path: &Path) -> Result<()> {
        self.svg.push_str("</svg>\n");
        fs::write(path, self.svg).with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::Judged;

    #[test]
    fn the_shipped_threshold_is_marked_where_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let judged = |confidence: f32, right: bool| Judged { confidence: Some(confidence), right };
        let readings = [judged(0.99, true), judged(0.95, false), judged(0.5, false)];
        let calibration = Calibration::new(&readings, 0.9);
        for (draw, name) in [
            (reliability as fn(&Calibration, &Path) -> Result<()>, "reliability.svg"),
            (coverage, "coverage.svg"),
        ] {
            let path = folder.path().join(name);
            draw(&calibration, &path).unwrap();
            let svg = fs::read_to_string(path).unwrap();
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            if name == "coverage.svg" {
                // Two of three accepted, half of them wrong; the axis ends at two thirds.
                assert!(svg.contains("threshold 0.9") && svg.contains("cx=\"443.3\""), "{svg}");
            }
        }
    }
}
