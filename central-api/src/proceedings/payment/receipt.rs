//! Money that came in: taken once, however often and by whatever way the bank tells of it, and put on the
//! claim that its purpose names. What names none waits for a clerk, and what the bank takes back undoes
//! what it brought.

use contract::Digest;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use time::{Date, OffsetDateTime};

use super::ledger::{Account, Kind, Posting};
use super::minutes::Minutes;
use super::record::take;
use super::settle::{Effect, settle};
use super::{By, MOST, PaymentError, Reference, day_of, day_text, matching, turn};
use crate::audit;
use crate::case::{name_of, named};
use crate::law::LawBook;
use crate::secret::random_token;
use crate::store::{Store, StoreError, Tx, new_id, to_ms};

/// One transaction on the treasury account, as the bank tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    pub account: String,
    /// The bank's own number of it.
    pub bank_id: String,
    /// Below nothing: the bank takes it back.
    pub amount: i64,
    pub paid_on: Date,
    pub purpose: String,
    pub payer: Payer,
    /// A payment of ours that came back: whatever its purpose says, people look.
    pub is_returned: bool,
}

/// Who paid, as far as the bank says.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Payer {
    pub name: String,
    pub account: String,
    pub bank: String,
}

/// Personal data are not printed.
impl std::fmt::Debug for Payer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Payer(…)")
    }
}

/// By which way it became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    Statement,
    Notification,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    Unmatched,
    Assigned,
    /// Not ours: somebody asked that it goes back.
    Refunding,
    Refunded,
    /// By the bank.
    TakenBack,
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was on record already.
    Known,
    Unmatched,
    Assigned(Effect),
}

#[derive(Debug)]
pub(super) struct Row {
    pub id: String,
    pub account: String,
    pub amount: i64,
    pub paid_on: Date,
    pub state: ReceiptState,
    pub claim_id: Option<String>,
    pub version: i64,
    fields: Vec<Option<String>>,
    salt: String,
}

/// Reads a receipt, and takes it for a transaction.
pub(super) fn texts() -> [String; 2] {
    let columns = "id, account, bank_id, amount, paid_on, purpose, payer, payer_account, payer_bank, \
         state, claim_id, decided_by, note, salt, version";
    [
        format!("SELECT {columns} FROM payment_receipts WHERE id = $1"),
        format!(
            "UPDATE payment_receipts SET version = version + 1 WHERE id = $1 RETURNING {columns}"
        ),
    ]
}

impl Row {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let text = |name: &str| row.try_get::<Option<String>, _>(name);
        let fields = ["bank_id", "purpose", "payer", "payer_account", "payer_bank"];
        let fields = fields.into_iter().chain(["decided_by", "note"]);
        Ok(Self {
            id: row.try_get("id")?,
            account: row.try_get("account")?,
            amount: row.try_get("amount")?,
            paid_on: day_of(row.try_get("paid_on")?)?,
            state: named(row.try_get("state")?, "receipt's state")?,
            claim_id: text("claim_id")?,
            version: row.try_get("version")?,
            fields: fields.map(text).collect::<Result<_, _>>()?,
            salt: row.try_get("salt")?,
        })
    }

    /// Of everything in it, as the audit keeps it instead of a payer's name.
    fn digest(&self) -> String {
        let Self { id, account, amount, paid_on, state, claim_id, version, fields, salt } = self;
        let paid_on = day_text(*paid_on);
        let all = json!([salt, id, account, amount, paid_on, state, claim_id, version, fields]);
        Digest::of(all.to_string().as_bytes()).to_string()
    }
}

