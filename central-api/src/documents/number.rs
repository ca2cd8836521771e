//! Number and code of a document, taken before it is printed: printing is slow and belongs in no
//! transaction, and numbers must have no gaps. An attempt that fails leaves both to the next.

use rand::Rng as _;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::Kind;
use crate::audit::{self, Entry};
use crate::law::VIETNAM;
use crate::store::{Store, StoreError, Tx};

/// What a document has before it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub kind: Kind,
    pub year: i32,
    pub number: i64,
    pub code: String,
}

impl Draft {
    /// As the document writes it: `000012/TB-PC08`.
    pub fn shown(&self, agency: &str) -> String {
        shown(self.kind, self.number, agency)
    }
}

/// A number of a kind, as its document writes it.
pub(super) fn shown(kind: Kind, number: i64, agency: &str) -> String {
    format!("{number:06}/{}-{agency}", kind.sign())
}

/// The draft of a case's document: the one that there is, or a new one. A number of last year is not
/// printed under a date of this one: it is given back, and the audit says so.
pub async fn draft(
    store: &Store,
    kind: Kind,
    case: &str,
    now: OffsetDateTime,
) -> Result<Draft, StoreError> {
    let mut tx = store.begin().await?;
    let year = now.to_offset(VIETNAM).year();
    if let Some(draft) = find(&mut tx, kind, case).await? {
        if draft.year == year {
            return Ok(draft);
        }
        used(&mut tx, kind, case).await?;
        void(&mut tx, case, &draft, now).await?;
    }
    let number = match abandoned(&mut tx, kind, year).await? {
        Some(number) => number,
        None => next_number(&mut tx, kind, year).await?,
    };
    let code = new_code();
    // Where two workers draft at once, the first one's counts, and the second's number goes back.
    let taken = sqlx::query(
        "INSERT INTO document_drafts (kind, case_id, code, year, number)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, case_id) DO NOTHING",
    )
    .bind(kind.name())
    .bind(case.to_owned())
    .bind(code.clone())
    .bind(i64::from(year))
    .bind(number)
    .execute(&mut *tx)
    .await?;
    if taken.rows_affected() == 0 {
        drop(tx);
        let mut tx = store.begin().await?;
        let first = find(&mut tx, kind, case).await?;
        return first.ok_or_else(|| StoreError::corrupt("draft of a document", case));
    }
    tx.commit().await?;
    Ok(Draft { kind, year, number, code })
}

/// The number of a draft whose case became no notice after all: the next one has it. What else is
/// numbered comes out or is given up ([`give_up`]).
async fn abandoned(tx: &mut Tx<'_>, kind: Kind, year: i32) -> Result<Option<i64>, StoreError> {
    if kind != Kind::Notice {
        return Ok(None);
    }
    Ok(sqlx::query_scalar(
        "DELETE FROM document_drafts WHERE kind = 'notice' AND case_id = (
             SELECT d.case_id FROM document_drafts d JOIN cases c ON c.id = d.case_id
             WHERE d.kind = 'notice' AND d.year = $1 AND c.state <> 'approved'
             ORDER BY d.number LIMIT 1
         ) RETURNING number",
    )
    .bind(i64::from(year))
    .fetch_optional(&mut **tx)
    .await?)
}

async fn void(
    tx: &mut Tx<'_>,
    case: &str,
    draft: &Draft,
    at: OffsetDateTime,
) -> Result<(), StoreError> {
    let entry = Entry {
        at,
        actor: "system",
        action: &format!("{}.number_void", draft.kind.name()),
        subject_kind: "case",
        subject_id: case,
        detail: serde_json::json!({ "void": { "year": draft.year, "number": draft.number } }),
    };
    audit::append(tx, entry).await
}

/// The document that a draft was taken for is not wanted any more: the audit says which number is void.
pub async fn give_up(
    tx: &mut Tx<'_>,
    kind: Kind,
    case: &str,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    if let Some(draft) = find(tx, kind, case).await? {
        used(tx, kind, case).await?;
        void(tx, case, &draft, now).await?;
    }
    Ok(())
}

/// The draft has become a document.
pub async fn used(tx: &mut Tx<'_>, kind: Kind, case: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM document_drafts WHERE kind = $1 AND case_id = $2")
        .bind(kind.name())
        .bind(case.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn find(tx: &mut Tx<'_>, kind: Kind, case: &str) -> Result<Option<Draft>, StoreError> {
    let row = sqlx::query(
        "SELECT code, year, number FROM document_drafts WHERE kind = $1 AND case_id = $2",
    )
    .bind(kind.name())
    .bind(case.to_owned())
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| {
        let year: i64 = row.try_get("year")?;
        Ok(Draft {
            kind,
            year: i32::try_from(year).map_err(|_| StoreError::corrupt("year", year))?,
            number: row.try_get("number")?,
            code: row.try_get("code")?,
        })
    })
    .transpose()
}

/// Numbers count from 1 each year, without gaps: a transaction that fails gives its number back.
async fn next_number(tx: &mut Tx<'_>, kind: Kind, year: i32) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "INSERT INTO document_numbers (kind, year, last) VALUES ($1, $2, 1)
         ON CONFLICT (kind, year) DO UPDATE SET last = document_numbers.last + 1
         RETURNING last",
    )
    .bind(kind.name())
    .bind(i64::from(year))
    .fetch_one(&mut **tx)
    .await?)
}

/// 16 letters and digits that nobody confuses, 80 random bits: `K7QM-2X9D-…` without the dashes.
fn new_code() -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}
