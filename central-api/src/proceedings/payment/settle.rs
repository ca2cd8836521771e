//! After everything that happens to a claim: what it comes to now, the surcharge that its payments fix,
//! and whether that settles it.

use std::collections::BTreeSet;

use sqlx::{AnyConnection, AssertSqlSafe};
use time::{Date, OffsetDateTime};

use super::ledger::{Account, Kind, Posting};
use super::record::{ClaimRow, ClaimState};
use super::standing::Standing;
use super::today;
use crate::case::name_of;
use crate::law::LawBook;
use crate::proceedings::warning;
use crate::store::{Store, StoreError, Tx, to_ms};

/// What something did to a claim. The one place where that is found out is [`settle`]; whatever is to
/// follow from it, such as lifting a warning, is asked for there, in the same transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is as open, settled or cancelled as before.
    None,
    /// All that is asked for is paid now. Once for each time that it becomes so.
    Settled,
    /// It was settled, and the bank or a clerk took that back.
    Reopened,
}

/// Brings `claim`, taken in `tx` and changed, up to what was decided and paid.
pub(super) async fn settle(
    tx: &mut Tx<'_>,
    law: &LawBook,
    claim: &ClaimRow,
    now: OffsetDateTime,
) -> Result<Effect, StoreError> {
    let terms = claim.terms(tx).await?;
    let (receipts, refunds) = (claim.receipts(tx).await?, claim.refunds(tx).await?);
    let it = terms.fixed(law, &receipts, &refunds);
    let more = it.surcharge - claim.surcharge;
    let surcharge =
        Posting::on_claim(&claim.id, Kind::Surcharge, Account::Surcharge, more, today(now));
    surcharge.enter(tx, now).await?;
    let state = match claim.state {
        ClaimState::Cancelled => ClaimState::Cancelled,
        _ if it.open == 0 => ClaimState::Settled,
        _ => ClaimState::Open,
    };
    let effect = match (claim.state, state) {
        (ClaimState::Open, ClaimState::Settled) => Effect::Settled,
        (ClaimState::Settled, ClaimState::Open) => Effect::Reopened,
        _ => Effect::None,
    };
    let settled_at = match (state, effect) {
        (ClaimState::Settled, Effect::Settled) => Some(now),
        (ClaimState::Settled, _) => claim.settled_at,
        _ => None,
    };
    sqlx::query(
        "UPDATE payment_claims SET surcharge = $1, paid = $2, refunded = $3, excess = $4,
             state = $5, settled_at = $6 WHERE id = $7",
    )
    .bind(it.surcharge)
    .bind(it.paid)
    .bind(it.refunded)
    .bind(it.excess)
    .bind(name_of(&state))
    .bind(settled_at.map(to_ms))
    .bind(claim.id.clone())
    .execute(&mut **tx)
    .await?;
    if effect == Effect::Settled {
        // Every warning of the case goes at once (TT 73/2024/TT-BCA Điều 24).
        warning::lift(tx, &claim.case_id, warning::Why::Paid, now).await?;
    }
    // Of what was never served nobody is warned.
    if effect == Effect::Reopened && claim.served_on.is_some() {
        warning::watch_anew(tx, &claim.case_id, warning::Cause::Unpaid, now).await?;
    }
    Ok(effect)
}

/// How a claim stands on `day`.
pub async fn standing(
    view: &mut AnyConnection,
    law: &LawBook,
    claim: &ClaimRow,
    day: Date,
) -> Result<Standing, StoreError> {
    let terms = claim.terms(view).await?;
    let (receipts, refunds) = (claim.receipts(view).await?, claim.refunds(view).await?);
    Ok(terms.standing(law, &receipts, &refunds, day))
}

/// Reads which of as many cases have paid all that the decision in force asks for.
pub fn settled_text(cases: usize) -> String {
    let places: Vec<_> = (1..=cases).map(|n| format!("${n}")).collect();
    let places = places.join(", ");
    format!("SELECT case_id FROM payment_claims WHERE state = 'settled' AND case_id IN ({places})")
}

/// Those of some cases of which all that the decision in force asks for is paid.
pub async fn settled_among(store: &Store, cases: &[&str]) -> Result<BTreeSet<String>, StoreError> {
    if cases.is_empty() {
        return Ok(BTreeSet::new());
    }
    let text = sqlx::query_scalar(AssertSqlSafe(settled_text(cases.len())));
    let query = cases.iter().fold(text, |query, case| query.bind((*case).to_owned()));
    Ok(query.fetch_all(store.pool()).await?.into_iter().collect())
}
