//! Dừng xe đè vạch. The vehicle crosses the line on red, stops with its contact point over it and
//! stands there, without going on, until the lamp changes or for well over the configured time.
//!
//! In the vehicle's favour: it must have come over the line after red was lit (not been caught
//! there by a queue), stand clearly over it and not merely wobble on it, and not go on: that is
//! the red light rule's.

use contract::violation::Lamp;
use contract::{Movement, Rule};

use super::lamps::{self, Signal};
use super::passage::{self, Passage, WELL_PAST, stood};
use super::{Doubt, Finding, Lawful, Scene, Verdict};
use crate::see::track::Track;
use crate::see::{Nanos, SECOND, seconds};

/// Standing means moving less than this, in vehicle heights, over a second.
const STILL: f32 = 0.08;
/// Standing is watched this much longer than the rule asks, to see that it does not go on.
const WATCHED: Nanos = seconds(1.0);

pub fn judge(track: &Track, scene: &Scene<'_>) -> Verdict {
    let road = scene.road;
    let Some(passage) = Passage::find(track, road) else {
        return end_or_wait(scene, Lawful::NeverCrossed);
    };
    let from_approach =
        track.path.iter().take(passage.on).any(|seen| road.in_approach(seen.bbox.foot()));
    if !from_approach {
        return Verdict::Lawful(Lawful::NotFromApproach);
    }
    let beyond = |i: usize| road.stop.beyond(track.path[i].bbox.foot()) / passage.size;
    let last = track.path.len() - 1;
    if beyond(last) > WELL_PAST {
        return Verdict::Lawful(Lawful::DroveOn);
    }
    // The first moment of the standing that still lasts.
    let deep = |i: usize| {
        let bbox = &track.path[i].bbox;
        road.stop.beyond(bbox.foot()) >= scene.camera.stop_depth * bbox.height().min(passage.size)
    };
    let still = |i: usize| deep(i) && stood(track, i, SECOND, STILL);
    if !still(last) {
        return end_or_wait(scene, Lawful::NotStanding);
    }
    let first = (passage.on..=last).rev().take_while(|&i| still(i)).last().unwrap_or(last);
    let since = track.path[first].t.saturating_sub(SECOND).max(passage.at);
    let now = track.path[last].t;
    let needed = seconds(scene.camera.stop_seconds);

    // Every head that governs traffic from here must have been red when it came over the line.
    let mut red_since = None;
    for lamp in scene.lamps.iter().filter(|lamp| !lamp.arrow) {
        let Some(&movement) = lamp.controls.first() else { continue };
        match lamps::signal(std::slice::from_ref(lamp), movement, passage.at) {
            Signal::Red { since } => red_since = Some(red_since.unwrap_or(0).max(since)),
            Signal::Open | Signal::Ungoverned => return Verdict::Lawful(Lawful::LampNotRed),
            Signal::Unknown => return Verdict::Abstained(Doubt::LampUnknown),
        }
    }
    let Some(red_since) = red_since else { return Verdict::Abstained(Doubt::LampUnknown) };
    let grace = scene.camera.red_grace_ms * 1_000_000;
    if passage.front_at(track, road) < red_since + grace {
        return Verdict::Lawful(Lawful::FrontCrossedBeforeRed);
    }
    if now - since < needed {
        return end_or_wait(scene, Lawful::NotStanding);
    }
    // Red must have lasted for the standing that is charged.
    let heads = || scene.lamps.iter().filter(|lamp| !lamp.arrow);
    let charged = since + needed;
    let still_red = heads()
        .all(|lamp| lamp.history.at(charged).is_some_and(|stretch| stretch.from <= passage.at));
    if !still_red {
        return Verdict::Lawful(Lawful::LampNotRed);
    }
    let changed =
        heads().any(|lamp| lamp.history.at(now).is_some_and(|stretch| stretch.from > charged));
    if !changed && !scene.ended && now - since < needed + WATCHED {
        return Verdict::Pending;
    }
    if !passage.sound() {
        return Verdict::Abstained(Doubt::LostAtLine);
    }
    let Some(before) = passage.before(track, road, 0.05) else {
        return Verdict::Abstained(Doubt::FirstSeenBeyond);
    };
    if let Some(doubt) = passage::doubt(track, before.t, now) {
        return Verdict::Abstained(doubt);
    }
    let reason = format!(
        "came over the stop line {:.1} s after red was seen and stood over it for {:.1} s",
        (passage.at - red_since) as f64 / SECOND as f64,
        (now - since) as f64 / SECOND as f64,
    );
    Verdict::Violation(Finding {
        rule: Rule::StopLine,
        at: since,
        before: before.t,
        past: charged,
        movement: Movement::Stopped,
        lamp: Lamp::Red,
        red_elapsed: since.saturating_sub(red_since),
        right_arrow: lamps::right_arrow(scene.lamps, since),
        reason,
    })
}

const fn end_or_wait(scene: &Scene<'_>, reason: Lawful) -> Verdict {
    if scene.ended { Verdict::Lawful(reason) } else { Verdict::Pending }
}

#[cfg(test)]
mod tests;
