//! Money that came in: taken once, however often and by whatever way the bank tells of it, and put on the
//! claim that its purpose names. What names none waits for a clerk.

use contract::Digest;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use time::{Date, OffsetDateTime};

use super::assign::{put_on, settled};
use super::ledger::{Account, Kind, Posting};
use super::minutes::Minutes;
use super::settle::Effect;
use super::{By, MOST, PaymentError, day_of, day_text, matching, turn};
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
    pub(super) fn read(row: &AnyRow) -> Result<Self, StoreError> {
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
    pub(super) fn digest(&self) -> String {
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
        .bind(id.replace('\0', ""))
        .fetch_optional(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    Ok(Row::read(&row.ok_or(PaymentError::NotFound)?)?)
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
    let taken = match take_in(both, law, incoming, Source::Notification, now).await? {
        Entered::Known => Taken::Known,
        Entered::Unmatched => Taken::Unmatched,
        Entered::On(claim) => {
            Taken::Assigned(settled((&mut tx, &mut minutes), law, &claim, now).await?)
        }
    };
    minutes.write(&mut tx, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(taken)
}

/// Where a transaction was entered.
pub(super) enum Entered {
    Known,
    Unmatched,
    /// On the claim of that id, which is still to be settled: once, whatever else comes on it.
    On(String),
}

/// Takes a transaction of the bank in, in the turn of receipts.
pub(super) async fn take_in(
    (tx, minutes): (&mut Tx<'_>, &mut Minutes),
    law: &LawBook,
    incoming: &Incoming,
    source: Source,
    now: OffsetDateTime,
) -> Result<Entered, PaymentError> {
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
        return Ok(Entered::Known);
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
            Ok(Entered::On(put_on((tx, minutes), &row, &claim, by, now).await?))
        }
        None => {
            let row = take_row(tx, &id).await?;
            told(minutes, By::System, "payment.unmatched", &row);
            Ok(Entered::Unmatched)
        }
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
    let detail = json!({ "amount": row.amount, "receipt": row.id, "record": row.digest() });
    minutes.note(by.actor(), action, ("receipt", &row.id), detail);
}

/// Brings a taken receipt, which is on no claim, somewhere else.
pub(super) async fn moved(
    (tx, minutes): (&mut Tx<'_>, &mut Minutes),
    row: &Row,
    (state, action): (ReceiptState, &'static str),
    (by, note): (By<'_>, Option<&str>),
) -> Result<(), PaymentError> {
    write(tx, row, (state, None), (by, note)).await?;
    let row = take_row(tx, &row.id).await?;
    told(minutes, by, action, &row);
    Ok(())
}
