//! Which claim a receipt is on: by its reference, or because a clerk says so. What was put wrongly is taken
//! off, and what the bank takes back undoes what it brought.

use serde_json::json;
use sqlx::{AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::ledger::{Account, Kind, Posting};
use super::minutes::Minutes;
use super::receipt::{ReceiptState, Row, moved, take_row, write};
use super::record::take;
use super::settle::{Effect, settle};
use super::{By, PaymentError, Reference, matching, turn};
use crate::audit;
use crate::documents;
use crate::jobs::{self, Job};
use crate::law::LawBook;
use crate::store::{Store, StoreError, Tx};

/// Puts an unmatched receipt on a claim, which is then to be settled; returns its id.
pub(super) async fn put_on(
    (tx, minutes): (&mut Tx<'_>, &mut Minutes),
    row: &Row,
    claim: &str,
    (by, note): (By<'_>, Option<&str>),
    now: OffsetDateTime,
) -> Result<String, PaymentError> {
    let claim = take(tx, claim).await?;
    write(tx, row, (ReceiptState::Assigned, Some(&claim.id)), (by, note)).await?;
    on_debtor(&claim.id, row, Kind::Assign).enter(tx, now).await?;
    let row = take_row(tx, &row.id).await?;
    let detail = json!({
        "claim": claim.id, "receipt": row.id, "amount": row.amount, "record": row.digest(),
    });
    minutes.claim(by.actor(), "payment.received", &claim, detail);
    let job = Job::PrintPaper { case: claim.case_id, kind: documents::Kind::Receipt };
    jobs::ask(tx, &job, now).await?;
    Ok(claim.id)
}

/// What became of a claim by the receipts that were put on it.
pub(super) async fn settled(
    (tx, minutes): (&mut Tx<'_>, &mut Minutes),
    law: &LawBook,
    claim: &str,
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    let claim = take(tx, claim).await?;
    let effect = settle(tx, law, &claim, now).await?;
    minutes.effect(&claim, effect);
    Ok(effect)
}

/// Takes a receipt off the claim that it is on.
async fn take_off(
    (tx, minutes): (&mut Tx<'_>, &mut Minutes),
    law: &LawBook,
    row: &Row,
    state: ReceiptState,
    (by, note): (By<'_>, Option<&str>),
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    let claim = take(tx, row.claim_id.as_deref().ok_or(PaymentError::NotPossible)?).await?;
    write(tx, row, (state, None), (by, note)).await?;
    on_debtor(&claim.id, row, Kind::Unassign).enter(tx, now).await?;
    let effect = settle(tx, law, &claim, now).await?;
    let row = take_row(tx, &row.id).await?;
    let detail = json!({
        "claim": claim.id, "receipt": row.id, "amount": row.amount, "record": row.digest(),
    });
    minutes.claim(by.actor(), "payment.taken_off", &claim, detail);
    minutes.effect(&claim, effect);
    Ok(effect)
}

fn on_debtor<'a>(claim: &'a str, row: &'a Row, kind: Kind) -> Posting<'a> {
    let amount = if kind == Kind::Unassign { -row.amount } else { row.amount };
    Posting {
        kind,
        from: Account::Debtor,
        to: Account::Unmatched,
        amount,
        claim: Some(claim),
        receipt: Some(&row.id),
        refund: None,
        day: row.paid_on,
    }
}

/// Takes a receipt that a clerk saw in this version. Taking it counts its version on.
async fn take_seen(tx: &mut Tx<'_>, (receipt, version): (&str, i64)) -> Result<Row, PaymentError> {
    let row = take_row(tx, receipt).await?;
    if row.version == version + 1 { Ok(row) } else { Err(PaymentError::Conflict) }
}

/// A clerk finds whose an unmatched receipt is: `to` is a reference, or a decision's citation where only
/// one decision is cited so. `version` is the one that the clerk saw.
pub async fn assign(
    store: &Store,
    law: &LawBook,
    (receipt, version): (&str, i64),
    to: &str,
    (by, note): (By<'_>, &str),
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    let note = audit::reason(note).ok_or(PaymentError::ReasonMissing)?;
    let mut tx = store.begin().await?;
    turn(&mut tx).await?;
    let row = take_seen(&mut tx, (receipt, version)).await?;
    if row.state != ReceiptState::Unmatched || row.amount < 0 {
        return Err(PaymentError::NotPossible);
    }
    let claim = claim_called(&mut tx, to).await?.ok_or(PaymentError::NotFound)?;
    let mut minutes = Minutes::default();
    let why = (by, Some(note));
    let claim = put_on((&mut tx, &mut minutes), &row, &claim, why, now).await?;
    let effect = settled((&mut tx, &mut minutes), law, &claim, now).await?;
    minutes.write(&mut tx, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(effect)
}

async fn claim_called(tx: &mut Tx<'_>, text: &str) -> Result<Option<String>, StoreError> {
    if let Ok(reference) = super::reference::plain(text).parse::<Reference>() {
        return matching::by_reference(tx, &reference).await;
    }
    let [_, _, _, decision, ..] = super::record::texts();
    let rows = sqlx::query(AssertSqlSafe(decision))
        .bind(text.trim().replace('\0', ""))
        .fetch_all(&mut **tx)
        .await?;
    match &rows[..] {
        [one] => Ok(Some(one.try_get("id")?)),
        _ => Ok(None),
    }
}

/// A receipt was put on the wrong claim: it waits for a clerk again.
pub async fn unassign(
    store: &Store,
    law: &LawBook,
    (receipt, version): (&str, i64),
    (by, note): (By<'_>, &str),
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    let note = audit::reason(note).ok_or(PaymentError::ReasonMissing)?;
    let mut tx = store.begin().await?;
    turn(&mut tx).await?;
    let row = take_seen(&mut tx, (receipt, version)).await?;
    let mut minutes = Minutes::default();
    let (both, state) = ((&mut tx, &mut minutes), ReceiptState::Unmatched);
    let effect = take_off(both, law, &row, state, (by, Some(note)), now).await?;
    minutes.write(&mut tx, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(effect)
}

/// The bank took `receipt` back with the transaction `back`: a clerk says that the two belong together.
/// Both are then as if they had never been, and what the receipt had settled is open again.
pub async fn pair(
    store: &Store,
    law: &LawBook,
    (back, version): (&str, i64),
    receipt_bank_id: &str,
    (by, note): (By<'_>, &str),
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    let note = audit::reason(note).ok_or(PaymentError::ReasonMissing)?;
    let mut tx = store.begin().await?;
    turn(&mut tx).await?;
    let back = take_seen(&mut tx, (back, version)).await?;
    let found: Option<String> =
        sqlx::query_scalar("SELECT id FROM payment_receipts WHERE account = $1 AND bank_id = $2")
            .bind(back.account.clone())
            .bind(receipt_bank_id.trim().replace('\0', ""))
            .fetch_optional(&mut *tx)
            .await
            .map_err(StoreError::from)?;
    let row = take_row(&mut tx, &found.ok_or(PaymentError::NotFound)?).await?;
    let fits = back.state == ReceiptState::Unmatched && back.amount < 0;
    if !fits || row.amount != -back.amount {
        return Err(PaymentError::NotPossible);
    }
    let gone = ReceiptState::TakenBack;
    let mut minutes = Minutes::default();
    let (how, why) = ((gone, "payment.taken_back"), (by, Some(note)));
    moved((&mut tx, &mut minutes), &back, how, why).await?;
    let effect = match row.state {
        ReceiptState::Assigned => {
            let both = (&mut tx, &mut minutes);
            take_off(both, law, &row, gone, (by, Some(note)), now).await?
        }
        ReceiptState::Unmatched => {
            moved((&mut tx, &mut minutes), &row, how, why).await?;
            Effect::None
        }
        // Somebody wants to send it back, or has: that is to be dropped first.
        ReceiptState::Refunding | ReceiptState::Refunded | ReceiptState::TakenBack => {
            return Err(PaymentError::NotPossible);
        }
    };
    minutes.write(&mut tx, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(effect)
}
