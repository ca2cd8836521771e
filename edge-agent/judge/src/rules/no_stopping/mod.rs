//! Dừng, đỗ xe nơi bị cấm. The vehicle stands in one place, plainly inside a drawn area, for longer
//! than is set for it.
//!
//! In the vehicle's favour: a jam is no parking: while others stand near it, or traffic stands
//! anywhere in sight and nobody passes, no time is counted, nor while a lamp that governs the place
//! is not green; there when first seen it stands since then only; hidden, it must be found at the
//! same place in the same size, else its time begins anew; possibly exchanged with another vehicle
//! nobody is accused.

mod place;
#[cfg(test)]
mod tests;

use contract::facts::{self, Facts, Measured, Unit};
use contract::geometry::Point;
use contract::{Act, MomentRole};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use settings::Reader;

use self::place::Place;
use super::{Album, Attention, Doubt, Finding, Kind, Lawful, Rule, Scene, Verdict, words};
use crate::Site;
use crate::followed::fps_within;
use crate::stand::{COVERED, REST, Stand};
use crate::time::{Nanos, SECOND, in_seconds};
use crate::track::{self, Track};
use crate::traffic;
use crate::zone;

/// Less clearly seen than this all along it may be a thing of the road.
const CLARITY: f32 = 0.35;

/// What excuses is looked for this far back at every picture: longer than a vehicle may be hidden.
const LATELY: Nanos = 15 * SECOND;

/// The section of a camera's table.
pub const SECTION: &str = "no_stopping";

pub const KIND: Kind = Kind {
    act: "stop_place",
    read: |table, _| NoStopping::read(table).map(|rule| Box::new(rule) as Box<dyn Rule>),
    restore: super::restored::<NoStopping>,
};

/// The areas of a site where nobody may stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoStopping {
    places: Vec<Place>,
}

impl NoStopping {
    fn read(table: &Reader<'_>) -> Option<Self> {
        let mut places = Vec::new();
        for section in table.tables(SECTION) {
            places.extend(Place::read(&section));
            section.finish();
        }
        zone::distinct(table, "no_stopping", places.iter().map(|it| it.zone.name.as_str()));
        (!places.is_empty()).then_some(Self { places })
    }

    fn named(&self, facts: &Facts) -> Option<&Place> {
        let Facts::Zone(facts) = facts else { return None };
        self.places.iter().find(|place| place.zone.name == facts.zone)
    }
}

impl Rule for NoStopping {
    fn act(&self) -> Act {
        Act::named(KIND.act)
    }

    fn accuses(&self, act: &Act) -> bool {
        *act == self.act() || self.places.iter().any(|place| place.act == *act)
    }

    fn settings(&self) -> Value {
        super::written(self)
    }

    /// As long as a vehicle may be followed: an old jam excuses whoever it brought to a stand.
    fn company(&self) -> Nanos {
        track::OLDEST
    }

    /// Who stands may be unseen for longer than who passes.
    fn least_fps(&self) -> f32 {
        fps_within(COVERED)
    }

    fn longest(&self) -> Nanos {
        self.places.iter().map(Place::needed).max().unwrap_or(0) + 2 * SECOND
    }

    fn attend(&self, track: &Track, scene: &Scene<'_>, album: &mut Album) -> Attention {
        let foot = track.last().bbox.foot();
        let here =
            |place: &&Place| place.concerns(track.class) && place.zone.depth(scene, foot) > 0.0;
        let stand = self.places.iter().any(|place| here(&place)).then(|| Stand::lasting(track));
        let Some((place, stand)) = stand.and_then(|stand| {
            let at = |place: &&Place| {
                place.concerns(track.class) && place.zone.depth(scene, stand.place) > 0.0
            };
            Some((self.places.iter().find(at)?, stand))
        }) else {
            album.clear();
            return Attention::Idle;
        };
        // Asked at every picture: what excused it earlier has been noted then.
        let (lately, _) = counted(place, track, scene, stand.end(LATELY));
        let excused = lately.from > stand.end(LATELY).from;
        let from = if excused { lately.from } else { stand.from };
        // Thinned, the first sighting at the place is a little later than the one that was kept.
        let thinned = if from <= track.path[0].t { SECOND } else { 0 };
        let begin = match album.time(MomentRole::Begin) {
            Some(begin) if begin + thinned >= from => begin,
            _ => {
                album.clear();
                album.keep(MomentRole::Begin, scene.now);
                scene.now
            }
        };
        let stood = stand.to.saturating_sub(begin);
        if stand.to == scene.now && !album.closed {
            if stood >= place.needed() / 2 && !album.holds(MomentRole::During) {
                album.keep(MomentRole::During, scene.now);
            }
            // The picture of its beginning may be a moment after it.
            if stood + SECOND >= place.needed() {
                album.keep(MomentRole::End, scene.now);
                album.closed = stood >= place.needed() + SECOND;
            }
        }
        if stood >= place.needed() / 2 { Attention::Suspect } else { Attention::Near }
    }

