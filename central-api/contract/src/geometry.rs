//! Boxes and points of a picture in pixels, as everybody who looks at pictures means them. Pixel
//! *areas* count: a picture of width `w` spans `0.0..w`, the centre of its first pixel is at 0.5.

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
