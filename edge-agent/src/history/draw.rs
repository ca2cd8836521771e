//! The ways as a drawing over what the site draws, for looking at: an SVG that needs nothing else.

use std::fmt::{self, Write as _};

use serde_json::Value;

use super::ask::{Answer, Vehicle};
use super::record::Word;
use super::tell::moment;
use crate::config::Camera;
use crate::markup::escaped;

/// The drawing's size; the picture's own shape is not known, most are 16 to 9.
const WIDTH: f64 = 1280.0;
const HEIGHT: f64 = 720.0;

/// Colours of ways that nobody accuses, one after another: told apart by their numbers, too.
const COLOURS: [&str; 6] = ["#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#17becf", "#bcbd22"];
const ACCUSED: &str = "#d62728";

/// The answer's ways; over the camera's drawing where it is configured.
pub fn drawn(answer: &Answer, camera: Option<&Camera>) -> String {
    let mut svg = String::new();
    // Writing into a text cannot fail.
    let _ = write(&mut svg, answer, camera);
    svg
}

fn write(to: &mut String, answer: &Answer, camera: Option<&Camera>) -> fmt::Result {
    writeln!(
        to,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-20 -20 {} {}\" \
         font-family=\"sans-serif\" font-size=\"18\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#f4f4f2\" stroke=\"#999\"/>",
        WIDTH + 40.0,
        HEIGHT + 70.0
    )?;
    if let Some(camera) = camera {
        site(to, camera)?;
    }
    for (i, vehicle) in answer.vehicles.iter().enumerate() {
        way(to, vehicle, COLOURS[i % COLOURS.len()])?;
    }
    let title = format!("{} · {} ± {} s", answer.camera, moment(answer.at), answer.within_s);
    let (y, title) = (HEIGHT + 36.0, escaped(&title));
    writeln!(to, "<text x=\"0\" y=\"{y}\" fill=\"#222\">{title}</text>")?;
    to.push_str("</svg>\n");
    Ok(())
}

/// Lines and areas as they are drawn, each once, whatever rules are judged by them.
fn site(to: &mut String, camera: &Camera) -> fmt::Result {
    let shape = |points: &[[f64; 2]], style: &str| {
        format!("<polyline points=\"{}\" fill=\"none\" {style}/>", points_of(points))
    };
    if let Some(junction) = &camera.site.junction {
        let mut approach: Vec<_> = junction.approach.iter().map(wide).collect();
        approach.extend(approach.first().copied());
        writeln!(
            to,
            "<polygon points=\"{}\" fill=\"#e4e8ee\" stroke=\"#8a97a8\"/>",
            points_of(&approach)
        )?;
        for exit in &junction.exits {
            let line = exit.line.each_ref().map(wide);
            writeln!(to, "{}", shape(&line, "stroke=\"#5b8c5a\" stroke-width=\"3\""))?;
            label(to, line[0], exit.movement.name(), "#3d6b3c")?;
        }
        let line = junction.stop_line.each_ref().map(wide);
        writeln!(to, "{}", shape(&line, "stroke=\"#222\" stroke-width=\"5\""))?;
    }
    for rule in &camera.site.rules {
        shapes(to, &rule.settings(), rule.act().name())?;
    }
    for lamp in &camera.lamps {
        let [x, y, w, h] = lamp.region.map(f64::from);
        writeln!(
            to,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"none\" \
             stroke=\"#b8860b\" stroke-width=\"2\"/>",
            x * WIDTH,
            y * HEIGHT,
            w * WIDTH,
            h * HEIGHT
        )?;
        label(to, [x, y], &lamp.name, "#7a5a08")?;
    }
    Ok(())
}

/// Every list of points in a rule's settings, with the name that stands beside it.
fn shapes(to: &mut String, settings: &Value, name: &str) -> fmt::Result {
    match settings {
        Value::Array(items) => match points(items) {
            Some(points) => {
                let style = "stroke=\"#a0522d\" stroke-width=\"2\" stroke-dasharray=\"8 5\"";
                writeln!(
                    to,
                    "<polyline points=\"{}\" fill=\"none\" {style}/>",
                    points_of(&points)
                )?;
                label(to, points[0], name, "#7b3f20")
            }
            None => items.iter().try_for_each(|item| shapes(to, item, name)),
        },
        Value::Object(fields) => {
            let name = fields.get("name").and_then(Value::as_str).unwrap_or(name);
            fields.values().try_for_each(|field| shapes(to, field, name))
        }
        _ => Ok(()),
    }
}

/// Two or more points of the picture.
fn points(items: &[Value]) -> Option<Vec<[f64; 2]>> {
    let point = |item: &Value| {
        let [x, y] = item.as_array()?.as_slice() else { return None };
        let point = [x.as_f64()?, y.as_f64()?];
        point.iter().all(|side| (0.0..=1.0).contains(side)).then_some(point)
    };
    let points: Option<Vec<_>> = items.iter().map(point).collect();
    points.filter(|points| points.len() >= 2)
}

fn way(to: &mut String, vehicle: &Vehicle, colour: &str) -> fmt::Result {
    let accused = vehicle.said.iter().any(|said| matches!(said.word, Word::Accused { .. }));
    let (colour, width) = if accused { (ACCUSED, 5) } else { (colour, 3) };
    writeln!(
        to,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>",
        points_of(&vehicle.path)
    )?;
    let circle = |[x, y]: [f64; 2], radius: f64, fill: &str| {
        format!(
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius}\" fill=\"{fill}\" stroke=\"{colour}\" \
             stroke-width=\"3\"/>",
            x * WIDTH,
            y * HEIGHT
        )
    };
    if let Some(begin) = vehicle.path.first() {
        writeln!(to, "{}", circle(*begin, 5.0, "#fff"))?;
    }
    if let Some(place) = vehicle.place {
        // Who was not there just then has a small mark where he was nearest to it, and only a number.
        let kind = match (accused, vehicle.present) {
            (true, _) => format!("{} {} ACCUSED", vehicle.track, vehicle.class.name()),
            (false, true) => format!("{} {}", vehicle.track, vehicle.class.name()),
            (false, false) => vehicle.track.to_string(),
        };
        let radius = if vehicle.present { 9.0 } else { 4.0 };
        writeln!(to, "{}", circle(place, radius, colour))?;
        label(to, place, &kind, colour)?;
    }
    Ok(())
}

fn label(to: &mut String, [x, y]: [f64; 2], text: &str, colour: &str) -> fmt::Result {
    // Towards the middle, so as not to leave the drawing.
    let (anchor, aside) = if x > 0.75 { ("end", -14.0) } else { ("start", 14.0) };
    let (x, y, text) = (x * WIDTH + aside, (y * HEIGHT - 8.0).max(16.0), escaped(text));
    writeln!(
        to,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{colour}\" text-anchor=\"{anchor}\">{text}</text>"
    )
}

fn points_of(points: &[[f64; 2]]) -> String {
    let each = points.iter().map(|[x, y]| format!("{:.1},{:.1}", x * WIDTH, y * HEIGHT));
    each.collect::<Vec<_>>().join(" ")
}

fn wide([x, y]: &[f32; 2]) -> [f64; 2] {
    [f64::from(*x), f64::from(*y)]
}
