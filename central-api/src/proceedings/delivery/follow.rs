//! What follows from deliveries: terms that run or wait, warnings, rows of the audit. A transaction
//! writes its letters first and says here what became of them; all of it is carried out at its end, in
//! the order in which locks are taken everywhere, so that a batch of many letters holds up nobody.

use std::collections::{BTreeMap, BTreeSet};

use time::{Date, OffsetDateTime};

use super::by_hand::moment;
use super::record::deliveries;
use super::{Delivery, Paper, State, Way, served};
use crate::audit::Pending;
use crate::law::{LawBook, Term, VIETNAM};
use crate::proceedings::payment::{self, By, ClaimState, PaymentError};
use crate::proceedings::warning::{self, Cause};
use crate::store::{StoreError, Tx};

/// Since when somebody can know of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It was sent or handed over then.
    From(OffsetDateTime),
    /// It came back, and waits for the next batch.
    Not,
}

#[derive(Debug, Default)]
pub(super) struct Follow {
    /// Of notices, by case.
    came: BTreeMap<String, Reach>,
    /// Of decisions: codes by case.
    decisions: BTreeMap<String, BTreeSet<String>>,
    audit: Pending,
}

impl Follow {
    /// Something became of a paper that still holds.
    pub(super) fn changed(&mut self, paper: Paper, case: &str, code: &str, reach: Option<Reach>) {
        match (paper, reach) {
            (Paper::Notice, Some(reach)) => {
                self.came.insert(case.to_owned(), reach);
            }
            (Paper::Decision, _) => {
                self.decisions.entry(case.to_owned()).or_default().insert(code.to_owned());
            }
            _ => {}
        }
    }

    /// A step of a delivery, for the audit of its case.
    pub(super) fn note(
        &mut self,
        case: &str,
        actor: &str,
        action: &'static str,
        detail: serde_json::Value,
    ) {
        self.audit.note(actor.to_owned(), action, ("case", case), detail);
    }

    /// The same about something else.
    pub(super) fn note_of(
        &mut self,
        subject: (&'static str, &str),
        actor: &str,
        action: &'static str,
        detail: serde_json::Value,
    ) {
        self.audit.note(actor.to_owned(), action, subject, detail);
    }

    /// Carries all of it out: the last that a transaction does.
    pub(super) async fn carry_out(
        mut self,
        tx: &mut Tx<'_>,
        law: &LawBook,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let mut claims = Vec::new();
        for (case, codes) in std::mem::take(&mut self.decisions) {
            // The claim in force is the latest decision's; whatever is annulled is closed, and never
            // comes here.
            let Some(claim) = payment::live_of_case(tx, &case).await? else { continue };
            let mut all = Vec::new();
            for code in codes {
                all.extend(deliveries(tx, &code).await?);
            }
            claims.push((claim.id, case, term(&all, claim.decided_on, law)));
        }
        claims.sort_by(|one, other| one.0.cmp(&other.0));
        for (id, case, days) in claims {
            let with = (By::System, &mut self.audit);
            let claim = match payment::serve(tx, law, &id, days, with, now).await {
                Ok(claim) => claim,
                Err(PaymentError::Store(error)) => return Err(error),
                Err(error) => return Err(StoreError::corrupt("claim", error)),
            };
            match claim.served_on {
                Some(day) if claim.state == ClaimState::Open => {
                    warning::watch(tx, &case, Cause::Unpaid, moment(day)).await?;
                }
                Some(_) => {}
                None => warning::unwatch(tx, &case, Cause::Unpaid).await?,
            }
        }
        for (case, reach) in self.came {
            match reach {
                Reach::From(at) => warning::watch(tx, &case, Cause::NoShow, at).await?,
                Reach::Not => warning::unwatch(tx, &case, Cause::NoShow).await?,
            }
        }
        self.audit.write(tx, now).await
    }
}

/// The day of service of a decision of `decided`, and the last day for paying it. Of what nothing is
/// known but that the post office has it, the law has a last day without a service; what still lies
/// here, or came back, was not received, and no term runs.
fn term(deliveries: &[Delivery], decided: Date, law: &LawBook) -> (Option<Date>, Option<Date>) {
    match served(deliveries, law) {
        Ok(Some(served)) => {
            // Where days off are not announced so far ahead no day is late.
            let end = law.end(Term::Pay, moment(served.on)).ok();
            (Some(served.on), end.map(|end| end.latest.to_offset(VIETNAM).date()))
        }
        Ok(None) => {
            let letters = || deliveries.iter().filter(|it| it.way == Way::Post);
            let came_back = letters().any(|it| it.state == State::Returned);
            let sent = letters().filter(|it| it.state == State::Sent).filter_map(|it| it.sent_at);
            let sent = sent.min().filter(|_| !came_back);
            let day = |at: OffsetDateTime| at.to_offset(VIETNAM).date();
            (None, sent.map(|at| law.pay_until_without_proof(decided, day(at))))
        }
        Err(error) => {
            tracing::error!(%error, "a decision's term cannot be counted");
            (None, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::service::tests::{at, returned};
    use super::*;
    use time::macros::date;

    const DECIDED: Date = date!(2026 - 11 - 20);

    /// Counted on a wall calendar: 2026-11-20 is a Friday, the 24th a holiday.
    #[test]
    fn the_term_for_paying_is_counted_from_the_day_of_service() {
        let law = crate::law::book().unwrap();
        let mon = date!(2026 - 11 - 23);
        let both = |served, due| (Some(served), Some(due));
        for (deliveries, expected) in [
            // Nobody has it, on paper or not.
            (vec![], (None, None)),
            (vec![at(Way::Post, State::Printed, mon)], (None, None)),
            // Handed over on Monday: ten days end on Thursday 3 December.
            (vec![at(Way::Hand, State::Delivered, mon)], both(mon, date!(2026 - 12 - 03))),
            (vec![at(Way::Hand, State::Refused, mon)], both(mon, date!(2026 - 12 - 03))),
            // Entered on Monday: served on Friday the 27th, the tenth day is a Monday.
            (
                vec![at(Way::Electronic, State::Sent, mon)],
                both(date!(2026 - 11 - 27), date!(2026 - 12 - 07)),
            ),
            // Posted at the commune: served on 3 December, the tenth day is a Sunday.
            (
                vec![at(Way::Commune, State::Sent, mon)],
                both(date!(2026 - 12 - 03), date!(2026 - 12 - 14)),
            ),
            // The post office has it: twelve days after the decision, but ten after the sending.
            (vec![at(Way::Post, State::Sent, DECIDED)], (None, Some(date!(2026 - 12 - 02)))),
            (
                vec![at(Way::Post, State::Sent, date!(2026 - 12 - 01))],
                (None, Some(date!(2026 - 12 - 11))),
            ),
            // It came back, once and twice: nothing runs, not even while it is sent again.
            (returned(&[mon]), (None, None)),
            (returned(&[mon, mon]), (None, None)),
            ([returned(&[mon]), vec![at(Way::Post, State::Sent, mon)]].concat(), (None, None)),
            (returned(&[mon, mon, mon]), both(date!(2026 - 11 - 27), date!(2026 - 12 - 07))),
        ] {
            assert_eq!(term(&deliveries, DECIDED, &law), expected, "{deliveries:?}");
        }
    }
}
