//! Rows that the audit vouches for by digest (`audit::TABLES`): what is sent and told, whom it was sent by,
//! who signs by which office. A row that is changed, added or gone is named by its table and its id.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::Report;
use super::cases::CHANGED;
use crate::audit::{self, Digests, TABLES, Table};
use crate::store::StoreError;

const PAGE: i64 = 500;

/// Digests of many subjects' rows.
pub(super) type BySubject = BTreeMap<String, Digests>;

/// The rows of cases after the one until the other as they are now; without another, until the end.
pub(super) async fn of_cases(
    view: &mut AnyConnection,
    after: &str,
    until: Option<&str>,
) -> Result<BySubject, StoreError> {
    let mut found = BySubject::new();
    for table in TABLES.iter().filter(|table| table.kind == "case") {
        let (name, of) = (table.name, table.of);
        let text = match until {
            Some(_) => format!("SELECT * FROM {name} WHERE {of} > $1 AND {of} <= $2"),
            None => format!("SELECT * FROM {name} WHERE {of} > $1"),
        };
        let rows = sqlx::query(AssertSqlSafe(text)).bind(after.to_owned());
        let rows = until.map(str::to_owned).into_iter().fold(rows, |rows, until| rows.bind(until));
        take(&mut found, table, &rows.fetch_all(&mut *view).await?)?;
    }
    Ok(found)
}

fn take(
    found: &mut BySubject,
    table: &Table,
    rows: &[sqlx::any::AnyRow],
) -> Result<(), StoreError> {
    for row in rows {
        let it = table.covered(row)?;
        let of = found.entry(it.subject).or_default();
        of.entry(table.name.to_owned()).or_default().insert(it.key, it.digest);
    }
    Ok(())
}

/// Names every row of a subject that is not as the audit last told.
pub(super) fn compare(
    report: &mut Report,
    kind: &str,
    subject: &str,
    told: Option<&Digests>,
    now: Option<&Digests>,
) {
    for table in TABLES.iter().filter(|table| table.kind == kind) {
        let rows = |all: Option<&Digests>| all.and_then(|all| all.get(table.name)).cloned();
        let (told, now) = (rows(told).unwrap_or_default(), rows(now).unwrap_or_default());
        let keys: BTreeSet<&String> = told.keys().chain(now.keys()).collect();
        for key in keys {
            let problem = match (told.get(key), now.get(key)) {
                (Some(told), Some(now)) if told == now => continue,
                (Some(_), Some(_)) => CHANGED,
                (Some(_), None) => "was put on record, and is not there",
                (None, _) => "is on record, but nobody put it there",
            };
            let name = match key == subject {
                true => format!("{} {key}", table.name),
                false => format!("{} {key} of {kind} {subject}", table.name),
            };
            report.add(name, problem);
        }
    }
}

/// Everything that belongs to no case: few rows each.
pub(super) async fn check(report: &mut Report, view: &mut AnyConnection) -> Result<(), StoreError> {
    let kinds: BTreeSet<&str> = TABLES.iter().map(|table| table.kind).collect();
    for kind in kinds.into_iter().filter(|kind| *kind != "case") {
        let told = told(view, kind).await?;
        let mut now = BySubject::new();
        for table in TABLES.iter().filter(|table| table.kind == kind) {
            let text = format!("SELECT * FROM {}", table.name);
            take(&mut now, table, &sqlx::query(AssertSqlSafe(text)).fetch_all(&mut *view).await?)?;
        }
        let subjects: BTreeSet<&String> = told.keys().chain(now.keys()).collect();
        for subject in subjects {
            compare(report, kind, subject, told.get(subject), now.get(subject));
        }
    }
    Ok(())
}

/// What the audit last told of the subjects of a kind.
async fn told(view: &mut AnyConnection, kind: &str) -> Result<BySubject, StoreError> {
    let mut told = BySubject::new();
    let mut last = (String::new(), 0_i64);
    loop {
        let rows = sqlx::query(
            "SELECT subject_id, seq, detail FROM audit
             WHERE subject_kind = $1 AND (subject_id, seq) > ($2, $3)
             ORDER BY subject_id, seq LIMIT $4",
        )
        .bind(kind.to_owned())
        .bind(last.0.clone())
        .bind(last.1)
        .bind(PAGE)
        .fetch_all(&mut *view)
        .await?;
        let Some(end) = rows.last() else { return Ok(told) };
        last = (end.try_get("subject_id")?, end.try_get("seq")?);
        for row in &rows {
            let detail: String = row.try_get("detail")?;
            // A row that is no JSON fails the chain's check.
            let detail = serde_json::from_str(&detail).unwrap_or_default();
            if let Some(rows) = audit::told(&detail) {
                told.insert(row.try_get("subject_id")?, rows);
            }
        }
    }
}
