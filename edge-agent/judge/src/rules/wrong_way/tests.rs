//! A one-way road down the picture, 300 to 700, up to y = 100; traffic goes downwards. Its upper
//! end is where a vehicle that goes the right way comes in.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::script::{Camera, Script, Way, drawn, rule, site};
use contract::VehicleClass;

fn road(camera: Camera) -> Arc<dyn Rule> {
    let area = drawn(camera, &[[0.3, 0.1], [0.7, 0.1], [0.7, 0.85], [0.3, 0.85]]);
    let direction = drawn(camera, &[[0.5, 0.1], [0.5, 0.85]]);
    rule(&format!("[[one_way]]\nname = \"Hàng Bài\"\narea = {area}\ndirection = {direction}"))
}

fn verdict(script: &Script<'_>) -> Verdict {
    script.play(&*road(script.camera))
}

/// Upwards in three and a half seconds: 8 heights of a motorbike, 5 of a car.
const AGAINST: Way = &[(0.0, 500.0, 940.0), (3.5, 500.0, 120.0)];

#[test]
fn riding_in_against_the_direction_is_accused() {
    for class in VehicleClass::ALL {
        let script = Script { way: AGAINST, class, ..Script::default() };
        let Verdict::Violation(finding) = verdict(&script) else {
            panic!("{class:?}: {:?}", verdict(&script));
        };
        let Facts::Direction(Direction {
            place: Some(_),
            movement: None,
            heading: Some(heading),
            way: Some(way),
        }) = &finding.facts
        else {
            panic!("{:?}", finding.facts);
        };
        assert_eq!((heading.value, heading.unit), (180.0, Unit::Degrees));
        assert!((3.0..4.5).contains(&way.value) && way.limit == Some(3.0), "{way:?}");
        let roles: Vec<_> = finding.moments.iter().map(|(role, _)| *role).collect();
        assert_eq!(roles, [MomentRole::Begin, MomentRole::During, MomentRole::End]);
        assert!(finding.reason.contains("\"Hàng Bài\""), "{}", finding.reason);
        assert_eq!(
            road(Camera::default()).caption(&finding.facts),
            "Đi ngược chiều, hướng đi lệch 180° so với chiều quy định"
        );
    }
}

#[test]
fn on_an_expressway_it_is_an_act_of_its_own() {
    let rule = rule(
        "[[one_way]]\nname = \"1\"\narea = [[0.3, 0.1], [0.7, 0.1], [0.7, 0.85], [0.3, 0.85]]\n\
         direction = [[0.5, 0.1], [0.5, 0.85]]\nexpressway = true",
    );
    let of = |class| Script { way: AGAINST, class, ..Script::default() }.play(&*rule);
    let found = of(VehicleClass::Truck);
    let Verdict::Violation(finding) = found else { panic!("{found:?}") };
    assert_eq!(finding.act.name(), "expressway_wrong_way");
    let caption = rule.caption(&finding.facts);
    assert!(caption.starts_with("Đi ngược chiều trên đường cao tốc, "), "{caption}");
    assert_eq!(of(VehicleClass::Motorbike), Verdict::Lawful(Lawful::ClassAllowed));
}

#[test]
fn every_way_plainly_against_is_accused() {
    let ways: [(&str, Way); 6] = [
        ("along the left edge", &[(0.0, 340.0, 940.0), (3.5, 340.0, 120.0)]),
        ("along the right edge", &[(0.0, 660.0, 940.0), (3.5, 660.0, 120.0)]),
        ("aslant", &[(0.0, 350.0, 940.0), (4.0, 650.0, 120.0)]),
        ("in from the side", &[(0.0, 150.0, 700.0), (1.0, 400.0, 650.0), (3.5, 450.0, 120.0)]),
        (
            "swaying",
            &[(0.0, 480.0, 940.0), (1.0, 540.0, 720.0), (2.0, 460.0, 500.0), (3.0, 540.0, 280.0)],
        ),
        (
            "slowing for somebody",
            &[(0.0, 500.0, 940.0), (1.5, 500.0, 650.0), (2.5, 500.0, 560.0), (4.5, 500.0, 120.0)],
        ),
    ];
    for (name, way) in ways {
        let verdict = verdict(&Script { way, ..Script::default() });
        assert!(matches!(verdict, Verdict::Violation(_)), "{name}: {verdict:?}");
    }
}

