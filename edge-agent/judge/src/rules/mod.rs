//! The rules: one folder an act, or a few acts of the law that one drawing is judged for. A rule
//! reads its own settings from the site file, says which pictures of a vehicle are to be kept and
//! when its plate is worth reading, judges, says which moments show the act, what was broken and how
//! the caption calls it. Every verdict has a reason, the lawful ones too, and doubt abstains.
//!
//! To add one: its folder, its line in [`ALL`], and what docs/ACTS.md lists for the central.

pub mod average_speed;
pub mod emergency_lane;
pub mod forbidden;
pub mod no_stopping;
pub mod plate_hidden;
mod reason;
pub mod red_light;
pub mod solid_line;
pub mod speed;
pub mod stop_line;
pub mod turn_ban;
mod words;
pub mod wrong_lane;
pub mod wrong_way;

use std::fmt;
use std::time::Duration;

use contract::geometry::{BBox, Point};
use contract::{Act, Facts, MomentRole};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use settings::Reader;
use time::OffsetDateTime;

pub use self::reason::{Doubt, Lawful};
use crate::followed::{MAX_GAP, fps_within};
use crate::hours::Hours;
use crate::lamp::Lamp;
use crate::road::Road;
use crate::site::Junction;
use crate::time::{Nanos, SECOND};
use crate::track::{Companion, Looked, Passed, Track};

/// Every act that can be judged.
pub const ALL: [Kind; 16] = [
    red_light::KIND,
    stop_line::KIND,
    wrong_way::KIND,
    wrong_way::EXPRESSWAY,
    turn_ban::NO_TURN,
    turn_ban::NO_U_TURN,
    wrong_lane::KIND,
    solid_line::SOLID_LINE,
    solid_line::LANE_CHANGE,
    solid_line::EXPRESSWAY_LANE_CHANGE,
    emergency_lane::KIND,
    forbidden::KIND,
    no_stopping::KIND,
    speed::KIND,
    average_speed::KIND,
    plate_hidden::KIND,
];

/// Sections of a camera's table that rules are judged by without a junction.
pub const SECTIONS: [&str; 8] = [
    wrong_way::SECTION,
    solid_line::SECTION,
    emergency_lane::SECTION,
    forbidden::SECTION,
    no_stopping::SECTION,
    speed::SECTION,
    average_speed::SECTION,
    plate_hidden::SECTION,
];

/// Reads a rule's settings from a camera's table; none where what it needs is not drawn.
pub type Read = fn(&Reader<'_>, Option<&Junction>) -> Option<Box<dyn Rule>>;

/// A rule with settings of the form that it writes.
fn restored<R: Rule + DeserializeOwned + 'static>(
    settings: Value,
) -> serde_json::Result<Box<dyn Rule>> {
    Ok(Box::new(serde_json::from_value::<R>(settings)?))
}

/// Settings as they are sealed.
fn written(settings: &impl Serialize) -> Value {
    // Plain values with string keys: serialisation cannot fail.
    serde_json::to_value(settings).unwrap_or_default()
}

/// How a rule comes to be.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Its name: an act of the law, or its own where the law has one act for several rules.
    pub act: &'static str,
    pub read: Read,
    /// The rule with the settings that [`Rule::settings`] wrote.
    pub restore: fn(Value) -> serde_json::Result<Box<dyn Rule>>,
}

/// The judgement of one act.
pub trait Rule: fmt::Debug + Send + Sync {
    fn act(&self) -> Act;

    /// Whether a finding of this rule may be of `act`: the law may have several for what it judges.
    fn accuses(&self, act: &Act) -> bool {
        self.act() == *act
    }

    /// What is set for it, as it is sealed.
    fn settings(&self) -> Value;

    /// Whether who is accused of this is not accused of the `other` act of the same passage besides.
    fn includes(&self, _other: &Act) -> bool {
        false
    }

    /// Whether nothing could be judged without a lamp.
    fn needs_lamp(&self) -> bool {
        false
    }

    /// How far back it looks at the other vehicles about; 0 where it does not.
    fn company(&self) -> Nanos {
        0
    }

    /// Whether it asks what became of the looks at plates.
    fn asks_for_plates(&self) -> bool {
        false
    }

