//! What a scripted camera's table draws and sets, and how its picture lies.

use std::path::Path;
use std::sync::Arc;

use contract::Movement;
use settings::{Complaints, Reader};

use crate::rules::Rule;
use crate::site::{Exit, Junction, Site};

/// A plain junction: line across the middle, travel upwards, three exits.
pub fn junction() -> Junction {
    Junction {
        stop_line: [[0.1, 0.6], [0.9, 0.6]],
        approach: vec![[0.1, 1.0], [0.1, 0.6], [0.9, 0.6], [0.9, 1.0]],
        exits: vec![
            Exit { movement: Movement::Straight, line: [[0.25, 0.3], [0.75, 0.3]] },
            Exit { movement: Movement::Left, line: [[0.1, 0.58], [0.1, 0.2]] },
            Exit { movement: Movement::Right, line: [[0.9, 0.58], [0.9, 0.2]] },
        ],
    }
}

/// [`junction`] in the words of a site file.
pub const JUNCTION: &str = "
stop_line = [[0.1, 0.6], [0.9, 0.6]]
approach = [[0.1, 1.0], [0.1, 0.6], [0.9, 0.6], [0.9, 1.0]]
exits = [
    { movement = \"straight\", line = [[0.25, 0.3], [0.75, 0.3]] },
    { movement = \"left\", line = [[0.1, 0.58], [0.1, 0.2]] },
    { movement = \"right\", line = [[0.9, 0.58], [0.9, 0.2]] },
]
";

/// The ways over [`junction`].
pub type Way = &'static [(f32, f32, f32)];

pub const STRAIGHT: Way = &[(0.0, 500.0, 950.0), (4.0, 500.0, 150.0)];
pub const LEFT: Way = &[(0.0, 300.0, 950.0), (2.0, 300.0, 560.0), (4.0, 20.0, 500.0)];
pub const RIGHT: Way = &[(0.0, 700.0, 950.0), (2.0, 700.0, 560.0), (4.0, 980.0, 500.0)];
pub const ROUND: Way = &[
    (0.0, 600.0, 950.0),
    (2.0, 600.0, 560.0),
    (3.0, 500.0, 420.0),
    (4.0, 300.0, 480.0),
    (6.0, 250.0, 900.0),
];

/// How the picture lies to the scripted one: turned about its middle, and mirrored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Camera {
    pub degrees: f32,
    pub mirrored: bool,
}

impl Camera {
    /// A point of the unit square.
    pub fn sees(self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let (x, y) = (if self.mirrored { 1.0 - x } else { x } - 0.5, y - 0.5);
        [0.5 + x * cos - y * sin, 0.5 + x * sin + y * cos]
    }
}

/// What `read` makes of a camera's table, or every complaint about it.
pub fn site<T>(text: &str, read: impl Fn(&Reader<'_>) -> T) -> Result<T, Vec<String>> {
    let written = |errors: Vec<settings::ConfigError>| {
        let mut all: Vec<String> = errors.iter().map(ToString::to_string).collect();
        all.dedup();
        all
    };
    let whole = settings::parse(Path::new("site.toml"), text).map_err(written)?;
    let complaints = Complaints::default();
    let reader = Reader::new(&whole, None, "", &complaints);
    let found = read(&reader);
    reader.finish();
    let complaints = complaints.into_inner();
    if complaints.is_empty() { Ok(found) } else { Err(written(complaints)) }
}

/// The only rule of a camera's table, read, written and read again.
pub fn rule(text: &str) -> Arc<dyn Rule> {
    let site = site(text, Site::read).unwrap();
    let written = serde_json::to_value(&site).unwrap();
    let mut restored = Site::restore(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&restored).unwrap(), written);
    assert_eq!(restored.rules.len(), 1, "{:?}", restored.rules);
    restored.rules.remove(0)
}

/// Points of the unit square as a camera sees them, in the words of a site file.
pub fn drawn(camera: Camera, points: &[[f32; 2]]) -> String {
    let seen = points.iter().map(|point| camera.sees(*point).map(|side| side.clamp(0.0, 1.0)));
    format!("{:?}", seen.collect::<Vec<_>>())
}
