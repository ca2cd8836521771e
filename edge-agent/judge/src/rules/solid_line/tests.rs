//! A solid line up the middle of the picture, from y = 950 to 100.

use std::sync::Arc;

use contract::VehicleClass;
use proptest::prelude::*;

use super::*;
use crate::script::{Camera, Script, Way, drawn, rule, site};
use crate::time::SECOND;
use crate::track::Companion;

fn line(camera: Camera, more: &str) -> Arc<dyn Rule> {
    let line = drawn(camera, &[[0.5, 0.95], [0.5, 0.5], [0.5, 0.1]]);
    let between = if more.contains("between") { "" } else { "between = \"directions\"" };
    rule(&format!("[[solid_line]]\nname = \"giữa\"\nline = {line}\n{between}\n{more}"))
}

fn verdict(script: &Script<'_>) -> Verdict {
    script.play(&*line(script.camera, ""))
}

/// From the right of the line to its left, overtaking.
const OVER: Way =
    &[(0.0, 640.0, 900.0), (1.5, 620.0, 700.0), (3.0, 370.0, 500.0), (6.0, 350.0, 200.0)];

#[test]
fn coming_plainly_over_the_line_is_accused() {
    for class in VehicleClass::ALL {
        for mirrored in [false, true] {
            let script = Script {
                way: OVER,
                class,
                camera: Camera { degrees: 0.0, mirrored },
                ..Script::default()
            };
            let found = verdict(&script);
            let Verdict::Violation(finding) = found else { panic!("{class:?}: {found:?}") };
            assert_eq!(finding.act.name(), "solid_line");
            let Facts::Line(Line {
                line: LineKind::Solid,
                place: Some(_),
                lit: None,
                over: Some(over),
                stood: None,
            }) = &finding.facts
            else {
                panic!("{:?}", finding.facts);
            };
            assert!(over.value > 0.4 && over.unit == Unit::VehicleHeights, "{over:?}");
            let side = if mirrored { "from the left" } else { "from the right" };
            assert!(finding.reason.contains(side), "{}", finding.reason);
            let caption = line(script.camera, "").caption(&finding.facts);
            assert!(caption.starts_with("Đi qua vạch liền, sang bên kia "), "{caption}");
            // Over the line at 2.1 s, plainly so afterwards.
            let times: Vec<_> = finding.moments.iter().map(|(_, t)| *t / 100_000_000).collect();
            assert!(
                times[0] < 22 && (21..=24).contains(&times[1]) && times[2] > times[1],
                "{times:?}"
            );
        }
    }
}

#[test]
fn whoever_drives_away_meanwhile_is_accused_too() {
    for class in VehicleClass::ALL {
        for horizon in [-400.0, 0.0, 80.0] {
            let script = Script { way: OVER, class, horizon: Some(horizon), ..Script::default() };
            let found = verdict(&script);
            assert!(matches!(found, Verdict::Violation(_)), "{class:?} {horizon}: {found:?}");
        }
    }
}

#[test]
fn over_a_line_between_lanes_it_is_a_change_of_lanes() {
    let rule = line(Camera::default(), "between = \"lanes\"");
    let way: Way =
        &[(0.0, 600.0, 940.0), (1.0, 600.0, 760.0), (3.0, 390.0, 400.0), (4.5, 390.0, 130.0)];
    let found = Script { way, ..Script::default() }.play(&*rule);
    let Verdict::Violation(finding) = found else { panic!("{found:?}") };
    assert_eq!(finding.act.name(), "lane_change");
    let caption = rule.caption(&finding.facts);
    assert!(caption.starts_with("Chuyển làn qua vạch liền, sang bên kia "), "{caption}");
    // On an expressway it is an act of its own, and no motorbike's.
    let fast = line(Camera::default(), "between = \"expressway_lanes\"");
    let found = Script { way, class: VehicleClass::Car, ..Script::default() }.play(&*fast);
    let Verdict::Violation(finding) = found else { panic!("{found:?}") };
    assert_eq!(finding.act.name(), "expressway_lane_change");
    let verdict = Script { way, ..Script::default() }.play(&*fast);
    assert_eq!(verdict, Verdict::Lawful(Lawful::ClassAllowed));
    // From a low camera it looks steep.
    let low: Way =
        &[(0.0, 620.0, 940.0), (1.5, 620.0, 600.0), (3.0, 380.0, 510.0), (5.0, 380.0, 300.0)];
    let found = Script { way: low, ..Script::default() }.play(&*rule);
    assert!(matches!(found, Verdict::Violation(_)), "{found:?}");
    // Straight across the road no lane was changed.
    let across: Way = &[(0.0, 800.0, 500.0), (4.0, 200.0, 490.0)];
    let verdict = Script { way: across, ..Script::default() }.play(&*rule);
    assert_eq!(verdict, Verdict::Abstained(Doubt::MovementUnclear));
}

