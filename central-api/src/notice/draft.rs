//! Number and code of a notice, taken before it is printed: printing is slow and belongs in no
//! transaction, and numbers must have no gaps. An attempt that fails leaves both to the next.

use rand::Rng as _;
use sqlx::Row as _;
use time::OffsetDateTime;

use crate::audit::{self, Entry};
use crate::law::VIETNAM;
use crate::store::{Store, StoreError, Tx};

/// What a notice has before it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub year: i32,
    pub number: i64,
    pub code: String,
}

/// The draft of the notice of a case: the one that there is, or a new one. A number of last year is
/// not printed under a date of this one: it is given back, and the audit says so.
pub async fn draft(store: &Store, case: &str, now: OffsetDateTime) -> Result<Draft, StoreError> {
    let mut tx = store.begin().await?;
    let year = now.to_offset(VIETNAM).year();
    if let Some(draft) = find(&mut tx, case).await? {
        if draft.year == year {
            return Ok(draft);
        }
        used(&mut tx, case).await?;
        void(&mut tx, case, &draft, now).await?;
    }
    let number = match abandoned(&mut tx, year).await? {
        Some(number) => number,
        None => next_number(&mut tx, year).await?,
    };
    let code = new_code();
    // Where two workers draft at once, the first one's counts, and the second's number goes back.
    let taken = sqlx::query(
        "INSERT INTO notice_drafts (case_id, code, year, number) VALUES ($1, $2, $3, $4)
         ON CONFLICT (case_id) DO NOTHING",
    )
    .bind(case.to_owned())
    .bind(code.clone())
    .bind(i64::from(year))
    .bind(number)
    .execute(&mut *tx)
    .await?;
    if taken.rows_affected() == 0 {
        drop(tx);
        let mut tx = store.begin().await?;
        return find(&mut tx, case).await?.ok_or_else(|| StoreError::corrupt("notice draft", case));
    }
    tx.commit().await?;
    Ok(Draft { year, number, code })
}

/// The number of a draft whose case became no notice after all: the next one has it.
async fn abandoned(tx: &mut Tx<'_>, year: i32) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar(
        "DELETE FROM notice_drafts WHERE case_id = (
             SELECT d.case_id FROM notice_drafts d JOIN cases c ON c.id = d.case_id
             WHERE d.year = $1 AND c.state <> 'approved' ORDER BY d.number LIMIT 1
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
        action: "notice.number_void",
        subject_kind: "case",
        subject_id: case,
        detail: serde_json::json!({ "void": { "year": draft.year, "number": draft.number } }),
    };
    audit::append(tx, entry).await
}

/// The draft has become a notice.
pub async fn used(tx: &mut Tx<'_>, case: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM notice_drafts WHERE case_id = $1")
        .bind(case.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn find(tx: &mut Tx<'_>, case: &str) -> Result<Option<Draft>, StoreError> {
    let row = sqlx::query("SELECT code, year, number FROM notice_drafts WHERE case_id = $1")
        .bind(case.to_owned())
        .fetch_optional(&mut **tx)
        .await?;
    row.map(|row| {
        let year: i64 = row.try_get("year")?;
        Ok(Draft {
            year: i32::try_from(year).map_err(|_| StoreError::corrupt("year", year))?,
            number: row.try_get("number")?,
            code: row.try_get("code")?,
        })
    })
    .transpose()
}

/// Numbers count from 1 each year, without gaps: a transaction that fails gives its number back.
async fn next_number(tx: &mut Tx<'_>, year: i32) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "INSERT INTO notice_numbers (year, last) VALUES ($1, 1)
         ON CONFLICT (year) DO UPDATE SET last = notice_numbers.last + 1
         RETURNING last",
    )
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
