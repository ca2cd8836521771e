//! The surveyed stretch of road and what a track was seen to do on it.

use contract::geometry::Point;
use serde::{Deserialize, Serialize};
use settings::{Reader, Value, shapes};

use super::fit::Sample;
use super::limits::Limits;
use crate::homography::{Homography, Surveyed};
use crate::road::contains;
use crate::rules::Scene;
use crate::time::{Nanos, seconds};
use crate::track::{Observation, Track};

/// Away from the stretch for this long, a vehicle has left it.
const LEFT: Nanos = seconds(0.5);
/// So many sightings running show that it is on it.
pub const RUNNING: usize = 3;
/// Surveyed as well as this, metres, at the best: a mark in the picture is met no better. Where
/// nothing is left over to tell, twice that and more.
const LEAST_RESIDUAL: f64 = 0.05;
const RESIDUAL_UNKNOWN: f64 = 0.15;
/// How far a box's sides tremble, as a share of its height.
const TREMBLES: f64 = 0.03;

/// What a site sets for this rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub limits: Limits,
    pub survey: Vec<Surveyed>,
}

impl Settings {
    pub fn read(table: &Reader<'_>) -> Option<Self> {
        let limits = Limits::read(table);
        Some(Self { limits, survey: survey(table)? })
    }

    /// How long the stretch is at the most, metres.
    pub fn length(&self) -> f64 {
        let places = || self.survey.iter().map(|(_, metres)| *metres);
        let apart = |[x, y]: [f64; 2]| places().map(move |[a, b]| libm::hypot(a - x, b - y));
        places().flat_map(apart).fold(1.0, f64::max)
    }
}

fn survey(table: &Reader<'_>) -> Option<Vec<Surveyed>> {
    const FORM: &str =
        "survey = [{ at = [0.2, 0.9], metres = [0.0, 0.0] }, …], four points or more";
    if !table.has("survey") {
        table.take("survey");
        table.reject("survey", format!("is missing: {FORM}"));
        return None;
    }
    let mut points = Vec::new();
    let mut sound = true;
    for point in table.tables("survey") {
        let at = point.take("at").and_then(|node| shapes::point(&point, node, "at"));
        let metres = point.take("metres").and_then(|node| {
            let form = "two distances on the road in metres, e.g. [3.5, 20.0]";
            shapes::numbers::<2>(&point, node, "metres", form)
        });
        for (key, found) in [("at", at.is_some()), ("metres", metres.is_some())] {
            if !point.has(key) {
                point.reject(key, format!("is missing: {FORM}"));
            }
            sound &= found;
        }
        points.extend(at.zip(metres));
        point.finish();
    }
    let whole = matches!(table.take("survey").map(|node| &node.value), Some(Value::Array(all)) if all.len() == points.len());
    (sound && whole).then_some(points)
}

/// A stretch of road between surveyed points.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    pub(super) plane: Homography,
    /// Around the surveyed points, 0 to 1 of the picture: beyond them nothing is measured.
    outline: Vec<Point>,
}

/// What was seen of a vehicle on the stretch.
pub enum Seen {
    Never,
    /// On it, or not yet.
    On,
    /// The picture's edge cut it there.
    Cut,
    /// It came and left.
    Over(Vec<Sample>),
}

impl Stretch {
    pub fn through(survey: &[Surveyed]) -> Result<Self, String> {
        let plane = Homography::through(survey)?;
        Ok(Self { plane, outline: hull(survey.iter().map(|(at, _)| *at).collect()) })
    }

    /// How well the survey is known, metres.
    pub fn residual(&self) -> f64 {
        self.plane.residual.map_or(RESIDUAL_UNKNOWN, |residual| residual.max(LEAST_RESIDUAL))
    }

    pub fn outline(&self) -> Vec<Point> {
        self.outline.iter().chain(self.outline.first()).copied().collect()
    }