    /// Whether it has to know the plates of vehicles that it does not accuse.
    fn reads_plates(&self) -> bool {
        self.asks_for_plates()
    }

    /// The camera at which an act that ends here began, where it does, and the longest time since.
    fn begins_at(&self) -> Option<(&str, Duration)> {
        None
    }

    /// The passage there, of the vehicle with the plate that was read.
    fn begun<'a>(&self, _scene: &Scene<'a>) -> Option<&'a Passed> {
        None
    }

    /// When a track passed here, if other cameras may have to know, and how exactly that is known
    /// in the camera's own time.
    fn timed(&self, _track: &Track, _scene: &Scene<'_>) -> Option<(Nanos, Duration)> {
        None
    }

    /// Pictures a second of which it needs as many at the least, for who may be missed in one of them:
    /// with fewer it says nothing of many who do what they may not, and nothing wrong.
    fn least_fps(&self) -> f32 {
        fps_within(MAX_GAP)
    }

    /// The longest time from the first moment that must be shown to a verdict.
    fn longest(&self) -> Nanos;

    /// Takes note of the picture at `scene.now`, in which the track was seen: which moments of it
    /// are worth keeping, and whether its plate is worth a look.
    fn attend(&self, track: &Track, scene: &Scene<'_>, album: &mut Album) -> Attention;

    /// What is to be said of the track by now.
    fn judge(&self, track: &Track, scene: &Scene<'_>) -> Verdict;

    /// The lines and areas that were broken, 0 to 1 of the picture; areas with their first corner
    /// again at the end.
    fn marks(&self, site: &crate::Site, facts: &Facts) -> Vec<Vec<Point>>;

    /// The act and its facts in the words of the caption, Vietnamese.
    fn caption(&self, facts: &Facts) -> String;
}

/// A box this near the picture's edge, as a share of its larger side, may go on beyond it.
const EDGE: f32 = 0.03;

/// Everything a rule may look at beside the track.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The drawn junction in pixels, where there is one.
    pub road: Option<&'a Road>,
    pub lamps: &'a [Lamp],
    /// The vehicles about, thinned; the one that is judged may be among them.
    pub company: &'a [Companion],
    /// Asked for where an act may have begun at another camera.
    pub elsewhere: Elsewhere<'a>,
    /// Width and height of the picture, pixels.
    pub size: [u32; 2],
    pub now: Nanos,
    /// Capture time of the picture at `now`, where the clock is known.
    pub captured_at: Option<OffsetDateTime>,
    /// Whether the track is over: nothing will be added to it.
    pub ended: bool,
}

/// What is known of a track beyond its way before this camera.
#[derive(Debug, Clone, Copy, Default)]
pub struct Elsewhere<'a> {
    /// Its plate, where it was accepted as read.
    pub plate: Option<&'a str>,
    /// Its passages at other cameras, by that plate.
    pub passed: &'a [Passed],
    /// How exactly this camera's clock is known.
    pub known_to: Duration,
    /// Asked for where a plate itself is judged.
    pub plates: Plates<'a>,
}

/// What became of the looks at plates.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plates<'a> {
    /// Each look at this vehicle's.
    pub looks: &'a [Looked],
    /// Vehicles looked at as well shortly before, and those of them whose plate was read.
    pub others: u32,
    pub others_read: u32,
}

