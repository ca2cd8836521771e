//! Acts along a road: against a one-way stretch, over solid lines, in the emergency lane. The road
//! goes up and down the picture.

use contract::VehicleClass::{self, Bus, Car, Truck};

use super::luck::Luck;
use super::scene::{Camera, Case, Vehicle, Way};
use super::sight::Sight;
use super::{Class, lawful, violation};

const WRONG_WAY: &str = "wrong_way";
const FAST_WRONG_WAY: &str = "expressway_wrong_way";
const LINE: &str = "solid_line";
const LANES: &str = "lane_change";
const FAST_LANES: &str = "expressway_lane_change";
const EMERGENCY: &str = "expressway_emergency_lane";

pub const CLASSES: &[Class] = &[
    violation(WRONG_WAY, "goes against it", |luck| plain(luck, WRONG_WAY, against)),
    lawful(WRONG_WAY, "with traffic", |luck| hard(luck, WRONG_WAY, with)),
    lawful(WRONG_WAY, "waits in a queue", |luck| hard(luck, WRONG_WAY, queues)),
    lawful(WRONG_WAY, "across", |luck| hard(luck, WRONG_WAY, across)),
    lawful(WRONG_WAY, "backs a little", |luck| hard(luck, WRONG_WAY, backs)),
    lawful(WRONG_WAY, "beside it", |luck| hard(luck, WRONG_WAY, beside)),
    lawful(WRONG_WAY, "pushed on foot", |luck| hard(luck, WRONG_WAY, pushed)),
    lawful(WRONG_WAY, "exchanged with who comes beside it", |luck| exchanged(luck, WRONG_WAY)),
    violation(FAST_WRONG_WAY, "goes against it", |luck| plain(luck, FAST_WRONG_WAY, against)),
    lawful(FAST_WRONG_WAY, "with traffic", |luck| hard(luck, FAST_WRONG_WAY, with)),
    lawful(FAST_WRONG_WAY, "in a queue", |luck| hard(luck, FAST_WRONG_WAY, queues)),
    lawful(FAST_WRONG_WAY, "backs a little", |luck| hard(luck, FAST_WRONG_WAY, backs)),
    lawful(FAST_WRONG_WAY, "exchanged with who comes beside it", |luck| {
        exchanged(luck, FAST_WRONG_WAY)
    }),
    violation(LINE, "comes over it", |luck| plain(luck, LINE, over)),
    lawful(LINE, "beside it", |luck| hard(luck, LINE, along_line)),
    lawful(LINE, "touches it and comes back", |luck| hard(luck, LINE, touches)),
    lawful(LINE, "rides on it", |luck| hard(luck, LINE, rides_on)),
    lawful(LINE, "over beyond its end", |luck| hard(luck, LINE, beyond_end)),
    lawful(LINE, "round what stands there", |luck| round_something(luck, LINE)),
    lawful(LINE, "exchanged with who comes beside it", |luck| exchanged(luck, LINE)),
    violation(LANES, "changes over it", |luck| plain(luck, LANES, over)),
    lawful(LANES, "beside it", |luck| hard(luck, LANES, along_line)),
    lawful(LANES, "touches it and comes back", |luck| hard(luck, LANES, touches)),
    lawful(LANES, "straight across the road", |luck| hard(luck, LANES, across)),
    lawful(LANES, "round what stands there", |luck| round_something(luck, LANES)),
    lawful(LANES, "exchanged with who drives beside it", |luck| exchanged(luck, LANES)),
    violation(FAST_LANES, "changes over it", |luck| plain(luck, FAST_LANES, over)),
    lawful(FAST_LANES, "beside it", |luck| hard(luck, FAST_LANES, along_line)),
    lawful(FAST_LANES, "touches it and comes back", |luck| hard(luck, FAST_LANES, touches)),
    lawful(FAST_LANES, "exchanged with who drives beside it", |luck| exchanged(luck, FAST_LANES)),
    violation(EMERGENCY, "drives on in it", |luck| plain(luck, EMERGENCY, in_lane)),
    lawful(EMERGENCY, "in the lane beside", |luck| hard(luck, EMERGENCY, beside_lane)),
    lawful(EMERGENCY, "across it", |luck| hard(luck, EMERGENCY, across)),
    lawful(EMERGENCY, "comes to a stop in it", |luck| hard(luck, EMERGENCY, breaks_down)),
    lawful(EMERGENCY, "sets off in it", |luck| hard(luck, EMERGENCY, sets_off)),
    lawful(EMERGENCY, "swerves into it", |luck| hard(luck, EMERGENCY, swerves)),
    lawful(EMERGENCY, "standing in it, exchanged", |luck| exchanged(luck, EMERGENCY)),
];

