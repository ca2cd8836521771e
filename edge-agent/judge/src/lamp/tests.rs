//! What is told of a lamp from single readings, with the quirks of real ones.

use super::*;
use crate::time::SECOND;

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

/// Ten readings a second of each light for so many seconds, one after the other.
fn shows(phases: &[(Option<Light>, usize)]) -> History {
    let reading = |light: &Option<Light>| light.map_or(Reading::Dark, Reading::Lit);
    let all = phases.iter().flat_map(|(light, s)| std::iter::repeat_n(reading(light), 10 * s));
    run(all, 10)
}

#[test]
fn signals_go_from_green_over_amber_to_red() {
    const RED: (Option<Light>, usize) = (Some(Light::Red), 10);
    const GREEN: (Option<Light>, usize) = (Some(Light::Green), 10);
    let amber = |s| (Some(Light::Amber), s);
    let light = |history: &History, s: u64| history.at(s * SECOND).map(|stretch| stretch.light);

    let right = shows(&[GREEN, amber(3), RED, GREEN]);
    let seen: Vec<_> = [5, 11, 20, 28].map(|s| light(&right, s)).into();
    let (red, green) = (Some(Light::Red), Some(Light::Green));
    assert_eq!(seen, [green, Some(Light::Amber), red, green]);

    // A red that glares is read as amber: after red, and for longer than amber lasts.
    let glare = shows(&[RED, amber(3), RED]);
    assert_eq!([light(&glare, 5), light(&glare, 11), light(&glare, 20)], [red, None, red]);
    let long = shows(&[GREEN, amber(8), RED]);
    assert_eq!([light(&long, 12), light(&long, 16)], [None, None]);

    // Where this head showed amber before red, one without it may be amber itself for a while.
    let skipped = shows(&[GREEN, amber(3), RED, GREEN, RED, RED]);
    assert_eq!([light(&skipped, 35), light(&skipped, 41)], [None, red]);

    // Nothing turns green for a second.
    let blink = shows(&[RED, (Some(Light::Green), 1), RED]);
    assert_eq!(light(&blink, 10), None);
}

#[test]
fn a_light_gone_dark_is_not_vouched_for() {
    let history = shows(&[(Some(Light::Green), 10), (None, 10)]);
    assert_eq!(history.at(10 * SECOND), None);
    // Just now it may be between two pulses.
    let mut history = shows(&[(Some(Light::Green), 10)]);
    history.push(10 * SECOND, Reading::Dark);
    assert_eq!(history.at(10 * SECOND).map(|stretch| stretch.light), Some(Light::Green));
}

#[test]
fn amber_is_told_between_green_and_red_only() {
    let lit = |light, s| (Some(light), s);
    let of = |phases: &[(Option<Light>, usize)], s: u64| {
        shows(phases).amber_before_red(s * SECOND).map(|stretch| stretch.from / SECOND)
    };
    let (green, red) = (lit(Light::Green, 10), lit(Light::Red, 10));
    assert_eq!(of(&[green, lit(Light::Amber, 3), red], 11), Some(10));
    assert_eq!(of(&[green, lit(Light::Amber, 3), red], 5), None, "green");
    assert_eq!(of(&[green, lit(Light::Amber, 3), red], 15), None, "red");
    assert_eq!(of(&[green, lit(Light::Amber, 3)], 11), None, "not seen to its end");
    assert_eq!(of(&[lit(Light::Amber, 3), red], 1), None, "not seen from its beginning");
    assert_eq!(of(&[red, lit(Light::Amber, 3), red], 11), None, "a red that glares");
    assert_eq!(of(&[green, (None, 3), lit(Light::Amber, 3), red], 14), None, "dark before");
}
