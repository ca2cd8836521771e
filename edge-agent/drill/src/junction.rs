//! Acts at a stop line: red light, stopping over the line, banned turns, wrong lanes. The line lies
//! across the middle, at y = 600, travel goes up the picture; there are three ways out.

use contract::{Movement, VehicleClass};
use judge::lamp::Light::{Amber, Green, Red};

use super::luck::Luck;
use super::scene::{Camera, Case, Head, Vehicle, Way};
use super::sight::Sight;
use super::ways::{Going, at, going, leans_left, left, right, rolls_back, round, straight, swings};
use super::{Class, lawful, violation};

pub const CLASSES: &[Class] = &[
    violation("red_light", "straight on", |luck| red(luck, straight)),
    violation("red_light", "to the left", |luck| red(luck, left)),
    lawful("red_light", "on green", on_green),
    lawful("red_light", "just before red", just_before_red),
    lawful("red_light", "in red's first moment", reds_first_moment),
    lawful("red_light", "waits before the line", |luck| waits(luck, "red_light")),
    lawful("red_light", "stops over the line until green", over_until_green),
    lawful("red_light", "to the right, which no lamp governs", |luck| red_lawful(luck, right)),
    lawful("red_light", "sets off on green", |luck| sets_off(luck, 0.0)),
    lawful("red_light", "sets off on green, the lamp seen late", |luck| sets_off(luck, 2.0)),
    lawful("red_light", "comes to green, the lamp seen late", comes_to_green),
    lawful("red_light", "under a green left arrow", left_arrow),
    lawful("red_light", "on green that is hardly read", hardly_read),
    lawful("red_light", "waits, exchanged with who crosses", |luck| crossed(luck, "red_light")),
    lawful("red_light", "from the side road", |luck| from_the_side(luck, "red_light")),
    violation("stop_line", "stands over the line on red", |luck| over_line(luck, (6.0, 12.0))),
    lawful("stop_line", "waits before the line", |luck| waits(luck, "stop_line")),
    lawful("stop_line", "caught there by red", caught_by_red),
    lawful("stop_line", "stands there on green", stands_on_green),
    lawful("stop_line", "stops there shortly", |luck| over_line(luck, (0.3, 2.0))),
    lawful("stop_line", "waits, exchanged with who crosses", |luck| crossed(luck, "stop_line")),
    violation("no_turn", "to the left", |luck| turns_plainly(luck, "no_turn", left)),
    lawful("no_turn", "straight on", |luck| turns(luck, "no_turn", straight)),
    lawful("no_turn", "to the right", |luck| turns(luck, "no_turn", right)),
    lawful("no_turn", "changes lanes to the left", |luck| turns(luck, "no_turn", leans_left)),
    lawful("no_turn", "swings out to the left, then right", |luck| turns(luck, "no_turn", swings)),
    lawful("no_turn", "waits before the line", |luck| waits(luck, "no_turn")),
    lawful("no_turn", "waits, exchanged with who crosses", |luck| crossed(luck, "no_turn")),
    lawful("no_turn", "from the side road", |luck| from_the_side(luck, "no_turn")),
    violation("no_u_turn", "turns round", |luck| turns_plainly(luck, "no_u_turn", round)),
    lawful("no_u_turn", "to the left", |luck| turns(luck, "no_u_turn", left)),
    lawful("no_u_turn", "straight on", |luck| turns(luck, "no_u_turn", straight)),
    lawful("no_u_turn", "rolls back over the line", |luck| turns(luck, "no_u_turn", rolls_back)),
    lawful("no_u_turn", "exchanged with who comes against", meets),
    violation("wrong_lane", "left from the middle", |luck| lanes(luck, (430.0, 570.0), left)),
    violation("wrong_lane", "ahead from the left", |luck| lanes(luck, (190.0, 290.0), straight)),
    lawful("wrong_lane", "left from the left", |luck| lanes(luck, (190.0, 290.0), left)),
    lawful("wrong_lane", "ahead from the middle", |luck| lanes(luck, (430.0, 570.0), straight)),
    lawful("wrong_lane", "right from the right", |luck| lanes(luck, (710.0, 820.0), right)),
    lawful("wrong_lane", "ahead from the right", |luck| lanes(luck, (710.0, 820.0), straight)),
    lawful("wrong_lane", "changed lanes before the line", changed_before),
    lawful("wrong_lane", "waits, exchanged with who crosses", |luck| crossed(luck, "wrong_lane")),
];

