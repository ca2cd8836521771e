//! Why a track is not accused, and why nothing can be said of it: each reason with its name in logs,
//! metrics and the words of the central.

/// An enum of reasons whose names and list cannot forget one.
macro_rules! reasons {
    ($(#[$of:meta])* $kind:ident { $($(#[$why:meta])* $reason:ident = $name:literal,)* }) => {
        $(#[$of])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $kind {
            $($(#[$why])* $reason,)*
        }

        impl $kind {
            pub const ALL: &'static [Self] = &[$(Self::$reason),*];

            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)*
                }
            }
        }
    };
}

reasons! {
    /// Why a track is not accused.
    Lawful {
        NeverCrossed = "never_crossed",
        NotFromApproach = "not_from_approach",
        /// Not seen where the way begins.
        NotFromThere = "not_from_there",
        /// Timed for another camera; nothing is judged here.
        NothingEndsHere = "nothing_ends_here",
        StayedAtLine = "stayed_at_line",
        WaitedForGreen = "waited_for_green",
        LampNotRed = "lamp_not_red",
        RedTooYoung = "red_too_young",
        FrontCrossedBeforeRed = "front_crossed_before_red",
        MovementAllowed = "movement_allowed",
        DroveOn = "drove_on",
        NotStanding = "not_standing",
        /// Not plainly in, or not over, what is drawn for the rule.
        NeverThere = "never_there",
        /// There, but not long or far enough.
        Brief = "brief",
        /// What was judged does not hold for its class.
        ClassAllowed = "class_allowed",
        /// Outside the hours in which it holds.
        NotInForce = "not_in_force",
        /// No faster than allowed and tolerated.
        WithinLimit = "within_limit",
        NotAgainst = "not_against",
        StoppedThere = "stopped_there",
        /// Touched or left a line without coming plainly over it.
        NotOver = "not_over",
        PlateShown = "plate_shown",
        /// Seen from ahead, where motorbikes carry none.
        PlateBehind = "plate_behind",
    }
}

reasons! {
    /// Why nothing can be said.
    Doubt {
        FirstSeenBeyond = "first_seen_beyond",
        SeenTooLate = "seen_too_late",
        LampUnknown = "lamp_unknown",
        MovementUnclear = "movement_unclear",
        IdentityUncertain = "identity_uncertain",
        LostAtLine = "lost_at_line",
        /// Out of sight for a while where no line is judged.
        LostFromSight = "lost_from_sight",
        PoorlySeen = "poorly_seen",
        /// First seen in the place, or turned, or set off in it.
        EntryUnclear = "entry_unclear",
        /// So slow that it may be pushed on foot, or be backing.
        TooSlow = "too_slow",
        /// Slowing as who is about to stop for need.
        MayBeStopping = "may_be_stopping",
        LaneUnclear = "lane_unclear",
        /// Something stood in its way.
        Obstructed = "obstructed",
        ClockUnknown = "clock_unknown",
        /// Pictures were lost, damaged or frozen before it was decided.
        SightLost = "sight_lost",
        EvidenceIncomplete = "evidence_incomplete",
        /// The same passage was found to be a graver act, which is accused instead.
        GraverAct = "graver_act",
        /// What the rule judges by is not drawn for this camera.
        NotDrawn = "not_drawn",
        /// Others stood about: it may have waited in traffic.
        Congested = "congested",
        /// It may be of another class.
        ClassUncertain = "class_uncertain",
        /// The picture's edge cut it where it is measured.
        CutOff = "cut_off",
        /// It was not measured exactly enough to accuse.
        Inexact = "inexact",
        /// Its plate was not accepted as read.
        PlateUnread = "plate_unread",
        /// Nor were the plates of others read, or there were none before it.
        OthersUnread = "others_unread",
    }
}
