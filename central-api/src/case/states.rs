//! The life of a case, written once, as a table: from which state which action leads where, whose
//! work it is and what must hold. Everything that changes a case's state goes through [`next`].

use super::reason::Reason;
pub use super::state::State;

/// What happens to a case: an officer decides it, or the central carries out what was decided.
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
    /// A second person agrees with a rejection.
    AgreeRejection,
    /// Takes a rejection back.
    Reopen,
    /// Asks that a notice be withdrawn.
    Withdraw,
    /// Agrees that it is.
    ConfirmWithdrawal,
    /// Decides that it stays.
    Keep,
    /// Closes what the limitation bars.
    Expire,
}

impl Action {
    pub const ALL: [Self; 14] = [
        Self::Take,
        Self::CorrectPlate,
        Self::Distinguish,
        Self::Accept,
        Self::Reject,
        Self::Approve,
        Self::Return,
        Self::Notify,
        Self::AgreeRejection,
        Self::Reopen,
        Self::Withdraw,
        Self::ConfirmWithdrawal,
        Self::Keep,
        Self::Expire,
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
            Self::AgreeRejection => "agree_rejection",
            Self::Reopen => "reopen",
            Self::Withdraw => "withdraw",
            Self::ConfirmWithdrawal => "confirm_withdrawal",
            Self::Keep => "keep",
            Self::Expire => "expire",
        }
    }

    /// Whether a note must say why.
    pub const fn needs_note(self) -> bool {
        matches!(self, Self::Distinguish | Self::Reopen | Self::Withdraw | Self::Keep)
    }

    /// Whether the central does it, by itself or as what people decided.
    pub fn is_central(self) -> bool {
        TABLE.iter().any(|row| row.action == self && row.duty == Duty::Central)
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
    /// The central's own, which follows from what was decided.
    Central,
}

/// What must hold for a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nobody else has the case in review.
    Mine,
    /// The actor neither reviewed the case nor corrected its plate.
    SecondPerson,
    /// The actor is not who asked for the withdrawal.
    OtherPerson,
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
use Duty::{Approval, Central, Review};
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
    // What was approved can be taken back until its notice is out.
    row(S::Approved, A::Return,       S::Returned, Approval, &[SecondPerson, Condition::Reason]),
    row(S::Approved, A::Notify,       S::Notified, Central,  &[Ready]),
    // Some rejections are drawn for a second look; an approver may send any of them back.
    row(S::Rejected, A::AgreeRejection, S::Rejected, Approval, &[SecondPerson]),
    row(S::Rejected, A::Return,       S::Returned, Approval, &[SecondPerson, Condition::Reason]),
    row(S::Rejected, A::Reopen,       S::InReview, Review,   &[]),
    row(S::Notified, A::Withdraw,     S::Withdrawing, Approval, &[Condition::Reason]),
    row(S::Withdrawing, A::ConfirmWithdrawal, S::Withdrawn, Approval, &[Condition::OtherPerson]),
    row(S::Withdrawing, A::Keep,      S::Notified, Approval, &[Condition::OtherPerson]),
    // State::BARRABLE, each.
    row(S::Received, A::Expire,       S::Expired, Central, &[]),
    row(S::InReview, A::Expire,       S::Expired, Central, &[]),
    row(S::Returned, A::Expire,       S::Expired, Central, &[]),
    row(S::Accepted, A::Expire,       S::Expired, Central, &[]),
    row(S::Approved, A::Expire,       S::Expired, Central, &[]),
    row(S::Notified, A::Expire,       S::Expired, Central, &[]),
    row(S::Withdrawing, A::Expire,    S::Expired, Central, &[]),
];

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in member of staff; duties come from the roles.
    Officer { user_id: String, login: String, reviews: bool, approves: bool },
    /// A job of the central.
    Job,
}

impl Actor {
    fn has(&self, duty: Duty) -> bool {
        match (self, duty) {
            (Self::Officer { reviews, .. }, Duty::Review) => *reviews,
            (Self::Officer { approves, .. }, Duty::Approval) => *approves,
            (Self::Job, Duty::Central) => true,
            _ => false,
        }
    }

    /// The officer's user id.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Officer { user_id, .. } => Some(user_id),
            Self::Job => None,
        }
    }

    /// As the audit names it.
    pub fn audited(&self) -> String {
        match self {
            Self::Officer { login, .. } => format!("user:{login}"),
            Self::Job => "system".into(),
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
    /// Who asked that the notice be withdrawn.
    pub undone_by: Option<String>,
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
    #[error("whoever asked for the withdrawal cannot decide on it")]
    SameProposer,
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
    may(standing, transition, actor)?;
    for condition in transition.needs {
        match condition {
            Condition::Reason if !reason.is_some_and(|reason| reason.fits(action)) => {
                return Err(Refusal::ReasonMissing);
            }
            Condition::Ready if !ready => return Err(Refusal::NotReady),
            // Answered by `may`.
            _ => {}
        }
    }
    let mut after = Standing { state: transition.to, ..standing.clone() };
    let me = actor.user().map(str::to_owned);
    match (transition.duty, action) {
        (Duty::Review, _) => {
            if action == Action::CorrectPlate {
                after.plate_by.clone_from(&me);
            }
            after.reviewer = me;
            after.approver = None;
        }
        (Duty::Approval, Action::Approve) => after.approver = me,
        (Duty::Approval, Action::Return) => after.approver = None,
        (Duty::Approval, Action::Withdraw) => after.undone_by = me,
        (Duty::Approval, Action::Keep) => after.undone_by = None,
        (Duty::Approval, _) => {}
        (Duty::Central, _) => {}
    }
    Ok(after)
}

/// What `actor` may do with a case that stands so, in the order of [`Action::ALL`]: what buttons and
/// interfaces offer. The reason that some need is still to be given, and the gate to be asked.
pub fn allowed(standing: &Standing, actor: &Actor) -> Vec<Action> {
    let rows = Action::ALL.into_iter().filter_map(|action| find(standing.state, action));
    rows.filter(|row| may(standing, row, actor).is_ok()).map(|row| row.action).collect()
}

/// Whether the row of the table is this actor's to go, by duty and person.
fn may(standing: &Standing, transition: &Transition, actor: &Actor) -> Result<(), Refusal> {
    if !actor.has(transition.duty) {
        return Err(Refusal::Role);
    }
    let me = actor.user();
    let reviewer = standing.reviewer.as_deref();
    for condition in transition.needs {
        let (holds, refusal) = match condition {
            Condition::Mine => (reviewer == me, Refusal::Taken),
            Condition::SecondPerson => (
                reviewer.is_some() && reviewer != me && standing.plate_by.as_deref() != me,
                Refusal::SamePerson,
            ),
            Condition::OtherPerson => (standing.undone_by.as_deref() != me, Refusal::SameProposer),
            Condition::Reason | Condition::Ready => continue,
        };
        if !holds {
            return Err(refusal);
        }
    }
    Ok(())
}

/// The row for `action` in `state`.
pub fn find(state: State, action: Action) -> Option<&'static Transition> {
    TABLE.iter().find(|row| row.from == state && row.action == action)
}
