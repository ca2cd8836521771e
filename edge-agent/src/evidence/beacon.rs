//! Whether a vehicle may be one on duty: a blue light on its roof. Fire engines, ambulances, convoys
//! and police may do much of what others may not (Luật Trật tự, an toàn giao thông đường bộ, Điều 27);
//! a machine cannot tell whether they were called, so this accuses and excuses nobody. It is a mark
//! for the reviewer, and rather set once too often.

use image::RgbImage;
use plate_model::geometry::BBox;

/// The roof and what stands on it: this share of the vehicle's height, from as much above its box.
const ROOF: f32 = 0.3;
const ABOVE: f32 = 0.12;
/// A lit lamp is brighter than paint, and blue by this much over red and over green.
const BRIGHT: u8 = 205;
const OVER_RED: u8 = 70;
const OVER_GREEN: u8 = 40;
/// Shares of the roof that a lamp takes up; what is larger is paint, a sign or the sky behind.
const SHARE: std::ops::RangeInclusive<f32> = 0.002..=0.2;
/// Fewer pixels are noise.
const LEAST: u32 = 5;

/// Whether something on the roof of `vehicle` shines blue.
pub fn may_shine(picture: &RgbImage, vehicle: &BBox) -> bool {
    let height = vehicle.height();
    let roof =
        BBox::new(vehicle.x1, vehicle.y1 - ABOVE * height, vehicle.x2, vehicle.y1 + ROOF * height);
    let roof = roof.clipped(picture.width(), picture.height());
    // Clipped: within the picture, which is no larger than u32.
    let side = |value: f32| value as u32;
    let (columns, rows) = (side(roof.x1)..side(roof.x2), side(roof.y1)..side(roof.y2));
    let area = columns.len() * rows.len();
    let shines = |x: u32, y: u32| {
        let [red, green, blue] = picture.get_pixel(x, y).0;
        blue >= BRIGHT
            && blue >= red.saturating_add(OVER_RED)
            && blue >= green.saturating_add(OVER_GREEN)
    };
    let lit = rows.map(|y| columns.clone().filter(|&x| shines(x, y)).count() as u32).sum::<u32>();
    lit >= LEAST && SHARE.contains(&(lit as f32 / area.max(1) as f32))
}

#[cfg(test)]
mod tests {
    use image::{Rgb, imageops};

    use super::*;

    const VEHICLE: BBox = BBox { x1: 100.0, y1: 100.0, x2: 220.0, y2: 220.0 };

    /// A vehicle of one colour on a grey road, with something on its roof.
    fn picture(paint: [u8; 3], on_roof: Option<([u32; 2], [u8; 3])>) -> RgbImage {
        let mut picture = RgbImage::from_pixel(320, 320, Rgb([96, 98, 100]));
        imageops::replace(&mut picture, &RgbImage::from_pixel(120, 120, Rgb(paint)), 100, 100);
        if let Some(([width, height], colour)) = on_roof {
            let lamp = RgbImage::from_pixel(width, height, Rgb(colour));
            imageops::replace(&mut picture, &lamp, 150, 94);
        }
        picture
    }

    #[test]
    fn a_blue_light_on_the_roof_is_marked_and_paint_is_not() {
        let light = [90, 140, 255];
        for (name, picture, wanted) in [
            ("a plain vehicle", picture([200, 200, 200], None), false),
            ("an ambulance", picture([230, 230, 230], Some(([20, 8], light))), true),
            ("a police car far away", picture([40, 60, 130], Some(([6, 3], light))), true),
            ("a blue car", picture([40, 80, 190], None), false),
            ("a bright blue van", picture([60, 120, 230], None), false),
            ("a taxi's sign", picture([220, 220, 220], Some(([20, 8], [250, 220, 60]))), false),
            ("a red light bar, lit red alone", picture([220, 30, 30], None), false),
            ("noise", picture([200, 200, 200], Some(([2, 2], light))), false),
        ] {
            assert_eq!(may_shine(&picture, &VEHICLE), wanted, "{name}");
        }
        // Out of the picture, or without any size.
        let anywhere = picture([0, 0, 255], None);
        assert!(!may_shine(&anywhere, &BBox::new(-50.0, -50.0, -10.0, -10.0)));
        assert!(!may_shine(&anywhere, &BBox::new(10.0, 10.0, 10.0, 10.0)));
    }
}
