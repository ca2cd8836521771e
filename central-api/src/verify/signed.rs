//! The electronic signatures of stored documents: each is whole, and of somebody who is believed.

use serde::Serialize;
use sqlx::Row as _;
use time::format_description::well_known::Rfc3339;

use super::Report;
use super::whole::why;
use crate::documents::sign::{Signature, Signing};
use crate::documents::{self, Kind};
use crate::evidence::EvidenceStore;
use crate::store::{Store, StoreError};

const PAGE: i64 = 200;

/// How many documents are signed; those whose signature does not hold are among the findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Signatures {
    pub signed: u64,
    /// Printed to be signed by hand.
    pub unsigned: u64,
}

/// Adds to `report` what holds of the signatures of all documents.
pub async fn verify_signatures(
    mut report: Report,
    store: &Store,
    evidence: &EvidenceStore,
    signing: &Signing,
) -> Result<Report, StoreError> {
    let mut counted = Signatures::default();
    let mut last = String::new();
    loop {
        let rows = sqlx::query(
            "SELECT d.code, d.kind, d.case_id, d.sha256, c.evidence_id
             FROM documents d JOIN cases c ON c.id = d.case_id
             WHERE d.code > $1 ORDER BY d.code LIMIT $2",
        )
        .bind(last.clone())
        .bind(PAGE)
        .fetch_all(store.pool())
        .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            last = row.try_get("code")?;
            let text = |name| row.try_get::<String, _>(name);
            let (kind, sha256, of) = (text("kind")?, text("sha256")?, text("evidence_id")?);
            let subject = format!("{kind} of case {}", text("case_id")?);
            // A kind that is none is named where rows are compared.
            let Some(kind) = Kind::parse(&kind) else { continue };
            match evidence.read(&of, &documents::file_name(kind, &sha256)).await {
                Err(error) => report.add(subject, why(&error)),
                Ok(pdf) => match signing.check(&pdf) {
                    Ok(found) if found.is_empty() => counted.unsigned += 1,
                    Ok(_) => counted.signed += 1,
                    Err(error) => report.add(subject, error),
                },
            }
        }
    }
    report.signatures = Some(counted);
    Ok(report.finished())
}

/// `signed by NAME (ORGANISATION) at TIME, as TSA says`.
pub fn in_words(signature: &Signature) -> String {
    let by = &signature.by;
    let organisation = by.organisation.as_ref().map(|name| format!(" ({name})"));
    let time = match &signature.stamp {
        Some(stamp) => format!("by the time stamp of {}", stamp.by.name),
        None => "by the signer's own clock".into(),
    };
    let at = signature.at.to_offset(crate::law::VIETNAM);
    let at = at.format(&Rfc3339).unwrap_or_else(|_| at.to_string());
    format!("signed by {}{} at {at}, {time}", by.name, organisation.unwrap_or_default())
}
