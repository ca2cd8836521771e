//! Random sequences of everything that can happen to money: by the pure rules alone, and the same through
//! both databases, whose rows must say what the rules say.

use central_api::clock::Clock as _;
use central_api::law::{self, LawBook};
use central_api::proceedings::payment::refund::{self, Of};
use central_api::proceedings::payment::{self, By, ClaimState, Movement, Payer, Terms};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use time::{Date, Duration};

use crate::payment::{DUE, FINE, WHY, balanced, claimed, each, find, incoming, notify, reference};
use crate::setting::Setting;

const CLAIMS: usize = 3;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    /// A payment of so much so many days after the term, naming a claim, or none.
    Pay {
        amount: i64,
        days: i64,
        claim: Option<usize>,
    },
    Assign {
        receipt: usize,
        claim: usize,
    },
    Unassign {
        receipt: usize,
    },
    /// The bank takes a payment back.
    Back {
        receipt: usize,
    },
    Change {
        claim: usize,
        fine: i64,
    },
    Pause {
        claim: usize,
        from: i64,
        days: i64,
    },
    Cancel {
        claim: usize,
    },
    /// What is too much goes back.
    Refund {
        claim: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let claim = 0..CLAIMS;
    let amount = prop_oneof![
        Just(FINE),
        1..=2 * FINE,
        // Beside the border, where being settled is decided.
        -3_i64..3,
        (1_i64..40).prop_map(|days| days * 2_500),
    ]
    .prop_map(|amount| if amount < 1 { FINE + amount } else { amount });
    prop_oneof![
        6 => (amount, -10_i64..60, proptest::option::weighted(0.8, claim.clone()))
            .prop_map(|(amount, days, claim)| Step::Pay { amount, days, claim }),
        2 => (0_usize..40, claim.clone()).prop_map(|(receipt, claim)| Step::Assign { receipt, claim }),
        1 => (0_usize..40).prop_map(|receipt| Step::Unassign { receipt }),
        1 => (0_usize..40).prop_map(|receipt| Step::Back { receipt }),
        1 => (claim.clone(), 0..FINE).prop_map(|(claim, fine)| Step::Change { claim, fine }),
        1 => (claim.clone(), -5_i64..60, 0_i64..20)
            .prop_map(|(claim, from, days)| Step::Pause { claim, from, days }),
        1 => claim.clone().prop_map(|claim| Step::Cancel { claim }),
        2 => claim.prop_map(|claim| Step::Refund { claim }),
    ]
}

fn later(days: i64) -> Date {
    DUE + Duration::days(days)
}

/// Where a receipt is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Desk,
    On(usize),
    Gone,
}

/// What is true of the world, told by the pure rules.
struct World {
    claims: Vec<(Terms, Vec<Movement>)>,
    receipts: Vec<(i64, Date, Place)>,
    today: Date,
}

/// What a step comes to in the world: none where it is not possible.
enum Done {
    Paid { number: usize, claim: Option<usize> },
    Assigned(usize, usize),
    Unassigned(usize),
    TakenBack(usize),
    Changed(usize, i64),
    Paused(usize, Date, Date),
    Cancelled(usize),
    Refunded(usize, i64),
}

impl World {
    fn new(today: Date) -> Self {
        let terms =
            Terms { fine: FINE, due: Some(DUE), parts: None, pauses: vec![], is_cancelled: false };
        Self { claims: vec![(terms, vec![]); CLAIMS], receipts: vec![], today }
    }

    fn received(&self, claim: usize) -> Vec<Movement> {
        let on = self.receipts.iter().filter(|(_, _, place)| *place == Place::On(claim));
        on.map(|(amount, day, _)| (*day, *amount)).collect()
    }

    fn fixed(&self, law: &LawBook, claim: usize) -> payment::Standing {
        let (terms, refunds) = &self.claims[claim];
        terms.fixed(law, &self.received(claim), refunds)
    }

