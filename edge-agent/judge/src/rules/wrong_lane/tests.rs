//! The plain junction with three lanes before its line: left only, ahead, ahead and right.

use std::sync::Arc;

use contract::VehicleClass;
use proptest::prelude::*;

use super::*;
use crate::script::{JUNCTION, Script, Way, rule, site};

const LANES: &str = "
[[lanes]]
name = \"1\"
area = [[0.1, 1.0], [0.1, 0.6], [0.37, 0.6], [0.37, 1.0]]
allowed = [\"left\"]
[[lanes]]
name = \"2\"
area = [[0.37, 1.0], [0.37, 0.6], [0.63, 0.6], [0.63, 1.0]]
allowed = [\"straight\"]
[[lanes]]
name = \"3\"
area = [[0.63, 1.0], [0.63, 0.6], [0.9, 0.6], [0.9, 1.0]]
allowed = [\"straight\", \"right\"]
";

fn lanes() -> Arc<dyn Rule> {
    rule(&format!("rules = [\"wrong_lane\"]\n{JUNCTION}{LANES}"))
}

fn verdict(script: &Script<'_>) -> Verdict {
    script.play(&*lanes())
}

const LEFT_FROM_2: Way = &[(0.0, 480.0, 950.0), (2.0, 480.0, 560.0), (5.0, 20.0, 450.0)];

#[test]
fn leaving_by_a_movement_that_the_lane_does_not_allow_is_accused() {
    let cases: [(&str, Way, &str, Movement, &str); 4] = [
        (
            "left from the middle",
            LEFT_FROM_2,
            "2",
            Movement::Left,
            "Đi không đúng làn đường: rẽ trái từ làn 2, làn chỉ cho phép đi thẳng",
        ),
        (
            "right from the middle",
            &[(0.0, 520.0, 950.0), (2.0, 520.0, 560.0), (5.0, 980.0, 450.0)],
            "2",
            Movement::Right,
            "Đi không đúng làn đường: rẽ phải từ làn 2, làn chỉ cho phép đi thẳng",
        ),
        (
            "ahead from the left",
            &[(0.0, 240.0, 950.0), (2.0, 240.0, 560.0), (4.5, 350.0, 120.0)],
            "1",
            Movement::Straight,
            "Đi không đúng làn đường: đi thẳng từ làn 1, làn chỉ cho phép rẽ trái",
        ),
        (
            "left from the right",
            &[(0.0, 760.0, 950.0), (2.0, 760.0, 580.0), (6.0, 20.0, 400.0)],
            "3",
            Movement::Left,
            "Đi không đúng làn đường: rẽ trái từ làn 3, làn chỉ cho phép đi thẳng, rẽ phải",
        ),
    ];
    for (name, way, lane, movement, caption) in cases {
        for class in VehicleClass::ALL {
            let found = verdict(&Script { way, class, ..Script::default() });
            let Verdict::Violation(finding) = found else { panic!("{name} {class:?}: {found:?}") };
            let Facts::Lane(facts) = &finding.facts else { panic!("{:?}", finding.facts) };
            assert_eq!((facts.lane.as_str(), facts.movement), (lane, movement), "{name}");
            assert_eq!(lanes().caption(&finding.facts), caption);
            let marks = lanes().marks(&site(JUNCTION, Site::read).unwrap(), &finding.facts);
            assert_eq!(marks.len(), 2, "the lane and the exit: {marks:?}");
        }
    }
}

#[test]
fn whoever_leaves_as_its_lane_allows_or_was_in_none_is_lawful() {
    let ways: [(&str, Way, Lawful); 7] = [
        (
            "left from the left",
            &[(0.0, 240.0, 950.0), (2.0, 240.0, 560.0), (4.5, 20.0, 450.0)],
            Lawful::MovementAllowed,
        ),
        (
            "ahead from the middle",
            &[(0.0, 500.0, 950.0), (4.0, 500.0, 120.0)],
            Lawful::MovementAllowed,
        ),
        (
            "ahead from the right",
            &[(0.0, 760.0, 950.0), (2.0, 760.0, 560.0), (4.5, 650.0, 120.0)],
            Lawful::MovementAllowed,
        ),
        (
            "right from the right",
            &[(0.0, 760.0, 950.0), (2.0, 760.0, 560.0), (4.5, 980.0, 450.0)],
            Lawful::MovementAllowed,
        ),
        (
            "changed long before the line",
            &[(0.0, 500.0, 980.0), (1.0, 240.0, 850.0), (3.0, 240.0, 560.0), (5.5, 20.0, 450.0)],
            Lawful::MovementAllowed,
        ),
        (
            "waiting before the line",
            &[(0.0, 480.0, 950.0), (2.0, 480.0, 630.0), (9.0, 480.0, 629.0)],
            Lawful::NeverCrossed,
        ),
        (
            "over the line and standing",
            &[(0.0, 480.0, 950.0), (2.0, 480.0, 560.0), (9.0, 480.0, 560.0)],
            Lawful::StayedAtLine,
        ),
    ];
    for (name, way, reason) in ways {
        let verdict = verdict(&Script { way, ..Script::default() });
        assert_eq!(verdict, Verdict::Lawful(reason), "{name}");
    }
}

#[test]
fn a_lane_to_the_left_leads_round_too() {
    let rule = lanes();
    let mut drawn = crate::script::junction();
    drawn.stop_line[0][0] = 0.2;
    let way = &[
        (0.0, 280.0, 950.0),
        (2.0, 280.0, 560.0),
        (3.0, 220.0, 440.0),
        (4.0, 150.0, 520.0),
        (6.0, 120.0, 900.0),
    ];
    let script = Script { junction: Some(drawn), way, ..Script::default() };
    assert_eq!(script.play(&*rule), Verdict::Lawful(Lawful::MovementAllowed));
}

#[test]
fn whoever_was_in_no_lane_plainly_is_not_accused() {
    let ways: [(&str, Way, Doubt); 5] = [
        (
            "on the boundary",
            &[(0.0, 375.0, 950.0), (2.0, 375.0, 560.0), (4.5, 400.0, 120.0)],
            Doubt::LaneUnclear,
        ),
        (
            "near the boundary",
            &[(0.0, 382.0, 950.0), (2.0, 382.0, 560.0), (5.0, 20.0, 450.0)],
            Doubt::LaneUnclear,
        ),
        (
            "changing at the line",
            &[(0.0, 240.0, 950.0), (2.0, 480.0, 560.0), (5.0, 20.0, 450.0)],
            Doubt::LaneUnclear,
        ),
        (
            "half in the lane beside",
            &[(0.0, 340.0, 950.0), (2.0, 400.0, 560.0), (5.0, 20.0, 450.0)],
            Doubt::LaneUnclear,
        ),
        (
            "not seen to its end",
            &[(0.0, 480.0, 950.0), (2.0, 480.0, 560.0), (3.0, 420.0, 440.0)],
            Doubt::MovementUnclear,
        ),
    ];
    for (name, way, doubt) in ways {
        let verdict = verdict(&Script { way, ..Script::default() });
        assert_eq!(verdict, Verdict::Abstained(doubt), "{name}");
    }
}

#[test]
fn whoever_was_not_followed_plainly_is_not_accused() {
    let script = Script { way: LEFT_FROM_2, ..Script::default() };
    for (name, script, doubt) in [
        ("unseen", Script { unseen: &[(2.5, 3.4)], ..script.clone() }, Doubt::LostAtLine),
        ("exchanged", Script { doubts: &[1.0], ..script.clone() }, Doubt::IdentityUncertain),
        ("faint", Script { weak: true, ..script.clone() }, Doubt::PoorlySeen),
        ("hardly seen in it", Script { unseen: &[(0.0, 1.55)], ..script }, Doubt::LaneUnclear),
    ] {
        assert_eq!(verdict(&script), Verdict::Abstained(doubt), "{name}");
    }
}

#[test]
fn complaints_name_the_line_and_what_would_be_right() {
    let complaints = site(
        &format!(
            "{JUNCTION}\n[[lanes]]\narea = [[0, 0], [1, 0], [1, 1]]\nallowed = [\"up\"]\n[[lanes]]"
        ),
        Site::read,
    )
    .unwrap_err();
    for wanted in [
        "lanes[0].name is missing: add `name = \"1\"`",
        "lanes[0].allowed is \"up\", must be one of \"straight\", \"left\", \"right\", \"u_turn\"",
        "lanes[1].area is missing: the part of the road",
        "lanes[1].allowed must name the movements that the lane's arrows allow",
    ] {
        assert!(complaints.iter().any(|it| it.contains(wanted)), "{wanted}: {complaints:#?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// From anywhere to where the lane there, or each of the lanes near there, leads.
    #[test]
    fn lawful_ways_stay_unaccused(
        x in 120.0f32..880.0, drift in -60.0f32..60.0, took in 3.0f32..8.0, waits in 0.0f32..5.0,
        jitter in 0.0f32..0.04, seed: u64, gap in 0.0f32..8.0, right: bool,
        cover in (0.0f32..8.0, 0.0f32..0.6),
        class in proptest::sample::select(VehicleClass::ALL.to_vec()),
    ) {
        let line = (x + drift).clamp(120.0, 880.0);
        let out = match line {
            x if x < 370.0 => (20.0, 450.0),
            x if x > 630.0 && right => (980.0, 450.0),
            x => (x.clamp(380.0, 620.0), 120.0),
        };
        let half = took / 2.0;
        let way = [(0.0, x, 950.0), (half, line, 640.0), (half + waits + 0.1, line, 630.0),
            (half + waits + 0.6, line, 560.0), (took + waits + 1.1, out.0, out.1)];
        let (unseen, covered) = ([(gap, gap + 0.5)], [(cover.0, cover.0 + 0.6, cover.1)]);
        let script = Script { way: &way, jitter, seed, class, unseen: &unseen, covered: &covered,
            ..Script::default() };
        let verdict = verdict(&script);
        prop_assert!(!matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
    }

    #[test]
    fn a_wrong_lane_is_accused_under_noise(
        x in 460.0f32..540.0, y in 400.0f32..500.0, jitter in 0.0f32..0.02, seed: u64, right: bool,
    ) {
        let out = if right { 1060.0 } else { -60.0 };
        let way = [(0.0, x, 950.0), (2.0, x, 570.0), (5.0, out, y)];
        let found = verdict(&Script { way: &way, jitter, seed, ..Script::default() });
        let Verdict::Violation(finding) = found else { panic!("{found:?}") };
        let wanted = if right { Movement::Right } else { Movement::Left };
        prop_assert_eq!(finding.facts.movement(), Some(wanted));
    }
}
