//! Who did what, when: rows chained by hash, so a changed, removed or reordered row shows.
//!
//! A row's hash is SHA-256 over the JSON array of its fields and the hash before it. The head row
//! is taken by an UPDATE at the start of an append, which orders concurrent writers on both
//! databases until they commit. Append last in a transaction: it holds that lock, and what it says of
//! other rows (`rows`) is what they are then.

mod chain;
mod pending;
mod rows;

use sqlx::Row as _;
use time::OffsetDateTime;

use crate::store::{StoreError, Tx, to_ms};

pub use chain::{Broken, Verified, verify};
pub use pending::Pending;
pub use rows::{Covered, Digests, TABLES, Table, told};

/// One thing that was done.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    pub at: OffsetDateTime,
    /// `user:LOGIN`, `device:ID`, `owner`, or `system`.
    pub actor: &'a str,
    /// Verb in the past or a dotted event name, e.g. `case.approved`.
    pub action: &'a str,
    pub subject_kind: &'a str,
    pub subject_id: &'a str,
    pub detail: serde_json::Value,
}

/// A reason as the chain keeps it, if an auditor can read it: 10 to 500 characters on one line.
pub fn reason(text: &str) -> Option<&str> {
    let text = text.trim();
    let good = (10..=500).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    good.then_some(text)
}

/// Adds a row to the chain; it counts once `tx` commits.
pub async fn append(tx: &mut Tx<'_>, entry: Entry<'_>) -> Result<(), StoreError> {
    append_all(tx, vec![entry]).await
}

/// Adds rows in their order, the head taken once for all.
pub async fn append_all(tx: &mut Tx<'_>, entries: Vec<Entry<'_>>) -> Result<(), StoreError> {
    let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    if count == 0 {
        return Ok(());
    }
    let head = sqlx::query("UPDATE audit_head SET seq = seq + $1 WHERE id = 1 RETURNING seq, hash")
        .bind(count)
        .fetch_one(&mut **tx)
        .await?;
    let last: i64 = head.try_get("seq")?;
    let mut previous: String = head.try_get("hash")?;
    for (seq, entry) in (last - count + 1..).zip(entries) {
        let mut detail = entry.detail;
        let about = (entry.subject_kind, entry.subject_id, entry.action);
        rows::tell(tx, about, &mut detail).await?;
        let row = chain::Row {
            seq,
            at: to_ms(entry.at),
            actor: entry.actor.to_owned(),
            action: entry.action.to_owned(),
            subject_kind: entry.subject_kind.to_owned(),
            subject_id: entry.subject_id.to_owned(),
            detail: detail.to_string(),
            previous,
        };
        let hash = row.hash();
        sqlx::query(
            "INSERT INTO audit
                 (seq, at, actor, action, subject_kind, subject_id, detail, previous, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(row.seq)
        .bind(row.at)
        .bind(row.actor)
        .bind(row.action)
        .bind(row.subject_kind)
        .bind(row.subject_id)
        .bind(row.detail)
        .bind(row.previous)
        .bind(hash.as_str())
        .execute(&mut **tx)
        .await?;
        previous = hash;
    }
    sqlx::query("UPDATE audit_head SET hash = $1 WHERE id = 1")
        .bind(previous)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
