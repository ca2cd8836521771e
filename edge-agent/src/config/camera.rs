//! One camera's table: who it is, and the geometry drawn for it.

use std::sync::Arc;

use contract::manifest::Verification;
use contract::{Movement, Rule};

use super::document::{Node, Value};
use super::model::{Camera, ClockPolicy, Exit, Lamp, LampLayout, Light, Point};
use super::reader::Reader;
use crate::source::Address;

const MOVEMENTS: [(&str, Movement); 3] =
    [("straight", Movement::Straight), ("left", Movement::Left), ("right", Movement::Right)];
const LIGHTS: [(&str, Light); 3] =
    [("red", Light::Red), ("amber", Light::Amber), ("green", Light::Green)];
const RULES: [(&str, Rule); 2] = [("red_light", Rule::RedLight), ("stop_line", Rule::StopLine)];

/// Every `[[camera]]`.
pub fn all(root: &Reader<'_>) -> Vec<Arc<Camera>> {
    root.tables("camera").into_iter().map(|table| Arc::new(one(table))).collect()
}

fn one(table: Reader<'_>) -> Camera {
    let camera = Camera {
        id: id(&table),
        uri: uri(&table),
        credentials: table.path("credentials"),
        place: table.text("place", "Ngã tư Phố Huế – Trần Khát Chân"),
        direction: table.text("direction", "Bắc → Nam"),
        plan: table.text("plan", "KH-12/2026"),
        km: table.opt_text("km"),
        gps: gps(&table),
        lane: table.opt_text("lane"),
        verification: verification(&table),
        analysed_fps: table.number("analysed_fps", 10.0, (2.0, 60.0), "frames a second") as f32,
        clock: table.choice(
            "clock",
            ClockPolicy::RtcpOrArrival,
            &[
                ("rtcp-or-arrival", ClockPolicy::RtcpOrArrival),
                ("rtcp", ClockPolicy::Rtcp),
                ("arrival", ClockPolicy::Arrival),
            ],
        ),
        rules: table.words("rules", &RULES).unwrap_or_else(|| Rule::ALL.to_vec()),
        stop_line: line(&table, "stop_line"),
        approach: approach(&table),
        exits: exits(&table),
        detect: table.has("detect").then(|| rectangle(&table, "detect")),
        closer: table.has("closer").then(|| rectangle(&table, "closer")),
        mask: mask(&table),
        lamps: lamps(&table),
        right_on_red: table.boolean("right_on_red", false),
        red_grace_ms: table.integer("red_grace_ms", 300, (0, 5000), "milliseconds"),
        stop_seconds: table.number("stop_seconds", 3.0, (1.0, 120.0), "seconds") as f32,
        stop_depth: table.number("stop_depth", 0.25, (0.05, 2.0), "vehicle heights") as f32,
    };
    check(&table, &camera);
    table.finish();
    camera
}

fn id(table: &Reader<'_>) -> String {
    let id = table.text("id", "cam-01");
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if !id.is_empty() && (id.len() > 64 || !id.bytes().all(plain)) {
        table.reject("id", "must be 1 to 64 of letters, digits, '.', '_', '-'");
    }
    id
}

fn uri(table: &Reader<'_>) -> Option<String> {
    let uri = table.opt_text("uri")?;
    if uri.starts_with("file:") {
        // Its time would be now, whatever it shows.
        table.reject(
            "uri",
            "names a recording, must be a camera: rtsp://HOST/PATH or rtsps://HOST/PATH; a \
             recording is judged by `edge-agent replay --input FILE`",
        );
    } else if let Err(problem) = Address::parse(&uri) {
        // Never quoted: it may hold a password.
        table.reject("uri", problem.to_string());
    }
    Some(uri)
}

fn gps(table: &Reader<'_>) -> Option<[f64; 2]> {
    table.has("gps").then_some(())?;
    let numbers = numbers::<2>(table, table.take("gps")?, "gps", "[latitude, longitude]")?;
    let [lat, lon] = numbers;
    if !((-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon)) {
        table.reject("gps", "is not [latitude, longitude] in degrees, e.g. [21.0285, 105.8542]");
    }
    Some(numbers)
}

