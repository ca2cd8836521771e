//! What follows from what the post office says of a letter.

use sqlx::Row as _;

use super::super::follow::{Follow, Reach};
use super::super::{Progress, State};
use super::ImportError;
use super::plan::Change;
use crate::case::{self, name_of, named};
use crate::store::{StoreError, Tx, to_ms};

/// Writes one change. A letter that came back is sent again, and until it is no term runs; after
/// `letters` of them the law holds the document for served.
pub async fn apply(
    tx: &mut Tx<'_>,
    change: &Change,
    letters: u32,
    actor: &str,
    follow: &mut Follow,
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
        move_on(tx, change, letters, follow).await?;
    }
    let detail = serde_json::json!({
        "paper": after.paper,
        "delivery": name_of(&after.state),
        "tracking": after.tracking,
        "at": after.ended_at.or(after.sent_at).map(to_ms),
    });
    follow.note(&after.case_id, actor, "delivery.post", detail);
    Ok(())
}

async fn move_on(
    tx: &mut Tx<'_>,
    change: &Change,
    letters: u32,
    follow: &mut Follow,
) -> Result<(), StoreError> {
    let Change { before, after } = change;
    let row = sqlx::query(
        "SELECT d.state, d.returned, c.state AS standing
         FROM dispatches d JOIN cases c ON c.id = d.case_id WHERE d.code = $1",
    )
    .bind(after.code.clone())
    .fetch_one(&mut **tx)
    .await?;
    let standing: case::State = named(row.try_get("standing")?, "case's state")?;
    let progress: Progress = named(row.try_get("state")?, "document's state")?;
    let returned: i64 = row.try_get("returned")?;
    // The first that is heard of its having gone out.
    let is_first = before.state == State::Printed && standing.is_pursued();
    let sent = after.sent_at.filter(|_| is_first);
    let came_back = i64::from(after.state == State::Returned);
    let next = match after.state {
        State::Delivered => Progress::Done,
        State::Returned if returned + 1 < i64::from(letters) => Progress::Again,
        State::Returned => Progress::Done,
        _ => Progress::OnWay,
    };
    // A paper that reached its end by another way, or holds no more, does not go out again.
    let next = if progress == Progress::OnWay { next } else { progress };
    let from = match next {
        Progress::Again => after.ended_at,
        _ => sent,
    };
    sqlx::query(
        "UPDATE dispatches SET returned = $1, state = $2, runs_from = COALESCE($3, runs_from)
         WHERE code = $4",
    )
    .bind(returned + came_back)
    .bind(name_of(&next))
    .bind(from.filter(|_| progress == Progress::OnWay).map(to_ms))
    .bind(after.code.clone())
    .execute(&mut **tx)
    .await?;
    if progress != Progress::Closed {
        let reach = match (next, sent) {
            (Progress::Again, _) if progress == Progress::OnWay => Some(Reach::Not),
            (_, sent) => sent.map(Reach::From),
        };
        follow.changed(after.paper, &after.case_id, &after.code, reach);
    }
    Ok(())
}
