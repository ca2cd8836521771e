//! Chạy quá tốc độ, measured over a surveyed stretch of road: contact points become metres, a straight
//! line through them over time becomes a speed, and what may be measured wrong is counted in the
//! vehicle's favour ([`fit`]).
//!
//! The excess is what is left of the speed after the tolerance and the uncertainty, rounded down to
//! whole km/h: nobody is accused below 5. Its bracket is the law's, which the central chooses. Too few
//! sightings, a box cut by the picture's edge, a way that is no steady drive or a vehicle possibly
//! exchanged accuse nobody.

pub mod appraisal;
mod fit;
pub mod limits;
mod stretch;
#[cfg(test)]
mod tests;

use contract::facts::{self, Facts, Measured, Unit};
use contract::geometry::Point;
use contract::{Act, MomentRole};
use serde_json::Value;
use settings::Reader;

use self::fit::{Fit, Sample};
use self::stretch::{RUNNING, Seen, Settings, Stretch};
use super::{
    Album, Attention, CROSSING, Doubt, Finding, Kind, Lawful, Rule, Scene, Verdict, words,
};
use crate::Site;
use crate::followed::{self, MAX_GAP, fps_within};
use crate::time::{Nanos, SECOND, in_seconds, seconds};
use crate::track::Track;

/// Fewer sightings, or a shorter way, metres, measure nothing.
const LEAST_SEEN: usize = 5;
const LEAST_WAY: f64 = 12.0;
/// So many are wanted: some of them are missed.
const WANTED: f64 = 12.0;
/// Where a longer part of the way, in time, lies between two sightings, it is measured on both sides.
const LONGEST_STEP: f64 = 0.35;
/// The same where it was seen in between, but covered.
const LONGEST_COVERED: f64 = 0.5;
/// Deviations from a straight drive, as a multiple of what boxes tremble, that are none.
const STEADY: f64 = 1.9;
/// The same where some sightings lay astray: what covered it there may cover it elsewhere, unseen.
const STEADY_BESIDE_STRAYS: f64 = 1.25;
/// What covers a vehicle comes over it and leaves it by less than shows, for so long.
const BESIDE_COVERED: Nanos = seconds(0.15);
/// Who was told the class of a vehicle less surely than this does not know its limit.
const SURE_CLASS: f32 = 0.75;

/// The name of the rule in site files; the acts are the law's.
/// The section of a camera's table.
pub const SECTION: &str = "speed";

pub const KIND: Kind = Kind {
    act: "speed",
    read: |table, _| Speed::read(table).map(|rule| Box::new(rule) as Box<dyn Rule>),
    restore: |settings| {
        let settings = serde_json::from_value::<Settings>(settings)?;
        let speed = Speed::new(settings).map_err(serde::de::Error::custom)?;
        Ok(Box::new(speed))
    },
};

/// The speed limit of a surveyed stretch.
#[derive(Debug, Clone, PartialEq)]
pub struct Speed {
    settings: Settings,
    stretch: Stretch,
}

impl Speed {
    fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self { stretch: Stretch::through(&settings.survey)?, settings })
    }

    fn read(table: &Reader<'_>) -> Option<Self> {
        let section = table.section(SECTION)?;
        let settings = Settings::read(&section);
        let speed = settings.and_then(|settings| match Self::new(settings) {
            Ok(speed) => Some(speed),
            Err(problem) => {
                section.reject("survey", problem);
                None
            }
        });
        section.finish();
        speed
    }
}

impl Rule for Speed {
    fn act(&self) -> Act {
        Act::named(KIND.act)
    }

    fn settings(&self) -> Value {
        super::written(&self.settings)
    }

    /// Who drives half as fast again as is allowed is over the stretch in [`WANTED`] pictures.
    fn least_fps(&self) -> f32 {
        let fastest = 1.5 * self.settings.limits.highest() / KMH;
        fps_within(MAX_GAP).max((WANTED * fastest / self.settings.length()) as f32)
    }

    fn longest(&self) -> Nanos {
        CROSSING
    }

