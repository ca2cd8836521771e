//! Documents on record, and their files, which lie with the evidence of their case.

use bytes::Bytes;
use contract::Digest;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::number::{Draft, used};
use super::{DocumentError, Kind};
use crate::AppState;
use crate::case::{self, Case};
use crate::store::{Store, StoreError, Tx, from_ms, to_ms};

/// A document that is out.
#[derive(Debug, Clone)]
pub struct Document {
    pub kind: Kind,
    pub case_id: String,
    /// Random and unguessable: what its QR code leads to.
    pub code: String,
    pub year: i32,
    pub number: i64,
    pub sha256: String,
    pub issued_at: OffsetDateTime,
    /// Who signs it.
    pub issued_by: String,
}

const COLUMNS: &str = "kind, case_id, code, year, number, sha256, issued_at, issued_by";

/// Reads a case's latest document of a kind, the one with a code, and all of a case.
pub fn texts() -> [String; 3] {
    [
        format!(
            "SELECT {COLUMNS} FROM documents WHERE case_id = $1 AND kind = $2
             ORDER BY issued_at DESC, year DESC, number DESC LIMIT 1"
        ),
        format!("SELECT {COLUMNS} FROM documents WHERE code = $1"),
        format!(
            "SELECT {COLUMNS} FROM documents WHERE case_id = $1 ORDER BY issued_at, kind, number"
        ),
    ]
}

/// The latest document of a kind.
pub async fn find(store: &Store, kind: Kind, case: &str) -> Result<Option<Document>, StoreError> {
    let [one, ..] = texts();
    let row = sqlx::query(AssertSqlSafe(one)).bind(case.to_owned()).bind(kind.name());
    row.fetch_optional(store.pool()).await?.map(|row| Document::from_row(&row)).transpose()
}

/// The document whose QR code leads here.
pub async fn find_by_code(store: &Store, code: &str) -> Result<Option<Document>, StoreError> {
    let [_, by_code, _] = texts();
    let row = sqlx::query(AssertSqlSafe(by_code)).bind(code.to_owned());
    row.fetch_optional(store.pool()).await?.map(|row| Document::from_row(&row)).transpose()
}

/// Everything that is out about a case, in order.
pub async fn of_case(store: &Store, case: &str) -> Result<Vec<Document>, StoreError> {
    let [.., all] = texts();
    let rows = sqlx::query(AssertSqlSafe(all)).bind(case.to_owned());
    rows.fetch_all(store.pool()).await?.iter().map(Document::from_row).collect()
}

/// Signs the file, where a key is configured, and makes it durable before the transaction that names it; an abandoned file names no case and
/// harms nobody. Returns its digest.
pub async fn store(
    state: &AppState,
    case: &Case,
    kind: Kind,
    pdf: Bytes,
) -> Result<String, DocumentError> {
    let pdf = state.signing.sign(pdf, state.clock.now()).await?;
    let sha256 = Digest::of(&pdf).to_string();
    state.evidence.put_file(&case.evidence_id, &file_name(kind, &sha256), pdf).await?;
    Ok(sha256)
}

/// Puts a drafted document on record, and that its signer had a hand in the case.
pub async fn record(
    tx: &mut Tx<'_>,
    case: &str,
    draft: &Draft,
    sha256: &str,
    signer: &str,
    at: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO documents (kind, case_id, code, year, number, sha256, issued_at, issued_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(draft.kind.name())
    .bind(case.to_owned())
    .bind(draft.code.clone())
    .bind(i64::from(draft.year))
    .bind(draft.number)
    .bind(sha256.to_owned())
    .bind(to_ms(at))
    .bind(signer.to_owned())
    .execute(&mut **tx)
    .await?;
    case::hand(tx, case, signer).await?;
    used(tx, draft.kind, case).await
}

/// The stored file, checked against the digest on record.
pub async fn read(
    state: &AppState,
    case: &Case,
    document: &Document,
) -> Result<Bytes, DocumentError> {
    let name = file_name(document.kind, &document.sha256);
    let pdf = state.evidence.read(&case.evidence_id, &name).await?;
    if Digest::of(&pdf).to_string() != document.sha256 {
        return Err(DocumentError::Changed);
    }
    Ok(pdf)
}

pub fn file_name(kind: Kind, sha256: &str) -> String {
    format!("{}-{}.pdf", kind.name(), sha256.get(..16).unwrap_or(sha256))
}

impl Document {
    /// As the document writes its number: `000012/TB-PC08`.
    pub fn shown(&self, agency: &str) -> String {
        super::number::shown(self.kind, self.number, agency)
    }

    fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        let kind: String = row.try_get("kind")?;
        let year: i64 = row.try_get("year")?;
        Ok(Self {
            kind: Kind::parse(&kind).ok_or_else(|| StoreError::corrupt("kind", kind))?,
            case_id: row.try_get("case_id")?,
            code: row.try_get("code")?,
            year: i32::try_from(year).map_err(|_| StoreError::corrupt("year", year))?,
            number: row.try_get("number")?,
            sha256: row.try_get("sha256")?,
            issued_at: from_ms(row.try_get("issued_at")?)?,
            issued_by: row.try_get("issued_by")?,
        })
    }
}
