//! Families of ways over the sample's junction (line at y = 600, exits at y = 300, x = 100 and
//! x = 900), under cameras turned and mirrored, and what may be said of each.

use std::sync::Arc;

use contract::geometry::Point;
use contract::{Act, Movement, VehicleClass};
use judge::lamp::Light;
use judge::movement::ALL;
use judge::rules::red_light::RedLight;
use judge::{Doubt, Lawful, Verdict};
use proptest::prelude::*;

use super::{Script, accused};
use crate::config::Camera;
use crate::watch::sample;

type Steps = Vec<(f32, f32, f32)>;

/// How the camera hangs: quarters of a turn, and whether the picture is mirrored.
#[derive(Debug, Clone, Copy)]
struct Hung {
    quarters: u8,
    mirrored: bool,
}

const UPRIGHT: Hung = Hung { quarters: 0, mirrored: false };

impl Hung {
    fn point(self, [x, y]: Point) -> Point {
        let x = if self.mirrored { 1.0 - x } else { x };
        (0..self.quarters).fold([x, y], |[x, y], _| [1.0 - y, x])
    }

    fn camera(self) -> Camera {
        let mut camera = sample::camera();
        let turn = |points: &mut [Point]| points.iter_mut().for_each(|p| *p = self.point(*p));
        if let Some(junction) = &mut camera.site.junction {
            turn(&mut junction.stop_line);
            turn(&mut junction.approach);
            junction.exits.iter_mut().for_each(|exit| turn(&mut exit.line));
        }
        camera
    }

    fn way(self, steps: &Steps) -> Steps {
        let place = |&(t, x, y): &(f32, f32, f32)| {
            let [x, y] = self.point([x / 1000.0, y / 1000.0]);
            (t, 1000.0 * x, 1000.0 * y)
        };
        steps.iter().map(place).collect()
    }
}

fn hung() -> impl Strategy<Value = Hung> {
    (0u8..4, any::<bool>()).prop_map(|(quarters, mirrored)| Hung { quarters, mirrored })
}

/// Who governs what.
#[derive(Debug, Clone, Copy)]
enum Lamps {
    /// One head for all, red.
    AllRed,
    /// Red ahead and to the left, a green arrow to the right.
    RightArrow,
    /// Red ahead and to the left, right turns free by the site.
    RightOnRed,
    /// Red ahead and to the left, nothing governs right turns.
    RightFree,
    /// Red ahead and to the right, the lamp of the left open.
    LeftOpen,
    /// Red to the left only.
    LeftRed,
}

fn judge(hung: Hung, lamps: Lamps, steps: &Steps, class: VehicleClass) -> Verdict {
    let mut camera = hung.camera();
    let [straight, left, right] = ALL;
    let (main, arrow) = match lamps {
        Lamps::AllRed => (vec![straight, left, right], right),
        Lamps::RightArrow | Lamps::RightOnRed => (vec![straight, left, right], right),
        Lamps::RightFree => (vec![straight, left], right),
        Lamps::LeftOpen => (vec![straight, left, right], left),
        Lamps::LeftRed => (vec![left], right),
    };
    camera.lamps[0].controls = main;
    camera.lamps[1].controls = vec![arrow];
    let right_on_red = matches!(lamps, Lamps::RightOnRed);
    camera.site.rules = vec![Arc::new(RedLight { right_on_red, ..sample::red_light() })];
    let lit = matches!(lamps, Lamps::RightArrow | Lamps::LeftOpen);
    let arrow = if lit { 0.0..90.0 } else { 0.0..0.0 };
    let way = hung.way(steps);
    let phases = [(0.0, Light::Red)];
    Script { camera, phases: &phases, arrow, class, way: &way, ..Script::default() }
        .play(&Act::RED_LIGHT)
}

/// A way through places at a speed, pixels a second.
fn at_speed(speed: f32, places: &[Point]) -> Steps {
    let mut t = 0.0;
    let mut steps = vec![(0.0, places[0][0], places[0][1])];
    for pair in places.windows(2) {
        t += (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]) / speed;
        steps.push((t, pair[1][0], pair[1][1]));
    }
    steps
}

/// Up to `start`, then round with a radius until the way points `turn` degrees aside (left is
/// negative), then `on` far.
fn turning(x: f32, start: f32, radius: f32, turn: f32, on: f32, speed: f32) -> Steps {
    let side = turn.signum();
    let mut places = vec![[x, 960.0], [x, 700.0], [x, start]];
    let centre = [x + side * radius, start];
    let steps = 12;
    for i in 1..=steps {
        let angle = (turn.abs() * i as f32 / steps as f32).to_radians();
        places.push([centre[0] - side * radius * angle.cos(), start - radius * angle.sin()]);
    }
    let end = places[places.len() - 1];
    let angle = turn.to_radians();
    places.push([end[0] + on * angle.sin(), end[1] - on * angle.cos()]);
    at_speed(speed, &places)
}