impl Scene<'_> {
    /// The other vehicles about.
    pub fn others(&self, track: &Track) -> Vec<&Companion> {
        self.company.iter().filter(|other| other.id != track.id).collect()
    }

    /// A place of the site in pixels.
    pub fn pixel(&self, [x, y]: Point) -> Point {
        [x * self.size[0] as f32, y * self.size[1] as f32]
    }

    /// Whether the picture's edge may cut a vehicle: its contact point is not to be measured by.
    pub fn cuts(&self, bbox: &BBox) -> bool {
        let [width, height] = self.size.map(|side| side as f32);
        let edge = EDGE * bbox.height().max(bbox.width());
        bbox.x1 < edge || bbox.x2 > width - edge || bbox.y2 > height - edge
    }

    /// Whether the picture's edge may trim a box on any side: its size and place say nothing then.
    pub fn trims(&self, bbox: &BBox) -> bool {
        self.cuts(bbox) || bbox.y1 < EDGE * bbox.height().max(bbox.width())
    }

    /// Capture time of the picture at `t`, where the clock is known.
    pub fn captured(&self, t: Nanos) -> Option<OffsetDateTime> {
        let ago = Duration::from_nanos(self.now.saturating_sub(t));
        self.captured_at?.checked_sub(ago.try_into().ok()?)
    }

    /// Why nobody is accused of what holds only at `hours` for what was done from `from` to `to`.
    pub fn outside(&self, hours: &Hours, from: Nanos, to: Nanos) -> Option<Verdict> {
        if hours.always() {
            return None;
        }
        match (self.captured(from), self.captured(to)) {
            (Some(from), Some(to)) if hours.held(from, to) => None,
            (Some(_), Some(_)) => Some(Verdict::Lawful(Lawful::NotInForce)),
            _ => Some(Verdict::Abstained(Doubt::ClockUnknown)),
        }
    }

    /// Places of the site in pixels.
    pub fn pixels(&self, points: &[Point]) -> Vec<Point> {
        points.iter().map(|point| self.pixel(*point)).collect()
    }

    /// What is said of a track once nothing more will be seen of it; until then, nothing.
    pub fn at_the_end(&self, reason: Lawful) -> Verdict {
        if self.ended { Verdict::Lawful(reason) } else { Verdict::Pending }
    }
}

/// What a rule says about one track.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Not decided yet; ask again after the next picture.
    Pending,
    /// Nothing to accuse, and why.
    Lawful(Lawful),
    /// It may have been a violation, but the doubt named here forbids to say so.
    Abstained(Doubt),
    Violation(Box<Finding>),
}

impl From<Finding> for Verdict {
    fn from(finding: Finding) -> Self {
        Self::Violation(Box::new(finding))
    }
}

impl Verdict {
    /// What is said of a track by several drawn places: one that accuses is enough, and nothing is
    /// final while one of the others may yet.
    pub fn of_all(each: impl Iterator<Item = Self>) -> Self {
        let weight = |verdict: &Self| match verdict {
            Self::Lawful(Lawful::NeverThere) => 0,
            Self::Lawful(_) => 1,
            Self::Abstained(_) => 2,
            Self::Pending => 3,
            Self::Violation(_) => 4,
        };
        each.max_by_key(weight).unwrap_or(Self::Abstained(Doubt::NotDrawn))
    }
}

/// A violation, before pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub act: Act,
    /// When it was done, between pictures.
    pub at: Nanos,
    /// What must be shown, in the order of time.
    pub moments: Vec<(MomentRole, Nanos)>,
    /// The one among them whose picture dates the act.
    pub main: MomentRole,
    pub facts: Facts,
    pub reason: String,
}

impl Finding {
    /// The first and the last moment.
    pub fn span(&self) -> (Nanos, Nanos) {
        let times = || self.moments.iter().map(|(_, t)| *t).chain([self.at]);
        (times().min().unwrap_or(self.at), times().max().unwrap_or(self.at))
    }
}

/// Which pictures of one vehicle are kept for one rule, a moment's role each at most once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Album {
    held: Vec<(MomentRole, Nanos)>,
    /// The last of them will not be exchanged for a later one.
    pub closed: bool,
}

impl Album {
    pub fn keep(&mut self, role: MomentRole, t: Nanos) {
        self.forget(role);
        self.held.push((role, t));
    }

    pub fn forget(&mut self, role: MomentRole) {
        self.held.retain(|(held, _)| *held != role);
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub fn holds(&self, role: MomentRole) -> bool {
        self.time(role).is_some()
    }

    pub fn time(&self, role: MomentRole) -> Option<Nanos> {
        self.held.iter().find(|(held, _)| *held == role).map(|(_, t)| *t)
    }

    pub fn held(&self) -> &[(MomentRole, Nanos)] {
        &self.held
    }
}

/// How much a vehicle matters to a rule just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attention {
    Idle,
    /// It may come to matter: its plate is read while others do not need the time.
    Near,
    /// It may be accused.
    Suspect,
}

/// Longest way over a junction, from the line on, that a verdict may wait for.
const CROSSING: Nanos = 30 * SECOND;
