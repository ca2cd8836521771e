//! One object, one box, one class: greedy suppression of overlapping boxes within a class and
//! across classes, and joining a motorbike's own box with the box that includes its rider.

use contract::VehicleClass;

use crate::geometry::BBox;

/// A box before suppression, in any one coordinate system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    /// Channel of the network.
    pub class: usize,
    pub score: f32,
    pub bbox: BBox,
}

/// Limits of score and overlap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    pub score: f32,
    pub same_class_iou: f32,
    /// Two classes on one spot are one object; higher than within a class because a motorbike in
    /// front of a bus is two.
    pub cross_class_iou: f32,
}

/// Share of the smaller box that must lie in the larger one to be the same motorbike.
const JOIN_INSIDE: f32 = 0.9;
/// Wheels on the same spot: distance of the lower edges, share of the larger box's height.
const JOIN_FOOT: f32 = 0.08;
/// Score of the larger box as a share of the smaller one's, from which it replaces it.
const JOIN_SCORE: f32 = 0.6;

/// Keeps the best box of every object, best first. The order of equals follows the input.
pub(crate) fn suppress(mut candidates: Vec<Candidate>, limits: &Limits) -> Vec<Candidate> {
    // A stable sort: equal scores keep the network's order, so the result is deterministic.
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let mut duplicate = false;
        for other in &mut kept {
            let iou = candidate.bbox.iou(&other.bbox);
            let same = candidate.class == other.class;
            let limit = if same { limits.same_class_iou } else { limits.cross_class_iou };
            if iou > limit {
                duplicate = true;
                break;
            }
            if same && is_motorbike(candidate.class) && is_same_bike(&candidate.bbox, &other.bbox) {
                // The larger box has the rider, unless the network hardly believes in it.
                let believed = candidate.score >= JOIN_SCORE * other.score;
                if believed && candidate.bbox.area() > other.bbox.area() {
                    other.bbox = candidate.bbox;
                }
                duplicate = true;
                break;
            }
        }
        if !duplicate {
            kept.push(candidate);
        }
    }
    kept
}

fn is_motorbike(class: usize) -> bool {
    VehicleClass::ALL.get(class) == Some(&VehicleClass::Motorbike)
}

fn is_same_bike(a: &BBox, b: &BBox) -> bool {
    let (small, large) = if a.area() < b.area() { (a, b) } else { (b, a) };
    small.inside(large) >= JOIN_INSIDE
        && (large.y2 - small.y2).abs() <= JOIN_FOOT * large.height()
        // A second, distant bike behind the rider is narrower than the bike itself.
        && small.width() >= 0.6 * large.width()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { score: 0.3, same_class_iou: 0.6, cross_class_iou: 0.7 };

    fn candidate(class: usize, score: f32, corners: [f32; 4]) -> Candidate {
        let [x1, y1, x2, y2] = corners;
        Candidate { class, score, bbox: BBox::new(x1, y1, x2, y2) }
    }

    #[test]
    fn best_of_overlapping_boxes_stays() {
        let kept = suppress(
            vec![
                candidate(1, 0.6, [0.0, 0.0, 10.0, 10.0]),
                candidate(1, 0.9, [1.0, 0.0, 11.0, 10.0]),
                candidate(1, 0.8, [30.0, 0.0, 40.0, 10.0]),
            ],
            &LIMITS,
        );
        assert_eq!(kept.iter().map(|c| c.score).collect::<Vec<_>>(), [0.9, 0.8]);
    }

    #[test]
    fn one_object_has_one_class() {
        let truck = candidate(3, 0.7, [0.0, 0.0, 20.0, 20.0]);
        let bus = candidate(2, 0.8, [0.0, 0.0, 20.0, 19.0]);
        assert_eq!(suppress(vec![truck, bus], &LIMITS), [bus]);
    }

    #[test]
    fn motorbike_in_front_of_a_bus_is_two() {
        let bike = candidate(0, 0.9, [5.0, 8.0, 9.0, 20.0]);
        let bus = candidate(2, 0.8, [0.0, 0.0, 20.0, 20.0]);
        assert_eq!(suppress(vec![bus, bike], &LIMITS), [bike, bus]);
    }

    #[test]
    fn bike_and_bike_with_rider_are_joined_on_the_larger_box() {
        let bike = candidate(0, 0.9, [1.0, 10.0, 9.0, 20.0]);
        let rider = candidate(0, 0.6, [0.0, 0.0, 10.0, 20.0]);
        let kept = suppress(vec![rider, bike], &LIMITS);
        assert_eq!(kept, [Candidate { score: 0.9, ..rider }]);
    }

    #[test]
    fn a_hardly_believed_larger_box_changes_nothing() {
        let bike = candidate(0, 0.9, [1.0, 10.0, 9.0, 20.0]);
        let loose = candidate(0, 0.1, [0.0, 0.0, 10.0, 20.0]);
        assert_eq!(suppress(vec![loose, bike], &LIMITS), [bike]);
    }

    #[test]
    fn distant_bike_behind_a_rider_stays() {
        let near = candidate(0, 0.9, [0.0, 0.0, 10.0, 20.0]);
        let far = candidate(0, 0.6, [4.0, 2.0, 7.0, 8.0]);
        assert_eq!(suppress(vec![near, far], &LIMITS), [near, far]);
    }

    #[test]
    fn equals_keep_the_input_order() {
        let a = candidate(1, 0.5, [0.0, 0.0, 5.0, 5.0]);
        let b = candidate(1, 0.5, [50.0, 0.0, 55.0, 5.0]);
        assert_eq!(suppress(vec![a, b], &LIMITS), [a, b]);
        assert_eq!(suppress(vec![b, a], &LIMITS), [b, a]);
    }
}
