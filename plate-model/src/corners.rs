//! The order of a plate's corners: clockwise from the top left as the plate reads, or no plate.

use crate::geometry::{Point, distance, is_convex_clockwise, signed_area};

/// Shortest edge of a plate that can be read at all, in frame pixels.
const SHORTEST: f32 = 3.0;
/// Width over height: a square two-row plate seen from the side to a long plate from above.
const ASPECT: std::ops::RangeInclusive<f32> = 0.5..=9.0;
/// Opposite edges differ at most this much before the perspective is not that of a plate.
const TAPER: f32 = 3.0;

/// Puts four corners in order and drops what no plate looks like.
///
/// The network's own order is kept where it is possible; otherwise the corners are sorted around
/// their centre and the edge that runs most nearly to the right becomes the upper one.
pub(crate) fn ordered(corners: &[Point; 4]) -> Option<[Point; 4]> {
    if corners.iter().flatten().any(|value| !value.is_finite()) {
        return None;
    }
    let corners = if is_convex_clockwise(corners) && reads_rightwards(corners) {
        *corners
    } else {
        from_top_left(&clockwise(corners))
    };
    is_plate(&corners).then_some(corners)
}

/// Upper edge within 60° of horizontal.
fn reads_rightwards(corners: &[Point; 4]) -> bool {
    let [dx, dy] = upper_edge(corners);
    dx > 0.0 && dy.abs() < dx * 1.732
}

/// Direction of reading: the mean of upper and lower edge.
fn upper_edge([a, b, c, d]: &[Point; 4]) -> Point {
    [(b[0] - a[0] + c[0] - d[0]) / 2.0, (b[1] - a[1] + c[1] - d[1]) / 2.0]
}

fn clockwise(corners: &[Point; 4]) -> [Point; 4] {
    let centre = corners.iter().fold([0.0, 0.0], |c, p| [c[0] + p[0] / 4.0, c[1] + p[1] / 4.0]);
    let angle = |p: &Point| (p[1] - centre[1]).atan2(p[0] - centre[0]);
    let mut sorted = *corners;
    sorted.sort_by(|a, b| angle(a).total_cmp(&angle(b)));
    sorted
}

fn from_top_left(corners: &[Point; 4]) -> [Point; 4] {
    let rotated = |by: usize| std::array::from_fn(|i| corners[(i + by) % 4]);
    let rightwards = |corners: &[Point; 4]| {
        let [dx, dy] = upper_edge(corners);
        dx / dx.hypot(dy).max(f32::EPSILON)
    };
    let mut best: [Point; 4] = rotated(0);
    for by in 1..4 {
        let candidate = rotated(by);
        if rightwards(&candidate) > rightwards(&best) {
            best = candidate;
        }
    }
    best
}

fn is_plate(corners: &[Point; 4]) -> bool {
    let [a, b, c, d] = *corners;
    let (top, bottom) = (distance(a, b), distance(d, c));
    let (left, right) = (distance(a, d), distance(b, c));
    let (width, height) = ((top + bottom) / 2.0, (left + right) / 2.0);
    let edges = [top, right, bottom, left];
    is_convex_clockwise(corners)
        && reads_rightwards(corners)
        && edges.iter().all(|edge| *edge >= SHORTEST)
        && ASPECT.contains(&(width / height))
        && top.max(bottom) <= TAPER * top.min(bottom)
        && left.max(right) <= TAPER * left.min(right)
        // Not a sliver: a parallelogram of the same edges sheared flat has little area.
        && signed_area(corners) >= 0.3 * width * height
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UPRIGHT: [Point; 4] = [[10.0, 10.0], [50.0, 12.0], [49.0, 30.0], [9.0, 28.0]];

    #[test]
    fn good_order_is_kept() {
        assert_eq!(ordered(&UPRIGHT), Some(UPRIGHT));
    }

    #[test]
    fn any_permutation_of_an_upright_plate_is_put_in_order() {
        let orders = [[1, 2, 3, 0], [2, 3, 0, 1], [3, 2, 1, 0], [0, 2, 1, 3], [1, 0, 3, 2]];
        for order in orders {
            let shuffled = order.map(|i: usize| UPRIGHT[i]);
            assert_eq!(ordered(&shuffled), Some(UPRIGHT), "{order:?}");
        }
    }

    #[test]
    fn a_leaning_plate_keeps_its_own_top_left() {
        // Rolled by 50°: the network's order says which edge is the upper one.
        let (sin, cos) = 50f32.to_radians().sin_cos();
        let turn = |[x, y]: Point| [x * cos - y * sin + 100.0, x * sin + y * cos + 100.0];
        let plate = [[-20.0, -10.0], [20.0, -10.0], [20.0, 10.0], [-20.0, 10.0]].map(turn);
        assert_eq!(ordered(&plate), Some(plate));
    }

    #[test]
    fn what_no_plate_looks_like_is_dropped() {
        let dent = [[0.0, 0.0], [40.0, 0.0], [12.0, 6.0], [0.0, 20.0]];
        let tiny = [[0.0, 0.0], [5.0, 0.0], [5.0, 2.0], [0.0, 2.0]];
        let long = [[0.0, 0.0], [200.0, 0.0], [200.0, 10.0], [0.0, 10.0]];
        let taper = [[0.0, 0.0], [40.0, 0.0], [24.0, 20.0], [16.0, 20.0]];
        let nan = [[0.0, f32::NAN], [40.0, 0.0], [40.0, 20.0], [0.0, 20.0]];
        for corners in [dent, tiny, long, taper, nan, [[5.0, 5.0]; 4]] {
            assert_eq!(ordered(&corners), None, "{corners:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_convex_and_clockwise(values in prop::array::uniform8(-50.0f32..50.0)) {
            let [a, b, c, d, e, f, g, h] = values;
            if let Some(corners) = ordered(&[[a, b], [c, d], [e, f], [g, h]]) {
                prop_assert!(is_convex_clockwise(&corners));
                prop_assert!(reads_rightwards(&corners));
            }
        }
    }
}
