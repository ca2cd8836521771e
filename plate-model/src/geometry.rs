//! Regions and quadrilaterals in frame pixels, beside the boxes that everybody shares.

use serde::{Deserialize, Serialize};

pub use contract::geometry::{BBox, Point};

/// A part of a frame in whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Region {
    /// The whole pixels that `bbox` touches, or none outside a frame of `width` × `height`.
    pub fn touched(bbox: &BBox, width: u32, height: u32) -> Option<Self> {
        let clipped = bbox.clipped(width, height);
        let (x, y) = (clipped.x1.floor() as u32, clipped.y1.floor() as u32);
        let (x2, y2) = (clipped.x2.ceil() as u32, clipped.y2.ceil() as u32);
        // NaN corners fail this comparison too: `as` turns them into 0.
        (x2 > x && y2 > y).then(|| Self { x, y, width: x2 - x, height: y2 - y })
    }

    /// All of a frame.
    pub const fn whole(width: u32, height: u32) -> Self {
        Self { x: 0, y: 0, width, height }
    }

    pub const fn fits(&self, width: u32, height: u32) -> bool {
        self.width > 0
            && self.height > 0
            && self.x < width
            && self.y < height
            && self.width <= width - self.x
            && self.height <= height - self.y
    }

    /// The first row below it.
    pub const fn bottom(&self) -> u32 {
        self.y + self.height
    }

    pub fn bbox(&self) -> BBox {
        let (x, y) = (self.x as f32, self.y as f32);
        BBox::new(x, y, x + self.width as f32, y + self.height as f32)
    }
}

/// Signed area of a polygon, positive where it turns clockwise on the screen (y grows downwards).
pub fn signed_area(points: &[Point]) -> f32 {
    let mut sum = 0.0;
    for (i, [x, y]) in points.iter().enumerate() {
        let [nx, ny] = points[(i + 1) % points.len()];
        sum += x * ny - nx * y;
    }
    sum / 2.0
}

/// Whether four corners make a convex quadrilateral that turns clockwise on the screen.
pub fn is_convex_clockwise(corners: &[Point; 4]) -> bool {
    (0..4).all(|i| {
        let [ax, ay] = corners[i];
        let [bx, by] = corners[(i + 1) % 4];
        let [cx, cy] = corners[(i + 2) % 4];
        (bx - ax) * (cy - by) - (by - ay) * (cx - bx) > 0.0
    })
}

/// Distance between two points.
pub fn distance(a: Point, b: Point) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_of_boxes() {
        let a = BBox::new(0.0, 0.0, 10.0, 10.0);
        let b = BBox::new(5.0, 0.0, 15.0, 10.0);
        assert!((a.iou(&b) - 1.0 / 3.0).abs() < 1e-6);
        assert!((b.inside(&a) - 0.5).abs() < 1e-6);
        assert_eq!(a.iou(&BBox::new(20.0, 0.0, 30.0, 10.0)), 0.0);
        assert_eq!(BBox::new(3.0, 3.0, 1.0, 1.0).area(), 0.0);
    }

    #[test]
    fn region_keeps_touched_pixels_inside_the_frame() {
        let region = Region::touched(&BBox::new(-3.5, 2.2, 7.1, 40.0), 20, 10);
        assert_eq!(region, Some(Region { x: 0, y: 2, width: 8, height: 8 }));
        assert_eq!(Region::touched(&BBox::new(30.0, 0.0, 40.0, 5.0), 20, 10), None);
        assert_eq!(Region::touched(&BBox::new(f32::NAN, 0.0, f32::NAN, 5.0), 20, 10), None);
    }

    #[test]
    fn convexity_needs_the_clockwise_turn() {
        let square = [[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]];
        assert!(is_convex_clockwise(&square));
        assert!(signed_area(&square) > 0.0);
        let mut counter = square;
        counter.reverse();
        assert!(!is_convex_clockwise(&counter));
        let bow = [[0.0, 0.0], [4.0, 2.0], [4.0, 0.0], [0.0, 2.0]];
        assert!(!is_convex_clockwise(&bow));
    }
}
