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
//!
//! Where it was out of sight for long, the parts before and after are measured each for itself, with
//! one speed: what lies between counts for nothing, so that no leap there is taken for driving.

use crate::time::{Nanos, in_seconds};

/// Independent sightings in a second at the most.
const INDEPENDENT: f64 = 10.0;
/// Farther off than this many deviations a place counts less (Huber).
const OFF: f64 = 2.0;
const ROUNDS: usize = 4;
/// Farther off than this many it was not where its box ends.
const ASTRAY: f64 = 4.0;
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

impl Sample {
    /// How far its place may deviate in a direction, metres.
    fn deviation(&self, [ux, uy]: [f64; 2]) -> f64 {
        let along = |[x, y]: [f64; 2]| x * ux + y * uy;
        libm::hypot(along(self.across), along(self.along)).max(0.02)
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Fit {
    /// Metres a second.
    pub speed: f64,
    /// From the first sighting of each part to its last, seconds.
    pub took: f64,
    /// Between pictures, seconds.
    pub interval: f64,
    /// Mean deviation from the line, in deviations of the places.
    pub unsteady: f64,
    /// How much of the speed an error at the ends of the parts makes, one second in so many.
    ends: f64,
    /// One deviation of the speed by the places' trembling.
    trembling: f64,
    /// What a lower edge that is always wrong makes of the speed.
    edge: f64,
}

impl Fit {
    /// Through the parts of a way, each in order. None where the sightings are too few or at one time.
    pub fn through(parts: &[&[Sample]]) -> Option<Self> {
        let took = parts.iter().map(|part| lasts(part)).sum();
        let samples: Vec<Sample> = parts.concat();
        let places = Places { parts, wrong: 0.0 };
        let (line, weights) = places.steadily(&samples)?;
        let off = line.misses(&places, &samples)?;
        let freedom = (samples.len() as f64 - 1.0 - parts.len() as f64).max(1.0);
        let unsteady = (off.iter().map(|miss| miss * miss).sum::<f64>() / freedom).sqrt();
        let steps = parts.iter().flat_map(|part| part.windows(2));
        let interval = middle(steps.map(|pair| in_seconds(pair[1].at - pair[0].at)).collect())?;
        let alike = (1.0 / interval.max(1e-3) / INDEPENDENT).max(1.0);
        let spread = line.spread();
        let trembling = (alike / spread).sqrt() * (unsteady * few(freedom)).max(1.0);
        let wrong = Places { parts, wrong: EDGE_WRONG }.line(&weights)?;
        let edge = (wrong.speed() - line.speed()).abs();
        // A bad survey may err alike in all parts, so what they make of it is added.
        let share = |(part, of): (&&[Sample], &Centre)| of.spread / spread / lasts(part).max(1e-3);
        let ends = parts.iter().zip(&line.centres).map(share).sum();
        Some(Self { speed: line.speed(), took, interval, unsteady, ends, trembling, edge })
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
        let survey = std::f64::consts::SQRT_2 * residual * self.ends;
        // A time anywhere within an interval deviates by its twelfth part's root, at two ends.
        let time = self.speed * self.stamped_to() / 6f64.sqrt() * self.ends;
        let squares = [self.trembling, survey, time].map(|part| part * part);
        3.0 * squares.iter().sum::<f64>().sqrt() + self.edge
    }

    /// The same of the way, metres, its time aside.
    pub fn way_uncertainty(&self, residual: f64) -> f64 {
        let trembling = self.trembling * self.took;
        let survey = std::f64::consts::SQRT_2 * residual * self.ends * self.took;
        3.0 * libm::hypot(trembling, survey) + self.edge * self.took
    }
}

/// How much more than three deviations Student's distribution asks for where a deviation is itself told
/// by few: its quantile at 0.99865 over 3, to 3 % from five degrees of freedom on.
fn few(freedom: f64) -> f64 {
    1.0 + 2.7 / freedom + 4.0 / (freedom * freedom)
}

/// The sightings without those that lie beside the straight drive of the others before and after
/// them: something covered it there. None are left out where they are many, or at an end, which may be
/// another vehicle's.
pub fn astray_left_out(samples: Vec<Sample>) -> Vec<Sample> {
    let places = Places { parts: &[&samples], wrong: 0.0 };
    let line = places.steadily(&samples).map(|(line, _)| line);
    let Some(off) = line.and_then(|line| line.misses(&places, &samples)) else { return samples };
    let astray: Vec<bool> = off.iter().map(|miss| *miss > ASTRAY).collect();
    let many = astray.iter().filter(|astray| **astray).count() > samples.len() / 4;
    let at_end = [astray.first(), astray.last()].contains(&Some(&true));
    if many || at_end {
        return samples;
    }
    samples.into_iter().zip(astray).filter_map(|(s, astray)| (!astray).then_some(s)).collect()
}

/// Seconds.
fn lasts(part: &[Sample]) -> f64 {
    let ends = part.first().zip(part.last());
    ends.map_or(0.0, |(first, last)| in_seconds(last.at - first.at))
}

fn middle(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The places of the parts, with contact points so many deviations lower.
struct Places<'a> {
    parts: &'a [&'a [Sample]],
    wrong: f64,
}

impl Places<'_> {
    /// Each of a part: seconds since its beginning, and metres.
    fn of<'s>(&self, part: &'s [Sample]) -> impl Iterator<Item = (f64, [f64; 2])> + Clone + 's {
        let wrong = self.wrong;
        let lower = move |s: &Sample| [0, 1].map(|axis| s.place[axis] + wrong * s.along[axis]);
        let start = part.first().map_or(0, |first| first.at);
        part.iter().map(move |sample| (in_seconds(sample.at - start), lower(sample)))
    }

    /// By weighted least squares.
    fn line(&self, mut weights: &[f64]) -> Option<Line> {
        let mut centres = Vec::new();
        let mut moved = [0.0; 2];
        for part in self.parts {
            let (of_part, others) = weights.split_at(part.len());
            weights = others;
            let all = || self.of(part).zip(of_part).map(|((t, place), weight)| (t, place, *weight));
            let total: f64 = of_part.iter().sum();
            let t = all().map(|(t, _, w)| w * t).sum::<f64>() / total;
            let place = [0, 1].map(|axis| all().map(|(_, p, w)| w * p[axis]).sum::<f64>() / total);
            for (axis, moved) in moved.iter_mut().enumerate() {
                let parts = all().map(|(at, p, w)| w * (at - t) * (p[axis] - place[axis]));
                *moved += parts.sum::<f64>();
            }
            let spread = all().map(|(at, _, w)| w * (at - t) * (at - t)).sum();
            centres.push(Centre { t, place, spread });
        }
        let mut line = Line { centres, velocity: moved };
        let spread = line.spread();
        line.velocity = moved.map(|moved| moved / spread);
        let known = spread > 1e-9 && line.velocity.iter().all(|part| part.is_finite());
        known.then_some(line)
    }

    /// The line that the most of them lie on, and what each counts for it.
    fn steadily(&self, samples: &[Sample]) -> Option<(Line, Vec<f64>)> {
        let mut weights = vec![1.0; samples.len()];
        let mut line = self.line(&weights)?;
        for _ in 0..ROUNDS {
            let off = line.misses(self, samples)?;
            let direction = line.direction()?;
            for ((sample, miss), weight) in samples.iter().zip(off).zip(&mut weights) {
                let deviation = sample.deviation(direction);
                *weight = (OFF / miss.max(OFF)) / (deviation * deviation);
            }
            line = self.line(&weights)?;
        }
        Some((line, weights))
    }

    /// How far each lies from the line, metres.
    fn from<'l>(&'l self, line: &'l Line) -> impl Iterator<Item = [f64; 2]> + 'l {
        self.parts.iter().zip(&line.centres).flat_map(|(part, centre)| {
            self.of(part).map(|(t, place)| {
                let after = t - centre.t;
                let at = |axis: usize| centre.place[axis] + line.velocity[axis] * after;
                [0, 1].map(|axis| place[axis] - at(axis))
            })
        })
    }
}

/// Straight lines over time, one for each part, all as steep.
struct Line {
    centres: Vec<Centre>,
    velocity: [f64; 2],
}

/// The middle of a part.
struct Centre {
    t: f64,
    place: [f64; 2],
    /// Weighted spread of the times: what the slope is known by.
    spread: f64,
}

impl Line {
    fn spread(&self) -> f64 {
        self.centres.iter().map(|centre| centre.spread).sum()
    }

    /// How far each is from where the line has it then, in deviations.
    fn misses(&self, places: &Places<'_>, samples: &[Sample]) -> Option<Vec<f64>> {
        let [ux, uy] = self.direction()?;
        let miss = |(sample, [x, y]): (&Sample, [f64; 2])| {
            (x * ux + y * uy).abs() / sample.deviation([ux, uy])
        };
        Some(samples.iter().zip(places.from(self)).map(miss).collect())
    }

    fn speed(&self) -> f64 {
        libm::hypot(self.velocity[0], self.velocity[1])
    }

    fn direction(&self) -> Option<[f64; 2]> {
        let speed = self.speed();
        (speed > 1e-6).then(|| self.velocity.map(|part| part / speed))
    }
}
