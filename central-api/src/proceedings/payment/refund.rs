//! Money that goes back: what a claim was paid too much, or a receipt that is not ours. One person asks,
//! another confirms; the confirmed ones go to the bank in a file, and each is booked once it is paid out.

use contract::Digest;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use time::{Date, OffsetDateTime};

use super::ledger::{Account, Kind, Posting};
use super::minutes::Minutes;
use super::receipt::{self, ReceiptState};
use super::record::take;
use super::settle::settle;
use super::{By, Payer, PaymentError, day_text, turn};
use crate::audit;
use crate::case::named;
use crate::law::LawBook;
use crate::secret::random_token;
use crate::store::{Constraint, OnConstraint as _, Store, StoreError, Tx, from_ms, new_id, to_ms};

/// Longest name, account or bank, as bank files take them.
const LONGEST: usize = 140;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Requested,
    Confirmed,
    /// In a file for the bank.
    Exported,
    PaidOut,
    Dropped,
}

/// What goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// A claim's excess, by the claim's id.
    Excess(String),
    /// A whole receipt, by its id.
    Receipt(String),
}

#[derive(Debug, Clone)]
pub struct Refund {
    pub id: String,
    pub of: Of,
    pub amount: i64,
    pub to: Payer,
    pub note: String,
    pub state: State,
    pub asked_by: String,
    pub asked_at: OffsetDateTime,
    pub confirmed_by: Option<String>,
    pub batch: Option<String>,
    pub version: i64,
    /// When it was confirmed and by whom and when it ended, as the row has them.
    ends: (Option<i64>, Option<String>, Option<String>),
    salt: String,
}

const COLUMNS: &str = "id, claim_id, receipt_id, amount, name, account, bank, note, state, asked_by, \
     asked_at, confirmed_by, confirmed_at, batch, ended_by, paid_on, salt, version";

/// One refund taken for a transaction, those under way, those confirmed, and those of a file.
pub(super) fn texts() -> [String; 4] {
    let of = |rest: &str| format!("SELECT {COLUMNS} FROM payment_refunds WHERE {rest}");
    [
        format!(
            "UPDATE payment_refunds SET version = version + 1 WHERE id = $1 RETURNING {COLUMNS}"
        ),
        of("state IN ('requested', 'confirmed', 'exported') ORDER BY asked_at, id LIMIT $1"),
        of("state IN ('requested', 'confirmed', 'exported') AND state = 'confirmed'
            ORDER BY asked_at, id LIMIT $1"),
        of("batch = $1 ORDER BY asked_at, id"),
    ]
}

impl Refund {
    pub(super) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let text = |name: &str| row.try_get::<Option<String>, _>(name);
        let of = match (text("claim_id")?, text("receipt_id")?) {
            (Some(claim), None) => Of::Excess(claim),
            (None, Some(receipt)) => Of::Receipt(receipt),
            _ => return Err(StoreError::corrupt("refund", "of nothing, or of two")),
        };
        Ok(Self {
            id: row.try_get("id")?,
            of,
            amount: row.try_get("amount")?,
            to: Payer {
                name: row.try_get("name")?,
                account: row.try_get("account")?,
                bank: row.try_get("bank")?,
            },
            note: row.try_get("note")?,
            state: named(row.try_get("state")?, "refund's state")?,
            asked_by: row.try_get("asked_by")?,
            asked_at: from_ms(row.try_get("asked_at")?)?,
            confirmed_by: text("confirmed_by")?,
            batch: text("batch")?,
            ends: (row.try_get("confirmed_at")?, text("ended_by")?, text("paid_on")?),
            version: row.try_get("version")?,
            salt: row.try_get("salt")?,
        })
    }

    pub(super) fn digest(&self) -> String {
        let Self { id, amount, to, note, state, asked_by, confirmed_by, batch, .. } = self;
        let (Of::Excess(of) | Of::Receipt(of)) = &self.of;
        let at = to_ms(self.asked_at);
        let who = (asked_by, at, confirmed_by, batch, &self.ends);
        let all = json!([self.salt, id, of, amount, to, note, state, who, self.version]);
        Digest::of(all.to_string().as_bytes()).to_string()
    }
}

