//! Lamps rendered into small frames, with the quirks of real ones.

use plate_model::{Frame, Layout, PixelFormat};

use super::*;
use crate::see::SECOND;

fn head() -> config::Lamp {
    config::Lamp {
        name: "main".into(),
        region: [0.25, 0.1, 0.5, 0.8],
        layout: LampLayout::Vertical,
        lights: vec![Light::Red, Light::Amber, Light::Green],
        controls: vec![Movement::Straight],
    }
}

/// A dark head on a grey street; `discs` are painted as (cell, RGB of the core).
fn frame(discs: &[(usize, [f32; 3])]) -> Frame {
    let (w, h) = (40usize, 100usize);
    let layout = Layout::packed(PixelFormat::I420, w as u32, h as u32);
    let mut rgb = vec![[120.0f32; 3]; w * h];
    for y in 10..90 {
        for x in 10..30 {
            rgb[y * w + x] = [30.0, 32.0, 34.0];
        }
    }
    for &(cell, colour) in discs {
        let (cx, cy) = (20.0, 10.0 + 80.0 * (cell as f32 + 0.5) / 3.0);
        for y in 10..90 {
            for x in 10..30 {
                let d = (x as f32 + 0.5 - cx).hypot(y as f32 + 0.5 - cy);
                if d < 8.0 {
                    rgb[y * w + x] = colour;
                }
            }
        }
    }
    let mut data = vec![0u8; layout.bytes().unwrap()];
    for y in 0..h {
        for x in 0..w {
            let [r, g, b] = rgb[y * w + x];
            data[y * w + x] = (16.0 + 0.183 * r + 0.614 * g + 0.062 * b) as u8;
            let c = (y / 2) * (w / 2) + x / 2;
            data[layout.offsets[1] + c] = (128.0 - 0.101 * r - 0.339 * g + 0.439 * b) as u8;
            data[layout.offsets[2] + c] = (128.0 + 0.439 * r - 0.399 * g - 0.040 * b) as u8;
        }
    }
    Frame::from_vec(layout, data).unwrap()
}

const RED: [f32; 3] = [230.0, 30.0, 20.0];
const ORANGE: [f32; 3] = [255.0, 180.0, 50.0];
const AMBER: [f32; 3] = [250.0, 190.0, 40.0];
const TEAL: [f32; 3] = [60.0, 240.0, 200.0];
const SUNLIT: [f32; 3] = [220.0, 220.0, 220.0];

fn shown(discs: &[(usize, [f32; 3])]) -> Reading {
    read(&frame(discs).planes(), &head())
}

#[test]
fn position_tells_the_light() {
    assert_eq!(shown(&[(0, RED)]), Reading::Lit(Light::Red));
    assert_eq!(shown(&[(0, ORANGE)]), Reading::Lit(Light::Red), "over-exposed red");
    assert_eq!(shown(&[(1, AMBER)]), Reading::Lit(Light::Amber));
    assert_eq!(shown(&[(2, TEAL)]), Reading::Lit(Light::Green));
}

#[test]
fn a_dark_head_and_a_sunlit_visor_are_dark() {
    assert_eq!(shown(&[]), Reading::Dark);
    assert_eq!(shown(&[(0, SUNLIT), (1, SUNLIT)]), Reading::Dark);
}

#[test]
fn a_hue_in_the_wrong_place_is_not_a_light() {
    // A green reflection in the red lens, a red one in the green lens.
    assert_eq!(shown(&[(0, TEAL)]), Reading::Dark);
    assert_eq!(shown(&[(2, RED)]), Reading::Dark);
}

#[test]
fn two_lights_at_once_are_unclear() {
    assert_eq!(shown(&[(0, RED), (2, TEAL)]), Reading::Unclear);
}

