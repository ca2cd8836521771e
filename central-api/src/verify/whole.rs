//! Everything the central holds: each package, each device's chain, the audit chain, and every row
//! that a decision made or stands on.

use std::collections::HashMap;

use contract::package::{MANIFEST_FILE, SEAL_FILE, check_file};
use contract::seal::VerifyingKey;
use contract::{Digest, FileRole, Manifest};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::package::{named, open_sealed};
use super::papers::Readers;
use super::{Depth, Finding, Report, delivery};
use crate::audit;
use crate::device::settle;
use crate::documents::sign::Signing;
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::law::LawBook;
use crate::proceedings::payment;
use crate::store::{Store, StoreError};

const PAGE: i64 = 200;

/// One evidence row.
struct Kept {
    id: String,
    device_id: String,
    sequence: i64,
    manifest: String,
    manifest_digest: String,
    seal: String,
    key_id: String,
    received: bool,
    /// Kept without a case until an administrator decides.
    parked: bool,
    case_id: Option<String>,
    opened: Option<String>,
}

impl Kept {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.try_get("id")?,
            device_id: row.try_get("device_id")?,
            sequence: row.try_get("sequence")?,
            manifest: row.try_get("manifest")?,
            manifest_digest: row.try_get("manifest_digest")?,
            seal: row.try_get("seal")?,
            key_id: row.try_get("key_id")?,
            received: row.try_get::<Option<i64>, _>("received_at")?.is_some(),
            parked: row.try_get::<Option<String>, _>("parked")?.is_some(),
            case_id: row.try_get("case_id")?,
            opened: row.try_get("opened")?,
        })
    }
}

/// Where a device's chain stands while it is walked.
#[derive(Default)]
struct Link {
    sequence: i64,
    digest: Option<String>,
}

/// Checks the whole store as it is now, also while it serves. Errors are the database's; what does
/// not hold is in the report.
pub async fn verify_store(
    store: &Store,
    evidence: &EvidenceStore,
    law: &LawBook,
    depth: Depth,
) -> Result<Report, StoreError> {
    let mut view = store.snapshot().await?;
    verify_view(&mut view, evidence, law, depth).await
}

/// The same with every document's signatures, by the roots of `signing`.
pub async fn verify_signed(
    store: &Store,
    evidence: &EvidenceStore,
    law: &LawBook,
    depth: Depth,
    signing: &Signing,
) -> Result<Report, StoreError> {
    let mut view = store.snapshot().await?;
    let readers = Readers { evidence, signing: Some(signing) };
    let mut report = verify_all(&mut view, readers, law, depth).await?;
    report.signatures.get_or_insert_default();
    Ok(report)
}

/// Checks what `view` sees: one state of the database, for rows are held against each other that
/// are written together and read one after another.
pub async fn verify_view(
    view: &mut AnyConnection,
    evidence: &EvidenceStore,
    law: &LawBook,
    depth: Depth,
) -> Result<Report, StoreError> {
    verify_all(view, Readers { evidence, signing: None }, law, depth).await
}

async fn verify_all(
    view: &mut AnyConnection,
    readers: Readers<'_>,
    law: &LawBook,
    depth: Depth,
) -> Result<Report, StoreError> {
    let evidence = readers.evidence;
    let mut report = Report::looking(depth);
    let keys = keys(view).await?;
    let gaps = settle::all(view).await?;
    let mut links: HashMap<String, Link> = HashMap::new();
    let mut last = (String::new(), 0_i64);
    loop {
        let rows = sqlx::query(
            "SELECT e.id, e.device_id, e.sequence, e.manifest, e.manifest_digest, e.seal, e.key_id,
                    e.captured_at, e.announced_at, e.received_at, e.parked, e.closed_at,
                    e.case_id, c.id AS opened
             FROM evidence e LEFT JOIN cases c ON c.id = e.case_id
             WHERE e.device_id > $1 OR (e.device_id = $1 AND e.sequence > $2)
             ORDER BY e.device_id, e.sequence LIMIT $3",
        )
        .bind(last.0.as_str())
        .bind(last.1)
        .bind(PAGE)
        .fetch_all(&mut *view)
        .await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let kept = Kept::read(row)?;
            let link = links.entry(kept.device_id.clone()).or_default();
            follow(&mut report, link, &kept, &gaps);
            check_case(&mut report, &kept);
            if let Some(manifest) = check_package(&mut report, evidence, &keys, &kept).await? {
                delivery::check(&mut report, view, row, &kept.id, &manifest).await?;
            }
            last = (kept.device_id, kept.sequence);
        }
    }
    check_heads(&mut report, view, &links).await?;
    check_orphans(&mut report, view).await?;
    super::cases::check(&mut report, view, readers, law).await?;
    super::covered::check(&mut report, view).await?;
    super::recalls::check(&mut report, view).await?;
    for (subject, problem) in payment::check(view, law).await? {
        report.add(subject, problem);
    }
    match audit::verify(view).await? {
        Ok(chain) => {
            report.audit_rows = chain.rows;
            report.audit_head = Some(chain.head);
        }
        Err(broken) => report.add("audit", broken),
    }
    Ok(report.finished())
}

type Keys = HashMap<(String, String), VerifyingKey>;

async fn keys(view: &mut AnyConnection) -> Result<Keys, StoreError> {
    let rows =
        sqlx::query("SELECT device_id, key_id, pem FROM device_keys").fetch_all(&mut *view).await?;
    rows.iter()
        .map(|row| {
            let pem: String = row.try_get("pem")?;
            let key = VerifyingKey::from_pem(&pem)
                .map_err(|error| StoreError::corrupt("seal key", error))?;
            Ok(((row.try_get("device_id")?, row.try_get("key_id")?), key))
        })
        .collect()
}

