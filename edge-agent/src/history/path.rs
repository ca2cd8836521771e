//! A track's way in few points: one is left out where who drives evenly from the point before to the
//! point after would have been there at that time, so that where it was at any time can be told.

use crate::history::record::Place;
use crate::see::{Nanos, SECOND};

/// So far, of the picture, a place may be off.
const TOLERANCE: f32 = 0.008;
/// Most points kept: who needs more is told less exactly.
pub const MOST: usize = 24;

/// Where it was: time, and 0 to 1 of the picture.
pub type Sight = (Nanos, [f32; 2]);

/// The points worth keeping of a way that begins with the first of `sights`.
pub fn simplified(sights: &[Sight]) -> Vec<Place> {
    let Some(&(begin, _)) = sights.first() else { return Vec::new() };
    let mut tolerance = TOLERANCE;
    let mut kept = keep(sights, tolerance);
    while kept.len() > MOST {
        tolerance *= 1.25;
        kept = keep(sights, tolerance);
    }
    kept.into_iter().map(|i| place(begin, sights[i])).collect()
}

fn place(begin: Nanos, (t, [x, y]): Sight) -> Place {
    let millis = t.saturating_sub(begin) / (SECOND / 1000);
    // What lies outside of the picture is at its edge.
    let part = |share: f32| (share.clamp(0.0, 1.0) * 1000.0).round() as u16;
    Place(u32::try_from(millis).unwrap_or(u32::MAX), part(x), part(y))
}

/// Ramer, Douglas and Peucker's way of leaving points out, by places at equal times.
fn keep(sights: &[Sight], tolerance: f32) -> Vec<usize> {
    let mut kept = vec![0];
    let mut open = vec![(0, sights.len() - 1)];
    while let Some((from, to)) = open.pop() {
        let off = (from + 1..to).map(|i| (i, off(sights, from, to, i)));
        match off.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, off)| *off > tolerance) {
            // The earlier half is looked at first: points come in order.
            Some((middle, _)) => open.extend([(middle, to), (from, middle)]),
            None if to > from => kept.push(to),
            None => {}
        }
    }
    kept
}

/// How far sight `i` is from where an even way from `from` to `to` would be at its time.
fn off(sights: &[Sight], from: usize, to: usize, i: usize) -> f32 {
    let ((t, [x, y]), (start, a), (end, b)) = (sights[i], sights[from], sights[to]);
    let share = t.saturating_sub(start) as f32 / end.saturating_sub(start).max(1) as f32;
    let even = |a: f32, b: f32| a + share * (b - a);
    (even(a[0], b[0]) - x).hypot(even(a[1], b[1]) - y)
}

/// Where it was so many milliseconds after its begin: nearest where it was not there yet, or gone.
pub fn place_at(path: &[Place], millis: i64) -> Option<[f64; 2]> {
    let after = path.iter().position(|place| i64::from(place.0) >= millis);
    let (before, after) = match after {
        None => return path.last().map(|place| place.point()),
        Some(0) => return path.first().map(|place| place.point()),
        Some(after) => (path[after - 1], path[after]),
    };
    let whole = f64::from(after.0.saturating_sub(before.0).max(1));
    let share = (millis - i64::from(before.0)) as f64 / whole;
    let ([ax, ay], [bx, by]) = (before.point(), after.point());
    Some([ax + share * (bx - ax), ay + share * (by - ay)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_even_way_is_two_points_and_a_stop_is_kept() {
        let even: Vec<Sight> =
            (0..60u64).map(|i| (i * SECOND / 10, [0.5, 0.9 - 0.01 * i as f32])).collect();
        assert_eq!(simplified(&even), [Place(0, 500, 900), Place(5900, 500, 310)]);
        // The same line, but it stands for a while on the way: only the times tell.
        let stopping = even.iter().map(|&(t, [x, y])| {
            let stood = if t < 3 * SECOND { 0 } else { 10 * SECOND };
            (t + stood, [x, y])
        });
        let path = simplified(&stopping.collect::<Vec<_>>());
        assert_eq!(path.len(), 4, "{path:?}");
        let standing = place_at(&path, 8000).unwrap();
        assert!((standing[1] - 0.605).abs() < 0.01, "{standing:?}");
    }

    #[test]
    fn nothing_and_one_sight_are_ways_too() {
        assert_eq!(simplified(&[]), []);
        assert_eq!(simplified(&[(7, [0.25, 1.5])]), [Place(0, 250, 1000)]);
        assert_eq!(place_at(&[], 5), None);
        assert_eq!(place_at(&[Place(0, 250, 1000)], 900), Some([0.25, 1.0]));
    }

    proptest! {
        #[test]
        fn few_points_tell_where_it_was(
            steps in prop::collection::vec((1u64..20, -0.02f32..0.02, -0.02f32..0.02), 1..400)
        ) {
            let (mut t, mut at) = (0, [0.5f32, 0.5]);
            let sights: Vec<Sight> = steps
                .iter()
                .map(|&(dt, dx, dy)| {
                    t += dt * SECOND / 20;
                    at = [(at[0] + dx).clamp(0.0, 1.0), (at[1] + dy).clamp(0.0, 1.0)];
                    (t, at)
                })
                .collect();
            let path = simplified(&sights);
            prop_assert!(path.len() <= MOST);
            prop_assert!(path.is_sorted_by_key(|place| place.0));
            let begin = sights[0].0;
            // Where it is not told less exactly for want of room.
            if keep(&sights, TOLERANCE).len() <= MOST {
                for &(t, [x, y]) in &sights {
                    let told = place_at(&path, ((t - begin) / 1_000_000) as i64).unwrap();
                    let off = (told[0] - f64::from(x)).hypot(told[1] - f64::from(y));
                    prop_assert!(off < f64::from(TOLERANCE) * 1.5 + 0.002, "{off}");
                }
            }
        }
    }
}