    fn judge(&self, track: &Track, scene: &Scene<'_>) -> Verdict {
        let stand = if scene.ended { Stand::longest(track) } else { Stand::lasting(track) };
        let mut verdict = Verdict::Lawful(Lawful::ClassAllowed);
        for place in self.places.iter().filter(|place| place.concerns(track.class)) {
            match charge(place, track, scene, stand) {
                found @ (Verdict::Violation(_) | Verdict::Abstained(Doubt::IdentityUncertain)) => {
                    return found;
                }
                // What is no reason in one area may be in another.
                Verdict::Lawful(Lawful::NeverThere) if verdict != class_allowed() => {}
                reason => verdict = reason,
            }
        }
        if scene.ended { verdict } else { Verdict::Pending }
    }

    fn marks(&self, _: &Site, facts: &Facts) -> Vec<Vec<Point>> {
        self.named(facts).map(|place| place.zone.outline()).into_iter().collect()
    }

    fn caption(&self, facts: &Facts) -> String {
        let what = self.named(facts).map_or("Dừng, đỗ xe nơi bị cấm", Place::words);
        match facts {
            Facts::Zone(facts::Zone { zone, dwell, .. }) => {
                let stood = words::decimal(dwell.value, 1);
                let limit = dwell.limit.map_or(String::new(), |limit| {
                    format!(", giới hạn {} s", words::decimal(limit, 0))
                });
                format!("{what} ({zone}): đứng yên {stood} s{limit}")
            }
            _ => what.into(),
        }
    }
}

const fn class_allowed() -> Verdict {
    Verdict::Lawful(Lawful::ClassAllowed)
}

/// What a standing in a place gives by now.
fn charge(place: &Place, track: &Track, scene: &Scene<'_>, stand: Stand) -> Verdict {
    if stand.length() < place.needed() || stand.creeps() {
        return Verdict::Lawful(Lawful::NotStanding);
    }
    if place.zone.depth(scene, stand.place) < zone::PLAINLY * stand.height {
        return Verdict::Lawful(Lawful::NeverThere);
    }
    let (stand, excuse) = counted(place, track, scene, stand);
    if stand.length() < place.needed() {
        return excuse;
    }
    if traffic::halted(&scene.others(track), &stand, track.class) {
        return Verdict::Abstained(Doubt::Congested);
    }
    if let Some(excuse) = place.zone.excuse(track, scene, stand.from, stand.to) {
        return excuse;
    }
    let since = stand.from.saturating_sub(SECOND);
    if track.doubts.iter().any(|t| (since..=stand.to).contains(t)) {
        return Verdict::Abstained(Doubt::IdentityUncertain);
    }
    if stand.clarity < CLARITY {
        return Verdict::Abstained(Doubt::PoorlySeen);
    }
    let dwell = Measured::new(stand.charged(), Unit::Seconds)
        .against(f64::from(place.seconds))
        .known_to(in_seconds(REST));
    Verdict::from(Finding {
        act: place.act.clone(),
        at: stand.to,
        moments: vec![
            (MomentRole::Begin, stand.from),
            (MomentRole::During, stand.from + stand.length() / 2),
            (MomentRole::End, stand.to),
        ],
        main: MomentRole::End,
        facts: Facts::Zone(facts::Zone {
            zone: place.zone.name.clone(),
            classes: place.zone.classes.clone(),
            dwell,
        }),
        reason: format!(
            "stood in the area {:?} for {:.1} s, {:.0} s are allowed; no queue stood near it",
            place.zone.name,
            stand.charged(),
            place.seconds,
        ),
    })
}

/// The part of a standing that counts, and why it is no longer.
fn counted(place: &Place, track: &Track, scene: &Scene<'_>, stand: Stand) -> (Stand, Verdict) {
    let queued = traffic::queued_until(&scene.others(track), &stand, track.class)
        .map(|until| (until, Verdict::Abstained(Doubt::Congested)));
    let stopped = place.stopped_by_lamp(scene, &stand);
    let early =
        place.in_force_from(scene, &stand).map(|from| (from, Verdict::Lawful(Lawful::NotInForce)));
    let last = [queued, stopped, early].into_iter().flatten().max_by_key(|(from, _)| *from);
    match last {
        Some((from, excuse)) if from > stand.from => (Stand { from, ..stand }, excuse),
        _ => (stand, Verdict::Lawful(Lawful::NotStanding)),
    }
}
