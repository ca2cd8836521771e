//! Orders about a decision in force (quyết định hoãn, giảm, miễn, nộp nhiều lần, sửa đổi, đính chính):
//! from which fine on each may be given, for how long, and on which article it stands.

use time::Date;

use super::LawError;
use super::book::{day, entry};
use super::deadline::months_later;
use super::fine::Payer;
use super::schema::OrderRow;

/// The rules for one kind of order, in force from a day on.
#[derive(Debug, Clone)]
pub struct OrderRules {
    from: Date,
    kind: String,
    /// As the order cites it: `Điều 76 Luật Xử lý vi phạm hành chính`.
    pub basis: String,
    /// Whether an authority must certify why it is asked for.
    pub is_certified: bool,
    /// Least fines of a person and an organisation, VND.
    least: [i64; 2],
    /// The longest deferral.
    months: Option<u32>,
}

/// Why an order cannot be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderRuleError {
    #[error("it may be given for fines from {0} VND on")]
    TooSmall(i64),
    #[error("a deferral ends after today, and by {0}")]
    Until(Date),
}

pub(super) fn read(file: &str, rows: Vec<OrderRow>) -> Result<Vec<OrderRules>, LawError> {
    let mut all: Vec<OrderRules> = Vec::new();
    for row in rows {
        let wrong =
            |problem: &str| entry(file, &format!("order {} from {}", row.kind, row.from), problem);
        let from = day(&row.from).ok_or_else(|| wrong("from is not a date like 2022-01-01"))?;
        let from = from.date();
        if all.iter().any(|other| other.kind == row.kind && other.from == from) {
            return Err(wrong("is there twice"));
        }
        let sound = (0..=row.organisation_from).contains(&row.person_from)
            && row.months.is_none_or(|months| months > 0);
        if !sound || row.source.trim().is_empty() || row.basis.trim().is_empty() {
            return Err(wrong("holds an impossible value, or names no source or basis"));
        }
        all.push(OrderRules {
            from,
            kind: row.kind,
            basis: row.basis,
            is_certified: row.certified,
            least: [row.person_from, row.organisation_from],
            months: row.months,
        });
    }
    all.sort_by_key(|rules| std::cmp::Reverse(rules.from));
    Ok(all)
}

impl OrderRules {
    pub(super) fn are_for(&self, kind: &str, decided_on: Date) -> bool {
        self.kind == kind && self.from <= decided_on
    }

    /// The least fine of a payer for which it may be given, VND.
    pub fn least(&self, payer: Payer) -> i64 {
        match payer {
            Payer::Organisation => self.least[1],
            Payer::Adult | Payer::Minor => self.least[0],
        }
    }

    /// Whether it may be given for `fine`.
    pub fn check_fine(&self, payer: Payer, fine: i64) -> Result<(), OrderRuleError> {
        let least = self.least(payer);
        if fine < least { Err(OrderRuleError::TooSmall(least)) } else { Ok(()) }
    }

    /// The last day to which an order of `today` may defer.
    pub fn latest(&self, today: Date) -> Date {
        months_later(today, self.months.unwrap_or(0))
    }

    /// Whether an order of `today` may defer to `until`.
    pub fn check_until(&self, today: Date, until: Date) -> Result<(), OrderRuleError> {
        let latest = self.latest(today);
        if today < until && until <= latest { Ok(()) } else { Err(OrderRuleError::Until(latest)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn an_order_keeps_to_the_law_of_the_decision_s_day() {
        let book = super::super::book().unwrap();
        let decided = date!(2026 - 12 - 01);
        let rules = book.order("deferral", decided).unwrap();
        assert_eq!(rules.check_fine(Payer::Adult, 2_000_000), Ok(()));
        let small = Err(OrderRuleError::TooSmall(2_000_000));
        assert_eq!(rules.check_fine(Payer::Minor, 1_999_999), small);
        let small = Err(OrderRuleError::TooSmall(100_000_000));
        assert_eq!(rules.check_fine(Payer::Organisation, 99_999_999), small);
        assert_eq!(rules.check_until(decided, date!(2027 - 03 - 01)), Ok(()));
        let wrong = Err(OrderRuleError::Until(date!(2027 - 03 - 01)));
        assert_eq!(rules.check_until(decided, date!(2027 - 03 - 02)), wrong);
        assert_eq!(rules.check_until(decided, decided), wrong);
        assert!(book.order("deferral", date!(2021 - 12 - 31)).is_none());
        assert!(book.order("pardon", decided).is_none());
    }
}
