//! Settling a box's chain where it does not go on by itself. Packages may be lost: the box's disk
//! died with them, or the central was restored from an older backup. Or the box begins its numbers
//! again: its image was restored, its spool emptied. Until somebody answers for it, nothing that
//! comes after is taken: a chain never forks by itself.
//!
//! Where a chain begins again, a new run of numbers starts. The database keeps run and number as
//! one position, so that each manifest has its own and they sort as they came.
//!
//! The audit row is the only record: that it was settled, by whom and why, is chained by hash, and
//! verification goes on naming the gap.

use std::collections::HashMap;

use sqlx::{AnyConnection, Row as _};
use time::OffsetDateTime;

use crate::audit;
use crate::store::{Store, StoreError, Tx, from_ms};

const ACTION: &str = "device.chain_settled";

#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error("device {0} is not enrolled")]
    Unknown(String),
    #[error(
        "sequence {next} leaves nothing out: the chain of {device} ends at {head}, so {} comes next by itself; \
         where the box's manifest names another predecessor (broken_chain), add --again", head + 1
    )]
    NoGap { device: String, head: i64, next: i64 },
    #[error("sequence numbers start at 1")]
    Next,
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

/// By device and the position after the gap.
pub type Gaps = HashMap<(String, i64), Settled>;

/// Numbers of one run, in bits.
const RUN: u32 = 40;

/// Where in its device's history a manifest stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// How often the numbers have begun again.
    pub run: i64,
    pub sequence: u64,
}

impl Position {
    /// None where the number is beyond what a run can count.
    pub(super) fn stored(self) -> Option<i64> {
        let sequence = i64::try_from(self.sequence).ok().filter(|number| number >> RUN == 0)?;
        Some((self.run << RUN) | sequence)
    }

    pub(super) fn read(stored: i64) -> Self {
        let sequence = stored & ((1 << RUN) - 1);
        // The mask leaves no sign.
        Self { run: stored >> RUN, sequence: sequence.unsigned_abs() }
    }
}

/// A stored position for people: the number, and the run where there is more than one.
pub fn in_words(stored: i64) -> String {
    let Position { run, sequence } = Position::read(stored);
    if run == 0 { sequence.to_string() } else { format!("{sequence} of run {}", run + 1) }
}

/// What is missing between two stored positions, for people.
pub fn gap_in_words(after: i64, next: i64) -> String {
    let (old, new) = (Position::read(after), Position::read(next));
    if old.run == new.run {
        let (from, to) = (in_words(after + 1), in_words(next - 1));
        return format!("sequence {from} to {to} missing before {}", in_words(next));
    }
    format!("numbers begin again at {} after {}", new.sequence, in_words(after))
}

/// Lets the chain of `device` go on at `next`, over a gap or, where `next` was reached before, from
/// there again; returns how many packages are given up.
pub async fn settle(
    store: &Store,
    at: OffsetDateTime,
    device: &str,
    next: i64,
    reason: &str,
) -> Result<i64, SettleError> {
    go_on(store, at, device, next, reason, false).await
}

/// Lets the numbers of `device` begin again at `next`, whatever its manifest names as predecessor.
pub async fn begin_again(
    store: &Store,
    at: OffsetDateTime,
    device: &str,
    next: i64,
    reason: &str,
) -> Result<(), SettleError> {
    go_on(store, at, device, next, reason, true).await.map(|_| ())
}

async fn go_on(
    store: &Store,
    at: OffsetDateTime,
    device: &str,
    next: i64,
    reason: &str,
    again: bool,
) -> Result<i64, SettleError> {
    let reason = audit::reason(reason).ok_or(SettleError::Reason)?;
    let sequence = u64::try_from(next).ok().filter(|next| *next > 0).ok_or(SettleError::Next)?;
    let mut tx = store.begin().await?;
    let stored: Option<i64> = sqlx::query_scalar("SELECT head_sequence FROM devices WHERE id = $1")
        .bind(device)
        .fetch_optional(&mut *tx)
        .await?;
    let stored = stored.ok_or_else(|| SettleError::Unknown(device.to_owned()))?;
    let head = Position::read(stored);
    let again = again || sequence <= head.sequence;
    if !again && sequence == head.sequence + 1 {
        let head = next - 1;
        return Err(SettleError::NoGap { device: device.to_owned(), head, next });
    }
    let position = Position { run: head.run + i64::from(again), sequence };
    let position = position.stored().ok_or(SettleError::Next)?;
    let entry = audit::Entry {
        at,
        actor: "system",
        action: ACTION,
        subject_kind: "device",
        subject_id: device,
        detail: serde_json::json!({ "after": stored, "next": position, "reason": reason }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await?;
    Ok(if again { 0 } else { position - stored - 1 })
}

/// Whether somebody answered for what comes before the position `next`.
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
pub async fn all(view: &mut AnyConnection) -> Result<Gaps, StoreError> {
    let rows = sqlx::query(
        "SELECT at, subject_id, detail FROM audit WHERE subject_kind = 'device' AND action = $1",
    )
    .bind(ACTION)
    .fetch_all(&mut *view)
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
