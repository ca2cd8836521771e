//! The row of a case's owner, its digest for the audit, and the clerks' worklist.

use contract::Digest;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::{Doubt, State};
use crate::case::{name_of, named};
use crate::registry::{Owner, OwnerKind, Registration};
use crate::store::{Store, StoreError, Tx, from_ms, to_ms};

/// What is known of a case's owner.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub case_id: String,
    pub state: State,
    pub plate: String,
    pub doubts: Vec<Doubt>,
    pub registration: Option<Registration>,
    /// Absent while a clerk must look.
    pub owner: Option<Owner>,
    pub asked_at: OffsetDateTime,
    pub named_by: Option<String>,
    pub named_at: Option<OffsetDateTime>,
    pub note: Option<String>,
    pub salt: String,
    pub version: i64,
}

/// The digest of everything in the record, as the audit keeps it instead of a person's name.
pub fn digest(record: &Record) -> String {
    // Plain fields with string keys: serialisation cannot fail.
    let fields = serde_json::json!([
        record.salt,
        record.case_id,
        record.state,
        record.plate,
        record.doubts,
        record.registration,
        record.owner,
        to_ms(record.asked_at),
        record.named_by,
        record.named_at.map(to_ms),
        record.note,
        record.version,
    ]);
    Digest::of(fields.to_string().as_bytes()).to_string()
}

const COLUMNS: &str = "case_id, state, plate, doubts, registration, kind, name, id_number, address, \
     asked_at, named_by, named_at, note, salt, version";
/// Whose owner a clerk must look for: of cases that are approved with the number that was asked for.
const WAITING: &str = "FROM owners WHERE state = 'by_hand' AND EXISTS (
     SELECT 1 FROM cases WHERE id = owners.case_id AND state = 'approved' AND plate = owners.plate)";

/// Reads the row of one case, counts those that wait for a clerk, and reads them, who waits longest
/// first.
pub fn texts() -> [String; 3] {
    [
        format!("SELECT {COLUMNS} FROM owners WHERE case_id = $1"),
        format!("SELECT COUNT(*) {WAITING}"),
        format!("SELECT {COLUMNS} {WAITING} ORDER BY asked_at, case_id LIMIT $1"),
    ]
}

pub async fn find(store: &Store, case: &str) -> Result<Option<Record>, StoreError> {
    let mut connection = store.pool().acquire().await?;
    read(&mut connection, case).await
}

/// The same within a view of the whole store.
pub async fn read(view: &mut AnyConnection, case: &str) -> Result<Option<Record>, StoreError> {
    let [one, ..] = texts();
    let row = sqlx::query(AssertSqlSafe(one)).bind(case.to_owned()).fetch_optional(view).await?;
    row.map(|row| Record::from_row(&row)).transpose()
}

/// Approved cases whose owner a clerk must look for.
pub async fn waiting(store: &Store, most: i64) -> Result<Vec<Record>, StoreError> {
    let [.., rows] = texts();
    let rows = sqlx::query(AssertSqlSafe(rows)).bind(most).fetch_all(store.pool()).await?;
    rows.iter().map(Record::from_row).collect()
}

pub async fn waiting_count(store: &Store) -> Result<u64, StoreError> {
    let [_, count, _] = texts();
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(store.pool()).await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

impl Record {
    fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        let text = |name| row.try_get::<Option<String>, _>(name);
        let doubts: String = row.try_get("doubts")?;
        let registration: Option<String> = text("registration")?;
        let registration = registration.map(|text| {
            serde_json::from_str(&text).map_err(|e| StoreError::corrupt("registration", e))
        });
        let owner = match (text("kind")?, text("name")?, text("id_number")?, text("address")?) {
            (Some(kind), Some(name), Some(id_number), Some(address)) => Some(Owner {
                kind: named::<OwnerKind>(kind, "owner's kind")?,
                name,
                id_number,
                address,
            }),
            _ => None,
        };
        let named_at: Option<i64> = row.try_get("named_at")?;
        Ok(Self {
            case_id: row.try_get("case_id")?,
            state: named(row.try_get("state")?, "owner's state")?,
            plate: row.try_get("plate")?,
            doubts: serde_json::from_str(&doubts).map_err(|e| StoreError::corrupt("doubts", e))?,
            registration: registration.transpose()?,
            owner,
            asked_at: from_ms(row.try_get("asked_at")?)?,
            named_by: text("named_by")?,
            named_at: named_at.map(from_ms).transpose()?,
            note: text("note")?,
            salt: row.try_get("salt")?,
            version: row.try_get("version")?,
        })
    }

    /// Writes the record over the version before it; false where somebody was faster.
    pub(super) async fn write(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        // Plain fields with string keys: serialisation cannot fail.
        let json = |value: serde_json::Result<String>| value.unwrap_or_default();
        let owner = self.owner.as_ref();
        let written = sqlx::query(
            "INSERT INTO owners (case_id, state, plate, doubts, registration, kind, name, id_number,
                 address, asked_at, named_by, named_at, note, salt, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
             ON CONFLICT (case_id) DO UPDATE SET state = excluded.state, plate = excluded.plate,
                 doubts = excluded.doubts, registration = excluded.registration,
                 kind = excluded.kind, name = excluded.name, id_number = excluded.id_number,
                 address = excluded.address, asked_at = excluded.asked_at,
                 named_by = excluded.named_by, named_at = excluded.named_at, note = excluded.note,
                 salt = excluded.salt, version = excluded.version
             WHERE owners.version = excluded.version - 1",
        )
        .bind(self.case_id.clone())
        .bind(name_of(&self.state))
        .bind(self.plate.clone())
        .bind(json(serde_json::to_string(&self.doubts)))
        .bind(self.registration.as_ref().map(|it| json(serde_json::to_string(it))))
        .bind(owner.map(|owner| name_of(&owner.kind)))
        .bind(owner.map(|owner| owner.name.clone()))
        .bind(owner.map(|owner| owner.id_number.clone()))
        .bind(owner.map(|owner| owner.address.clone()))
        .bind(to_ms(self.asked_at))
        .bind(self.named_by.clone())
        .bind(self.named_at.map(to_ms))
        .bind(self.note.clone())
        .bind(self.salt.clone())
        .bind(self.version)
        .execute(&mut **tx)
        .await?;
        Ok(written.rows_affected() == 1)
    }
}
