//! What the cameras saw of a life: its package, with a number, a camera and a place of its own.

use contract::facts::{
    Direction, Facts, Lamp, Lane, Line, LineKind, Lit, Measured, Speed, Unit as In, Zone,
};
use contract::plate::PlateClass;
use contract::{Act, FileRole, Manifest, Movement, VehicleClass};

use super::life::Life;

/// The number that the vehicle of the `n`th life has.
pub fn plate(n: usize, life: &Life) -> String {
    // Far apart: nobody takes one for another.
    let number = 10_000 + n * 7919 % 90_000;
    if life.is_car() { format!("30F{number}") } else { format!("29AA{number}") }
}

/// The same as a registry writes it.
pub fn written(n: usize, life: &Life) -> String {
    let text = plate(n, life);
    let (series, number) = text.split_at(text.len() - 5);
    let (area, letters) = series.split_at(2);
    let (head, tail) = number.split_at(3);
    match life.is_car() {
        true => format!("{area}{letters}-{head}.{tail}"),
        false => format!("{area}-{letters} {head}.{tail}"),
    }
}

/// Lives that a recall finds are of one camera.
pub const RECALLED: &str = "cam-recalled";

pub fn edit(manifest: &mut Manifest, n: usize, life: &Life) {
    let later = life.acted() - manifest.violation.at;
    manifest.violation.at += later;
    let stays = !matches!(life.act.as_str(), "red_light" | "stop_line" | "wrong_lane")
        && !["no_turn", "no_u_turn", "lane_change", "solid_line"].contains(&life.act.as_str());
    for file in &mut manifest.files {
        file.captured_at += later;
        if stays && file.role == FileRole::Scene {
            file.name = file.name.replace("before", "begin").replace("past", "end");
            file.name = file.name.replace("on.jpg", "during.jpg");
        }
    }
    let is_recalled = life.steps.iter().any(|step| step.starts_with("recall"));
    manifest.camera.id = if is_recalled { RECALLED.into() } else { format!("cam-{n}") };
    manifest.camera.place = format!("Nút giao số {n}");
    manifest.camera.gps = Some([8.5 + n as f64 * 0.005, 105.0]);
    let violation = &mut manifest.violation;
    violation.act = Act::parse(&life.act).unwrap();
    violation.facts = facts(life);
    let plate = plate(n, life);
    let reading = manifest.plate.as_mut().unwrap();
    reading.raw.clone_from(&plate);
    reading.text = Some(plate);
    if life.is_car() {
        violation.vehicle = VehicleClass::Car;
        reading.class = Some(PlateClass::CarCivil);
        reading.rows = 1;
    }
}

fn facts(life: &Life) -> Facts {
    let red = Measured::new(4200.0, In::Milliseconds).against(300.0);
    let lit = Lit { lamp: Lamp::Red, red, right_arrow: false };
    let line = |line, lit| Facts::Line(Line { line, place: None, lit, over: None, stood: None });
    let direction = |movement| {
        let heading = Some(Measured::new(178.0, In::Degrees));
        let way = Some(Measured::new(30.0, In::Metres).against(10.0));
        match movement {
            None => Facts::Direction(Direction { place: None, movement, heading, way }),
            some => Facts::Direction(Direction {
                place: None,
                movement: some,
                heading: None,
                way: None,
            }),
        }
    };
    match life.act.as_str() {
        "red_light" => Facts::Signal(contract::facts::Signal { movement: Movement::Straight, lit }),
        "stop_line" => line(LineKind::Stop, Some(lit)),
        "lane_change" | "solid_line" => line(LineKind::Solid, None),
        "wrong_lane" => Facts::Lane(Lane {
            lane: "trái".into(),
            movement: Movement::Straight,
            allowed: vec![Movement::Left],
        }),
        "no_turn" => direction(Some(Movement::Left)),
        "no_u_turn" => direction(Some(Movement::UTurn)),
        "wrong_way" | "expressway_wrong_way" => direction(None),
        "speed" => {
            let [value, limit] = life.speed.unwrap();
            Facts::Speed(Speed {
                speed: Measured::new(value, In::KilometresPerHour).against(limit),
                distance: Measured::new(50.0, In::Metres),
                took: Measured::new(50.0 / value * 3600.0, In::Milliseconds),
            })
        }
        _ => Facts::Zone(Zone {
            zone: "khu vực cấm".into(),
            classes: Vec::new(),
            dwell: Measured::new(200.0, In::Seconds).against(60.0),
        }),
    }
}
