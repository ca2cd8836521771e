//! Speeds over a surveyed road: a camera over it, boxes around vehicles of true size in metres.

use contract::VehicleClass;
use contract::geometry::BBox;

use super::luck::Luck;
use super::scene::{Case, Vehicle};
use super::sight::Sight;
use super::{Class, lawful, violation};

const SPEED: &str = "speed";
const SIZE: [u32; 2] = [1920, 1080];
const KMH: f64 = 3.6;

pub const CLASSES: &[Class] = &[
    violation(SPEED, "a third too fast and more", |luck| {
        let times = luck.between(1.35, 1.8);
        let mut case = drives(luck, times, 0.0);
        let fps = case.sight.fps;
        case.sight = Sight { fps, ..Sight::street(luck, case.vehicle.end, 1.0) };
        case
    }),
    lawful(SPEED, "at the limit", |luck| drives(luck, 1.0, 0.0)),
    lawful(SPEED, "below the limit", |luck| {
        let times = luck.between(0.5, 1.0);
        drives(luck, times, 0.0)
    }),
    lawful(SPEED, "within the law's five", |luck| drives(luck, 1.0, 4.5)),
    lawful(SPEED, "exchanged with who is far ahead", exchanged),
];

/// A camera looking along the road, metres, radians, pixels.
#[derive(Clone, Copy)]
struct Camera {
    height: f64,
    down: f64,
    aside: f64,
    focal: f64,
}

impl Camera {
    fn any(luck: &mut Luck) -> Self {
        let height = f64::from(luck.between(5.5, 9.0));
        let aside = f64::from(luck.between(-0.12, 0.12));
        let focal = f64::from(luck.between(1350.0, 1550.0));
        Self { height, down: (height / 26.0).atan(), aside, focal }
    }

    /// Where a place is seen, pixels: `x` to the right, `y` ahead, `z` up.
    fn sees(self, [x, y, z]: [f64; 3]) -> [f64; 2] {
        let (sin, cos) = self.aside.sin_cos();
        let (x, y) = (x * cos - y * sin, x * sin + y * cos);
        let (sin, cos) = self.down.sin_cos();
        let z = z - self.height;
        let (ahead, up) = (y * cos - z * sin, y * sin + z * cos);
        [960.0 + self.focal * x / ahead, 540.0 - self.focal * up / ahead]
    }

    /// The road measured to 2 cm, the picture marked to half a pixel.
    fn site(self, luck: &mut Luck, limit: f64) -> String {
        let places =
            [[-5.0, 14.0], [5.0, 14.0], [-5.0, 30.0], [5.0, 30.0], [-5.0, 52.0], [5.0, 52.0]];
        let points = places.map(|[x, y]| {
            let [px, py] = self.sees([x, y, 0.0]).map(|side| side + 0.5 * f64::from(luck.normal()));
            let [x, y] = [x, y].map(|side| side + 0.02 * f64::from(luck.normal()));
            let (px, py) = (px / f64::from(SIZE[0]), py / f64::from(SIZE[1]));
            format!("{{ at = [{px:.5}, {py:.5}], metres = [{x:.3}, {y:.3}] }}")
        });
        format!("[speed]\nlimit = {limit}\ntolerance = 0\nsurvey = [{}]", points.join(", "))
    }

    /// A vehicle at so many metres a second that comes or goes in a lane from `begin` on.
    fn vehicle(
        self,
        class: VehicleClass,
        pace: f64,
        lane: f64,
        towards: bool,
        begin: f64,
    ) -> Vehicle {
        let [wide, long, high] = match class {
            VehicleClass::Motorbike => [0.7, 1.9, 1.6],
            VehicleClass::Car => [1.8, 4.4, 1.5],
            VehicleClass::Bus => [2.5, 10.0, 3.2],
            VehicleClass::Truck => [2.4, 7.5, 3.0],
        };
        let boxes = move |t: f32| {
            let way = begin + pace * f64::from(t);
            let y = if towards { 66.0 - way } else { 4.0 + way };
            let corners = (0..8).map(|i| {
                let x = lane + wide * (f64::from(i & 1) - 0.5);
                let z = high * f64::from((i >> 1) & 1);
                self.sees([x, y + long * f64::from(i >> 2), z]).map(|side| side as f32)
            });
            (4.0..66.0).contains(&y).then(|| BBox::around(&corners.collect::<Vec<_>>()))
        };
        Vehicle { class, then: None, end: ((62.0 - begin) / pace) as f32, boxes: Box::new(boxes) }
    }
}

fn case(luck: &mut Luck, camera: Camera, limit: f64, vehicle: Vehicle) -> Case {
    let sight = Sight::street(luck, vehicle.end, 2.0);
    let site = camera.site(luck, limit);
    Case { size: SIZE, ..Case::new(site, vehicle, sight) }
}

/// So many times as fast as is allowed, and so many km/h more.
fn drives(luck: &mut Luck, times: f32, more: f64) -> Case {
    let (camera, limit) = (Camera::any(luck), luck.pick(&[40.0, 50.0, 60.0, 80.0]));
    let (class, lane) = (luck.pick(&VehicleClass::ALL), f64::from(luck.between(-3.5, 3.5)));
    let pace = (limit * f64::from(times) + more) / KMH;
    let vehicle = camera.vehicle(class, pace, lane, luck.chance(0.5), 0.0);
    case(luck, camera, limit, vehicle)
}

/// Both within the limit; the track leaps from one to the other, on ahead in its lane.
fn exchanged(luck: &mut Luck) -> Case {
    let (camera, limit) = (Camera::any(luck), luck.pick(&[40.0, 50.0, 60.0, 80.0]));
    let lane = f64::from(luck.between(-3.5, 3.5));
    let pace = limit * f64::from(luck.between(0.7, 1.0)) / KMH;
    let (a, b) = (luck.pick(&VehicleClass::ALL), luck.pick(&VehicleClass::ALL));
    let (towards, ahead) = (luck.chance(0.5), f64::from(luck.between(3.0, 12.0)));
    let one = camera.vehicle(a, pace, lane, towards, 0.0);
    let other = camera.vehicle(b, pace, lane, towards, ahead);
    let meet = one.end * luck.between(0.25, 0.7);
    let mut case = case(luck, camera, limit, one);
    case.sight = Sight::exchange(luck, other.end, meet);
    case.vehicle = case.vehicle.exchanged(meet, other);
    case
}
