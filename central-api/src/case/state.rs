//! Where a case stands, and what follows from that alone, in one place.

/// Where a case stands.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its evidence is whole; nobody has looked yet.
    Received,
    /// A reviewer has it.
    InReview,
    /// A reviewer stands behind it; an approver must decide.
    Accepted,
    /// Closed without a notice.
    Rejected,
    /// An approver sent it back to review.
    Returned,
    /// Two people stand behind it; the notice is next.
    Approved,
    /// The notice exists and the public lookup shows the case.
    Notified,
    /// An officer has asked that the notice be withdrawn; another person must decide.
    Withdrawing,
    /// The notice was withdrawn: closed, and shown to nobody outside.
    Withdrawn,
    /// The limitation has passed: closed, and shown to nobody outside.
    Expired,
}

impl State {
    pub const ALL: [Self; 10] = [
        Self::Received,
        Self::InReview,
        Self::Accepted,
        Self::Rejected,
        Self::Returned,
        Self::Approved,
        Self::Notified,
        Self::Withdrawing,
        Self::Withdrawn,
        Self::Expired,
    ];
    /// A reviewer works on these.
    pub const TO_REVIEW: [Self; 3] = [Self::Received, Self::InReview, Self::Returned];
    /// An approver decides on these.
    pub const TO_APPROVE: [Self; 2] = [Self::Accepted, Self::Withdrawing];
    /// The public may know of a case.
    pub const PUBLIC: [Self; 2] = [Self::Notified, Self::Withdrawing];
    /// Somebody has work with a case, or the central has: they are worked off, so there are few.
    pub const WAITING: [Self; 6] = [
        Self::Received,
        Self::InReview,
        Self::Returned,
        Self::Accepted,
        Self::Approved,
        Self::Withdrawing,
    ];
    /// The term for the notice runs.
    pub const BEFORE_NOTICE: [Self; 5] =
        [Self::Received, Self::InReview, Self::Returned, Self::Accepted, Self::Approved];
    /// The limitation bars these once it has passed.
    pub const BARRABLE: [Self; 7] = [
        Self::Received,
        Self::InReview,
        Self::Returned,
        Self::Accepted,
        Self::Approved,
        Self::Notified,
        Self::Withdrawing,
    ];

    /// The name in the database, the API and the word tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::InReview => "in_review",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Returned => "returned",
            Self::Approved => "approved",
            Self::Notified => "notified",
            Self::Withdrawing => "withdrawing",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Nobody stands behind the case as it is.
    pub fn is_open(self) -> bool {
        Self::TO_REVIEW.contains(&self)
    }

    /// An officer stands behind the accusation.
    pub const fn accuses(self) -> bool {
        matches!(self, Self::Accepted | Self::Approved | Self::Notified | Self::Withdrawing)
    }

    /// Papers go out to whom it accuses, and their terms run; not while its withdrawal is considered.
    pub const fn is_pursued(self) -> bool {
        matches!(self, Self::Notified)
    }

    /// Decided: what runs out or comes in later says nothing against it.
    pub const fn is_decided(self) -> bool {
        matches!(
            self,
            Self::Rejected | Self::Notified | Self::Withdrawing | Self::Withdrawn | Self::Expired
        )
    }

    /// Decided that there is no accusation.
    pub const fn is_dropped(self) -> bool {
        matches!(self, Self::Rejected | Self::Withdrawn | Self::Expired)
    }
}
