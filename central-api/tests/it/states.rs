//! The state machine: no sequence of actions reaches a notice without two people.

use central_api::case::reason::Reason;
use central_api::case::states::{Action, Actor, Standing, State, TABLE, next};
use proptest::prelude::*;

fn actor(number: usize) -> Actor {
    // Three officers with both duties, one reviewer, one approver, the jobs: the machine must hold
    // even where the agency gives one person both roles.
    if number == 5 {
        return Actor::Job;
    }
    Actor::Officer {
        user_id: format!("user-{number}"),
        login: format!("user{number}"),
        reviews: number != 4,
        approves: number != 3,
    }
}

#[test]
fn the_table_has_one_row_a_state_and_action_and_withdrawn_ones_stay_closed() {
    for (index, row) in TABLE.iter().enumerate() {
        let twin =
            TABLE[..index].iter().any(|other| (other.from, other.action) == (row.from, row.action));
        assert!(!twin, "{row:?}");
        assert!(!matches!(row.from, State::Withdrawn | State::Expired), "{row:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_notice_needs_two_different_people_and_an_open_gate(
        steps in prop::collection::vec((0usize..14, 0usize..6, any::<bool>(), 0usize..12), 1..40)
    ) {
        let mut standing =
            Standing { state: State::Received, reviewer: None, approver: None, plate_by: None, undone_by: None };
        let mut accepted_by = None;
        let mut approved_by = None;
        let mut corrected_by = None;
        let mut withdrawn_by = None;
        for (action, person, ready, reason) in steps {
            let action = Action::ALL[action];
            let person = actor(person);
            let reason = Reason::ALL.get(reason).copied();
            let Ok(after) = next(&standing, action, &person, reason, ready) else { continue };
            let user = person.user().map(str::to_owned);
            prop_assert_eq!(user.is_none(), matches!(action, Action::Notify | Action::Expire));
            match action {
                Action::Accept => {
                    let idle = matches!(&person, Actor::Officer { reviews: false, .. });
                    prop_assert!(ready && !idle);
                    (accepted_by, approved_by) = (user, None);
                }
                Action::Approve => {
                    let idle = matches!(&person, Actor::Officer { approves: false, .. });
                    prop_assert!(ready && !idle);
                    approved_by = user;
                }
                Action::CorrectPlate => corrected_by = user,
                Action::Reject | Action::Return => {
                    prop_assert!(reason.is_some_and(|reason| reason.fits(action)));
                }
                Action::Withdraw => withdrawn_by = user,
                Action::ConfirmWithdrawal | Action::Keep => {
                    prop_assert!(withdrawn_by.is_some() && withdrawn_by != user);
                }
                Action::AgreeRejection => prop_assert_ne!(&standing.reviewer, &user),
                Action::Take | Action::Distinguish | Action::Notify | Action::Reopen | Action::Expire => {}
            }
            standing = after;
            if matches!(standing.state, State::Approved | State::Notified | State::Withdrawing) {
                prop_assert!(accepted_by.is_some() && approved_by.is_some());
                prop_assert_ne!(&accepted_by, &approved_by);
                prop_assert_ne!(&corrected_by, &approved_by);
                prop_assert_eq!(&standing.reviewer, &accepted_by);
                prop_assert_eq!(&standing.approver, &approved_by);
            }
        }
    }
}

#[test]
fn the_straight_way_works() {
    let mut standing = Standing {
        state: State::Received,
        reviewer: None,
        approver: None,
        plate_by: None,
        undone_by: None,
    };
    for (action, person) in
        [(Action::Take, 3), (Action::Accept, 3), (Action::Approve, 4), (Action::Notify, 5)]
    {
        standing = next(&standing, action, &actor(person), None, true).unwrap();
    }
    assert_eq!(standing.state, State::Notified);
}
