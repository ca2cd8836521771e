//! The explaining picture: the frame on the line with the camera's drawn geometry and the accused
//! vehicle's boxes on it. A copy; it explains and proves nothing.

use image::{Rgb, RgbImage};
use plate_model::geometry::BBox;

use super::pen::{frame, line};
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