const UNDER_WAY: [Constraint; 2] = [
    Constraint { name: "payment_refunds_claim", columns: "payment_refunds.claim_id" },
    Constraint { name: "payment_refunds_receipt", columns: "payment_refunds.receipt_id" },
];

/// Asks that money goes back to `to`; returns the refund's id.
pub async fn ask(
    store: &Store,
    of: &Of,
    to: &Payer,
    (by, note): (By<'_>, &str),
    now: OffsetDateTime,
) -> Result<String, PaymentError> {
    let note = audit::reason(note).ok_or(PaymentError::ReasonMissing)?;
    let to = checked(to)?;
    let mut minutes = Minutes::default();
    let mut tx = store.begin().await?;
    turn(&mut tx).await?;
    let (amount, claim, receipt) = match of {
        Of::Excess(claim) => {
            let claim = take(&mut tx, claim).await?;
            if claim.excess == 0 {
                return Err(PaymentError::NotPossible);
            }
            (claim.excess, Some(claim.id), None)
        }
        Of::Receipt(id) => {
            let row = receipt::take_row(&mut tx, id).await?;
            if row.state != ReceiptState::Unmatched || row.amount <= 0 {
                return Err(PaymentError::NotPossible);
            }
            let how = (ReceiptState::Refunding, "payment.refunding");
            receipt::moved((&mut tx, &mut minutes), &row, how, (by, Some(note))).await?;
            (row.amount, None, Some(row.id))
        }
    };
    let id = new_id(now);
    let mut inserted = sqlx::query(
        "INSERT INTO payment_refunds (id, claim_id, receipt_id, amount, name, account, bank, note,
             state, asked_by, asked_at, salt, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'requested', $9, $10, $11, 1)",
    )
    .bind(id.clone())
    .bind(claim)
    .bind(receipt)
    .bind(amount)
    .bind(to.name)
    .bind(to.account)
    .bind(to.bank)
    .bind(note.to_owned())
    .bind(by.id())
    .bind(to_ms(now))
    .bind(random_token())
    .execute(&mut *tx)
    .await;
    for taken in UNDER_WAY {
        inserted = match inserted.on_constraint::<PaymentError>(taken, || PaymentError::Conflict) {
            Ok(done) => Ok(done),
            Err(PaymentError::Store(StoreError::Database(error))) => Err(error),
            Err(error) => return Err(error),
        };
    }
    inserted.map_err(StoreError::from)?;
    let refund = take_refund(&mut tx, &id).await?;
    told(&mut minutes, by, "refund.requested", &refund);
    minutes.write(&mut tx, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(id)
}

/// Another person agrees.
pub async fn confirm(
    store: &Store,
    (id, version): (&str, i64),
    by: By<'_>,
    now: OffsetDateTime,
) -> Result<(), PaymentError> {
    let mut tx = store.begin().await?;
    turn(&mut tx).await?;
    let refund = at_version(&mut tx, id, version, State::Requested).await?;
    if by.id().as_ref() == Some(&refund.asked_by) {
        return Err(PaymentError::SamePerson);
    }
    still_due(&mut tx, &refund).await?;
    sqlx::query(
        "UPDATE payment_refunds SET state = 'confirmed', confirmed_by = $1, confirmed_at = $2
         WHERE id = $3",
    )
    .bind(by.id())
    .bind(to_ms(now))
    .bind(id.to_owned())
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    let refund = take_refund(&mut tx, id).await?;
    let mut minutes = Minutes::default();
    told(&mut minutes, by, "refund.confirmed", &refund);
    minutes.write(&mut tx, now).await?;
    Ok(tx.commit().await.map_err(StoreError::from)?)
}

/// It is not paid out: refused by whoever should confirm it, given up, or sent back by the bank. The
/// receipt waits for a clerk again, the claim's excess is as before.
pub async fn give_up(
    store: &Store,
    (id, version): (&str, i64),
    by: By<'_>,
    now: OffsetDateTime,
) -> Result<(), PaymentError> {
    let mut tx = store.begin().await?;
    turn(&mut tx).await?;
    let refund = take_refund(&mut tx, id).await?;
    if refund.version != version + 1 {
        return Err(PaymentError::Conflict);
    }
    if matches!(refund.state, State::PaidOut | State::Dropped) {
        return Err(PaymentError::NotPossible);
    }
    sqlx::query("UPDATE payment_refunds SET state = 'dropped', ended_by = $1 WHERE id = $2")
        .bind(by.id())
        .bind(id.to_owned())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)?;
    let mut minutes = Minutes::default();
    if let Of::Receipt(receipt) = &refund.of {
        let row = receipt::take_row(&mut tx, receipt).await?;
        let how = (ReceiptState::Unmatched, "payment.unmatched");
        receipt::moved((&mut tx, &mut minutes), &row, how, (by, None)).await?;
    }
    let refund = take_refund(&mut tx, id).await?;
    told(&mut minutes, by, "refund.dropped", &refund);
    minutes.write(&mut tx, now).await?;
    Ok(tx.commit().await.map_err(StoreError::from)?)
}