const LANES: [(&str, f32, f32, &str); 3] =
    [("1", 0.1, 0.37, "left"), ("2", 0.37, 0.63, "straight"), ("3", 0.63, 0.9, "right")];

/// The junction as the camera sees it, and what is needed for an act.
fn site(act: &str, camera: Camera) -> String {
    // In a mirror left is right.
    let word = |word: &str| match word {
        "left" if camera.mirrored => "right".to_owned(),
        "right" if camera.mirrored => "left".to_owned(),
        word => word.to_owned(),
    };
    let exits = [
        ("straight", [[0.25, 0.3], [0.75, 0.3]]),
        ("left", [[0.1, 0.58], [0.1, 0.2]]),
        ("right", [[0.9, 0.58], [0.9, 0.2]]),
    ];
    let exits = exits.map(|(movement, line)| {
        format!("{{ movement = {:?}, line = {} }}", word(movement), camera.draws(&line))
    });
    let exits = exits.join(", ");
    // Who may turn round comes back beside the line.
    let begin = if act == "no_u_turn" { 0.4 } else { 0.1 };
    let line = camera.draws(&[[begin, 0.6], [0.9, 0.6]]);
    let approach = camera.draws(&[[0.1, 1.0], [0.1, 0.6], [0.9, 0.6], [0.9, 1.0]]);
    let more = match act {
        "no_turn" => format!("[[turn_ban]]\nmovements = [{:?}]", word("left")),
        "no_u_turn" => "[[turn_ban]]\nmovements = [\"u_turn\"]".to_owned(),
        "wrong_lane" => LANES
            .map(|(name, from, to, way)| {
                let area = camera.draws(&[[from, 1.0], [from, 0.6], [to, 0.6], [to, 1.0]]);
                let ahead = if name == "3" { ", \"straight\"" } else { "" };
                let way = word(way);
                format!("[[lanes]]\nname = {name:?}\narea = {area}\nallowed = [{way:?}{ahead}]")
            })
            .join("\n"),
        _ => String::new(),
    };
    format!(
        "rules = [{act:?}]\nstop_line = {line}\napproach = {approach}\nexits = [{exits}]\n{more}"
    )
}

/// Who turns round is left of the line in the picture, so no mirror there.
fn camera(luck: &mut Luck, act: &str) -> Camera {
    let camera = Camera::any(luck, 8.0);
    Camera { mirrored: camera.mirrored && act != "no_u_turn", ..camera }
}

fn governed(luck: &mut Luck, camera: Camera, phases: Vec<(f32, judge::lamp::Light)>) -> Head {
    let side = if camera.mirrored { Movement::Right } else { Movement::Left };
    Head { controls: vec![Movement::Straight, side], ..Head::round(luck, phases) }
}

fn case(luck: &mut Luck, act: &str, way: Way, plain: bool) -> Case {
    let camera = camera(luck, act);
    let class = luck.pick(&VehicleClass::ALL);
    let vehicle = Vehicle::new(luck, camera, class, way);
    let sight = if plain { Sight::plain(luck) } else { Sight::hard(luck, vehicle.end) };
    let mut case = Case::new(site(act, camera), vehicle, sight);
    case.heads = vec![governed(luck, camera, vec![(-60.0, Red)])];
    case
}

/// Under a lamp that changes so.
fn under(luck: &mut Luck, way: Way, phases: &[(f32, judge::lamp::Light)]) -> Case {
    let mut case = case(luck, "red_light", way, false);
    case.heads[0].phases = phases.to_vec();
    case
}

fn red(luck: &mut Luck, to: Going) -> Case {
    let way = going(luck, to);
    let since = at(&way, 600.0) - luck.between(2.2, 9.0);
    let mut case = case(luck, "red_light", way, true);
    case.heads[0].phases = vec![(-60.0, Green), (since - 3.0, Amber), (since, Red)];
    case
}

fn red_lawful(luck: &mut Luck, to: Going) -> Case {
    let x = luck.between(500.0, 750.0);
    let way = to(luck, x);
    under(luck, way, &[(-60.0, Red)])
}