fn verification(table: &Reader<'_>) -> Option<Verification> {
    let section = table.section("verification")?;
    let certificate = section.text("certificate", "KD-2026-001");
    let valid_to = match section.take("valid_to").map(|node| &node.value) {
        Some(Value::Date(text) | Value::Text(text)) => {
            let form = time::macros::format_description!("[year]-[month]-[day]");
            time::Date::parse(text, form).ok()
        }
        _ => None,
    };
    if valid_to.is_none() {
        section.reject("valid_to", "must be the last valid day, e.g. valid_to = 2027-06-30");
    }
    section.finish();
    Some(Verification { certificate, valid_to: valid_to? })
}

fn lamps(table: &Reader<'_>) -> Vec<Lamp> {
    let mut lamps: Vec<Lamp> = Vec::new();
    for lamp in table.tables("lamp") {
        let parsed = Lamp {
            name: lamp.text("name", "main"),
            region: rectangle(&lamp, "region"),
            layout: lamp.choice(
                "layout",
                LampLayout::Vertical,
                &[("vertical", LampLayout::Vertical), ("horizontal", LampLayout::Horizontal)],
            ),
            lights: lamp
                .words("lights", &LIGHTS)
                .unwrap_or_else(|| vec![Light::Red, Light::Amber, Light::Green]),
            controls: lamp.words("controls", &MOVEMENTS).unwrap_or_else(|| {
                if !lamp.has("controls") {
                    lamp.reject(
                        "controls",
                        "is missing: the movements this lamp governs, e.g. [\"straight\", \"left\"]",
                    );
                }
                Vec::new()
            }),
        };
        if parsed.lights.is_empty() {
            lamp.reject("lights", "is empty: name the lights from the top down");
        }
        if lamps.iter().any(|other| other.name == parsed.name) {
            lamp.reject("name", format!("repeats {:?}: every lamp needs its own", parsed.name));
        }
        lamp.finish();
        lamps.push(parsed);
    }
    lamps
}

fn exits(table: &Reader<'_>) -> Vec<Exit> {
    let mut exits = Vec::new();
    for exit in table.tables("exits") {
        let movement = exit.text("movement", "straight");
        let line = line(&exit, "line");
        if let Some(movement) = exit.word("movement", &movement, &MOVEMENTS) {
            exits.push(Exit { movement, line });
        }
        exit.finish();
    }
    if exits.is_empty() {
        table.reject(
            "exits",
            "is missing: draw at least one, e.g. \
             exits = [{ movement = \"straight\", line = [[0.3, 0.2], [0.7, 0.2]] }]",
        );
    }
    exits
}

fn mask(table: &Reader<'_>) -> Vec<Vec<Point>> {
    table.array("mask").iter().filter_map(|node| polygon(table, node, "mask")).collect()
}

fn approach(table: &Reader<'_>) -> Vec<Point> {
    match table.take("approach") {
        Some(node) => polygon(table, node, "approach").unwrap_or_default(),
        None => {
            table.reject(
                "approach",
                "is missing: the road before the line, e.g. [[0.1, 1.0], [0.1, 0.6], [0.9, 0.6], [0.9, 1.0]]",
            );
            Vec::new()
        }
    }
}

fn numbers<const N: usize>(
    table: &Reader<'_>,
    node: &Node,
    key: &str,
    form: &str,
) -> Option<[f64; N]> {
    let number = |node: &Node| match node.value {
        Value::Float(n) => Some(n),
        Value::Integer(n) => Some(n as f64),
        _ => None,
    };
    let found = match &node.value {
        Value::Array(items) => items.iter().map(number).collect::<Option<Vec<f64>>>(),
        _ => None,
    };
    match found.map(<[f64; N]>::try_from) {
        Some(Ok(numbers)) if numbers.iter().all(|n| n.is_finite()) => Some(numbers),
        _ => {
            table.complain(Some(node.place.clone()), table.name(key), format!("must be {form}"));
            None
        }
    }
}

fn point(table: &Reader<'_>, node: &Node, key: &str) -> Option<Point> {
    let [x, y] = numbers::<2>(table, node, key, "made of points [x, y]")?;
    if !((0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y)) {
        table.complain(
            Some(node.place.clone()),
            table.name(key),
            format!("leaves the frame at [{x}, {y}]: coordinates are 0 to 1 of width and height"),
        );
    }
    Some([x as f32, y as f32])
}

