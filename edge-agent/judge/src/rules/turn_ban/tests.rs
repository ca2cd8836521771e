//! The plain junction: line at y = 600, travel upwards, exits ahead, to the left and to the right;
//! oncoming traffic comes beside the line, left of x = 400.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::script::{JUNCTION, LEFT, RIGHT, ROUND, STRAIGHT, Script, Way, junction, rule, site};

fn ban(what: &str) -> Arc<dyn Rule> {
    rule(&format!("rules = [\"no_turn\"]\n{JUNCTION}\n[[turn_ban]]\nmovements = {what}"))
}

fn u_turn_ban() -> Arc<dyn Rule> {
    let narrow = JUNCTION.replace("stop_line = [[0.1", "stop_line = [[0.4");
    rule(&format!("rules = [\"no_u_turn\"]\n{narrow}\n[[turn_ban]]\nmovements = [\"u_turn\"]"))
}

/// With the stop line only over the own half of the road.
fn divided(way: &[(f32, f32, f32)]) -> Script<'_> {
    let mut drawn = junction();
    drawn.stop_line[0][0] = 0.4;
    Script { junction: Some(drawn), way, ..Script::default() }
}

#[test]
fn a_banned_turn_is_accused() {
    let cases = [
        ("[\"left\"]", LEFT, Movement::Left, "Rẽ trái nơi có biển cấm"),
        ("[\"right\"]", RIGHT, Movement::Right, "Rẽ phải nơi có biển cấm"),
        ("[\"left\", \"right\"]", RIGHT, Movement::Right, "Rẽ phải nơi có biển cấm"),
    ];
    for (what, way, movement, caption) in cases {
        for class in VehicleClass::ALL {
            let rule = ban(what);
            let found = Script { way, class, ..Script::default() }.play(&*rule);
            let Verdict::Violation(finding) = found else { panic!("{what} {class:?}: {found:?}") };
            assert_eq!(finding.act.name(), "no_turn");
            assert_eq!(finding.facts.movement(), Some(movement));
            assert_eq!(rule.caption(&finding.facts), caption);
            let roles: Vec<_> = finding.moments.iter().map(|(role, _)| *role).collect();
            let wanted = [MomentRole::Before, MomentRole::On, MomentRole::Past, MomentRole::End];
            assert_eq!(roles, wanted);
        }
    }
}

#[test]
fn turning_round_where_it_is_banned_is_accused() {
    for class in VehicleClass::ALL {
        let rule = u_turn_ban();
        let found = Script { class, ..divided(ROUND) }.play(&*rule);
        let Verdict::Violation(finding) = found else { panic!("{class:?}: {found:?}") };
        assert_eq!(finding.act.name(), "no_u_turn");
        assert_eq!(rule.caption(&finding.facts), "Quay đầu xe nơi có biển cấm");
    }
}

#[test]
fn turning_round_just_beyond_the_line_is_accused_too() {
    let way: Way = &[
        (0.0, 600.0, 950.0),
        (2.0, 600.0, 540.0),
        (3.0, 540.0, 490.0),
        (5.0, 300.0, 520.0),
        (7.0, 250.0, 900.0),
    ];
    let found = divided(way).play(&*u_turn_ban());
    assert!(matches!(found, Verdict::Violation(_)), "{found:?}");
}

#[test]
fn whose_box_goes_over_to_who_comes_against_it_has_not_turned() {
    // It stands in the junction; its box comes back with another who passes close by.
    let way: Way = &[
        (0.0, 450.0, 950.0),
        (2.0, 450.0, 474.0),
        (3.0, 450.0, 472.0),
        (3.6, 345.0, 500.0),
        (4.1, 343.0, 530.0),
        (6.0, 300.0, 900.0),
    ];
    let found = Script { unseen: &[(3.05, 3.55)], ..divided(way) }.play(&*u_turn_ban());
    assert!(!matches!(found, Verdict::Violation(_)), "{found:?}");
}

#[test]
fn signs_for_some_classes_leave_others_alone() {
    let rule = ban("[\"left\"]\nclasses = [\"truck\", \"bus\"]");
    let of = |class| Script { way: LEFT, class, ..Script::default() }.play(&*rule);
    assert_eq!(of(VehicleClass::Car), Verdict::Lawful(Lawful::ClassAllowed));
    assert_eq!(of(VehicleClass::Motorbike), Verdict::Lawful(Lawful::ClassAllowed));
    assert!(matches!(of(VehicleClass::Truck), Verdict::Violation(_)));
    assert!(matches!(of(VehicleClass::Bus), Verdict::Violation(_)));
}

