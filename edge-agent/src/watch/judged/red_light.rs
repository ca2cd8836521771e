//! Lawful and unlawful ways over the line at y = 600, travel upwards.

use contract::facts::{Facts, Lamp, Lit, Signal};
use contract::{Act, Movement, VehicleClass};
use judge::lamp::Light;
use judge::rules::red_light::RedLight;
use judge::{Doubt, Lawful, Verdict, seconds};

use super::{Script, accused};
use crate::watch::sample;

/// The same road, right turns free by the site.
fn right_on_red(camera: &mut crate::config::Camera) {
    camera.site.rules[0] =
        std::sync::Arc::new(RedLight { right_on_red: true, ..sample::red_light() });
}

fn lit(facts: &Facts) -> &Lit {
    let Facts::Signal(Signal { lit, .. }) = facts else { panic!("{facts:?}") };
    lit
}

fn verdict(script: &Script<'_>) -> Verdict {
    script.play(&Act::RED_LIGHT)
}

const STRAIGHT: &[(f32, f32, f32)] = &[(0.0, 500.0, 950.0), (4.0, 500.0, 150.0)];
const LEFT: &[(f32, f32, f32)] = &[(0.0, 300.0, 950.0), (2.0, 300.0, 560.0), (4.0, 20.0, 500.0)];
const RIGHT: &[(f32, f32, f32)] = &[(0.0, 700.0, 950.0), (2.0, 700.0, 560.0), (4.0, 980.0, 500.0)];

#[test]
fn straight_on_red_is_accused_at_the_line() {
    let Verdict::Violation(finding) = verdict(&Script { way: STRAIGHT, ..Script::default() })
    else {
        panic!("not accused");
    };
    assert_eq!(finding.facts.movement(), Some(Movement::Straight));
    // 350 of 800 pixels in 4 s.
    assert!(finding.at.abs_diff(seconds(1.75)) < seconds(0.02), "{}", finding.at);
    let [before, on, past] = [0, 1, 2].map(|i| finding.moments[i].1);
    assert!(before < on && on == finding.at && on < past);
    assert_eq!(lit(&finding.facts).lamp, Lamp::Red);
    assert!(!lit(&finding.facts).right_arrow);
    assert!(finding.reason.contains("exit ahead"), "{}", finding.reason);
}

#[test]
fn left_on_red_is_accused_even_under_a_right_arrow() {
    let script = Script { way: LEFT, arrow: 0.0..9.0, ..Script::default() };
    let Verdict::Violation(finding) = verdict(&script) else { panic!("not accused") };
    assert_eq!(finding.facts.movement(), Some(Movement::Left));
    assert!(lit(&finding.facts).right_arrow);
}

#[test]
fn whoever_waits_over_the_line_for_green_is_not_accused_of_running_red() {
    let way =
        &[(0.0, 500.0, 950.0), (2.0, 500.0, 570.0), (9.0, 500.0, 570.0), (12.0, 500.0, 150.0)];
    let phases = [(0.0, Light::Red), (8.0, Light::Green)];
    let script = Script { way, phases: &phases, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::WaitedForGreen));
    // The same stop, left again while it is still red.
    let script = Script { way, ..Script::default() };
    assert_eq!(accused(&verdict(&script)), Some(Movement::Straight));
    // As far over the line as counts as past it.
    let way =
        &[(0.0, 500.0, 950.0), (2.0, 500.0, 540.0), (9.0, 500.0, 540.0), (12.0, 500.0, 150.0)];
    let script = Script { way, phases: &phases, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::WaitedForGreen));
    let script = Script { way, ..Script::default() };
    assert_eq!(accused(&verdict(&script)), Some(Movement::Straight));
}

