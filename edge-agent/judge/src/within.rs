//! One drawn area and one vehicle in a picture's pixels: which of its sightings lie well inside.

use contract::geometry::Point;

use crate::drawn::{Area, depth};
use crate::legs::height;
use crate::rules::Scene;
use crate::time::{Nanos, seconds};
use crate::track::{Observation, Track};

/// Well inside is this far from the edge, in vehicle heights: a contact point trembles, and a lower
/// edge that is covered is seen too high.
const MARGIN: f32 = 0.15;
/// This near the picture's edge, as a share of it, or within what it drives in so long, it came in
/// or went out.
const EDGE: f32 = 0.02;
const MOMENT: Nanos = seconds(0.45);

#[derive(Debug)]
pub struct Within<'a> {
    track: &'a Track,
    corners: Vec<Point>,
    size: [f32; 2],
}

impl<'a> Within<'a> {
    pub fn new(area: &Area, track: &'a Track, scene: &Scene<'_>) -> Self {
        let size = scene.size.map(|side| side as f32);
        Self { track, corners: scene.pixels(&area.corners), size }
    }

    /// Whether sighting `i` touches the road inside the area.
    pub fn touches(&self, i: usize) -> bool {
        self.depth(i) >= 0.0
    }

    /// Whether it does so well inside.
    pub fn plainly(&self, i: usize) -> bool {
        self.depth(i) >= MARGIN * height(self.track, i)
    }

    /// The last sighting outside before it was inside at `i`, or the first at the picture's edge:
    /// since then it is known to have come in.
    pub fn came_in(&self, i: usize) -> Option<usize> {
        let outside = (0..=i).rev().find(|&i| !self.touches(i));
        outside.or_else(|| self.at_edge(0).then_some(0))
    }

    /// Whether sighting `i` lies where it comes into the picture or leaves it, as near to the edge as
    /// it comes in a moment.
    pub fn at_edge(&self, i: usize) -> bool {
        let path = &self.track.path;
        let moment = |seen: &&Observation| seen.t.abs_diff(path[i].t) <= MOMENT;
        let ([x, y], bbox) = (path[i].bbox.foot(), &path[i].bbox);
        let way = |seen: &Observation| {
            let [px, py] = seen.bbox.foot();
            libm::hypotf(px - x, py - y)
        };
        let reach = path.iter().filter(moment).map(way).fold(0.0, f32::max);
        let [w, h] = self.size;
        let [across, down] = [EDGE * w, EDGE * h].map(|edge| edge.max(reach));
        bbox.x1 <= across || bbox.y1 <= down || bbox.x2 >= w - across || bbox.y2 >= h - down
    }

    fn depth(&self, i: usize) -> f32 {
        depth(&self.corners, self.track.path[i].bbox.foot())
    }
}
