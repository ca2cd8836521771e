//! Recall by a fault: a model, a configuration, a camera, a box, an officer or an entry of the law
//! turns out wrong. Everything it touched in a period is listed and frozen at once ([`open`], `list`),
//! judged again where the evidence allows (`judge`), and released or annulled, one by one or
//! together, by two people (`settle`, `undo`); where one of them is no approver any more, another stands
//! in (`stand_in`). Nothing frozen is decided, issued or fined meanwhile. What moved which cases stands in
//! the audit, from which `replay` makes every row again.

mod judge;
mod list;
mod open;
mod replay;
mod settle;
mod stand_in;
mod trace;
mod undo;

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use crate::audit::{self, Entry};
use crate::case::{name_of, named};
use crate::jobs::JobError;
use crate::store::{Store, StoreError, Tx, from_ms};

pub use judge::judge;
pub use list::{list, list_texts};
pub use open::{OpenError, open};
pub use replay::{Row, Rows, cover, page, replay};
pub use settle::{Choice, SettleError, Which, ask, confirm, decline, settle_texts};
pub use stand_in::{orphaned, stand_in, stand_in_texts};
pub use trace::trace;
pub use undo::carry_out;

/// What was at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A model by its digest.
    Model,
    /// A camera's configuration by its digest.
    Config,
    Camera,
    Device,
    /// A member of staff, by id: whatever they had a hand in.
    Officer,
    /// An entry of the law: `168/2024/NĐ-CP 7.7.c`.
    Law,
}

impl Cause {
    pub const ALL: [Self; 6] =
        [Self::Model, Self::Config, Self::Camera, Self::Device, Self::Officer, Self::Law];

    pub fn name(self) -> String {
        name_of(&self)
    }
}

/// How an affected case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Frozen,
    /// Somebody asks that it go on as it was; another person must agree.
    ReleaseAsked,
    Released,
    /// Somebody asks that it be undone; another person must agree.
    AnnulAsked,
    /// Both agree; the central is at it.
    Annulling,
    Annulled,
}

impl Fate {
    pub const ALL: [Self; 6] = [
        Self::Frozen,
        Self::ReleaseAsked,
        Self::AnnulAsked,
        Self::Annulling,
        Self::Annulled,
        Self::Released,
    ];

    pub fn name(self) -> String {
        name_of(&self)
    }
}

/// What these rules say again of what was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    Same,
    Differs,
    /// The package does not say what its verdict stood on, or cannot be read.
    Unknown,
}

/// One recall.
#[derive(Debug, Clone)]
pub struct Recall {
    pub id: String,
    pub cause: Cause,
    pub value: String,
    pub from: OffsetDateTime,
    /// Exclusive.
    pub to: OffsetDateTime,
    pub reason: String,
    pub opened_by: String,
    pub opened_at: OffsetDateTime,
    pub listed_at: Option<OffsetDateTime>,
}

/// An affected case.
#[derive(Debug, Clone)]
pub struct Affected {
    pub case_id: String,
    pub fate: Fate,
    pub judged: Option<Judged>,
}

/// Affected cases of one recall, counted.
#[derive(Debug, Clone, Default)]
pub struct Counts(Vec<(Fate, Option<Judged>, u64)>);

impl Counts {
    pub fn of(&self, fate: Fate) -> u64 {
        self.0.iter().filter(|row| row.0 == fate).map(|row| row.2).sum()
    }

    pub fn judged(&self, judged: Option<Judged>) -> u64 {
        self.0.iter().filter(|row| row.1 == judged).map(|row| row.2).sum()
    }

    pub fn all(&self) -> u64 {
        self.0.iter().map(|row| row.2).sum()
    }
}

