//! What the proceedings of a case put on record, and its documents with their files, against what the
//! audit says of them.

use std::collections::BTreeMap;

use contract::Digest;
use sqlx::{AnyConnection, Row as _};

use super::Report;
use super::cases::{CHANGED, Columns, Entry, compare};
use crate::case::{Case, Value};
use crate::documents::sign::Signing;
use crate::documents::{self, Kind};
use crate::evidence::EvidenceStore;
use crate::proceedings;
use crate::store::{StoreError, to_ms};

/// The columns of a notice as its decision recorded them; older decisions recorded fewer.
pub(super) fn notice(case: &str, by: &str, entry: &Entry) -> Columns {
    columns(case, by, entry, "notice")
}

/// The columns of the document that was issued with a row of the audit, if one was.
pub(super) fn issued(case: &str, entry: &Entry) -> Option<Columns> {
    let said = |key: &str| entry.detail.pointer(&format!("/document/{key}"))?.as_str();
    let signer = said("issued_by")?;
    let mut columns = columns(case, signer, entry, "document");
    columns.retain(|(name, _)| *name != "kind");
    columns.push(("kind", Value::Text(said("kind").map(str::to_owned))));
    Some(columns)
}

fn columns(case: &str, by: &str, entry: &Entry, at: &str) -> Columns {
    let said = |key: &str| entry.detail.pointer(&format!("/{at}/{key}")).cloned();
    let mut columns = vec![
        ("kind", Value::Text(Some(Kind::Notice.name().into()))),
        ("case_id", Value::Text(Some(case.into()))),
        ("issued_at", Value::Integer(Some(to_ms(entry.at)))),
        ("issued_by", Value::Text(Some(by.into()))),
    ];
    for key in ["year", "number"] {
        if let Some(number) = said(key) {
            columns.push((key, Value::Integer(number.as_i64())));
        }
    }
    for key in ["code", "sha256"] {
        if let Some(text) = said(key) {
            columns.push((key, Value::Text(text.as_str().map(str::to_owned))));
        }
    }
    columns
}

/// What documents' files are read with.
#[derive(Clone, Copy)]
pub(super) struct Readers<'a> {
    pub evidence: &'a EvidenceStore,
    /// Whose signatures are believed; without it signatures are not looked at.
    pub signing: Option<&'a Signing>,
}

/// The rows and files of a case's documents against those that were issued.
pub(super) async fn check(
    report: &mut Report,
    view: &mut AnyConnection,
    readers: Readers<'_>,
    case: &Case,
    told: &[Columns],
) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT kind, case_id, code, year, number, sha256, issued_at, issued_by FROM documents
         WHERE case_id = $1 ORDER BY issued_at, kind, number",
    )
    .bind(case.id.clone())
    .fetch_all(&mut *view)
    .await?;
    let mut left: Vec<&Columns> = told.iter().collect();
    for row in &rows {
        let (kind, code): (String, String) = (row.try_get("kind")?, row.try_get("code")?);
        let subject = format!("{kind} of case {}", case.id);
        // By its code; where that was changed, by its kind.
        let same = |columns: &&Columns, key: &str, value: &str| {
            columns.iter().any(|(name, is)| *name == key && *is == Value::Text(Some(value.into())))
        };
        let at = left.iter().position(|columns| same(columns, "code", &code));
        let at = at.or(left.iter().position(|columns| same(columns, "kind", &kind)));
        let Some(at) = at else {
            report.add(subject, "is on record, but no decision issued it");
            continue;
        };
        let columns = left.remove(at);
        compare(report, &subject, row, columns);
        let kept: String = row.try_get("sha256")?;
        file(report, readers, case, (&subject, &kept), columns).await;
    }
    for columns in left {
        let kind = text(columns, "kind").unwrap_or("document");
        let subject = format!("{kind} of case {}", case.id);
        report.add(subject, "was issued, but is not on record");
    }
    Ok(())
}

/// The file that the row leads to: the one that was issued, and its signatures hold. Read once.
async fn file(
    report: &mut Report,
    readers: Readers<'_>,
    case: &Case,
    (subject, kept): (&str, &str),
    columns: &Columns,
) {
    let kind = text(columns, "kind").and_then(Kind::parse);
    let Some((kind, sha256)) = kind.zip(text(columns, "sha256")) else { return };
    let name = documents::file_name(kind, kept);
    report.files += 1;
    let pdf = match readers.evidence.read(&case.evidence_id, &name).await {
        Ok(pdf) => pdf,
        Err(error) => return report.add(format!("{subject}: {name}"), super::whole::why(&error)),
    };
    if Digest::of(&pdf).to_string() != *sha256 {
        report.add(format!("{subject}: {name}"), "is not the file that was issued");
    }
    if let Some(signing) = readers.signing {
        report.signature(subject, signing.check(&pdf));
    }
}

fn text<'a>(columns: &'a Columns, key: &str) -> Option<&'a str> {
    columns.iter().find_map(|(name, value)| match value {
        Value::Text(text) if *name == key => text.as_deref(),
        _ => None,
    })
}

/// The row of every proceeding against the digest that the audit has of it.
pub(super) async fn proceedings(
    report: &mut Report,
    view: &mut AnyConnection,
    case: &str,
    told: &BTreeMap<String, String>,
) -> Result<(), StoreError> {
    for name in proceedings::RECORDED {
        let is = proceedings::digest_of(view, name, case).await;
        let problem = match (is, told.get(name)) {
            (Ok(None), None) => continue,
            (Ok(None), Some(_)) => "was put on record, and is not there",
            (Ok(Some(_)) | Err(StoreError::Corrupt { .. }), None) => {
                "is on record, but nobody put it there"
            }
            (Ok(Some(is)), Some(digest)) if is == *digest => continue,
            (Ok(Some(_)) | Err(StoreError::Corrupt { .. }), Some(_)) => CHANGED,
            (Err(error), _) => return Err(error),
        };
        report.add(format!("{name} of case {case}"), problem);
    }
    Ok(())
}

/// Proceedings that there are none of.
pub(super) async fn unknown(
    report: &mut Report,
    view: &mut AnyConnection,
) -> Result<(), StoreError> {
    let rows = sqlx::query("SELECT DISTINCT name, case_id FROM proceedings ORDER BY name, case_id");
    for row in rows.fetch_all(view).await? {
        let (name, case): (String, String) = (row.try_get("name")?, row.try_get("case_id")?);
        if !proceedings::RECORDED.contains(&name.as_str()) {
            report.add(format!("{name} of case {case}"), "is on record, but nobody put it there");
        }
    }
    Ok(())
}