/// Most refunds of one file.
const MOST: i64 = 1000;

/// Puts everything confirmed into a file for the bank; returns the file's id, none where nothing waits.
pub async fn export(
    store: &Store,
    by: By<'_>,
    now: OffsetDateTime,
) -> Result<Option<String>, PaymentError> {
    let mut tx = store.begin().await?;
    turn(&mut tx).await?;
    let [_, _, confirmed, _] = texts();
    let rows = sqlx::query(AssertSqlSafe(confirmed))
        .bind(MOST)
        .fetch_all(&mut *tx)
        .await
        .map_err(StoreError::from)?;
    let refunds = rows.iter().map(Refund::read).collect::<Result<Vec<_>, _>>()?;
    let batch = new_id(now);
    let mut exported = Vec::new();
    for refund in refunds {
        match still_due(&mut tx, &refund).await {
            Ok(()) => exported.push(refund),
            // What the bank took back meanwhile is not sent after it.
            Err(PaymentError::NotPossible) => {}
            Err(error) => return Err(error),
        }
    }
    for refund in &exported {
        sqlx::query("UPDATE payment_refunds SET state = 'exported', batch = $1 WHERE id = $2")
            .bind(batch.clone())
            .bind(refund.id.clone())
            .execute(&mut *tx)
            .await
            .map_err(StoreError::from)?;
    }
    if exported.is_empty() {
        return Ok(None);
    }
    let mut minutes = Minutes::default();
    for refund in &exported {
        let refund = take_refund(&mut tx, &refund.id).await?;
        told(&mut minutes, by, "refund.exported", &refund);
    }
    minutes.write(&mut tx, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Some(batch))
}