#[test]
fn whoever_waits_half_hidden_over_the_line_is_not_accused_of_running_red() {
    let way =
        &[(0.0, 500.0, 950.0), (2.0, 500.0, 570.0), (15.0, 500.0, 570.0), (18.0, 500.0, 150.0)];
    let phases = [(0.0, Light::Red), (14.0, Light::Green)];
    let script = Script { way, phases: &phases, hidden: 5.0..14.5, ..Script::default() };
    let script = Script { class: VehicleClass::Car, ..script };
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::WaitedForGreen));
    // Gone while it is still red.
    let script = Script { way, hidden: 5.0..14.5, class: VehicleClass::Car, ..Script::default() };
    assert_eq!(accused(&verdict(&script)), Some(Movement::Straight));
}

#[test]
fn whoever_is_covered_while_standing_over_the_line_has_not_gone_on() {
    // Others cover its lower part: the box shrinks for a moment, then it is not seen any more.
    let way = &[(0.0, 500.0, 950.0), (2.0, 500.0, 530.0), (7.0, 500.0, 530.0)];
    let script = Script { way, hidden: 6.0..7.0, class: VehicleClass::Car, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::StayedAtLine));
}

#[test]
fn right_turns_follow_the_arrow_and_the_site() {
    // The sample's main head does not govern right turns.
    let mut script = Script { way: RIGHT, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::MovementAllowed));
    script.camera.lamps[0].controls.push(Movement::Right);
    assert_eq!(accused(&verdict(&script)), Some(Movement::Right));
    script.arrow = 0.0..9.0;
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::LampNotRed));
    script.arrow = 0.0..0.0;
    right_on_red(&mut script.camera);
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::MovementAllowed));
}

#[test]
fn on_green_and_amber_nobody_is_accused() {
    for light in [Light::Green, Light::Amber] {
        let script = Script { way: STRAIGHT, phases: &[(0.0, light)], ..Script::default() };
        assert_eq!(verdict(&script), Verdict::Lawful(Lawful::LampNotRed));
    }
}

#[test]
fn red_must_be_older_than_the_grace() {
    // The line is crossed at 1.75 s.
    let phases = [(0.0, Light::Amber), (1.6, Light::Red)];
    let script = Script { way: STRAIGHT, phases: &phases, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::RedTooYoung));
}

#[test]
fn a_front_that_met_amber_is_lawful() {
    // A slow car: its rear crosses 0.8 s into red, its front was over the line before.
    let way = &[(0.0, 500.0, 900.0), (6.0, 500.0, 300.0), (8.0, 500.0, 100.0)];
    let phases = [(0.0, Light::Amber), (2.2, Light::Red)];
    let car = Script { way, phases: &phases, class: VehicleClass::Car, ..Script::default() };
    assert_eq!(verdict(&car), Verdict::Lawful(Lawful::FrontCrossedBeforeRed));
    // Two seconds earlier red: the front met it too.
    let phases = [(0.0, Light::Red)];
    let car = Script { way, phases: &phases, class: VehicleClass::Car, ..Script::default() };
    assert_eq!(accused(&verdict(&car)), Some(Movement::Straight));
}

#[test]
fn waiting_at_the_line_and_starting_on_green_is_lawful() {
    let way =
        &[(0.0, 500.0, 900.0), (2.0, 500.0, 615.0), (8.0, 500.0, 615.0), (11.0, 500.0, 100.0)];
    let phases = [(0.0, Light::Red), (8.0, Light::Green)];
    let script = Script { way, phases: &phases, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::LampNotRed));
}

#[test]
fn waiting_before_red_and_then_running_it_is_accused() {
    let way =
        &[(0.0, 500.0, 900.0), (2.0, 500.0, 615.0), (8.0, 500.0, 615.0), (11.0, 500.0, 100.0)];
    // It stood at the line since before red came.
    let phases = [(0.0, Light::Green), (4.0, Light::Red)];
    let script = Script { way, phases: &phases, ..Script::default() };
    assert_eq!(accused(&verdict(&script)), Some(Movement::Straight));
}

#[test]
fn stopping_over_the_line_is_not_this_rule() {
    let way = &[(0.0, 500.0, 900.0), (2.0, 500.0, 570.0), (20.0, 500.0, 570.0)];
    let script = Script { way, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::StayedAtLine));
}

