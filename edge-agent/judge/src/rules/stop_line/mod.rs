//! Dừng xe đè vạch. The vehicle crosses the line on red, stops with its contact point over it and
//! stands there, without going on, until the lamp changes or for well over the configured time.
//!
//! In the vehicle's favour: it must have come over the line after red was lit (not been caught
//! there by a queue), stand clearly over it and not merely wobble on it, and not go on: that is
//! the red light rule's.

use contract::facts::{Facts, Lamp, Line, LineKind, Lit, Measured, Unit};
use contract::geometry::Point;
use contract::{Act, MomentRole};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use settings::Reader;

use super::{
    Album, Attention, CROSSING, Doubt, Finding, Kind, Lawful, Rule, Scene, Verdict, words,
};
use crate::Site;
use crate::followed;
use crate::passage::{self, Passage, WELL_PAST};
use crate::road::Road;
use crate::signal::{self, Signal};
use crate::stand::{REST, Stand};
use crate::time::{Nanos, SECOND, in_seconds, seconds};
use crate::track::Track;

/// Standing is watched this much longer than the rule asks, to see that it does not go on.
const WATCHED: Nanos = seconds(1.0);

pub const KIND: Kind = Kind {
    act: "stop_line",
    read: |table, junction| junction.map(|_| Box::new(StopLine::read(table)) as Box<dyn Rule>),
    restore: super::restored::<StopLine>,
};

/// What a site sets for this rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopLine {
    /// How long a vehicle must stand over the line, seconds.
    pub seconds: f32,
    /// How far over the line it must stand, as a share of its own height in the picture.
    pub depth: f32,
    /// Red must have been lit this long when the line is crossed, milliseconds.
    pub grace_ms: u64,
}

impl StopLine {
    fn read(table: &Reader<'_>) -> Self {
        Self {
            seconds: table.number("stop_seconds", 3.0, (1.0, 120.0), "seconds") as f32,
            depth: table.number("stop_depth", 0.25, (0.05, 2.0), "vehicle heights") as f32,
            grace_ms: table.integer("red_grace_ms", 300, (0, 5000), "milliseconds"),
        }
    }
}

impl Rule for StopLine {
    fn act(&self) -> Act {
        Act::STOP_LINE
    }

    fn settings(&self) -> Value {
        super::written(self)
    }

    fn needs_lamp(&self) -> bool {
        true
    }

    fn least_fps(&self) -> f32 {
        passage::LEAST_FPS
    }

    fn longest(&self) -> Nanos {
        CROSSING + seconds(self.seconds)
    }

    fn attend(&self, track: &Track, scene: &Scene<'_>, album: &mut Album) -> Attention {
        let Some(road) = scene.road else { return Attention::Idle };
        passage::attend(track, road, signal::tense(scene.lamps, scene.now), album)
    }

    fn judge(&self, track: &Track, scene: &Scene<'_>) -> Verdict {
        match scene.road {
            Some(road) => judge(self, track, road, scene),
            None => Verdict::Abstained(Doubt::NotDrawn),
        }
    }

    fn marks(&self, site: &Site, _: &Facts) -> Vec<Vec<Point>> {
        site.stop_line()
    }

    fn caption(&self, facts: &Facts) -> String {
        let Facts::Line(Line { lit, stood, .. }) = facts else {
            return "Dừng xe đè vạch".into();
        };
        let stood = stood.map(|stood| format!(" {} s", words::decimal(stood.value, 1)));
        let lit = lit.as_ref().map(|lit| format!(", {}", words::lit(lit)));
        format!("Dừng xe đè vạch{}{}", stood.unwrap_or_default(), lit.unwrap_or_default())
    }
}

fn judge(rule: &StopLine, track: &Track, road: &Road, scene: &Scene<'_>) -> Verdict {
    let Some(passage) = Passage::find(track, road) else {
        return scene.at_the_end(Lawful::NeverCrossed);
    };
    if !passage.from_approach(track, road) {
        return Verdict::Lawful(Lawful::NotFromApproach);
    }
    let beyond = |i: usize| road.stop.beyond(track.path[i].bbox.foot()) / passage.size;
    let last = track.path.len() - 1;
    if beyond(last) > WELL_PAST {
        return Verdict::Lawful(Lawful::DroveOn);
    }
    // The standing that still lasts; when it came to rest is known to a moment.
    let stand = Stand::lasting(track);
    let deep = road.stop.beyond(stand.place) >= rule.depth * stand.height.min(passage.size);
    if !deep || stand.creeps() {
        return scene.at_the_end(Lawful::NotStanding);
    }
    let since = (stand.from + REST / 2).max(passage.at);
    let now = stand.to.max(since);
    let needed = seconds(rule.seconds);

    // Every head that governs traffic from here must have been red when it came over the line.
    let mut red_since = None;
    for lamp in scene.lamps.iter().filter(|lamp| !lamp.arrow) {
        let Some(&movement) = lamp.controls.first() else { continue };
        match signal::signal(std::slice::from_ref(lamp), movement, passage.at) {
            Signal::Red { since } => red_since = Some(red_since.unwrap_or(0).max(since)),
            Signal::Open | Signal::Ungoverned => return Verdict::Lawful(Lawful::LampNotRed),
            Signal::Unknown => return Verdict::Abstained(Doubt::LampUnknown),
        }
    }
    let Some(red_since) = red_since else { return Verdict::Abstained(Doubt::LampUnknown) };
    let grace = rule.grace_ms * 1_000_000;
    if passage.front_at(track, road) < red_since + grace {
        return Verdict::Lawful(Lawful::FrontCrossedBeforeRed);
    }
    if now - since < needed {
        return scene.at_the_end(Lawful::NotStanding);
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
    // Covered from below before the line, its box ends beyond it, lower and flatter than it is; that
    // it is smaller farther away says nothing. What passes in front of it later moves it no more.
    if followed::covered(track, scene, track.at(before.t), track.at(since + SECOND)) {
        return Verdict::Abstained(Doubt::PoorlySeen);
    }
    if let Some(doubt) = passage::doubt(track, before.t, now) {
        return Verdict::Abstained(doubt);
    }
    let reason = format!(
        "came over the stop line {:.1} s after red was seen and stood over it for {:.1} s",
        in_seconds(passage.at - red_since),
        in_seconds(now - since),
    );
    let elapsed = since.saturating_sub(red_since) / 1_000_000;
    let red = Measured::new(elapsed as f64, Unit::Milliseconds).against(rule.grace_ms as f64);
    let stood = in_seconds((now - since) / 100_000_000 * 100_000_000);
    let over = f64::from(beyond(last));
    Verdict::from(Finding {
        act: Act::STOP_LINE,
        at: since,
        moments: vec![
            (MomentRole::Before, before.t),
            (MomentRole::On, since),
            (MomentRole::Past, charged),
        ],
        main: MomentRole::On,
        facts: Facts::Line(Line {
            line: LineKind::Stop,
            place: None,
            lit: Some(Lit {
                lamp: Lamp::Red,
                red,
                right_arrow: signal::right_arrow(scene.lamps, since),
            }),
            over: Some(
                Measured::new((over * 100.0).round() / 100.0, Unit::VehicleHeights)
                    .against(f64::from(rule.depth)),
            ),
            stood: Some(Measured::new(stood, Unit::Seconds).against(f64::from(rule.seconds))),
        }),
        reason,
    })
}
