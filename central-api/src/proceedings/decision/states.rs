//! The life of a decision as a table, like the case's: from which state which action leads where, in
//! whose hand it is, and what must hold.

use serde::{Deserialize, Serialize};

use crate::proceedings::{Actor, Hand};

/// Where a decision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A clerk proposes it; a leader must decide.
    Proposed,
    /// The leader sent the proposal back.
    Returned,
    /// Signed; it is being printed and numbered.
    Signed,
    /// In force.
    Issued,
    /// Somebody asked that it be annulled; another person must decide.
    Annulling,
    /// Without force; a new one may be proposed.
    Annulled,
}

impl State {
    pub const ALL: [Self; 6] = [
        Self::Proposed,
        Self::Returned,
        Self::Signed,
        Self::Issued,
        Self::Annulling,
        Self::Annulled,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Returned => "returned",
            Self::Signed => "signed",
            Self::Issued => "issued",
            Self::Annulling => "annulling",
            Self::Annulled => "annulled",
        }
    }

    /// Whether a proposal, and minutes for one, may be drawn up.
    pub const fn takes_proposal(self) -> bool {
        matches!(self, Self::Returned | Self::Annulled)
    }

    /// Whether nothing is signed, or no more.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Proposed | Self::Returned | Self::Annulled)
    }

    /// Whether it is signed and not annulled: money may be owed on it.
    pub const fn stands(self) -> bool {
        matches!(self, Self::Signed | Self::Issued | Self::Annulling)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Propose,
    Return,
    Sign,
    /// The central prints it.
    Issue,
    Annul,
    Keep,
    ConfirmAnnulment,
}

impl Action {
    pub const ALL: [Self; 7] = [
        Self::Propose,
        Self::Return,
        Self::Sign,
        Self::Issue,
        Self::Annul,
        Self::Keep,
        Self::ConfirmAnnulment,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Propose => "propose",
            Self::Return => "return",
            Self::Sign => "sign",
            Self::Issue => "issue",
            Self::Annul => "annul",
            Self::Keep => "keep",
            Self::ConfirmAnnulment => "confirm_annulment",
        }
    }

    /// As the audit names what was done.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Propose => "proposed",
            Self::Return => "returned",
            Self::Sign => "signed",
            Self::Issue => "issued",
            Self::Annul => "annulment_asked",
            Self::Keep => "kept",
            Self::ConfirmAnnulment => "annulled",
        }
    }

    /// Whether a reason must be given.
    pub const fn needs_reason(self) -> bool {
        matches!(self, Self::Return | Self::Annul | Self::Keep)
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// By the name that the audit has of it.
    pub fn of_audit(done: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.done() == done)
    }
}

/// Who must not be the same person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    Anybody,
    ThanProposer,
    ThanWhoAsked,
}

#[derive(Debug)]
pub struct Transition {
    /// None: there is no decision yet.
    pub from: Option<State>,
    pub action: Action,
    pub to: State,
    pub hand: Hand,
    other: Other,
}

const fn row(
    from: Option<State>,
    action: Action,
    to: State,
    hand: Hand,
    other: Other,
) -> Transition {
    Transition { from, action, to, hand, other }
}

use Action as A;
use State as S;

#[rustfmt::skip]
pub const TABLE: &[Transition] = &[
    row(None,               A::Propose, S::Proposed,  Hand::Clerk,   Other::Anybody),
    row(Some(S::Returned),  A::Propose, S::Proposed,  Hand::Clerk,   Other::Anybody),
    row(Some(S::Annulled),  A::Propose, S::Proposed,  Hand::Clerk,   Other::Anybody),
    row(Some(S::Proposed),  A::Return,  S::Returned,  Hand::Leader,  Other::ThanProposer),
    row(Some(S::Proposed),  A::Sign,    S::Signed,    Hand::Leader,  Other::ThanProposer),
    row(Some(S::Signed),    A::Issue,   S::Issued,    Hand::Central, Other::Anybody),
    // What cannot be printed any more, because something came between, goes back.
    row(Some(S::Signed),    A::Return,  S::Returned,  Hand::Leader,  Other::ThanProposer),
    row(Some(S::Issued),    A::Annul,   S::Annulling, Hand::Leader,  Other::Anybody),
    // Whoever asked may take it back.
    row(Some(S::Annulling), A::Keep,    S::Issued,    Hand::Leader,  Other::Anybody),
    row(Some(S::Annulling), A::ConfirmAnnulment, S::Annulled, Hand::Leader, Other::ThanWhoAsked),
];

/// Why a step is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{action} is not possible now", action = .0.name())]
    NotPossible(Action),
    #[error("this is another role's work")]
    Role,
    #[error("whoever proposed the decision, or asked for its annulment, cannot decide on it")]
    SamePerson,
}

/// Where `action` leads by `actor`, or why it is refused.
pub fn next(
    decision: Option<&super::Decision>,
    action: Action,
    actor: &Actor<'_>,
) -> Result<State, Refusal> {
    let who = Who {
        proposed: decision.map(|it| it.proposal.by.as_str()),
        asked: decision.and_then(|it| it.undo.as_ref()).map(|it| it.by.as_str()),
    };
    leads(decision.map(|decision| decision.state), action, actor, who)
}

