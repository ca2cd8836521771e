//! Geometry of the drawn road: which side of the stop line a point is on, whether and when a path
//! crosses a line, and which areas count. What is drawn is normalised; [`Road`] is in pixels of one
//! frame size, because distances are compared with the size of vehicles.

use contract::Movement;
use settings::shapes::{Point, area};

use crate::site::Junction;

/// How far beyond its drawn ends a line still counts, as a share of its length: drawn ends stop at
/// kerbs, foot points wobble.
const END_SLACK: f32 = 0.03;

/// Whether `point` lies inside `polygon`.
pub fn contains(polygon: &[Point], point: Point) -> bool {
    let mut inside = false;
    let mut previous = match polygon.last() {
        Some(last) => *last,
        None => return false,
    };
    for &corner in polygon {
        let spans = (corner[1] > point[1]) != (previous[1] > point[1]);
        if spans {
            let along = (point[1] - corner[1]) / (previous[1] - corner[1]);
            if point[0] < corner[0] + along * (previous[0] - corner[0]) {
                inside = !inside;
            }
        }
        previous = corner;
    }
    inside
}

/// Twice the signed area of the triangle `a`, `b`, `p`: its sign tells the side of `p`.
fn side(a: Point, b: Point, p: Point) -> f32 {
    (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
}

/// On which side of `line` the approach lies: +1 or −1, none where it lies on both.
pub fn approach_side(line: [Point; 2], approach: &[Point]) -> Option<f32> {
    let left = area(&clip(line, approach, 1.0));
    let right = area(&clip(line, approach, -1.0));
    let whole = left + right;
    if whole <= 0.0 || left.max(right) < 0.7 * whole {
        return None;
    }
    Some(if left > right { 1.0 } else { -1.0 })
}

/// The part of `polygon` on one side of the infinite line (Sutherland–Hodgman).
fn clip([a, b]: [Point; 2], polygon: &[Point], sign: f32) -> Vec<Point> {
    let mut out = Vec::new();
    for (i, &p) in polygon.iter().enumerate() {
        let q = polygon[(i + 1) % polygon.len()];
        let (sp, sq) = (sign * side(a, b, p), sign * side(a, b, q));
        if sp >= 0.0 {
            out.push(p);
        }
        if (sp > 0.0 && sq < 0.0) || (sp < 0.0 && sq > 0.0) {
            let f = sp / (sp - sq);
            out.push([p[0] + f * (q[0] - p[0]), p[1] + f * (q[1] - p[1])]);
        }
    }
    out
}

/// A directed line: positive is the way out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    a: Point,
    b: Point,
    /// Unit normal in the direction of travel.
    normal: Point,
}

impl Line {
    /// The line through `ends`, with `behind` on its negative side.
    pub fn new(ends: [Point; 2], behind: Point) -> Self {
        let [a, b] = ends;
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let length = libm::hypotf(dx, dy).max(f32::EPSILON);
        let mut normal = [-dy / length, dx / length];
        let line = Self { a, b, normal };
        if line.beyond(behind) > 0.0 {
            normal = [-normal[0], -normal[1]];
        }
        Self { a, b, normal }
    }

    /// Distance of `p` beyond the line; negative before it.
    pub fn beyond(&self, p: Point) -> f32 {
        (p[0] - self.a[0]) * self.normal[0] + (p[1] - self.a[1]) * self.normal[1]
    }

    pub const fn normal(&self) -> Point {
        self.normal
    }

    pub const fn ends(&self) -> [Point; 2] {
        [self.a, self.b]
    }

    /// Where along the line `p` lies: 0 at its first drawn end, 1 at its second.
    pub fn along(&self, p: Point) -> f32 {
        let (dx, dy) = (self.b[0] - self.a[0], self.b[1] - self.a[1]);
        ((p[0] - self.a[0]) * dx + (p[1] - self.a[1]) * dy) / (dx * dx + dy * dy).max(f32::EPSILON)
    }

    /// How far `p` is from the nearest point between the drawn ends.
    pub fn distance(&self, p: Point) -> f32 {
        let f = self.along(p).clamp(0.0, 1.0);
        let at = |i: usize| self.a[i] + f * (self.b[i] - self.a[i]);
        libm::hypotf(p[0] - at(0), p[1] - at(1))
    }

    /// Whether `p` lies between the line's drawn ends, with their slack.
    pub fn spans(&self, p: Point) -> bool {
        (-END_SLACK..=1.0 + END_SLACK).contains(&self.along(p))
    }

    /// Where on the way from `from` to `to` the line is crossed in travel direction, 0 to 1.
    /// A point on the line counts as beyond it.
    pub fn crossing(&self, from: Point, to: Point) -> Option<f32> {
        let (before, after) = (self.beyond(from), self.beyond(to));
        if !(before < 0.0 && after >= 0.0) {
            return None;
        }
        let f = before / (before - after);
        let p = [from[0] + f * (to[0] - from[0]), from[1] + f * (to[1] - from[1])];
        self.spans(p).then_some(f)
    }
}

