//! One step of a case, as a function: what the row is after a decision. The desk takes it and
//! writes it down; verification takes it again from the audit and compares.

use time::OffsetDateTime;

use super::reason::Reason;
use super::record::Case;
use super::states::{self, Action, Actor, Refusal, State};

/// What was decided.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    pub action: Action,
    pub reason: Option<Reason>,
    pub note: Option<&'a str>,
    /// The number after [`Action::CorrectPlate`].
    pub plate: Option<&'a str>,
    /// Whether [`Action::Reject`] was drawn for a second look.
    pub recheck: bool,
    pub at: OffsetDateTime,
}

impl Step<'_> {
    /// What the central does by itself: nobody gives a reason.
    pub const fn of_central(action: Action, at: OffsetDateTime) -> Self {
        Self { action, reason: None, note: None, plate: None, recheck: false, at }
    }
}

/// The case after `step`, or why it is refused; `ready` is the gate's word.
pub fn step(case: &Case, step: Step<'_>, actor: &Actor, ready: bool) -> Result<Case, Refusal> {
    let after = states::next(&case.standing(), step.action, actor, step.reason, ready)?;
    let plate = match step.action {
        Action::CorrectPlate => step.plate.map(|plate| super::plate::kept(plate, case.vehicle)),
        _ => case.plate.clone(),
    };
    // Who agrees leaves the reason as it is.
    let agrees = matches!(step.action, Action::AgreeRejection | Action::ConfirmWithdrawal);
    let decided = matches!(after.state, State::Accepted | State::Rejected);
    Ok(Case {
        state: after.state,
        version: case.version + 1,
        reviewer: after.reviewer,
        approver: after.approver,
        plate_by: after.plate_by,
        undone_by: after.undone_by,
        vehicle_type: super::open::vehicle_type(case.vehicle, plate.as_deref()),
        plate,
        recheck: match step.action {
            // What was drawn once stays so, whoever reopens and rejects it again.
            Action::Reject => (step.recheck || case.recheck == Some(true)).then_some(true),
            Action::AgreeRejection => Some(false),
            Action::Return => None,
            _ => case.recheck,
        },
        reason: if agrees { case.reason } else { step.reason },
        note: if agrees { case.note.clone() } else { step.note.map(str::to_owned) },
        reviewed_at: if decided { Some(step.at) } else { case.reviewed_at },
        approved_at: match step.action {
            Action::Approve => Some(step.at),
            Action::Return => None,
            _ => case.approved_at,
        },
        ..case.clone()
    })
}
