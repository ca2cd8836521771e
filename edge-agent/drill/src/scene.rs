//! What truly happens before a camera: vehicles on their ways, lamps, the drawn site.

use std::fmt;

use contract::geometry::BBox;
use contract::{Movement, VehicleClass};
use judge::lamp::Light;
use judge::track::Passed;
use time::OffsetDateTime;
use time::macros::datetime;

use super::luck::Luck;
use super::sight::Sight;

/// (seconds, x, y) of the contact point in a picture of 1000 × 1000; straight ways between.
pub type Way = Vec<(f32, f32, f32)>;

pub const SIZE: [u32; 2] = [1000, 1000];

/// How the picture lies: turned about its middle, and mirrored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Camera {
    pub degrees: f32,
    pub mirrored: bool,
}

impl Camera {
    /// Turned by up to so many degrees, from above or from below.
    pub fn any(luck: &mut Luck, degrees: f32) -> Self {
        let half = if luck.chance(0.5) { 180.0 } else { 0.0 };
        Self { degrees: half + luck.between(-degrees, degrees), mirrored: luck.chance(0.5) }
    }

    /// A point of the unit square.
    pub fn sees(self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let (x, y) = (if self.mirrored { 1.0 - x } else { x } - 0.5, y - 0.5);
        [0.5 + x * cos - y * sin, 0.5 + x * sin + y * cos]
    }

    /// Points as the camera sees them, in the words of a site file.
    pub fn draws(self, points: &[[f32; 2]]) -> String {
        let seen = points.iter().map(|point| self.sees(*point).map(|side| side.clamp(0.0, 1.0)));
        format!("{:?}", seen.collect::<Vec<_>>())
    }
}

/// The box of a vehicle where nothing is in front of it, pixels, at a time in seconds.
pub type Boxes = Box<dyn Fn(f32) -> Option<BBox> + Send>;

pub struct Vehicle {
    pub class: VehicleClass,
    /// From when on a track that begins is another vehicle's, of this class.
    pub then: Option<(f32, VehicleClass)>,
    /// When it is gone.
    pub end: f32,
    pub boxes: Boxes,
}

impl fmt::Debug for Vehicle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vehicle").field("class", &self.class).field("end", &self.end).finish()
    }
}

impl Vehicle {
    /// One of a class and of any size that it has in the picture, smaller where it is farther away.
    pub fn new(luck: &mut Luck, camera: Camera, class: VehicleClass, way: Way) -> Self {
        let (low, high, wide) = match class {
            VehicleClass::Motorbike => (70.0, 110.0, 0.5),
            VehicleClass::Car => (90.0, 140.0, 1.15),
            VehicleClass::Bus => (130.0, 170.0, 0.8),
            VehicleClass::Truck => (110.0, 165.0, 0.85),
        };
        let height = luck.between(low, high);
        let end = way.last().map_or(0.0, |last| last.0);
        let boxes = move |t: f32| {
            let [x, y] = camera.sees(smooth(&way, t)?.map(|side| side / SIZE[0] as f32));
            let [x, y] = [x * SIZE[0] as f32, y * SIZE[1] as f32];
            let h = height * (0.75 + 0.25 * y / SIZE[1] as f32);
            Some(BBox::new(x - wide * h / 2.0, y - h, x + wide * h / 2.0, y))
        };
        Self { class, then: None, end, boxes: Box::new(boxes) }
    }

    /// Whose track begins at a time.
    pub fn class_at(&self, t: f32) -> VehicleClass {
        self.then.filter(|(from, _)| t >= *from).map_or(self.class, |(_, class)| class)
    }

    /// A track that goes on as another vehicle from a time on.
    pub fn exchanged(self, at: f32, other: Self) -> Self {
        let (first, second) = (self.boxes, other.boxes);
        let boxes = move |t: f32| if t < at { first(t) } else { second(t) };
        let then = Some((at, other.class));
        Self { class: self.class, then, end: other.end, boxes: Box::new(boxes) }
    }
}

/// No vehicle turns, sets off or stops at once.
fn smooth(way: &[(f32, f32, f32)], t: f32) -> Option<[f32; 2]> {
    let [x, y] = place(way, t)?;
    let about = [-0.3, -0.15, 0.15, 0.3].map(|by| place(way, t + by).unwrap_or([x, y]));
    let mean = |axis: usize, own: f32| (about.iter().map(|p| p[axis]).sum::<f32>() + own) / 5.0;
    Some([mean(0, x), mean(1, y)])
}

fn place(way: &[(f32, f32, f32)], t: f32) -> Option<[f32; 2]> {
    let after = way.iter().position(|(at, ..)| *at > t)?;
    let (a, b) = (way.get(after.checked_sub(1)?)?, way[after]);
    let f = (t - a.0) / (b.0 - a.0);
    Some([a.1 + f * (b.1 - a.1), a.2 + f * (b.2 - a.2)])
}

/// A lamp: what it shows from a time on, and how it is seen.
#[derive(Debug, Clone)]
pub struct Head {
    pub controls: Vec<Movement>,
    /// An arrow head, without a red light of its own, or with one.
    pub arrow: bool,
    pub red_arrow: bool,
    pub phases: Vec<(f32, Light)>,
    /// How late its picture comes against the road's, seconds.
    pub late: f32,
    /// Shares of pictures in which it is dark, or not clear.
    pub dark: f32,
    pub unclear: f32,
}

impl Head {
    /// A round head for straight on and left.
    pub fn round(luck: &mut Luck, phases: Vec<(f32, Light)>) -> Self {
        Self {
            controls: vec![Movement::Straight, Movement::Left],
            arrow: false,
            red_arrow: false,
            phases,
            late: 0.0,
            dark: luck.between(0.0, 0.15),
            unclear: luck.between(0.0, 0.05),
        }
    }

    pub fn shows(&self, t: f32) -> Option<Light> {
        self.phases.iter().rev().find(|(from, _)| *from <= t - self.late).map(|(_, light)| *light)
    }
}

/// One vehicle to be judged.
#[derive(Debug)]
pub struct Case {
    /// What the camera's table draws and sets.
    pub site: String,
    pub size: [u32; 2],
    pub vehicle: Vehicle,
    pub others: Vec<Vehicle>,
    pub heads: Vec<Head>,
    /// The time of day at 0 s, where the clock is known.
    pub start: Option<OffsetDateTime>,
    pub sight: Sight,
    pub beyond: Beyond,
}

/// What is known of the vehicle beyond this camera.
#[derive(Debug, Clone, Default)]
pub struct Beyond {
    pub plate: Option<String>,
    pub passed: Vec<Passed>,
    /// How exactly this camera's clock is known, seconds.
    pub known_to: f32,
    /// Where its plate is looked for and cannot be read.
    pub unread: Option<Unread>,
}

/// Looks at a plate in which no character is read.
#[derive(Debug, Clone, Copy)]
pub struct Unread {
    /// Share of them that find a plate's outline.
    pub found: f32,
    /// Vehicles before it, and those whose plate was read.
    pub others: u32,
    pub others_read: u32,
}

impl Case {
    /// In a picture of 1000 × 1000, a Saturday morning.
    pub fn new(site: String, vehicle: Vehicle, sight: Sight) -> Self {
        Self {
            site,
            size: SIZE,
            vehicle,
            others: Vec::new(),
            heads: Vec::new(),
            start: Some(datetime!(2026-11-21 08:00 +7)),
            sight,
            beyond: Beyond::default(),
        }
    }
}