fn on_green(luck: &mut Luck) -> Case {
    let to = luck.pick(&[straight as Going, left, right]);
    let way = going(luck, to);
    let green = at(&way, 700.0) - luck.between(0.5, 9.0);
    under(luck, way, &[(-60.0, Red), (green, Green)])
}

fn just_before_red(luck: &mut Luck) -> Case {
    let to = luck.pick(&[straight as Going, left]);
    let way = going(luck, to);
    let red = at(&way, 600.0) + luck.between(0.02, 2.0);
    let amber = red - luck.between(2.5, 3.5);
    under(luck, way, &[(-60.0, Green), (amber, Amber), (red, Red)])
}

fn reds_first_moment(luck: &mut Luck) -> Case {
    let to = luck.pick(&[straight as Going, left]);
    let way = going(luck, to);
    let red = at(&way, 600.0) - luck.between(0.0, 0.25);
    under(luck, way, &[(-60.0, Green), (red - 3.0, Amber), (red, Red)])
}

/// Before the line, often covered there: then the box ends above it.
fn waits(luck: &mut Luck, act: &str) -> Case {
    let (x, y) = (luck.between(200.0, 800.0), luck.between(607.0, 760.0));
    let until = luck.between(5.0, 14.0);
    let mut case = case(luck, act, vec![(0.0, x, 955.0), (2.0, x, y), (until, x, y - 2.0)], false);
    let from = luck.between(1.0, until);
    let share = luck.between(0.1, 0.9);
    case.sight.covered.push((from, from + luck.between(0.5, 5.0), share));
    case
}

fn over_until_green(luck: &mut Luck) -> Case {
    let (x, y) = (luck.between(330.0, 670.0), luck.between(530.0, 590.0));
    let (stands, goes) = (2.0, luck.between(5.0, 12.0));
    let way = vec![(0.0, x, 955.0), (stands, x, y), (goes, x, y), (goes + 3.0, x, 90.0)];
    let green = goes - luck.between(0.5, 2.5);
    under(luck, way, &[(-60.0, Red), (green, Green)])
}

fn sets_off(luck: &mut Luck, late: f32) -> Case {
    let (x, y) = (luck.between(330.0, 670.0), luck.between(612.0, 690.0));
    let goes = luck.between(4.0, 10.0);
    let way = vec![(0.0, x, 955.0), (2.0, x, y), (goes, x, y), (goes + 4.0, x, 90.0)];
    let green = goes - luck.between(0.1, 2.0);
    let mut case = under(luck, way, &[(-60.0, Red), (green, Green)]);
    case.heads[0].late = luck.between(0.0, late.max(0.01));
    case
}

fn comes_to_green(luck: &mut Luck) -> Case {
    let to = luck.pick(&[straight as Going, left]);
    let way = going(luck, to);
    let green = at(&way, 600.0) - luck.between(0.1, 3.0);
    let mut case = under(luck, way, &[(-60.0, Red), (green, Green)]);
    case.heads[0].late = luck.between(0.0, 2.0);
    case
}

fn left_arrow(luck: &mut Luck) -> Case {
    let way = going(luck, left);
    let green = at(&way, 600.0) - luck.between(0.5, 8.0);
    let mut case = under(luck, way, &[(-60.0, Red)]);
    let controls = vec![case.heads[0].controls[1]];
    let mut arrow = Head { controls, arrow: true, ..case.heads[0].clone() };
    arrow.phases = vec![(green, Green)];
    case.heads.push(arrow);
    case
}

fn hardly_read(luck: &mut Luck) -> Case {
    let mut case = on_green(luck);
    case.heads[0].dark = luck.between(0.3, 0.9);
    case.heads[0].unclear = luck.between(0.0, 0.4);
    case
}

