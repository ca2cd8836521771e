//! Which boxes are one vehicle: of one picture (duplicates), of two tracks (doubles), and of a track
//! and a picture (similarity by place and shape, alike by looks).
//!
//! Similarity joins overlap and distance, because at five frames a second a motorbike's boxes need
//! not overlap. Looks are asked because in a queue boxes of several overlap.

use plate_model::BBox;

use super::track::{Sighting, Track};
use super::{Nanos, SECOND};

/// Whether `young` has only ever been a second box of `old`.
pub fn doubles(old: &Track, young: &Track, t: Nanos) -> bool {
    let together = old.last().t == t && young.last().t == t;
    together
        && !young.others.contains(&old.id)
        && old.last().bbox.iou(&young.last().bbox) > 0.5
        && old.class.is_two_wheeled() == young.class.is_two_wheeled()
}

/// Share of the smaller box that lies in the other.
pub fn overlap(a: &BBox, b: &BBox) -> f32 {
    a.inside(b).max(b.inside(a))
}

/// One vehicle reported twice, under two classes or as a part of itself, is one.
pub fn without_duplicates(sightings: &[Sighting]) -> Vec<Sighting> {
    let mut order: Vec<&Sighting> =
        sightings.iter().filter(|s| s.bbox.width() >= 2.0 && s.bbox.height() >= 2.0).collect();
    order.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.bbox.x1.total_cmp(&b.bbox.x1)));
    let mut kept: Vec<Sighting> = Vec::new();
    for sighting in order {
        let repeated = kept.iter().any(|better| repeats(sighting, better));
        if !repeated && !surrounds(sighting, &kept) {
            kept.push(*sighting);
        }
    }
    // A helmet alone may look like a small car, even a better one than the rider it belongs to.
    let riders: Vec<Sighting> = kept.iter().filter(|s| s.class.is_two_wheeled()).copied().collect();
    kept.retain(|s| s.class.is_two_wheeled() || !riders.iter().any(|r| part_of_rider(s, r)));
    kept
}

fn repeats(sighting: &Sighting, better: &Sighting) -> bool {
    let (a, b) = (&sighting.bbox, &better.bbox);
    if sighting.class.is_two_wheeled() != better.class.is_two_wheeled() {
        // A motorbike stands before a car's rear often enough; both are there.
        return a.iou(b) > 0.75;
    }
    let nested = if sighting.class.is_two_wheeled() { 0.85 } else { 0.75 };
    a.iou(b) > 0.6 || a.inside(b) > nested
}

/// A box around two riders is neither of them.
fn surrounds(sighting: &Sighting, better: &[Sighting]) -> bool {
    let within =
        |other: &&Sighting| other.class.is_two_wheeled() && other.bbox.inside(&sighting.bbox) > 0.6;
    sighting.class.is_two_wheeled() && better.iter().filter(within).count() >= 2
}

fn part_of_rider(sighting: &Sighting, rider: &Sighting) -> bool {
    let (a, b) = (&sighting.bbox, &rider.bbox);
    a.area() < 0.5 * b.area() && a.inside(b) > 0.75 && sighting.score < 1.5 * rider.score
}

/// How well a sighting's place and shape fit a track, 0 to 1.
pub fn similarity(track: &Track, sighting: &Sighting, t: Nanos) -> f32 {
    let expected = track.motion.bbox();
    let (a, b) = (&expected, &sighting.bbox);
    let ratio = (a.height() / b.height()).max(b.height() / a.height());
    let wider = (a.width() / b.width()).max(b.width() / a.width());
    if ratio > 1.8 || wider > 2.2 {
        return 0.0;
    }
    let two_wheeled = track.class.is_two_wheeled() == sighting.class.is_two_wheeled();
    // How far the vehicle may be from where it was expected grows with the time it was unseen.
    let unseen = t.saturating_sub(track.last().t) as f32 / SECOND as f32;
    // A new track has no speed yet: traffic does up to six of its own sizes a second.
    let unknown_speed = if track.hits < 3 { 6.0 } else { 0.0 };
    let size = (a.height() * a.width()).sqrt();
    // Whoever comes nearer gathers speed in the picture.
    let [vx, vy] = track.motion.velocity();
    let reach = 0.45 * size + ((0.8 + unknown_speed) * size + 0.6 * vx.hypot(vy)) * unseen.min(1.0);
    let [ax, ay] = a.foot();
    let [bx, by] = b.foot();
    let near = (1.0 - (ax - bx).hypot(ay - by) / reach).max(0.0);
    // A box around two vehicles is wider than either.
    let shape = 1.0 / (1.0 + 0.5 * (ratio - 1.0) + 0.4 * (wider - 1.0));
    let fit = (0.4 * a.iou(b) + 0.6 * near) * shape;
    if two_wheeled { fit } else { 0.6 * fit }
}

/// Between these shares of difference a foreign look counts from not at all to fully. The same vehicle
/// half a second later differs by .1, in one case of twenty by more than .2; its neighbours by .45.
const FOREIGN: [f32; 2] = [0.1, 0.35];
/// What is left of the similarity of two that look nothing alike.
const UNLIKE: f32 = 0.5;

/// How far looks let a sighting be the track's, 0.5 to 1; 1 where either has none.
pub fn alike(track: &Track, sighting: &Sighting) -> f32 {
    let (Some(mine), Some(seen)) = (&track.appearance, &sighting.appearance) else { return 1.0 };
    let different = 1.0 - mine.in_common(seen);
    let foreign = ((different - FOREIGN[0]) / (FOREIGN[1] - FOREIGN[0])).clamp(0.0, 1.0);
    1.0 - (1.0 - UNLIKE) * foreign
}

#[cfg(test)]
mod tests {
    use contract::VehicleClass;

    use super::*;

    fn car(x1: f32, y1: f32, x2: f32, y2: f32, score: f32) -> Sighting {
        Sighting {
            bbox: BBox { x1, y1, x2, y2 },
            class: VehicleClass::Car,
            score,
            appearance: None,
        }
    }

    #[test]
    fn parts_and_doubles_of_one_vehicle_are_one() {
        let whole = car(100.0, 100.0, 300.0, 300.0, 0.6);
        let part = car(120.0, 100.0, 280.0, 210.0, 0.5);
        let rider = Sighting {
            bbox: BBox { x1: 175.0, y1: 240.0, x2: 225.0, y2: 330.0 },
            class: VehicleClass::Motorbike,
            score: 0.8,
            appearance: None,
        };
        let helmet = car(185.0, 240.0, 210.0, 265.0, 0.9);
        let kept = without_duplicates(&[part, whole, rider, helmet]);
        assert_eq!(kept, [rider, whole], "the rider before the car is another vehicle");
    }

    #[test]
    fn a_box_around_two_riders_is_none() {
        let rider = |x: f32, score| Sighting {
            bbox: BBox::new(x - 25.0, 200.0, x + 25.0, 300.0),
            class: VehicleClass::Motorbike,
            score,
            appearance: None,
        };
        let around = Sighting { bbox: BBox::new(270.0, 195.0, 385.0, 300.0), ..rider(0.0, 0.4) };
        let two = [rider(300.0, 0.8), rider(355.0, 0.6)];
        assert_eq!(without_duplicates(&[two[0], around, two[1]]), two);
        assert_eq!(without_duplicates(&[two[0], around]).len(), 2, "one rider may hide another");
    }
}
