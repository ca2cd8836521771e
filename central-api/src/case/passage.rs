//! Whether two packages show one passage of one vehicle: by number and kind of vehicle, place, time
//! and direction. What is certain makes one case of two packages; what is only likely is shown to
//! the officers, who decide. Two violations are never taken for one: every doubt counts as one.

use contract::Manifest;
use contract::manifest::{Camera, ClockSource, PlateReading, SourceKind};
use contract::plate::PlateNumber;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::config;

/// How near two packages must lie. Kept with every joining, so that it can be checked later under
/// the limits of its day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Between two views of one passage lies no more than this.
    pub passage_seconds: u32,
    /// Cameras that stand no farther apart see the same place.
    pub passage_metres: f64,
    /// Within this time it may be the same passage, if clocks or cameras err.
    pub act_minutes: u32,
    /// Within this distance it may be the same place.
    pub place_metres: f64,
    /// A number read with less may be another.
    pub plate_confidence: f64,
    /// A camera whose clock is off by more does not say when it was.
    pub clock_offset_ms: u32,
}

impl Limits {
    pub fn of(config: &config::Cases) -> Self {
        Self {
            passage_seconds: config.same_passage_seconds,
            passage_metres: config.same_passage_metres,
            act_minutes: config.same_act_minutes,
            place_metres: config.same_place_metres,
            plate_confidence: config.min_plate_confidence,
            clock_offset_ms: config.max_clock_offset_ms,
        }
    }
}

/// Why one passage is not certain.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Uncertain {
    /// A number was read weakly, or an officer corrected it.
    PlateWeak,
    /// One character of the numbers differs.
    PlateDiffers,
    PlateColour,
    /// Car or motorbike.
    Vehicle,
    /// A camera's clock does not say when it was.
    Clock,
    Time,
    Place,
    Direction,
    /// Another movement, line, lane or zone.
    Way,
}

impl Uncertain {
    /// Key in the word tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PlateWeak => "plate_weak",
            Self::PlateDiffers => "plate_differs",
            Self::PlateColour => "plate_colour",
            Self::Vehicle => "vehicle",
            Self::Clock => "clock",
            Self::Time => "time",
            Self::Place => "place",
            Self::Direction => "direction",
            Self::Way => "way",
        }
    }
}

/// How two packages stand to each other, whatever acts they are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Likeness {
    /// Certainly one passage.
    Same,
    /// Perhaps one; says why that is not certain.
    Perhaps(Vec<Uncertain>),
    Other,
}

/// A package and the number that its case stands on, which an officer may have corrected.
#[derive(Debug, Clone)]
pub struct View<'a> {
    pub manifest: &'a Manifest,
    pub plate: Option<String>,
}

impl<'a> View<'a> {
    /// As the camera read it.
    pub fn sealed(manifest: &'a Manifest) -> Self {
        Self { manifest, plate: plate_read(manifest) }
    }

    fn is_read_surely(&self, limits: &Limits) -> bool {
        let sure = |reading: &PlateReading| reading.confidence >= limits.plate_confidence;
        self.manifest.plate.as_ref().is_some_and(sure) && plate_read(self.manifest) == self.plate
    }
}

/// The number that the camera read, as a case keeps it.
pub(super) fn plate_read(manifest: &Manifest) -> Option<String> {
    let reading = manifest.plate.as_ref()?;
    Some(PlateNumber::sealed(reading.text.as_deref()?, reading.class))
}

/// How `one` stands to `other`; the same the other way round.
pub fn likeness(one: &View<'_>, other: &View<'_>, limits: &Limits) -> Likeness {
    let mut doubts = Vec::new();
    let mut doubt = |holds: bool, why: Uncertain| {
        if !holds {
            doubts.push(why);
        }
    };
    let (Some(plate), Some(other_plate)) = (&one.plate, &other.plate) else {
        return Likeness::Other;
    };
    if !is_alike(plate, other_plate) {
        return Likeness::Other;
    }
    let same_number = plate == other_plate;
    let stroke_alone = without_stroke(plate) == without_stroke(other_plate);
    doubt(same_number, Uncertain::PlateDiffers);
    let sure = one.is_read_surely(limits) && other.is_read_surely(limits);
    doubt(sure, Uncertain::PlateWeak);
    let (here, there) = (one.manifest, other.manifest);
    let colour = |manifest: &Manifest| manifest.plate.as_ref().map(|reading| reading.colour);
    doubt(colour(here) == colour(there), Uncertain::PlateColour);
    let two_wheeled = |manifest: &Manifest| manifest.violation.vehicle.is_two_wheeled();
    let same_kind = two_wheeled(here) == two_wheeled(there);
    doubt(same_kind, Uncertain::Vehicle);
    doubt(tells_time(here, limits) && tells_time(there, limits), Uncertain::Clock);
    let apart = (here.violation.at - there.violation.at).abs();
    if apart > Duration::minutes(i64::from(limits.act_minutes)) {
        return Likeness::Other;
    }
    let together = gap(here, there) <= Duration::seconds(i64::from(limits.passage_seconds));
    // Two vehicles of nearly the same number come by now and then, but not at the same moment.
    let one_vehicle = same_kind && stroke_alone;
    if !together && !one_vehicle {
        return Likeness::Other;
    }
    doubt(together, Uncertain::Time);
    match place(here, there, limits) {
        None => return Likeness::Other,
        Some(certain) => doubt(certain, Uncertain::Place),
    }
    doubt(words(&here.camera.direction) == words(&there.camera.direction), Uncertain::Direction);
    doubt(is_one_way(here, there), Uncertain::Way);
    if doubts.is_empty() { Likeness::Same } else { Likeness::Perhaps(doubts) }
}