/// Why a job of a recall is tried again.
#[derive(Debug, thiserror::Error)]
pub enum RecallError {
    #[error("packages of before are still being traced")]
    Tracing,
    /// Some cases could not be undone yet, e.g. because a decision is just being printed.
    #[error("{0} cases could not be undone yet")]
    Left(u64),
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

const COLUMNS: &str = "id, cause, value, from_at, to_at, reason, opened_by, opened_at, listed_at";

/// Reads one recall, and all of them, the latest first.
pub fn texts() -> [String; 2] {
    [
        format!("SELECT {COLUMNS} FROM recalls WHERE id = $1"),
        format!("SELECT {COLUMNS} FROM recalls ORDER BY opened_at DESC, id LIMIT 200"),
    ]
}

pub async fn find(store: &Store, id: &str) -> Result<Option<Recall>, StoreError> {
    let [one, _] = texts();
    let row = sqlx::query(AssertSqlSafe(one)).bind(id.replace('\0', ""));
    row.fetch_optional(store.pool()).await?.map(|row| Recall::from_row(&row)).transpose()
}

pub async fn all(store: &Store) -> Result<Vec<Recall>, StoreError> {
    let [_, all] = texts();
    let rows = sqlx::query(AssertSqlSafe(all)).fetch_all(store.pool()).await?;
    rows.iter().map(Recall::from_row).collect()
}

pub async fn counts(store: &Store, id: &str) -> Result<Counts, StoreError> {
    let rows = sqlx::query(
        "SELECT state, judged, COUNT(*) AS cases FROM recalled WHERE recall_id = $1
         GROUP BY state, judged",
    )
    .bind(id.to_owned())
    .fetch_all(store.pool())
    .await?;
    let count = |row: &AnyRow| {
        let affected: i64 = row.try_get("cases")?;
        let judged = judged(row)?;
        let fate = named(row.try_get("state")?, "state")?;
        Ok((fate, judged, u64::try_from(affected).unwrap_or(0)))
    };
    rows.iter().map(count).collect::<Result<_, StoreError>>().map(Counts)
}

/// How many cases wait for another person's word than `by`'s: what [`confirm`] would move.
pub async fn waiting_for(store: &Store, id: &str, fate: Fate, by: &str) -> Result<u64, StoreError> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM recalled WHERE recall_id = $1 AND state = $2 AND asked_by <> $3",
    )
    .bind(id.to_owned())
    .bind(fate.name())
    .bind(by.to_owned())
    .fetch_one(store.pool())
    .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Puts a step of a recall into the audit: last in its transaction.
async fn note_down(
    tx: &mut Tx<'_>,
    id: &str,
    (actor, action): (&str, &str),
    at: OffsetDateTime,
    detail: serde_json::Value,
) -> Result<(), StoreError> {
    let entry = Entry {
        at,
        actor,
        action: &format!("recall.{action}"),
        subject_kind: "recall",
        subject_id: id,
        detail,
    };
    audit::append(tx, entry).await
}

/// Some of a recall's cases that stand so, after a case.
pub async fn affected(
    store: &Store,
    id: &str,
    fate: Fate,
    after: &str,
    most: i64,
) -> Result<Vec<Affected>, StoreError> {
    let rows = sqlx::query(
        "SELECT case_id, state, judged FROM recalled
         WHERE recall_id = $1 AND state = $2 AND case_id > $3 ORDER BY case_id LIMIT $4",
    )
    .bind(id.to_owned())
    .bind(fate.name())
    .bind(after.to_owned())
    .bind(most)
    .fetch_all(store.pool())
    .await?;
    let affected = |row: &AnyRow| {
        Ok(Affected {
            case_id: row.try_get("case_id")?,
            fate: named(row.try_get("state")?, "state")?,
            judged: judged(row)?,
        })
    };
    rows.iter().map(affected).collect()
}

fn judged(row: &AnyRow) -> Result<Option<Judged>, StoreError> {
    let judged: Option<String> = row.try_get("judged")?;
    judged.map(|judged| named(judged, "judged")).transpose()
}

impl Recall {
    fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        let listed: Option<i64> = row.try_get("listed_at")?;
        Ok(Self {
            id: row.try_get("id")?,
            cause: named(row.try_get("cause")?, "cause")?,
            value: row.try_get("value")?,
            from: from_ms(row.try_get("from_at")?)?,
            to: from_ms(row.try_get("to_at")?)?,
            reason: row.try_get("reason")?,
            opened_by: row.try_get("opened_by")?,
            opened_at: from_ms(row.try_get("opened_at")?)?,
            listed_at: listed.map(from_ms).transpose()?,
        })
    }
}
