//! Lamps for single movements, amber and flashing lamps over the plain junction: line at y = 600,
//! travel upwards. The round head governs straight on and left unless said otherwise.

use std::sync::Arc;

use contract::VehicleClass;
use proptest::prelude::*;

use super::*;
use crate::lamp::Light::{self, Amber, Green, Red};
use crate::script::{
    Arrow, JUNCTION, LEFT, RIGHT, ROUND, STRAIGHT, Script, Way, junction, rule, site,
};

type Phases = &'static [(f32, Light)];

fn red_light(more: &str) -> Arc<dyn Rule> {
    rule(&format!("rules = [\"red_light\"]\n{more}\n{JUNCTION}"))
}

fn verdict(script: &Script<'_>) -> Verdict {
    script.play(&*red_light(""))
}

fn accused(verdict: &Verdict) -> Option<Movement> {
    match verdict {
        Verdict::Violation(finding) => finding.facts.movement(),
        _ => None,
    }
}

fn divided(way: &[(f32, f32, f32)]) -> Script<'_> {
    let mut drawn = junction();
    drawn.stop_line[0][0] = 0.4;
    Script { junction: Some(drawn), way, ..Script::default() }
}

#[test]
fn the_round_head_decides_as_ever() {
    let of = |way, light| verdict(&Script { way, phases: &[(0.0, light)], ..Script::default() });
    assert_eq!(accused(&of(STRAIGHT, Red)), Some(Movement::Straight));
    assert_eq!(accused(&of(LEFT, Red)), Some(Movement::Left));
    assert_eq!(of(RIGHT, Red), Verdict::Lawful(Lawful::MovementAllowed));
    for light in [Green, Amber] {
        assert_eq!(of(STRAIGHT, light), Verdict::Lawful(Lawful::LampNotRed));
    }
}

#[test]
fn a_red_arrow_closes_its_movement_beside_a_green_head() {
    let phases: Phases = &[(0.0, Green)];
    for (way, movement) in [(LEFT, Movement::Left), (RIGHT, Movement::Right)] {
        let controls = &[movement];
        let beside = [Arrow { controls, red: true, phases: &[(0.0, Some(Red))] }];
        for class in VehicleClass::ALL {
            let script = Script { way, phases, beside: &beside, class, ..Script::default() };
            assert_eq!(accused(&verdict(&script)), Some(movement), "{class:?}");
        }
        // Its other ways are open.
        let script = Script { way: STRAIGHT, phases, beside: &beside, ..Script::default() };
        assert_eq!(verdict(&script), Verdict::Lawful(Lawful::LampNotRed));
    }
}

#[test]
fn a_head_of_arrows_opens_its_movement_beside_a_red_head() {
    for (shown, reason) in [(Green, Lawful::LampNotRed), (Amber, Lawful::LampNotRed)] {
        let phases = [(0.0, Some(shown))];
        let beside = [Arrow { controls: &[Movement::Left], red: true, phases: &phases }];
        let script = Script { way: LEFT, beside: &beside, ..Script::default() };
        assert_eq!(verdict(&script), Verdict::Lawful(reason), "{shown:?}");
    }
    // The other movement stays forbidden.
    let beside = [Arrow { controls: &[Movement::Left], red: true, phases: &[(0.0, Some(Green))] }];
    let script = Script { way: STRAIGHT, beside: &beside, ..Script::default() };
    assert_eq!(accused(&verdict(&script)), Some(Movement::Straight));
}

#[test]
fn a_green_arrow_opens_its_way_beside_red() {
    fn arrow(controls: &[Movement], lit: bool) -> [Arrow<'_>; 1] {
        let phases: &[_] = if lit { &[(0.0, Some(Green))] } else { &[(0.0, None)] };
        [Arrow { controls, red: false, phases }]
    }
    let controls: &[Movement] = &[Movement::Straight, Movement::Left, Movement::Right];
    for (way, movement, own) in [
        (LEFT, Movement::Left, [Movement::Left]),
        (RIGHT, Movement::Right, [Movement::Right]),
        (STRAIGHT, Movement::Straight, [Movement::Straight]),
    ] {
        let lit = arrow(&own, true);
        let script = Script { way, controls, beside: &lit, ..Script::default() };
        assert_eq!(verdict(&script), Verdict::Lawful(Lawful::LampNotRed), "{movement:?}");
        let dark = arrow(&own, false);
        let script = Script { way, controls, beside: &dark, ..Script::default() };
        assert_eq!(accused(&verdict(&script)), Some(movement), "dark it says nothing");
    }
}

#[test]
fn a_head_of_arrows_that_cannot_be_read_accuses_nobody() {
    for phases in [&[(0.0, Green)], &[(0.0, Red)]] {
        let beside = [Arrow { controls: &[Movement::Left], red: true, phases: &[(0.0, None)] }];
        let script = Script { way: LEFT, phases, beside: &beside, ..Script::default() };
        assert_eq!(verdict(&script), Verdict::Abstained(Doubt::LampUnknown));
    }
}

