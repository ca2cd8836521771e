//! Vehicles that were followed and then lost though they were to be seen, for longer than a second;
//! and those never followed at all.

use std::collections::HashMap;

use serde::Serialize;

use super::clear::pairs;
use super::scene::Scene;

/// Shorter losses are bridged, and shorter visits do not count, seconds.
const LONG: f64 = 1.0;

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Lost {
    /// Vehicles that could be followed for longer than a second.
    pub objects: usize,
    /// Share of them that was followed, and then lost for longer than a second while visible.
    pub lost: f64,
    /// Share of them that was never followed.
    pub missed: f64,
}

#[derive(Default)]
struct Visit {
    first: f64,
    last: f64,
    followed: bool,
    /// Since when it has been visible without being followed, and the picture before this one.
    since: Option<f64>,
    lost: bool,
}

impl Lost {
    pub fn of(scene: &Scene) -> Self {
        let mut visits: HashMap<u64, Visit> = HashMap::new();
        let mut together = HashMap::new();
        let mut previous = f64::NEG_INFINITY;
        for picture in &scene.pictures {
            for (truth, pair) in picture.truth.iter().zip(pairs(picture, &mut together)) {
                let fresh = Visit { first: picture.t, last: picture.t, ..Visit::default() };
                let visit = visits.entry(truth.id).or_insert(fresh);
                // Hidden in between: what is not visible is not lost.
                if visit.last < previous {
                    visit.since = None;
                }
                visit.last = picture.t;
                if pair.is_some() {
                    visit.followed = true;
                    visit.since = None;
                } else if visit.followed {
                    let since = *visit.since.get_or_insert(picture.t);
                    visit.lost |= picture.t - since > LONG;
                }
            }
            previous = picture.t;
        }
        let long: Vec<&Visit> = visits.values().filter(|v| v.last - v.first > LONG).collect();
        let share = |part: usize| part as f64 / long.len().max(1) as f64;
        Self {
            objects: long.len(),
            lost: share(long.iter().filter(|visit| visit.lost).count()),
            missed: share(long.iter().filter(|visit| !visit.followed).count()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::scene;
    use super::*;

    // Five pictures a second.
    #[test]
    fn lost_for_over_a_second_while_visible() {
        let bridged = scene(&[("aaaaaaaaaa", "1------111")]);
        assert_eq!(Lost::of(&bridged), Lost { objects: 1, lost: 0.0, missed: 0.0 });
        let lost = scene(&[("aaaaaaaaaa", "1-------11"), ("bbbbbbbbbb", "2222222222")]);
        assert_eq!(Lost::of(&lost), Lost { objects: 2, lost: 0.5, missed: 0.0 });
    }

    #[test]
    fn hidden_is_not_lost_and_never_followed_is_missed() {
        let hidden = scene(&[("aaa.........aaa", "111---------111")]);
        assert_eq!(Lost::of(&hidden), Lost { objects: 1, lost: 0.0, missed: 0.0 });
        let missed = scene(&[("aaaaaaaaaaaa", "------------")]);
        assert_eq!(Lost::of(&missed), Lost { objects: 1, lost: 0.0, missed: 1.0 });
        // Too short a visit to count.
        assert_eq!(Lost::of(&scene(&[("aaa", "---")])).objects, 0);
    }
}
