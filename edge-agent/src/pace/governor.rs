//! What the box bears, shared out among its cameras. A picture costs the time for which networks are
//! lent for it; there are so many sets of them. Where the pictures that all cameras would have cost
//! more than there is, everybody waits and what is late is lost by chance; so every camera has fewer,
//! evenly, as many a second as any other as far as its range lets.
//!
//! Costs are measured, never supposed: a slower engine, a hot processor and crowded pictures show in
//! them within seconds, and so does their end. A dearer moment counts at once and is forgotten slowly,
//! so that rates do not sway.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::{Pace, Work};
use crate::clock::Clock;
use crate::config::{Fps, MOST_FPS};

/// How often rates are set.
const EVERY: Duration = Duration::from_secs(1);
/// Share of the networks' time that is shared out, and of a loop's own: who asks while others do waits
/// a little, and not until the next picture comes.
const FULL: f64 = 0.85;
/// Weights of the newest second in what a picture is held to cost, where it is dearer and cheaper.
const DEARER: f64 = 0.4;
const CHEAPER: f64 = 0.08;
/// Who sends no picture for so many seconds takes nothing from the others, whatever it took before.
const GONE: u32 = 3;

/// Shares out the time of the networks that all cameras use.
#[derive(Debug)]
pub struct Governor {
    clock: Arc<dyn Clock>,
    sets: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    set_at: Duration,
    cameras: Vec<Camera>,
}

#[derive(Debug)]
struct Camera {
    /// Gone with its camera's loop.
    pace: Weak<Pace>,
    cost: Option<Cost>,
    /// Seconds without a picture.
    silent: u32,
}

/// Seconds that a picture takes.
#[derive(Debug, Clone, Copy)]
struct Cost {
    eyes: f64,
    own: f64,
}

impl Governor {
    /// Of so many sets of networks.
    pub fn new(sets: usize, clock: Arc<dyn Clock>) -> Self {
        Self { clock, sets, state: Mutex::default() }
    }

    /// The pace of a camera that begins.
    pub fn pace(&self, range: Fps) -> Arc<Pace> {
        let pace = Arc::new(Pace::new(range));
        // Plain values, each changed in one step.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.cameras.push(Camera { pace: Arc::downgrade(&pace), cost: None, silent: 0 });
        pace
    }

    /// Sets every camera's rate anew where it is time to; to be called often, by any of them.
    pub fn govern(&self) {
        let now = self.clock.monotonic();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_sub(state.set_at);
        if since < EVERY {
            return;
        }
        state.set_at = now;
        state.cameras.retain(|camera| camera.pace.strong_count() > 0);
        let mut paces = Vec::new();
        for camera in &mut state.cameras {
            let Some(pace) = camera.pace.upgrade() else { continue };
            camera.learn(pace.take_work(), pace.range().least);
            let cost = camera.cost.unwrap_or(Cost { eyes: 0.0, own: 0.0 });
            paces.push((pace, cost));
        }
        drop(state);
        // Nothing is looked for before whom nothing moves. What it costs stays known: when all wake at
        // once, at a green light, they are reckoned with within a second.
        let wants = |(pace, cost): &(Arc<Pace>, Cost)| match pace.is_quiet() {
            true => (Fps::fixed(pace.range().least), 0.0),
            false => (cost.bears(pace.range()), cost.eyes),
        };
        let wanted: Vec<(Fps, f64)> = paces.iter().map(wants).collect();
        let level = level(&wanted, FULL * self.sets as f64);
        for (pace, cost) in &paces {
            pace.allow(level.min(cost.bears(pace.range()).most));
        }
    }
}

impl Camera {
    fn learn(&mut self, Work { pictures, lent, eyes, own }: Work, least: f32) {
        if pictures == 0 {
            self.silent += 1;
            if self.silent >= GONE {
                self.cost = None;
            }
            return;
        }
        self.silent = 0;
        let each = |time: Duration, pictures: u32| time.as_secs_f64() / f64::from(pictures);
        // A loop that waits for the sealer for seconds is not that slow: its least is all it can lose.
        let own = each(own, pictures).min(1.0 / f64::from(least));
        // What nothing was looked for in says nothing of what looking costs.
        let eyes = (lent > 0).then(|| each(eyes, lent));
        let toward = |known: f64, now: f64| {
            known + if now > known { DEARER } else { CHEAPER } * (now - known)
        };
        self.cost = Some(match self.cost {
            None => Cost { eyes: eyes.unwrap_or_default(), own },
            Some(known) => Cost {
                eyes: eyes.map_or(known.eyes, |eyes| toward(known.eyes, eyes)),
                own: toward(known.own, own),
            },
        });
    }
}

impl Cost {
    /// The range as far as the camera's own loop, which looks at one picture after another, bears it.
    fn bears(self, range: Fps) -> Fps {
        let most = (FULL / self.own.max(f64::EPSILON)) as f32;
        Fps { most: range.most.min(most).max(range.least), ..range }
    }
}

/// The rate up to which every camera may go, each within its range, for the networks to be lent for no
/// more than `room` seconds in each. `cameras` are ranges and seconds for a picture.
fn level(cameras: &[(Fps, f64)], room: f64) -> f32 {
    let takes = |level: f32| -> f64 {
        let rate = |range: &Fps| f64::from(level.clamp(range.least, range.most));
        cameras.iter().map(|(range, cost)| rate(range) * cost).sum()
    };
    let (mut low, mut high) = (0.0, MOST_FPS as f32);
    if takes(high) <= room {
        return high;
    }
    // To less than a hundredth of a picture.
    for _ in 0..14 {
        let middle = f32::midpoint(low, high);
        if takes(middle) <= room { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests;
