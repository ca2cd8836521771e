//! An area in which nobody may stop, as a site draws it.

use contract::{Act, VehicleClass};
use serde::{Deserialize, Serialize};
use settings::Reader;

use crate::lamp::Light;
use crate::rules::{Doubt, Lawful, Scene, Verdict};
use crate::stand::{REST, Stand};
use crate::time::{Nanos, SECOND, seconds};
use crate::zone::Zone;

/// Beyond the limit and what is not known of the beginning, by this.
const MARGIN: Nanos = seconds(0.5);
/// A change of hours is looked for this finely.
const STEP: Nanos = 10 * SECOND;
/// Drivers need this long from green on to set off.
const SET_OFF: Nanos = seconds(5.0);
/// What lamps showed is known no longer back than this and a little.
const LAMPS_KNOWN: f32 = 60.0;

/// What the law calls stopping in different places, whom it is written for, and what the
/// caption says.
const ACTS: [(&str, For, &str); 8] = [
    ("stop_place", For::All, "Dừng, đỗ xe không đúng nơi quy định"),
    ("park_place", For::All, "Đỗ xe nơi cấm đỗ xe"),
    ("park_junction", For::All, "Dừng, đỗ xe tại nơi đường giao nhau"),
    ("park_railway", For::All, "Dừng, đỗ xe trong phạm vi an toàn của đường sắt"),
    (
        "stop_one_way_left",
        For::Cars,
        "Dừng, đỗ xe bên trái đường một chiều, trên cầu hoặc nơi đường cong",
    ),
    ("stop_tunnel", For::All, "Dừng, đỗ xe trong hầm đường bộ"),
    ("stop_bridge", For::Motorbikes, "Dừng, đỗ xe trên cầu"),
    ("expressway_stop", For::Cars, "Dừng, đỗ xe trên đường cao tốc"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    All,
    Cars,
    Motorbikes,
}

impl For {
    const fn includes(self, class: VehicleClass) -> bool {
        match self {
            Self::All => true,
            Self::Cars => !class.is_two_wheeled(),
            Self::Motorbikes => class.is_two_wheeled(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub zone: Zone,
    pub act: Act,
    /// Who stands longer than this stands too long.
    pub seconds: f32,
    /// The junction's lamps govern the place: under red one waits there.
    pub lamp: bool,
}

impl Place {
    pub fn read(table: &Reader<'_>) -> Option<Self> {
        let zone = Zone::read(table, "trước cổng trường");
        let acts = ACTS.map(|(key, ..)| (key, key));
        let key = table.choice("act", ACTS[0].0, &acts);
        let place = Self {
            zone,
            act: Act::named(key),
            seconds: table.number("seconds", 60.0, (5.0, 3000.0), "seconds") as f32,
            lamp: table.boolean("lamp", false),
        };
        if place.lamp && place.seconds > LAMPS_KNOWN {
            table.reject(
                "seconds",
                "must be at most 60 where `lamp = true`: lamps are known no longer",
            );
        }
        if let Some(class) = place.zone.classes.iter().find(|class| !place.written_for(**class)) {
            table.reject(
                "classes",
                format!("names {:?}, for which the law has no act {key:?}", class.name()),
            );
        }
        (!place.zone.area.is_empty()).then_some(place)
    }

    pub fn concerns(&self, class: VehicleClass) -> bool {
        self.zone.holds_for(class) && self.written_for(class)
    }

    fn written_for(&self, class: VehicleClass) -> bool {
        let act = ACTS.iter().find(|(key, ..)| *key == self.act.name());
        act.is_some_and(|(_, whom, _)| whom.includes(class))
    }

    pub fn words(&self) -> &'static str {
        let act = ACTS.iter().find(|(key, ..)| *key == self.act.name());
        act.map_or("Dừng, đỗ xe nơi bị cấm", |(.., words)| words)
    }

    /// The standing that accuses.
    pub fn needed(&self) -> Nanos {
        seconds(self.seconds) + REST + MARGIN
    }

    /// Until when a lamp kept it there, and the reason that follows: red, amber and what cannot be
    /// read do.
    pub fn stopped_by_lamp(&self, scene: &Scene<'_>, stand: &Stand) -> Option<(Nanos, Verdict)> {
        if !self.lamp {
            return None;
        }
        let heads = || scene.lamps.iter().filter(|lamp| !lamp.arrow);
        let unknown = Verdict::Abstained(Doubt::LampUnknown);
        if heads().next().is_none() {
            return Some((stand.to, unknown));
        }
        let mut t = stand.to;
        while t >= stand.from {
            for lamp in heads() {
                match lamp.history.at(t).map(|stretch| stretch.light) {
                    Some(Light::Green) => {}
                    Some(_) => return Some((t + SET_OFF, Verdict::Lawful(Lawful::WaitedForGreen))),
                    None => return Some((t + SET_OFF, unknown)),
                }
            }
            t = t.checked_sub(SECOND / 2)?;
        }
        None
    }

    /// From when on what is forbidden was so without a break, where it was not all along.
    pub fn in_force_from(&self, scene: &Scene<'_>, stand: &Stand) -> Option<Nanos> {
        let hours = &self.zone.hours;
        let to = scene.captured(stand.to)?;
        let held = |t: &Nanos| scene.captured(*t).is_some_and(|from| hours.held(from, to));
        if hours.always() || held(&stand.from) {
            return None;
        }
        let steps = stand.length() / STEP;
        let later = (1..=steps).rev().map(|step| stand.from + step * STEP);
        Some(later.take_while(held).last().unwrap_or(stand.to))
    }
}