#[test]
fn a_dashed_line_beside_it_frees_one_side() {
    let of = |from: &str, mirrored| {
        let camera = Camera { degrees: 0.0, mirrored };
        let script = Script { way: OVER, camera, ..Script::default() };
        script.play(&*line(camera, from))
    };
    // Drawn upwards; the way comes from the right, mirrored from the left.
    assert!(matches!(of("from = \"right\"", false), Verdict::Violation(_)));
    assert!(matches!(of("from = \"left\"", true), Verdict::Violation(_)));
    assert_eq!(of("from = \"left\"", false), Verdict::Lawful(Lawful::MovementAllowed));
    assert_eq!(of("from = \"right\"", true), Verdict::Lawful(Lawful::MovementAllowed));
}

#[test]
fn whoever_does_not_come_plainly_over_is_lawful() {
    let ways: [(&str, Way, Lawful); 8] = [
        ("beside it", &[(0.0, 620.0, 900.0), (4.0, 620.0, 120.0)], Lawful::NotOver),
        (
            "touching it",
            &[(0.0, 620.0, 900.0), (2.0, 505.0, 500.0), (4.0, 620.0, 150.0)],
            Lawful::NotOver,
        ),
        (
            "over it a little and back",
            &[(0.0, 620.0, 900.0), (2.0, 480.0, 500.0), (4.0, 620.0, 150.0)],
            Lawful::NotOver,
        ),
        (
            "over it and back at once",
            &[
                (0.0, 620.0, 900.0),
                (2.0, 430.0, 500.0),
                (2.1, 430.0, 480.0),
                (3.0, 620.0, 250.0),
                (4.0, 620.0, 150.0),
            ],
            Lawful::NotOver,
        ),
        ("riding on it", &[(0.0, 505.0, 900.0), (4.0, 495.0, 120.0)], Lawful::NotOver),
        (
            "before its beginning",
            &[(0.0, 700.0, 980.0), (2.0, 300.0, 970.0), (4.0, 300.0, 300.0)],
            Lawful::NotOver,
        ),
        (
            "beyond its end",
            &[(0.0, 620.0, 500.0), (2.0, 620.0, 90.0), (4.0, 300.0, 60.0)],
            Lawful::NotOver,
        ),
        ("nowhere near its ends", &[(0.0, 620.0, 90.0), (2.0, 400.0, 60.0)], Lawful::NeverThere),
    ];
    for (name, way, reason) in ways {
        let verdict = verdict(&Script { way, ..Script::default() });
        assert_eq!(verdict, Verdict::Lawful(reason), "{name}");
    }
}

