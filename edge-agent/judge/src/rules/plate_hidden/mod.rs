//! Che lấp biển số, không gắn biển số: a vehicle whose plate could not be recognised although it was
//! plainly seen where the plates of others are read. A candidate for the reviewer, who sees why and,
//! where it can be, by whom: the machine does not tell a covered plate from one that is gone.
//!
//! In the vehicle's favour: one look that reads anything of a plate is enough, and so is that the
//! plates of others were not read just then either (glare, rain, a dirty lens). A motorbike carries no
//! plate in front, so only one that drives away is asked about.

use contract::facts::{Appearance, Facts, Measured, Unit};
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
use crate::time::{Nanos, SECOND, seconds};
use crate::track::{Looked, Observation, Track};
use crate::zone::Zone;

/// The looks must be spread over this, so that one moment's shadow or spray is not all that was seen.
const SPREAD: Nanos = seconds(0.8);
/// So long after the first a second picture shows the same.
const DURING: Nanos = SPREAD / 2;
/// Of so many vehicles seen before at least, this share must have had their plates read.
const OTHERS: u32 = 6;
const OTHERS_READ: f32 = 0.6;
/// A rider goes away where the contact point goes up the picture by this share of the height.
const AWAY: f32 = 0.5;

pub const SECTION: &str = "plate_hidden";
pub const KIND: Kind = Kind {
    act: "plate_hidden",
    read: |table, _| PlateHidden::read(table).map(|rule| Box::new(rule) as Box<dyn Rule>),
    restore: super::restored::<PlateHidden>,
};

/// Where every plate can be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlateHidden {
    zone: Zone,
    /// Vehicles at least this high, as a share of the picture's height, are near enough.
    height: f32,
    /// Looks without a character that are needed.
    looks: u32,
}

impl PlateHidden {
    fn read(table: &Reader<'_>) -> Option<Self> {
        let section = table.section(SECTION)?;
        let rule = Self {
            zone: Zone::read(&section, "nơi đọc rõ biển số"),
            height: section.number("height", 0.18, (0.05, 0.9), "picture heights") as f32,
            looks: section.number("looks", 8.0, (5.0, 12.0), "looks") as u32,
        };
        section.finish();
        Some(rule)
    }

    /// Whether a plate could be read in this sighting.
    fn plain(&self, seen: &Observation, scene: &Scene<'_>) -> bool {
        let near = seen.bbox.height() >= self.height * scene.size[1] as f32;
        near && seen.strong
            && !scene.trims(&seen.bbox)
            && self.zone.depth(scene, seen.bbox.foot()) > 0.0
    }

    /// The first plain sighting, one some time after it, and the last.
    fn moments(&self, track: &Track, scene: &Scene<'_>) -> Option<[usize; 3]> {
        let plain = |i: &usize| self.plain(&track.path[*i], scene);
        let first = (0..track.path.len()).find(plain)?;
        let last = (first..track.path.len()).rfind(plain)?;
        let later = |i: &usize| track.path[*i].t >= track.path[first].t + DURING;
        let during = (first..=last).find(|i| plain(i) && later(i))?;
        (track.path[last].t >= track.path[first].t + SPREAD).then_some([first, during, last])
    }
}

impl Rule for PlateHidden {
    fn act(&self) -> Act {
        Act::named(KIND.act)
    }

    fn settings(&self) -> Value {
        super::written(self)
    }

    fn asks_for_plates(&self) -> bool {
        true
    }

    fn longest(&self) -> Nanos {
        CROSSING
    }

    fn attend(&self, track: &Track, scene: &Scene<'_>, album: &mut Album) -> Attention {
        if !self.zone.holds_for(track.class) || !self.plain(track.last(), scene) {
            return Attention::Idle;
        }
        match album.time(MomentRole::Begin) {
            None => album.keep(MomentRole::Begin, scene.now),
            Some(begin) => {
                if !album.holds(MomentRole::During) && scene.now >= begin + DURING {
                    album.keep(MomentRole::During, scene.now);
                }
                album.keep(MomentRole::End, scene.now);
            }
        }
        Attention::Near
    }

    fn judge(&self, track: &Track, scene: &Scene<'_>) -> Verdict {
        if !self.zone.holds_for(track.class) {
            return Verdict::Lawful(Lawful::ClassAllowed);
        }
        if !scene.ended {
            return Verdict::Pending;
        }
        let plates = scene.elsewhere.plates;
        if scene.elsewhere.plate.is_some() || plates.looks.iter().any(|look| look.read) {
            return Verdict::Lawful(Lawful::PlateShown);
        }
        let Some([first, during, last]) = self.moments(track, scene) else {
            return Verdict::Lawful(Lawful::Brief);
        };
        let time = |i: usize| track.path[i].t;
        let good = |look: &&Looked| {
            let at = track.at(look.t);
            time(at) == look.t && self.plain(&track.path[at], scene)
        };
        let looks: Vec<&Looked> = plates.looks.iter().filter(good).collect();
        let spread = match (looks.first(), looks.last()) {
            (Some(first), Some(last)) => last.t - first.t,
            _ => 0,
        };
        if looks.len() < self.looks as usize || spread < SPREAD {
            return Verdict::Lawful(Lawful::Brief);
        }
        if time(last) - time(first) > CROSSING - 2 * SECOND {
            return Verdict::Abstained(Doubt::Congested);
        }
        let [[_, from], [_, to]] = [first, last].map(|i| track.path[i].bbox.foot());
        let away = from - to >= AWAY * track.path[first].bbox.height();
        if track.class.is_two_wheeled() && !away {
            return Verdict::Lawful(Lawful::PlateBehind);
        }
        let mostly = OTHERS_READ * plates.others as f32;
        if plates.others < OTHERS || (plates.others_read as f32) < mostly {
            return Verdict::Abstained(Doubt::OthersUnread);
        }
        if let Some(excuse) = self.zone.excuse(track, scene, time(first), time(last)) {
            return excuse;
        }
        if let Some(doubt) = followed::doubt(track, time(first), time(last), Doubt::LostFromSight) {
            return Verdict::Abstained(doubt);
        }
        if followed::covered(track, scene, first, last) {
            return Verdict::Abstained(Doubt::PoorlySeen);
        }
        let found = looks.iter().filter(|look| look.found).count();
        let n = looks.len();
        let main = if away { MomentRole::Begin } else { MomentRole::End };
        let count = Measured::new(n as f64, Unit::Count).against(f64::from(self.looks));
        Verdict::from(Finding {
            act: self.act(),
            at: time(if away { first } else { last }),
            moments: vec![
                (MomentRole::Begin, time(first)),
                (MomentRole::During, time(during)),
                (MomentRole::End, time(last)),
            ],
            main,
            facts: Facts::Appearance(Appearance { looks: count }),
            reason: format!(
                "no character of a plate in {n} plain looks, a plate's outline in {found} of them; \
                 {} of {} vehicles before it were read",
                plates.others_read, plates.others
            ),
        })
    }

    fn marks(&self, _: &Site, _: &Facts) -> Vec<Vec<Point>> {
        Vec::new()
    }

    fn caption(&self, facts: &Facts) -> String {
        let Facts::Appearance(Appearance { looks }) = facts else {
            return "Nghi che lấp hoặc không gắn biển số".into();
        };
        let looks = words::decimal(looks.value, 0);
        format!("Nghi che lấp hoặc không gắn biển số: không nhận dạng được qua {looks} lần nhìn")
    }
}

#[cfg(test)]
mod tests;
