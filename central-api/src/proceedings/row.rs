//! A proceeding with one row a case: its state and its content, written whole with every step.

use contract::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use crate::audit::{self, Entry};
use crate::case;
use crate::secret::random_token;
use crate::store::{Store, StoreError, Tx, from_ms, to_ms};

/// What a proceeding keeps.
pub trait Content: Serialize + DeserializeOwned {
    /// As the table and the audit name it.
    const NAME: &'static str;

    fn state(&self) -> &'static str;
}

/// What a proceeding has on record of a case.
#[derive(Debug, Clone)]
pub struct Row<C> {
    pub case_id: String,
    pub content: C,
    pub changed_at: OffsetDateTime,
    pub version: i64,
    salt: String,
}

/// A step of a proceeding, for the audit.
#[derive(Debug)]
pub struct Step<'a> {
    /// `user:LOGIN` or `system`.
    pub actor: &'a str,
    /// The id of the user who decided, where one did.
    pub by: Option<&'a str>,
    pub action: &'static str,
    /// What the audit says beside, without personal data.
    pub detail: serde_json::Value,
}

impl<C: Content> Row<C> {
    /// The first row of a case, or the one after `before`.
    pub fn after(before: Option<&Self>, case: &str, content: C, at: OffsetDateTime) -> Self {
        Self {
            case_id: case.into(),
            content,
            changed_at: at,
            version: before.map_or(1, |before| before.version + 1),
            salt: random_token(),
        }
    }

    /// The digest of all of it, as the audit keeps it instead of a person's name.
    pub fn digest(&self) -> String {
        let fields = serde_json::json!([
            self.salt,
            C::NAME,
            self.case_id,
            self.content.state(),
            self.text(),
            to_ms(self.changed_at),
            self.version,
        ]);
        Digest::of(fields.to_string().as_bytes()).to_string()
    }

    fn text(&self) -> String {
        // Plain fields with string keys: serialisation cannot fail.
        serde_json::to_string(&self.content).unwrap_or_default()
    }

    /// Writes the row over the version before it, and the step into the audit: last in its
    /// transaction. False where somebody was faster; nothing of the transaction may count then.
    pub async fn write(&self, tx: &mut Tx<'_>, step: Step<'_>) -> Result<bool, StoreError> {
        let put = self.put(tx).await?;
        if put {
            self.note(tx, step).await?;
        }
        Ok(put)
    }

    /// The row alone, where other rows follow before the audit.
    pub async fn put(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let written = sqlx::query(
            "INSERT INTO proceedings (name, case_id, state, content, changed_at, salt, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (case_id, name) DO UPDATE SET state = excluded.state,
                 content = excluded.content, changed_at = excluded.changed_at,
                 salt = excluded.salt, version = excluded.version
             WHERE proceedings.version = excluded.version - 1",
        )
        .bind(C::NAME)
        .bind(self.case_id.clone())
        .bind(self.content.state())
        .bind(self.text())
        .bind(to_ms(self.changed_at))
        .bind(self.salt.clone())
        .bind(self.version)
        .execute(&mut **tx)
        .await?;
        Ok(written.rows_affected() == 1)
    }

    /// The step in the audit.
    pub async fn note(&self, tx: &mut Tx<'_>, step: Step<'_>) -> Result<(), StoreError> {
        let mut detail = step.detail;
        detail["record"] = self.digest().into();
        detail["state"] = self.content.state().into();
        if let Some(by) = step.by {
            detail["by"] = by.into();
            case::hand(tx, &self.case_id, by).await?;
        }
        let action = format!("{}.{}", C::NAME, step.action);
        let entry = Entry {
            at: self.changed_at,
            actor: step.actor,
            action: &action,
            subject_kind: "case",
            subject_id: &self.case_id,
            detail,
        };
        audit::append(tx, entry).await
    }

    fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        let content: String = row.try_get("content")?;
        let content: C =
            serde_json::from_str(&content).map_err(|e| StoreError::corrupt(C::NAME, e))?;
        let state: String = row.try_get("state")?;
        if state != content.state() {
            return Err(StoreError::corrupt(C::NAME, state));
        }
        Ok(Self {
            case_id: row.try_get("case_id")?,
            content,
            changed_at: from_ms(row.try_get("changed_at")?)?,
            version: row.try_get("version")?,
            salt: row.try_get("salt")?,
        })
    }
}

pub async fn find<C: Content>(store: &Store, case: &str) -> Result<Option<Row<C>>, StoreError> {
    let mut connection = store.pool().acquire().await?;
    read(&mut connection, case).await
}

/// The same within a view of the whole store, or a transaction.
pub async fn read<C: Content>(
    view: &mut AnyConnection,
    case: &str,
) -> Result<Option<Row<C>>, StoreError> {
    let row = sqlx::query(
        "SELECT case_id, state, content, changed_at, salt, version FROM proceedings
         WHERE case_id = $1 AND name = $2",
    )
    .bind(case.to_owned())
    .bind(C::NAME)
    .fetch_optional(view)
    .await?;
    row.map(|row| Row::from_row(&row)).transpose()
}

/// Reads what as many cases have of a proceeding, whose name is the first parameter.
pub fn among_text(cases: usize) -> String {
    let places: Vec<_> = (2..2 + cases).map(|n| format!("${n}")).collect();
    let places = places.join(", ");
    format!(
        "SELECT case_id, state, content, changed_at, salt, version FROM proceedings
         WHERE name = $1 AND case_id IN ({places})"
    )
}

/// What some cases have of a proceeding.
pub async fn among<C: Content>(store: &Store, cases: &[&str]) -> Result<Vec<Row<C>>, StoreError> {
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let query = sqlx::query(AssertSqlSafe(among_text(cases.len()))).bind(C::NAME);
    let query = cases.iter().fold(query, |query, case| query.bind((*case).to_owned()));
    query.fetch_all(store.pool()).await?.iter().map(Row::from_row).collect()
}

/// The cases of a proceeding that are in a state, who waits longest first.
pub async fn waiting<C: Content>(
    store: &Store,
    state: &str,
    most: i64,
) -> Result<Vec<Row<C>>, StoreError> {
    let rows = sqlx::query(
        "SELECT case_id, state, content, changed_at, salt, version FROM proceedings
         WHERE name = $1 AND state = $2 ORDER BY changed_at, case_id LIMIT $3",
    )
    .bind(C::NAME)
    .bind(state.to_owned())
    .bind(most)
    .fetch_all(store.pool())
    .await?;
    rows.iter().map(Row::from_row).collect()
}

/// How many cases with a standing notice are in a state of a proceeding.
pub async fn count_notified<C: Content>(store: &Store, state: &str) -> Result<u64, StoreError> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM proceedings WHERE name = $1 AND state = $2 AND EXISTS (
             SELECT 1 FROM cases WHERE id = proceedings.case_id AND state = 'notified')",
    )
    .bind(C::NAME)
    .bind(state.to_owned())
    .fetch_one(store.pool())
    .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}
