//! Lamps of real junctions, where the clips are at hand; they are not part of the project.

use std::path::PathBuf;
use std::time::Duration;

use edge_agent::config::{Lamp, LampLayout};
use edge_agent::see::lamp::read;
use edge_agent::source::{Dating, Input, Next, Pipeline, Settings};
use judge::lamp::{History, Light, Reading};
use time::OffsetDateTime;

fn clip(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/video").join(name);
    if !path.is_file() {
        println!("skipped: {name} is not here");
        return None;
    }
    Some(path)
}

/// Reads a lamp in every analysed picture of a clip.
fn watch(
    name: &str,
    region: [f32; 4],
    lights: &[Light],
) -> Option<(Vec<u64>, Vec<Reading>, History)> {
    let settings = Settings {
        camera: "test".into(),
        input: Input::File { path: clip(name)? },
        dating: Dating::Recording { start: OffsetDateTime::UNIX_EPOCH },
        analysed_fps: 10.0,
        keep: 1,
        keep_bytes: 1,
    };
    let lamp = Lamp {
        name: "lamp".into(),
        region,
        layout: LampLayout::Vertical,
        lights: lights.to_vec(),
        arrows: false,
        controls: Vec::new(),
    };
    let mut source = Pipeline::open(&settings, 0).unwrap();
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