    fn take(&mut self, law: &LawBook, step: &Step) -> Option<Done> {
        Some(match *step {
            Step::Pay { amount, days, claim } => {
                let number = self.receipts.len();
                let place = claim.map_or(Place::Desk, Place::On);
                self.receipts.push((amount, later(days), place));
                Done::Paid { number, claim }
            }
            Step::Assign { receipt, claim } => {
                let row = self.receipts.get_mut(receipt).filter(|it| it.2 == Place::Desk)?;
                row.2 = Place::On(claim);
                Done::Assigned(receipt, claim)
            }
            Step::Unassign { receipt } => {
                let row = self.receipts.get_mut(receipt)?;
                let Place::On(_) = row.2 else { return None };
                row.2 = Place::Desk;
                Done::Unassigned(receipt)
            }
            Step::Back { receipt } => {
                let row = self.receipts.get_mut(receipt).filter(|it| it.2 != Place::Gone)?;
                row.2 = Place::Gone;
                Done::TakenBack(receipt)
            }
            Step::Change { claim, fine } => {
                let (terms, _) = &mut self.claims[claim];
                if terms.is_cancelled || fine >= terms.fine {
                    return None;
                }
                terms.fine = fine;
                Done::Changed(claim, fine)
            }
            Step::Pause { claim, from, days } => {
                let (from, to) = (later(from), later(from + days));
                let (terms, _) = &mut self.claims[claim];
                let overlaps = |(a, b): &(Date, Option<Date>)| *a <= to && from <= b.unwrap();
                if terms.is_cancelled || terms.pauses.iter().any(overlaps) {
                    return None;
                }
                terms.pauses.push((from, Some(to)));
                Done::Paused(claim, from, to)
            }
            Step::Cancel { claim } => {
                let (terms, _) = &mut self.claims[claim];
                if terms.is_cancelled {
                    return None;
                }
                (terms.is_cancelled, terms.fine) = (true, 0);
                Done::Cancelled(claim)
            }
            Step::Refund { claim } => {
                let excess = self.fixed(law, claim).excess;
                if excess == 0 {
                    return None;
                }
                let today = self.today;
                self.claims[claim].1.push((today, excess));
                Done::Refunded(claim, excess)
            }
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_sequence_loses_or_makes_money(
        steps in prop::collection::vec(step(), 1..50), turn in any::<prop::sample::Index>(),
    ) {
        let law = law::book().unwrap();
        let mut world = World::new(later(70));
        for step in &steps {
            world.take(&law, step);
            for claim in 0..CLAIMS {
                let it = world.fixed(&law, claim);
                prop_assert!(it.surcharge >= 0 && it.open >= 0 && it.excess >= 0, "{it:?}");
                prop_assert!(it.open == 0 || it.excess == 0);
                let left = it.fine + it.surcharge - it.paid + it.refunded;
                prop_assert_eq!(left, it.open - it.excess);
                // Of the fine itself nothing is forgiven: who is settled has paid all of it.
                prop_assert!(it.open > 0 || it.paid - it.refunded >= it.fine);
                let (terms, refunds) = &world.claims[claim];
                let mut received = world.received(claim);
                if !received.is_empty() {
                    let at = turn.index(received.len());
                    received.rotate_left(at);
                }
                prop_assert_eq!(terms.fixed(&law, &received, refunds), it, "in another order");
                let later = terms.standing(&law, &received, refunds, later(80));
                prop_assert!(later.surcharge >= it.surcharge, "waiting never saves");
                if it.open == 0 {
                    prop_assert_eq!(later.surcharge, it.surcharge, "what is settled stays so");
                }
            }
        }
    }
}

async fn receipt(setting: &Setting, bank_id: &str) -> (String, i64) {
    sqlx::query_as("SELECT id, version FROM payment_receipts WHERE bank_id = $1")
        .bind(bank_id.to_owned())
        .fetch_one(setting.state.store.pool())
        .await
        .unwrap()
}

/// Does in the store what was done in the world.
async fn carry_out(
    setting: &Setting,
    [chi, binh]: &[String; 2],
    world: &World,
    (round, claims): (u64, &[String]),
    done: &Done,
) {
    let (store, law, now) = (&setting.state.store, &setting.state.law, setting.clock.now());
    let chi = By::User { id: chi, login: "chi" };
    let binh = By::User { id: binh, login: "binh" };
    let seed = |claim: usize| round * CLAIMS as u64 + claim as u64 + 1;
    let name = |number: usize| format!("R{round}-{number}");
    match *done {
        Done::Paid { number, claim } => {
            let (amount, day, _) = world.receipts[number];
            let purpose = claim.map_or("la".into(), |claim| reference(seed(claim)).to_string());
            notify(setting, &incoming(&name(number), amount, day, &purpose)).await.unwrap();
        }
        Done::Assigned(number, claim) => {
            let (id, version) = receipt(setting, &name(number)).await;
            let to = reference(seed(claim)).to_string();
            payment::assign(store, law, (&id, version), &to, (chi, WHY), now).await.unwrap();
        }
        Done::Unassigned(number) => {
            let (id, version) = receipt(setting, &name(number)).await;
            payment::unassign(store, law, (&id, version), (chi, WHY), now).await.unwrap();
        }
        Done::TakenBack(number) => {
            let (amount, day, _) = world.receipts[number];
            let back = format!("{}-back", name(number));
            notify(setting, &incoming(&back, -amount, day, "")).await.unwrap();
            let (id, version) = receipt(setting, &back).await;
            let with = name(number);
            payment::pair(store, law, (&id, version), &with, (chi, WHY), now).await.unwrap();
        }
        Done::Changed(claim, fine) => {
            let mut tx = store.begin().await.unwrap();
            let by = (chi, WHY);
            payment::change(&mut tx, law, &claims[claim], fine, by, now).await.unwrap();
            tx.commit().await.unwrap();
        }
        Done::Paused(claim, from, to) => {
            let mut tx = store.begin().await.unwrap();
            let days = (from, Some(to));
            payment::pause(&mut tx, law, &claims[claim], days, chi, now).await.unwrap();
            tx.commit().await.unwrap();
        }
        Done::Cancelled(claim) => {
            let mut tx = store.begin().await.unwrap();
            payment::cancel(&mut tx, law, &claims[claim], (chi, WHY), now).await.unwrap();
            tx.commit().await.unwrap();
        }
        Done::Refunded(claim, amount) => {
            let to = Payer { name: "A".into(), account: "1".into(), bank: "2".into() };
            let of = Of::Excess(claims[claim].clone());
            let id = refund::ask(store, &of, &to, (chi, WHY), now).await.unwrap();
            refund::confirm(store, (&id, 2), binh, now).await.unwrap();
            refund::export(store, chi, now).await.unwrap().unwrap();
            let mut view = store.pool().acquire().await.unwrap();
            let waiting = refund::waiting(&mut view, 9).await.unwrap();
            drop(view);
            let it = waiting.iter().find(|it| it.id == id).unwrap();
            assert_eq!(it.amount, amount);
            let day = (chi, payment::today(now));
            refund::paid_out(store, law, (&id, it.version), day, now).await.unwrap();
        }
    }
}

#[tokio::test]
async fn both_databases_say_what_the_rules_say() {
    for (setting, people) in each().await {
        let law = law::book().unwrap();
        setting.clock.advance(Duration::days(90));
        let today = payment::today(setting.clock.now());
        let mut runner = TestRunner::deterministic();
        let mut steps_done = 0;
        for round in 0..6 {
            let mut claims = Vec::new();
            for claim in 1..=CLAIMS as u64 {
                claims.push(claimed(&setting, round * CLAIMS as u64 + claim).await);
            }
            let steps = prop::collection::vec(step(), 40).new_tree(&mut runner).unwrap().current();
            let mut world = World::new(today);
            for step in steps {
                let Some(done) = world.take(&law, &step) else { continue };
                carry_out(&setting, &people, &world, (round, &claims), &done).await;
                steps_done += 1;
                for (at, claim) in claims.iter().enumerate() {
                    let (row, it) = (find(&setting, claim).await, world.fixed(&law, at));
                    let said = (row.fine, row.surcharge, row.paid, row.refunded, row.excess);
                    let expected = (it.fine, it.surcharge, it.paid, it.refunded, it.excess);
                    assert_eq!(said, expected, "{step:?} on {world_claim:?}", world_claim = row);
                    let settled = row.state == ClaimState::Settled;
                    let cancelled = world.claims[at].0.is_cancelled;
                    assert_eq!(settled, it.open == 0 && !cancelled, "{step:?}");
                }
            }
            balanced(&setting).await;
        }
        assert!(steps_done > 120, "{steps_done}");
        let store = &setting.state.store;
        let verified = central_api::verify::verify_store(
            store,
            &setting.state.evidence,
            &setting.state.law,
            central_api::verify::Depth::Seals,
        );
        assert_eq!(verified.await.unwrap().findings, []);
    }
}

#[test]
fn entries_are_only_added() {
    for literal in crate::sources::literals() {
        let text = literal.text.split_whitespace().collect::<Vec<_>>().join(" ");
        // A pause that had not begun moves no money; the audit says that it was there.
        if text == "DELETE FROM payment_pauses WHERE claim_id = $1 AND to_day IS NULL" {
            continue;
        }
        for change in ["UPDATE payment_entries", "DELETE FROM payment_"] {
            assert!(!text.contains(change), "{}", literal.place);
        }
    }
}