/// The bank has paid it out on `day`.
pub async fn paid_out(
    store: &Store,
    law: &LawBook,
    (id, version): (&str, i64),
    (by, day): (By<'_>, Date),
    now: OffsetDateTime,
) -> Result<(), PaymentError> {
    let mut tx = store.begin().await?;
    turn(&mut tx).await?;
    let refund = at_version(&mut tx, id, version, State::Exported).await?;
    if day > super::today(now) || day < super::today(refund.asked_at) {
        return Err(PaymentError::NotPossible);
    }
    sqlx::query(
        "UPDATE payment_refunds SET state = 'paid_out', paid_on = $1, ended_by = $2 WHERE id = $3",
    )
    .bind(day_text(day))
    .bind(by.id())
    .bind(id.to_owned())
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    let (from, to) = (Account::Treasury, Account::Debtor);
    let posting = |claim, receipt, to| Posting {
        kind: Kind::Refund,
        from,
        to,
        amount: refund.amount,
        claim,
        receipt,
        refund: Some(id),
        day,
    };
    let mut minutes = Minutes::default();
    let mut effect = None;
    match &refund.of {
        Of::Excess(claim) => {
            posting(Some(claim), None, to).enter(&mut tx, now).await?;
            let claim = take(&mut tx, claim).await?;
            // The money is gone, whatever the bank took back meanwhile: the claim may be open again.
            effect = Some((settle(&mut tx, law, &claim, now).await?, claim));
        }
        Of::Receipt(receipt) => {
            posting(None, Some(receipt), Account::Unmatched).enter(&mut tx, now).await?;
            let row = receipt::take_row(&mut tx, receipt).await?;
            let how = (ReceiptState::Refunded, "payment.refunded");
            receipt::moved((&mut tx, &mut minutes), &row, how, (by, None)).await?;
        }
    }
    let refund = take_refund(&mut tx, id).await?;
    told(&mut minutes, by, "refund.paid_out", &refund);
    if let Some((effect, claim)) = effect {
        minutes.effect(&claim, effect);
    }
    minutes.write(&mut tx, now).await?;
    Ok(tx.commit().await.map_err(StoreError::from)?)
}

async fn take_refund(tx: &mut Tx<'_>, id: &str) -> Result<Refund, PaymentError> {
    let [take, ..] = texts();
    let row = sqlx::query(AssertSqlSafe(take))
        .bind(id.replace('\0', ""))
        .fetch_optional(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    Ok(Refund::read(&row.ok_or(PaymentError::NotFound)?)?)
}

async fn at_version(
    tx: &mut Tx<'_>,
    id: &str,
    version: i64,
    state: State,
) -> Result<Refund, PaymentError> {
    let refund = take_refund(tx, id).await?;
    // Taking it has counted its version on.
    if refund.version != version + 1 {
        return Err(PaymentError::Conflict);
    }
    if refund.state == state { Ok(refund) } else { Err(PaymentError::NotPossible) }
}

/// Whether the claim still has that much too much.
async fn still_due(tx: &mut Tx<'_>, refund: &Refund) -> Result<(), PaymentError> {
    let Of::Excess(claim) = &refund.of else { return Ok(()) };
    let claim = take(tx, claim).await?;
    if claim.excess < refund.amount { Err(PaymentError::NotPossible) } else { Ok(()) }
}

fn told(minutes: &mut Minutes, by: By<'_>, action: &'static str, refund: &Refund) {
    let detail = json!({ "amount": refund.amount, "refund": refund.id, "record": refund.digest() });
    minutes.note(by.actor(), action, ("refund", &refund.id), detail);
}

/// Refunds under way, oldest first.
pub async fn waiting(view: &mut AnyConnection, most: i64) -> Result<Vec<Refund>, StoreError> {
    let [_, waiting, ..] = texts();
    let rows = sqlx::query(AssertSqlSafe(waiting)).bind(most).fetch_all(view).await?;
    rows.iter().map(Refund::read).collect()
}

/// The file for the bank: CSV in UTF-8 with a byte order mark, as spreadsheets open it.
pub async fn file(view: &mut AnyConnection, batch: &str) -> Result<Option<String>, StoreError> {
    let [.., of_batch] = texts();
    let rows =
        sqlx::query(AssertSqlSafe(of_batch)).bind(batch.replace('\0', "")).fetch_all(view).await?;
    // What was dropped or paid out since must not be paid by the same file again.
    let refunds = rows.iter().map(Refund::read).collect::<Result<Vec<_>, StoreError>>()?;
    let refunds: Vec<_> = refunds.iter().filter(|it| it.state == State::Exported).collect();
    if refunds.is_empty() {
        return Ok(None);
    }
    let mut text =
        "\u{feff}stt,ten_nguoi_nhan,so_tai_khoan,ngan_hang,so_tien,noi_dung\r\n".to_owned();
    for (number, refund) in (1..).zip(refunds) {
        let quoted = |field: &str| format!("\"{}\"", field.replace('"', "\"\""));
        text.push_str(&format!(
            "{number},{},{},{},{},Hoan tra tien nop phat {}\r\n",
            quoted(&refund.to.name),
            quoted(&refund.to.account),
            quoted(&refund.to.bank),
            refund.amount,
            refund.id,
        ));
    }
    Ok(Some(text))
}

/// A spreadsheet takes what begins with a sign for a formula; nobody is called so.
fn checked(to: &Payer) -> Result<Payer, PaymentError> {
    let field = |name: &'static str, text: &str| {
        let text = text.trim();
        let fits = (1..=LONGEST).contains(&text.chars().count())
            && text.chars().next().is_some_and(char::is_alphanumeric)
            && !text.chars().any(char::is_control);
        fits.then(|| text.to_owned()).ok_or(PaymentError::Field(name))
    };
    Ok(Payer {
        name: field("name", &to.name)?,
        account: field("account", &to.account)?,
        bank: field("bank", &to.bank)?,
    })
}