    fn attend(&self, track: &Track, scene: &Scene<'_>, album: &mut Album) -> Attention {
        let Some(here) = self.stretch.place(track.last(), scene) else {
            let left = album.time(MomentRole::End);
            let lately = left.is_some_and(|left| scene.now.saturating_sub(left) <= SECOND);
            return if lately { Attention::Near } else { Attention::Idle };
        };
        let came = track.previous().is_none_or(|seen| self.stretch.place(seen, scene).is_none());
        let begun = album.time(MomentRole::Begin);
        if begun.is_none_or(|begun| came && !self.stretch.entered(track, begun, scene)) {
            album.keep(MomentRole::Begin, scene.now);
        }
        album.keep(MomentRole::End, scene.now);
        let begin = album.time(MomentRole::Begin).unwrap_or(scene.now);
        let first = track.path.iter().find(|seen| seen.t >= begin);
        let from = first.and_then(|seen| self.stretch.place(seen, scene));
        let way = from.map_or(0.0, |[x, y]| libm::hypot(here[0] - x, here[1] - y));
        let took = in_seconds(scene.now.saturating_sub(begin));
        let fast = took > 0.0 && way / took * KMH > self.settings.limits.of(track.class);
        if fast { Attention::Suspect } else { Attention::Near }
    }

    fn judge(&self, track: &Track, scene: &Scene<'_>) -> Verdict {
        match self.stretch.follow(track, scene) {
            Seen::On if !scene.ended => Verdict::Pending,
            Seen::Never if !scene.ended => Verdict::Pending,
            Seen::Never => Verdict::Lawful(Lawful::NeverThere),
            Seen::Cut => Verdict::Abstained(Doubt::CutOff),
            Seen::On => Verdict::Abstained(Doubt::SeenTooLate),
            Seen::Over(samples) => self.measure(track, scene, samples),
        }
    }

    fn marks(&self, _: &Site, _: &Facts) -> Vec<Vec<Point>> {
        vec![self.stretch.outline()]
    }

    fn caption(&self, facts: &Facts) -> String {
        let Facts::Speed(facts::Speed { speed, distance, took }) = facts else {
            return "Chạy quá tốc độ quy định".into();
        };
        let limit = words::decimal(speed.limit.unwrap_or(0.0), 0);
        let uncertainty = words::decimal(speed.uncertainty.unwrap_or(0.0), 1);
        format!(
            "Chạy quá tốc độ quy định: {} ± {uncertainty} km/h, giới hạn {limit} km/h, đo trên {} m trong {} s",
            words::decimal(speed.value, 1),
            words::decimal(distance.value, 1),
            words::decimal(took.value, 2),
        )
    }
}

/// Kilometres an hour in a metre a second.
pub(crate) const KMH: f64 = 3.6;

