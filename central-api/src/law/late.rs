//! What a late payment costs (TT 18/2023/TT-BTC Điều 5): a rate a day of the part that is unpaid, days
//! off included, from the day after the term to the day before the payment; not while the payment is
//! deferred or a request about it is pending.

use time::{Date, Duration};

/// Ten thousandths of a percent, in which rates are whole: 0.05 % is 500.
const WHOLE: i64 = 1_000_000;

/// A fine and what has happened to it.
#[derive(Debug, Clone, Copy)]
pub struct Debt<'a> {
    /// What falls due, by the last day of its term. What a payment by parts takes out of its term again
    /// is negative, on the day from which the parts count.
    pub owed: &'a [(Date, i64)],
    /// Payments on the fine, by day.
    pub paid: &'a [(Date, i64)],
    /// Days from and to which, both included, nothing accrues.
    pub paused: &'a [(Date, Date)],
}

/// The surcharge, VND, if what is left were paid on `day`; parts of a đồng are not asked for.
pub(super) fn surcharge(debt: Debt<'_>, per_day: f64, day: Date) -> i64 {
    let rate = (per_day * WHOLE as f64).round() as i64;
    let mut parts = 0_i128;
    let Some(first) = debt.owed.iter().map(|(due, _)| *due).min() else { return 0 };
    let sum = |rows: &[(Date, i64)], until: Date| {
        rows.iter().filter(|(on, _)| *on <= until).map(|(_, amount)| amount).sum::<i64>()
    };
    let mut before = first;
    let mut at = first.saturating_add(Duration::DAY);
    while at < day {
        let is_paused = debt.paused.iter().any(|(from, to)| (*from..=*to).contains(&at));
        // What is paid on a day is not late on it: the surcharge ends the day before.
        let open = sum(debt.owed, before) - sum(debt.paid, at);
        if open > 0 && !is_paused {
            parts += i128::from(open) * i128::from(rate);
        }
        before = at;
        let Some(next) = at.next_day() else { break };
        at = next;
    }
    i64::try_from(parts / i128::from(WHOLE)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::date;

    const RATE: f64 = 0.0005;
    const DUE: Date = date!(2026 - 12 - 10);

    fn debt<'a>(paid: &'a [(Date, i64)], paused: &'a [(Date, Date)]) -> Debt<'a> {
        Debt { owed: &[(DUE, 19_000_000)], paid, paused }
    }

    /// A term of ten days that began on 30 November: day 10 is the 10th, day 11 the 11th.
    #[test]
    fn the_day_after_the_term_costs_nothing_the_next_one_a_day() {
        for (day, expected) in [
            (date!(2026 - 12 - 10), 0),
            (date!(2026 - 12 - 11), 0),
            (date!(2026 - 12 - 12), 9_500),
            // Days off count: the 12th and 13th are a weekend.
            (date!(2026 - 12 - 14), 28_500),
            (date!(2027 - 12 - 11), 365 * 9_500),
        ] {
            assert_eq!(surcharge(debt(&[], &[]), RATE, day), expected, "{day}");
        }
    }

    #[test]
    fn only_the_unpaid_part_and_the_days_that_count_cost() {
        // Nine million in time, ten million open: 5,000 a day.
        let paid = [(date!(2026 - 12 - 05), 9_000_000)];
        assert_eq!(surcharge(debt(&paid, &[]), RATE, date!(2026 - 12 - 21)), 10 * 5_000);
        // Paid on the 13th: the 11th and 12th were whole, from the 13th on less.
        let paid = [(date!(2026 - 12 - 13), 9_000_000)];
        let expected = 2 * 9_500 + 8 * 5_000;
        assert_eq!(surcharge(debt(&paid, &[]), RATE, date!(2026 - 12 - 21)), expected);
        // A deferral from the 12th to the 18th.
        let paused = [(date!(2026 - 12 - 12), date!(2026 - 12 - 18))];
        assert_eq!(surcharge(debt(&[], &paused), RATE, date!(2026 - 12 - 21)), 3 * 9_500);
        // All paid: nothing accrues any more.
        let paid = [(date!(2026 - 12 - 12), 19_000_000)];
        assert_eq!(surcharge(debt(&paid, &[]), RATE, date!(2028 - 01 - 01)), 9_500);
        // Parts of a đồng are dropped once, not every day.
        let small = Debt { owed: &[(DUE, 1_001)], ..debt(&[], &[]) };
        assert_eq!(surcharge(small, RATE, date!(2026 - 12 - 15)), 2);
    }

    /// Ten million, by parts granted two days after the term: four, three and three.
    #[test]
    fn of_a_payment_by_parts_each_part_has_its_own_term() {
        let granted = date!(2026 - 12 - 12);
        let owed = [
            (DUE, 10_000_000),
            (granted, -10_000_000),
            (date!(2026 - 12 - 20), 4_000_000),
            (date!(2027 - 01 - 20), 3_000_000),
            (date!(2027 - 02 - 20), 3_000_000),
        ];
        let paid = [(date!(2026 - 12 - 20), 4_000_000)];
        let by_parts = Debt { owed: &owed, paid: &paid, paused: &[] };
        // The 11th and 12th were late; then nothing until the second part is.
        assert_eq!(surcharge(by_parts, RATE, date!(2026 - 12 - 31)), 2 * 5_000);
        assert_eq!(surcharge(by_parts, RATE, date!(2027 - 01 - 21)), 2 * 5_000);
        assert_eq!(surcharge(by_parts, RATE, date!(2027 - 01 - 24)), 2 * 5_000 + 3 * 1_500);
        let first_missed = Debt { paid: &[], ..by_parts };
        assert_eq!(surcharge(first_missed, RATE, date!(2026 - 12 - 23)), 2 * 5_000 + 2 * 2_000);
    }

    proptest! {
        #[test]
        fn waiting_never_saves_and_paying_or_pausing_never_costs(
            days in 0_i64..400, on in -20_i64..400, amount in 0_i64..25_000_000,
            from in -20_i64..400, length in 0_i64..90,
        ) {
            let at = |days| DUE.saturating_add(Duration::days(days));
            let none = surcharge(debt(&[], &[]), RATE, at(days));
            prop_assert!(none <= surcharge(debt(&[], &[]), RATE, at(days + 1)));
            prop_assert!(surcharge(debt(&[(at(on), amount)], &[]), RATE, at(days)) <= none);
            prop_assert!(surcharge(debt(&[], &[(at(from), at(from + length))]), RATE, at(days)) <= none);
            prop_assert_eq!(none, 9_500 * (days - 1).max(0));
        }
    }
}