#[test]
fn first_seen_beyond_the_line_is_not_accused() {
    let way = &[(0.0, 500.0, 590.0), (4.0, 500.0, 100.0)];
    let script = Script { way, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Abstained(Doubt::FirstSeenBeyond));
}

#[test]
fn crossing_traffic_is_not_from_the_approach() {
    let way = &[(0.0, 20.0, 640.0), (2.0, 130.0, 560.0), (5.0, 950.0, 300.0)];
    let script = Script { way, ..Script::default() };
    assert!(accused(&verdict(&script)).is_none(), "{:?}", verdict(&script));
}

#[test]
fn a_lamp_that_cannot_be_read_accuses_nobody() {
    let script = Script { way: STRAIGHT, phases: &[(60.0, Light::Red)], ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Abstained(Doubt::LampUnknown));
}

#[test]
fn a_red_that_ends_at_the_crossing_is_not_red() {
    let phases = [(0.0, Light::Red), (1.8, Light::Green)];
    let script = Script { way: STRAIGHT, phases: &phases, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::LampNotRed));
}

#[test]
fn two_that_may_have_been_exchanged_void_the_case() {
    // Another vehicle melts into this one at the line and parts again.
    let beside: &[(f32, f32, f32)] =
        &[(0.0, 560.0, 950.0), (1.5, 508.0, 650.0), (2.2, 508.0, 510.0), (4.0, 570.0, 150.0)];
    let script = Script { way: STRAIGHT, others: &[beside], ..Script::default() };
    assert!(accused(&verdict(&script)).is_none(), "{:?}", verdict(&script));
}

/// The main head for every movement, so that none is allowed.
fn nothing_allowed<'a>(way: &'a [(f32, f32, f32)]) -> Script<'a> {
    let mut script = Script { way, ..Script::default() };
    script.camera.lamps[0].controls.push(Movement::Right);
    script
}

#[test]
fn a_vehicle_lost_before_any_exit_is_accused_only_where_nothing_was_allowed() {
    let way = &[(0.0, 500.0, 950.0), (3.0, 520.0, 430.0)];
    let Verdict::Violation(finding) = verdict(&nothing_allowed(way)) else { panic!("not accused") };
    assert_eq!(finding.facts.movement(), Some(Movement::Straight));
    assert!(finding.reason.contains("went on ahead"), "{}", finding.reason);
    // Straight or to the right: right turns are free here, so nothing is said.
    let script = Script { way, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Abstained(Doubt::MovementUnclear));
    let way = &[(0.0, 500.0, 950.0), (1.5, 500.0, 610.0), (3.0, 650.0, 440.0)];
    let script = Script { way, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Abstained(Doubt::MovementUnclear));
    // It turned aside at the end: accused, but not of a movement that nobody saw.
    let way = &[(0.0, 500.0, 950.0), (2.4, 500.0, 450.0), (3.6, 600.0, 350.0)];
    let Verdict::Violation(finding) = verdict(&nothing_allowed(way)) else { panic!("not accused") };
    assert!(finding.reason.contains("not seen to the end"), "{}", finding.reason);
}

#[test]
fn hidden_by_others_in_the_junction_it_was_still_going() {
    // Gone from sight 0.7 heights past the line.
    let way = &[(0.0, 500.0, 950.0), (3.0, 500.0, 515.0)];
    assert_eq!(accused(&verdict(&nothing_allowed(way))), Some(Movement::Straight));
    // The same place, but it had come to rest there: where it went nobody saw.
    let way = &[(0.0, 500.0, 950.0), (3.0, 500.0, 515.0), (6.0, 500.0, 515.0)];
    assert_eq!(verdict(&nothing_allowed(way)), Verdict::Lawful(Lawful::StayedAtLine));
}

#[test]
fn first_seen_at_the_line_is_not_accused() {
    let way = &[(1.0, 500.0, 640.0), (4.0, 500.0, 100.0)];
    let script = Script { way, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Abstained(Doubt::SeenTooLate));
}
