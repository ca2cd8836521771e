//! How many pictures a second of each camera are looked at. Within its configured range a camera has
//! as many as the box bears, which [`governor`] shares out, and its least at once while nothing moves
//! before it. Which pictures these are, and why the others are not looked at, [`due`] tells.

pub mod due;
pub mod governor;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

pub use due::{Due, Outcome};
pub use governor::Governor;

use crate::config::Fps;

/// Why a camera is looked at less often than it could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Less {
    /// The box does not bear more.
    Governed,
    /// Nothing moves before it.
    Quiet,
}

impl Less {
    /// Under which its pictures are counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Governed => "governed",
            Self::Quiet => "quiet",
        }
    }
}

/// A camera's rate just now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Present {
    pub fps: f32,
    pub less: Option<Less>,
}

/// One camera's pace: asked by whoever lets its pictures through, set by its own loop and by the
/// governor.
#[derive(Debug)]
pub struct Pace {
    range: Fps,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What the box bears, within the range.
    allowed: f32,
    still: bool,
    work: Work,
}

/// What looking took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Work {
    pub pictures: u32,
    /// For so many of them networks were lent.
    pub lent: u32,
    /// How long networks were lent.
    pub eyes: Duration,
    /// The loop's time with its pictures, but for waiting for networks.
    pub own: Duration,
}

impl Pace {
    pub const fn new(range: Fps) -> Self {
        let state = State { allowed: range.most, still: false, work: Work::NONE };
        Self { range, state: Mutex::new(state) }
    }

    /// At one rate, whatever comes.
    pub fn fixed(fps: f32) -> Arc<Self> {
        Arc::new(Self::new(Fps::fixed(fps)))
    }

    pub const fn range(&self) -> Fps {
        self.range
    }

    pub fn present(&self) -> Present {
        let state = self.lock();
        if state.still && !self.range.is_fixed() {
            return Present { fps: self.range.least, less: Some(Less::Quiet) };
        }
        let less = (state.allowed < self.range.most).then_some(Less::Governed);
        Present { fps: state.allowed, less }
    }

    /// Whether it is at its least because nothing moves.
    fn is_quiet(&self) -> bool {
        self.present().less == Some(Less::Quiet)
    }

    /// Says whether nothing moves before the camera.
    pub fn still(&self, still: bool) {
        self.lock().still = still;
    }

    /// Takes note of a picture that was looked at in `took`, of which it `waited` for networks and
    /// then had them for `eyes`.
    pub fn worked(&self, took: Duration, waited: Duration, eyes: Duration) {
        let work = &mut self.lock().work;
        work.pictures += 1;
        work.lent += u32::from(!eyes.is_zero());
        work.eyes += eyes;
        work.own += took.saturating_sub(waited);
    }

    /// So many pictures a second, as far as the range lets.
    fn allow(&self, fps: f32) {
        self.lock().allowed = fps.clamp(self.range.least, self.range.most);
    }

    /// The work since this was asked last.
    fn take_work(&self) -> Work {
        std::mem::take(&mut self.lock().work)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Plain values, each changed in one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    const NONE: Self = Self { pictures: 0, lent: 0, eyes: Duration::ZERO, own: Duration::ZERO };
}
