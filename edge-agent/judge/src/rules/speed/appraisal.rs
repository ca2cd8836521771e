//! What a survey is worth, before anybody drives over it: how far its own points miss, in metres and
//! in pixels, and how exactly a speed would be known. The speed is that of a made-up car that drives
//! over the stretch as fast as is allowed, measured by the rule's own code.

use contract::geometry::BBox;
use serde::Serialize;

use super::KMH;
use super::fit::Fit;
use super::stretch::Stretch;
use crate::homography::Surveyed;
use crate::time::{Nanos, SECOND};
use crate::track::Observation;

/// A car's width and, seen from ahead, its height, metres.
const CAR: [f64; 2] = [1.8, 1.5];
/// Sightings of one drive at the most.
const MOST: usize = 2000;

/// How a survey would measure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Appraisal {
    /// How far each point lies off the plane through all, metres and pixels.
    pub misses: Vec<Miss>,
    /// Root mean square of what is left over, metres; none where four points leave nothing over.
    pub residual: Option<f64>,
    /// The same in pixels.
    pub residual_pixels: Option<f64>,
    /// From one end to the other, metres.
    pub length: f64,
    /// How often a car at the limit is seen on it.
    pub sightings: usize,
    /// By how much such a car's speed may be measured wrong, km/h; none where it is seen too seldom.
    pub uncertainty: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Miss {
    pub metres: f64,
    pub pixels: f64,
}

/// Appraises a survey in pictures of `size`, so many a second, for a limit in km/h; else what is wrong
/// with it, reading on after its name.
pub fn appraise(
    survey: &[Surveyed],
    size: [u32; 2],
    fps: f64,
    limit: f64,
) -> Result<Appraisal, String> {
    let stretch = Stretch::through(survey)?;
    let [width, height] = size.map(f64::from);
    let misses: Vec<Miss> = survey
        .iter()
        .map(|(at, [x, y])| {
            let at = at.map(f64::from);
            let metres = stretch.plane.metres(at).map(|[a, b]| libm::hypot(a - x, b - y));
            let there = stretch.plane.picture([*x, *y]);
            let pixels = there.map(|[a, b]| libm::hypot((a - at[0]) * width, (b - at[1]) * height));
            Miss { metres: metres.unwrap_or(f64::MAX), pixels: pixels.unwrap_or(f64::MAX) }
        })
        .collect();
    // As the homography counts them: for each coordinate that is left over.
    let over = (2 * survey.len()).saturating_sub(8);
    let sum: f64 = misses.iter().map(|miss| miss.pixels * miss.pixels).sum();
    let drive = Drive::along(survey);
    let samples = drive.samples(&stretch, size, fps, limit / KMH);
    let fit = (samples.len() >= super::LEAST_SEEN).then(|| Fit::through(&[&samples])).flatten();
    Ok(Appraisal {
        misses,
        residual: stretch.plane.residual,
        residual_pixels: (over > 0).then(|| (sum / over as f64).sqrt()),
        length: drive.length(),
        sightings: samples.len(),
        uncertainty: fit.map(|fit| fit.uncertainty(stretch.residual()) * KMH),
    })
}

/// Straight through the middle of the surveyed points, the way they are farthest spread.
struct Drive {
    from: [f64; 2],
    to: [f64; 2],
}

impl Drive {
    fn along(survey: &[Surveyed]) -> Self {
        let count = survey.len().max(1) as f64;
        let mean = |axis: usize| survey.iter().map(|(_, m)| m[axis]).sum::<f64>() / count;
        let centre = [mean(0), mean(1)];
        let off = || survey.iter().map(|(_, m)| [m[0] - centre[0], m[1] - centre[1]]);
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for [x, y] in off() {
            xx += x * x;
            xy += x * y;
            yy += y * y;
        }
        let angle = libm::atan2(2.0 * xy, xx - yy) / 2.0;
        let [ux, uy] = [libm::cos(angle), libm::sin(angle)];
        let along = || off().map(|[x, y]| x * ux + y * uy);
        let (first, last) = (along().fold(0.0, f64::min), along().fold(0.0, f64::max));
        let at = |far: f64| [centre[0] + far * ux, centre[1] + far * uy];
        Self { from: at(first), to: at(last) }
    }