/// The drawn road of one camera in pixels.
#[derive(Debug, Clone)]
pub struct Road {
    pub stop: Line,
    approach: Vec<Point>,
    exits: Vec<(Movement, Line)>,
    /// Which hand is right in the picture: 1, or −1 where it is mirrored.
    handed: f32,
}

impl Road {
    /// Scales what is drawn to a frame of `width` × `height` pixels.
    pub fn new(junction: &Junction, width: u32, height: u32) -> Self {
        let scale = |p: &Point| [p[0] * width as f32, p[1] * height as f32];
        let all = |points: &[Point]| points.iter().map(scale).collect::<Vec<Point>>();
        let ends = [scale(&junction.stop_line[0]), scale(&junction.stop_line[1])];
        let approach = all(&junction.approach);
        // The side holding most of the approach is behind; configuration refuses an even split.
        let sign = approach_side(ends, &approach).unwrap_or(1.0);
        let (dx, dy) = (ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]);
        let middle = [(ends[0][0] + ends[1][0]) / 2.0, (ends[0][1] + ends[1][1]) / 2.0];
        let behind = [middle[0] - sign * dy, middle[1] + sign * dx];
        let stop = Line::new(ends, behind);
        let exits: Vec<(Movement, Line)> = junction
            .exits
            .iter()
            // A vehicle leaves coming from the stop line.
            .map(|exit| {
                (exit.movement, Line::new([scale(&exit.line[0]), scale(&exit.line[1])], middle))
            })
            .collect();
        let handed = handed(&stop, &exits);
        Self { stop, approach, exits, handed }
    }

    pub fn in_approach(&self, p: Point) -> bool {
        contains(&self.approach, p)
    }

    /// The drawn ways out of the junction.
    pub fn exits(&self) -> &[(Movement, Line)] {
        &self.exits
    }

    /// Whether an exit is crossed on the way from `from` to `to`.
    pub fn leaves(&self, from: Point, to: Point) -> bool {
        self.exits.iter().any(|(_, line)| line.crossing(from, to).is_some())
    }

    /// Whether `p` lies to the left of the stop line's drawn ends: where traffic comes towards it.
    pub fn beside_oncoming(&self, p: Point) -> bool {
        let ([a, b], n) = (self.stop.ends(), self.stop.normal());
        let right = |q: Point| self.handed * (q[1] * n[0] - q[0] * n[1]);
        !self.stop.spans(p) && right(p) < right(a).min(right(b))
    }

    /// How far a direction points aside of straight over the stop line, in degrees: positive to
    /// the right as the driver sees it.
    pub fn aside(&self, [dx, dy]: Point) -> f32 {
        let n = self.stop.normal();
        let ahead = dx * n[0] + dy * n[1];
        // y grows downwards.
        let right = self.handed * (dy * n[0] - dx * n[1]);
        libm::atan2f(right, ahead).to_degrees()
    }

    /// Where a way straight on leads from a place on the stop line: as far along the exit ahead as
    /// it was along the line. A road narrows in the picture, so this is not the line's normal.
    pub fn straight_on(&self, from: Point) -> Option<Point> {
        let (_, exit) = self.exits.iter().find(|(m, _)| *m == Movement::Straight)?;
        let ([a, b], [c, d]) = (self.stop.ends(), exit.ends());
        let same_way = (b[0] - a[0]) * (d[0] - c[0]) + (b[1] - a[1]) * (d[1] - c[1]) >= 0.0;
        let (c, d) = if same_way { (c, d) } else { (d, c) };
        let f = self.stop.along(from);
        Some([c[0] + f * (d[0] - c[0]), c[1] + f * (d[1] - c[1])])
    }
}