fn site(act: &str, camera: Camera) -> String {
    let draws = |points: &[[f32; 2]]| camera.draws(points);
    let one_way = |expressway: bool| {
        let area = draws(&[[0.3, 0.1], [0.7, 0.1], [0.7, 0.85], [0.3, 0.85]]);
        let direction = draws(&[[0.5, 0.1], [0.5, 0.85]]);
        format!(
            "[[one_way]]\nname = \"1\"\narea = {area}\ndirection = {direction}\n\
             expressway = {expressway}"
        )
    };
    let line = |between: &str| {
        let line = draws(&[[0.5, 0.95], [0.5, 0.5], [0.5, 0.1]]);
        format!("[[solid_line]]\nname = \"1\"\nline = {line}\nbetween = {between:?}")
    };
    match act {
        WRONG_WAY => one_way(false),
        FAST_WRONG_WAY => one_way(true),
        LINE => line("directions"),
        LANES => line("lanes"),
        FAST_LANES => line("expressway_lanes"),
        _ => {
            let area = draws(&[[0.66, 0.0], [0.94, 0.0], [0.94, 1.0], [0.66, 1.0]]);
            format!("[[emergency_lane]]\nname = \"1\"\narea = {area}")
        }
    }
}

/// Motorbikes have no act of these on an expressway.
fn class(luck: &mut Luck, act: &str) -> VehicleClass {
    if act.starts_with("expressway") {
        luck.pick(&[Car, Bus, Truck])
    } else {
        luck.pick(&VehicleClass::ALL)
    }
}

type Going = fn(&mut Luck) -> Way;

fn plain(luck: &mut Luck, act: &str, going: Going) -> Case {
    let camera = Camera::any(luck, 6.0);
    let (class, way) = (class(luck, act), going(luck));
    let vehicle = Vehicle::new(luck, camera, class, way);
    let sight = Sight::plain(luck);
    Case::new(site(act, camera), vehicle, sight)
}

fn hard(luck: &mut Luck, act: &str, going: Going) -> Case {
    let mut case = plain(luck, act, going);
    case.sight = Sight::hard(luck, case.vehicle.end);
    case
}

/// Two who keep to their sides meet, or one passes the other; the track goes on as the other.
fn exchanged(luck: &mut Luck, act: &str) -> Case {
    let camera = Camera::any(luck, 6.0);
    let (y, pace) = (luck.between(300.0, 750.0), luck.between(150.0, 350.0));
    let meet = (960.0 - y) / pace;
    let up = |x: f32, y: f32| vec![(0.0, x, y + pace * meet), (meet + 4.0, x, y - pace * 4.0)];
    let down = |x: f32, y: f32| vec![(0.0, x, y - pace * meet), (meet + 4.0, x, y + pace * 4.0)];
    let apart = luck.between(-0.3, 0.3) * 100.0;
    let (one, other) = match act {
        // With traffic, and beside the stretch against it.
        WRONG_WAY | FAST_WRONG_WAY => {
            (down(luck.between(320.0, 400.0), y), up(luck.between(200.0, 290.0), y + apart))
        }
        LINE => (up(luck.between(540.0, 600.0), y), down(luck.between(400.0, 460.0), y + apart)),
        EMERGENCY => {
            let (x, beside) = (luck.between(740.0, 860.0), luck.between(540.0, 640.0));
            (vec![(0.0, x, y), (9.0, x, y)], up(beside, y + apart))
        }
        _ => (up(luck.between(540.0, 600.0), y), up(luck.between(400.0, 460.0), y + apart)),
    };
    let (a, b) = (class(luck, act), class(luck, act));
    let one = Vehicle::new(luck, camera, a, one);
    let other = Vehicle::new(luck, camera, b, other);
    let sight = Sight::exchange(luck, other.end, meet);
    Case::new(site(act, camera), one.exchanged(meet, other), sight)
}

fn against(luck: &mut Luck) -> Way {
    let (x, sways) = (luck.between(370.0, 630.0), luck.between(-30.0, 30.0));
    let took = luck.between(2.6, 4.5);
    vec![(0.0, x, 985.0), (took / 2.0, x + sways, 560.0), (took, x, 30.0)]
}

fn with(luck: &mut Luck) -> Way {
    let (x, to, took) =
        (luck.between(310.0, 690.0), luck.between(310.0, 690.0), luck.between(2.0, 9.0));
    vec![(0.0, x, 30.0), (took, to, 985.0)]
}

fn queues(luck: &mut Luck) -> Way {
    let x = luck.between(320.0, 680.0);
    let (mut t, mut y) = (0.0, 30.0);
    let mut way = vec![(t, x, y)];
    while y < 960.0 {
        t += luck.between(0.5, 2.0);
        y += luck.between(60.0, 300.0);
        way.push((t, x, y));
        t += luck.between(0.5, 6.0);
        way.push((t, x, y));
    }
    way
}

fn across(luck: &mut Luck) -> Way {
    let (y, down, took) =
        (luck.between(250.0, 850.0), luck.between(-120.0, 120.0), luck.between(2.0, 9.0));
    vec![(0.0, 40.0, y), (took, 960.0, y + down)]
}

