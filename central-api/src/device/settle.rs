//! Settling a box's chain over packages that are lost: the box's disk died with them, or the
//! central was restored from an older backup. Until somebody answers for the gap, nothing that
//! comes after it is taken.
//!
//! The audit row is the only record: that it was settled, by whom and why, is chained by hash, and
//! verification goes on naming the gap.

use std::collections::HashMap;

use sqlx::Row as _;
use time::OffsetDateTime;

use crate::audit;
use crate::store::{Store, StoreError, Tx, from_ms};

const ACTION: &str = "device.chain_settled";

#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error("device {0} is not enrolled")]
    Unknown(String),
    #[error(
        "sequence {next} leaves nothing out: the chain of {device} ends at {head}, so {} comes next by itself", head + 1
    )]
    NoGap { device: String, head: i64, next: i64 },
    #[error("say in 10 to 500 characters why the packages are lost: an auditor will read it")]
    Reason,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SettleError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// A gap somebody answered for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub at: OffsetDateTime,
    pub reason: String,
}

/// By device and the sequence number after the gap.
pub type Gaps = HashMap<(String, i64), Settled>;

/// Lets the chain of `device` go on at `next`; returns how many packages are given up.
pub async fn settle(
    store: &Store,
    at: OffsetDateTime,
    device: &str,
    next: i64,
    reason: &str,
) -> Result<i64, SettleError> {
    let reason = reason.trim();
    if !(10..=500).contains(&reason.chars().count()) || reason.chars().any(char::is_control) {
        return Err(SettleError::Reason);
    }
    let mut tx = store.begin().await?;
    let head: Option<i64> = sqlx::query_scalar("SELECT head_sequence FROM devices WHERE id = $1")
        .bind(device)
        .fetch_optional(&mut *tx)
        .await?;
    let head = head.ok_or_else(|| SettleError::Unknown(device.to_owned()))?;
    if next <= head + 1 {
        return Err(SettleError::NoGap { device: device.to_owned(), head, next });
    }
    let entry = audit::Entry {
        at,
        actor: "system",
        action: ACTION,
        subject_kind: "device",
        subject_id: device,
        detail: serde_json::json!({ "after": head, "next": next, "reason": reason }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await?;
    Ok(next - head - 1)
}

/// Whether the gap before `next` was settled.
pub(super) async fn settled(tx: &mut Tx<'_>, device: &str, next: i64) -> Result<bool, StoreError> {
    let rows = sqlx::query(
        "SELECT at, subject_id, detail FROM audit
         WHERE subject_kind = 'device' AND subject_id = $1 AND action = $2",
    )
    .bind(device)
    .bind(ACTION)
    .fetch_all(&mut **tx)
    .await?;
    Ok(read(&rows)?.contains_key(&(device.to_owned(), next)))
}

/// Every gap that was settled.
pub async fn all(store: &Store) -> Result<Gaps, StoreError> {
    let rows = sqlx::query(
        "SELECT at, subject_id, detail FROM audit WHERE subject_kind = 'device' AND action = $1",
    )
    .bind(ACTION)
    .fetch_all(store.pool())
    .await?;
    read(&rows)
}

fn read(rows: &[sqlx::any::AnyRow]) -> Result<Gaps, StoreError> {
    let mut gaps = Gaps::new();
    for row in rows {
        let detail: String = row.try_get("detail")?;
        // A row that was tampered with settles nothing; the audit chain names it.
        let Ok(detail) = serde_json::from_str::<serde_json::Value>(&detail) else { continue };
        let (Some(next), Some(reason)) = (detail["next"].as_i64(), detail["reason"].as_str())
        else {
            continue;
        };
        let settled = Settled { at: from_ms(row.try_get("at")?)?, reason: reason.to_owned() };
        gaps.insert((row.try_get("subject_id")?, next), settled);
    }
    Ok(gaps)
}
