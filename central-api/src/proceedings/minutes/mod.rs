//! The minutes of the violation (biên bản vi phạm hành chính, MBB01; Luật XLVPHC Điều 58): who did it
//! and what they say, drawn up by an officer once the notice is out; then the explanation (giải
//! trình, Điều 61) where the law gives a right to one. A decision stands on them.

mod draw;
mod explain;
mod form;
mod hearing_form;
mod print;

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use super::row::{self, Content};
use crate::law::{LawBook, LawError, Payer, Provision, Term, VIETNAM};
use crate::registry::{Details, Owner, OwnerKind};
use crate::store::StoreError;

pub use draw::{Drawn, draw};
pub use explain::explain;
pub use print::{print, print_hearing};

/// What is on record of a case.
pub type Row = row::Row<Minutes>;

/// Who did it, as far as is known: the driver, or the owner who answers for it (NĐ 168/2024 Điều 47
/// khoản 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violator {
    #[serde(flatten)]
    pub person: Owner,
    /// Of a person; absent of an organisation.
    pub born: Option<Date>,
    /// Points come off the licence of who drove, of nobody else.
    pub drove: bool,
    #[serde(default, skip_serializing_if = "Details::is_empty")]
    pub details: Details,
}

impl Violator {
    /// What is asked of this violator for an act; none of who was under sixteen, who is warned only
    /// (Luật XLVPHC Điều 134).
    pub fn payer(&self, act: OffsetDateTime) -> Option<Payer> {
        if self.person.kind == OwnerKind::Organisation {
            return Some(Payer::Organisation);
        }
        let Some(born) = self.born else { return Some(Payer::Adult) };
        match age(born, act.to_offset(VIETNAM).date()) {
            ..16 => None,
            16 | 17 => Some(Payer::Minor),
            _ => Some(Payer::Adult),
        }
    }
}

/// Whole years on `day`.
fn age(born: Date, day: Date) -> i32 {
    let before_birthday = (u8::from(day.month()), day.day()) < (u8::from(born.month()), born.day());
    day.year() - born.year() - i32::from(before_birthday)
}

/// How an explanation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    Written,
    /// At a hearing (phiên giải trình trực tiếp).
    Hearing,
    /// Said in the minutes to want none.
    Waived,
}

/// What the violator says, and what the unit found of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    pub way: Way,
    pub received_on: Date,
    pub text: String,
    pub finding: String,
    pub noted_by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub noted_at: OffsetDateTime,
}

/// The minutes and what followed from them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minutes {
    pub violator: Violator,
    /// When it became known who did it.
    pub identified_on: Date,
    pub place: String,
    pub statement: String,
    /// Why the violator has not signed (Điều 58 khoản 4); signed where absent.
    pub unsigned: Option<String>,
    /// Who stands in for a signature that is missing.
    pub witness: Option<String>,
    pub drawn_by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub drawn_at: OffsetDateTime,
    /// When the first minutes of the case were drawn up: drawing them anew wins no time.
    #[serde(with = "time::serde::rfc3339")]
    pub term_from: OffsetDateTime,
    pub explanation: Option<Explanation>,
}

/// Why nothing was drawn up or noted.
#[derive(Debug, thiserror::Error)]
pub enum MinutesError {
    #[error("there is no case {0}, or it has no minutes")]
    NotFound(String),
    #[error("somebody else has changed the minutes since they were shown")]
    Conflict,
    /// They follow the notice and come before the decision's signature; nothing moves while a fault is
    /// looked into.
    #[error("the case has no notice, or a decision is under way")]
    NotPossible,
    #[error("field {0} is wrong")]
    Field(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Content for Minutes {
    const NAME: &'static str = "minutes";

    fn state(&self) -> &'static str {
        if self.explanation.is_some() { "explained" } else { "drawn" }
    }
}

impl Minutes {
    /// When the time for a written explanation ends, where the law gives a right to one.
    pub fn explains_until(
        &self,
        law: &LawBook,
        provision: &Provision,
        act: OffsetDateTime,
    ) -> Result<Option<OffsetDateTime>, LawError> {
        let payer = self.violator.payer(act).unwrap_or(Payer::Adult);
        if !law.may_explain(provision, payer) {
            return Ok(None);
        }
        Ok(Some(law.end(Term::WrittenExplanation, self.drawn_at)?.latest))
    }

    /// The last moment for a decision (Luật XLVPHC Điều 66): longer where there is an explanation. One that
    /// comes after the term is over is heard by nobody and gives none back (NĐ 118/2021 Điều 17).
    pub fn decision_until(&self, law: &LawBook) -> Result<OffsetDateTime, LawError> {
        let alone = law.end(Term::Decision, self.term_from)?.earliest;
        let last = alone.to_offset(VIETNAM).date();
        let explained = self
            .explanation
            .as_ref()
            .is_some_and(|it| it.way != Way::Waived && it.received_on <= last);
        match explained {
            true => Ok(law.end(Term::DecisionExplained, self.term_from)?.earliest),
            false => Ok(alone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn age_counts_whole_years_on_the_day_of_the_act() {
        let act = datetime!(2026-11-20 23:30 UTC);
        let of = |born, kind| {
            let person = Owner {
                kind,
                name: "Trần Văn Cường".into(),
                id_number: String::new(),
                address: "Huế".into(),
            };
            Violator { person, born, drove: true, details: Details::default() }.payer(act)
        };
        let person = OwnerKind::Person;
        // The act was on the 21st in Vietnam.
        assert_eq!(of(Some(date!(2008 - 11 - 21)), person), Some(Payer::Adult));
        assert_eq!(of(Some(date!(2008 - 11 - 22)), person), Some(Payer::Minor));
        assert_eq!(of(Some(date!(2010 - 11 - 21)), person), Some(Payer::Minor));
        assert_eq!(of(Some(date!(2010 - 11 - 22)), person), None);
        assert_eq!(of(None, person), Some(Payer::Adult));
        assert_eq!(of(None, OwnerKind::Organisation), Some(Payer::Organisation));
    }
}
