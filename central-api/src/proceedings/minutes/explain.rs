//! What the violator explained, and what the unit found of it (Luật XLVPHC Điều 61): in writing or at
//! a hearing. Late ones are heard until there is a decision (NĐ 118/2021 Điều 17).

use time::Date;

use super::draw::text;
use super::{Explanation, Minutes, MinutesError, Row, Way};
use crate::AppState;
use crate::case;
use crate::documents::Kind;
use crate::jobs::{self, Job};
use crate::law::VIETNAM;
use crate::proceedings::decision;
use crate::proceedings::row::{self, Step};
use crate::store::StoreError;

/// Notes an explanation on the minutes of version `version`.
pub async fn explain(
    state: &AppState,
    id: &str,
    version: i64,
    (by, login): (&str, &str),
    way: Way,
    received_on: Date,
    (said, finding): (&str, &str),
) -> Result<Row, MinutesError> {
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    // Nobody signs meanwhile.
    let held = case::hold(&mut tx, id, state.store.dialect()).await?;
    let before: Option<Row> = row::read(&mut tx, id).await?;
    let before = before.ok_or_else(|| MinutesError::NotFound(id.to_owned()))?;
    if before.version != version {
        return Err(MinutesError::Conflict);
    }
    let decision: Option<decision::Row> = row::read(&mut tx, id).await?;
    let open = decision.is_none_or(|decision| decision.content.state.is_open());
    if held != Some(case::State::Notified) || !open {
        return Err(MinutesError::NotPossible);
    }
    let drawn = before.content.drawn_at.to_offset(VIETNAM).date();
    if !(drawn..=now.to_offset(VIETNAM).date()).contains(&received_on) {
        return Err(MinutesError::Field("received_on"));
    }
    let some = |it: &str| text(it).filter(|it| !it.is_empty());
    let explanation = Explanation {
        way,
        received_on,
        text: some(said).ok_or(MinutesError::Field("explanation"))?,
        finding: some(finding).ok_or(MinutesError::Field("finding"))?,
        noted_by: by.into(),
        noted_at: now,
    };
    let minutes = Minutes { explanation: Some(explanation), ..before.content.clone() };
    let row = Row::after(Some(&before), id, minutes, now);
    let step = Step {
        actor: &format!("user:{login}"),
        by: Some(by),
        action: "explained",
        detail: serde_json::json!({ "way": way }),
    };
    if way == Way::Hearing {
        let job = Job::PrintPaper { case: id.to_owned(), kind: Kind::Hearing };
        jobs::ask(&mut tx, &job, now).await?;
    }
    if !row.write(&mut tx, step).await? {
        return Err(MinutesError::Conflict);
    }
    tx.commit().await.map_err(StoreError::from)?;
    state.bell.notify_one();
    Ok(row)
}