/// Straight up with a wobble, to `end`.
fn wobbling(x: f32, drift: f32, wobble: f32, end: f32, speed: f32) -> Steps {
    let rows = 24;
    let place = |i: usize| {
        let f = i as f32 / rows as f32;
        let y = 960.0 + f * (end - 960.0);
        [x + f * drift + wobble * (9.0 * f).sin(), y]
    };
    at_speed(speed, &(0..=rows).map(place).collect::<Vec<_>>())
}

const fn never_allowed(verdict: &Verdict) -> bool {
    !matches!(verdict, Verdict::Lawful(Lawful::MovementAllowed | Lawful::LampNotRed))
}

const BIKE: VehicleClass = VehicleClass::Motorbike;
const VAN: VehicleClass = VehicleClass::Car;
const RIGHT_ALLOWED: [Lamps; 3] = [Lamps::RightArrow, Lamps::RightOnRed, Lamps::RightFree];

#[test]
fn creeping_in_the_middle_under_a_right_arrow_is_not_straight() {
    // Well past the line, slowly on, no exit reached: today's way of accusing by distance alone.
    let slow = at_speed(28.0, &[[600.0, 900.0], [600.0, 640.0], [605.0, 400.0], [640.0, 340.0]]);
    for lamps in RIGHT_ALLOWED {
        let verdict = judge(UPRIGHT, lamps, &slow, BIKE);
        assert_eq!(verdict, Verdict::Abstained(Doubt::MovementUnclear), "{lamps:?}");
    }
    // The same rider then turns right by the arrow, late but lawfully.
    let places = [[600.0, 900.0], [600.0, 640.0], [605.0, 420.0], [700.0, 370.0], [990.0, 370.0]];
    let verdict = judge(UPRIGHT, Lamps::RightArrow, &at_speed(30.0, &places), BIKE);
    assert_eq!(verdict, Verdict::Lawful(Lawful::LampNotRed));
    // And where nothing was allowed the movement need not be known.
    let verdict = judge(UPRIGHT, Lamps::AllRed, &slow, BIKE);
    assert_eq!(accused(&verdict), Some(Movement::Straight));
}

#[test]
fn a_van_that_stops_inside_is_neither_allowed_nor_guessed() {
    let stop = |x: f32| vec![(0.0, 520.0, 960.0), (3.0, x, 400.0), (14.0, x, 400.0)];
    for x in [480.0, 520.0, 620.0, 700.0] {
        for lamps in RIGHT_ALLOWED {
            let verdict = judge(UPRIGHT, lamps, &stop(x), VAN);
            assert_eq!(verdict, Verdict::Abstained(Doubt::MovementUnclear), "{x} {lamps:?}");
        }
        let verdict = judge(UPRIGHT, Lamps::AllRed, &stop(x), VAN);
        assert!(accused(&verdict).is_some(), "{x} {verdict:?}");
        let Verdict::Violation(finding) = verdict else { continue };
        assert!(!finding.reason.contains("exit"), "{}", finding.reason);
    }
}

#[test]
fn left_behind_is_the_right_turn_for_whoever_plainly_turns_left() {
    // Lost from sight before the exit, but no right turn was to be had any more.
    let left = turning(350.0, 520.0, 90.0, -80.0, 100.0, 120.0);
    let verdict = judge(UPRIGHT, Lamps::RightArrow, &left, BIKE);
    assert_eq!(accused(&verdict), Some(Movement::Left), "{verdict:?}");
    // Straight on it still was.
    let ahead = at_speed(150.0, &[[500.0, 960.0], [500.0, 400.0]]);
    let verdict = judge(UPRIGHT, Lamps::RightArrow, &ahead, BIKE);
    assert_eq!(verdict, Verdict::Abstained(Doubt::MovementUnclear));
}

#[test]
fn turning_round_is_a_left_turn_to_the_lamps() {
    let round = turning(250.0, 480.0, 110.0, -180.0, 260.0, 130.0);
    let verdict = judge(UPRIGHT, Lamps::AllRed, &round, BIKE);
    assert_eq!(accused(&verdict), Some(Movement::UTurn), "{verdict:?}");
    let verdict = judge(UPRIGHT, Lamps::LeftOpen, &round, BIKE);
    assert_eq!(verdict, Verdict::Lawful(Lawful::LampNotRed));
    // Back over the line it came by, it has only gone back.
    let back = at_speed(100.0, &[[500.0, 960.0], [500.0, 440.0], [510.0, 700.0], [510.0, 800.0]]);
    assert_eq!(accused(&judge(UPRIGHT, Lamps::AllRed, &back, BIKE)), None);
}