#[test]
fn a_green_arrow_is_lit_or_dark() {
    let mut arrow = head();
    arrow.lights = vec![Light::Green];
    arrow.region = [0.25, 0.1 + 0.8 * 2.0 / 3.0, 0.5, 0.8 / 3.0];
    assert_eq!(read(&frame(&[(2, TEAL)]).planes(), &arrow), Reading::Lit(Light::Green));
    assert_eq!(read(&frame(&[]).planes(), &arrow), Reading::Dark);
    assert_eq!(read(&frame(&[(2, RED)]).planes(), &arrow), Reading::Dark);
}

fn run(readings: impl IntoIterator<Item = Reading>, fps: u64) -> History {
    let mut history = History::default();
    for (i, reading) in readings.into_iter().enumerate() {
        history.push(i as u64 * SECOND / fps, reading);
    }
    history
}

#[test]
fn flicker_is_not_off() {
    // Two of three frames dark, as a lamp beating against the shutter shows.
    let readings =
        (0..60).map(|i| if i % 3 == 0 { Reading::Lit(Light::Red) } else { Reading::Dark });
    let history = run(readings, 15);
    for i in 5..58 {
        let t = i * SECOND / 15;
        assert_eq!(history.at(t).map(|s| s.light), Some(Light::Red), "frame {i}");
    }
    assert_eq!(history.stretches.len(), 1);
}

#[test]
fn red_is_dated_back_to_its_first_frame() {
    let readings = (0..40).map(|i| match i {
        0..20 => Reading::Lit(Light::Green),
        20..25 => Reading::Lit(Light::Amber),
        _ => Reading::Lit(Light::Red),
    });
    let history = run(readings, 10);
    let red = history.at(3 * SECOND).unwrap();
    assert_eq!((red.light, red.from), (Light::Red, 25 * SECOND / 10));
    let amber = history.at(22 * SECOND / 10).unwrap();
    assert_eq!((amber.light, amber.to), (Light::Amber, 24 * SECOND / 10));
    assert!(!history.showed(Light::Green, 2 * SECOND, 4 * SECOND));
    assert!(history.showed(Light::Amber, 2 * SECOND, 4 * SECOND));
}

#[test]
fn one_wrong_frame_changes_nothing() {
    let readings = (0..30).map(|i| Reading::Lit(if i == 15 { Light::Green } else { Light::Red }));
    let history = run(readings, 10);
    assert_eq!(history.stretches.len(), 1);
    assert_eq!(history.at(SECOND * 15 / 10).map(|s| s.light), Some(Light::Red));
}

#[test]
fn a_lamp_gone_dark_is_unknown() {
    let readings = (0..60).map(|i| if i < 20 { Reading::Lit(Light::Red) } else { Reading::Dark });
    let history = run(readings, 10);
    assert_eq!(history.at(SECOND).map(|s| s.light), Some(Light::Red));
    assert_eq!(history.at(5 * SECOND), None);
}

#[test]
fn slow_cameras_are_read_too() {
    let readings = (0..10).map(|i| Reading::Lit(if i < 5 { Light::Green } else { Light::Red }));
    let history = run(readings, 3);
    assert_eq!(history.at(8 * SECOND / 3).map(|s| s.light), Some(Light::Red));
}

#[test]
fn nothing_is_known_where_nothing_was_seen() {
    let mut history = run((0..20).map(|_| Reading::Lit(Light::Red)), 10);
    history.sever(SECOND * 15 / 10);
    assert_eq!(history.at(SECOND).map(|s| s.light), Some(Light::Red));
    assert_eq!(history.at(SECOND * 15 / 10).map(|s| s.light), Some(Light::Red));
    assert_eq!(history.at(SECOND * 16 / 10), None, "not a moment longer");
    for i in 20..30 {
        history.push(i * SECOND / 10, Reading::Lit(Light::Red));
    }
    assert_eq!(history.at(SECOND * 18 / 10), None);
    let red = history.at(SECOND * 25 / 10).unwrap();
    assert_eq!(red.from, 2 * SECOND, "red is dated from when it was seen again");
}
