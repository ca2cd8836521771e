//! Đi vào đường cấm. A vehicle of a class that may not be there drives plainly inside a drawn area
//! for a way of several times its own height: lorries by day, motorbikes on a lane for cars.
//!
//! In the vehicle's favour: who only touches the edge, crosses a corner or stands there is not
//! accused; its contact point must lie inside in every sighting of the way and well inside over all,
//! uncut by the picture's edge and never lost from sight; its class must be sure, and where hours or
//! days are set, the clock known.

#[cfg(test)]
mod tests;
mod way;

use contract::facts::{self, Facts, Measured, Unit};
use contract::geometry::Point;
use contract::{Act, MomentRole};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use settings::Reader;

use self::way::Way;
use super::{
    Album, Attention, CROSSING, Doubt, Finding, Kind, Lawful, Rule, Scene, Verdict, words,
};
use crate::Site;
use crate::followed;
use crate::passage;
use crate::time::{Nanos, SECOND, in_seconds};
use crate::track::Track;
use crate::zone::{self, Zone};

/// Fewer sightings in the area, or in less time, are none.
const LEAST_SEEN: usize = 6;
const LEAST_TIME: Nanos = SECOND;

/// The section of a camera's table.
pub const SECTION: &str = "forbidden";

pub const KIND: Kind = Kind {
    act: "prohibited_road",
    read: |table, _| Forbidden::read(table).map(|rule| Box::new(rule) as Box<dyn Rule>),
    restore: super::restored::<Forbidden>,
};

/// The areas of a site that are closed to some.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forbidden {
    places: Vec<Place>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    zone: Zone,
    /// The way inside that is needed, in vehicle heights.
    heights: f32,
}

impl Forbidden {
    fn read(table: &Reader<'_>) -> Option<Self> {
        let mut places = Vec::new();
        for section in table.tables(SECTION) {
            let zone = Zone::read(&section, "cấm xe tải");
            if zone.classes.is_empty() && !section.has("classes") {
                section.reject("classes", "is missing: who may not go there, e.g. [\"truck\"]");
            }
            let heights = section.number("heights", 3.0, (1.5, 20.0), "vehicle heights") as f32;
            if !zone.area.is_empty() {
                places.push(Place { zone, heights });
            }
            section.finish();
        }
        zone::distinct(table, "forbidden", places.iter().map(|it| it.zone.name.as_str()));
        (!places.is_empty()).then_some(Self { places })
    }
}

impl Rule for Forbidden {
    fn act(&self) -> Act {
        Act::named(KIND.act)
    }

    fn settings(&self) -> Value {
        super::written(self)
    }

    fn longest(&self) -> Nanos {
        CROSSING
    }

    fn attend(&self, track: &Track, scene: &Scene<'_>, album: &mut Album) -> Attention {
        let closed = self.places.iter().filter(|place| place.zone.holds_for(track.class));
        let inside =
            closed.filter_map(|place| Some((place, Way::lasting(&place.zone, track, scene)?)));
        let farthest = inside.max_by(|(_, a), (_, b)| a.heights().total_cmp(&b.heights()));
        let Some((place, way)) = farthest else {
            album.clear();
            return Attention::Idle;
        };
        if album.time(MomentRole::Begin).is_none_or(|begin| begin < way.from) {
            album.clear();
            album.keep(MomentRole::Begin, scene.now);
        }
        if way.heights() >= place.heights / 2.0 && !album.holds(MomentRole::During) {
            album.keep(MomentRole::During, scene.now);
        }
        if way.suffices(place) && !album.closed {
            album.keep(MomentRole::End, scene.now);
            album.closed = true;
        }
        if album.holds(MomentRole::During) { Attention::Suspect } else { Attention::Near }
    }

    fn judge(&self, track: &Track, scene: &Scene<'_>) -> Verdict {
        let mut verdict = Verdict::Lawful(Lawful::ClassAllowed);
        for place in self.places.iter().filter(|place| place.zone.holds_for(track.class)) {
            match charge(self, place, track, scene) {
                Verdict::Lawful(Lawful::NeverThere)
                    if verdict != Verdict::Lawful(Lawful::ClassAllowed) => {}
                found @ (Verdict::Violation(_) | Verdict::Abstained(_)) => return found,
                reason => verdict = reason,
            }
        }
        if scene.ended { verdict } else { Verdict::Pending }
    }

    fn marks(&self, _: &Site, facts: &Facts) -> Vec<Vec<Point>> {
        let Facts::Zone(facts) = facts else { return Vec::new() };
        let named = self.places.iter().filter(|place| place.zone.name == facts.zone);
        named.map(|place| place.zone.outline()).collect()
    }

    fn caption(&self, facts: &Facts) -> String {
        let Facts::Zone(facts::Zone { zone, classes, dwell }) = facts else {
            return "Đi vào đường cấm".into();
        };
        let classes: Vec<&str> = classes.iter().map(|class| words::class(*class)).collect();
        let classes = classes.join(", ");
        let time = words::decimal(dwell.value, 1);
        format!("Đi vào khu vực, đường cấm {classes} ({zone}), trong {time} s")
    }
}

/// What a vehicle's way in one area gives by now.
fn charge(rule: &Forbidden, place: &Place, track: &Track, scene: &Scene<'_>) -> Verdict {
    let found = if scene.ended {
        Way::farthest(&place.zone, track, scene)
    } else {
        Way::lasting(&place.zone, track, scene)
    };
    let Some(way) = found else { return Verdict::Lawful(Lawful::NeverThere) };
    if !way.suffices(place) {
        return Verdict::Lawful(Lawful::Brief);
    }
    if let Some(excuse) = place.zone.excuse(track, scene, way.from, way.to) {
        return excuse;
    }
    // The class was told over the whole track: exchanged or lost before, another may have had it.
    if let Some(doubt) = passage::doubt(track, way.from.min(track.path[0].t), way.to) {
        return Verdict::Abstained(doubt);
    }
    let [from, to] = [way.from, way.to].map(|t| track.at(t));
    if followed::exchanged(track, scene, 0, to) {
        return Verdict::Abstained(Doubt::IdentityUncertain);
    }
    if followed::covered(track, scene, from, to) {
        return Verdict::Abstained(Doubt::PoorlySeen);
    }
    let tenths = |t: Nanos| in_seconds(t / 100_000_000 * 100_000_000);
    let dwell = Measured::new(tenths(way.to - way.from), Unit::Seconds);
    Verdict::from(Finding {
        act: rule.act(),
        at: way.to,
        moments: vec![
            (MomentRole::Begin, way.from),
            (MomentRole::During, way.halfway),
            (MomentRole::End, way.to),
        ],
        main: MomentRole::End,
        facts: Facts::Zone(facts::Zone {
            zone: place.zone.name.clone(),
            classes: place.zone.classes.clone(),
            dwell,
        }),
        reason: format!(
            "drove {:.1} of its own heights inside the area {:?}, which is closed to its class",
            way.heights(),
            place.zone.name,
        ),
    })
}
