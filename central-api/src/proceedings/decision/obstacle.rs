//! What stands against a decision now. Everything is asked anew at the proposal, at the signature and
//! when it is printed: no row is believed alone.

use time::OffsetDateTime;

use super::{Proposal, counted};
use crate::case::{Examination, State};
use crate::law::{LawBook, LawError, Range};
use crate::proceedings::minutes::{self, Minutes};

/// Why there can be no decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// There is no notice, or it is being withdrawn, or the case is closed.
    NotNotified,
    /// Evidence, plate or law are not in order: the gate's findings.
    Gate(Vec<&'static str>),
    NoMinutes,
    /// Somebody has changed the minutes, or the law chosen, since the proposal.
    Changed,
    /// Under sixteen: a warning, no fine.
    TooYoung,
    /// The violator may still explain until then.
    Explains(OffsetDateTime),
    /// The term for a decision ended then (Luật XLVPHC Điều 66).
    Late(OffsetDateTime),
    /// The limitation ended then (Điều 6).
    Barred(OffsetDateTime),
    /// The law leaves other amounts under these circumstances.
    Amount(Range),
    /// A circumstance that the law does not know.
    Circumstance,
    /// Another unit resolves the case, or has.
    Referred,
}

impl Obstacle {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotNotified => "not_notified",
            Self::Gate(_) => "gate",
            Self::NoMinutes => "no_minutes",
            Self::Changed => "changed",
            Self::TooYoung => "too_young",
            Self::Explains(_) => "explains",
            Self::Late(_) => "late",
            Self::Barred(_) => "barred",
            Self::Amount(_) => "amount",
            Self::Circumstance => "circumstance",
            Self::Referred => "referred",
        }
    }
}

/// What stands against `proposal`, or against proposing anything.
pub fn obstacles(
    law: &LawBook,
    examination: &Examination,
    minutes: Option<&minutes::Row>,
    proposal: Option<&Proposal>,
    now: OffsetDateTime,
) -> Result<Vec<Obstacle>, LawError> {
    let case = &examination.case;
    let mut found = Vec::new();
    if case.state != State::Notified {
        found.push(Obstacle::NotNotified);
    }
    if !examination.gate.is_open() {
        let names = examination.gate.blockers.iter().map(|blocker| blocker.name());
        found.push(Obstacle::Gate(names.collect()));
    }
    let barred = law.limitation(case.act_at)?;
    if now > barred {
        found.push(Obstacle::Barred(barred));
    }
    let Some(row) = minutes else {
        found.push(Obstacle::NoMinutes);
        return Ok(found);
    };
    let minutes: &Minutes = &row.content;
    let payer = minutes.violator.payer(case.act_at);
    if payer.is_none() {
        found.push(Obstacle::TooYoung);
    }
    let Some(provision) = &case.law else { return Ok(found) };
    if minutes.explanation.is_none()
        && let Some(until) = minutes.explains_until(law, provision, case.act_at)?
        && now <= until
    {
        found.push(Obstacle::Explains(until));
    }
    let until = minutes.decision_until(law)?;
    if now > until {
        found.push(Obstacle::Late(until));
    }
    let Some(proposal) = proposal else { return Ok(found) };
    let same_law = proposal.provision.key() == provision.key()
        && proposal.provision.decree == provision.decree
        && [proposal.provision.fine_min, proposal.provision.fine_max]
            == [provision.fine_min, provision.fine_max];
    if proposal.minutes != row.version || !same_law || Some(proposal.payer) != payer {
        found.push(Obstacle::Changed);
    }
    match counted(law, &proposal.circumstances) {
        None => found.push(Obstacle::Circumstance),
        Some(counts) => {
            let range = law.fine(provision, counts, proposal.payer);
            if !range.holds(proposal.amount) {
                found.push(Obstacle::Amount(range));
            }
        }
    }
    Ok(found)
}
