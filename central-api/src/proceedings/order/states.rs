//! The life of an order as a table, like the decision's: from which state which action leads where, in
//! whose hand it is, and who must be another person.

use serde::{Deserialize, Serialize};

use crate::proceedings::{Actor, Hand};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A clerk proposes it; a leader must decide.
    Proposed,
    /// The leader sent the proposal back: its terms are to be changed.
    Returned,
    /// Signed; it is being printed and numbered.
    Signed,
    /// In force; another one may follow.
    Issued,
    /// The leader refused it.
    Refused,
}

impl State {
    pub const ALL: [Self; 5] =
        [Self::Proposed, Self::Returned, Self::Signed, Self::Issued, Self::Refused];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Returned => "returned",
            Self::Signed => "signed",
            Self::Issued => "issued",
            Self::Refused => "refused",
        }
    }

    /// Whether somebody is still to decide on it, or to print it.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Proposed | Self::Returned | Self::Signed)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Propose,
    Return,
    Refuse,
    Sign,
    /// The central prints it.
    Issue,
}

impl Action {
    pub const ALL: [Self; 5] = [Self::Propose, Self::Return, Self::Refuse, Self::Sign, Self::Issue];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Propose => "propose",
            Self::Return => "return",
            Self::Refuse => "refuse",
            Self::Sign => "sign",
            Self::Issue => "issue",
        }
    }

    /// As the audit names what was done.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Propose => "proposed",
            Self::Return => "returned",
            Self::Refuse => "refused",
            Self::Sign => "signed",
            Self::Issue => "issued",
        }
    }

    /// Whether a reason must be given.
    pub const fn needs_reason(self) -> bool {
        matches!(self, Self::Return | Self::Refuse)
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

#[derive(Debug)]
pub struct Transition {
    /// None: there is no order that stands on this decision.
    pub from: Option<State>,
    pub action: Action,
    pub to: State,
    pub hand: Hand,
}

const fn row(from: Option<State>, action: Action, to: State, hand: Hand) -> Transition {
    Transition { from, action, to, hand }
}

use Action as A;
use State as S;

#[rustfmt::skip]
pub const TABLE: &[Transition] = &[
    row(None,              A::Propose, S::Proposed, Hand::Clerk),
    row(Some(S::Issued),   A::Propose, S::Proposed, Hand::Clerk),
    row(Some(S::Refused),  A::Propose, S::Proposed, Hand::Clerk),
    row(Some(S::Returned), A::Propose, S::Proposed, Hand::Clerk),
    row(Some(S::Proposed), A::Return,  S::Returned, Hand::Leader),
    row(Some(S::Proposed), A::Refuse,  S::Refused,  Hand::Leader),
    row(Some(S::Returned), A::Refuse,  S::Refused,  Hand::Leader),
    row(Some(S::Proposed), A::Sign,    S::Signed,   Hand::Leader),
    row(Some(S::Signed),   A::Issue,   S::Issued,   Hand::Central),
    // What cannot be printed any more, because something came between, goes back.
    row(Some(S::Signed),   A::Return,  S::Returned, Hand::Leader),
];

/// Why a step is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{action} is not possible now", action = .0.name())]
    NotPossible(Action),
    #[error("this is another role's work")]
    Role,
    #[error("whoever proposed the order cannot decide on it")]
    SamePerson,
}

/// Where `action` leads by `actor`, or why it is refused.
pub fn next(
    order: Option<&super::Order>,
    action: Action,
    actor: &Actor<'_>,
) -> Result<State, Refusal> {
    let from = order.map(|order| order.state);
    let row = TABLE.iter().find(|row| row.from == from && row.action == action);
    let row = row.ok_or(Refusal::NotPossible(action))?;
    if !actor.hands.contains(&row.hand) {
        return Err(Refusal::Role);
    }
    let proposer = order.map(|order| order.by.as_str());
    if row.hand == Hand::Leader && proposer == actor.user {
        return Err(Refusal::SamePerson);
    }
    Ok(row.to)
}

/// What `actor` may do now.
pub fn allowed(order: Option<&super::Order>, actor: &Actor<'_>) -> Vec<Action> {
    Action::ALL.into_iter().filter(|action| next(order, *action, actor).is_ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Order, Request, Terms};
    use super::*;
    use crate::documents::Kind;
    use proptest::prelude::*;
    use time::macros::{date, datetime};

    fn order(state: State, by: &str) -> Order {
        Order {
            state,
            kind: Kind::Deferral,
            claim: "c".into(),
            request: Request {
                received_on: date!(2026 - 12 - 01),
                reason: "thiệt hại do bão".into(),
                certified_by: "UBND phường".into(),
            },
            terms: Terms::Until(date!(2027 - 01 - 31)),
            by: by.into(),
            at: datetime!(2026-12-01 09:00 +7),
            signature: None,
            issued: None,
            answer: None,
        }
    }

    #[test]
    fn every_state_is_reached_and_left() {
        for state in State::ALL {
            assert!(TABLE.iter().any(|row| row.to == state), "{state:?} is never reached");
            assert!(TABLE.iter().any(|row| row.from == Some(state)), "{state:?} is never left");
        }
    }

    proptest! {
        /// Whoever walks wherever: who proposed never signs, returns or refuses, and nothing comes
        /// into force unsigned.
        #[test]
        fn no_walk_is_one_persons(steps in prop::collection::vec((0..3_usize, 0..5_usize), 1..60)) {
            const PEOPLE: [&str; 3] = ["an", "binh", "chi"];
            let all = [Hand::Clerk, Hand::Leader, Hand::Central];
            let mut now: Option<Order> = None;
            let mut signer = None;
            for (who, action) in steps {
                let action = Action::ALL[action];
                let user = (action != Action::Issue).then_some(PEOPLE[who]);
                let actor = Actor { user, hands: &all };
                let Ok(to) = next(now.as_ref(), action, &actor) else { continue };
                match action {
                    Action::Propose => {
                        now = Some(order(to, PEOPLE[who]));
                        signer = None;
                        continue;
                    }
                    Action::Sign => signer = Some(PEOPLE[who]),
                    Action::Issue => prop_assert!(signer.is_some()),
                    Action::Return | Action::Refuse => {}
                }
                let it = now.as_mut().unwrap();
                if action != Action::Issue {
                    prop_assert_ne!(it.by.as_str(), PEOPLE[who]);
                }
                it.state = to;
            }
        }
    }
}
