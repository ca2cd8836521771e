//! How a claim stands, from what was decided and the money that came and went: pure, so that the order
//! in which payments become known does not count.

use time::Date;

use crate::law::{Debt, LawBook};

/// What was decided about a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    pub fine: i64,
    /// The last day of the term; none while it does not run: the decision has not reached anybody.
    pub due: Option<Date>,
    /// Payment by parts, and from which day on it counts.
    pub parts: Option<(Date, Vec<(Date, i64)>)>,
    /// Days on which nothing accrues; without an end while nobody has decided.
    pub pauses: Vec<(Date, Option<Date>)>,
    /// Annulled: nothing is asked for any more.
    pub is_cancelled: bool,
}

/// A day and an amount on it.
pub type Movement = (Date, i64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub fine: i64,
    /// Of late payment, up to the day that was asked about.
    pub surcharge: i64,
    pub paid: i64,
    pub refunded: i64,
    /// What is still to be paid.
    pub open: i64,
    /// What was paid too much, and must go back.
    pub excess: i64,
    /// Whether something of the fine is unpaid past its term, and nothing holds that up.
    pub is_overdue: bool,
}

impl Terms {
    /// What falls due, by the last day of its term.
    fn owed(&self) -> Vec<Movement> {
        if self.is_cancelled {
            return Vec::new();
        }
        let mut owed: Vec<_> = self.due.map(|due| (due, self.fine)).into_iter().collect();
        if let Some((from, parts)) = &self.parts {
            match self.due {
                Some(due) if due < *from => owed.push((*from, -self.fine)),
                // The parts count before the term is over.
                _ => owed.clear(),
            }
            // A reduction takes from the last part first.
            let mut left = self.fine;
            for (due, amount) in parts {
                let amount = left.min(*amount);
                owed.push((*due, amount));
                left -= amount;
            }
        }
        owed
    }

    /// How it stands on `day`. Payments count on the fine first, which costs the payer least.
    pub fn standing(
        &self,
        law: &LawBook,
        receipts: &[Movement],
        refunds: &[Movement],
        day: Date,
    ) -> Standing {
        let sum = |rows: &[Movement]| rows.iter().map(|(_, amount)| amount).sum::<i64>();
        let owed = self.owed();
        let mut paid = receipts.to_vec();
        paid.extend(refunds.iter().map(|(on, amount)| (*on, -amount)));
        let paused: Vec<_> =
            self.pauses.iter().map(|(from, to)| (*from, to.unwrap_or(Date::MAX))).collect();
        let surcharge = law.surcharge(Debt { owed: &owed, paid: &paid, paused: &paused }, day);
        let fine = if self.is_cancelled { 0 } else { self.fine };
        let (received, refunded) = (sum(receipts), sum(refunds));
        let open = fine + surcharge - received + refunded;
        let past: i64 = owed.iter().filter(|(due, _)| *due < day).map(|(_, amount)| amount).sum();
        let is_paused = paused.iter().any(|(from, to)| (*from..=*to).contains(&day));
        Standing {
            fine,
            surcharge,
            paid: received,
            refunded,
            open: open.max(0),
            excess: (-open).max(0),
            is_overdue: past > received - refunded && !is_paused,
        }
    }

    /// How the payments left it: the surcharge is what the last of them fixed.
    pub fn fixed(&self, law: &LawBook, receipts: &[Movement], refunds: &[Movement]) -> Standing {
        let last = receipts.iter().map(|(day, _)| *day).max().or(self.due);
        self.standing(law, receipts, refunds, last.unwrap_or(Date::MIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law;
    use time::macros::date;

    const DUE: Date = date!(2026 - 12 - 10);

    fn terms() -> Terms {
        Terms {
            fine: 10_000_000,
            due: Some(DUE),
            parts: None,
            pauses: Vec::new(),
            is_cancelled: false,
        }
    }

    #[test]
    fn it_follows_from_what_was_decided_and_paid() {
        let law = law::book().unwrap();
        let on = |terms: &Terms, paid: &[Movement], day| {
            let it = terms.standing(&law, paid, &[], day);
            (it.surcharge, it.open, it.excess, it.is_overdue)
        };
        let plain = terms();
        assert_eq!(on(&plain, &[], DUE), (0, 10_000_000, 0, false));
        assert_eq!(on(&plain, &[], date!(2026 - 12 - 12)), (5_000, 10_005_000, 0, true));
        // The fine alone, two days late: the surcharge is left, and grows no more.
        let late = [(date!(2026 - 12 - 13), 10_000_000)];
        assert_eq!(on(&plain, &late, date!(2027 - 12 - 13)), (10_000, 10_000, 0, false));
        let twice = [(DUE, 10_000_000), (DUE, 10_000_000)];
        assert_eq!(on(&plain, &twice, DUE), (0, 0, 10_000_000, false));
        let cancelled = Terms { is_cancelled: true, ..terms() };
        assert_eq!(on(&cancelled, &late, date!(2027 - 01 - 01)), (0, 0, 10_000_000, false));
        let paused = Terms { pauses: vec![(DUE, None)], ..terms() };
        assert_eq!(on(&paused, &[], date!(2027 - 12 - 12)), (0, 10_000_000, 0, false));
    }

    #[test]
    fn a_reduction_takes_from_the_last_part_first() {
        let law = law::book().unwrap();
        let parts = vec![(date!(2026 - 12 - 20), 4_000_000), (date!(2027 - 01 - 20), 6_000_000)];
        let by_parts =
            Terms { fine: 5_000_000, parts: Some((date!(2026 - 12 - 05), parts)), ..terms() };
        let paid = [(date!(2026 - 12 - 20), 4_000_000)];
        let it = by_parts.standing(&law, &paid, &[], date!(2027 - 01 - 22));
        assert_eq!((it.surcharge, it.open, it.is_overdue), (500, 1_000_500, true));
    }

    #[test]
    fn what_reached_nobody_costs_nothing_and_parts_have_their_own_terms() {
        let law = law::book().unwrap();
        let unserved = Terms { due: None, ..terms() };
        let it = unserved.standing(&law, &[], &[], date!(2028 - 01 - 01));
        assert_eq!((it.open, it.surcharge, it.is_overdue), (10_000_000, 0, false));
        assert_eq!(unserved.fixed(&law, &[], &[]).open, 10_000_000);
        // Granted before the decision was served, or before its term is over.
        let parts = vec![(date!(2026 - 12 - 05), 4_000_000), (date!(2027 - 01 - 20), 6_000_000)];
        let parts = Some((date!(2026 - 12 - 01), parts));
        for due in [None, Some(DUE)] {
            let it = Terms { due, parts: parts.clone(), ..terms() };
            let it = it.standing(&law, &[], &[], date!(2026 - 12 - 08));
            assert_eq!((it.surcharge, it.is_overdue), (2 * 2_000, true), "{due:?}");
        }
    }

    #[test]
    fn what_was_refunded_is_paid_no_more() {
        let law = law::book().unwrap();
        let paid = [(DUE, 25_000_000)];
        let it = terms().standing(&law, &paid, &[(DUE, 15_000_000)], date!(2027 - 01 - 01));
        assert_eq!((it.open, it.excess, it.surcharge), (0, 0, 0));
    }
}