#[test]
fn outside_its_hours_a_sign_bans_nothing() {
    // The script's clock says eight in the morning.
    let of = |hours: &str| {
        let rule = ban(&format!("[\"left\"]\nhours = {hours}"));
        let seen = |clock| Script { way: LEFT, clock, ..Script::default() }.play(&*rule);
        [seen(true), seen(false)]
    };
    let [held, undated] = of("[\"06:00-09:00\", \"16:00-20:00\"]");
    assert!(matches!(held, Verdict::Violation(_)), "{held:?}");
    assert_eq!(undated, Verdict::Abstained(Doubt::ClockUnknown));
    let [outside, _] = of("[\"16:00-20:00\"]");
    assert_eq!(outside, Verdict::Lawful(Lawful::NotInForce));
    // A second sign holds all day.
    let both = "[\"left\"]\nhours = [\"16:00-20:00\"]\n[[turn_ban]]\nmovements = [\"left\"]";
    let found = Script { way: LEFT, ..Script::default() }.play(&*ban(both));
    assert!(matches!(found, Verdict::Violation(_)), "{found:?}");
}

#[test]
fn whoever_does_not_turn_so_is_lawful() {
    let ways: [(&str, &str, Way, Lawful); 7] = [
        ("ahead", "[\"left\", \"right\"]", STRAIGHT, Lawful::MovementAllowed),
        ("the other way", "[\"left\"]", RIGHT, Lawful::MovementAllowed),
        (
            "waiting",
            "[\"left\"]",
            &[(0.0, 300.0, 950.0), (2.0, 300.0, 620.0), (9.0, 300.0, 620.0)],
            Lawful::NeverCrossed,
        ),
        (
            "over the line and standing",
            "[\"left\"]",
            &[(0.0, 300.0, 950.0), (2.0, 300.0, 560.0), (9.0, 300.0, 560.0)],
            Lawful::StayedAtLine,
        ),
        (
            "swinging out to the left, then right",
            "[\"left\"]",
            &[(0.0, 500.0, 950.0), (2.0, 450.0, 560.0), (2.6, 380.0, 480.0), (5.0, 980.0, 420.0)],
            Lawful::MovementAllowed,
        ),
        (
            "changing lanes to the left",
            "[\"left\"]",
            &[(0.0, 650.0, 950.0), (4.0, 350.0, 150.0)],
            Lawful::MovementAllowed,
        ),
        (
            "from the side road",
            "[\"left\"]",
            &[(0.0, 950.0, 580.0), (3.0, 920.0, 450.0), (6.0, 20.0, 400.0)],
            Lawful::NeverCrossed,
        ),
    ];
    for (name, what, way, reason) in ways {
        let verdict = Script { way, ..Script::default() }.play(&*ban(what));
        let unseen = Verdict::Abstained(Doubt::FirstSeenBeyond);
        let right =
            verdict == Verdict::Lawful(reason) || name.starts_with("from") && verdict == unseen;
        assert!(right, "{name}: {verdict:?}");
    }
}

