//! What is drawn for the camera, in pixels of the pictures that come.

use contract::geometry::{BBox, Point};
use judge::road::{Road, contains};

use crate::config::Camera;

/// The drawn site at one size of picture.
#[derive(Debug)]
pub struct Ground {
    /// Width and height, pixels.
    pub size: [u32; 2],
    pub road: Option<Road>,
    /// Areas in which nothing counts.
    mask: Vec<Vec<Point>>,
}

impl Ground {
    pub fn new(camera: &Camera, size: [u32; 2]) -> Self {
        let [width, height] = size.map(|side| side as f32);
        let scale =
            |polygon: &Vec<Point>| polygon.iter().map(|[x, y]| [x * width, y * height]).collect();
        let junction = camera.site.junction.as_ref();
        Self {
            size,
            road: junction.map(|drawn| Road::new(drawn, size[0], size[1])),
            mask: camera.mask.iter().map(scale).collect(),
        }
    }

    /// Whether something standing at `bbox` is to be ignored.
    pub fn masked(&self, bbox: &BBox) -> bool {
        self.mask.iter().any(|polygon| contains(polygon, bbox.foot()))
    }
}
