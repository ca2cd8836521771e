//! Boxes, regions and quadrilaterals in frame pixels. Pixel *areas* count: a frame of width `w`
//! spans `0.0..w`, the centre of its first pixel is at 0.5.

use serde::{Deserialize, Serialize};

/// A point in frame pixels, `[x, y]`.
pub type Point = [f32; 2];

/// An upright box, corners in frame pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BBox {
    pub x1: f32,
    pub y1: f32,
    pub x2: f32,
    pub y2: f32,
}

/// A part of a frame in whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl BBox {
    pub const fn new(x1: f32, y1: f32, x2: f32, y2: f32) -> Self {
        Self { x1, y1, x2, y2 }
    }

    pub fn width(&self) -> f32 {
        (self.x2 - self.x1).max(0.0)
    }

    pub fn height(&self) -> f32 {
        (self.y2 - self.y1).max(0.0)
    }

    pub fn area(&self) -> f32 {
        self.width() * self.height()
    }

    pub fn centre(&self) -> Point {
        [(self.x1 + self.x2) / 2.0, (self.y1 + self.y2) / 2.0]
    }

    /// Middle of the lower edge: where the vehicle touches the road.
    pub fn foot(&self) -> Point {
        [(self.x1 + self.x2) / 2.0, self.y2]
    }

    pub fn intersection(&self, other: &Self) -> f32 {
        let width = self.x2.min(other.x2) - self.x1.max(other.x1);
        let height = self.y2.min(other.y2) - self.y1.max(other.y1);
        if width > 0.0 && height > 0.0 { width * height } else { 0.0 }
    }

    /// Intersection over union.
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.intersection(other);
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// Share of `self` that lies inside `other`.
    pub fn inside(&self, other: &Self) -> f32 {
        let area = self.area();
        if area > 0.0 { self.intersection(other) / area } else { 0.0 }
    }

    /// Grown by `share` of its width and height on every side.
    pub fn expanded(&self, share: f32) -> Self {
        let (dx, dy) = (self.width() * share, self.height() * share);
        Self::new(self.x1 - dx, self.y1 - dy, self.x2 + dx, self.y2 + dy)
    }

    /// Cut at the frame's edges.
    pub fn clipped(&self, width: u32, height: u32) -> Self {
        let (w, h) = (width as f32, height as f32);
        Self::new(
            self.x1.clamp(0.0, w),
            self.y1.clamp(0.0, h),
            self.x2.clamp(0.0, w),
            self.y2.clamp(0.0, h),
        )
    }

    /// The whole pixels that the box touches, or none outside the frame.
    pub fn region(&self, width: u32, height: u32) -> Option<Region> {
        let clipped = self.clipped(width, height);
        let (x, y) = (clipped.x1.floor() as u32, clipped.y1.floor() as u32);
        let (x2, y2) = (clipped.x2.ceil() as u32, clipped.y2.ceil() as u32);
        // NaN corners fail this comparison too: `as` turns them into 0.
        (x2 > x && y2 > y).then(|| Region { x, y, width: x2 - x, height: y2 - y })
    }

    /// The box around some points.
    pub fn around(points: &[Point]) -> Self {
        let mut bbox =
            Self::new(f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY);
        for [x, y] in points {
            bbox.x1 = bbox.x1.min(*x);
            bbox.y1 = bbox.y1.min(*y);
            bbox.x2 = bbox.x2.max(*x);
            bbox.y2 = bbox.y2.max(*y);
        }
        bbox
    }
}

impl Region {
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
        let region = BBox::new(-3.5, 2.2, 7.1, 40.0).region(20, 10);
        assert_eq!(region, Some(Region { x: 0, y: 2, width: 8, height: 8 }));
        assert_eq!(BBox::new(30.0, 0.0, 40.0, 5.0).region(20, 10), None);
        assert_eq!(BBox::new(f32::NAN, 0.0, f32::NAN, 5.0).region(20, 10), None);
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