/// −1 where the picture is mirrored: the drawn exits tell, left lying where right should.
fn handed(stop: &Line, exits: &[(Movement, Line)]) -> f32 {
    let n = stop.normal();
    let across = |movement| {
        let of = exits.iter().find(|(m, _)| *m == movement);
        of.map(|(_, line)| {
            let [a, b] = line.ends();
            (a[1] + b[1]) * n[0] - (a[0] + b[0]) * n[1]
        })
    };
    let [left, ahead, right] = [Movement::Left, Movement::Straight, Movement::Right].map(across);
    match (left, ahead, right) {
        (Some(left), _, Some(right)) if left > right => -1.0,
        (Some(left), Some(ahead), None) if left > ahead => -1.0,
        (None, Some(ahead), Some(right)) if ahead > right => -1.0,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn upward() -> Line {
        // Travel goes up the picture.
        Line::new([[100.0, 200.0], [300.0, 200.0]], [200.0, 400.0])
    }

    #[test]
    fn crossing_is_directed_and_bounded() {
        let line = upward();
        assert_eq!(line.crossing([200.0, 210.0], [200.0, 190.0]), Some(0.5));
        assert_eq!(line.crossing([200.0, 190.0], [200.0, 210.0]), None, "backwards");
        assert_eq!(line.crossing([50.0, 210.0], [50.0, 190.0]), None, "beside the line");
        assert_eq!(line.crossing([200.0, 210.0], [200.0, 200.0]), Some(1.0), "on it is beyond");
        assert_eq!(line.crossing([200.0, 200.0], [200.0, 190.0]), None, "already on it");
    }

    #[test]
    fn directions_turn_with_the_road_and_with_the_mirror() {
        let mut camera = crate::script::junction();
        let read = |camera: &Junction| {
            let road = Road::new(camera, 1000, 1000);
            [[0.0, -300.0], [-300.0, 0.0], [300.0, 0.0]].map(|way| road.aside(way).round())
        };
        assert_eq!(read(&camera), [0.0, -90.0, 90.0]);
        // The same drawing with left and right exchanged is a mirrored picture.
        for exit in &mut camera.exits {
            exit.movement = match exit.movement {
                Movement::Left => Movement::Right,
                Movement::Right => Movement::Left,
                other => other,
            };
        }
        assert_eq!(read(&camera), [0.0, 90.0, -90.0]);
        camera.exits.retain(|exit| exit.movement != Movement::Left);
        assert_eq!(read(&camera), [0.0, 90.0, -90.0], "one of them beside the exit ahead tells");
    }

    #[test]
    fn straight_on_follows_the_narrowing_road() {
        let mut camera = crate::script::junction();
        let lead = |camera: &Junction| {
            let road = Road::new(camera, 1000, 1000);
            [[100.0, 600.0], [700.0, 600.0]].map(|p| road.straight_on(p).unwrap())
        };
        let near = |found: [Point; 2]| {
            let wanted = [[250.0, 300.0], [625.0, 300.0]];
            found.iter().flatten().zip(wanted.iter().flatten()).all(|(a, b)| (a - b).abs() < 0.1)
        };
        assert!(near(lead(&camera)));
        camera.exits[0].line.reverse();
        assert!(near(lead(&camera)), "whichever end was drawn first");
        camera.exits.remove(0);
        assert_eq!(Road::new(&camera, 1000, 1000).straight_on([500.0, 600.0]), None);
    }

    #[test]
    fn approach_on_both_sides_is_no_approach() {
        let line = [[0.0, 0.5], [1.0, 0.5]];
        assert_eq!(approach_side(line, &[[0.0, 0.2], [1.0, 0.2], [1.0, 0.8], [0.0, 0.8]]), None);
        let below = approach_side(line, &[[0.0, 0.5], [1.0, 0.5], [1.0, 1.0]]);
        let above = approach_side(line, &[[0.0, 0.5], [1.0, 0.5], [1.0, 0.0]]);
        assert_eq!(below, Some(1.0));
        assert_eq!(above, Some(-1.0));
    }

    proptest! {
        #[test]
        fn a_path_over_the_line_crosses_once(
            x in 105.0f32..295.0, start in 201.0f32..400.0, end in 10.0f32..199.0, steps in 2usize..40,
        ) {
            let line = upward();
            let at = |i: usize| [x, start + (end - start) * i as f32 / steps as f32];
            let crossings = (0..steps).filter(|&i| line.crossing(at(i), at(i + 1)).is_some()).count();
            prop_assert_eq!(crossings, 1);
        }

        #[test]
        fn the_crossing_point_lies_on_the_line(
            x1 in 120.0f32..280.0, x2 in 120.0f32..280.0, y1 in 200.5f32..400.0, y2 in 0.0f32..200.0,
        ) {
            let line = upward();
            let f = line.crossing([x1, y1], [x2, y2]).unwrap();
            let p = [x1 + f * (x2 - x1), y1 + f * (y2 - y1)];
            prop_assert!(line.beyond(p).abs() < 0.01);
        }

        #[test]
        fn inside_a_triangle_is_a_mix_of_its_corners(a in 0.01f32..1.0, b in 0.01f32..1.0, c in 0.01f32..1.0) {
            let corners = [[0.0, 0.0], [10.0, 1.0], [3.0, 9.0]];
            let s = a + b + c;
            let mix = |i: usize| (a * corners[0][i] + b * corners[1][i] + c * corners[2][i]) / s;
            prop_assert!(contains(&corners, [mix(0), mix(1)]));
            prop_assert!(!contains(&corners, [mix(0) + 20.0, mix(1)]));
        }
    }
}