#[test]
fn an_exit_that_is_grazed_is_not_the_way_out() {
    // Along the left exit and for a moment over it, then out ahead: never "left".
    let places = [[140.0, 960.0], [140.0, 620.0], [94.0, 470.0], [130.0, 380.0], [330.0, 200.0]];
    let steps = at_speed(140.0, &places);
    let verdict = judge(UPRIGHT, Lamps::LeftRed, &steps, BIKE);
    assert!(accused(&verdict).is_none(), "{verdict:?}");
    let verdict = judge(UPRIGHT, Lamps::RightFree, &steps, BIKE);
    assert_ne!(accused(&verdict), Some(Movement::Left), "{verdict:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn straight_over_the_exit_is_straight_and_accused(
        hung in hung(), x in 330.0f32..670.0, drift in -60.0f32..60.0, wobble in 0.0f32..12.0,
        speed in 60.0f32..260.0,
    ) {
        let steps = wobbling(x, drift, wobble, 130.0, speed);
        for lamps in RIGHT_ALLOWED.into_iter().chain([Lamps::AllRed]) {
            let verdict = judge(hung, lamps, &steps, BIKE);
            prop_assert_eq!(accused(&verdict), Some(Movement::Straight), "{:?} {:?}", lamps, verdict);
        }
        let verdict = judge(hung, Lamps::LeftRed, &steps, BIKE);
        prop_assert_eq!(accused(&verdict), None, "{:?}", verdict);
    }

    #[test]
    fn who_never_reaches_an_exit_is_not_accused_while_one_way_is_open(
        hung in hung(), x in 250.0f32..750.0, drift in -60.0f32..60.0, wobble in 0.0f32..25.0,
        end in 340.0f32..560.0, speed in 20.0f32..200.0, rest in 0.0f32..12.0,
    ) {
        let mut steps = wobbling(x, drift, wobble, end, speed);
        let (t, x, y) = steps[steps.len() - 1];
        steps.push((t + 0.1 + rest, x, y));
        for lamps in RIGHT_ALLOWED.into_iter().chain([Lamps::LeftOpen, Lamps::LeftRed]) {
            let verdict = judge(hung, lamps, &steps, BIKE);
            prop_assert_eq!(accused(&verdict), None, "{:?} {:?}", lamps, verdict);
            prop_assert!(never_allowed(&verdict), "{:?} {:?}", lamps, verdict);
        }
    }

    #[test]
    fn right_turns_are_never_taken_for_another_movement(
        hung in hung(), x in 300.0f32..780.0, start in 430.0f32..540.0, radius in 40.0f32..140.0,
        turn in 75.0f32..95.0, speed in 60.0f32..220.0,
    ) {
        let steps = turning(x, start, radius, turn, 900.0 - x, speed);
        for lamps in RIGHT_ALLOWED {
            prop_assert_eq!(accused(&judge(hung, lamps, &steps, BIKE)), None, "{:?}", lamps);
        }
        let verdict = judge(hung, Lamps::AllRed, &steps, BIKE);
        // A wide one that turns too little leaves by the exit's corner: then nothing may be said.
        let unclear = turn < 80.0 && verdict == Verdict::Abstained(Doubt::MovementUnclear);
        prop_assert!(unclear || accused(&verdict) == Some(Movement::Right), "{:?}", verdict);
    }

    #[test]
    fn a_wide_right_turn_over_the_exit_aheads_corner_is_not_straight(
        hung in hung(), x in 560.0f32..700.0, start in 305.0f32..400.0, corner in 0.0f32..1.0,
        speed in 60.0f32..220.0,
    ) {
        // Beyond the exit ahead, and still over the one to the right.
        let radius = 80.0 + corner * (start - 295.0);
        let steps = turning(x, start, radius, 90.0, 980.0 - x, speed);
        for lamps in RIGHT_ALLOWED {
            let verdict = judge(hung, lamps, &steps, BIKE);
            prop_assert_eq!(accused(&verdict), None, "{:?} {:?}", lamps, verdict);
        }
    }

    #[test]
    fn left_turns_are_left_or_unclear(
        hung in hung(), x in 220.0f32..700.0, start in 430.0f32..540.0, radius in 40.0f32..140.0,
        turn in 75.0f32..95.0, speed in 60.0f32..220.0, seen in 0.2f32..1.0,
    ) {
        let whole = turning(x, start, radius, -turn, x, speed);
        let verdict = judge(hung, Lamps::RightArrow, &whole, BIKE);
        prop_assert_eq!(accused(&verdict), Some(Movement::Left), "{:?}", verdict);
        prop_assert_eq!(accused(&judge(hung, Lamps::LeftOpen, &whole, BIKE)), None);
        // Lost from sight somewhere on the way.
        let until = whole[2].0 + seen * (whole[whole.len() - 1].0 - whole[2].0);
        let part: Steps = whole.iter().copied().filter(|step| step.0 <= until).collect();
        let verdict = judge(hung, Lamps::RightArrow, &part, BIKE);
        prop_assert!(never_allowed(&verdict), "{:?}", verdict);
        prop_assert_ne!(accused(&verdict), Some(Movement::Right), "{:?}", verdict);
        prop_assert_eq!(accused(&judge(hung, Lamps::LeftOpen, &part, BIKE)), None);
    }

    #[test]
    fn turning_round_under_an_open_left_is_never_accused(
        hung in hung(), x in 210.0f32..420.0, start in 360.0f32..520.0, radius in 60.0f32..150.0,
        turn in 150.0f32..200.0, on in 40.0f32..300.0, speed in 50.0f32..180.0,
    ) {
        let steps = turning(x, start, radius, -turn, on, speed);
        let verdict = judge(hung, Lamps::LeftOpen, &steps, BIKE);
        prop_assert_eq!(accused(&verdict), None, "{:?}", verdict);
    }
}
