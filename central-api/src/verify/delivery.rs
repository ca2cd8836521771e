//! The rows about one package against its sealed manifest and the audit of its delivery: when it
//! was announced and whole, whether it was parked, which case it became, and each of its files.

use contract::Manifest;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::Report;
use super::cases::{CHANGED, Columns, compare, entries};
use crate::case::{Value, name_of};
use crate::store::{StoreError, to_ms};

/// Checks the `row` of the evidence `id` and those of its files; its seal over `manifest` holds.
pub(super) async fn check(
    report: &mut Report,
    view: &mut AnyConnection,
    row: &AnyRow,
    id: &str,
    manifest: &Manifest,
) -> Result<(), StoreError> {
    let subject = format!("evidence {id}");
    compare(report, &subject, row, &story(view, id, manifest).await?);
    files(report, view, id, manifest).await
}

/// The columns as manifest and audit give them.
async fn story(
    view: &mut AnyConnection,
    id: &str,
    manifest: &Manifest,
) -> Result<Columns, StoreError> {
    let (mut announced, mut received, mut closed) = (None, None, None);
    let (mut parked, mut case) = (None, None);
    for entry in entries(view, "evidence", id).await? {
        let text = |key: &str| entry.detail.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        let at = Some(to_ms(entry.at));
        match entry.action.as_str() {
            "evidence.announced" => (announced, parked) = (at, text("parked")),
            "evidence.received" => (received, case) = (at, text("case")),
            "evidence.unparked" => case = text("case"),
            "evidence.closed" => closed = at,
            _ => {}
        }
    }
    Ok(vec![
        ("captured_at", Value::Integer(Some(to_ms(manifest.violation.at)))),
        ("announced_at", Value::Integer(announced)),
        ("received_at", Value::Integer(received)),
        ("parked", Value::Text(parked)),
        ("closed_at", Value::Integer(closed)),
        ("case_id", Value::Text(case)),
    ])
}

async fn files(
    report: &mut Report,
    view: &mut AnyConnection,
    id: &str,
    manifest: &Manifest,
) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT name, role, media_type, sha256, bytes FROM evidence_files WHERE evidence_id = $1",
    )
    .bind(id.to_owned())
    .fetch_all(&mut *view)
    .await?;
    let subject = format!("evidence {id}");
    if rows.len() != manifest.files.len() {
        let sealed = manifest.files.len();
        report.add(&subject, format!("{} files on record, {sealed} sealed", rows.len()));
    }
    for row in rows {
        let name: String = row.try_get("name")?;
        let subject = format!("{subject}: {name}");
        let Some(file) = manifest.files.iter().find(|file| file.name == name) else {
            report.add(&subject, format!("column name {CHANGED}"));
            continue;
        };
        let columns = vec![
            ("role", Value::Text(Some(name_of(&file.role)))),
            ("media_type", Value::Text(Some(file.media_type.clone()))),
            ("sha256", Value::Text(Some(file.sha256.to_string()))),
            // The contract bounds a file far below.
            ("bytes", Value::Integer(i64::try_from(file.bytes).ok())),
        ];
        compare(report, &subject, &row, &columns);
    }
    Ok(())
}
