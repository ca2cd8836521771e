//! The judgements. Each rule is one file and a pure function of a track, the lamps, time and the
//! drawn road: the same history gives the same verdict, live or replayed. Every verdict has a
//! reason, the lawful ones too, and doubt abstains.

pub mod lamps;
pub mod movement;
pub mod passage;
pub mod red_light;
pub mod stop_line;

#[cfg(test)]
pub(crate) mod script;

use contract::violation::Lamp;
use contract::{Movement, Rule};

use crate::config::Camera;
use crate::see::lamp;
use crate::see::road::Road;
use crate::see::{Nanos, track::Track};

/// Everything a rule may look at.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    pub camera: &'a Camera,
    pub road: &'a Road,
    pub lamps: &'a [lamp::Lamp],
    pub now: Nanos,
    /// Whether the track is over: nothing will be added to it.
    pub ended: bool,
}

/// What a rule says about one track.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Not decided yet; ask again after the next frame.
    Pending,
    /// Nothing to accuse, and why.
    Lawful(Lawful),
    /// It may have been a violation, but the doubt named here forbids to say so.
    Abstained(Doubt),
    Violation(Finding),
}

/// A violation, before pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub rule: Rule,
    /// When the line was crossed, between frames; for the stop line rule, when it stood still.
    pub at: Nanos,
    /// When the vehicle was plainly before the line.
    pub before: Nanos,
    /// When it was plainly past it, or still standing on it.
    pub past: Nanos,
    pub movement: Movement,
    pub lamp: Lamp,
    pub red_elapsed: Nanos,
    pub right_arrow: bool,
    pub reason: String,
}

/// Why a track is not accused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lawful {
    NeverCrossed,
    NotFromApproach,
    StayedAtLine,
    WaitedForGreen,
    LampNotRed,
    RedTooYoung,
    FrontCrossedBeforeRed,
    MovementAllowed,
    DroveOn,
    NotStanding,
}

impl Lawful {
    pub const fn name(self) -> &'static str {
        match self {
            Self::NeverCrossed => "never_crossed",
            Self::NotFromApproach => "not_from_approach",
            Self::StayedAtLine => "stayed_at_line",
            Self::WaitedForGreen => "waited_for_green",
            Self::LampNotRed => "lamp_not_red",
            Self::RedTooYoung => "red_too_young",
            Self::FrontCrossedBeforeRed => "front_crossed_before_red",
            Self::MovementAllowed => "movement_allowed",
            Self::DroveOn => "drove_on",
            Self::NotStanding => "not_standing",
        }
    }
}

/// Why nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubt {
    FirstSeenBeyond,
    SeenTooLate,
    LampUnknown,
    MovementUnclear,
    IdentityUncertain,
    LostAtLine,
    PoorlySeen,
    ClockUnknown,
    /// Pictures were lost, damaged or frozen before it was decided.
    SightLost,
    EvidenceIncomplete,
    /// The same passage was found to be a graver act, which is accused instead.
    GraverAct,
}

impl Doubt {
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstSeenBeyond => "first_seen_beyond",
            Self::SeenTooLate => "seen_too_late",
            Self::LampUnknown => "lamp_unknown",
            Self::MovementUnclear => "movement_unclear",
            Self::IdentityUncertain => "identity_uncertain",
            Self::LostAtLine => "lost_at_line",
            Self::PoorlySeen => "poorly_seen",
            Self::ClockUnknown => "clock_unknown",
            Self::SightLost => "sight_lost",
            Self::EvidenceIncomplete => "evidence_incomplete",
            Self::GraverAct => "graver_act",
        }
    }
}

/// Asks one rule about one track.
pub fn judge(rule: Rule, track: &Track, scene: &Scene<'_>) -> Verdict {
    match rule {
        Rule::RedLight => red_light::judge(track, scene),
        Rule::StopLine => stop_line::judge(track, scene),
    }
}
