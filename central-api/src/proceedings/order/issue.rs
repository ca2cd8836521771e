//! The job that prints a signed order: everything is asked once more, then number, PDF, and one
//! transaction in which the order is in force and what is owed follows it.

use super::act::{Standing, standing};
use super::effect;
use super::form::{self, Content};
use super::states::{self, Action};
use super::{Issued, Order, Row};
use crate::AppState;
use crate::case;
use crate::documents::{self, Kind};
use crate::jobs::{Done, Taken};
use crate::law::VIETNAM;
use crate::proceedings::minutes;
use crate::proceedings::paper::{self, PrintError};
use crate::proceedings::row::{self, Step};
use crate::proceedings::{Actor, Hand, decision};
use crate::store::StoreError;

const CENTRAL: Actor<'static> = Actor { user: None, hands: &[Hand::Central] };

/// Prints the order of a kind about a case's decision, if it is signed.
pub async fn issue(
    state: &AppState,
    taken: &Taken,
    id: &str,
    kind: Kind,
) -> Result<Done, PrintError> {
    let at = state.clock.now();
    let today = at.to_offset(VIETNAM).date();
    let case = case::find(&state.store, id).await?;
    let minutes: Option<minutes::Row> = row::find(&state.store, id).await?;
    let is_wanted = row::find::<Order>(&state.store, id).await?.is_some_and(|row| {
        row.content.kind == kind
            && states::next(Some(&row.content), Action::Issue, &CENTRAL).is_ok()
    });
    let (Some(case), Some(minutes), true) = (case, minutes, is_wanted) else {
        return paper::nothing_left(state, taken, kind, id).await;
    };
    let mut tx = state.store.begin().await?;
    let found = standing(state, &mut tx, id).await?;
    let found = found.and_then(|it| Some((signed(&it, kind)?, it)));
    let Some((before, it)) = found else {
        let decision: Option<decision::Row> = row::read(&mut tx, id).await?;
        drop(tx);
        if decision.is_none_or(|row| !row.content.state.stands()) {
            return paper::nothing_left(state, taken, kind, id).await;
        }
        return Err(PrintError::Unfit("its decision is not in force".into()));
    };
    let checked = it.check(state, &mut tx, kind, &before.content.terms, today).await?;
    drop(tx);
    checked.map_err(|error| PrintError::Unfit(error.to_string()))?;
    let order = &before.content;
    let signature = order.signature.clone();
    let signature = signature.ok_or_else(|| PrintError::Unfit("nobody has signed".into()))?;
    let rules = state.law.order(kind.name(), it.claim.decided_on);
    let rules = rules.ok_or_else(|| PrintError::Unfit("no law knows it".into()))?;
    let decided = it.decision.issued.as_ref().ok_or(PrintError::Conflict)?;
    let content = Content {
        kind,
        basis: rules.basis.clone(),
        decision: (decided.number.clone(), decided.at),
        fine: it.claim.fine,
        order: order.clone(),
        violator: minutes.content.violator,
        pay_days: state.law.deadline(crate::law::Term::Pay).count,
        signer: paper::name(state, &signature.by).await?,
        signature: signature.clone(),
    };
    let agency = state.config.agency.clone();
    let printed = paper::print(state, &case, kind, at, move |draft| {
        form::render(&content, &agency, draft, at)
    })
    .await?;
    let to = states::next(Some(order), Action::Issue, &CENTRAL)
        .map_err(|error| PrintError::Unfit(error.to_string()))?;
    let number = printed.draft.shown(&state.config.agency.code);
    let issued = Some(Issued { number: number.clone(), at });
    let row = Row::after(Some(&before), id, Order { state: to, issued, ..order.clone() }, at);
    let mut tx = state.store.begin().await?;
    documents::record(&mut tx, id, &printed.draft, &printed.sha256, &signature.by, at).await?;
    let again = standing(state, &mut tx, id).await?.ok_or(PrintError::Conflict)?;
    let done = taken.done(&mut tx).await?;
    // A payment may have come meanwhile.
    let checked = again.check(state, &mut tx, kind, &row.content.terms, today).await?;
    checked.map_err(|error| PrintError::Unfit(error.to_string()))?;
    if again.claim.id != row.content.claim || !row.put(&mut tx).await? {
        return Err(PrintError::Conflict);
    }
    let of = (id, &row.content, again.decision.proposal.payer);
    effect::carry_out(&mut tx, &state.law, of, &number, at).await?;
    let step = Step {
        actor: "system",
        by: None,
        action: Action::Issue.done(),
        detail: serde_json::json!({ "kind": kind, "document": printed.told(&signature.by) }),
    };
    row.note(&mut tx, step).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

/// The order that is to be printed.
fn signed(it: &Standing, kind: Kind) -> Option<Row> {
    let wanted = it.order().filter(|order| order.kind == kind)?;
    states::next(Some(wanted), Action::Issue, &CENTRAL).ok()?;
    it.before.clone()
}
