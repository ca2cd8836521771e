//! What the rules' reasons and the cameras' states mean, in the words of who asks about them.

use judge::{Doubt, Lawful};

/// Why a vehicle was not accused.
pub fn lawful(name: &str) -> Option<&'static str> {
    let kind = Lawful::ALL.iter().find(|kind| kind.name() == name)?;
    Some(match kind {
        Lawful::NeverCrossed => "it did not cross the line",
        Lawful::NotFromApproach => "it did not come from the drawn approach",
        Lawful::NotFromThere => "it was not seen where the timed way begins",
        Lawful::NothingEndsHere => "it was timed for another camera; nothing is judged here",
        Lawful::StayedAtLine => {
            "it crossed the line and stayed there, which this rule does not judge"
        }
        Lawful::WaitedForGreen => "it waited, and drove on when its lamp had turned green",
        Lawful::LampNotRed => "its lamp was not red when it crossed the line",
        Lawful::RedTooYoung => "red had been lit for less than the time of grace",
        Lawful::FrontCrossedBeforeRed => "its front had crossed the line before red",
        Lawful::MovementAllowed => "the way it went was allowed",
        Lawful::DroveOn => "it drove on and did not stay on the line",
        Lawful::NotStanding => "it did not stand still",
        Lawful::NeverThere => "it was never plainly in, or over, what is drawn for this rule",
        Lawful::Brief => "it was there, but not long or far enough",
        Lawful::ClassAllowed => "what is forbidden there is not forbidden for its kind of vehicle",
        Lawful::NotInForce => "it was outside the hours in which this holds",
        Lawful::WithinLimit => "it was no faster than is allowed and tolerated",
        Lawful::NotAgainst => "it did not drive against the prescribed direction",
        Lawful::StoppedThere => "it stopped there, which this rule does not judge",
        Lawful::NotOver => "it touched or left the line and did not come plainly over it",
        Lawful::PlateShown => "its plate was shown",
        Lawful::PlateBehind => "it was seen from ahead, where motorbikes carry no plate",
    })
}

/// Why nothing was said of a vehicle.
pub fn doubt(name: &str) -> Option<&'static str> {
    let kind = Doubt::ALL.iter().find(|kind| kind.name() == name)?;
    Some(match kind {
        Doubt::FirstSeenBeyond => "it was first seen when it was beyond the line already",
        Doubt::SeenTooLate => "it was first seen too close to the line",
        Doubt::LampUnknown => "the lamp could not be read with certainty",
        Doubt::MovementUnclear => "it is not clear which way it went",
        Doubt::IdentityUncertain => "it may have been taken for another vehicle on its way",
        Doubt::LostAtLine => "it was out of sight while it crossed the line",
        Doubt::LostFromSight => "it was out of sight for a while",
        Doubt::PoorlySeen => "it was not seen clearly enough",
        Doubt::EntryUnclear => "it was first seen, turned or set off within the place itself",
        Doubt::TooSlow => "it was so slow that it may have been pushed, or backing",
        Doubt::MayBeStopping => "it slowed down as who is about to stop for need",
        Doubt::LaneUnclear => "it is not clear in which lane it was",
        Doubt::Obstructed => "something stood in its way",
        Doubt::ClockUnknown => "the camera's time was not known",
        Doubt::SightLost => "pictures were lost, damaged or showed nothing before it was decided",
        Doubt::EvidenceIncomplete => "a picture or the clip that must show it was missing",
        Doubt::GraverAct => "the same passage is accused as a graver act",
        Doubt::NotDrawn => "what this rule judges by is not drawn for the camera",
        Doubt::Congested => "others stood about: it may have waited in traffic",
        Doubt::ClassUncertain => "it may have been another kind of vehicle",
        Doubt::CutOff => "the picture's edge cut it where it is measured",
        Doubt::Inexact => "it was not measured exactly enough",
        Doubt::PlateUnread => "its plate was not read with certainty",
        Doubt::OthersUnread => "the plates of others were not read there either",
    })
}

/// How a camera was, by the state's name.
pub fn state(name: &str) -> &str {
    match name {
        "streaming" => "well",
        "connecting" => "no connection: being reached",
        "stalled" => "connected, but no pictures came",
        "clock_unknown" => "its time was not known: nobody is accused",
        "damaged" => "parts of the stream were lost: nothing is believed until it recovers",
        "frozen" => "its pictures only repeated one another",
        "moved" => "it looked elsewhere than it did",
        "defocused" => "its pictures were not sharp",
        "blinded" => "its pictures were too bright, too dark or covered",
        "failed" => "could not work until somebody changed something",
        "stopped" => "the agent was stopped",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::CameraState;

    #[test]
    fn every_reason_and_state_has_words() {
        assert!(Lawful::ALL.iter().all(|kind| lawful(kind.name()).is_some()));
        assert!(Doubt::ALL.iter().all(|kind| doubt(kind.name()).is_some()));
        assert!(CameraState::ALL.iter().all(|kind| state(kind.name()) != kind.name()));
        assert_eq!((lawful("no_such"), doubt("no_such")), (None, None), "of another version");
    }
}
