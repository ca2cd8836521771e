//! What waits at the desk: receipts that name no claim, money that must go back, claims that are open.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use time::Date;

use super::day_of;
use super::receipt::Payer;
use super::record::{self, ClaimRow};
use super::reference::mentioned;
use crate::store::{Store, StoreError};

/// A receipt that nobody has assigned.
#[derive(Debug, Clone)]
pub struct Receipt {
    pub id: String,
    pub bank_id: String,
    /// Below nothing: the bank took it back.
    pub amount: i64,
    pub paid_on: Date,
    pub purpose: String,
    pub payer: Payer,
    pub version: i64,
}

/// Receipts that nobody has assigned, and those of a claim.
pub(super) fn texts() -> [String; 2] {
    let of = |rest: &str| {
        format!(
            "SELECT id, bank_id, amount, paid_on, purpose, payer, payer_account, payer_bank, version
             FROM payment_receipts WHERE {rest}"
        )
    };
    [
        of("state = 'unmatched' ORDER BY paid_on, id LIMIT $1"),
        of("claim_id = $1 ORDER BY paid_on, id"),
    ]
}

fn read(row: &AnyRow) -> Result<Receipt, StoreError> {
    Ok(Receipt {
        id: row.try_get("id")?,
        bank_id: row.try_get("bank_id")?,
        amount: row.try_get("amount")?,
        paid_on: day_of(row.try_get("paid_on")?)?,
        purpose: row.try_get("purpose")?,
        payer: Payer {
            name: row.try_get("payer")?,
            account: row.try_get("payer_account")?,
            bank: row.try_get("payer_bank")?,
        },
        version: row.try_get("version")?,
    })
}

/// Who waits longest first.
pub async fn unmatched(view: &mut AnyConnection, most: i64) -> Result<Vec<Receipt>, StoreError> {
    let [unmatched, _] = texts();
    let rows = sqlx::query(AssertSqlSafe(unmatched)).bind(most).fetch_all(view).await?;
    rows.iter().map(read).collect()
}

/// What came in on a claim.
pub async fn receipts_of(
    view: &mut AnyConnection,
    claim: &str,
) -> Result<Vec<Receipt>, StoreError> {
    let [_, of_claim] = texts();
    let rows = sqlx::query(AssertSqlSafe(of_claim)).bind(claim.to_owned()).fetch_all(view).await?;
    rows.iter().map(read).collect()
}

/// The claims whose references stand in a purpose: what a clerk looks at first.
pub async fn candidates(
    view: &mut AnyConnection,
    purpose: &str,
) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for reference in mentioned(purpose).whole.into_iter().take(4) {
        let known: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM payment_claims WHERE reference = $1")
                .bind(reference.to_string())
                .fetch_one(&mut *view)
                .await?;
        found.extend((known > 0).then(|| reference.to_string()));
    }
    Ok(found)
}

/// Open claims, whose term ends first.
pub async fn open_claims(view: &mut AnyConnection, most: i64) -> Result<Vec<ClaimRow>, StoreError> {
    let [.., open, _] = record::texts();
    claims(view, open, most).await
}

/// Claims with more than was asked for, of which nobody has asked it back yet.
pub async fn excesses(view: &mut AnyConnection, most: i64) -> Result<Vec<ClaimRow>, StoreError> {
    let [.., excess] = record::texts();
    claims(view, excess, most).await
}

async fn claims(
    view: &mut AnyConnection,
    text: String,
    most: i64,
) -> Result<Vec<ClaimRow>, StoreError> {
    let rows = sqlx::query(AssertSqlSafe(text)).bind(most).fetch_all(view).await?;
    rows.iter().map(ClaimRow::read).collect()
}

/// How much waits for somebody at the desk.
pub async fn counts(store: &Store) -> Result<u64, StoreError> {
    let mut sum = 0;
    for text in [
        "SELECT COUNT(*) FROM payment_receipts WHERE state = 'unmatched'",
        "SELECT COUNT(*) FROM payment_refunds WHERE state IN ('requested', 'confirmed', 'exported')",
        "SELECT COUNT(*) FROM payment_claims WHERE excess > 0 AND NOT EXISTS (
             SELECT 1 FROM payment_refunds WHERE claim_id = payment_claims.id
               AND state IN ('requested', 'confirmed', 'exported'))",
    ] {
        sum += sqlx::query_scalar::<_, i64>(text).fetch_one(store.pool()).await?;
    }
    Ok(u64::try_from(sum).unwrap_or(0))
}
