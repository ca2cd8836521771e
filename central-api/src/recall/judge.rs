//! The job that judges frozen cases again from what was sealed, some at a time.

use std::collections::BTreeMap;

use contract::{FileRole, Manifest};
use judge::basis::{Again, Basis};
use sqlx::Row as _;

use super::{Judged, RecallError};
use crate::AppState;
use crate::case::{self, name_of};
use crate::jobs::{self, Done, Job, Taken};
use crate::store::StoreError;

/// Cases of one attempt: well within a job's lease.
const BATCH: i64 = 200;

pub async fn judge(state: &AppState, taken: &Taken, id: &str) -> Result<Done, RecallError> {
    let rows = sqlx::query(
        "SELECT r.case_id, e.id, e.manifest FROM recalled r
         JOIN cases c ON c.id = r.case_id JOIN evidence e ON e.id = c.evidence_id
         WHERE r.recall_id = $1 AND r.judged IS NULL ORDER BY r.case_id LIMIT $2",
    )
    .bind(id.to_owned())
    .bind(BATCH)
    .fetch_all(state.store.pool())
    .await
    .map_err(StoreError::from)?;
    let mut verdicts = Vec::with_capacity(rows.len());
    for row in &rows {
        let text = |name| row.try_get::<String, _>(name).map_err(StoreError::from);
        let verdict = again(state, &text("id")?, &text("manifest")?).await;
        verdicts.push((text("case_id")?, verdict));
    }
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    case::hold_recall(&mut tx, id).await?;
    for (case, verdict) in &verdicts {
        sqlx::query("UPDATE recalled SET judged = $1 WHERE recall_id = $2 AND case_id = $3")
            .bind(name_of(verdict))
            .bind(id.to_owned())
            .bind(case.clone())
            .execute(&mut *tx)
            .await
            .map_err(StoreError::from)?;
    }
    let done = taken.done(&mut tx).await?;
    if !verdicts.is_empty() {
        jobs::ask(&mut tx, &Job::JudgeRecall { recall: id.to_owned() }, now).await?;
        let said = verdicts.iter().map(|(case, verdict)| (case.as_str(), name_of(verdict)));
        let said = serde_json::json!({ "verdicts": said.collect::<BTreeMap<_, _>>() });
        super::note_down(&mut tx, id, ("system", "judged"), now, said).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

async fn again(state: &AppState, evidence: &str, manifest: &str) -> Judged {
    let Ok(manifest) = Manifest::parse(manifest.as_bytes()) else { return Judged::Unknown };
    let Some(file) = manifest.file(FileRole::Basis) else { return Judged::Unknown };
    let Ok(basis) = state.evidence.read(evidence, &file.name).await else { return Judged::Unknown };
    match Basis::parse(&basis).and_then(|basis| basis.again(&manifest)) {
        Ok(Again::Same) => Judged::Same,
        Ok(Again::Differs(_)) => Judged::Differs,
        Err(_) => Judged::Unknown,
    }
}
