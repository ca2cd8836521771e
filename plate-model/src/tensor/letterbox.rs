//! Where a region lies in a network's input, and the way back.

use crate::geometry::{BBox, Point, Region};

/// A region scaled to fit, at the top left of the input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Letterbox {
    region: Region,
    inner: (usize, usize),
}

impl Letterbox {
    /// Scale is the smaller of both ratios, as in training.
    pub fn new(region: Region, (width, height): (usize, usize)) -> Self {
        let (w, h) = (f64::from(region.width), f64::from(region.height));
        let scale = (width as f64 / w).min(height as f64 / h);
        let side =
            |length: f64, most: usize| ((length * scale).round_ties_even() as usize).clamp(1, most);
        Self { region, inner: (side(w, width), side(h, height)) }
    }

    /// Width and height of the picture inside the input.
    pub const fn inner(&self) -> (usize, usize) {
        self.inner
    }

    /// The same as floats.
    pub fn content(&self) -> (f32, f32) {
        (self.inner.0 as f32, self.inner.1 as f32)
    }

    /// Frame pixels of a point of the input.
    pub fn to_frame(&self, [x, y]: Point) -> Point {
        [
            self.region.x as f32 + x * self.region.width as f32 / self.inner.0 as f32,
            self.region.y as f32 + y * self.region.height as f32 / self.inner.1 as f32,
        ]
    }

    /// Input pixels of a point of the frame.
    pub fn to_input(&self, [x, y]: Point) -> Point {
        [
            (x - self.region.x as f32) * self.inner.0 as f32 / self.region.width as f32,
            (y - self.region.y as f32) * self.inner.1 as f32 / self.region.height as f32,
        ]
    }

    /// Frame pixels of a box of the input.
    pub fn to_frame_box(&self, bbox: &BBox) -> BBox {
        let [x1, y1] = self.to_frame([bbox.x1, bbox.y1]);
        let [x2, y2] = self.to_frame([bbox.x2, bbox.y2]);
        BBox::new(x1, y1, x2, y2)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn full_hd_keeps_its_shape() {
        let letterbox = Letterbox::new(Region::whole(1920, 1080), (640, 384));
        assert_eq!(letterbox.inner(), (640, 360));
        assert_eq!(letterbox.to_frame([320.0, 180.0]), [960.0, 540.0]);
    }

    #[test]
    fn tall_and_tiny_regions_keep_a_pixel() {
        let thin = Region { x: 3, y: 0, width: 1, height: 4000 };
        assert_eq!(Letterbox::new(thin, (192, 192)).inner(), (1, 192));
    }

    proptest! {
        #[test]
        fn there_and_back(x in 0u32..500, y in 0u32..500, width in 1u32..2000, height in 1u32..2000,
                          px in 0.0f32..2000.0, py in 0.0f32..2000.0) {
            let letterbox = Letterbox::new(Region { x, y, width, height }, (640, 384));
            let [bx, by] = letterbox.to_frame(letterbox.to_input([px, py]));
            prop_assert!((bx - px).abs() < 0.5 && (by - py).abs() < 0.5, "{bx} {by}");
        }
    }
}
