//! Average speed from another camera to this one: the vehicle comes up the picture over the line at
//! y = 600, and was known by its plate at the other end of the way some time before.

use contract::VehicleClass;
use judge::track::Passed;
use time::Duration;

use super::luck::Luck;
use super::scene::{Beyond, Camera, Case, Vehicle};
use super::sight::Sight;
use super::ways::{at, going, straight};
use super::{Class, lawful, violation};

const AVERAGE: &str = "average_speed";
const PLATE: &str = "30F25658";
const KMH: f32 = 3.6;

pub const CLASSES: &[Class] = &[
    violation(AVERAGE, "a seventh too fast and more", |luck| {
        let times = luck.between(1.15, 1.8);
        let mut case = drives(luck, times, 0.0);
        case.sight = Sight::plain(luck);
        case
    }),
    lawful(AVERAGE, "at the limit", |luck| drives(luck, 1.0, 0.0)),
    lawful(AVERAGE, "within the law's five", |luck| drives(luck, 1.0, 4.5)),
    lawful(AVERAGE, "fast at the cameras, but rests between", |luck| {
        let times = luck.between(0.3, 0.95);
        drives(luck, times, 0.0)
    }),
    lawful(AVERAGE, "there a second time before", passed_twice),
    lawful(AVERAGE, "followed by who has it from the plate on", exchanged),
];

/// So many times as fast as is allowed, and so many km/h more; both clocks are wrong by no more than
/// is known of them.
fn drives(luck: &mut Luck, times: f32, more: f32) -> Case {
    let (limit, metres) = (luck.pick(&[50.0, 60.0, 80.0, 100.0]), luck.between(600.0, 9000.0));
    let camera = Camera::any(luck, 8.0);
    let class = luck.pick(&VehicleClass::ALL);
    let way = going(luck, straight);
    let crossed = at(&way, 600.0);
    let vehicle = Vehicle::new(luck, camera, class, way);
    let line = camera.draws(&[[0.05, 0.6], [0.95, 0.6]]);
    let site = format!(
        "id = \"cam-02\"\n[average_speed]\nline = {line}\nfrom = \"cam-01\"\nmetres = {metres:.0}\n\
         limit = {limit}"
    );
    let sight = Sight::hard(luck, vehicle.end);
    let mut case = Case::new(site, vehicle, sight);
    let took = metres / ((limit * times + more) / KMH);
    let known_to = luck.between(0.02, 0.5);
    let off = luck.between(-known_to, known_to) + luck.between(-known_to, known_to);
    let passed = passed(&case, class, crossed - took + off, known_to);
    case.beyond =
        Beyond { plate: Some(PLATE.into()), passed: vec![passed], known_to, unread: None };
    case
}

fn passed(case: &Case, class: VehicleClass, t: f32, known_to: f32) -> Passed {
    let start = case.start.unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    Passed {
        camera: "cam-01".into(),
        plate: PLATE.into(),
        class,
        at: start + Duration::seconds_f32(t),
        known_to_ms: (1000.0 * known_to).ceil() as u32,
    }
}

/// It turned round after it had been there, and came again.
fn passed_twice(luck: &mut Luck) -> Case {
    let times = luck.between(0.5, 1.0);
    let mut case = drives(luck, times, 0.0);
    let earlier = Duration::seconds_f32(luck.between(60.0, 1500.0));
    let first = Passed { at: case.beyond.passed[0].at - earlier, ..case.beyond.passed[0].clone() };
    case.beyond.passed.insert(0, first);
    case
}

/// Who crosses the line goes over, past it, into one who comes behind: that one's plate is read, and
/// that one was at the other camera later by as much as it is behind.
fn exchanged(luck: &mut Luck) -> Case {
    let mut case = drives(luck, 1.0, 4.5);
    let behind = luck.between(0.5, 2.5);
    case.beyond.passed[0].at += Duration::seconds_f32(behind);
    let (x, end) = (luck.between(330.0, 670.0), case.vehicle.end);
    let meet = end * luck.between(0.5, 0.7);
    let way = vec![(0.0, x, 955.0 + 400.0 * behind), (end, x, 90.0 + 150.0 * behind)];
    let class = luck.pick(&VehicleClass::ALL);
    let other = Vehicle::new(luck, Camera::default(), class, way);
    case.sight = Sight::exchange(luck, other.end, meet);
    case.vehicle = case.vehicle.exchanged(meet, other);
    case
}