/// Continues the device's chain with this row: no gap, the right predecessor.
fn follow(report: &mut Report, link: &mut Link, kept: &Kept, gaps: &settle::Gaps) {
    let subject = format!("device {}", kept.device_id);
    if kept.sequence != link.sequence + 1 {
        let missing = settle::gap_in_words(link.sequence, kept.sequence);
        match gaps.get(&(kept.device_id.clone(), kept.sequence)) {
            Some(settled) => report.settled.push(Finding {
                subject,
                problem: format!("{missing}; settled on {}: {}", settled.at.date(), settled.reason),
            }),
            None => report.add(&subject, missing),
        }
    } else if let Ok(manifest) = Manifest::parse(kept.manifest.as_bytes()) {
        let previous = manifest.previous.map(|digest| digest.to_string());
        if previous != link.digest {
            report.add(
                &subject,
                format!(
                    "sequence {} names another predecessor than the one on record",
                    kept.sequence
                ),
            );
        }
    }
    link.sequence = kept.sequence;
    link.digest = Some(Digest::of(kept.manifest.as_bytes()).to_string());
}

fn check_case(report: &mut Report, kept: &Kept) {
    let subject = format!("evidence {}", kept.id);
    match (kept.received, &kept.case_id, &kept.opened) {
        (true, Some(case), Some(opened)) if case == opened => {}
        (false, None, None) => {}
        (true, None, None) if kept.parked => {}
        (true, ..) => report.add(subject, "received, but its case is missing"),
        (false, ..) => report.add(subject, "has a case, but was never received whole"),
    }
}

/// The manifest, where its seal holds.
async fn check_package(
    report: &mut Report,
    evidence: &EvidenceStore,
    keys: &Keys,
    kept: &Kept,
) -> Result<Option<Manifest>, StoreError> {
    let subject = |name: &str| format!("evidence {}: {name}", kept.id);
    if Digest::of(kept.manifest.as_bytes()).to_string() != kept.manifest_digest {
        report.add(subject("database"), "the manifest on record was changed");
    }
    let Some(key) = keys.get(&(kept.device_id.clone(), kept.key_id.clone())) else {
        report.add(subject(SEAL_FILE), format!("sealing key {} is not on record", kept.key_id));
        return Ok(None);
    };
    // The record vouches for the files even where the package's own copy was damaged.
    let sealed = match open_sealed(key, kept.manifest.as_bytes(), kept.seal.as_bytes()) {
        Ok(manifest) => Some(manifest),
        Err(failure) => {
            let (name, problem) = named(&failure);
            report.add(subject(&format!("database: {name}")), problem);
            None
        }
    };
    if !kept.received {
        report.incomplete += 1;
        return Ok(sealed);
    }
    report.packages += 1;
    let manifest = evidence.read(&kept.id, MANIFEST_FILE).await;
    let seal = evidence.read(&kept.id, SEAL_FILE).await;
    for (name, content, record) in
        [(MANIFEST_FILE, &manifest, &kept.manifest), (SEAL_FILE, &seal, &kept.seal)]
    {
        match content {
            Err(error) => report.add(subject(name), why(error)),
            Ok(content) if content != record.as_bytes() => {
                report.add(subject(name), "differs from the database's record");
            }
            Ok(_) => {}
        }
    }
    let mut basis = None;
    for entry in sealed.iter().flat_map(|manifest| &manifest.files) {
        report.files += 1;
        match evidence.read(&kept.id, &entry.name).await {
            Err(error) => report.add(subject(&entry.name), why(&error)),
            Ok(content) => {
                if let Err(failure) = check_file(entry, &content) {
                    report.add(subject(&entry.name), named(&failure).1);
                } else if entry.role == FileRole::Basis {
                    basis = Some(content);
                }
            }
        }
    }
    if let Some(manifest) = &sealed {
        report.judge(&format!("evidence {}", kept.id), manifest, basis.as_deref());
    }
    Ok(sealed)
}

pub(super) fn why(error: &EvidenceError) -> String {
    match error {
        EvidenceError::NotFound { .. } => "missing".into(),
        other => other.to_string(),
    }
}

/// The last manifest of each device is the one its head names: none was cut off the end.
async fn check_heads(
    report: &mut Report,
    view: &mut AnyConnection,
    links: &HashMap<String, Link>,
) -> Result<(), StoreError> {
    let rows = sqlx::query("SELECT id, head_sequence, head_digest FROM devices ORDER BY id")
        .fetch_all(&mut *view)
        .await?;
    for row in rows {
        let id: String = row.try_get("id")?;
        let sequence: i64 = row.try_get("head_sequence")?;
        let digest: Option<String> = row.try_get("head_digest")?;
        let none = Link::default();
        let link = links.get(&id).unwrap_or(&none);
        if link.sequence != sequence || link.digest != digest {
            report.add(
                format!("device {id}"),
                format!("manifests end at {}, the head says {sequence}", link.sequence),
            );
        }
    }
    Ok(())
}

async fn check_orphans(report: &mut Report, view: &mut AnyConnection) -> Result<(), StoreError> {
    let orphans: Vec<String> = sqlx::query_scalar(
        "SELECT c.id FROM cases c LEFT JOIN evidence e ON e.id = c.evidence_id
         WHERE e.id IS NULL OR e.received_at IS NULL ORDER BY c.id",
    )
    .fetch_all(&mut *view)
    .await?;
    for id in orphans {
        report.add(format!("case {id}"), "has no evidence that was received whole");
    }
    Ok(())
}
