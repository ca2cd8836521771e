//! Standing before, on and over the line at y = 600, travel upwards; a motorbike is 100 high.

use contract::facts::{Facts, LineKind};
use contract::{Act, MomentRole};
use judge::lamp::Light;
use judge::{Doubt, Lawful, Verdict, seconds};

use super::Script;

fn verdict(script: &Script<'_>) -> Verdict {
    script.play(&Act::STOP_LINE)
}

const OVER: &[(f32, f32, f32)] = &[(0.0, 500.0, 900.0), (2.0, 500.0, 550.0), (20.0, 500.0, 550.0)];

#[test]
fn standing_over_the_line_on_red_is_accused() {
    let Verdict::Violation(finding) = verdict(&Script { way: OVER, ..Script::default() }) else {
        panic!("not accused");
    };
    let Facts::Line(line) = &finding.facts else { panic!("{:?}", finding.facts) };
    assert_eq!((&finding.act, line.line), (&Act::STOP_LINE, LineKind::Stop));
    assert!(line.stood.unwrap().excess().unwrap() > 0.0, "{line:?}");
    assert!((line.over.unwrap().value - 0.5).abs() < 0.05, "{line:?}");
    assert!(finding.at.abs_diff(seconds(2.0)) < seconds(0.5), "{}", finding.at);
    assert_eq!(finding.moments[2], (MomentRole::Past, finding.at + seconds(3.0)));
}

#[test]
fn it_fires_when_the_lamp_turns_green() {
    let way = &[(0.0, 500.0, 900.0), (2.0, 500.0, 550.0), (6.5, 500.0, 550.0), (9.0, 500.0, 100.0)];
    let phases = [(0.0, Light::Red), (6.0, Light::Green)];
    let script = Script { way, phases: &phases, ..Script::default() };
    assert!(matches!(verdict(&script), Verdict::Violation(_)), "{:?}", verdict(&script));
}

#[test]
fn standing_before_or_on_the_line_is_lawful() {
    for y in [640.0, 605.0, 595.0, 585.0] {
        let way = &[(0.0, 500.0, 900.0), (2.0, 500.0, y), (20.0, 500.0, y)];
        let verdict = verdict(&Script { way, ..Script::default() });
        assert!(matches!(verdict, Verdict::Lawful(_)), "{y}: {verdict:?}");
    }
}

#[test]
fn going_on_is_the_other_rules_business() {
    let way = &[(0.0, 500.0, 900.0), (2.0, 500.0, 550.0), (4.0, 500.0, 550.0), (6.0, 500.0, 100.0)];
    assert_eq!(verdict(&Script { way, ..Script::default() }), Verdict::Lawful(Lawful::DroveOn));
}

#[test]
fn caught_over_the_line_by_a_queue_is_lawful() {
    let phases = [(0.0, Light::Green), (4.0, Light::Red)];
    let script = Script { way: OVER, phases: &phases, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Lawful(Lawful::LampNotRed));
}

#[test]
fn a_short_stop_before_green_is_lawful() {
    let way = &[(0.0, 500.0, 900.0), (2.0, 500.0, 550.0), (4.8, 500.0, 550.0), (6.3, 500.0, 100.0)];
    let phases = [(0.0, Light::Red), (4.4, Light::Green)];
    let script = Script { way, phases: &phases, ..Script::default() };
    assert!(matches!(verdict(&script), Verdict::Lawful(_)), "{:?}", verdict(&script));
    // Green so soon after it came over the line may have been read late.
    let phases = [(0.0, Light::Red), (3.5, Light::Green)];
    let script = Script { way, phases: &phases, ..Script::default() };
    assert_eq!(verdict(&script), Verdict::Abstained(Doubt::LampUnknown));
}

#[test]
fn standing_beyond_from_the_start_is_not_accused() {
    let way = &[(0.0, 500.0, 550.0), (20.0, 500.0, 550.0)];
    assert!(matches!(verdict(&Script { way, ..Script::default() }), Verdict::Lawful(_)));
}
