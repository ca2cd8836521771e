//! One camera's table: who it is, and the geometry drawn for it.

use std::sync::Arc;

use contract::manifest::Verification;
use judge::Site;
use judge::lamp::Light;
use judge::rules::average_speed;
use judge::site::MOVEMENTS;
use settings::shapes::{self, Point, rectangle};
use settings::{Reader, Value};

use super::model::{Camera, ClockPolicy, Lamp, LampLayout};
use super::{Fps, onvif, wired};
use crate::source::Address;

const LIGHTS: [(&str, Light); 3] =
    [("red", Light::Red), ("amber", Light::Amber), ("green", Light::Green)];

/// Every `[[camera]]`.
pub fn all(root: &Reader<'_>) -> Vec<Arc<Camera>> {
    let cameras: Vec<_> =
        root.tables("camera").into_iter().map(|table| Arc::new(one(table))).collect();
    for (camera, table) in cameras.iter().zip(root.tables("camera")) {
        check_beginning(camera, &cameras, &table);
    }
    cameras
}

/// A way from another camera must begin at one that times who passes.
fn check_beginning(camera: &Camera, cameras: &[Arc<Camera>], table: &Reader<'_>) {
    let Some((from, _)) = camera.site.rules.iter().find_map(|rule| rule.begins_at()) else {
        return;
    };
    let Some(section) = table.section(average_speed::SECTION) else { return };
    let timed = |other: &&Arc<Camera>| {
        other.site.rules.iter().any(|rule| rule.act().name() == average_speed::KIND.act)
    };
    match cameras.iter().find(|other| other.id == from) {
        None => section.reject(
            "from",
            format!("is {from:?}, must be the id of another [[camera]] of this agent"),
        ),
        Some(other) if !timed(&other) => section.reject(
            "from",
            format!(
                "is {from:?}, which times nobody: draw [camera.average_speed] with a line there, too"
            ),
        ),
        Some(_) => {}
    }
}

fn one(table: Reader<'_>) -> Camera {
    let onvif = onvif::setting(&table);
    let camera = Camera {
        id: id(&table),
        uri: uri(&table, "uri"),
        substream: substream(&table).or_else(|| onvif.as_ref()?.subprofile.clone()),
        onvif,
        credentials: table.path("credentials"),
        place: table.text("place", "Ngã tư Phố Huế – Trần Khát Chân"),
        direction: table.text("direction", "Bắc → Nam"),
        plan: table.text("plan", "KH-12/2026"),
        km: table.opt_text("km"),
        gps: gps(&table),
        lane: table.opt_text("lane"),
        verification: verification(&table),
        analysed_fps: Fps::read(&table),
        clock: table.choice(
            "clock",
            ClockPolicy::RtcpOrArrival,
            &[
                ("rtcp-or-arrival", ClockPolicy::RtcpOrArrival),
                ("rtcp", ClockPolicy::Rtcp),
                ("arrival", ClockPolicy::Arrival),
            ],
        ),
        site: Site::read(&table),
        detect: part(&table, "detect"),
        closer: part(&table, "closer"),
        mask: mask(&table),
        lamps: lamps(&table),
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

fn substream(table: &Reader<'_>) -> Option<String> {
    let substream = uri(table, "substream")?;
    if !table.has("uri") && !table.has("onvif") {
        table.reject("substream", "stands alone: give the camera's main stream as uri, too");
    }
    Some(substream)
}

fn uri(table: &Reader<'_>, key: &'static str) -> Option<String> {
    let uri = table.opt_text(key)?;
    if uri.starts_with("file:") {
        // Its time would be now, whatever it shows.
        table.reject(
            key,
            "names a recording, must be a camera: rtsp://HOST/PATH or rtsps://HOST/PATH; a \
             recording is judged by `edge-agent replay --input FILE`",
        );
    } else if let Err(problem) = Address::parse(&uri) {
        // Never quoted: it may hold a password.
        table.reject(key, problem.to_string());
    }
    Some(uri)
}

fn part(table: &Reader<'_>, key: &'static str) -> Option<[f32; 4]> {
    table.take(key).map(|_| rectangle(table, key))
}

fn gps(table: &Reader<'_>) -> Option<[f64; 2]> {
    let numbers = shapes::numbers::<2>(table, table.take("gps")?, "gps", "[latitude, longitude]")?;
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
            arrows: lamp.boolean("arrows", false),
            controls: lamp.words("controls", &MOVEMENTS).unwrap_or_else(|| {
                if !lamp.has("controls") {
                    lamp.reject(
                        "controls",
                        "is missing: the movements this lamp governs, e.g. [\"straight\", \"left\"]",
                    );
                }
                Vec::new()
            }),
            wired: wired::read(&lamp, table.has("onvif")),
        };
        if parsed.wired.is_some() && !parsed.lights.contains(&Light::Red) {
            lamp.reject("wired", "tells of a red light, and this lamp has none: leave it out");
        }
        if lamps.iter().any(|other| other.name == parsed.name) {
            lamp.reject("name", format!("repeats {:?}: every lamp needs its own", parsed.name));
        }
        lamp.finish();
        lamps.push(parsed);
    }
    lamps
}

fn mask(table: &Reader<'_>) -> Vec<Vec<Point>> {
    table.array("mask").iter().filter_map(|node| shapes::polygon(table, node, "mask")).collect()
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
    let needs: Vec<_> = camera.site.rules.iter().filter(|rule| rule.needs_lamp()).collect();
    if let Some(rule) = needs.first()
        && camera.lamps.is_empty()
    {
        let problem = format!("is missing: {} needs a lamp, add [[camera.lamp]]", rule.act());
        table.reject("lamp", problem);
    }
    let red = camera.lamps.iter().any(|lamp| lamp.lights.contains(&Light::Red));
    if !needs.is_empty() && !camera.lamps.is_empty() && !red {
        table.reject("lamp", "has no red light in any lamp: nothing could ever be judged");
    }
    let needs = camera.site.rules.iter().map(|rule| (rule.least_fps(), rule.act()));
    if let Some((least, act)) = needs.rev().max_by(|a, b| a.0.total_cmp(&b.0)) {
        camera.analysed_fps.check(table, (least, act.name()));
    }
    if let Some(closer) = camera.closer {
        check_closer(table, closer, camera.detect.unwrap_or([0.0, 0.0, 1.0, 1.0]));
    }
}
