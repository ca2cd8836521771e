//! Places in a picture: points, lines, polygons and rectangles, 0 to 1 of its width and height, so
//! that a site drawn on one resolution holds on another.

use crate::{Node, Reader, Value};

/// A point of the picture, 0 to 1 in both directions, y downwards.
pub type Point = [f32; 2];

/// Area of a polygon, always positive.
pub fn area(polygon: &[Point]) -> f32 {
    let next = polygon.iter().cycle().skip(1);
    let twice: f32 = polygon.iter().zip(next).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum();
    (twice / 2.0).abs()
}

/// Exactly `N` finite numbers; `form` says what they are.
pub fn numbers<const N: usize>(
    table: &Reader<'_>,
    node: &Node,
    key: &str,
    form: &str,
) -> Option<[f64; N]> {
    let number = |node: &Node| match node.value {
        Value::Float(n) => Some(n),
        Value::Integer(n) => Some(n as f64),
        _ => None,
    };
    let found = match &node.value {
        Value::Array(items) => items.iter().map(number).collect::<Option<Vec<f64>>>(),
        _ => None,
    };
    match found.map(<[f64; N]>::try_from) {
        Some(Ok(numbers)) if numbers.iter().all(|n| n.is_finite()) => Some(numbers),
        _ => {
            table.complain(Some(node.place.clone()), table.name(key), format!("must be {form}"));
            None
        }
    }
}

pub fn point(table: &Reader<'_>, node: &Node, key: &str) -> Option<Point> {
    let [x, y] = numbers::<2>(table, node, key, "made of points [x, y]")?;
    if !((0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y)) {
        table.complain(
            Some(node.place.clone()),
            table.name(key),
            format!("leaves the frame at [{x}, {y}]: coordinates are 0 to 1 of width and height"),
        );
    }
    Some([x as f32, y as f32])
}

pub fn line(table: &Reader<'_>, key: &'static str) -> [Point; 2] {
    const NOWHERE: [Point; 2] = [[0.0, 0.0], [1.0, 0.0]];
    let Some(node) = table.take(key) else {
        table.reject(key, "is missing: two points, e.g. [[0.1, 0.6], [0.9, 0.6]]");
        return NOWHERE;
    };
    let ends = match &node.value {
        Value::Array(items) if items.len() == 2 => {
            items.iter().map(|item| point(table, item, key)).collect::<Option<Vec<Point>>>()
        }
        _ => {
            table.reject(key, "must be two points, e.g. [[0.1, 0.6], [0.9, 0.6]]");
            None
        }
    };
    let Some([a, b]) = ends.and_then(|ends| <[Point; 2]>::try_from(ends).ok()) else {
        return NOWHERE;
    };
    if (a[0] - b[0]).hypot(a[1] - b[1]) < 0.01 {
        table.reject(key, "has both ends at the same place: draw it across the road");
        return NOWHERE;
    }
    [a, b]
}

pub fn polygon(table: &Reader<'_>, node: &Node, key: &str) -> Option<Vec<Point>> {
    let form = || {
        table.complain(
            Some(node.place.clone()),
            table.name(key),
            "must be a polygon of at least three points [x, y]",
        );
    };
    let Value::Array(items) = &node.value else {
        form();
        return None;
    };
    if items.len() < 3 {
        form();
        return None;
    }
    let points: Vec<Point> = items.iter().map(|p| point(table, p, key)).collect::<Option<_>>()?;
    if area(&points) < 1e-4 {
        table.complain(Some(node.place.clone()), table.name(key), "encloses no area");
        return None;
    }
    Some(points)
}

pub fn rectangle(table: &Reader<'_>, key: &'static str) -> [f32; 4] {
    const WHOLE: [f32; 4] = [0.0, 0.0, 1.0, 1.0];
    let Some(node) = table.take(key) else {
        table.reject(key, "is missing: [x, y, width, height] in 0 to 1 of the frame");
        return WHOLE;
    };
    let form = "[x, y, width, height] in 0 to 1 of the frame";
    let Some([x, y, w, h]) = numbers::<4>(table, node, key, form) else { return WHOLE };
    if w <= 0.0 || h <= 0.0 {
        table.reject(key, format!("has zero size ({w} × {h}): draw it around what it shows"));
    } else if x < 0.0 || y < 0.0 || x + w > 1.0001 || y + h > 1.0001 {
        table.reject(key, format!("leaves the frame: must be {form}"));
    }
    [x, y, w, h].map(|n| n as f32)
}
