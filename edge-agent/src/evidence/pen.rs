//! Lines and frames in pictures.

use image::{Rgb, RgbImage};
use plate_model::geometry::BBox;

/// The outline of a box; `pen` is its width in pixels.
pub fn frame(page: &mut RgbImage, bbox: &BBox, pen: f32, colour: Rgb<u8>) {
    let corners = [[bbox.x1, bbox.y1], [bbox.x2, bbox.y1], [bbox.x2, bbox.y2], [bbox.x1, bbox.y2]];
    for index in 0..4 {
        line(page, corners[index], corners[(index + 1) % 4], pen, colour);
    }
}

/// A line as a row of square dabs, cut at the picture's edges.
pub fn line(page: &mut RgbImage, from: [f32; 2], to: [f32; 2], pen: f32, colour: Rgb<u8>) {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let steps = dx.abs().max(dy.abs()).ceil();
    // Geometry far outside the picture (or not a number) is not worth walking along.
    if steps.is_nan() || steps > 65536.0 {
        return;
    }
    let half = pen / 2.0;
    let (width, height) = (page.width() as f32, page.height() as f32);
    for step in 0..=steps as u32 {
        let share = if steps > 0.0 { step as f32 / steps } else { 0.0 };
        let (x, y) = (from[0] + dx * share, from[1] + dy * share);
        let span = |centre: f32, limit: f32| {
            let from = (centre - half).round().clamp(0.0, limit) as u32;
            let to = (centre + half).round().clamp(0.0, limit) as u32;
            from..to
        };
        for py in span(y, height) {
            for px in span(x, width) {
                page.put_pixel(px, py, colour);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INK: Rgb<u8> = Rgb([80, 180, 255]);

    #[test]
    fn lines_stay_in_the_picture_and_reach_their_ends() {
        let mut page = RgbImage::new(32, 16);
        line(&mut page, [-5.0, 8.0], [40.0, 8.0], 2.0, INK);
        assert_eq!(page.get_pixel(0, 8), &INK);
        assert_eq!(page.get_pixel(31, 8), &INK);
        assert_eq!(page.get_pixel(16, 2).0, [0, 0, 0]);
        line(&mut page, [f32::NAN, 0.0], [3.0, 3.0], 2.0, INK);
        line(&mut page, [5.0, 5.0], [5.0, 5.0], 2.0, INK);
        assert_eq!(page.get_pixel(5, 5), &INK);
    }
}
