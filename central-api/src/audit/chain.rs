//! The hash of one audit row and the check of them all.

use contract::Digest;
use sqlx::{AnyConnection, Row as _};

use crate::store::StoreError;

const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const PAGE: i64 = 1000;

/// What a row's hash covers.
#[derive(Debug)]
pub(super) struct Row {
    pub seq: i64,
    pub at: i64,
    pub actor: String,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub detail: String,
    pub previous: String,
}

impl Row {
    pub(super) fn hash(&self) -> String {
        // A JSON array keeps the borders between the fields: no two rows give the same bytes.
        let fields = serde_json::json!([
            self.seq,
            self.previous,
            self.at,
            self.actor,
            self.action,
            self.subject_kind,
            self.subject_id,
            self.detail,
        ]);
        Digest::of(fields.to_string().as_bytes()).to_string()
    }
}

/// A chain that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub rows: i64,
    /// Write it down elsewhere: whoever rewrites the whole chain cannot keep it.
    pub head: String,
}

/// The first place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("audit row {expected} is missing, row {found} follows")]
    Missing { expected: i64, found: i64 },
    #[error("audit row {seq} names another predecessor than row {before}", before = seq - 1)]
    Predecessor { seq: i64 },
    #[error("audit row {seq} was changed: its hash does not match its fields")]
    Content { seq: i64 },
    #[error("audit rows end at {found}, the head says {expected}: rows were cut off the end")]
    Head { expected: i64, found: i64 },
    #[error("the audit head names another hash than row {seq}")]
    HeadHash { seq: i64 },
}

/// Walks the whole chain. The outer error is the database's, the inner one the finding.
pub async fn verify(view: &mut AnyConnection) -> Result<Result<Verified, Broken>, StoreError> {
    let (mut last, mut previous) = (0, GENESIS.to_owned());
    // Rows appended while we walk are left to the next walk.
    let head =
        sqlx::query("SELECT seq, hash FROM audit_head WHERE id = 1").fetch_one(&mut *view).await?;
    let (head_seq, head_hash): (i64, String) = (head.try_get("seq")?, head.try_get("hash")?);
    loop {
        let rows = sqlx::query(
            "SELECT seq, at, actor, action, subject_kind, subject_id, detail, previous, hash
             FROM audit WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",
        )
        .bind(last)
        .bind(head_seq)
        .bind(PAGE)
        .fetch_all(&mut *view)
        .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let hash: String = row.try_get("hash")?;
            let row = Row {
                seq: row.try_get("seq")?,
                at: row.try_get("at")?,
                actor: row.try_get("actor")?,
                action: row.try_get("action")?,
                subject_kind: row.try_get("subject_kind")?,
                subject_id: row.try_get("subject_id")?,
                detail: row.try_get("detail")?,
                previous: row.try_get("previous")?,
            };
            if row.seq != last + 1 {
                return Ok(Err(Broken::Missing { expected: last + 1, found: row.seq }));
            }
            if row.hash() != hash {
                return Ok(Err(Broken::Content { seq: row.seq }));
            }
            if row.previous != previous {
                return Ok(Err(Broken::Predecessor { seq: row.seq }));
            }
            (last, previous) = (row.seq, hash);
        }
    }
    if last != head_seq {
        return Ok(Err(Broken::Head { expected: head_seq, found: last }));
    }
    if previous != head_hash {
        return Ok(Err(Broken::HeadHash { seq: last }));
    }
    Ok(Ok(Verified { rows: last, head: previous }))
}
