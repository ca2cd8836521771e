//! What follows from what the post office says of a letter.

use sqlx::Row as _;
use time::OffsetDateTime;

use super::super::batch::note_down;
use super::super::{Paper, State};
use super::ImportError;
use super::plan::Change;
use crate::case::{self, name_of, named};
use crate::proceedings::warning::{self, Cause};
use crate::store::{StoreError, Tx, to_ms};

/// Writes one change. A letter that came back is sent again, and until it is nobody is warned for not
/// having come; after `letters` of them the law holds the document for served.
pub async fn apply(
    tx: &mut Tx<'_>,
    change: &Change,
    letters: u32,
    actor: &str,
    now: OffsetDateTime,
) -> Result<(), ImportError> {
    let Change { before, after } = change;
    let written = sqlx::query(
        "UPDATE deliveries SET state = $1, tracking = $2, sent_at = $3, ended_at = $4
         WHERE id = $5 AND state = $6",
    )
    .bind(name_of(&after.state))
    .bind(after.tracking.clone())
    .bind(after.sent_at.map(to_ms))
    .bind(after.ended_at.map(to_ms))
    .bind(after.id.clone())
    .bind(name_of(&before.state))
    .execute(&mut **tx)
    .await
    .map_err(StoreError::from)?;
    if written.rows_affected() == 0 {
        return Err(ImportError::Conflict);
    }
    if after.state != before.state {
        follow(tx, change, letters).await?;
    }
    let detail = serde_json::json!({
        "delivery": name_of(&after.state),
        "tracking": after.tracking,
        "at": after.ended_at.or(after.sent_at).map(to_ms),
    });
    note_down(tx, &after.case_id, actor, "delivery.post", now, detail).await?;
    Ok(())
}

async fn follow(tx: &mut Tx<'_>, change: &Change, letters: u32) -> Result<(), StoreError> {
    let Change { before, after } = change;
    let case = &after.case_id;
    let row = sqlx::query(
        "SELECT d.state, d.returned, c.state AS standing
         FROM dispatches d JOIN cases c ON c.id = d.case_id WHERE d.case_id = $1 AND d.kind = $2",
    )
    .bind(case.clone())
    .bind(Paper::Notice.name())
    .fetch_one(&mut **tx)
    .await?;
    let standing: case::State = named(row.try_get("standing")?, "case's state")?;
    let on_way = row.try_get::<String, _>("state")? == "on_way";
    let returned: i64 = row.try_get("returned")?;
    // The first that is heard of its having gone out.
    if before.state == State::Printed
        && standing.is_pursued()
        && let Some(at) = after.sent_at
    {
        warning::watch(tx, case, Cause::NoShow, at).await?;
    }
    let (returned, next) = match after.state {
        State::Delivered => (returned, "done"),
        State::Returned if returned + 1 < i64::from(letters) => (returned + 1, "again"),
        State::Returned => (returned + 1, "done"),
        _ => return Ok(()),
    };
    let next = if on_way { next } else { "" };
    sqlx::query(
        "UPDATE dispatches SET returned = $1,
             state = CASE $2 WHEN '' THEN state ELSE $2 END,
             runs_from = CASE $2 WHEN 'again' THEN $3 ELSE runs_from END
         WHERE case_id = $4 AND kind = $5",
    )
    .bind(returned)
    .bind(next)
    .bind(after.ended_at.map_or(0, to_ms))
    .bind(case.clone())
    .bind(Paper::Notice.name())
    .execute(&mut **tx)
    .await?;
    if next == "again" {
        warning::unwatch(tx, case, Cause::NoShow).await?;
    }
    Ok(())
}
