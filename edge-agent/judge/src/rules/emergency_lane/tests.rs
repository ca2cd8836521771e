//! An emergency lane up the right of the picture, 700 to 900; traffic goes upwards beside it.

use std::sync::Arc;

use contract::VehicleClass;
use proptest::prelude::*;

use super::*;
use crate::script::{Camera, Script, Way, drawn, rule, site};

fn lane(camera: Camera) -> Arc<dyn Rule> {
    let area = drawn(camera, &[[0.7, 0.05], [0.9, 0.05], [0.9, 0.95], [0.7, 0.95]]);
    rule(&format!("[[emergency_lane]]\nname = \"khẩn cấp\"\narea = {area}"))
}

fn verdict(script: &Script<'_>) -> Verdict {
    script.play(&*lane(script.camera))
}

fn car(way: &[(f32, f32, f32)]) -> Script<'_> {
    Script { way, class: VehicleClass::Car, ..Script::default() }
}

const ALONG: Way = &[(0.0, 800.0, 980.0), (4.0, 800.0, 20.0)];

#[test]
fn driving_on_in_the_lane_is_accused() {
    for class in [VehicleClass::Car, VehicleClass::Bus, VehicleClass::Truck] {
        let found = verdict(&Script { class, ..car(ALONG) });
        let Verdict::Violation(finding) = found else { panic!("{class:?}: {found:?}") };
        assert_eq!(finding.act.name(), "expressway_emergency_lane");
        let Facts::Zone(Zone { zone, classes, dwell }) = &finding.facts else {
            panic!("{:?}", finding.facts);
        };
        assert_eq!((zone.as_str(), classes.as_slice()), ("khẩn cấp", [].as_slice()));
        assert!((2.0..4.1).contains(&dwell.value) && dwell.limit == Some(2.0), "{dwell:?}");
        let rule = lane(Camera::default());
        let caption = rule.caption(&finding.facts);
        assert!(caption.starts_with("Chạy ở làn dừng xe khẩn cấp 3,"), "{caption}");
        assert_eq!(rule.marks(&Site::default(), &finding.facts)[0].len(), 5);
    }
}

#[test]
fn every_way_plainly_along_it_is_accused() {
    let ways: [(&str, Way); 4] = [
        ("towards the camera", &[(0.0, 800.0, 20.0), (4.0, 800.0, 980.0)]),
        (
            "in from the lane beside",
            &[(0.0, 550.0, 950.0), (0.8, 800.0, 850.0), (4.5, 800.0, 60.0)],
        ),
        (
            "out to the lane beside",
            &[(0.0, 800.0, 980.0), (3.2, 800.0, 240.0), (4.0, 550.0, 100.0)],
        ),
        (
            "past a jam, unevenly",
            &[(0.0, 800.0, 980.0), (1.5, 780.0, 600.0), (3.0, 820.0, 300.0), (4.5, 800.0, 20.0)],
        ),
    ];
    for (name, way) in ways {
        let verdict = verdict(&car(way));
        assert!(matches!(verdict, Verdict::Violation(_)), "{name}: {verdict:?}");
    }
}

/// Away from the camera, so far at each moment as times its distance at first.
fn receding(far: impl Fn(f32) -> f32) -> Vec<(f32, f32, f32)> {
    let times = (0..80).map(|i| i as f32 / 10.0);
    times.map(|t| (t, 800.0, 950.0 / far(t))).collect()
}

#[test]
fn whoever_drives_away_does_not_slow_only_becomes_smaller() {
    for class in [VehicleClass::Car, VehicleClass::Bus, VehicleClass::Truck] {
        let of =
            |way: &[(f32, f32, f32)]| verdict(&Script { class, horizon: Some(0.0), ..car(way) });
        let found = of(&receding(|t| 1.0 + 0.8 * t));
        assert!(matches!(found, Verdict::Violation(_)), "{class:?}: {found:?}");
        // As fast at first, at rest after six seconds.
        let stops = of(&receding(|t| 1.0 + 0.8 * (t.min(6.0) - t.min(6.0).powi(2) / 12.0)));
        assert!(!matches!(stops, Verdict::Violation(_)), "{class:?}: {stops:?}");
    }
}

#[test]
fn whoever_does_not_drive_on_in_it_is_lawful() {
    let ways: [(&str, Way, Lawful); 8] = [
        ("beside it", &[(0.0, 500.0, 980.0), (4.0, 500.0, 20.0)], Lawful::NeverThere),
        ("on its edge", &[(0.0, 710.0, 980.0), (4.0, 710.0, 20.0)], Lawful::NeverThere),
        ("across it", &[(0.0, 400.0, 500.0), (3.0, 980.0, 400.0)], Lawful::Brief),
        (
            "briefly in it",
            &[(0.0, 550.0, 950.0), (1.0, 800.0, 700.0), (1.6, 800.0, 550.0), (3.0, 550.0, 200.0)],
            Lawful::Brief,
        ),
        (
            "breaking down in it",
            &[(0.0, 550.0, 980.0), (1.0, 800.0, 800.0), (4.0, 800.0, 300.0), (9.0, 800.0, 290.0)],
            Lawful::StoppedThere,
        ),
        (
            "standing from the first",
            &[(0.0, 800.0, 500.0), (9.0, 800.0, 500.0)],
            Lawful::StoppedThere,
        ),
        (
            "setting off again",
            &[(0.0, 800.0, 900.0), (4.0, 800.0, 900.0), (8.0, 800.0, 60.0)],
            Lawful::StoppedThere,
        ),
        (
            "touching it in a swerve",
            &[(0.0, 600.0, 980.0), (1.5, 720.0, 600.0), (3.0, 600.0, 200.0)],
            Lawful::NeverThere,
        ),
    ];
    for (name, way, reason) in ways {
        assert_eq!(verdict(&car(way)), Verdict::Lawful(reason), "{name}");
    }
}

