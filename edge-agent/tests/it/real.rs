//! Lamps and views of real junctions, where the clips are at hand; they are not part of the project.

use std::path::PathBuf;
use std::time::Duration;

use edge_agent::config::{Lamp, LampLayout};
use edge_agent::pace::Pace;
use edge_agent::see::lamp::read;
use edge_agent::see::scenery::{Fault, Scenery, Strange};
use edge_agent::source::{Dating, Input, Next, Settings, Source};
use judge::lamp::{History, Light, Reading};
use plate_model::{Frame, Layout, PixelFormat};
use time::OffsetDateTime;

fn clip(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/video").join(name);
    if !path.is_file() {
        println!("skipped: {name} is not here");
        return None;
    }
    Some(path)
}

fn recording(name: &str) -> Option<Source> {
    let settings = Settings {
        camera: "test".into(),
        input: Input::File { path: clip(name)? },
        larger: None,
        dating: Dating::Recording { start: OffsetDateTime::UNIX_EPOCH },
        pace: Pace::fixed(10.0),
        keep: 1,
        keep_bytes: 1,
    };
    Some(Source::open(&settings, 0).unwrap())
}

/// Reads a lamp in every analysed picture of a clip.
fn watch(
    name: &str,
    region: [f32; 4],
    lights: &[Light],
) -> Option<(Vec<u64>, Vec<Reading>, History)> {
    let mut source = recording(name)?;
    let lamp = Lamp {
        name: "lamp".into(),
        region,
        layout: LampLayout::Vertical,
        lights: lights.to_vec(),
        arrows: false,
        controls: Vec::new(),
        wired: None,
    };
    let (mut times, mut readings, mut history) = (Vec::new(), Vec::new(), History::default());
    while let Next::Picture(picture) = source.next(Duration::from_secs(10)).unwrap() {
        let reading = read(&picture.frame.planes(), &lamp);
        history.push(picture.t, reading);
        times.push(picture.t);
        readings.push(reading);
    }
    Some((times, readings, history))
}

const HEAD: &[Light] = &[Light::Red, Light::Amber, Light::Green];

/// Stream time of the change in the first clip.
const CHANGE: u64 = 24_600_000_000;

#[test]
fn an_orange_red_and_then_green() {
    let name = "vn_redlight_motorbikes_1620x720_30s.mp4";
    let Some((times, readings, history)) = watch(name, [0.9543, 0.0326, 0.0185, 0.1125], HEAD)
    else {
        return;
    };
    for (t, reading) in times.iter().zip(&readings) {
        let expected = if *t < CHANGE { Light::Red } else { Light::Green };
        if t.abs_diff(CHANGE) > 300_000_000 && *t > 0 {
            assert_eq!(history.at(*t).map(|s| s.light), Some(expected), "{t}: {reading:?}");
        }
    }
    let (_, _, arrow) = watch(name, [0.9574, 0.1750, 0.0160, 0.0320], &[Light::Green]).unwrap();
    assert_eq!(arrow.at(10_000_000_000).map(|s| s.light), Some(Light::Green));
    assert_eq!(arrow.at(28_000_000_000), None);
}

#[test]
fn lamps_that_flicker_against_the_shutter_stay_red() {
    let name = "vn_haiphong_junction_1006x720_7s.mp4";
    // The disc on the right, and the arrow-shaped red on the left.
    for region in [[0.975, 0.179, 0.020, 0.078], [0.0109, 0.240, 0.0239, 0.0861]] {
        let Some((times, readings, history)) = watch(name, region, HEAD) else { return };
        let dark = readings.iter().filter(|r| **r == Reading::Dark).count();
        println!("{} pictures, {dark} dark", times.len());
        for t in times.iter().skip(3) {
            assert_eq!(history.at(*t).map(|s| s.light), Some(Light::Red), "{t}");
        }
        assert!(!readings.contains(&Reading::Lit(Light::Green)), "{readings:?}");
    }
}

/// By when the view of a clip is learned, and when it changes.
const CHANGED: f64 = 6.0;

/// Shows the clip to a camera's memory of its view, with `change` done to every picture from
/// [`CHANGED`] on; what was told after it.
fn told(name: &str, change: impl Fn(&mut Vec<u8>, [usize; 2])) -> Option<Vec<Strange>> {
    let mut source = recording(name)?;
    let (mut scenery, mut told) = (Scenery::default(), Vec::new());
    while let Next::Picture(picture) = source.next(Duration::from_secs(10)).unwrap() {
        let planes = picture.frame.planes();
        let [width, height] = [planes.width() as usize, planes.height() as usize];
        let mut luma: Vec<u8> =
            (0..height).flat_map(|y| planes.luma().row(y)[..width].iter().copied()).collect();
        let changed = picture.t as f64 / 1e9 >= CHANGED;
        if changed {
            change(&mut luma, [width, height]);
        }
        let layout = Layout::packed(PixelFormat::I420, width as u32, height as u32);
        luma.resize(layout.bytes().unwrap(), 128);
        let frame = Frame::from_vec(layout, luma).unwrap();
        let strange = scenery.look(picture.t, &frame.planes());
        assert!(changed || strange.is_none(), "{name}: before");
        told.extend(strange);
    }
    Some(told)
}

/// Turns the camera by so many pixels; what comes in at the edge repeats what was there.
fn turn(by: [isize; 2]) -> impl Fn(&mut Vec<u8>, [usize; 2]) {
    move |luma, [width, height]| {
        let before = luma.clone();
        for (i, pixel) in luma.iter_mut().enumerate() {
            let x = ((i % width) as isize - by[0]).clamp(0, width as isize - 1) as usize;
            let y = ((i / width) as isize - by[1]).clamp(0, height as isize - 1) as usize;
            *pixel = before[y * width + x];
        }
    }
}

/// Smears every picture over so many pixels.
fn blur(reach: usize) -> impl Fn(&mut Vec<u8>, [usize; 2]) {
    move |luma, [width, _]| {
        for row in luma.chunks_mut(width) {
            let before = row.to_vec();
            for (x, pixel) in row.iter_mut().enumerate() {
                let near = &before[x.saturating_sub(reach)..(x + reach + 1).min(width)];
                let sum: usize = near.iter().map(|p| usize::from(*p)).sum();
                *pixel = (sum / near.len()) as u8;
            }
        }
    }
}

/// Cameras that stand still; the second is seen for hardly longer than it takes to learn its view.
const CLIPS: [&str; 2] =
    ["vn_redlight_motorbikes_1620x720_30s.mp4", "vn_haiphong_junction_1006x720_7s.mp4"];
#[test]
fn a_busy_junction_is_the_same_view_all_the_time() {
    for name in CLIPS {
        let Some(told) = told(name, |_, _| {}) else { return };
        assert_eq!(told, [], "{name}");
    }
}

#[test]
fn a_turned_camera_and_a_blurred_one_are_noticed_in_traffic() {
    for name in CLIPS {
        for by in [[12, 0], [0, -12], [60, -30]] {
            let Some(told) = told(name, turn(by)) else { return };
            assert!(!told.is_empty(), "{name} turned by {by:?}");
            let moved = |told: &Strange| matches!(told.fault, Fault::Moved(_));
            assert!(told.iter().all(moved), "{name} turned by {by:?}");
        }
        let Some(told) = told(name, blur(6)) else { return };
        assert!(told.first().is_some_and(|told| told.fault == Fault::Defocused), "{name}");
    }
}