/// It waits; who comes from the side passes before it, and the track goes on as that one.
fn crossed(luck: &mut Luck, act: &str) -> Case {
    let camera = camera(luck, act);
    let class = luck.pick(&VehicleClass::ALL);
    let (x, y) = (luck.between(300.0, 700.0), luck.between(607.0, 660.0));
    let waits = Vehicle::new(luck, camera, class, vec![(0.0, x, 955.0), (2.0, x, y), (15.0, x, y)]);
    let (from, to, passes) = (1060.0, -120.0, luck.between(480.0, 590.0));
    let (start, took) = (luck.between(1.0, 5.0), luck.between(2.5, 6.0));
    let class = luck.pick(&VehicleClass::ALL);
    let way = vec![(start, from, passes), (start + took, to, passes - luck.between(0.0, 90.0))];
    let other = Vehicle::new(luck, camera, class, way);
    let meet = start + took * (from - x) / (from - to);
    let sight = Sight::exchange(luck, other.end, meet);
    let mut case = Case::new(site(act, camera), waits.exchanged(meet, other), sight);
    case.heads = vec![governed(luck, camera, vec![(-60.0, Red)])];
    case
}

/// It goes straight on; who comes from ahead passes beside it, and the track goes back as that one.
fn meets(luck: &mut Luck) -> Case {
    let camera = camera(luck, "no_u_turn");
    let class = luck.pick(&VehicleClass::ALL);
    let x = luck.between(430.0, 500.0);
    let way = straight(luck, x);
    let y = luck.between(300.0, 560.0);
    let meet = at(&way, y);
    let goes = Vehicle::new(luck, camera, class, way);
    let beside = luck.between(320.0, 390.0);
    let took = luck.between(0.8, 2.0);
    let against =
        vec![(meet - took, beside, 90.0), (meet, beside, y), (meet + took, beside, 955.0)];
    let class = luck.pick(&VehicleClass::ALL);
    let other = Vehicle::new(luck, camera, class, against);
    let sight = Sight::exchange(luck, other.end, meet);
    Case::new(site("no_u_turn", camera), goes.exchanged(meet, other), sight)
}

fn from_the_side(luck: &mut Luck, act: &str) -> Case {
    let took = luck.between(3.0, 7.0);
    let (from, to) = (luck.between(400.0, 570.0), luck.between(350.0, 500.0));
    case(luck, act, vec![(0.0, 1060.0, from), (took, -120.0, to)], false)
}

/// It stops plainly over the line on red and stays for so long.
fn over_line(luck: &mut Luck, (from, to): (f32, f32)) -> Case {
    let (x, y) = (luck.between(200.0, 800.0), luck.between(535.0, 558.0));
    let until = luck.between(2.0, 2.6) + luck.between(from, to);
    let way = vec![(0.0, x, 955.0), (2.0, x, y), (until, x, y), (until + 3.0, x, -60.0)];
    case(luck, "stop_line", way, from > 3.0)
}

/// Over the line on green or amber, and still there after red came.
fn caught_by_red(luck: &mut Luck) -> Case {
    let mut case = over_line(luck, (6.0, 14.0));
    case.sight = Sight::hard(luck, case.vehicle.end);
    let red = luck.between(1.9, 5.0);
    case.heads[0].phases = vec![(-60.0, Green), (red - 3.0, Amber), (red, Red)];
    case
}

fn stands_on_green(luck: &mut Luck) -> Case {
    let mut case = over_line(luck, (6.0, 14.0));
    case.sight = Sight::hard(luck, case.vehicle.end);
    case.heads[0].phases = vec![(-60.0, Red), (luck.between(-9.0, 1.2), Green)];
    case
}

fn turns(luck: &mut Luck, act: &str, to: Going) -> Case {
    let way = going(luck, to);
    case(luck, act, way, false)
}

fn turns_plainly(luck: &mut Luck, act: &str, to: Going) -> Case {
    let way = going(luck, to);
    case(luck, act, way, true)
}

fn lanes(luck: &mut Luck, (from, to): (f32, f32), going: Going) -> Case {
    let x = luck.between(from, to);
    let way = going(luck, x);
    let mut case = case(luck, "wrong_lane", way, false);
    case.sight = Sight::plain(luck);
    case
}

fn changed_before(luck: &mut Luck) -> Case {
    let (x, to) = (luck.between(430.0, 570.0), luck.between(200.0, 280.0));
    let took = luck.between(5.0, 7.0);
    let way = vec![(0.0, x, 955.0), (1.0, to, 850.0), (2.8, to, 560.0), (took, -120.0, 450.0)];
    case(luck, "wrong_lane", way, false)
}
