//! Payment of a fine by parts (Luật XLVPHC Điều 79): from which fine on, in how many months and parts.

use time::Date;

use super::LawError;
use super::book::{day, entry};
use super::deadline::months_later;
use super::fine::Payer;
use super::schema::InstalmentsRow;

/// The rules in force from a day on.
#[derive(Debug, Clone)]
pub struct Instalments {
    pub from: Date,
    months: u32,
    parts: usize,
    first_share: f64,
    person_from: i64,
    organisation_from: i64,
}

/// Why a plan cannot be granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartsError {
    #[error("a fine may be paid by parts from {0} VND on")]
    TooSmall(i64),
    #[error("a fine is paid in two to {0} parts")]
    Count(usize),
    #[error("the parts make {found} VND, the fine is {fine} VND")]
    Sum { found: i64, fine: i64 },
    #[error("the first part must be at least {0} VND")]
    First(i64),
    #[error("the parts must fall due one after another, the last by {0}")]
    Dates(Date),
}

pub(super) fn read(file: &str, rows: Vec<InstalmentsRow>) -> Result<Vec<Instalments>, LawError> {
    let mut all = Vec::new();
    for row in rows {
        let name = format!("instalments from {}", row.from);
        let wrong = |problem: &str| entry(file, &name, problem);
        let from = day(&row.from).ok_or_else(|| wrong("from is not a date like 2022-01-01"))?;
        let sound = row.months > 0
            && row.parts >= 2
            && (0.0..=1.0).contains(&row.first_share)
            && 0 < row.person_from
            && row.person_from <= row.organisation_from;
        if !sound || row.source.trim().is_empty() {
            return Err(wrong("holds an impossible value, or names no source"));
        }
        all.push(Instalments {
            from: from.date(),
            months: row.months,
            parts: row.parts,
            first_share: row.first_share,
            person_from: row.person_from,
            organisation_from: row.organisation_from,
        });
    }
    all.sort_by_key(|rules| std::cmp::Reverse(rules.from));
    Ok(all)
}

impl Instalments {
    /// The least fine of a payer that may be paid so, VND.
    pub const fn least(&self, payer: Payer) -> i64 {
        match payer {
            Payer::Organisation => self.organisation_from,
            Payer::Adult | Payer::Minor => self.person_from,
        }
    }

    /// Whether `fine` of a decision of `decided_on` may be paid by these parts.
    pub fn check(
        &self,
        payer: Payer,
        fine: i64,
        decided_on: Date,
        parts: &[(Date, i64)],
    ) -> Result<(), PartsError> {
        let least = self.least(payer);
        if fine < least {
            return Err(PartsError::TooSmall(least));
        }
        if !(2..=self.parts).contains(&parts.len()) {
            return Err(PartsError::Count(self.parts));
        }
        let sum = parts.iter().map(|(_, amount)| i128::from(*amount)).sum::<i128>();
        if sum != i128::from(fine) || parts.iter().any(|(_, amount)| *amount <= 0) {
            return Err(PartsError::Sum { found: i64::try_from(sum).unwrap_or(i64::MAX), fine });
        }
        let first = (fine as f64 * self.first_share).ceil() as i64;
        if parts[0].1 < first {
            return Err(PartsError::First(first));
        }
        let last = months_later(decided_on, self.months);
        let in_order = parts.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if !in_order || parts.iter().any(|(due, _)| !(decided_on..=last).contains(due)) {
            return Err(PartsError::Dates(last));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn a_plan_keeps_to_the_law_of_the_decision_s_day() {
        let book = super::super::book().unwrap();
        assert!(book.instalments(date!(2021 - 12 - 31)).is_none());
        let decided = date!(2026 - 12 - 01);
        let rules = book.instalments(decided).unwrap();
        let (first, second, third) =
            (date!(2026 - 12 - 15), date!(2027 - 02 - 15), date!(2027 - 06 - 01));
        let check = |fine, parts: &[(Date, i64)]| rules.check(Payer::Adult, fine, decided, parts);
        let good = [(first, 8_000_000), (second, 6_000_000), (third, 6_000_000)];
        assert_eq!(check(20_000_000, &good), Ok(()));
        assert_eq!(
            rules.check(Payer::Organisation, 20_000_000, decided, &good),
            Err(PartsError::TooSmall(150_000_000))
        );
        assert_eq!(check(14_999_999, &good), Err(PartsError::TooSmall(15_000_000)));
        assert_eq!(check(20_000_000, &good[..1]), Err(PartsError::Count(3)));
        let sum = PartsError::Sum { found: 14_000_000, fine: 20_000_000 };
        assert_eq!(check(20_000_000, &good[..2]), Err(sum));
        let small = [(first, 7_999_999), (second, 12_000_001)];
        assert_eq!(check(20_000_000, &small), Err(PartsError::First(8_000_000)));
        let late = [(first, 10_000_000), (date!(2027 - 06 - 02), 10_000_000)];
        assert_eq!(check(20_000_000, &late), Err(PartsError::Dates(third)));
        let turned = [(second, 10_000_000), (first, 10_000_000)];
        assert_eq!(check(20_000_000, &turned), Err(PartsError::Dates(third)));
        let negative = [(first, 21_000_000), (second, -1_000_000)];
        assert!(matches!(check(20_000_000, &negative), Err(PartsError::Sum { .. })));
    }
}
