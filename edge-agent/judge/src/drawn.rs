//! What a site draws beside the junction, areas and lines with a name, and where a point lies to
//! them. Drawn 0 to 1 of the picture; what asks for distances gives corners in pixels.

use serde::{Deserialize, Serialize};
use settings::shapes::{self, Point};
use settings::{Node, Reader, Value};

use crate::road::contains;

/// A named part of the road.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    pub name: String,
    pub corners: Vec<Point>,
}

impl Area {
    /// Reads `name` and `area`.
    pub fn read(table: &Reader<'_>) -> Self {
        let name = table.text("name", "1");
        let polygon = |node: &Node| shapes::polygon(table, node, "area").unwrap_or_default();
        let corners = table.take("area").map(polygon).unwrap_or_else(|| {
            table.reject(
                "area",
                "is missing: the part of the road, \
                 e.g. [[0.1, 1.0], [0.1, 0.6], [0.4, 0.6], [0.4, 1.0]]",
            );
            Vec::new()
        });
        Self { name, corners }
    }

    /// The area as something that was broken: its first corner again at the end.
    pub fn outline(&self) -> Vec<Point> {
        self.corners.iter().chain(self.corners.first()).copied().collect()
    }
}

/// Refuses a name that another of the same kind has: a fact tells them apart by it.
pub fn refuse_repeated<'a>(
    table: &Reader<'_>,
    name: &str,
    mut others: impl Iterator<Item = &'a str>,
) {
    if others.any(|other| other == name) {
        table.reject("name", format!("repeats {name:?}: each needs its own"));
    }
}

/// A line of two or more points under `key`, in the order drawn.
pub fn polyline(table: &Reader<'_>, key: &'static str) -> Vec<Point> {
    const FORM: &str = "two or more points in order, e.g. [[0.5, 1.0], [0.5, 0.6]]";
    let Some(node) = table.take(key) else {
        table.reject(key, format!("is missing: {FORM}"));
        return Vec::new();
    };
    let Value::Array(items) = &node.value else {
        table.reject(key, format!("must be {FORM}"));
        return Vec::new();
    };
    let points: Option<Vec<Point>> =
        items.iter().map(|item| shapes::point(table, item, key)).collect();
    let Some(points) = points else { return Vec::new() };
    let apart = |pair: &[Point]| libm::hypotf(pair[0][0] - pair[1][0], pair[0][1] - pair[1][1]);
    if points.len() < 2 {
        table.reject(key, format!("must be {FORM}"));
    } else if points.windows(2).any(|pair| apart(pair) < 0.01) {
        table.reject(key, "has two points after one another at the same place");
    }
    points
}

/// How far inside the polygon `p` lies; negative outside.
pub fn depth(corners: &[Point], p: Point) -> f32 {
    let next = corners.iter().cycle().skip(1);
    let edges = corners.iter().zip(next).map(|(&a, &b)| Foot::of(a, b, p).distance);
    let nearest = edges.fold(f32::INFINITY, f32::min);
    if contains(corners, p) { nearest } else { -nearest }
}

/// Where a point lies to a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beside {
    /// Distance, positive to the right of the line as it was drawn.
    pub right: f32,
    /// Way along the line from its first point, and from there to its last.
    pub along: f32,
    pub ahead: f32,
    /// The line's direction there.
    pub direction: Point,
}

/// Where `p` lies to the line through `points`; none beyond its ends.
pub fn beside(points: &[Point], p: Point) -> Option<Beside> {
    let mut best: Option<(Foot, f32, usize)> = None;
    let mut length = 0.0;
    for (i, pair) in points.windows(2).enumerate() {
        let foot = Foot::of(pair[0], pair[1], p);
        // At a corner both segments are as near; the one that it lies more beside tells the side.
        let nearer = best.is_none_or(|(known, ..)| {
            let even = (foot.distance - known.distance).abs() <= 1e-3 * known.distance.max(1.0);
            if even { foot.right.abs() > known.right.abs() } else { foot.distance < known.distance }
        });
        if nearer {
            best = Some((foot, length, i));
        }
        length += foot.length;
    }
    let (foot, before, i) = best?;
    let beyond = i == 0 && foot.share < 0.0 || i + 2 == points.len() && foot.share > 1.0;
    let along = before + foot.share.clamp(0.0, 1.0) * foot.length;
    let [a, b] = [points[i], points[i + 1]];
    (!beyond).then(|| Beside {
        right: foot.distance.copysign(foot.right),
        along,
        ahead: length - along,
        direction: [(b[0] - a[0]) / foot.length, (b[1] - a[1]) / foot.length],
    })
}

/// Where a point lies to one segment.
#[derive(Debug, Clone, Copy)]
struct Foot {
    /// 0 at the segment's first end, 1 at its last, unbounded.
    share: f32,
    /// Distance from the segment, never negative.
    distance: f32,
    /// Distance to the right of the segment's endless line.
    right: f32,
    length: f32,
}

impl Foot {
    fn of(a: Point, b: Point, p: Point) -> Self {
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let length = libm::hypotf(dx, dy).max(f32::EPSILON);
        let share = ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / (length * length);
        let within = share.clamp(0.0, 1.0);
        let (x, y) = (a[0] + within * dx, a[1] + within * dy);
        Self {
            share,
            distance: libm::hypotf(p[0] - x, p[1] - y),
            // y grows downwards.
            right: (dx * (p[1] - a[1]) - dy * (p[0] - a[0])) / length,
            length,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn depth_is_the_way_to_the_nearest_edge() {
        let square = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]];
        assert_eq!(depth(&square, [5.0, 3.0]), 3.0);
        assert_eq!(depth(&square, [5.0, -4.0]), -4.0);
        assert_eq!(depth(&square, [13.0, 14.0]), -5.0, "a corner is the nearest");
    }

    #[test]
    fn sides_are_told_as_drawn_and_not_beyond_the_ends() {
        // Up the picture, then to the right.
        let line = [[0.0, 10.0], [0.0, 0.0], [10.0, 0.0]];
        let right = |p| beside(&line, p).map(|found| found.right);
        assert_eq!(right([2.0, 5.0]), Some(2.0));
        assert_eq!(right([-2.0, 5.0]), Some(-2.0));
        assert_eq!(right([5.0, -2.0]), Some(-2.0));
        assert_eq!(right([-3.0, -4.0]), Some(-5.0), "outside of the bend");
        assert_eq!(right([2.0, 11.0]), None);
        assert_eq!(right([11.0, 1.0]), None);
        let along = beside(&line, [5.0, 1.0]).unwrap();
        assert_eq!((along.along, along.ahead), (15.0, 5.0));
    }

    proptest! {
        #[test]
        fn drawn_backwards_right_is_left(x in -20.0f32..20.0, y in -20.0f32..20.0) {
            let line = [[0.0, 10.0], [1.0, 2.0], [4.0, -3.0], [10.0, -5.0]];
            let mut back = line;
            back.reverse();
            let (one, other) = (beside(&line, [x, y]), beside(&back, [x, y]));
            prop_assert_eq!(one.is_some(), other.is_some());
            if let (Some(one), Some(other)) = (one, other) {
                prop_assert!((one.right + other.right).abs() < 0.02);
                prop_assert!((one.along - other.ahead).abs() < 0.05);
            }
        }
    }
}
