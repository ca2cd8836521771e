//! The explaining picture: the frame that dates the act with the camera's drawn geometry and the accused
//! vehicle's boxes on it. A copy; it explains and proves nothing.

use image::{Rgb, RgbImage};
use plate_model::geometry::BBox;

use super::pen::{frame, line};
use crate::accusation::Accusation;

const BROKEN: Rgb<u8> = Rgb([255, 60, 60]);
const EXIT: Rgb<u8> = Rgb([80, 180, 255]);
const APPROACH: Rgb<u8> = Rgb([170, 170, 170]);
const LAMP: Rgb<u8> = Rgb([255, 220, 60]);
const VEHICLE: Rgb<u8> = Rgb([90, 255, 120]);

/// Draws over `on`, the frame that dates the act.
pub fn draw(accusation: &Accusation, on: &RgbImage) -> RgbImage {
    let mut page = on.clone();
    let (width, height) = (page.width() as f32, page.height() as f32);
    let pen = (width / 480.0).max(2.0);
    let pixel = |point: [f32; 2]| [point[0] * width, point[1] * height];
    let camera = &accusation.camera;

    if let Some(junction) = &camera.site.junction {
        for (index, point) in junction.approach.iter().enumerate() {
            let next = junction.approach[(index + 1) % junction.approach.len()];
            line(&mut page, pixel(*point), pixel(next), pen, APPROACH);
        }
        for exit in &junction.exits {
            line(&mut page, pixel(exit.line[0]), pixel(exit.line[1]), pen, EXIT);
        }
    }
    for lamp in &camera.lamps {
        let [x, y, w, h] = lamp.region;
        let ([x1, y1], [x2, y2]) = (pixel([x, y]), pixel([x + w, y + h]));
        frame(&mut page, &BBox::new(x1, y1, x2, y2), pen, LAMP);
    }
    for mark in accusation.marks(camera) {
        for ends in mark.windows(2) {
            line(&mut page, pixel(ends[0]), pixel(ends[1]), pen * 1.5, BROKEN);
        }
    }

    let here: Vec<_> =
        accusation.moments.iter().filter(|taken| taken.elsewhere.is_none()).collect();
    for pair in here.windows(2) {
        let [from, to] = [pair[0], pair[1]].map(|taken| taken.shot.vehicle.foot());
        line(&mut page, from, to, pen, VEHICLE);
    }
    for taken in here {
        let weight = if taken.role == accusation.main { pen } else { pen / 2.0 };
        frame(&mut page, &taken.shot.vehicle, weight, VEHICLE);
    }
    page
}
