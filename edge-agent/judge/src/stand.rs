//! A vehicle standing: since when, and where. Its contact point stays within a share of its height,
//! however the box trembles; whoever passes in front of it hides it for a moment, and a longer time
//! out of sight is bridged only where a vehicle of the same size stands at the same place after it.

use contract::geometry::Point;

use crate::time::{Nanos, SECOND, in_seconds, seconds};
use crate::track::{Observation, Track};

/// The contact point stays this near, in vehicle heights: several times what a box trembles.
const STILL: f32 = 0.25;
/// Away or unseen for no longer than this, it has not moved: nobody leaves and comes back as fast.
pub const COVERED: Nanos = seconds(2.0);
/// Moving on by more than this, in heights, from its beginning to its end it creeps.
const CREEPS: f32 = 0.15;
/// Unseen for longer than this, it may be another in the same place.
const HIDDEN: Nanos = seconds(12.0);
/// After it has been hidden its height differs by no more than this share.
const SAME_SIZE: f32 = 0.12;
/// When it came to rest is known no better.
pub const REST: Nanos = SECOND;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stand {
    pub from: Nanos,
    /// The last sighting at the place.
    pub to: Nanos,
    /// Mean contact point and height.
    pub place: Point,
    pub height: f32,
    /// How far it moved on, by the straight line through all its places.
    pub drift: f32,
    /// Share of the sightings at the place that were strong.
    pub clarity: f32,
}

impl Stand {
    /// The standing that lasts, as far as has been seen; covered at this moment it still may.
    pub fn lasting(track: &Track) -> Self {
        let last = track.last();
        let stand = Self::backwards(track.whole().rev(), last);
        if stand.length() > 2 * COVERED {
            return stand;
        }
        let recent = track.path.iter().rev().take_while(|seen| last.t - seen.t <= COVERED);
        let ends = [recent.clone().nth(1), recent.last()].into_iter().flatten();
        ends.map(|end| Self::backwards(track.whole().rev().skip_while(|seen| seen.t > end.t), end))
            .fold(stand, longer)
    }

    /// Its last part, no longer than this.
    #[must_use]
    pub fn end(self, length: Nanos) -> Self {
        Self { from: self.from.max(self.to.saturating_sub(length)), ..self }
    }

    /// The longest there was.
    pub fn longest(track: &Track) -> Self {
        let mut longest = Self::lasting(track);
        let mut until = track.last().t;
        // A stand's sightings need not be asked again, nor who only drove.
        while let Some(end) = track.whole().rev().find(|seen| seen.t < until) {
            let stand = Self::backwards(track.whole().rev().skip_while(|seen| seen.t > end.t), end);
            longest = longer(longest, stand);
            until = stand.from.min(end.t.saturating_sub(SECOND / 2) + 1);
        }
        longest
    }

    /// The standing that ends with the sighting `end`, from sightings newest first.
    fn backwards<'a>(
        newest_first: impl Iterator<Item = &'a Observation>,
        end: &Observation,
    ) -> Self {
        let ([x, y], height) = (end.bbox.foot(), end.bbox.height().max(1.0));
        let mut there = end;
        let (mut x_of, mut y_of, mut tall) = (Line::default(), Line::default(), 0.0f64);
        let mut strong = 0u32;
        for seen in newest_first {
            let away = there.t.saturating_sub(seen.t);
            if away > HIDDEN {
                break;
            }
            let [px, py] = seen.bbox.foot();
            if libm::hypotf(px - x, py - y) > STILL * height {
                if away > COVERED {
                    break;
                }
                continue;
            }
            if away > COVERED {
                let sizes = [seen.bbox.height(), there.bbox.height()];
                if (sizes[0] - sizes[1]).abs() > SAME_SIZE * height {
                    break;
                }
            }
            let ago = in_seconds(end.t.saturating_sub(seen.t));
            x_of.add(ago, px.into());
            y_of.add(ago, py.into());
            tall += f64::from(seen.bbox.height());
            strong += u32::from(seen.strong);
            there = seen;
        }
        let count = x_of.count.max(1.0);
        let lasted = in_seconds(end.t.saturating_sub(there.t));
        Self {
            from: there.t,
            to: end.t,
            place: [x_of.mean() as f32, y_of.mean() as f32],
            height: ((tall / count) as f32).max(1.0),
            drift: (libm::hypot(x_of.slope(), y_of.slope()) * lasted) as f32,
            clarity: strong as f32 / count as f32,
        }
    }

    /// Whether it did not stand but crept on, as one does in a queue.
    pub fn creeps(&self) -> bool {
        self.drift > CREEPS * self.height
    }

    pub const fn length(&self) -> Nanos {
        self.to.saturating_sub(self.from)
    }

    /// Its length in seconds as it is charged: whole tenths, rounded down.
    pub fn charged(&self) -> f64 {
        in_seconds(self.length() / 100_000_000 * 100_000_000)
    }
}

fn longer(a: Stand, b: Stand) -> Stand {
    if b.length() > a.length() { b } else { a }
}

/// The straight line through values over time, by least squares.
#[derive(Debug, Default)]
struct Line {
    count: f64,
    t: f64,
    tt: f64,
    v: f64,
    tv: f64,
}

impl Line {
    fn add(&mut self, t: f64, v: f64) {
        self.count += 1.0;
        self.t += t;
        self.tt += t * t;
        self.v += v;
        self.tv += t * v;
    }

    fn mean(&self) -> f64 {
        self.v / self.count.max(1.0)
    }

    fn slope(&self) -> f64 {
        let spread = self.count * self.tt - self.t * self.t;
        if spread > 1e-6 { (self.count * self.tv - self.t * self.v) / spread } else { 0.0 }
    }
}