#[test]
fn whoever_does_not_travel_against_it_is_lawful() {
    let ways: [(&str, Way, Lawful); 9] = [
        ("with traffic", &[(0.0, 500.0, 60.0), (4.0, 500.0, 900.0)], Lawful::NotAgainst),
        ("across", &[(0.0, 100.0, 500.0), (3.0, 900.0, 500.0)], Lawful::NotAgainst),
        ("across aslant", &[(0.0, 100.0, 700.0), (3.0, 900.0, 350.0)], Lawful::Brief),
        ("beside it", &[(0.0, 800.0, 900.0), (4.0, 800.0, 100.0)], Lawful::NeverThere),
        ("on its edge", &[(0.0, 305.0, 900.0), (4.0, 305.0, 100.0)], Lawful::NeverThere),
        (
            "waiting in it",
            &[(0.0, 500.0, 60.0), (1.0, 500.0, 500.0), (9.0, 500.0, 500.0)],
            Lawful::NotAgainst,
        ),
        (
            "backing a little",
            &[(0.0, 500.0, 60.0), (2.0, 500.0, 600.0), (4.0, 500.0, 400.0), (6.0, 500.0, 900.0)],
            Lawful::Brief,
        ),
        (
            "cutting its corner",
            &[(0.0, 600.0, 950.0), (1.2, 650.0, 700.0), (3.0, 950.0, 600.0)],
            Lawful::Brief,
        ),
        (
            "out of a gate and down",
            &[(0.0, 150.0, 500.0), (1.0, 450.0, 500.0), (3.0, 500.0, 950.0)],
            Lawful::NotAgainst,
        ),
    ];
    for (name, way, reason) in ways {
        let verdict = verdict(&Script { way, ..Script::default() });
        assert_eq!(verdict, Verdict::Lawful(reason), "{name}");
    }
}

#[test]
fn whoever_may_not_have_ridden_in_so_is_not_accused() {
    let ways: [(&str, Way, Doubt); 7] = [
        ("first seen inside", &[(0.0, 500.0, 700.0), (3.0, 500.0, 120.0)], Doubt::EntryUnclear),
        (
            "turned inside",
            &[(0.0, 450.0, 60.0), (2.0, 450.0, 650.0), (2.6, 560.0, 700.0), (5.0, 560.0, 120.0)],
            Doubt::EntryUnclear,
        ),
        (
            "backing far",
            &[(0.0, 500.0, 60.0), (2.5, 500.0, 750.0), (4.0, 500.0, 750.0), (8.0, 500.0, 120.0)],
            Doubt::EntryUnclear,
        ),
        (
            "stood inside first",
            &[(0.0, 500.0, 940.0), (1.0, 500.0, 760.0), (9.0, 500.0, 760.0), (12.0, 500.0, 120.0)],
            Doubt::TooSlow,
        ),
        ("pushed on foot", &[(0.0, 500.0, 940.0), (10.0, 500.0, 120.0)], Doubt::TooSlow),
        (
            "a box that leaps",
            &[(0.0, 500.0, 940.0), (1.0, 500.0, 770.0), (1.1, 500.0, 350.0), (2.0, 500.0, 300.0)],
            Doubt::IdentityUncertain,
        ),
        (
            "a box that leaps back from with traffic",
            &[(0.0, 500.0, 60.0), (2.0, 500.0, 600.0), (2.1, 500.0, 250.0), (4.0, 500.0, 800.0)],
            Doubt::IdentityUncertain,
        ),
    ];
    for (name, way, doubt) in ways {
        let verdict = verdict(&Script { way, ..Script::default() });
        assert_eq!(verdict, Verdict::Abstained(doubt), "{name}");
    }
}

#[test]
fn whoever_was_not_followed_plainly_is_not_accused() {
    let script = Script { way: AGAINST, ..Script::default() };
    let unseen = Script { unseen: &[(1.0, 1.9)], ..script.clone() };
    assert_eq!(verdict(&unseen), Verdict::Abstained(Doubt::LostFromSight));
    let exchanged = Script { doubts: &[0.8], ..script.clone() };
    assert_eq!(verdict(&exchanged), Verdict::Abstained(Doubt::IdentityUncertain));
    let faint = Script { weak: true, ..script };
    assert_eq!(verdict(&faint), Verdict::Abstained(Doubt::PoorlySeen));
}