#[test]
fn turning_round_follows_the_left_arrow() {
    let green = [Arrow { controls: &[Movement::Left], red: false, phases: &[(0.0, Some(Green))] }];
    let turn = |script: Script<'_>| verdict(&script);
    // Under red it is a left turn to the lamps; under a left arrow it is open, whoever governs it.
    assert_eq!(accused(&turn(divided(ROUND))), Some(Movement::UTurn));
    let open = Verdict::Lawful(Lawful::LampNotRed);
    assert_eq!(turn(Script { beside: &green, ..divided(ROUND) }), open);
    let controls: &[Movement] = &[Movement::Straight, Movement::Left, Movement::UTurn];
    assert_eq!(turn(Script { beside: &green, controls, ..divided(ROUND) }), open);
    // A red arrow of its own bans it even so.
    let banned =
        [green[0], Arrow { controls: &[Movement::UTurn], red: true, phases: &[(0.0, Some(Red))] }];
    let script = Script { beside: &banned, ..divided(ROUND) };
    assert_eq!(accused(&turn(script)), Some(Movement::UTurn));
    // A red left arrow beside a green head says nothing certain of turning round.
    let left = [Arrow { controls: &[Movement::Left], red: true, phases: &[(0.0, Some(Red))] }];
    let script = Script { beside: &left, phases: &[(0.0, Green)], ..divided(ROUND) };
    assert_eq!(turn(script), Verdict::Abstained(Doubt::LampUnknown));
}

#[test]
fn amber_accuses_only_where_the_site_says_so() {
    // The line is crossed at 4.6 s, three seconds into amber, and red comes after.
    let way: Way =
        &[(0.0, 500.0, 950.0), (4.0, 500.0, 720.0), (6.0, 500.0, 300.0), (7.0, 500.0, 100.0)];
    let phases: Phases = &[(0.0, Green), (1.5, Amber), (5.2, Red)];
    let script = Script { way, phases, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::LampNotRed));
    let rule = red_light("amber_accuses = true");
    let found = script.play(&*rule);
    let Verdict::Violation(finding) = found else { panic!("{found:?}") };
    let lit = finding.facts.lit().unwrap();
    assert_eq!((lit.lamp, lit.red.limit), (facts::Lamp::Amber, Some(2000.0)));
    assert!(finding.reason.contains("after amber was seen"), "{}", finding.reason);
    let caption = rule.caption(&finding.facts);
    assert!(caption.starts_with("Vượt đèn vàng, đi thẳng, đèn VÀNG đã "), "{caption}");
    // On red the same site accuses of red.
    let found = Script { way: STRAIGHT, ..Script::default() }.play(&*rule);
    let Verdict::Violation(finding) = found else { panic!("{found:?}") };
    assert_eq!(finding.facts.lit().unwrap().lamp, facts::Lamp::Red);
}

#[test]
fn amber_that_is_young_or_flashes_accuses_nobody() {
    let rule = red_light("amber_accuses = true");
    let cases: [(&str, Phases, bool); 4] = [
        ("young", &[(0.0, Green), (1.0, Amber), (4.0, Red)], false),
        ("flashing all night", &[(0.0, Amber)], true),
        ("flashing before red", &[(0.0, Amber), (3.0, Red)], true),
        ("not seen to its end", &[(0.0, Green), (0.6, Amber)], false),
    ];
    for (name, phases, flashes) in cases {
        let script = Script { way: STRAIGHT, phases, flashes, ..Script::default() };
        let verdict = script.play(&*rule);
        assert!(!matches!(verdict, Verdict::Violation(_)), "{name}: {verdict:?}");
        let verdict = script.play(&*red_light(""));
        assert!(!matches!(verdict, Verdict::Violation(_)), "{name}: {verdict:?}");
    }
}

#[test]
fn who_is_before_the_line_on_amber_and_over_it_after_red_is_judged_by_red() {
    let phases: Phases = &[(0.0, Amber), (1.6, Red)];
    let script = Script { way: STRAIGHT, phases, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::RedTooYoung));
}

#[test]
fn under_a_lamp_that_may_be_read_late_nobody_is_accused_just_before_green() {
    // The line is crossed at 1.75 s.
    for (green, accused) in [(2.0, false), (3.7, false), (4.6, true)] {
        let phases: &[(f32, Light)] = &[(0.0, Red), (green, Green)];
        let script = Script { way: STRAIGHT, phases, ..Script::default() };
        let verdict = verdict(&script);
        assert_eq!(matches!(verdict, Verdict::Violation(_)), accused, "{green}: {verdict:?}");
    }
}

#[test]
fn complaints_name_what_would_be_right() {
    let complaints =
        site(&format!("rules = [\"red_light\"]\namber_grace_ms = 3000\n{JUNCTION}"), Site::read)
            .unwrap_err();
    let wanted = "site.toml:2: amber_grace_ms does nothing without amber_accuses = true";
    assert_eq!(complaints, [wanted]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Whatever round head and arrows show, who goes where one of them shows green is not accused.
    #[test]
    fn nobody_is_accused_under_a_light_of_its_own_that_is_open(
        x in 250.0f32..750.0, took in 3.0f32..7.0, jitter in 0.0f32..0.04, seed: u64,
        red: bool, round in 0usize..3, to in 0usize..3,
        class in proptest::sample::select(VehicleClass::ALL.to_vec()),
    ) {
        let (movement, out) = [(Movement::Straight, (x.clamp(300.0, 700.0), 120.0)),
            (Movement::Left, (-60.0, 440.0)), (Movement::Right, (1060.0, 440.0))][to];
        let way = [(0.0, x, 950.0), (took / 2.0, x, 580.0), (took, out.0, out.1)];
        let phases = [(0.0, [Red, Amber, Green][round])];
        let controls = [movement];
        let beside = [Arrow { controls: &controls, red, phases: &[(0.0, Some(Green))] }];
        let all = [Movement::Straight, Movement::Left, Movement::Right];
        let script = Script { way: &way, phases: &phases, beside: &beside, controls: &all, jitter,
            seed, class, ..Script::default() };
        let verdict = verdict(&script);
        prop_assert!(!matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
    }
}
