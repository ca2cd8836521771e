//! Notices on record, and their stored PDFs.

use bytes::Bytes;
use contract::Digest;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::NoticeError;
use crate::AppState;
use crate::case::Case;
use crate::store::{Store, StoreError, from_ms};

/// A notice on record.
#[derive(Debug, Clone)]
pub struct Notice {
    pub case_id: String,
    pub code: String,
    pub number: i64,
    pub sha256: String,
    pub issued_at: OffsetDateTime,
}

pub async fn find(store: &Store, case_id: &str) -> Result<Option<Notice>, StoreError> {
    select(
        store,
        "SELECT case_id, code, number, sha256, issued_at FROM notices WHERE case_id = $1",
        case_id,
    )
    .await
}

/// The notice whose QR code leads here.
pub async fn find_by_code(store: &Store, code: &str) -> Result<Option<Notice>, StoreError> {
    select(
        store,
        "SELECT case_id, code, number, sha256, issued_at FROM notices WHERE code = $1",
        code,
    )
    .await
}

/// The stored PDF, checked against the digest on record.
pub async fn read(state: &AppState, case: &Case, notice: &Notice) -> Result<Bytes, NoticeError> {
    let pdf = state.evidence.read(&case.evidence_id, &file_name(&notice.sha256)).await?;
    if Digest::of(&pdf).to_string() != notice.sha256 {
        return Err(NoticeError::Changed);
    }
    Ok(pdf)
}

pub fn file_name(sha256: &str) -> String {
    format!("notice-{}.pdf", sha256.get(..16).unwrap_or(sha256))
}

async fn select(
    store: &Store,
    text: &'static str,
    key: &str,
) -> Result<Option<Notice>, StoreError> {
    sqlx::query(text)
        .bind(key.to_owned())
        .fetch_optional(store.pool())
        .await?
        .map(|row| {
            Ok(Notice {
                case_id: row.try_get("case_id")?,
                code: row.try_get("code")?,
                number: row.try_get("number")?,
                sha256: row.try_get("sha256")?,
                issued_at: from_ms(row.try_get("issued_at")?)?,
            })
        })
        .transpose()
}
