//! Acts in a place: where a class may not go, and where nobody may stop.

use contract::VehicleClass::{self, Bus, Car, Motorbike, Truck};
use judge::lamp::Light::{Green, Red};
use time::Duration;
use time::macros::datetime;

use super::luck::Luck;
use super::scene::{Camera, Case, Head, Vehicle, Way};
use super::sight::Sight;
use super::{Class, lawful, violation};

const ROAD: &str = "prohibited_road";
const STOP: &str = "stop_place";

pub const CLASSES: &[Class] = &[
    violation(ROAD, "drives there", |luck| road(luck, Truck, inside, true)),
    lawful(ROAD, "another class", |luck| {
        let class = luck.pick(&[Motorbike, Car, Bus]);
        road(luck, class, inside, false)
    }),
    lawful(ROAD, "beside it", |luck| road(luck, Truck, outside, false)),
    lawful(ROAD, "along its edge", |luck| road(luck, Truck, edge, false)),
    lawful(ROAD, "cuts its corner", |luck| road(luck, Truck, corner, false)),
    lawful(ROAD, "stands there", |luck| road(luck, Truck, stands_inside, false)),
    lawful(ROAD, "outside the hours", outside_hours),
    lawful(ROAD, "perhaps another class", unsure_class),
    lawful(ROAD, "beside it, exchanged with who may", exchanged_road),
    violation(STOP, "stands there", |luck| stop(luck, 12.0, 25.0, true)),
    lawful(STOP, "drops somebody off", |luck| stop(luck, 0.5, 7.5, false)),
    lawful(STOP, "drives through", |luck| place(luck, drives_through)),
    lawful(STOP, "creeps through", |luck| place(luck, creeps)),
    lawful(STOP, "stands just outside", |luck| place(luck, stands_outside)),
    lawful(STOP, "in a queue", in_a_queue),
    lawful(STOP, "under the lamp's red", under_red),
    lawful(STOP, "two one after another at one place", one_after_another),
];

/// Who stands where the law gives the place a name of its own.
pub const ELSEWHERE: &[Class] = &[
    violation("park_place", "stands there", |luck| named(luck, "park_place", &VehicleClass::ALL)),
    violation("park_junction", "stands there", |luck| {
        named(luck, "park_junction", &VehicleClass::ALL)
    }),
    violation("park_railway", "stands there", |luck| {
        named(luck, "park_railway", &VehicleClass::ALL)
    }),
    violation("stop_one_way_left", "stands there", |luck| named(luck, "stop_one_way_left", &CARS)),
    violation("stop_tunnel", "stands there", |luck| named(luck, "stop_tunnel", &VehicleClass::ALL)),
    violation("stop_bridge", "stands there", |luck| named(luck, "stop_bridge", &[Motorbike])),
    violation("expressway_stop", "stands there", |luck| named(luck, "expressway_stop", &CARS)),
];

const CARS: [VehicleClass; 3] = [Car, Bus, Truck];

fn case(luck: &mut Luck, act: &str, class: VehicleClass, way: Way, camera: Camera) -> Case {
    let draws = |points: &[[f32; 2]]| camera.draws(points);
    let site = if act == ROAD {
        let area = draws(&[[0.2, 0.05], [0.55, 0.05], [0.55, 0.95], [0.2, 0.95]]);
        format!(
            "[[forbidden]]\nname = \"1\"\narea = {area}\nclasses = [\"truck\"]\n\
             hours = [\"06:00-09:00\", \"16:00-20:00\"]"
        )
    } else {
        let area = draws(&[[0.2, 0.3], [0.8, 0.3], [0.8, 0.9], [0.2, 0.9]]);
        format!("[[no_stopping]]\nname = \"1\"\narea = {area}\nseconds = 9")
    };
    let vehicle = Vehicle::new(luck, camera, class, way);
    let sight = Sight::hard(luck, vehicle.end);
    let mut case = Case::new(site, vehicle, sight);
    case.start = Some(datetime!(2026-11-21 07:00 +7));
    case
}

