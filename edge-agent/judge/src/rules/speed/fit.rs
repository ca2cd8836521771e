//! A straight drive through places over time: the speed, and how far it may be wrong.
//!
//! Each place counts by how exactly it is known: far away a pixel is metres. What may be wrong is put
//! together from
//! - the boxes' trembling, as the homography maps it to the road, more where the places lie farther
//!   from the line than that explains, and no less for pictures that follow so close that a box errs
//!   alike in them;
//! - the survey, whose points miss by so much at each end of the way;
//! - time: half of what a picture's stamp may be off at each end;
//!
//! independent of each other, so their squares are added, and taken three times. A contact point that is
//! wrong alike in every picture (a box that ends above the road) stretches the whole way: what that
//! makes is added as it is.

use crate::time::{Nanos, in_seconds};

/// Independent sightings in a second at the most.
const INDEPENDENT: f64 = 10.0;
/// Farther off than this many deviations a place counts less (Huber).
const OFF: f64 = 2.0;
const ROUNDS: usize = 4;
/// The share of a box's trembling by which its lower edge may lie wrong in every picture.
const EDGE_WRONG: f64 = 1.5;

/// Seconds: pictures are stamped at the camera's own rate, of which perhaps only some are looked at,
/// and no camera that measures films slower than this.
const SLOWEST: f64 = 0.08;

/// A sighting on the road.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub at: Nanos,
    /// Metres.
    pub place: [f64; 2],
    /// How far it moves by one deviation of its contact point across the picture and down it.
    pub across: [f64; 2],
    pub along: [f64; 2],
}

#[derive(Debug, Clone, Copy)]
pub struct Fit {
    /// Metres a second.
    pub speed: f64,
    /// From the first sighting to the last, seconds.
    pub took: f64,
    /// Between pictures, seconds.
    pub interval: f64,
    /// Mean deviation from the line, in deviations of the places.
    pub unsteady: f64,
    /// One deviation of the speed by the places' trembling.
    trembling: f64,
    /// What a lower edge that is always wrong makes of the speed.
    edge: f64,
}

impl Fit {
    /// None where the sightings are too few or at one time.
    pub fn through(samples: &[Sample]) -> Option<Self> {
        let start = samples.first()?.at;
        let times: Vec<f64> = samples.iter().map(|s| in_seconds(s.at - start)).collect();
        let took = *times.last()?;
        let places = |wrong: f64| samples.iter().map(move |s| shifted(s, wrong));
        let mut weights = vec![1.0; samples.len()];
        let mut line = Line::through(&times, places(0.0), &weights)?;
        let mut off = Vec::new();
        for _ in 0..ROUNDS {
            let [ux, uy] = line.direction()?;
            let along = |v: [f64; 2]| v[0] * ux + v[1] * uy;
            off.clear();
            for ((sample, t), weight) in samples.iter().zip(&times).zip(&mut weights) {
                let deviation = libm::hypot(along(sample.across), along(sample.along)).max(0.02);
                let [x, y] = line.at(*t);
                let miss = along([sample.place[0] - x, sample.place[1] - y]).abs() / deviation;
                *weight = (OFF / miss.max(OFF)) / (deviation * deviation);
                off.push(miss);
            }
            line = Line::through(&times, places(0.0), &weights)?;
        }
        let freedom = (samples.len() as f64 - 2.0).max(1.0);
        let unsteady = (off.iter().map(|miss| miss * miss).sum::<f64>() / freedom).sqrt();
        let interval = middle(times.windows(2).map(|pair| pair[1] - pair[0]).collect())?;
        let alike = (1.0 / interval.max(1e-3) / INDEPENDENT).max(1.0);
        let trembling = (alike / line.spread).sqrt() * (unsteady * few(freedom)).max(1.0);
        let wrong = Line::through(&times, places(EDGE_WRONG), &weights)?;
        let edge = (wrong.speed() - line.speed()).abs();
        Some(Self { speed: line.speed(), took, interval, unsteady, trembling, edge })
    }

    /// Metres.
    pub fn way(&self) -> f64 {
        self.speed * self.took
    }

    /// How exactly a picture's time is known, seconds.
    pub fn stamped_to(&self) -> f64 {
        self.interval.min(SLOWEST)
    }

    /// How far the speed may be wrong, metres a second, on a road surveyed to `residual` metres.
    pub fn uncertainty(&self, residual: f64) -> f64 {
        let survey = std::f64::consts::SQRT_2 * residual / self.took;
        // A time anywhere within an interval deviates by its twelfth part's root, at two ends.
        let time = self.speed * self.stamped_to() / 6f64.sqrt() / self.took;
        let squares = [self.trembling, survey, time].map(|part| part * part);
        3.0 * squares.iter().sum::<f64>().sqrt() + self.edge
    }

    /// The same of the way, metres, its time aside.
    pub fn way_uncertainty(&self, residual: f64) -> f64 {
        let trembling = self.trembling * self.took;
        let survey = std::f64::consts::SQRT_2 * residual;
        3.0 * libm::hypot(trembling, survey) + self.edge * self.took
    }
}

/// How much more than three deviations Student's distribution asks for where a deviation is itself told
/// by few: its quantile at 0.99865 over 3, to 3 % from five degrees of freedom on.
fn few(freedom: f64) -> f64 {
    1.0 + 2.7 / freedom + 4.0 / (freedom * freedom)
}

/// A place with the contact point that much lower, in deviations.
fn shifted(sample: &Sample, wrong: f64) -> [f64; 2] {
    [0, 1].map(|axis| sample.place[axis] + wrong * sample.along[axis])
}

fn middle(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Both coordinates as straight lines over time, by weighted least squares.
struct Line {
    mean_t: f64,
    mean: [f64; 2],
    velocity: [f64; 2],
    /// Weighted spread of the times: what the slope is known by.
    spread: f64,
}

impl Line {
    fn through(
        times: &[f64],
        places: impl Iterator<Item = [f64; 2]> + Clone,
        weights: &[f64],
    ) -> Option<Self> {
        let all = || times.iter().zip(places.clone()).zip(weights).map(|((t, p), w)| (*t, p, *w));
        let total: f64 = weights.iter().sum();
        let mean_t = all().map(|(t, _, w)| w * t).sum::<f64>() / total;
        let mean = [0, 1].map(|axis| all().map(|(_, p, w)| w * p[axis]).sum::<f64>() / total);
        let spread: f64 = all().map(|(t, _, w)| w * (t - mean_t) * (t - mean_t)).sum();
        let velocity = [0, 1].map(|axis| {
            all().map(|(t, p, w)| w * (t - mean_t) * (p[axis] - mean[axis])).sum::<f64>() / spread
        });
        let known = spread > 1e-9 && velocity.iter().all(|part| part.is_finite());
        known.then_some(Self { mean_t, mean, velocity, spread })
    }

    fn at(&self, t: f64) -> [f64; 2] {
        [0, 1].map(|axis| self.mean[axis] + self.velocity[axis] * (t - self.mean_t))
    }

    fn speed(&self) -> f64 {
        libm::hypot(self.velocity[0], self.velocity[1])
    }

    fn direction(&self) -> Option<[f64; 2]> {
        let speed = self.speed();
        (speed > 1e-6).then(|| self.velocity.map(|part| part / speed))
    }
}
