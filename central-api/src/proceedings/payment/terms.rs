//! What holds a claim up, or divides it: a deferral, a request that is pending, payment by parts.

use serde_json::{Value, json};
use time::{Date, OffsetDateTime};

use super::minutes::Minutes;
use super::record::{ClaimRow, ClaimState, take};
use super::settle::{Effect, settle};
use super::{By, PaymentError, day_text};
use crate::law::{LawBook, Payer};
use crate::store::{StoreError, Tx};

/// Nothing accrues from `from` to `to`, both included: a deferral, or a request for one, for a reduction
/// or for payment by parts. Without `to` until [`resume`].
pub async fn pause(
    tx: &mut Tx<'_>,
    law: &LawBook,
    claim: &str,
    (from, to): (Date, Option<Date>),
    by: By<'_>,
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    let claim = take(tx, claim).await?;
    if claim.state == ClaimState::Cancelled {
        return Err(PaymentError::NotPossible);
    }
    let end = to.unwrap_or(Date::MAX);
    let before = claim.terms(tx).await?.pauses;
    let overlaps =
        |(first, last): &(Date, Option<Date>)| *first <= end && from <= last.unwrap_or(Date::MAX);
    if end < from || before.iter().any(overlaps) {
        return Err(PaymentError::Pause);
    }
    sqlx::query("INSERT INTO payment_pauses (claim_id, from_day, to_day) VALUES ($1, $2, $3)")
        .bind(claim.id.clone())
        .bind(day_text(from))
        .bind(to.map(day_text))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    let effect = settle(tx, law, &claim, now).await?;
    let detail = json!({ "claim": claim.id, "days": [day_text(from), to.map(day_text)] });
    told(tx, (&claim, effect), by, ("payment.paused", detail), now).await
}

/// A request about the payment came on `day`: nothing accrues from then on, or from the end of what holds
/// it up already, until [`release`].
pub async fn hold(
    tx: &mut Tx<'_>,
    law: &LawBook,
    claim: &str,
    day: Date,
    by: By<'_>,
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    let pauses = take(tx, claim).await?.terms(tx).await?.pauses;
    let last = pauses.iter().filter_map(|(_, to)| *to).filter(|to| *to >= day).max();
    let from = last.and_then(Date::next_day).unwrap_or(day);
    pause(tx, law, claim, (from, None), by, now).await
}

/// The request was decided: what it held up is held up to `last`, or was not yet, and is not at all.
pub async fn release(
    tx: &mut Tx<'_>,
    law: &LawBook,
    claim: &str,
    last: Date,
    by: By<'_>,
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    let (claim, from) = paused(tx, claim).await?;
    if from <= last {
        return end_pause(tx, law, (&claim, from), last, by, now).await;
    }
    sqlx::query("DELETE FROM payment_pauses WHERE claim_id = $1 AND to_day IS NULL")
        .bind(claim.id.clone())
        .execute(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    let effect = settle(tx, law, &claim, now).await?;
    let detail = json!({ "claim": claim.id, "days": [day_text(from)] });
    told(tx, (&claim, effect), by, ("payment.unpaused", detail), now).await
}

/// Ends a pause that had no end: `last` is its last day.
pub async fn resume(
    tx: &mut Tx<'_>,
    law: &LawBook,
    claim: &str,
    last: Date,
    by: By<'_>,
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    let (claim, from) = paused(tx, claim).await?;
    if last < from {
        return Err(PaymentError::Pause);
    }
    end_pause(tx, law, (&claim, from), last, by, now).await
}

/// A claim, and since when it is paused without an end.
async fn paused(tx: &mut Tx<'_>, claim: &str) -> Result<(ClaimRow, Date), PaymentError> {
    let claim = take(tx, claim).await?;
    let pauses = claim.terms(tx).await?.pauses;
    let open = pauses.iter().find(|(_, to)| to.is_none()).ok_or(PaymentError::NotPossible)?;
    Ok((claim, open.0))
}

async fn end_pause(
    tx: &mut Tx<'_>,
    law: &LawBook,
    (claim, from): (&ClaimRow, Date),
    last: Date,
    by: By<'_>,
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    sqlx::query("UPDATE payment_pauses SET to_day = $1 WHERE claim_id = $2 AND to_day IS NULL")
        .bind(day_text(last))
        .bind(claim.id.clone())
        .execute(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    let effect = settle(tx, law, claim, now).await?;
    let detail = json!({ "claim": claim.id, "days": [day_text(from), day_text(last)] });
    told(tx, (claim, effect), by, ("payment.resumed", detail), now).await
}

/// The fine may be paid by parts, from `granted` on.
pub async fn by_parts(
    tx: &mut Tx<'_>,
    law: &LawBook,
    claim: &str,
    (payer, granted, parts): (Payer, Date, &[(Date, i64)]),
    by: By<'_>,
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    let mut claim = take(tx, claim).await?;
    if claim.state != ClaimState::Open || claim.parts_from.is_some() {
        return Err(PaymentError::NotPossible);
    }
    let rules = law.instalments(claim.decided_on).ok_or(PaymentError::NoParts)?;
    rules.check(payer, claim.fine, claim.decided_on, parts)?;
    for (number, (due, amount)) in (1_i64..).zip(parts) {
        sqlx::query(
            "INSERT INTO payment_parts (claim_id, number, due, amount) VALUES ($1, $2, $3, $4)",
        )
        .bind(claim.id.clone())
        .bind(number)
        .bind(day_text(*due))
        .bind(*amount)
        .execute(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    }
    sqlx::query("UPDATE payment_claims SET parts_from = $1 WHERE id = $2")
        .bind(day_text(granted))
        .bind(claim.id.clone())
        .execute(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    claim.parts_from = Some(granted);
    let effect = settle(tx, law, &claim, now).await?;
    let parts: Vec<_> = parts.iter().map(|(due, amount)| json!([day_text(*due), amount])).collect();
    let detail = json!({ "claim": claim.id, "from": day_text(granted), "parts": parts });
    told(tx, (&claim, effect), by, ("payment.divided", detail), now).await
}

async fn told(
    tx: &mut Tx<'_>,
    (claim, effect): (&ClaimRow, Effect),
    by: By<'_>,
    (action, detail): (&'static str, Value),
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    let mut minutes = Minutes::default();
    minutes.claim(by.actor(), action, claim, detail);
    minutes.effect(claim, effect);
    minutes.write(tx, now).await?;
    Ok(effect)
}