#[test]
fn whoever_is_covered_from_below_has_not_ridden_upwards() {
    let covered: &[(f32, f32, f32)] =
        &[(2.0, 3.0, 0.25), (3.0, 4.0, 0.5), (4.0, 5.0, 0.7), (5.0, 6.0, 0.85), (6.0, 9.0, 0.92)];
    let way = &[(0.0, 500.0, 60.0), (2.0, 500.0, 700.0), (9.0, 500.0, 700.0)];
    for class in VehicleClass::ALL {
        let verdict = verdict(&Script { way, covered, class, ..Script::default() });
        assert!(!matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
    }
}

#[test]
fn complaints_name_the_line_and_what_would_be_right() {
    let complaints = site(
        "[[one_way]]\nname = \"1\"\narea = [[0.1, 0.1], [0.2, 0.1]]\n\n\
         [[one_way]]\nname = \"1\"\narea = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.3]]\n\
         direction = [[0.1, 0.1], [0.1, 0.3]]\nway = 1\nwalking_pase = 2",
        Site::read,
    )
    .unwrap_err();
    let wanted = [
        "site.toml:3: one_way[0].area must be a polygon of at least three points [x, y]",
        "one_way[0].direction is missing: two points",
        "site.toml:6: one_way[1].name repeats \"1\": each needs its own",
        "site.toml:9: one_way[1].way is 1, must be 2 to 20 vehicle heights",
        "one_way[1].walking_pase is not known, did you mean `walking_pace`?",
    ];
    for wanted in wanted {
        assert!(complaints.iter().any(|it| it.contains(wanted)), "{wanted}: {complaints:#?}");
    }
    let complaints = site("rules = [\"wrong_way\"]", Site::read).unwrap_err();
    assert!(complaints[0].contains("names \"wrong_way\", but what it needs is not drawn"));
}

/// Ways with traffic, across, waiting, in queues: whatever happens on a road but for going against.
fn lawful_way() -> impl Strategy<Value = Vec<(f32, f32, f32)>> {
    let with = (310.0f32..690.0, 310.0f32..690.0, 2.0f32..9.0, 0.0f32..6.0).prop_map(
        |(x, to, took, waits)| {
            let middle = (x + to) / 2.0;
            vec![
                (0.0, x, 40.0),
                (took / 2.0, middle, 480.0),
                (took / 2.0 + waits + 0.1, middle, 482.0),
                (took + waits + 0.1, to, 940.0),
            ]
        },
    );
    let across = (300.0f32..800.0, -250.0f32..300.0, 2.0f32..9.0).prop_map(|(y, down, took)| {
        vec![(0.0, 60.0, y), (took, 940.0, (y + down).clamp(100.0, 940.0))]
    });
    let backs = (320.0f32..680.0, 20.0f32..200.0).prop_map(|(x, back)| {
        vec![(0.0, x, 60.0), (2.0, x, 600.0), (5.0, x, 600.0 - back), (8.0, x, 900.0)]
    });
    prop_oneof![with, across, backs]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn lawful_ways_stay_unaccused(
        way in lawful_way(), jitter in 0.0f32..0.04, seed: u64,
        class in proptest::sample::select(VehicleClass::ALL.to_vec()),
        gap in 0.0f32..6.0, cover in (0.0f32..6.0, 0.0f32..0.6), degrees in -15.0f32..15.0,
        mirrored: bool,
    ) {
        let (unseen, covered) =
            ([(gap, gap + 0.5)], [(cover.0, cover.0 + 0.6, cover.1)]);
        let camera = Camera { degrees, mirrored };
        let script = Script {
            way: &way, jitter, seed, class, unseen: &unseen, covered: &covered, camera,
            ..Script::default()
        };
        let verdict = verdict(&script);
        prop_assert!(!matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
    }

    #[test]
    fn going_against_is_accused_however_the_camera_hangs(
        x in 400.0f32..600.0, jitter in 0.0f32..0.03, seed: u64, degrees in -180.0f32..180.0,
        mirrored: bool,
    ) {
        // Small enough to come in from outside the area wherever the picture is turned to.
        let camera = Camera { degrees, mirrored };
        let way = [(0.0, x, 930.0), (3.0, x, 130.0)];
        let script = Script { way: &way, jitter, seed, camera, ..Script::default() };
        let verdict = verdict(&script);
        prop_assert!(matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
    }
}