/// The receipt as it is, and nobody else's until `tx` ends.
pub(super) async fn take_row(tx: &mut Tx<'_>, id: &str) -> Result<Row, PaymentError> {
    let [_, take] = texts();
    let row = sqlx::query(AssertSqlSafe(take))
        .bind(id.to_owned())
        .fetch_optional(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    Ok(Row::read(&row.ok_or(PaymentError::NotFound)?)?)
}

/// State, claim and version of a receipt.
pub async fn find_receipt(
    view: &mut AnyConnection,
    id: &str,
) -> Result<Option<(ReceiptState, Option<String>, i64)>, StoreError> {
    let [one, _] = texts();
    let row = sqlx::query(AssertSqlSafe(one)).bind(id.to_owned()).fetch_optional(view).await?;
    let row = row.map(|row| Row::read(&row)).transpose()?;
    Ok(row.map(|row| (row.state, row.claim_id, row.version)))
}

/// A notification of the bank: its own name, and what it said in all.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    pub id: &'a str,
    pub sha256: &'a str,
}

/// Takes in what the bank notified of. The same event is known; another one of its name is a conflict.
pub async fn notified(
    store: &Store,
    law: &LawBook,
    event: Event<'_>,
    incoming: &Incoming,
    now: OffsetDateTime,
) -> Result<Taken, PaymentError> {
    let mut tx = store.begin().await?;
    turn(&mut tx).await?;
    let fresh = sqlx::query(
        "INSERT INTO payment_events (id, sha256, at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
    )
    .bind(event.id.to_owned())
    .bind(event.sha256.to_owned())
    .bind(to_ms(now))
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    if fresh.rows_affected() == 0 {
        let before: String = sqlx::query_scalar("SELECT sha256 FROM payment_events WHERE id = $1")
            .bind(event.id.to_owned())
            .fetch_one(&mut *tx)
            .await
            .map_err(StoreError::from)?;
        let is_same = before == event.sha256;
        return if is_same { Ok(Taken::Known) } else { Err(PaymentError::Conflict) };
    }
    let mut minutes = Minutes::default();
    let both = (&mut tx, &mut minutes);
    let taken = take_in(both, law, incoming, Source::Notification, now).await?;
    minutes.write(&mut tx, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(taken)
}

/// Takes a transaction of the bank in, in the turn of receipts.
pub(super) async fn take_in(
    (tx, minutes): (&mut Tx<'_>, &mut Minutes),
    law: &LawBook,
    incoming: &Incoming,
    source: Source,
    now: OffsetDateTime,
) -> Result<Taken, PaymentError> {
    let Incoming { account, bank_id, amount, paid_on, purpose, payer, is_returned } = incoming;
    if *amount == 0 || amount.unsigned_abs() > MOST.unsigned_abs() {
        return Err(PaymentError::Amount);
    }
    let id = new_id(now);
    let inserted = sqlx::query(
        "INSERT INTO payment_receipts (id, account, bank_id, amount, paid_on, purpose, payer,
             payer_account, payer_bank, source, received_at, state, salt, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'unmatched', $12, 1)
         ON CONFLICT (account, bank_id) DO NOTHING",
    )
    .bind(id.clone())
    .bind(account.clone())
    .bind(bank_id.clone())
    .bind(*amount)
    .bind(day_text(*paid_on))
    .bind(purpose.clone())
    .bind(payer.name.clone())
    .bind(payer.account.clone())
    .bind(payer.bank.clone())
    .bind(name_of(&source))
    .bind(to_ms(now))
    .bind(random_token())
    .execute(&mut **tx)
    .await
    .map_err(StoreError::from)?;
    if inserted.rows_affected() == 0 {
        let before: i64 = sqlx::query_scalar(
            "SELECT amount FROM payment_receipts WHERE account = $1 AND bank_id = $2",
        )
        .bind(account.clone())
        .bind(bank_id.clone())
        .fetch_one(&mut **tx)
        .await
        .map_err(StoreError::from)?;
        if before != *amount {
            return Err(PaymentError::OtherAmount(bank_id.clone()));
        }
        return Ok(Taken::Known);
    }
    let receipt = Posting {
        kind: Kind::Receipt,
        from: Account::Unmatched,
        to: Account::Treasury,
        amount: *amount,
        claim: None,
        receipt: Some(&id),
        refund: None,
        day: *paid_on,
    };
    receipt.enter(tx, now).await?;
    let is_ours = *amount > 0 && !is_returned;
    let claim = match is_ours {
        true => matching::named_by(tx, law, purpose, (*amount, *paid_on)).await?,
        false => None,
    };
    match claim {
        Some(claim) => {
            let row = take_row(tx, &id).await?;
            let by = (By::System, None);
            Ok(Taken::Assigned(put_on((tx, minutes), law, &row, &claim, by, now).await?))
        }
        None => {
            let row = take_row(tx, &id).await?;
            told(minutes, By::System, "payment.unmatched", &row);
            Ok(Taken::Unmatched)
        }
    }
}

/// Puts an unmatched receipt on a claim.
async fn put_on(
    (tx, minutes): (&mut Tx<'_>, &mut Minutes),
    law: &LawBook,
    row: &Row,
    claim: &str,
    (by, note): (By<'_>, Option<&str>),
    now: OffsetDateTime,
) -> Result<Effect, PaymentError> {
    let claim = take(tx, claim).await?;
    write(tx, row, (ReceiptState::Assigned, Some(&claim.id)), (by, note)).await?;
    on_debtor(&claim.id, row, Kind::Assign).enter(tx, now).await?;
    let effect = settle(tx, law, &claim, now).await?;
    let row = take_row(tx, &row.id).await?;
    let detail = json!({
        "claim": claim.id, "receipt": row.id, "amount": row.amount, "record": row.digest(),
    });
    minutes.claim(by.actor(), "payment.received", &claim, detail);
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

/// Writes where a taken receipt is now, by whom and why.
pub(super) async fn write(
    tx: &mut Tx<'_>,
    row: &Row,
    (state, claim): (ReceiptState, Option<&str>),
    (by, note): (By<'_>, Option<&str>),
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE payment_receipts SET state = $1, claim_id = $2, decided_by = $3, note = $4
         WHERE id = $5",
    )
    .bind(name_of(&state))
    .bind(claim.map(str::to_owned))
    .bind(by.id())
    .bind(note.map(str::to_owned))
    .bind(row.id.clone())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What was done to a receipt that is on no claim.
fn told(minutes: &mut Minutes, by: By<'_>, action: &'static str, row: &Row) {
    let detail = json!({ "amount": row.amount, "record": row.digest() });
    minutes.note(by.actor(), action, ("receipt", &row.id), detail);
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
    let row = take_row(&mut tx, receipt).await?;
    // Taking it has counted its version on.
    if row.version != version + 1 {
        return Err(PaymentError::Conflict);
    }
    if row.state != ReceiptState::Unmatched || row.amount < 0 {
        return Err(PaymentError::NotPossible);
    }
    let claim = claim_called(&mut tx, to).await?.ok_or(PaymentError::NotFound)?;
    let mut minutes = Minutes::default();
    let both = (&mut tx, &mut minutes);
    let effect = put_on(both, law, &row, &claim, (by, Some(note)), now).await?;
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
    let row = take_row(&mut tx, receipt).await?;
    if row.version != version + 1 {
        return Err(PaymentError::Conflict);
    }
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
    let back = take_row(&mut tx, back).await?;
    if back.version != version + 1 {
        return Err(PaymentError::Conflict);
    }
    let found: Option<String> = sqlx::query_scalar(
        "SELECT id FROM payment_receipts WHERE account = $1 AND bank_id = $2",
    )
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
    write(&mut tx, &back, (gone, None), (by, Some(note))).await?;
    let effect = match row.state {
        ReceiptState::Assigned => {
            let both = (&mut tx, &mut minutes);
            take_off(both, law, &row, gone, (by, Some(note)), now).await?
        }
        ReceiptState::Unmatched => {
            write(&mut tx, &row, (gone, None), (by, Some(note))).await?;
            Effect::None
        }
        // Somebody wants to send it back, or has: that is to be dropped first.
        ReceiptState::Refunding | ReceiptState::Refunded | ReceiptState::TakenBack => {
            return Err(PaymentError::NotPossible);
        }
    };
    for id in [&back.id, &row.id] {
        let row = take_row(&mut tx, id).await?;
        told(&mut minutes, by, "payment.taken_back", &row);
    }
    minutes.write(&mut tx, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(effect)
}
