//! Whether a picture may be believed: not where the stream is damaged, not where the camera only
//! repeats itself or may do so, and not for the time that no picture shows.

use contract::manifest::Clock;

use crate::health::CameraState;
use crate::see::stillness::Stillness;
use crate::see::{Nanos, seconds};
use crate::source::{Damage, Picture};

/// Longest time between two pictures over which a vehicle or a lamp is believed to be the same, at
/// any rate; at low rates three pictures.
const MISSING: Nanos = seconds(1.0);

/// What one picture shows of the street.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Clear,
    /// This picture, but nothing since then before it.
    After {
        blind_since: Nanos,
    },
    Nothing {
        since: Nanos,
        why: Blind,
    },
}

/// Why a picture shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blind {
    Damaged(Damage),
    Frozen,
    /// Nothing moves: an empty street, or a frozen camera.
    Still,
}

impl Blind {
    /// Under which its pictures are counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Damaged(_) => "damaged_picture",
            Self::Frozen => "frozen_picture",
            Self::Still => "still_picture",
        }
    }

    /// The camera's state and what to do about it; none where it may be well.
    pub const fn trouble(self) -> Option<(CameraState, &'static str)> {
        match self {
            Self::Damaged(damage) => Some((CameraState::Damaged, damage.words())),
            Self::Frozen => Some((
                CameraState::Frozen,
                "the pictures only repeat one another: restart the camera",
            )),
            Self::Still => None,
        }
    }
}

/// Follows one connection's pictures.
#[derive(Debug)]
pub struct Sight {
    stillness: Stillness,
    /// The last picture that was believed.
    last: Option<Nanos>,
    missing: Nanos,
}

impl Sight {
    pub fn new(analysed_fps: f32) -> Self {
        let three = seconds(3.0 / analysed_fps);
        Self { stillness: Stillness::default(), last: None, missing: MISSING.max(three) }
    }

    pub fn look(&mut self, picture: &Picture) -> Seen {
        let t = picture.t;
        let last = self.last.unwrap_or(t);
        if let Some(damage) = picture.damage {
            self.stillness = Stillness::default();
            return Seen::Nothing { since: last, why: Blind::Damaged(damage) };
        }
        if let Some(still) = self.stillness.look(t, &picture.frame.planes()) {
            self.last = Some(still.since);
            let why = if still.frozen { Blind::Frozen } else { Blind::Still };
            return Seen::Nothing { since: still.since, why };
        }
        self.last = Some(t);
        // Times that run backwards are as good as none.
        if last > t || t - last > self.missing {
            return Seen::After { blind_since: last.min(t) };
        }
        Seen::Clear
    }

    /// The picture since which it looks as if the camera were frozen, though not for long enough to
    /// say so.
    pub fn in_question(&self) -> Option<Nanos> {
        self.stillness.since()
    }
}

/// Why the clock is not known, in words.
pub fn clock_words(clock: &Clock) -> String {
    match clock.offset_ms {
        Some(offset) => format!(
            "the camera's clock is {:.1} s from the box's and nothing vouches for either: nobody is \
             accused; synchronise both (NTP)",
            offset as f64 / 1000.0
        ),
        None => "no sender report from the camera and the box's own clock is not synchronised: \
                 nobody is accused; set up NTP on the box or the camera"
            .into(),
    }
}
