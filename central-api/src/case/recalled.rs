//! What a recall (`recall`) needs of every case: with its packages is kept what they were made with,
//! so that a fault finds its cases among millions, and the gate asks whether one holds a case.

use contract::Manifest;

use crate::store::{Store, StoreError, Tx, to_ms};

/// Keeps the models and the configuration of a package.
pub async fn trace(tx: &mut Tx<'_>, manifest: &Manifest) -> Result<(), StoreError> {
    let models = manifest.models.iter().map(|model| ("model", model.sha256.to_string()));
    let causes = models.chain([("config", manifest.config.to_string())]);
    for (kind, value) in causes {
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

/// The recall that a case is frozen or annulled by.
pub async fn held_by(store: &Store, case: &str) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT recall_id FROM recalled WHERE case_id = $1 AND state <> 'released'
         ORDER BY recall_id LIMIT 1",
    )
    .bind(case.to_owned())
    .fetch_optional(store.pool())
    .await?)
}
