//! Whether a picture may be believed: not where the stream is damaged, not where the camera only
//! repeats itself or may do so, not where it looks elsewhere or sees too little, and not for the time
//! that no picture shows.

use contract::manifest::Clock;

use crate::health::CameraState;
use crate::see::scenery::{Fault, Scenery, Strange};
use crate::see::stillness::Stillness;
use crate::see::{Nanos, seconds};
use crate::source::{Damage, Picture};

/// Longest time between two pictures over which a vehicle or a lamp is believed to be the same, at
/// any rate; at low rates three pictures.
const MISSING: Nanos = seconds(1.0);

/// What one picture shows of the street.
#[derive(Debug, Clone, Copy, PartialEq)]
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Blind {
    Damaged(Damage),
    Frozen,
    /// Nothing moves: an empty street, or a frozen camera.
    Still,
    /// The camera moved, or lost its focus or its light: surely, or perhaps only for a moment.
    Strange {
        fault: Fault,
        sure: bool,
    },
}

impl Blind {
    /// Under which its pictures are counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Damaged(_) => "damaged_picture",
            Self::Frozen => "frozen_picture",
            Self::Still => "still_picture",
            Self::Strange { fault: Fault::Moved(_) | Fault::Elsewhere, .. } => "moved_picture",
            Self::Strange { fault: Fault::Defocused, .. } => "defocused_picture",
            Self::Strange { fault: Fault::Blinded, .. } => "blinded_picture",
        }
    }

    /// As it is shown.
    pub const fn sight(self) -> &'static str {
        match self {
            Self::Damaged(_) => "damaged",
            Self::Frozen => "frozen",
            Self::Still => "still",
            Self::Strange { fault: Fault::Moved(_) | Fault::Elsewhere, .. } => "moved",
            Self::Strange { fault: Fault::Defocused, .. } => "defocused",
            Self::Strange { fault: Fault::Blinded, .. } => "blinded",
        }
    }

    /// The camera's state and what to do about it; none where it may be well.
    pub fn trouble(self) -> Option<(CameraState, String)> {
        match self {
            Self::Damaged(damage) => Some((CameraState::Damaged, damage.words().into())),
            Self::Frozen => Some((
                CameraState::Frozen,
                "the pictures only repeat one another: restart the camera".into(),
            )),
            Self::Still | Self::Strange { sure: false, .. } => None,
            Self::Strange { fault, .. } => Some(strange_words(fault)),
        }
    }
}

/// Nobody is accused meanwhile, which the words say: the box does not mend it by itself.
fn strange_words(fault: Fault) -> (CameraState, String) {
    match fault {
        // In whole percent, rounded up: it is to be found again on the picture, not measured.
        Fault::Moved([x, y]) => {
            let percent = |part: f32| (100.0 * part.abs()).ceil();
            let side = if x < 0.0 { "left" } else { "right" };
            let height = if y < 0.0 { "up" } else { "down" };
            (
                CameraState::Moved,
                format!(
                    "the picture is shifted by up to {} % of its width to the {side} and {} % {height} \
                     against what the site was drawn on: nobody is accused; aim the camera again, or \
                     draw the site anew",
                    percent(x),
                    percent(y)
                ),
            )
        }
        Fault::Elsewhere => (
            CameraState::Moved,
            "the camera shows another view than it did: nobody is accused; aim it again, or draw the \
             site anew"
                .into(),
        ),
        Fault::Defocused => (
            CameraState::Defocused,
            "the picture is much less sharp than it was: nobody is accused; clean the lens, focus it"
                .into(),
        ),
        Fault::Blinded => (
            CameraState::Blinded,
            "the picture is too bright, too dark or covered: nobody is accused; look at the camera"
                .into(),
        ),
    }
}

/// Follows a camera's pictures.
#[derive(Debug)]
pub struct Sight {
    stillness: Stillness,
    /// What the camera should show, over all its connections.
    scenery: Scenery,
    /// The last picture that was believed.
    last: Option<Nanos>,
    missing: Nanos,
}

impl Sight {
    /// Of a camera that is looked at this often at the least.
    pub fn new(least_fps: f32) -> Self {
        let three = seconds(3.0 / least_fps);
        Self {
            stillness: Stillness::default(),
            scenery: Scenery::default(),
            last: None,
            missing: MISSING.max(three),
        }
    }

    /// What the camera should show, as it is known so far.
    pub fn take_scenery(&mut self) -> Scenery {
        std::mem::take(&mut self.scenery)
    }

    pub fn recall(&mut self, scenery: Scenery) {
        self.scenery = scenery;
        self.scenery.reconnected();
    }

    /// A new connection, whose times begin anew.
    pub fn reconnected(&mut self) {
        self.stillness = Stillness::default();
        self.scenery.reconnected();
        self.last = None;
    }

    pub fn look(&mut self, picture: &Picture) -> Seen {
        let t = picture.t;
        let last = self.last.unwrap_or(t);
        if let Some(damage) = picture.damage {
            self.stillness = Stillness::default();
            return Seen::Nothing { since: last, why: Blind::Damaged(damage) };
        }
        let planes = picture.frame.planes();
        let still = self.stillness.look(t, &planes);
        // First: before a covered lens nothing moves either.
        if let Some(Strange { since, fault, sure }) = self.scenery.look(t, &planes) {
            let since = still.map_or(since, |still| still.since.min(since));
            self.last = Some(since);
            return Seen::Nothing { since, why: Blind::Strange { fault, sure } };
        }
        if let Some(still) = still {
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

    /// Whether nothing moves, up to the latest picture.
    pub fn is_still(&self) -> bool {
        self.stillness.is_still()
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
