//! The cases of every recall, made again from the audit, and the messages of every file of warnings.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, Row as _};

use super::Report;
use super::cases::{CHANGED, entries};
use crate::recall::{self, Rows};
use crate::store::StoreError;

pub(super) async fn check(report: &mut Report, view: &mut AnyConnection) -> Result<(), StoreError> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT subject_id FROM audit WHERE subject_kind = 'recall'
         UNION SELECT recall_id FROM recalled ORDER BY 1",
    )
    .fetch_all(&mut *view)
    .await?;
    for id in &ids {
        let mut told = Rows::new();
        for entry in entries(view, "recall", id).await? {
            if recall::replay(&mut told, &entry.action, &entry.detail).is_none() {
                let (seq, action) = (entry.seq, &entry.action);
                let problem = format!("audit row {seq}, {action}: moves other cases than it says");
                report.add(format!("recall {id}"), problem);
            }
        }
        compare(report, view, id, told).await?;
    }
    exports(report, view).await
}

async fn compare(
    report: &mut Report,
    view: &mut AnyConnection,
    id: &str,
    mut told: Rows,
) -> Result<(), StoreError> {
    let subject = |case: &str| format!("recalled {case} of recall {id}");
    let mut after = String::new();
    loop {
        let rows = recall::page(view, id, &after).await?;
        let Some((last, _)) = rows.last() else { break };
        after.clone_from(last);
        for (case, row) in rows {
            match told.remove(&case) {
                Some(said) if said == row => {}
                Some(_) => report.add(subject(&case), CHANGED),
                None => report.add(subject(&case), "is on record, but nobody put it there"),
            }
        }
    }
    for case in told.into_keys() {
        report.add(subject(&case), "was put on record, and is not there");
    }
    Ok(())
}

/// First and last number, and how many.
type Span = (i64, i64, i64);

/// Which messages went out with which file.
async fn exports(report: &mut Report, view: &mut AnyConnection) -> Result<(), StoreError> {
    let mut told: BTreeMap<i64, Span> = BTreeMap::new();
    let begun = sqlx::query(
        "SELECT subject_id, detail FROM audit
         WHERE subject_kind = 'warning_export' AND action = 'warning.file_begun' ORDER BY seq",
    );
    for row in begun.fetch_all(&mut *view).await? {
        let (number, detail): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let detail: serde_json::Value = serde_json::from_str(&detail).unwrap_or_default();
        let said = |key: &str| detail[key].as_i64().unwrap_or_default();
        let span = (said("first"), said("last"), said("count"));
        told.insert(number.parse().unwrap_or_default(), span);
    }
    let rows = sqlx::query(
        "SELECT export, MIN(seq) AS first, MAX(seq) AS last, COUNT(*) AS messages
         FROM warning_messages WHERE export IS NOT NULL GROUP BY export ORDER BY export",
    );
    for row in rows.fetch_all(&mut *view).await? {
        let number: i64 = row.try_get("export")?;
        let span = (row.try_get("first")?, row.try_get("last")?, row.try_get("messages")?);
        if told.remove(&number) != Some(span) {
            report
                .add(format!("warning_exports {number}"), "has other messages than it was made of");
        }
    }
    for number in told.into_keys() {
        report.add(format!("warning_exports {number}"), "has none of the messages it was made of");
    }
    Ok(())
}
