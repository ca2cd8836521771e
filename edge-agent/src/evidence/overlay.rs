//! The explaining picture: the frame on the line with the camera's drawn geometry and the accused
//! vehicle's boxes on it. A copy; it explains and proves nothing.

use image::{Rgb, RgbImage};
use plate_model::geometry::BBox;

use crate::accusation::Accusation;

const STOP_LINE: Rgb<u8> = Rgb([255, 60, 60]);
const EXIT: Rgb<u8> = Rgb([80, 180, 255]);
const APPROACH: Rgb<u8> = Rgb([170, 170, 170]);
const LAMP: Rgb<u8> = Rgb([255, 220, 60]);
const VEHICLE: Rgb<u8> = Rgb([90, 255, 120]);

/// Draws over `on`, the frame on the line.
pub fn draw(accusation: &Accusation, on: &RgbImage) -> RgbImage {
    let mut page = on.clone();
    let (width, height) = (page.width() as f32, page.height() as f32);
    let pen = (width / 480.0).max(2.0);
    let pixel = |point: [f32; 2]| [point[0] * width, point[1] * height];
    let camera = &accusation.camera;

    for (index, point) in camera.approach.iter().enumerate() {
        let next = camera.approach[(index + 1) % camera.approach.len()];
        line(&mut page, pixel(*point), pixel(next), pen, APPROACH);
    }
    for exit in &camera.exits {
        line(&mut page, pixel(exit.line[0]), pixel(exit.line[1]), pen, EXIT);
    }
    for lamp in &camera.lamps {
        let [x, y, w, h] = lamp.region;
        let ([x1, y1], [x2, y2]) = (pixel([x, y]), pixel([x + w, y + h]));
        frame(&mut page, &BBox::new(x1, y1, x2, y2), pen, LAMP);
    }
    line(&mut page, pixel(camera.stop_line[0]), pixel(camera.stop_line[1]), pen * 1.5, STOP_LINE);

    let shots = [&accusation.before, &accusation.on, &accusation.past];
    for pair in shots.windows(2) {
        line(&mut page, pair[0].vehicle.foot(), pair[1].vehicle.foot(), pen, VEHICLE);
    }
    for shot in shots {
        let weight = if std::ptr::eq(shot, &accusation.on) { pen } else { pen / 2.0 };
        frame(&mut page, &shot.vehicle, weight, VEHICLE);
    }
    page
}

fn frame(page: &mut RgbImage, bbox: &BBox, pen: f32, colour: Rgb<u8>) {
    let corners = [[bbox.x1, bbox.y1], [bbox.x2, bbox.y1], [bbox.x2, bbox.y2], [bbox.x1, bbox.y2]];
    for index in 0..4 {
        line(page, corners[index], corners[(index + 1) % 4], pen, colour);
    }
}

/// A line as a row of square dabs, cut at the picture's edges.
fn line(page: &mut RgbImage, from: [f32; 2], to: [f32; 2], pen: f32, colour: Rgb<u8>) {
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

    #[test]
    fn lines_stay_in_the_picture_and_reach_their_ends() {
        let mut page = RgbImage::new(32, 16);
        line(&mut page, [-5.0, 8.0], [40.0, 8.0], 2.0, EXIT);
        assert_eq!(page.get_pixel(0, 8), &EXIT);
        assert_eq!(page.get_pixel(31, 8), &EXIT);
        assert_eq!(page.get_pixel(16, 2).0, [0, 0, 0]);
        line(&mut page, [f32::NAN, 0.0], [3.0, 3.0], 2.0, LAMP);
        line(&mut page, [5.0, 5.0], [5.0, 5.0], 2.0, LAMP);
        assert_eq!(page.get_pixel(5, 5), &LAMP);
    }
}
