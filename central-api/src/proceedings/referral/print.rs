//! The job that prints what goes to another unit: number, PDF, and one transaction in which it is sent.

use super::form::{self, Content};
use super::{Referral, Row, State};
use crate::AppState;
use crate::case;
use crate::documents::{self, Kind};
use crate::jobs::{Done, Taken};
use crate::proceedings::owner;
use crate::proceedings::paper::{self, PrintError};
use crate::proceedings::row::{self, Step};
use crate::store::StoreError;

/// Prints the referral of a kind about a case, if it is to be sent.
pub async fn print(
    state: &AppState,
    taken: &Taken,
    id: &str,
    kind: Kind,
) -> Result<Done, PrintError> {
    let at = state.clock.now();
    let case = case::find(&state.store, id).await?;
    let before: Option<Row> = row::find(&state.store, id).await?;
    let wanted =
        before.filter(|row| row.content.kind == kind && row.content.state == State::Sending);
    let (Some(case), Some(before)) = (case, wanted) else {
        return paper::nothing_left(state, taken, kind, id).await;
    };
    let signature = before.content.signature.clone();
    let signature = signature.ok_or_else(|| PrintError::Unfit("nobody has signed".into()))?;
    let provision = case.law.clone().ok_or_else(|| PrintError::Unfit("no provision".into()))?;
    let owner = owner::find(&state.store, id).await?.and_then(|record| record.owner);
    let notice = documents::find(&state.store, Kind::Notice, id).await?;
    let agency = state.config.agency.clone();
    let content = Content {
        case: case.clone(),
        provision,
        owner,
        notice: notice.map(|it| (it.shown(&agency.code), it.issued_at)),
        referral: before.content.clone(),
        signer: paper::name(state, &signature.by).await?,
        signature: signature.clone(),
    };
    let form = move |draft: &_| form::render(&content, &agency, draft, at);
    let printed = paper::print(state, &case, kind, at, form).await?;
    let number = Some(printed.draft.shown(&state.config.agency.code));
    let referral = Referral { state: State::Sent, number, ..before.content.clone() };
    let row = Row::after(Some(&before), id, referral, at);
    let mut tx = state.store.begin().await?;
    let held = case::hold(&mut tx, id, state.store.dialect()).await?;
    if held != Some(case::State::Notified) || case::held_in(&mut tx, id).await?.is_some() {
        return Err(PrintError::Unfit("the case is not notified, or frozen".into()));
    }
    documents::record(&mut tx, id, &printed.draft, &printed.sha256, &signature.by, at).await?;
    let done = taken.done(&mut tx).await?;
    let step = Step {
        actor: "system",
        by: None,
        action: "sent",
        detail: serde_json::json!({ "kind": kind, "document": printed.told(&signature.by) }),
    };
    if !row.write(&mut tx, step).await? {
        return Err(PrintError::Conflict);
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}