#[test]
fn turning_round_is_no_left_turn_and_a_left_turn_not_round() {
    let left = ban("[\"left\"]");
    let wide: Way = &[
        (0.0, 600.0, 950.0),
        (2.0, 600.0, 560.0),
        (3.5, 300.0, 380.0),
        (4.3, 60.0, 440.0),
        (5.2, 200.0, 560.0),
        (7.0, 250.0, 900.0),
    ];
    for way in [ROUND, wide] {
        let verdict = divided(way).play(&*left);
        assert!(!matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
    }
    let verdict = divided(&[(0.0, 600.0, 950.0), (2.0, 550.0, 560.0), (5.0, 20.0, 450.0)])
        .play(&*u_turn_ban());
    assert_eq!(verdict, Verdict::Lawful(Lawful::MovementAllowed));
    // Rolled back behind the line it has not turned round.
    let back: Way = &[(0.0, 600.0, 950.0), (2.0, 600.0, 520.0), (6.0, 600.0, 760.0)];
    let verdict = divided(back).play(&*u_turn_ban());
    assert!(!matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
}

#[test]
fn who_turns_round_wide_and_slowly_has_not_left_to_the_side() {
    // Beyond the left exit for three seconds, and no longer on the way out for the last two.
    let way: Way = &[
        (0.0, 600.0, 950.0),
        (2.0, 600.0, 560.0),
        (3.5, 300.0, 400.0),
        (4.5, 80.0, 430.0),
        (6.0, 40.0, 470.0),
        (7.6, 110.0, 570.0),
        (9.5, 200.0, 900.0),
    ];
    let found = divided(way).play(&*u_turn_ban());
    assert!(matches!(found, Verdict::Violation(_)), "{found:?}");
    for class in VehicleClass::ALL {
        let found = Script { class, ..divided(way) }.play(&*ban("[\"left\"]"));
        assert_eq!(found, Verdict::Lawful(Lawful::MovementAllowed), "{class:?}");
    }
}

#[test]
fn whoever_was_not_followed_plainly_is_not_accused() {
    let rule = ban("[\"left\"]");
    let script = Script { way: LEFT, ..Script::default() };
    let verdict = |script: Script<'_>| script.play(&*rule);
    let cases: [(&str, Script<'_>, Doubt); 6] = [
        ("out of sight", Script { unseen: &[(2.2, 3.1)], ..script.clone() }, Doubt::LostAtLine),
        ("exchanged", Script { doubts: &[2.5], ..script.clone() }, Doubt::IdentityUncertain),
        ("faint", Script { weak: true, ..script.clone() }, Doubt::PoorlySeen),
        ("seen too late", Script { unseen: &[(0.0, 1.55)], ..script.clone() }, Doubt::SeenTooLate),
        (
            "lost in the junction",
            Script {
                way: &[(0.0, 300.0, 950.0), (2.0, 300.0, 560.0), (3.0, 200.0, 430.0)],
                ..script.clone()
            },
            Doubt::MovementUnclear,
        ),
        (
            "first seen beyond",
            Script { way: &[(0.0, 300.0, 550.0), (2.0, 20.0, 500.0)], ..script },
            Doubt::FirstSeenBeyond,
        ),
    ];
    for (name, script, doubt) in cases {
        assert_eq!(verdict(script), Verdict::Abstained(doubt), "{name}");
    }
}

#[test]
fn complaints_name_the_line_and_what_would_be_right() {
    let text = "[[turn_ban]]\nmovements = [\"straight\"]\nclasses = [\"bike\"]\n[[turn_ban]]";
    let complaints = site(&format!("{JUNCTION}\n{text}"), Site::read).unwrap_err();
    for wanted in [
        "turn_ban[0].movements is \"straight\", must be one of \"left\", \"right\", \"u_turn\"",
        "turn_ban[0].classes is \"bike\", must be one of \"motorbike\", \"car\"",
        "turn_ban[1].movements must name what the sign bans, e.g. [\"left\"]",
    ] {
        assert!(complaints.iter().any(|it| it.contains(wanted)), "{wanted}: {complaints:#?}");
    }
    let complaints =
        site("rules = [\"no_turn\"]\n[[turn_ban]]\nmovements = [\"left\"]", Site::read)
            .unwrap_err();
    assert!(complaints[0].contains("needs a stop_line"), "{complaints:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn ways_ahead_and_waiting_stay_unaccused(
        from in 200.0f32..800.0, on in -60.0f32..60.0, to in 300.0f32..700.0, took in 3.0f32..8.0,
        waits in 0.0f32..6.0, y in 560.0f32..700.0, jitter in 0.0f32..0.04, seed: u64,
        gap in 0.0f32..8.0, cover in (0.0f32..8.0, 0.0f32..0.6),
        class in proptest::sample::select(VehicleClass::ALL.to_vec()),
    ) {
        let line = (from + on).clamp(200.0, 800.0);
        let way = [(0.0, from, 950.0), (took / 2.0, line, y),
            (took / 2.0 + waits + 0.1, line, y - 2.0), (took + waits + 0.1, to, 120.0)];
        let (unseen, covered) = ([(gap, gap + 0.5)], [(cover.0, cover.0 + 0.6, cover.1)]);
        let script = Script { way: &way, jitter, seed, class, unseen: &unseen, covered: &covered,
            ..Script::default() };
        let verdict = script.play(&*ban("[\"left\", \"right\"]"));
        prop_assert!(!matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
        let verdict = Script { junction: divided(&way).junction, ..script }.play(&*u_turn_ban());
        prop_assert!(!matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
    }

    #[test]
    fn a_banned_turn_is_accused_on_either_hand(
        x in 250.0f32..450.0, y in 380.0f32..520.0, jitter in 0.0f32..0.02, seed: u64, right: bool,
    ) {
        let side = |x: f32| if right { 1000.0 - x } else { x };
        let way = [(0.0, side(x), 950.0), (2.0, side(x), 580.0), (2.5, side(x - 30.0), y + 30.0),
            (5.0, side(-60.0), y)];
        let script = Script { way: &way, jitter, seed, ..Script::default() };
        let found = script.play(&*ban("[\"left\", \"right\"]"));
        let movement = if right { Movement::Right } else { Movement::Left };
        let Verdict::Violation(finding) = found else { panic!("{found:?}") };
        prop_assert_eq!(finding.facts.movement(), Some(movement));
    }
}
