//! What an order's terms may be, by the law and by how the claim stands, and what they do to the claim.

use time::{Date, OffsetDateTime};

use super::{Order, Terms};
use crate::documents::Kind;
use crate::law::{LawBook, LawError, OrderRuleError, PartsError, Payer, Term, VIETNAM};
use crate::proceedings::payment::{self, By, ClaimRow, ClaimState, PaymentError, Standing};
use crate::proceedings::warning;
use crate::store::Tx;

/// Characters of a line of an amendment.
const LONGEST: usize = 300;
/// Lines of an amendment.
const MOST_LINES: usize = 10;

/// Why an order cannot be given so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    #[error("no law in force on the day of the decision knows this order")]
    NoRules,
    #[error(transparent)]
    Rules(#[from] OrderRuleError),
    #[error(transparent)]
    Parts(#[from] PartsError),
    #[error("nothing is open of the fine: there is nothing to order about its payment")]
    NothingOpen,
    #[error("the payment is divided into parts already")]
    Divided,
    #[error("a reduction takes off between 1 and {0} VND")]
    Off(i64),
    #[error("the decision can be amended or corrected until {0}")]
    Late(Date),
    #[error(
        "an amendment has one to ten lines, each with its place, what it says and what it is to say"
    )]
    Lines,
    #[error("these terms belong to another kind of order")]
    Kind,
}

/// What is asked about the claim.
pub(super) struct Standings<'a> {
    pub law: &'a LawBook,
    pub claim: &'a ClaimRow,
    pub standing: Standing,
    pub payer: Payer,
    /// As the decision asked for it.
    pub decided: i64,
    pub today: Date,
}

/// What an exemption takes off: all that is unpaid of the fine.
pub(super) fn unpaid(claim: &ClaimRow, standing: &Standing) -> i64 {
    (claim.fine - (standing.paid - standing.refunded)).max(0)
}

/// Whether an order of `kind` with these terms may be given today.
pub(super) fn check(kind: Kind, terms: &Terms, it: &Standings<'_>) -> Result<(), TermsError> {
    let decided_on = it.claim.decided_on;
    let rules = it.law.order(kind.name(), decided_on).ok_or(TermsError::NoRules)?;
    if super::is_about_payment(kind) {
        if it.claim.state != ClaimState::Open || unpaid(it.claim, &it.standing) == 0 {
            return Err(TermsError::NothingOpen);
        }
        rules.check_fine(it.payer, it.decided)?;
    }
    match (kind, terms) {
        (Kind::Deferral, Terms::Until(until)) => Ok(rules.check_until(it.today, *until)?),
        (Kind::Exemption, Terms::Off(off)) if *off == unpaid(it.claim, &it.standing) => Ok(()),
        (Kind::Reduction | Kind::Exemption, Terms::Off(off)) => {
            let most = unpaid(it.claim, &it.standing) - 1;
            let fits = kind == Kind::Reduction && (1..=most).contains(off);
            if fits { Ok(()) } else { Err(TermsError::Off(most)) }
        }
        (Kind::Instalments, Terms::Parts(parts)) => {
            if it.claim.is_divided() {
                return Err(TermsError::Divided);
            }
            let rules = it.law.instalments(decided_on).ok_or(TermsError::NoRules)?;
            Ok(rules.check(it.payer, it.claim.fine, decided_on, parts)?)
        }
        (Kind::Amendment | Kind::Correction, Terms::Lines(lines)) => {
            let last = changeable_until(it.law, decided_on).map_err(|_| TermsError::NoRules)?;
            if it.today > last {
                return Err(TermsError::Late(last));
            }
            let fits = |text: &String| {
                (1..=LONGEST).contains(&text.trim().chars().count())
                    && !text.chars().any(char::is_control)
            };
            let good = (1..=MOST_LINES).contains(&lines.len())
                && lines.iter().all(|it| {
                    [&it.place, &it.wrote, &it.reads].into_iter().all(fits) && it.wrote != it.reads
                });
            if good { Ok(()) } else { Err(TermsError::Lines) }
        }
        _ => Err(TermsError::Kind),
    }
}

/// The last day on which a decision may be amended or corrected.
pub(super) fn changeable_until(law: &LawBook, decided_on: Date) -> Result<Date, LawError> {
    let decided = decided_on.midnight().assume_offset(VIETNAM);
    Ok(law.end(Term::DecisionCorrected, decided)?.earliest.to_offset(VIETNAM).date())
}

/// What an order in force does to its claim, and to who was warned of it. `number` names it.
pub(super) async fn carry_out(
    tx: &mut Tx<'_>,
    law: &LawBook,
    (case, order, payer): (&str, &Order, Payer),
    number: &str,
    now: OffsetDateTime,
) -> Result<(), PaymentError> {
    let (claim, by, today) = (order.claim.as_str(), By::System, payment::today(now));
    match &order.terms {
        Terms::Lines(_) => return Ok(()),
        Terms::Until(_) | Terms::Parts(_) => {
            // Who was warned is not late any more; the term begins anew, and is looked at by what is due.
            warning::lift(tx, case, warning::Why::Deferred, now).await?;
            warning::watch_anew(tx, case, warning::Cause::Unpaid, now).await?;
        }
        Terms::Off(_) => {}
    }
    match &order.terms {
        Terms::Until(until) => payment::release(tx, law, claim, *until, by, now).await?,
        Terms::Parts(parts) => {
            payment::release(tx, law, claim, today, by, now).await?;
            payment::by_parts(tx, law, claim, (payer, today, parts), by, now).await?
        }
        Terms::Off(off) => {
            payment::release(tx, law, claim, today, by, now).await?;
            let row = payment::find(tx, claim).await?.ok_or(PaymentError::NotFound)?;
            let why = format!("Quyết định số {number}");
            payment::change(tx, law, claim, row.fine - off, (by, &why), now).await?
        }
        Terms::Lines(_) => payment::Effect::None,
    };
    Ok(())
}