impl Speed {
    fn measure(&self, track: &Track, scene: &Scene<'_>, mut samples: Vec<Sample>) -> Verdict {
        let limit = self.settings.limits.of(track.class);
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
            return Verdict::Lawful(Lawful::NeverThere);
        };
        // The pictures kept are of the whole way.
        let (from, to) = (first.at, last.at);
        let missed = longest_step(&samples) > LONGEST_STEP;
        let most = if missed { LONGEST_STEP } else { LONGEST_COVERED };
        // Covered from below it is not where its box ends, but nearer: such places do not count.
        let covered = followed::all_covered(track, scene, track.at(from), track.at(to));
        let covered: Vec<Nanos> = covered.map(|i| track.path[i].t).collect();
        let beside =
            |at: Nanos| covered.iter().any(|covered| covered.abs_diff(at) <= BESIDE_COVERED);
        samples.retain(|sample| !beside(sample.at));
        let clear = samples.len();
        let samples = fit::astray_left_out(samples);
        let steady = if samples.len() < clear { STEADY_BESIDE_STRAYS } else { STEADY };
        let parts = parts(&samples, most);
        let seen = parts.iter().map(|part| part.len()).sum::<usize>();
        let fits = || {
            let whole = Fit::through(&[&samples])?;
            let undivided = parts.len() == 1 && seen == samples.len();
            Some((whole, if undivided { whole } else { Fit::through(&parts)? }))
        };
        let Some((whole, fit)) = (seen >= LEAST_SEEN).then(fits).flatten() else {
            return Verdict::Abstained(Doubt::SeenTooLate);
        };
        let (speed, uncertainty) =
            (fit.speed * KMH, fit.uncertainty(self.stretch.residual()) * KMH);
        if speed - self.settings.limits.tolerance <= limit {
            return Verdict::Lawful(Lawful::WithinLimit);
        }
        if let Some(excuse) = scene.outside(&self.settings.limits.hours, from, to) {
            return excuse;
        }
        // Whether who was out of sight for a while goes on where it would have been, the fit over the
        // whole way tells.
        if let Some(doubt) = followed::seen_doubtfully(track, from, to) {
            return Verdict::Abstained(doubt);
        }
        if fit.way() < LEAST_WAY {
            let lost = samples.len() > parts[0].len();
            return Verdict::Abstained(if lost { Doubt::LostAtLine } else { Doubt::SeenTooLate });
        }
        if whole.unsteady.max(fit.unsteady) > steady {
            return Verdict::Abstained(Doubt::Inexact);
        }
        let by_class = self.settings.limits.by_class();
        if by_class && track.class_share.is_some_and(|share| share < SURE_CLASS) {
            return Verdict::Abstained(Doubt::ClassUncertain);
        }
        let speed = Measured::new(tenths(speed), Unit::KilometresPerHour)
            .against(limit)
            .tolerating(self.settings.limits.tolerance)
            .known_to(tenths_up(uncertainty));
        let excess = speed.at_least().floor() - limit;
        if !limits::is_act(excess) {
            return Verdict::Abstained(Doubt::Inexact);
        }
        let distance = Measured::new(tenths(fit.way()), Unit::Metres)
            .known_to(tenths_up(fit.way_uncertainty(self.stretch.residual())));
        let hundredths = (fit.took * 100.0 + 1e-6).floor() / 100.0;
        let took =
            Measured::new(hundredths, Unit::Seconds).known_to(hundredth_up(fit.stamped_to()));
        Verdict::from(Finding {
            act: self.act(),
            at: to,
            moments: vec![(MomentRole::Begin, from), (MomentRole::End, to)],
            main: MomentRole::End,
            reason: format!(
                "drove {:.1} km/h, known to {:.1}, over {:.1} m in {hundredths:.2} s and {} sightings; \
                 {limit} km/h are allowed, {} tolerated",
                speed.value,
                speed.uncertainty.unwrap_or(0.0),
                distance.value,
                seen,
                self.settings.limits.tolerance,
            ),
            facts: Facts::Speed(facts::Speed { speed, distance, took }),
        })
    }
}

/// The way without what took longer between two sightings than this share of it. A part of fewer
/// than [`RUNNING`] tells no speed.
fn parts(samples: &[Sample], most: f64) -> Vec<&[Sample]> {
    let [first, .., last] = samples else { return Vec::new() };
    let longest = most * in_seconds(last.at - first.at);
    let parts = samples.chunk_by(|a, b| in_seconds(b.at - a.at) <= longest);
    parts.filter(|part| part.len() >= RUNNING).collect()
}

/// The longest time between two sightings, as a share of the whole.
fn longest_step(samples: &[Sample]) -> f64 {
    let [first, .., last] = samples else { return 1.0 };
    let longest = samples.windows(2).map(|pair| pair[1].at - pair[0].at).max();
    in_seconds(longest.unwrap_or(0)) / in_seconds(last.at - first.at)
}

/// Rounded down.
pub(super) fn tenths(value: f64) -> f64 {
    (value * 10.0).floor() / 10.0
}

pub(super) fn tenths_up(value: f64) -> f64 {
    (value * 10.0).ceil() / 10.0
}

fn hundredth_up(value: f64) -> f64 {
    (value * 100.0).ceil() / 100.0
}