fn line(table: &Reader<'_>, key: &'static str) -> [Point; 2] {
    const NOWHERE: [Point; 2] = [[0.0, 0.0], [1.0, 0.0]];
    let Some(node) = table.take(key) else {
        table.reject(key, "is missing: two points, e.g. [[0.1, 0.6], [0.9, 0.6]]");
        return NOWHERE;
    };
    let ends = match &node.value {
        Value::Array(items) if items.len() == 2 => {
            items.iter().map(|item| point(table, item, key)).collect::<Option<Vec<Point>>>()
        }
        _ => {
            table.reject(key, "must be two points, e.g. [[0.1, 0.6], [0.9, 0.6]]");
            None
        }
    };
    let Some([a, b]) = ends.and_then(|ends| <[Point; 2]>::try_from(ends).ok()) else {
        return NOWHERE;
    };
    if (a[0] - b[0]).hypot(a[1] - b[1]) < 0.01 {
        table.reject(key, "has both ends at the same place: draw it across the road");
        return NOWHERE;
    }
    [a, b]
}

fn polygon(table: &Reader<'_>, node: &Node, key: &str) -> Option<Vec<Point>> {
    let form = || {
        table.complain(
            Some(node.place.clone()),
            table.name(key),
            "must be a polygon of at least three points [x, y]",
        );
    };
    let Value::Array(items) = &node.value else {
        form();
        return None;
    };
    if items.len() < 3 {
        form();
        return None;
    }
    let points: Vec<Point> = items.iter().map(|p| point(table, p, key)).collect::<Option<_>>()?;
    if crate::see::road::area(&points) < 1e-4 {
        table.complain(Some(node.place.clone()), table.name(key), "encloses no area");
        return None;
    }
    Some(points)
}

fn rectangle(table: &Reader<'_>, key: &'static str) -> [f32; 4] {
    const WHOLE: [f32; 4] = [0.0, 0.0, 1.0, 1.0];
    let Some(node) = table.take(key) else {
        table.reject(key, "is missing: [x, y, width, height] in 0 to 1 of the frame");
        return WHOLE;
    };
    let form = "[x, y, width, height] in 0 to 1 of the frame";
    let Some([x, y, w, h]) = numbers::<4>(table, node, key, form) else { return WHOLE };
    if w <= 0.0 || h <= 0.0 {
        table.reject(key, format!("has zero size ({w} × {h}): draw it around what it shows"));
    } else if x < 0.0 || y < 0.0 || x + w > 1.0001 || y + h > 1.0001 {
        table.reject(key, format!("leaves the frame: must be {form}"));
    }
    [x, y, w, h].map(|n| n as f32)
}

/// Closer must be worth its cost, a second look at every picture.
fn check_closer(table: &Reader<'_>, [x, y, w, h]: [f32; 4], [dx, dy, dw, dh]: [f32; 4]) {
    const MOST: f32 = 0.8;
    let inside =
        x >= dx - 1e-4 && y >= dy - 1e-4 && x + w <= dx + dw + 1e-4 && y + h <= dy + dh + 1e-4;
    if !inside {
        table.reject("closer", "leaves the part analysed (detect): it must lie inside it");
    } else if w > MOST * dw || h > MOST * dh {
        table.reject(
            "closer",
            "takes in more than 0.8 of the width or height analysed: little would be seen better, \
             draw it around where vehicles are far and many, or leave it out",
        );
    }
}

/// What only the whole camera tells.
fn check(table: &Reader<'_>, camera: &Camera) {
    if camera.lamps.is_empty() && !camera.rules.is_empty() {
        table.reject("lamp", "is missing: both rules need a lamp, add [[camera.lamp]]");
    }
    let red = camera.lamps.iter().any(|lamp| lamp.lights.contains(&Light::Red));
    if !camera.lamps.is_empty() && !red {
        table.reject("lamp", "has no red light in any lamp: nothing could ever be judged");
    }
    if let Some(closer) = camera.closer {
        check_closer(table, closer, camera.detect.unwrap_or([0.0, 0.0, 1.0, 1.0]));
    }
    if camera.approach.len() >= 3 {
        let side = crate::see::road::approach_side(camera.stop_line, &camera.approach);
        if side.is_none() {
            table.reject(
                "approach",
                "lies evenly on both sides of stop_line: it must lie before the line",
            );
        }
    }
}
