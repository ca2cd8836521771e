//! The rows that the chain vouches for beside its own. Whatever is put into the chain about a subject
//! says under `rows` which rows of these tables the subject has then, each by its digest, so that a row
//! that is changed, added or taken away behind the program's back is found. A table is covered by
//! standing in [`TABLES`]; whoever changes its rows writes a row about their subject afterwards, in the
//! same transaction.

use std::collections::BTreeMap;

use contract::Digest;
use serde_json::{Value, json};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Column as _, Row as _};

use crate::store::{StoreError, Tx};

/// A table whose rows belong to subjects of the audit.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// Kind of the subject, and the column that names it.
    pub kind: &'static str,
    pub of: &'static str,
    /// What tells the rows of a subject apart.
    key: &'static str,
    /// Columns that change without a word about the subject: held otherwise.
    beside: &'static [&'static str],
    /// Whether `of` is a number.
    numbered: bool,
}

const fn of_case(name: &'static str, key: &'static str) -> Table {
    Table { name, kind: "case", of: "case_id", key, beside: &[], numbered: false }
}

const fn alone(name: &'static str, kind: &'static str, of: &'static str) -> Table {
    Table { name, kind, of, key: of, beside: &[], numbered: false }
}

pub const TABLES: [Table; 9] = [
    of_case("dispatches", "code"),
    of_case("deliveries", "id"),
    of_case("warnings", "cause"),
    // Which file a message went out with is what the file's own rows of the audit say.
    Table { beside: &["export"], ..of_case("warning_messages", "seq") },
    of_case("case_hands", "user_id"),
    alone("post_batches", "batch", "id"),
    alone("offices", "user", "user_id"),
    alone("recalls", "recall", "id"),
    Table { numbered: true, ..alone("warning_exports", "warning_export", "number") },
];

/// Steps that change no row of [`TABLES`] and are many at once: they tell nothing, and what they told
/// before stands. What follows from money that is booked says so by a row of its own.
const SILENT: [&str; 3] = ["case.joined", "payment.received", "payment.taken_off"];

/// Digests of a subject's rows: by table, then by what tells them apart.
pub type Digests = BTreeMap<String, BTreeMap<String, String>>;

/// One row as the chain vouches for it.
#[derive(Debug)]
pub struct Covered {
    pub subject: String,
    pub key: String,
    pub digest: String,
}

impl Table {
    /// Reads the rows of a subject.
    pub fn text(&self) -> String {
        let value = if self.numbered { "CAST($1 AS BIGINT)" } else { "$1" };
        format!("SELECT * FROM {} WHERE {} = {value}", self.name, self.of)
    }

    /// A row of the table, with the digest of all it says. What is absent is not in it: a column that
    /// the table gets later changes no digest.
    pub fn covered(&self, row: &AnyRow) -> Result<Covered, StoreError> {
        let mut columns = BTreeMap::new();
        for column in row.columns() {
            let name = column.name();
            let value = value(row, name);
            if !value.is_null() && !self.beside.contains(&name) {
                columns.insert(name, value);
            }
        }
        let said = |name: &str| match columns.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let (subject, key) = (said(self.of), said(self.key));
        let digest = Digest::of(json!([self.name, columns]).to_string().as_bytes()).to_string();
        Ok(Covered { subject, key, digest })
    }
}

fn value(row: &AnyRow, name: &str) -> Value {
    if let Ok(text) = row.try_get::<Option<String>, _>(name) {
        return json!(text);
    }
    match row.try_get::<i64, _>(name) {
        Ok(number) => json!(number),
        // No column of these tables holds anything else; a hand may have put it there.
        Err(_) => json!("unreadable"),
    }
}

/// Adds to `detail` which rows the subject has in `tx`; its caller has the head of the chain, so that
/// whoever changed them before has committed.
pub(super) async fn tell(
    tx: &mut Tx<'_>,
    (kind, subject, action): (&str, &str, &str),
    detail: &mut Value,
) -> Result<(), StoreError> {
    if SILENT.contains(&action) || !TABLES.iter().any(|table| table.kind == kind) {
        return Ok(());
    }
    let mut told = Digests::new();
    // What has just begun has no rows yet.
    let tables = TABLES.iter().filter(|table| table.kind == kind && action != "case.opened");
    for table in tables {
        let rows = sqlx::query(AssertSqlSafe(table.text()))
            .bind(subject.to_owned())
            .fetch_all(&mut **tx)
            .await?;
        for row in &rows {
            let it = table.covered(row)?;
            told.entry(table.name.to_owned()).or_default().insert(it.key, it.digest);
        }
    }
    detail["rows"] = json!(told);
    Ok(())
}

/// What a row of the audit says of its subject's rows, if it says anything.
pub fn told(detail: &Value) -> Option<Digests> {
    serde_json::from_value(detail.get("rows")?.clone()).ok()
}