#[test]
fn whoever_may_not_have_crossed_it_is_not_accused() {
    let ways: [(&str, Way, Doubt); 4] = [
        (
            "at its very end",
            &[(0.0, 620.0, 400.0), (1.5, 600.0, 200.0), (3.0, 400.0, 112.0), (5.0, 300.0, 112.0)],
            Doubt::MovementUnclear,
        ),
        (
            "a box that leaps",
            &[(0.0, 620.0, 900.0), (1.0, 620.0, 700.0), (1.1, 350.0, 650.0), (4.0, 350.0, 200.0)],
            Doubt::IdentityUncertain,
        ),
        (
            "first seen on it",
            &[(0.0, 560.0, 700.0), (2.0, 350.0, 500.0), (4.0, 350.0, 200.0)],
            Doubt::LostAtLine,
        ),
        (
            "lost before it stayed",
            &[(0.0, 640.0, 900.0), (1.5, 620.0, 700.0), (3.0, 400.0, 500.0)],
            Doubt::LostFromSight,
        ),
    ];
    for (name, way, doubt) in ways {
        let verdict = verdict(&Script { way, ..Script::default() });
        assert_eq!(verdict, Verdict::Abstained(doubt), "{name}");
    }
}

#[test]
fn whoever_goes_round_something_is_not_accused() {
    let seen = |x: f32| (0..6).map(|i| (i * SECOND, [x, 560.0])).collect::<Vec<_>>();
    let stands = |x: f32| {
        let (class, seen) = (VehicleClass::Truck, seen(x));
        Companion { id: 2, class, height: 150.0, seen, heights: Vec::new() }
    };
    let of = |company: &[Companion]| verdict(&Script { way: OVER, company, ..Script::default() });
    assert_eq!(of(&[stands(620.0)]), Verdict::Abstained(Doubt::Obstructed));
    // On the other side it is in nobody's way, and what drives on is in none.
    assert!(matches!(of(&[stands(300.0)]), Verdict::Violation(_)));
    // Nor is what stands beside the road, or far ahead, where it is small.
    let small = |x: f32, y: f32| {
        let seen = (0..6).map(|i| (i * SECOND, [x, y])).collect();
        of(&[Companion { height: 50.0, seen, ..stands(x) }])
    };
    assert_eq!(small(660.0, 400.0), Verdict::Abstained(Doubt::Obstructed));
    assert_eq!(small(560.0, 80.0), Verdict::Abstained(Doubt::Obstructed));
    assert!(matches!(small(760.0, 400.0), Verdict::Violation(_)));
    assert!(matches!(small(760.0, 80.0), Verdict::Violation(_)));
    // What is so small is so far away that it only seems to stand.
    let seen = (0..6).map(|i| (i * SECOND, [660.0, 400.0])).collect();
    let far = Companion { height: 15.0, seen, ..stands(660.0) };
    assert!(matches!(of(&[far]), Verdict::Violation(_)));
    let drives = (0..6).map(|i| (i * SECOND, [620.0, 900.0 - 120.0 * i as f32])).collect();
    let drives = Companion { seen: drives, ..stands(620.0) };
    assert!(matches!(of(&[drives]), Verdict::Violation(_)));
}

#[test]
fn whoever_is_covered_has_not_crossed_a_line_across_the_picture() {
    // The line lies across; the vehicle drives below it and is covered from below.
    let rule = rule(
        "[[solid_line]]\nname = \"1\"\nline = [[0.05, 0.5], [0.95, 0.5]]\nbetween = \"lanes\"",
    );
    let covered: &[(f32, f32, f32)] =
        &[(2.0, 2.4, 0.3), (2.4, 2.8, 0.5), (2.8, 3.2, 0.7), (3.2, 6.0, 0.8)];
    for y in [540.0, 560.0, 580.0] {
        for class in VehicleClass::ALL {
            let way = &[(0.0, 200.0, y), (6.0, 800.0, y)];
            let found = Script { way, covered, class, ..Script::default() }.play(&*rule);
            assert!(!matches!(found, Verdict::Violation(_)), "{y} {class:?}: {found:?}");
        }
    }
}