/// By up to a height of it, and then on.
fn backs(luck: &mut Luck) -> Way {
    let (x, y, back) =
        (luck.between(330.0, 670.0), luck.between(400.0, 750.0), luck.between(10.0, 110.0));
    let waits = luck.between(0.5, 4.0);
    vec![
        (0.0, x, 30.0),
        (2.0, x, y),
        (2.0 + waits, x, y),
        (4.5 + waits, x, y - back),
        (8.0 + waits, x, 970.0),
    ]
}

/// Against it, on the other half of the road.
fn beside(luck: &mut Luck) -> Way {
    let x = luck.pick(&[luck.clone().between(100.0, 285.0), luck.clone().between(715.0, 900.0)]);
    vec![(0.0, x, 985.0), (luck.between(2.0, 8.0), x, 30.0)]
}

fn pushed(luck: &mut Luck) -> Way {
    let x = luck.between(350.0, 650.0);
    vec![(0.0, x, 985.0), (luck.between(22.0, 40.0), x, 30.0)]
}

fn over(luck: &mut Luck) -> Way {
    let (x, to) = (luck.between(620.0, 680.0), luck.between(310.0, 370.0));
    let (from, until) = (luck.between(720.0, 780.0), luck.between(440.0, 500.0));
    let pace = luck.between(0.8, 1.4);
    [(0.0, x, 985.0), (1.0, x, from), (2.6, to, until), (4.6, to, 120.0)]
        .map(|(t, x, y)| (t * pace, x, y))
        .to_vec()
}

fn along_line(luck: &mut Luck) -> Way {
    let (x, to) = (luck.between(545.0, 800.0), luck.between(545.0, 800.0));
    vec![(0.0, x, 985.0), (luck.between(2.0, 8.0), to, 30.0)]
}

fn touches(luck: &mut Luck) -> Way {
    let (x, to) = (luck.between(580.0, 700.0), luck.between(490.0, 530.0));
    let took = luck.between(3.0, 6.0);
    vec![(0.0, x, 985.0), (0.4 * took, to, 600.0), (0.5 * took, to, 500.0), (took, x, 60.0)]
}

fn rides_on(luck: &mut Luck) -> Way {
    let (x, to) = (luck.between(492.0, 508.0), luck.between(492.0, 508.0));
    vec![(0.0, x, 985.0), (luck.between(3.0, 8.0), to, 30.0)]
}

fn beyond_end(luck: &mut Luck) -> Way {
    let x = luck.between(560.0, 660.0);
    let y = luck.between(40.0, 85.0);
    vec![(0.0, x, 600.0), (2.0, x, y), (luck.between(3.5, 5.0), 300.0, y - 5.0)]
}

/// Something stands on its side; it goes round it over the line.
fn round_something(luck: &mut Luck, act: &str) -> Case {
    let camera = Camera::any(luck, 6.0);
    let a = class(luck, act);
    let way = over(luck);
    let (x, y) = (way[1].1, luck.between(480.0, 600.0));
    let vehicle = Vehicle::new(luck, camera, a, way);
    let sight = Sight::hard(luck, vehicle.end);
    let stands = Vehicle::new(luck, camera, a, vec![(-60.0, x, y), (60.0, x, y)]);
    let mut case = Case::new(site(act, camera), vehicle, sight);
    case.others.push(stands);
    case
}

fn in_lane(luck: &mut Luck) -> Way {
    let x = luck.between(770.0, 830.0);
    let way = vec![(0.0, x, 1060.0), (luck.between(2.8, 4.5), x, -60.0)];
    if luck.chance(0.5) {
        way
    } else {
        way.into_iter().map(|(t, x, y)| (t, x, 1000.0 - y)).collect()
    }
}

fn beside_lane(luck: &mut Luck) -> Way {
    let (x, to) = (luck.between(200.0, 645.0), luck.between(200.0, 645.0));
    vec![(0.0, x, 1060.0), (luck.between(2.0, 9.0), to, -60.0)]
}

fn breaks_down(luck: &mut Luck) -> Way {
    let (x, y) = (luck.between(770.0, 830.0), luck.between(150.0, 650.0));
    let comes = luck.between(1.0, 3.0);
    let stops = comes + luck.between(1.0, 3.0);
    let stands = stops + luck.between(2.5, 20.0);
    vec![(0.0, 560.0, 1060.0), (comes, x, (y + 900.0) / 2.0), (stops, x, y), (stands, x, y)]
}

fn sets_off(luck: &mut Luck) -> Way {
    let (x, y) = (luck.between(770.0, 830.0), luck.between(600.0, 900.0));
    let stands = luck.between(2.0, 12.0);
    let goes = luck.between(2.0, 4.0);
    vec![(0.0, x, y), (stands, x, y), (stands + goes, x, 200.0), (stands + goes + 1.5, 500.0, 0.0)]
}

fn swerves(luck: &mut Luck) -> Way {
    let (x, to) = (luck.between(500.0, 620.0), luck.between(660.0, 800.0));
    let y = luck.between(500.0, 700.0);
    vec![(0.0, x, 1060.0), (1.2, x, y + 160.0), (1.8, to, y), (2.4, x, y - 160.0), (4.0, x, -60.0)]
}