#[test]
fn a_motorbike_there_has_done_another_act() {
    let script = Script { way: ALONG, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::ClassAllowed));
}

#[test]
fn whoever_may_have_need_is_not_accused() {
    let ways: [(&str, Way, Doubt); 3] = [
        (
            "slowing down to the last",
            &[(0.0, 800.0, 980.0), (1.2, 800.0, 600.0), (2.4, 800.0, 380.0), (4.2, 800.0, 150.0)],
            Doubt::MayBeStopping,
        ),
        ("creeping", &[(0.0, 800.0, 980.0), (9.0, 800.0, 20.0)], Doubt::TooSlow),
        (
            "a box that leaps",
            &[(0.0, 800.0, 980.0), (1.0, 800.0, 780.0), (1.1, 800.0, 300.0), (3.5, 800.0, 20.0)],
            Doubt::IdentityUncertain,
        ),
    ];
    for (name, way, doubt) in ways {
        assert_eq!(verdict(&car(way)), Verdict::Abstained(doubt), "{name}");
    }
}

#[test]
fn whoever_stands_there_is_not_accused_though_others_cover_it() {
    let way: Way =
        &[(0.0, 560.0, 980.0), (1.0, 800.0, 850.0), (3.6, 800.0, 200.0), (6.1, 801.0, 200.0)];
    let covered = &[(4.5, 5.1, 0.3)];
    let found = verdict(&Script { covered, ..car(way) });
    assert_eq!(found, Verdict::Abstained(Doubt::TooSlow));
}

#[test]
fn whoever_was_not_followed_plainly_is_not_accused() {
    let unseen = Script { unseen: &[(1.5, 2.4)], ..car(ALONG) };
    assert_eq!(verdict(&unseen), Verdict::Abstained(Doubt::LostFromSight));
    let exchanged = Script { doubts: &[1.5], ..car(ALONG) };
    assert_eq!(verdict(&exchanged), Verdict::Abstained(Doubt::IdentityUncertain));
    let faint = Script { weak: true, ..car(ALONG) };
    assert_eq!(verdict(&faint), Verdict::Abstained(Doubt::PoorlySeen));
}

#[test]
fn complaints_name_the_line_and_what_would_be_right() {
    let complaints = site(
        "rules = [\"expressway_emergency_lane\"]\n[[emergency_lane]]\nname = \"1\"\nseconds = 0\n\
         [[emergency_lane]]\nname = \"1\"\narea = [[0, 0], [1, 0], [1, 1]]",
        Site::read,
    )
    .unwrap_err();
    for wanted in [
        "emergency_lane[0].area is missing: the part of the road",
        "site.toml:4: emergency_lane[0].seconds is 0, must be 1 to 20 seconds",
        "site.toml:6: emergency_lane[1].name repeats \"1\"",
    ] {
        assert!(complaints.iter().any(|it| it.contains(wanted)), "{wanted}: {complaints:#?}");
    }
}

fn lawful_way() -> impl Strategy<Value = Vec<(f32, f32, f32)>> {
    let beside = (100.0f32..640.0, 100.0f32..640.0, 2.0f32..9.0)
        .prop_map(|(x, to, took)| vec![(0.0, x, 980.0), (took, to, 20.0)]);
    let stops = (1.0f32..4.0, 2.5f32..9.0, 200.0f32..700.0).prop_map(|(took, stands, y)| {
        vec![
            (0.0, 560.0, 980.0),
            (1.0, 800.0, 850.0),
            (1.0 + took, 800.0, y),
            (1.0 + took + stands, 801.0, y),
        ]
    });
    let across = (100.0f32..900.0, -200.0f32..200.0, 2.0f32..5.0).prop_map(|(y, down, took)| {
        vec![(0.0, 100.0, y), (took, 980.0, (y + down).clamp(100.0, 950.0))]
    });
    prop_oneof![beside, stops, across]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn lawful_ways_stay_unaccused(
        way in lawful_way(), jitter in 0.0f32..0.04, seed: u64, gap in 0.0f32..6.0,
        cover in (0.0f32..6.0, 0.0f32..0.6), degrees in -15.0f32..15.0, mirrored: bool,
    ) {
        let (unseen, covered) =
            ([(gap, gap + 0.5)], [(cover.0, cover.0 + 0.6, cover.1)]);
        let camera = Camera { degrees, mirrored };
        let script =
            Script { jitter, seed, unseen: &unseen, covered: &covered, camera, ..car(&way) };
        let verdict = verdict(&script);
        prop_assert!(!matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
    }

    #[test]
    fn driving_in_it_is_accused_however_the_camera_hangs(
        x in 770.0f32..830.0, jitter in 0.0f32..0.02, seed: u64, quarter in 0u8..4,
        aslant in -5.0f32..5.0, mirrored: bool,
    ) {
        let camera = Camera { degrees: 90.0 * f32::from(quarter) + aslant, mirrored };
        let way = [(0.0, x, 970.0), (3.8, x, 30.0)];
        let script = Script { jitter, seed, camera, ..car(&way) };
        let verdict = verdict(&script);
        prop_assert!(matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
    }
}
