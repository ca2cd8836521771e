//! The ledger: every movement of money is entered twice, what one account gives another gets, so that
//! all entries together are nothing. It only grows; a mistake is undone by a further movement.

use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, Row as _};
use time::{Date, OffsetDateTime};

use super::{day_of, day_text};
use crate::case::{name_of, named};
use crate::store::{StoreError, Tx, new_id, to_ms};

/// Where money is, or from whom it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// What payers owe; below nothing, what is owed to them.
    Debtor,
    /// Fines that were decided.
    Fine,
    /// Surcharges of late payment.
    Surcharge,
    /// The treasury account at the bank.
    Treasury,
    /// Receipts that nobody has assigned.
    Unmatched,
}

/// Why money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Claim,
    Change,
    Cancel,
    Surcharge,
    Receipt,
    Assign,
    Unassign,
    Refund,
}

/// One movement, from one account to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posting<'a> {
    pub kind: Kind,
    pub from: Account,
    pub to: Account,
    /// Below nothing it goes the other way.
    pub amount: i64,
    pub claim: Option<&'a str>,
    pub receipt: Option<&'a str>,
    pub refund: Option<&'a str>,
    pub day: Date,
}

impl Posting<'_> {
    /// What a kind moves, on a claim.
    pub fn on_claim(claim: &str, kind: Kind, from: Account, amount: i64, day: Date) -> Posting<'_> {
        let (receipt, refund) = (None, None);
        Posting {
            kind,
            from,
            to: Account::Debtor,
            amount,
            claim: Some(claim),
            receipt,
            refund,
            day,
        }
    }

    /// Enters it; nothing where nothing moves.
    pub async fn enter(&self, tx: &mut Tx<'_>, now: OffsetDateTime) -> Result<(), StoreError> {
        if self.amount == 0 {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO payment_entries
                 (booking, account, kind, amount, claim_id, receipt_id, refund_id, day, at)
             VALUES ($1, $2, $4, $5, $7, $8, $9, $10, $11), ($1, $3, $4, $6, $7, $8, $9, $10, $11)",
        )
        .bind(new_id(now))
        .bind(name_of(&self.from))
        .bind(name_of(&self.to))
        .bind(name_of(&self.kind))
        .bind(-self.amount)
        .bind(self.amount)
        .bind(self.claim.map(str::to_owned))
        .bind(self.receipt.map(str::to_owned))
        .bind(self.refund.map(str::to_owned))
        .bind(day_text(self.day))
        .bind(to_ms(now))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// One movement on what a claim's payer owes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    pub amount: i64,
    pub day: Date,
}

/// The movements on a claim, oldest first.
pub async fn of_claim(view: &mut AnyConnection, claim: &str) -> Result<Vec<Entry>, StoreError> {
    let rows = sqlx::query(
        "SELECT kind, amount, day FROM payment_entries
         WHERE claim_id = $1 AND account = 'debtor' ORDER BY at, booking LIMIT 500",
    )
    .bind(claim.to_owned())
    .fetch_all(view)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                kind: named(row.try_get("kind")?, "payment entry")?,
                amount: row.try_get("amount")?,
                day: day_of(row.try_get("day")?)?,
            })
        })
        .collect()
}