/// Whether `one` certainly shows the passage that every package of a case shows, which stands on
/// the number `plate`.
pub fn is_of_case(
    one: &Manifest,
    plate: Option<&str>,
    of_case: &[&Manifest],
    limits: &Limits,
) -> bool {
    let view = View::sealed(one);
    !of_case.is_empty()
        && of_case.iter().all(|manifest| {
            // An officer's number counts for every picture of the case.
            let other = View { manifest, plate: plate.map(str::to_owned) };
            likeness(&view, &other, limits) == Likeness::Same
        })
}

/// A number without the stroke of Đ: it is read and typed as D.
pub(super) fn without_stroke(plate: &str) -> String {
    plate.replace('Đ', "D")
}

/// Whether two numbers differ in at most one character.
pub(super) fn is_alike(one: &str, other: &str) -> bool {
    one.chars().count() == other.chars().count()
        && one.chars().zip(other.chars()).filter(|(a, b)| a != b).count() <= 1
}

/// Whether the package says when the act was done.
pub(super) fn tells_time(manifest: &Manifest, limits: &Limits) -> bool {
    let live = matches!(manifest.source, None | Some(SourceKind::CameraStream))
        && matches!(manifest.clock.source, ClockSource::Rtcp | ClockSource::Arrival);
    let near = |ms: i64| ms.unsigned_abs() <= u64::from(limits.clock_offset_ms);
    live && manifest.clock.offset_ms.is_none_or(near)
}

/// The time between what two packages show; none where they overlap.
fn gap(one: &Manifest, other: &Manifest) -> Duration {
    let [a, b] = [one, other].map(|manifest| {
        let violation = &manifest.violation;
        let moments = violation.moments.iter().map(|moment| moment.at);
        let all = moments.chain([violation.at]);
        all.fold((violation.at, violation.at), |(from, to), at| (from.min(at), to.max(at)))
    });
    let between = |from: OffsetDateTime, to: OffsetDateTime| (to - from).max(Duration::ZERO);
    between(a.1, b.0).max(between(b.1, a.0))
}

/// Whether two cameras certainly watch one place; none where they cannot.
fn place(one: &Manifest, other: &Manifest, limits: &Limits) -> Option<bool> {
    let (here, there) = (&one.camera, &other.camera);
    if one.device.id == other.device.id && here.id == there.id {
        return Some(true);
    }
    let named = |camera: &Camera| {
        words(&format!("{} {}", camera.place, camera.km.as_deref().unwrap_or_default()))
    };
    let same_words = named(here) == named(there);
    match (here.gps, there.gps) {
        (Some(a), Some(b)) => {
            let apart = metres(a, b);
            let near = apart <= limits.place_metres;
            (near || same_words).then_some(near && (same_words || apart <= limits.passage_metres))
        }
        _ if same_words => Some(true),
        _ => (one.unit.code == other.unit.code).then_some(false),
    }
}

/// Whether nothing that was seen of the way speaks against one passage.
fn is_one_way(one: &Manifest, other: &Manifest) -> bool {
    let (here, there) = (&one.violation.facts, &other.violation.facts);
    let agree = |a: Option<_>, b: Option<_>| a.is_none() || b.is_none() || a == b;
    let same_camera = one.device.id == other.device.id && one.camera.id == other.camera.id;
    // Another camera's plan has names of its own.
    agree(here.movement(), there.movement())
        && (!same_camera || here.place().is_none() || here.place() == there.place())
}

/// A text's words without case, spaces and punctuation.
fn words(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Distance on the ground; good to a metre over a town.
pub(super) fn metres(one: [f64; 2], other: [f64; 2]) -> f64 {
    const A_DEGREE: f64 = 111_195.0;
    let north = (one[0] - other[0]) * A_DEGREE;
    let east = (one[1] - other[1]) * A_DEGREE * ((one[0] + other[0]) / 2.0).to_radians().cos();
    north.hypot(east)
}
