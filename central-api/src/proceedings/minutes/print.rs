//! The job that prints the minutes as they stand.

use super::Row;
use super::form::{Content, render};
use crate::AppState;
use crate::audit::{self, Entry};
use crate::case;
use crate::documents::{self, Kind};
use crate::jobs::{Done, Taken};
use crate::proceedings::paper::{self, PrintError};
use crate::proceedings::row;
use crate::store::StoreError;

/// Prints the minutes of a case and puts the document on record.
pub async fn print(state: &AppState, taken: &Taken, id: &str) -> Result<Done, PrintError> {
    let case = case::find(&state.store, id).await?;
    let minutes: Option<Row> = row::find(&state.store, id).await?;
    let Some((case, minutes)) = case.zip(minutes) else {
        return Ok(taken.nothing_left(&state.store).await?);
    };
    let provision = case.law.clone().ok_or_else(|| PrintError::Unfit("no provision".into()))?;
    let at = state.clock.now();
    let officer = paper::name(state, &minutes.content.drawn_by).await?;
    let explains_until = minutes.content.explains_until(&state.law, &provision, case.act_at)?;
    let notice = documents::find(&state.store, Kind::Notice, id).await?;
    let agency = state.config.agency.clone();
    let content = Content {
        case: case.clone(),
        provision,
        minutes: minutes.content.clone(),
        officer,
        explains_until,
        notice: notice.map(|notice| (notice.shown(&agency.code), notice.issued_at)),
    };
    let printed = paper::print(state, &case, Kind::Minutes, at, move |draft| {
        render(&content, &agency, draft, at)
    })
    .await?;
    let signer = &minutes.content.drawn_by;
    let mut tx = state.store.begin().await?;
    documents::record(&mut tx, id, &printed.draft, &printed.sha256, signer, at).await?;
    let done = taken.done(&mut tx).await?;
    let entry = Entry {
        at,
        actor: "system",
        action: "document.issued",
        subject_kind: "case",
        subject_id: id,
        detail: serde_json::json!({ "document": printed.told(signer) }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}
