//! What a recall (`recall`) needs of every case: with its packages is kept what they were made with,
//! so that a fault finds its cases among millions, and the gate asks whether one holds a case.

use contract::{Facts, Manifest};
use sqlx::{AnyConnection, Row as _};

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

/// Freezes a case by the recalls that a package which comes in late belongs to: they have listed what
/// there was before.
pub(super) async fn freeze_late(
    tx: &mut Tx<'_>,
    manifest: &Manifest,
    case: &str,
    law: Option<&Provision>,
) -> Result<(), StoreError> {
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
    for row in rows {
        let (cause, value): (String, String) = (row.try_get("cause")?, row.try_get("value")?);
        if !made_with.iter().any(|(kind, made)| *kind == cause && *made == value) {
            continue;
        }
        sqlx::query(
            "INSERT INTO recalled (recall_id, case_id, state, judged)
             VALUES ($1, $2, 'frozen', 'unknown') ON CONFLICT (case_id, recall_id) DO NOTHING",
        )
        .bind(row.try_get::<String, _>("id")?)
        .bind(case.to_owned())
        .execute(&mut **tx)
        .await?;
    }
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