fn plainly(luck: &mut Luck, mut case: Case) -> Case {
    case.sight = Sight::plain(luck);
    case
}

type Going = fn(&mut Luck) -> Way;

fn road(luck: &mut Luck, class: VehicleClass, going: Going, plain: bool) -> Case {
    let (way, camera) = (going(luck), Camera::any(luck, 5.0));
    let case = case(luck, ROAD, class, way, camera);
    if plain { plainly(luck, case) } else { case }
}

fn inside(luck: &mut Luck) -> Way {
    let (x, to) = (luck.between(340.0, 410.0), luck.between(340.0, 410.0));
    vec![(0.0, x, 1060.0), (luck.between(3.0, 9.0), to, -60.0)]
}

fn outside(luck: &mut Luck) -> Way {
    let (x, to) = (luck.between(575.0, 800.0), luck.between(575.0, 800.0));
    vec![(0.0, x, 1060.0), (luck.between(3.0, 9.0), to, -60.0)]
}

fn edge(luck: &mut Luck) -> Way {
    let (x, to) = (luck.between(550.0, 565.0), luck.between(550.0, 565.0));
    vec![(0.0, x, 1060.0), (luck.between(3.0, 9.0), to, -60.0)]
}

fn corner(luck: &mut Luck) -> Way {
    let y = luck.between(300.0, 700.0);
    let deep = luck.between(420.0, 560.0);
    vec![(0.0, 750.0, y + 110.0), (2.0, deep, y), (luck.between(3.5, 6.0), 750.0, y - 110.0)]
}

fn stands_inside(luck: &mut Luck) -> Way {
    let (x, y) = (luck.between(340.0, 410.0), luck.between(300.0, 800.0));
    vec![(0.0, x, y), (luck.between(5.0, 20.0), x, y)]
}

fn outside_hours(luck: &mut Luck) -> Case {
    let mut case = road(luck, Truck, inside, false);
    let minutes = luck.between(3.0, 400.0);
    case.start = Some(datetime!(2026-11-21 09:00 +7) + Duration::seconds((minutes * 60.0) as i64));
    case
}

/// Whatever it is, the detector was not sure of a lorry.
fn unsure_class(luck: &mut Luck) -> Case {
    let mut case = road(luck, Truck, inside, false);
    case.sight.class_share = luck.between(0.3, 0.74);
    case
}

fn exchanged_road(luck: &mut Luck) -> Case {
    let camera = Camera::any(luck, 5.0);
    let (x, beside) = (luck.between(585.0, 640.0), luck.between(430.0, 500.0));
    let took = luck.between(4.0, 8.0);
    let meet = took * luck.between(0.2, 0.6);
    let mut case = case(luck, ROAD, Truck, vec![(0.0, x, 1060.0), (took, x, -60.0)], camera);
    let class = luck.pick(&[Motorbike, Car, Bus]);
    let other =
        Vehicle::new(luck, camera, class, vec![(0.0, beside, 1060.0), (took, beside, -60.0)]);
    case.vehicle = case.vehicle.exchanged(meet, other);
    case.sight = Sight { class_share: case.sight.class_share, ..Sight::exchange(luck, took, meet) };
    case
}

/// It comes from above, stands for so long, and goes on.
fn stands(luck: &mut Luck, from: f32, to: f32) -> Way {
    let (x, y) = (luck.between(300.0, 700.0), luck.between(420.0, 800.0));
    let until = 2.5 + luck.between(from, to);
    vec![(0.0, x, -20.0), (2.5, x, y), (until, x, y), (until + 2.5, x, 1060.0)]
}

fn stop(luck: &mut Luck, from: f32, to: f32, plain: bool) -> Case {
    let (way, camera) = (stands(luck, from, to), Camera::any(luck, 5.0));
    let class = luck.pick(&VehicleClass::ALL);
    let case = case(luck, STOP, class, way, camera);
    if plain { plainly(luck, case) } else { case }
}

