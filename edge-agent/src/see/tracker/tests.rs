//! Tracks of scripted boxes.

use contract::VehicleClass;
use plate_model::{BBox, Frame, Layout, PixelFormat};
use proptest::prelude::*;

use super::*;
use crate::see::SECOND;
use crate::see::appearance::Appearance;

fn bike(x: f32, y: f32) -> Sighting {
    let bbox = BBox { x1: x - 25.0, y1: y - 90.0, x2: x + 25.0, y2: y };
    Sighting { bbox, class: VehicleClass::Motorbike, score: 0.8, appearance: None }
}

/// In clothes of a colour.
fn dressed(sighting: Sighting, cr: u8) -> Sighting {
    let layout = Layout::packed(PixelFormat::Nv12, 96, 160);
    let mut data = vec![90u8; layout.offsets[1]];
    data.resize(layout.bytes().unwrap(), cr);
    let frame = Frame::from_vec(layout, data).unwrap();
    let inner = BBox::new(16.0, 16.0, 80.0, 144.0);
    Sighting { appearance: Appearance::of(&frame.planes(), &inner), ..sighting }
}

fn frame(i: u64, fps: u64) -> Nanos {
    i * SECOND / fps
}

#[test]
fn a_vehicle_keeps_its_number_through_a_short_occlusion() {
    let mut tracker = Tracker::new(Settings::default(), 1);
    for i in 0..40 {
        let seen =
            if (18..23).contains(&i) { vec![] } else { vec![bike(300.0, 700.0 - 12.0 * i as f32)] };
        tracker.step(frame(i, 10), &seen);
    }
    assert_eq!(tracker.tracks().len(), 1);
    assert_eq!(tracker.tracks()[0].id, 1);
    assert!(tracker.tracks()[0].doubts.is_empty());
}

#[test]
fn a_bike_passing_a_standing_one_exchanges_nothing() {
    let mut tracker = Tracker::new(Settings::default(), 1);
    for i in 0..40 {
        let seen = [bike(300.0, 400.0), bike(345.0, 700.0 - 15.0 * i as f32)];
        tracker.step(frame(i, 10), &seen);
    }
    let standing = &tracker.tracks()[0];
    let moving = &tracker.tracks()[1];
    assert_eq!(tracker.tracks().len(), 2);
    assert_eq!(standing.last().bbox.foot(), [300.0, 400.0]);
    assert_eq!(moving.last().bbox.foot(), [345.0, 115.0]);
    assert!(moving.doubts.is_empty(), "{:?}", moving.doubts);
}

#[test]
fn two_that_merge_and_part_are_doubted() {
    let mut tracker = Tracker::new(Settings::default(), 1);
    for i in 0..30 {
        let apart = 60.0 - 4.0 * i as f32;
        let seen = match i {
            // One hides the other.
            12..18 => vec![bike(300.0, 400.0)],
            _ => vec![bike(300.0 - apart, 400.0), bike(300.0 + apart, 400.0)],
        };
        tracker.step(frame(i, 10), &seen);
    }
    assert!(tracker.tracks().iter().any(|track| !track.doubts.is_empty()));
}

#[test]
fn a_gone_vehicle_ends_once() {
    let mut tracker = Tracker::new(Settings::default(), 7);
    for i in 0..5 {
        tracker.step(frame(i, 10), &[bike(300.0, 400.0)]);
    }
    let ended: Vec<u64> =
        (5..40).flat_map(|i| tracker.step(frame(i, 10), &[]).ended).map(|t| t.id).collect();
    assert_eq!(ended, [7]);
}

#[test]
fn one_false_detection_is_no_track() {
    let mut tracker = Tracker::new(Settings::default(), 1);
    tracker.step(0, &[bike(300.0, 400.0)]);
    for i in 1..20 {
        assert!(tracker.step(frame(i, 10), &[]).ended.is_empty());
    }
    assert!(tracker.tracks().is_empty());
}

#[test]
fn the_class_most_seen_wins() {
    let mut tracker = Tracker::new(Settings::default(), 1);
    let bbox = BBox { x1: 100.0, y1: 100.0, x2: 300.0, y2: 260.0 };
    for i in 0..10 {
        let class = if i % 3 == 0 { VehicleClass::Truck } else { VehicleClass::Car };
        tracker.step(frame(i, 10), &[Sighting { bbox, class, score: 0.7, appearance: None }]);
    }
    assert_eq!(tracker.tracks()[0].class, VehicleClass::Car);
}