/// Who had a hand in a decision before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Who<'a> {
    pub proposed: Option<&'a str>,
    /// For its annulment.
    pub asked: Option<&'a str>,
}

/// The same by what the audit says of it.
pub fn leads(
    from: Option<State>,
    action: Action,
    actor: &Actor<'_>,
    who: Who<'_>,
) -> Result<State, Refusal> {
    let row = TABLE.iter().find(|row| row.from == from && row.action == action);
    let row = row.ok_or(Refusal::NotPossible(action))?;
    if !actor.hands.contains(&row.hand) {
        return Err(Refusal::Role);
    }
    let not = match row.other {
        Other::Anybody => None,
        Other::ThanProposer => who.proposed,
        Other::ThanWhoAsked => who.asked,
    };
    if not.is_some() && not == actor.user {
        return Err(Refusal::SamePerson);
    }
    Ok(row.to)
}

/// What `actor` may do now.
pub fn allowed(decision: Option<&super::Decision>, actor: &Actor<'_>) -> Vec<Action> {
    Action::ALL.into_iter().filter(|action| next(decision, *action, actor).is_ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Decision, Proposal, Undo};
    use super::*;
    use crate::law::{Payer, Provision};
    use proptest::prelude::*;
    use time::macros::datetime;

    fn decision(state: State, proposer: &str, asker: Option<&str>) -> Decision {
        let at = datetime!(2026-11-30 09:00 +7);
        Decision {
            state,
            round: 1,
            proposal: Proposal {
                minutes: 1,
                payer: Payer::Adult,
                circumstances: Vec::new(),
                amount: 5_000_000,
                provision: Provision {
                    decree: "168/2024/NĐ-CP".into(),
                    amended_by: Vec::new(),
                    article: 7,
                    clause: 7,
                    point: Some("c".into()),
                    text: "Không chấp hành hiệu lệnh của đèn tín hiệu giao thông".into(),
                    fine_min: 4_000_000,
                    fine_max: 6_000_000,
                    fine_default: 5_000_000,
                    points: 4,
                    signer: "Đội trưởng, Trạm trưởng".into(),
                },
                remedy: String::new(),
                note: String::new(),
                by: proposer.into(),
                at,
            },
            signature: None,
            issued: None,
            undo: asker.map(|by| Undo {
                by: by.into(),
                at,
                reason: "ghi nhầm người vi phạm".into(),
                signature: None,
            }),
            returned: None,
        }
    }

    #[test]
    fn every_state_is_reached_and_left_but_that_of_no_decision() {
        for state in State::ALL {
            assert!(TABLE.iter().any(|row| row.to == state), "{state:?} is never reached");
            assert!(TABLE.iter().any(|row| row.from == Some(state)), "{state:?} is never left");
        }
    }

    proptest! {
        /// Whoever walks wherever: who proposed never signs, who asked for the annulment never
        /// decides on it, nothing comes into force unsigned.
        #[test]
        fn no_walk_is_one_persons(steps in prop::collection::vec((0..3_usize, 0..7_usize), 1..60)) {
            const PEOPLE: [&str; 3] = ["an", "binh", "chi"];
            let all = [Hand::Clerk, Hand::Leader, Hand::Central];
            let mut now: Option<Decision> = None;
            let mut signer: Option<&str> = None;
            for (who, action) in steps {
                let action = Action::ALL[action];
                let user = (action != Action::Issue).then_some(PEOPLE[who]);
                let actor = Actor { user, hands: &all };
                let Ok(to) = next(now.as_ref(), action, &actor) else { continue };
                match action {
                    Action::Propose => {
                        now = Some(decision(to, PEOPLE[who], None));
                        signer = None;
                        continue;
                    }
                    Action::Sign => {
                        prop_assert_ne!(now.as_ref().unwrap().proposal.by.as_str(), PEOPLE[who]);
                        signer = Some(PEOPLE[who]);
                    }
                    Action::Issue => prop_assert!(signer.is_some()),
                    Action::Annul => {
                        let proposer = now.as_ref().unwrap().proposal.by.clone();
                        now = Some(decision(to, &proposer, Some(PEOPLE[who])));
                        continue;
                    }
                    Action::ConfirmAnnulment => {
                        let asked = now.as_ref().unwrap().undo.as_ref().unwrap().by.clone();
                        prop_assert_ne!(asked.as_str(), PEOPLE[who]);
                    }
                    Action::Return | Action::Keep => {}
                }
                let it = now.as_mut().unwrap();
                it.state = to;
                if it.state.stands() {
                    prop_assert!(signer.is_some());
                }
            }
        }

        /// Nobody acts with a hand that is not theirs.
        #[test]
        fn a_hand_does_its_own_work(state in 0..6_usize, action in 0..7_usize) {
            let it = decision(State::ALL[state], "an", Some("an"));
            let action = Action::ALL[action];
            let may = |hands: &[Hand]| next(Some(&it), action, &Actor { user: Some("chi"), hands }).is_ok();
            let row = TABLE.iter().find(|row| row.from == Some(it.state) && row.action == action);
            for hand in [Hand::Clerk, Hand::Leader, Hand::Central] {
                prop_assert_eq!(may(&[hand]), row.is_some_and(|row| row.hand == hand));
            }
            prop_assert!(!may(&[]));
        }
    }
}