    /// Where on the stretch a vehicle was, metres; none outside.
    pub fn place(&self, seen: &Observation, scene: &Scene<'_>) -> Option<[f64; 2]> {
        let foot = seen.bbox.foot();
        let at = normal(foot.map(f64::from), scene.size);
        contains(&self.outline, at.map(|part| part as f32)).then_some(())?;
        self.plane.metres(at)
    }

    /// The first way over the stretch: from where it was on it in so many sightings running to the
    /// last such place. At its ends a box that trembles is now in and now out; to take those that
    /// are in, and leave the others, would move the ends.
    pub fn follow(&self, track: &Track, scene: &Scene<'_>) -> Seen {
        // Asked at every picture: while it is there nothing is measured yet, and who left longer ago
        // has been measured.
        let last = track.last();
        let mut lately = track.path.iter().rev().take_while(|seen| last.t - seen.t <= 4 * LEFT);
        let was_on = lately.any(|seen| self.place(seen, scene).is_some());
        if !scene.ended && (!was_on || self.place(last, scene).is_some()) {
            return Seen::On;
        }
        let mut way: Option<(usize, usize)> = None;
        let mut running = 0;
        let mut over = scene.ended;
        for (i, seen) in track.path.iter().enumerate() {
            running = if self.place(seen, scene).is_some() { running + 1 } else { 0 };
            match way {
                _ if running >= RUNNING => way = Some((way.map_or(i + 1 - RUNNING, |it| it.0), i)),
                Some((_, last)) if running == 0 && seen.t - track.path[last].t > LEFT => {
                    over = true;
                    break;
                }
                _ => {}
            }
        }
        let Some((first, last)) = way else { return Seen::Never };
        if !over {
            return Seen::On;
        }
        let on = || track.path.range(first..=last);
        if on().any(|seen| scene.cuts(&seen.bbox)) {
            return Seen::Cut;
        }
        Seen::Over(on().filter_map(|seen| self.sample(seen, scene)).collect())
    }

    /// Whether it has been on the stretch for good since `t`.
    pub fn entered(&self, track: &Track, t: Nanos, scene: &Scene<'_>) -> bool {
        let since = track.path.iter().filter(|seen| seen.t >= t);
        let on: Vec<bool> = since.map(|seen| self.place(seen, scene).is_some()).collect();
        on.windows(RUNNING).any(|on| on.iter().all(|on| *on))
    }

    fn sample(&self, seen: &Observation, scene: &Scene<'_>) -> Option<Sample> {
        self.sample_in(seen, scene.size)
    }

    /// A sighting in a picture of `size`, on the road.
    pub(super) fn sample_in(&self, seen: &Observation, size: [u32; 2]) -> Option<Sample> {
        let [x, y] = seen.bbox.foot().map(f64::from);
        let place = self.plane.metres(normal([x, y], size))?;
        let by = f64::from(seen.bbox.height()) * TREMBLES;
        let moved = |dx: f64, dy: f64| {
            let [mx, my] = self.plane.metres(normal([x + dx, y + dy], size))?;
            Some([mx - place[0], my - place[1]])
        };
        // The middle of two sides trembles less than one.
        let across = moved(by * std::f64::consts::FRAC_1_SQRT_2, 0.0)?;
        Some(Sample { at: seen.t, place, across, along: moved(0.0, by)? })
    }
}

/// Pixels as shares of the picture.
fn normal([x, y]: [f64; 2], size: [u32; 2]) -> [f64; 2] {
    [x / f64::from(size[0].max(1)), y / f64::from(size[1].max(1))]
}

/// The smallest convex outline around points (monotone chain).
fn hull(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let half = |points: &mut dyn Iterator<Item = Point>| {
        let mut chain: Vec<Point> = Vec::new();
        for p in points {
            while let [.., a, b] = chain[..] {
                if (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0.0 {
                    break;
                }
                chain.pop();
            }
            chain.push(p);
        }
        chain.pop();
        chain
    };
    let mut outline = half(&mut points.iter().copied());
    outline.extend(half(&mut points.iter().rev().copied()));
    outline
}