#[test]
fn a_second_box_raises_no_doubt() {
    let mut tracker = Tracker::new(Settings::default(), 1);
    for i in 0..40 {
        let y = 700.0 - 12.0 * i as f32;
        let mut seen = vec![bike(300.0, y)];
        if i % 3 != 0 {
            // Half as large again and a little aside, as unsure detectors give them.
            let bbox = BBox { x1: 282.0, y1: y - 60.0, x2: 340.0, y2: y + 14.0 };
            seen.push(Sighting {
                bbox,
                class: VehicleClass::Motorbike,
                score: 0.4,
                appearance: None,
            });
        }
        tracker.step(frame(i, 10), &seen);
    }
    let first = &tracker.tracks()[0];
    assert!(first.doubts.is_empty(), "{:?}", first.doubts);
    assert_eq!(first.path.len(), 40);
}

proptest! {
    /// Vehicles in lanes of their own are never lost or exchanged, at any frame rate.
    #[test]
    fn lanes_keep_their_vehicles(fps in 5u64..25, speed in 0.5f32..4.0, lanes in 1usize..6, noise in 0.0f32..2.5) {
        let mut tracker = Tracker::new(Settings::default(), 1);
        for i in 0..fps * 3 {
            let t = i as f32 / fps as f32;
            let seen: Vec<Sighting> = (0..lanes)
                .map(|lane| {
                    let wobble = noise * ((i as f32 * 1.7 + lane as f32).sin());
                    bike(100.0 + 120.0 * lane as f32 + wobble, 900.0 - 90.0 * speed * t - wobble)
                })
                .collect();
            tracker.step(frame(i, fps), &seen);
        }
        prop_assert_eq!(tracker.tracks().len(), lanes);
        for (lane, track) in tracker.tracks().iter().enumerate() {
            prop_assert_eq!(track.path.len() as u64, fps * 3);
            let x0 = track.path[0].bbox.foot()[0];
            prop_assert!(track.path.iter().all(|p| (p.bbox.foot()[0] - x0).abs() < 10.0), "lane {}", lane);
        }
    }
}

/// Two riders one behind the other whose boxes the detector gives in each other's place for a while:
/// boxes alone would exchange them, their clothes do not.
#[test]
fn clothes_keep_riders_in_line_apart() {
    let rider = |y, cr| dressed(bike(300.0, y), cr);
    let exchanged = |looks: bool| {
        let mut tracker = Tracker::new(Settings::default(), 1);
        for i in 0..24 {
            // From the twelfth picture on the hind rider's box jumps ahead of the front one's.
            let (front, hind) = if i < 12 { (400.0, 445.0) } else { (424.0, 408.0) };
            let mut seen = [rider(front, 100), rider(hind, 160)];
            if !looks {
                seen = seen.map(|s| Sighting { appearance: None, ..s });
            }
            tracker.step(frame(i, 10), &seen);
        }
        tracker.tracks()[0].last().bbox.y2 != 424.0
    };
    assert!(exchanged(false), "the case shows nothing");
    assert!(!exchanged(true));
}

/// From right below the camera away from it at 95 km/h, in another light from the sixth picture on.
#[test]
fn who_drives_away_fast_is_followed_into_another_light() {
    let mut tracker = Tracker::new(Settings::default(), 1);
    for i in 0..20 {
        let metres = 12.0 + 2.6 * i as f32;
        let (x, y, high) = (640.0 + 300.0 / metres, 200.0 + 5900.0 / metres, 2100.0 / metres);
        let bbox = BBox::new(x - 0.2 * high, y - high, x + 0.2 * high, y);
        let seen = dressed(Sighting { bbox, ..bike(x, y) }, if i < 5 { 100 } else { 160 });
        tracker.step(frame(i, 10), &[seen]);
    }
    let [only] = tracker.tracks() else { panic!("{:?}", tracker.tracks()) };
    assert_eq!((only.id, only.path.len(), only.doubts.len()), (1, 20, 0));
}
