//! A claim opened by a decision, annulled with it, or reduced.

use serde_json::json;
use time::{Date, OffsetDateTime};

use super::ledger::{Account, Kind, Posting};
use super::minutes::Minutes;
use super::record::{ClaimRow, ClaimState, NO_TERM, take};
use super::settle::{Effect, settle};
use super::{By, MOST, PaymentError, Reference, day_text, today};
use crate::audit;
use crate::case::name_of;
use crate::law::LawBook;
use crate::store::{Constraint, OnConstraint as _, StoreError, Tx, new_id, to_ms};

/// What a decision asks for.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    pub case_id: &'a str,
    /// As it is cited, e.g. `123/QĐ-XPHC`.
    pub decision: &'a str,
    pub decided_on: Date,
    /// Drawn with [`Reference::draw`]; printed in the decision.
    pub reference: Reference,
    /// VND.
    pub fine: i64,
    /// The last day on which it may be paid without a surcharge, where the decision was served.
    pub due: Option<Date>,
}

/// Opens a claim; returns its id. What is taken already may be the reference: draw another.
pub async fn claim(
    tx: &mut Tx<'_>,
    claim: &Claim<'_>,
    now: OffsetDateTime,
) -> Result<String, PaymentError> {
    if !(1..=MOST).contains(&claim.fine) {
        return Err(PaymentError::Amount);
    }
    let decision = claim.decision.trim();
    if !(1..=100).contains(&decision.chars().count()) || decision.chars().any(char::is_control) {
        return Err(PaymentError::Decision);
    }
    let id = new_id(now);
    let mut inserted = sqlx::query(
        "INSERT INTO payment_claims
             (id, case_id, decision, decided_on, reference, fine, due, state, opened_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)",
    )
    .bind(id.clone())
    .bind(claim.case_id.to_owned())
    .bind(decision.to_owned())
    .bind(day_text(claim.decided_on))
    .bind(claim.reference.to_string())
    .bind(claim.fine)
    .bind(day_text(claim.due.unwrap_or(NO_TERM)))
    .bind(name_of(&ClaimState::Open))
    .bind(to_ms(now))
    .execute(&mut **tx)
    .await;
    for taken in TAKEN {
        inserted = match inserted.on_constraint::<PaymentError>(taken, || PaymentError::Taken) {
            Ok(done) => Ok(done),
            Err(PaymentError::Store(StoreError::Database(error))) => Err(error),
            Err(error) => return Err(error),
        };
    }
    inserted.map_err(StoreError::from)?;
    let day = claim.decided_on;
    Posting::on_claim(&id, Kind::Claim, Account::Fine, claim.fine, day).enter(tx, now).await?;
    let entry = audit::Entry {
        at: now,
        actor: "system",
        action: "payment.claimed",
        subject_kind: "case",
        subject_id: claim.case_id,
        detail: json!({
            "claim": id,
            "decision": decision,
            "decided_on": day_text(claim.decided_on),
            "reference": claim.reference,
            "fine": claim.fine,
            "due": claim.due.map(day_text),
        }),
    };
    audit::append(tx, entry).await?;
    Ok(id)
}

const TAKEN: [Constraint; 3] = [
    Constraint { name: "payment_claims_case", columns: "payment_claims.case_id" },
    Constraint { name: "payment_claims_reference", columns: "payment_claims.reference" },
    Constraint {
        name: "payment_claims_decision",
        columns: "payment_claims.decision, payment_claims.decided_on",
    },
];

/// When the decision of a claim was served, or is no longer known to be, and when its term is over.
/// The audit's rows are the caller's to write; returns the claim as it stands.
pub async fn serve(
    tx: &mut Tx<'_>,
    law: &LawBook,
    claim: &str,
    (served_on, due): (Option<Date>, Option<Date>),
    (by, minutes): (By<'_>, &mut Minutes),
    now: OffsetDateTime,
) -> Result<ClaimRow, PaymentError> {
    let mut claim = take(tx, claim).await?;
    let same = claim.served_on == served_on && claim.due == due;
    if claim.state == ClaimState::Cancelled || same {
        return Ok(claim);
    }
    sqlx::query("UPDATE payment_claims SET served_on = $1, due = $2 WHERE id = $3")
        .bind(served_on.map(day_text))
        .bind(day_text(due.unwrap_or(NO_TERM)))
        .bind(claim.id.clone())
        .execute(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    (claim.served_on, claim.due) = (served_on, due);
    let effect = settle(tx, law, &claim, now).await?;
    let detail = json!({
        "claim": claim.id,
        "served_on": served_on.map(day_text),
        "due": due.map(day_text),
    });
    minutes.claim(by.actor(), "payment.term", &claim, detail);
    minutes.effect(&claim, effect);
    claim.state = match effect {
        Effect::Settled => ClaimState::Settled,
        Effect::Reopened => ClaimState::Open,
        Effect::None => claim.state,
    };
    Ok(claim)
}

/// The decision was annulled: nothing is asked for any more, and what was paid must go back.
pub async fn cancel(
    tx: &mut Tx<'_>,
    law: &LawBook,
    claim: &str,
    (by, reason): (By<'_>, &str),
    now: OffsetDateTime,
) -> Result<(), PaymentError> {
    let reason = audit::reason(reason).ok_or(PaymentError::ReasonMissing)?;
    let mut claim = take(tx, claim).await?;
    if claim.state == ClaimState::Cancelled {
        return Err(PaymentError::NotPossible);
    }
    sqlx::query("UPDATE payment_claims SET state = $1, cancelled_at = $2, fine = 0 WHERE id = $3")
        .bind(name_of(&ClaimState::Cancelled))
        .bind(to_ms(now))
        .bind(claim.id.clone())
        .execute(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    let off = -claim.fine;
    Posting::on_claim(&claim.id, Kind::Cancel, Account::Fine, off, today(now))
        .enter(tx, now)
        .await?;
    claim.state = ClaimState::Cancelled;
    claim.fine = 0;
    settle(tx, law, &claim, now).await?;
    let detail = json!({ "claim": claim.id, "note": reason });
    let mut minutes = Minutes::default();
    minutes.claim(by.actor(), "payment.cancelled", &claim, detail);
    Ok(minutes.write(tx, now).await?)
}

/// The fine was reduced, or what is left of it: 0 is an exemption from all of it. The smaller fine
/// counts for the days before, too.
pub async fn change(
    tx: &mut Tx<'_>,
    law: &LawBook,
    claim: &str,
    fine: i64,
    (by, reason): (By<'_>, &str),
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    let reason = audit::reason(reason).ok_or(PaymentError::ReasonMissing)?;
    let mut claim = take(tx, claim).await?;
    if claim.state == ClaimState::Cancelled {
        return Err(PaymentError::NotPossible);
    }
    if !(0..claim.fine).contains(&fine) {
        return Err(PaymentError::Raised);
    }
    sqlx::query("UPDATE payment_claims SET fine = $1 WHERE id = $2")
        .bind(fine)
        .bind(claim.id.clone())
        .execute(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    let less = fine - claim.fine;
    let posting = Posting::on_claim(&claim.id, Kind::Change, Account::Fine, less, today(now));
    posting.enter(tx, now).await?;
    let detail = json!({ "claim": claim.id, "fine": [claim.fine, fine], "note": reason });
    claim.fine = fine;
    let effect = settle(tx, law, &claim, now).await?;
    let mut minutes = Minutes::default();
    minutes.claim(by.actor(), "payment.changed", &claim, detail);
    minutes.effect(&claim, effect);
    minutes.write(tx, now).await?;
    Ok(effect)
}