#[test]
fn whoever_was_not_followed_plainly_is_not_accused() {
    let script = Script { way: OVER, ..Script::default() };
    for (name, script, doubt) in [
        ("unseen", Script { unseen: &[(1.7, 2.6)], ..script.clone() }, Doubt::LostAtLine),
        ("exchanged", Script { doubts: &[2.2], ..script.clone() }, Doubt::IdentityUncertain),
        ("faint", Script { weak: true, ..script }, Doubt::PoorlySeen),
    ] {
        assert_eq!(verdict(&script), Verdict::Abstained(doubt), "{name}");
    }
}

#[test]
fn complaints_name_the_line_and_what_would_be_right() {
    let complaints = site(
        "[[solid_line]]\nname = \"1\"\nline = [[0.1, 0.1]]\nbetween = \"roads\"\n\
         [[solid_line]]\nname = \"1\"\nline = [[0.1, 0.1], [0.1, 0.1]]\nfrom = \"above\"",
        Site::read,
    )
    .unwrap_err();
    for wanted in [
        "site.toml:3: solid_line[0].line must be two or more points in order",
        "solid_line[0].between is \"roads\", must be one of \"directions\", \"lanes\", ",
        "site.toml:6: solid_line[1].name repeats \"1\"",
        "solid_line[1].between is missing: add `between = \"directions\"`",
        "solid_line[1].line has two points after one another at the same place",
        "solid_line[1].from is \"above\", must be one of \"both\", \"left\", \"right\"",
    ] {
        assert!(complaints.iter().any(|it| it.contains(wanted)), "{wanted}: {complaints:#?}");
    }
}

/// Beside the line, up to it and back, in queues, round its ends.
fn lawful_way() -> impl Strategy<Value = Vec<(f32, f32, f32)>> {
    let beside = (570.0f32..900.0, 505.0f32..900.0, 570.0f32..900.0, 3.0f32..9.0, 0.0f32..5.0)
        .prop_map(|(a, b, c, took, waits)| {
            let half = took / 2.0;
            vec![
                (0.0, a, 930.0),
                (half, b, 520.0),
                (half + waits + 0.1, b, 519.0),
                (took + waits, c, 110.0),
            ]
        });
    let touches = (570.0f32..800.0, 455.0f32..500.0, 570.0f32..800.0)
        .prop_map(|(a, b, c)| vec![(0.0, a, 930.0), (2.0, b, 520.0), (4.0, c, 110.0)]);
    let round = (560.0f32..800.0, 200.0f32..440.0)
        .prop_map(|(a, b)| vec![(0.0, a, 500.0), (2.0, a, 85.0), (4.0, b, 70.0), (6.0, b, 60.0)]);
    prop_oneof![beside, touches, round]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn lawful_ways_stay_unaccused(
        way in lawful_way(), jitter in 0.0f32..0.04, seed: u64, gap in 0.0f32..6.0,
        cover in (0.0f32..6.0, 0.0f32..0.6), quarter in 0u8..4, aslant in -8.0f32..8.0,
        mirrored: bool, class in proptest::sample::select(VehicleClass::ALL.to_vec()),
    ) {
        let (unseen, covered) = ([(gap, gap + 0.5)], [(cover.0, cover.0 + 0.6, cover.1)]);
        let camera = Camera { degrees: 90.0 * f32::from(quarter) + aslant, mirrored };
        let script = Script {
            way: &way, jitter, seed, class, unseen: &unseen, covered: &covered, camera,
            ..Script::default()
        };
        let verdict = verdict(&script);
        prop_assert!(!matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
    }

    #[test]
    fn crossing_is_accused_however_the_camera_hangs(
        from in 620.0f32..700.0, to in 260.0f32..370.0, jitter in 0.0f32..0.02, seed: u64,
        degrees in -180.0f32..180.0, mirrored: bool,
    ) {
        let camera = Camera { degrees, mirrored };
        let way = [(0.0, from, 800.0), (1.2, from, 700.0), (3.0, to, 500.0), (5.5, to, 220.0)];
        let verdict = verdict(&Script { way: &way, jitter, seed, camera, ..Script::default() });
        prop_assert!(matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
    }
}
