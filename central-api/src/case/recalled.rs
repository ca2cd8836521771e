//! What a recall (`recall`) needs of every case: with its packages is kept what they were made with,
//! so that a fault finds its cases among millions, and the gate asks whether one holds a case.

use contract::{Facts, Manifest};
use sqlx::{AnyConnection, Row as _};
use time::OffsetDateTime;

use crate::audit::{self, Entry};
use crate::law::Provision;
use crate::store::{Store, StoreError, Tx, to_ms};

/// Keeps what a package was made with: its models, the camera's configuration, and the camera before,
/// where the act is measured between two.
pub async fn trace(tx: &mut Tx<'_>, manifest: &Manifest) -> Result<(), StoreError> {
    for (kind, value) in causes(manifest) {
        sqlx::query(
            "INSERT INTO evidence_causes (kind, value, captured_at, evidence_id)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (kind, value, captured_at, evidence_id) DO NOTHING",
        )
        .bind(kind)
        .bind(value)
        .bind(to_ms(manifest.violation.at))
        .bind(manifest.evidence_id.to_string())
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

fn causes(manifest: &Manifest) -> Vec<(&'static str, String)> {
    let models = manifest.models.iter().map(|model| ("model", model.sha256.to_string()));
    let mut causes: Vec<_> = models.collect();
    causes.push(("config", manifest.config.to_string()));
    if let Facts::AverageSpeed(facts) = &manifest.violation.facts {
        causes.push(("camera", facts.from_camera.clone()));
    }
    causes
}

/// The recalls that a package which comes in late belongs to: they have listed what there was before.
async fn recalls_of(
    tx: &mut Tx<'_>,
    manifest: &Manifest,
    law: Option<&Provision>,
) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, cause, value FROM recalls WHERE from_at <= $1 AND to_at > $1 ORDER BY id",
    )
    .bind(to_ms(manifest.violation.at))
    .fetch_all(&mut **tx)
    .await?;
    let mut made_with = causes(manifest);
    made_with.push(("camera", manifest.camera.id.clone()));
    made_with.push(("device", manifest.device.id.clone()));
    made_with.extend(law.map(|law| ("law", format!("{} {}", law.decree, law.key()))));
    let mut found = Vec::new();
    for row in rows {
        let (cause, value): (String, String) = (row.try_get("cause")?, row.try_get("value")?);
        if made_with.iter().any(|(kind, made)| *kind == cause && *made == value) {
            found.push(row.try_get("id")?);
        }
    }
    Ok(found)
}

/// Takes a recall until `tx` ends: whatever moves its cases does so one after another, in the order in
/// which the audit tells it. Taken before the head of the chain, and after no case.
pub async fn hold_recall(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE recalls SET opened_at = opened_at WHERE id = $1")
        .bind(id.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes the recalls that a package belongs to: first in its transaction.
pub(super) async fn hold_late(
    tx: &mut Tx<'_>,
    manifest: &Manifest,
    law: Option<&Provision>,
) -> Result<(), StoreError> {
    for recall in recalls_of(tx, manifest, law).await? {
        hold_recall(tx, &recall).await?;
    }
    Ok(())
}

/// Freezes the case of a package by the recalls that it belongs to.
pub(super) async fn freeze_late(
    tx: &mut Tx<'_>,
    manifest: &Manifest,
    case: &str,
    law: Option<&Provision>,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    for recall in recalls_of(tx, manifest, law).await? {
        if freeze(tx, &recall, case, Some("unknown")).await? {
            note_frozen(tx, &recall, &[case.to_owned()], Some("unknown"), now).await?;
        }
    }
    Ok(())
}

/// Freezes a case by a recall; false where it was before.
pub async fn freeze(
    tx: &mut Tx<'_>,
    recall: &str,
    case: &str,
    judged: Option<&str>,
) -> Result<bool, StoreError> {
    let written = sqlx::query(
        "INSERT INTO recalled (recall_id, case_id, state, judged) VALUES ($1, $2, 'frozen', $3)
         ON CONFLICT (case_id, recall_id) DO NOTHING",
    )
    .bind(recall.to_owned())
    .bind(case.to_owned())
    .bind(judged.map(str::to_owned))
    .execute(&mut **tx)
    .await?;
    Ok(written.rows_affected() == 1)
}

/// Puts into the audit which cases a recall froze.
pub async fn note_frozen(
    tx: &mut Tx<'_>,
    recall: &str,
    cases: &[String],
    judged: Option<&str>,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let entry = Entry {
        at: now,
        actor: "system",
        action: "recall.frozen",
        subject_kind: "recall",
        subject_id: recall,
        detail: serde_json::json!({ "cases": cases, "judged": judged }),
    };
    audit::append(tx, entry).await
}

/// Keeps that a member of staff had a hand in a case, beside its reviewer and approver: before the row
/// of the audit that says what it was.
pub async fn hand(tx: &mut Tx<'_>, case: &str, user: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO case_hands (case_id, user_id, act_at)
         SELECT id, $2, act_at FROM cases WHERE id = $1
         ON CONFLICT (case_id, user_id) DO NOTHING",
    )
    .bind(case.to_owned())
    .bind(user.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The recall that a case is frozen or annulled by.
pub async fn held_by(store: &Store, case: &str) -> Result<Option<String>, StoreError> {
    let mut connection = store.pool().acquire().await?;
    held_in(&mut connection, case).await
}

/// The same within a transaction that has the case's row: whoever freezes it waits or was before.
pub async fn held_in(view: &mut AnyConnection, case: &str) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT recall_id FROM recalled WHERE case_id = $1 AND state <> 'released'
         ORDER BY recall_id LIMIT 1",
    )
    .bind(case.to_owned())
    .fetch_optional(view)
    .await?)
}
