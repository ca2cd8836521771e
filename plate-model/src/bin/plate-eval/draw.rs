//! Outlines on pictures.

use image::{Rgb, RgbImage};
use plate_model::Point;

pub type Colour = Rgb<u8>;

pub const WHITE: Colour = Rgb([255, 255, 255]);
pub const GREEN: Colour = Rgb([40, 220, 60]);
pub const RED: Colour = Rgb([240, 40, 40]);

/// A closed line of two pixels' width through the points; what lies outside is cut.
pub fn outline(picture: &mut RgbImage, points: &[Point], colour: Colour) {
    for (i, from) in points.iter().enumerate() {
        line(picture, *from, points[(i + 1) % points.len()], colour);
    }
}

/// A line of two pixels' width.
pub fn line(picture: &mut RgbImage, [x1, y1]: Point, [x2, y2]: Point, colour: Colour) {
    let steps = (x2 - x1).abs().max((y2 - y1).abs()).ceil().max(1.0);
    for step in 0..=steps as u32 {
        let t = step as f32 / steps;
        let (x, y) = (x1 + t * (x2 - x1), y1 + t * (y2 - y1));
        for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let (x, y) = (x.round() as i64 + dx, y.round() as i64 + dy);
            let at = u32::try_from(x).ok().zip(u32::try_from(y).ok());
            if let Some(pixel) = at.and_then(|(x, y)| picture.get_pixel_mut_checked(x, y)) {
                *pixel = colour;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines_are_cut_at_the_edge() {
        let mut picture = RgbImage::new(20, 10);
        let points = [[2.0, 2.0], [50.0, 2.0], [50.0, 40.0], [2.0, 40.0]];
        outline(&mut picture, &points, GREEN);
        assert_eq!(*picture.get_pixel(19, 2), GREEN);
        assert_eq!(*picture.get_pixel(2, 9), GREEN);
        assert_eq!(picture.get_pixel(10, 6).0, [0, 0, 0]);
    }
}
