//! Where the accused vehicle, its plate and what it is judged by stand in an evidence picture, so
//! that the central can make everybody else unrecognisable in what it gives out.

use contract::view::{Area, MAX_AREAS, View};
use plate_model::geometry::BBox;

use crate::accusation::Shot;
use crate::config::Camera;

/// The view of `shot`'s whole frame, with what was broken marked (0 to 1 of the frame). None where
/// the vehicle's box lies outside it.
pub fn of_frame(shot: &Shot, camera: &Camera, marks: &[Vec<[f32; 2]>]) -> Option<View> {
    let picture = shot.pixels.size();
    let [width, height] = picture.map(|side| side as f32);
    let pixel = |[x, y]: [f32; 2]| point([x * width, y * height], picture);
    let lamps = camera.lamps.iter().filter_map(|lamp| {
        let [x, y, w, h] = lamp.region;
        area(&BBox::new(x * width, y * height, (x + w) * width, (y + h) * height), picture)
    });
    let others = shot.others.iter();
    Some(View {
        picture,
        vehicle: area(&shot.vehicle, picture)?,
        plate: shot.plate.map(|corners| corners.map(|corner| point(corner, picture))),
        others: others.filter_map(|other| area(other, picture)).take(MAX_AREAS).collect(),
        lamps: lamps.take(MAX_AREAS).collect(),
        marks: marks.iter().map(|mark| mark.iter().copied().map(pixel).collect()).collect(),
    })
}

/// A box in whole pixels, none of it outside the picture.
pub fn area(bbox: &BBox, picture: [u32; 2]) -> Option<Area> {
    let [x1, y1] = point([bbox.x1.floor(), bbox.y1.floor()], picture);
    let [x2, y2] = point([bbox.x2.ceil(), bbox.y2.ceil()], picture);
    (x1 < x2 && y1 < y2).then(|| [x1, y1, x2 - x1, y2 - y1])
}

/// A point in whole pixels, moved to the edge where it lies outside.
pub fn point([x, y]: [f32; 2], picture: [u32; 2]) -> [u32; 2] {
    // Clamped first: what is left fits.
    [x.round().clamp(0.0, picture[0] as f32) as u32, y.round().clamp(0.0, picture[1] as f32) as u32]
}
