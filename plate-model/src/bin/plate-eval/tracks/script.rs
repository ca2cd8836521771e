//! Hand-made scenes: for each place on the road, who is there and which track is on it, a letter or
//! digit a picture; `.` and `-` are nobody. Five pictures a second.

use plate_model::BBox;

use super::scene::{Picture, Scene, Thing};

pub fn scene(places: &[(&str, &str)]) -> Scene {
    let pictures = places[0].0.len();
    let bbox =
        |place: usize| BBox::new(place as f32 * 100.0, 0.0, place as f32 * 100.0 + 50.0, 90.0);
    let thing = |place: usize, row: &str, i: usize| {
        let sign = row.as_bytes()[i];
        (sign.is_ascii_alphanumeric()).then(|| Thing { id: u64::from(sign), bbox: bbox(place) })
    };
    let picture = |i: usize| Picture {
        t: i as f64 / 5.0,
        truth: (0..places.len()).filter_map(|p| thing(p, places[p].0, i)).collect(),
        found: (0..places.len()).filter_map(|p| thing(p, places[p].1, i)).collect(),
    };
    Scene { pictures: (0..pictures).map(picture).collect() }
}
