//! The life of a case, written once, as a table: from which state which action leads where, whose
//! work it is and what must hold. Everything that changes a case's state goes through [`next`].

use super::reason::Reason;

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
}

impl State {
    pub const ALL: [Self; 7] = [
        Self::Received,
        Self::InReview,
        Self::Accepted,
        Self::Rejected,
        Self::Returned,
        Self::Approved,
        Self::Notified,
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
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What an officer does to a case.
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
pub enum Action {
    Take,
    CorrectPlate,
    /// Finds that another case of the same number and moment is another act.
    Distinguish,
    Accept,
    Reject,
    Approve,
    Return,
    Notify,
}

impl Action {
    pub const ALL: [Self; 8] = [
        Self::Take,
        Self::CorrectPlate,
        Self::Distinguish,
        Self::Accept,
        Self::Reject,
        Self::Approve,
        Self::Return,
        Self::Notify,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::CorrectPlate => "correct_plate",
            Self::Distinguish => "distinguish",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Approve => "approve",
            Self::Return => "return",
            Self::Notify => "notify",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// Whose work an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    Review,
    Approval,
}

/// What must hold for a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nobody else has the case in review.
    Mine,
    /// The actor neither reviewed the case nor corrected its plate.
    SecondPerson,
    /// A reason code is given.
    Reason,
    /// The gate is open: evidence verified and whole, plate valid, law found.
    Ready,
}

/// One row of the table.
#[derive(Debug)]
pub struct Transition {
    pub from: State,
    pub action: Action,
    pub to: State,
    pub duty: Duty,
    pub needs: &'static [Condition],
}

const fn row(
    from: State,
    action: Action,
    to: State,
    duty: Duty,
    needs: &'static [Condition],
) -> Transition {
    Transition { from, action, to, duty, needs }
}

use Action as A;
use Condition::{Mine, Ready, SecondPerson};
use Duty::{Approval, Review};
use State as S;

#[rustfmt::skip]
pub const TABLE: &[Transition] = &[
    row(S::Received, A::Take,         S::InReview, Review,   &[]),
    row(S::Returned, A::Take,         S::InReview, Review,   &[]),
    // Taking over from a colleague is allowed and shows in the history.
    row(S::InReview, A::Take,         S::InReview, Review,   &[]),
    row(S::Received, A::CorrectPlate, S::InReview, Review,   &[Condition::Reason]),
    row(S::InReview, A::CorrectPlate, S::InReview, Review,   &[Mine, Condition::Reason]),
    row(S::Returned, A::CorrectPlate, S::InReview, Review,   &[Condition::Reason]),
    row(S::Received, A::Distinguish,  S::InReview, Review,   &[]),
    row(S::InReview, A::Distinguish,  S::InReview, Review,   &[Mine]),
    row(S::Returned, A::Distinguish,  S::InReview, Review,   &[]),
    row(S::Received, A::Accept,       S::Accepted, Review,   &[Ready]),
    row(S::InReview, A::Accept,       S::Accepted, Review,   &[Mine, Ready]),
    row(S::Returned, A::Accept,       S::Accepted, Review,   &[Ready]),
    row(S::Received, A::Reject,       S::Rejected, Review,   &[Condition::Reason]),
    row(S::InReview, A::Reject,       S::Rejected, Review,   &[Mine, Condition::Reason]),
    row(S::Returned, A::Reject,       S::Rejected, Review,   &[Condition::Reason]),
    row(S::Accepted, A::Approve,      S::Approved, Approval, &[SecondPerson, Ready]),
    row(S::Accepted, A::Return,       S::Returned, Approval, &[SecondPerson, Condition::Reason]),
    row(S::Approved, A::Notify,       S::Notified, Approval, &[SecondPerson, Ready]),
];

/// Who acts. Duties come from the roles of the signed-in user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub user_id: String,
    pub login: String,
    pub reviews: bool,
    pub approves: bool,
}

impl Actor {
    fn has(&self, duty: Duty) -> bool {
        match duty {
            Duty::Review => self.reviews,
            Duty::Approval => self.approves,
        }
    }
}

/// What the table looks at in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub state: State,
    pub reviewer: Option<String>,
    pub approver: Option<String>,
    pub plate_by: Option<String>,
}

/// Why an action is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("action {action} is not possible in state {state}", action = .action.name(), state = .state.name())]
    NotPossible { state: State, action: Action },
    #[error("this is another role's work")]
    Role,
    #[error("a colleague has this case in review: take it over first")]
    Taken,
    #[error("whoever reviewed the case or corrected its plate cannot approve or return it")]
    SamePerson,
    #[error("a reason code for this action is needed")]
    ReasonMissing,
    #[error("the gate is closed: evidence, plate or law are not in order")]
    NotReady,
}

/// The standing after `action`, or why there is none. `ready` is the gate's word, asked for by
/// transitions with [`Condition::Ready`] only.
pub fn next(
    standing: &Standing,
    action: Action,
    actor: &Actor,
    reason: Option<Reason>,
    ready: bool,
) -> Result<Standing, Refusal> {
    let state = standing.state;
    let transition = find(state, action).ok_or(Refusal::NotPossible { state, action })?;
    if !actor.has(transition.duty) {
        return Err(Refusal::Role);
    }
    let me = Some(&actor.user_id);
    for condition in transition.needs {
        let (holds, refusal) = match condition {
            Condition::Mine => (standing.reviewer.as_ref() == me, Refusal::Taken),
            Condition::SecondPerson => (
                standing.reviewer.is_some()
                    && standing.reviewer.as_ref() != me
                    && standing.plate_by.as_ref() != me,
                Refusal::SamePerson,
            ),
            Condition::Reason => {
                (reason.is_some_and(|reason| reason.fits(action)), Refusal::ReasonMissing)
            }
            Condition::Ready => (ready, Refusal::NotReady),
        };
        if !holds {
            return Err(refusal);
        }
    }
    let mut after = Standing { state: transition.to, ..standing.clone() };
    match (transition.duty, action) {
        (Duty::Review, _) => {
            after.reviewer = Some(actor.user_id.clone());
            after.approver = None;
            if action == Action::CorrectPlate {
                after.plate_by = Some(actor.user_id.clone());
            }
        }
        (Duty::Approval, Action::Approve) => after.approver = Some(actor.user_id.clone()),
        (Duty::Approval, _) => {}
    }
    Ok(after)
}

/// The row for `action` in `state`.
pub fn find(state: State, action: Action) -> Option<&'static Transition> {
    TABLE.iter().find(|row| row.from == state && row.action == action)
}
