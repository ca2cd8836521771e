//! The job that finds the cases a fault touched and freezes them, in pages, each in a transaction of
//! its own: whoever decides meanwhile finds the case frozen or has decided before.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Cause, Recall, RecallError, find};
use crate::AppState;
use crate::case;
use crate::jobs::{self, Done, Job, Place, Taken};
use crate::law::Provision;
use crate::store::{Dialect, StoreError, Tx, to_ms};

/// Cases of one page, and pages of one attempt: well within a job's lease.
const PAGE: usize = 1_000;
const PAGES: u32 = 20;

/// Reads a page of the cases of a cause: id, act's time, state and law, after a moment and an id.
/// $1 is the cause's value, $2 and $3 where the page begins, $4 where the period ends.
pub fn list_texts(cause: Cause) -> Vec<String> {
    let of = |condition: &str| {
        format!(
            "SELECT c.id, c.act_at AS at, c.state, c.law, c.id AS seen FROM cases c
             WHERE {condition} (c.act_at, c.id) > ($2, $3) AND c.act_at < $4
             ORDER BY c.act_at, c.id LIMIT {PAGE}"
        )
    };
    match cause {
        Cause::Camera => vec![of("c.camera_id = $1 AND"), traced("camera")],
        Cause::Device => vec![of("c.device_id = $1 AND")],
        Cause::Officer => {
            vec![
                of("c.reviewer = $1 AND"),
                of("c.approver = $1 AND"),
                of("c.plate_by = $1 AND"),
                handled(),
            ]
        }
        // Which provision was chosen stands in the case alone.
        Cause::Law => vec![of("$1 <> '' AND")],
        Cause::Model => vec![traced("model")],
        Cause::Config => vec![traced("config")],
    }
}

/// Whoever drew, noted, named, proposed, signed or undid something.
fn handled() -> String {
    format!(
        "SELECT h.case_id AS id, h.act_at AS at, c.state, c.law, h.case_id AS seen
         FROM case_hands h JOIN cases c ON c.id = h.case_id
         WHERE h.user_id = $1 AND (h.act_at, h.case_id) > ($2, $3) AND h.act_at < $4
         ORDER BY h.act_at, h.case_id LIMIT {PAGE}"
    )
}

fn traced(kind: &str) -> String {
    format!(
        "SELECT e.case_id AS id, t.captured_at AS at, c.state, c.law, t.evidence_id AS seen
         FROM evidence_causes t JOIN evidence e ON e.id = t.evidence_id
         JOIN cases c ON c.id = e.case_id
         WHERE t.kind = '{kind}' AND t.value = $1
             AND (t.captured_at, t.evidence_id) > ($2, $3) AND t.captured_at < $4
         ORDER BY t.captured_at, t.evidence_id LIMIT {PAGE}"
    )
}

/// Lists some pages of a recall's cases and asks for the next ones, at the end for their judging.
pub async fn list(
    state: &AppState,
    taken: &Taken,
    id: &str,
    place: Option<&Place>,
) -> Result<Done, RecallError> {
    let Some(recall) = find(&state.store, id).await?.filter(|it| it.listed_at.is_none()) else {
        return Ok(taken.nothing_left(&state.store).await?);
    };
    let traced = matches!(recall.cause, Cause::Model | Cause::Config | Cause::Camera);
    let tracing = Job::TraceEvidence { after: String::new() };
    if traced && jobs::find(&state.store, &tracing).await?.is_some() {
        return Err(RecallError::Tracing);
    }
    // From just before the period's first millisecond.
    let begin = |text| Place { text, at: to_ms(recall.from) - 1, seen: "\u{10ffff}".to_owned() };
    let mut place = place.cloned().unwrap_or_else(|| begin(0));
    let texts = list_texts(recall.cause);
    let mut pages = 0;
    while let Some(text) = texts.get(place.text) {
        if pages == PAGES {
            let mut tx = state.store.begin().await?;
            let done = taken.done(&mut tx).await?;
            let next = Job::ListRecall { recall: recall.id.clone(), place: Some(place) };
            jobs::ask(&mut tx, &next, state.clock.now()).await?;
            tx.commit().await.map_err(StoreError::from)?;
            return Ok(done);
        }
        pages += 1;
        let rows = sqlx::query(AssertSqlSafe(text.clone()))
            .bind(recall.value.clone())
            .bind(place.at)
            .bind(place.seen.clone())
            .bind(to_ms(recall.to))
            .fetch_all(state.store.pool())
            .await
            .map_err(StoreError::from)?;
        let mut tx = state.store.begin().await?;
        let mut frozen = Vec::new();
        for row in &rows {
            if is_touched(&recall, row)?
                && let Some(case) = freeze(&mut tx, state.store.dialect(), &recall.id, row).await?
            {
                frozen.push(case);
            }
        }
        if !frozen.is_empty() {
            case::note_frozen(&mut tx, &recall.id, &frozen, None, state.clock.now()).await?;
        }
        tx.commit().await.map_err(StoreError::from)?;
        place = match rows.last().filter(|_| rows.len() == PAGE) {
            Some(last) => Place { text: place.text, ..end(last)? },
            None => begin(place.text + 1),
        };
    }
    let now = state.clock.now();
    let frozen = super::counts(&state.store, &recall.id).await?.all();
    let mut tx = state.store.begin().await?;
    sqlx::query("UPDATE recalls SET listed_at = $1 WHERE id = $2")
        .bind(to_ms(now))
        .bind(recall.id.clone())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)?;
    let done = taken.done(&mut tx).await?;
    jobs::ask(&mut tx, &Job::JudgeRecall { recall: recall.id.clone() }, now).await?;
    let said = serde_json::json!({ "cases": frozen });
    super::note_down(&mut tx, &recall.id, ("system", "listed"), now, said).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

fn end(row: &AnyRow) -> Result<Place, StoreError> {
    Ok(Place { text: 0, at: row.try_get("at")?, seen: row.try_get("seen")? })
}

/// Whether there is anything left to undo, and the cause is the case's own.
fn is_touched(recall: &Recall, row: &AnyRow) -> Result<bool, StoreError> {
    let state: String = row.try_get("state")?;
    // What was rejected may be taken up again.
    if matches!(state.as_str(), "withdrawn" | "expired") {
        return Ok(false);
    }
    if recall.cause != Cause::Law {
        return Ok(true);
    }
    let law: Option<String> = row.try_get("law")?;
    let law: Option<Provision> = law.and_then(|law| serde_json::from_str(&law).ok());
    Ok(law.is_some_and(|law| format!("{} {}", law.decree, law.key()) == recall.value))
}

/// Whoever is just about to decide, issue or sign has the case's row: this waits for them, and they see
/// it before they write. The case, where nothing froze it before.
async fn freeze(
    tx: &mut Tx<'_>,
    dialect: Dialect,
    recall: &str,
    row: &AnyRow,
) -> Result<Option<String>, StoreError> {
    let id: String = row.try_get("id")?;
    case::hold(tx, &id, dialect).await?;
    Ok(case::freeze(tx, recall, &id, None).await?.then_some(id))
}
