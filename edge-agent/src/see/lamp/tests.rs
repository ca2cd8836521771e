//! Lamps rendered into small frames, with the quirks of real ones.

use contract::Movement;
use plate_model::{Frame, Layout, PixelFormat};

use super::*;
use crate::config::LampLayout;
use crate::see::SECOND;

fn head() -> config::Lamp {
    config::Lamp {
        name: "main".into(),
        region: [0.25, 0.1, 0.5, 0.8],
        layout: LampLayout::Vertical,
        lights: vec![Light::Red, Light::Amber, Light::Green],
        arrows: false,
        controls: vec![Movement::Straight],
        wired: None,
    }
}

/// A dark head on a grey street; `discs` are painted as (cell, RGB of the core).
fn frame(discs: &[(usize, [f32; 3])]) -> Frame {
    painted(|x, y| {
        let housing = (10.0..30.0).contains(&x) && (10.0..90.0).contains(&y);
        let disc = discs
            .iter()
            .rev()
            .find(|(cell, _)| (x - 20.0).hypot(y - 10.0 - 80.0 * (*cell as f32 + 0.5) / 3.0) < 8.0);
        match disc {
            Some((_, colour)) => *colour,
            None if housing => [30.0, 32.0, 34.0],
            None => [120.0; 3],
        }
    })
}

/// A picture of 40 by 100 with the colour that `tone` gives for each pixel's middle.
fn painted(tone: impl Fn(f32, f32) -> [f32; 3]) -> Frame {
    let (w, h) = (40usize, 100usize);
    let layout = Layout::packed(PixelFormat::I420, w as u32, h as u32);
    let mut data = vec![0u8; layout.bytes().unwrap()];
    for y in 0..h {
        for x in 0..w {
            let [r, g, b] = tone(x as f32 + 0.5, y as f32 + 0.5);
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

/// A small head in a picture of 40 by 100, its lights 5 pixels wide; the lit one has a core of
/// white and a rim and glow of its colour, as a light has that is brighter than the sensor takes.
fn glaring(top: f32, lit: usize, rim: [f32; 3]) -> Frame {
    let (cx, cy) = (20.0, top + 24.0 * (lit as f32 + 0.5) / 3.0);
    painted(|x, y| {
        let d = (x - cx).hypot(y - cy);
        let housing = (15.0..25.0).contains(&x) && (top..top + 24.0).contains(&y);
        let ground = if housing { [25.0; 3] } else { [60.0; 3] };
        match d {
            _ if d < 2.6 => [255.0; 3],
            _ if d < 4.2 => rim,
            _ => {
                let glow = (1.2 - d / 10.0).clamp(0.0, 0.5);
                std::array::from_fn(|k| ground[k] + glow * (rim[k] - ground[k]).max(0.0))
            }
        }
    })
}

/// A head of that size drawn from `top` on, `loose` pixels too large on every side.
fn drawn(top: f32, loose: f32) -> config::Lamp {
    let [x, y, w, h] = [15.0 - loose, top - loose, 10.0 + 2.0 * loose, 24.0 + 2.0 * loose];
    config::Lamp { region: [x / 40.0, y / 100.0, w / 40.0, h / 100.0], ..head() }
}

#[test]
fn a_white_core_with_a_coloured_rim_is_the_rims_light() {
    let lights = [
        (Light::Red, [255.0, 60.0, 30.0]),
        (Light::Amber, [255.0, 185.0, 20.0]),
        (Light::Green, [30.0, 255.0, 190.0]),
    ];
    for (i, (light, rim)) in lights.into_iter().enumerate() {
        let frame = glaring(30.0, i, rim);
        for (shift, loose) in [(0.0, 0.0), (0.0, 2.0), (2.0, 0.0), (-2.0, 0.0), (1.0, 1.0)] {
            let reading = read(&frame.planes(), &drawn(30.0 + shift, loose));
            assert_eq!(reading, Reading::Lit(light), "{shift} off, {loose} loose");
        }
        // Half a light off it may not be told any more, but it never becomes another.
        for shift in [-5.0, -4.0, -3.0, 3.0, 4.0, 5.0] {
            let reading = read(&frame.planes(), &drawn(30.0 + shift, 1.0));
            let harmless = [Reading::Lit(light), Reading::Unclear, Reading::Dark];
            assert!(harmless.contains(&reading), "{light:?} {shift} off: {reading:?}");
        }
    }
}

#[test]
fn a_region_half_a_light_off_is_put_right_by_what_was_seen() {
    let drawn = drawn(34.0, 1.0);
    let (mut reader, mut history) = (LampReader::new(&drawn), History::default());
    let red = glaring(30.0, 0, [255.0, 120.0, 30.0]);
    let green = glaring(30.0, 2, [30.0, 255.0, 190.0]);
    let mut shown = Vec::new();
    for i in 0..400 {
        let frame = if i / 100 % 2 == 0 { &red } else { &green };
        let t = i * SECOND / 10;
        history.push(t, reader.read(t, &frame.planes()));
        shown.push(history.at(t).map(|stretch| stretch.light));
    }
    for (i, light) in shown.iter().enumerate().filter(|(i, _)| i % 100 > 6) {
        let lit = if i / 100 % 2 == 0 { Light::Red } else { Light::Green };
        // In the first red only time tells it from amber.
        assert!(*light == Some(lit) || i < 70 && light.is_none(), "picture {i}: {light:?}");
    }
}

#[test]
fn a_red_countdown_in_ambers_place_is_no_amber() {
    assert_eq!(shown(&[(0, RED), (1, [200.0, 25.0, 15.0])]), Reading::Lit(Light::Red));
    assert_eq!(shown(&[(0, RED), (1, AMBER)]), Reading::Unclear);
}

#[test]
fn a_sunlit_lens_is_told_from_a_lit_one_by_its_dark_self() {
    // All lenses shine, the lit one somewhat more.
    let (red, green) = ([200.0, 50.0, 40.0], [40.0, 190.0, 140.0]);
    let redder = frame(&[(0, [255.0, 70.0, 50.0]), (2, green)]);
    let greener = frame(&[(0, red), (2, [50.0, 255.0, 190.0])]);
    let (mut reader, mut history) = (LampReader::new(&head()), History::default());
    for i in 0..400u64 {
        let frame = if i / 100 % 2 == 0 { &redder } else { &greener };
        let t = i * SECOND / 10;
        history.push(t, reader.read(t, &frame.planes()));
    }
    let at = |t: u64| history.at(t * SECOND).map(|stretch| stretch.light);
    // At first nobody knows which of them is lit.
    assert_eq!([at(5), at(15)], [None, Some(Light::Green)]);
    assert_eq!([at(25), at(35)], [Some(Light::Red), Some(Light::Green)]);
}