    fn length(&self) -> f64 {
        libm::hypot(self.to[0] - self.from[0], self.to[1] - self.from[1])
    }

    /// What would be seen of a car that drives so many metres a second.
    fn samples(
        &self,
        stretch: &Stretch,
        size: [u32; 2],
        fps: f64,
        speed: f64,
    ) -> Vec<super::fit::Sample> {
        let length = self.length().max(f64::EPSILON);
        let unit = [(self.to[0] - self.from[0]) / length, (self.to[1] - self.from[1]) / length];
        let step = speed / fps;
        (0..MOST)
            .map(|i| (i, step * i as f64))
            .take_while(|(_, far)| *far <= length)
            .filter_map(|(i, far)| {
                let at = [self.from[0] + far * unit[0], self.from[1] + far * unit[1]];
                let bbox = seen(stretch, at, unit, size)?;
                let t = (i as f64 / fps * SECOND as f64) as Nanos;
                stretch.sample_in(&Observation { t, bbox, strong: true }, size)
            })
            .collect()
    }
}

/// The box of a car that stands at a place of the road and looks along `unit`.
fn seen(stretch: &Stretch, at: [f64; 2], unit: [f64; 2], size: [u32; 2]) -> Option<BBox> {
    let [width, height] = size.map(f64::from);
    let pixel = |place| stretch.plane.picture(place).map(|[x, y]| [x * width, y * height]);
    let [x, y] = pixel(at)?;
    let half = CAR[0] / 2.0;
    let side = |by: f64| pixel([at[0] - by * unit[1], at[1] + by * unit[0]]);
    let ([ax, ay], [bx, by]) = (side(half)?, side(-half)?);
    let wide = libm::hypot(ax - bx, ay - by);
    let high = wide * CAR[1] / CAR[0];
    Some(BBox {
        x1: (x - wide / 2.0) as f32,
        y1: (y - high) as f32,
        x2: (x + wide / 2.0) as f32,
        y2: y as f32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A road that runs away from a camera six metres up.
    fn survey(wrong: f64) -> Vec<Surveyed> {
        let road = [[-4.0, 10.0], [4.0, 10.0], [4.0, 40.0], [-4.0, 40.0], [0.0, 20.0], [2.0, 30.0]];
        let seen =
            |[x, y]: [f64; 2]| [(0.5 + 0.9 * x / (y + 1.0)) as f32, (0.1 + 4.5 / (y + 1.0)) as f32];
        let bent = |i: usize| if i.is_multiple_of(2) { wrong } else { -wrong };
        road.iter().enumerate().map(|(i, m)| (seen(*m), [m[0], m[1] + bent(i)])).collect()
    }

    #[test]
    fn a_worse_survey_misses_more_and_knows_speeds_less() {
        let of = |wrong| appraise(&survey(wrong), [1920, 1080], 10.0, 50.0).unwrap();
        let (good, bad) = (of(0.0), of(0.2));
        assert!(good.residual_pixels.unwrap() < 0.1, "{good:?}");
        assert!(bad.residual_pixels.unwrap() > 1.0 && bad.residual.unwrap() > 0.1, "{bad:?}");
        assert!((29.0..32.0).contains(&good.length), "{good:?}");
        // 30 m at 50 km/h are 2.2 s, ten pictures each.
        assert!((20..=23).contains(&good.sightings), "{good:?}");
        let (good, bad) = (good.uncertainty.unwrap(), bad.uncertainty.unwrap());
        assert!(good > 0.2 && good < 6.0 && bad > good + 0.1, "{good} {bad}");
    }

    #[test]
    fn too_short_for_the_rate_knows_no_speed() {
        let found = appraise(&survey(0.0), [1920, 1080], 2.0, 120.0).unwrap();
        assert_eq!(found.uncertainty, None);
        assert!(appraise(&survey(0.0)[..3], [1920, 1080], 10.0, 50.0).is_err());
    }
}