fn named(luck: &mut Luck, act: &str, classes: &[VehicleClass]) -> Case {
    let (way, camera) = (stands(luck, 12.0, 25.0), Camera::any(luck, 5.0));
    let class = luck.pick(classes);
    let mut case = case(luck, STOP, class, way, camera);
    case.site.push_str(&format!("\nact = {act:?}"));
    plainly(luck, case)
}

fn place(luck: &mut Luck, going: Going) -> Case {
    let (way, camera) = (going(luck), Camera::any(luck, 5.0));
    let class = luck.pick(&VehicleClass::ALL);
    case(luck, STOP, class, way, camera)
}

fn drives_through(luck: &mut Luck) -> Way {
    let x = luck.between(250.0, 750.0);
    vec![(0.0, x, -20.0), (luck.between(2.0, 22.0), x, 1060.0)]
}

fn creeps(luck: &mut Luck) -> Way {
    let x = luck.between(300.0, 700.0);
    let (mut t, mut y) = (0.0, -20.0);
    let mut way = vec![(t, x, y)];
    while y < 950.0 {
        y += luck.between(60.0, 200.0);
        t += luck.between(0.8, 2.5);
        way.push((t, x, y));
        t += luck.between(1.0, 7.0);
        way.push((t, x, y));
    }
    way
}

fn stands_outside(luck: &mut Luck) -> Way {
    let (x, y) = (luck.between(815.0, 880.0), luck.between(300.0, 900.0));
    vec![(0.0, x, -20.0), (2.5, x, y), (luck.between(14.0, 40.0), x, y)]
}

fn in_a_queue(luck: &mut Luck) -> Case {
    let camera = Camera::any(luck, 5.0);
    let way = stands(luck, 10.0, 30.0);
    let (x, y, until) = (way[1].1, way[1].2, way[2].0);
    let class = luck.pick(&VehicleClass::ALL);
    let mut case = case(luck, STOP, class, way, camera);
    let ahead = y + luck.between(120.0, 260.0);
    let queue = vec![(-30.0, x, ahead), (until - luck.between(0.0, 2.0), x, ahead), (99.0, x, 2e3)];
    case.others.push(Vehicle::new(luck, camera, class, queue));
    case
}

fn under_red(luck: &mut Luck) -> Case {
    let mut case = stop(luck, 10.0, 30.0, false);
    case.site.push_str("\nlamp = true");
    let goes = case.vehicle.end - 2.5;
    let phases = vec![(-60.0, Red), (goes - luck.between(0.3, 3.0), Green)];
    let mut head = Head::round(luck, phases);
    head.late = luck.between(0.0, 2.0);
    case.heads.push(head);
    case
}

/// One drives off while nobody can see it, another comes to stand there: neither for long.
fn one_after_another(luck: &mut Luck) -> Case {
    let camera = Camera::any(luck, 5.0);
    let (x, y) = (luck.between(300.0, 700.0), luck.between(420.0, 800.0));
    let class = luck.pick(&VehicleClass::ALL);
    let first = 2.5 + luck.between(2.0, 7.0);
    let hidden = luck.between(2.2, 6.0);
    let until = first + hidden + luck.between(2.0, 7.0);
    let way = vec![(0.0, x, -20.0), (2.5, x, y), (until, x, y)];
    let mut case = case(luck, STOP, class, way, camera);
    let by = luck.between(-30.0, 30.0);
    let then = vec![(first, x + by, y), (until, x + by, y), (until + 2.5, x, 1060.0)];
    let other = Vehicle::new(luck, camera, class, then);
    case.vehicle = case.vehicle.exchanged(first + hidden / 2.0, other);
    case.sight = Sight::plain(luck);
    case.sight.gaps.push((first, first + hidden));
    case
}
