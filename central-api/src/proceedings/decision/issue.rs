//! The jobs that print a signed decision, and an annulment: everything is asked once more, then
//! number, PDF, and one transaction in which the decision is in force.

use super::annulment_form;
use super::form::{self, Content};
use super::obstacle::{Obstacle, obstacles};
use super::states::{self, Action, State};
use super::{Decision, Issued, Row, Signature, points_form};
use crate::AppState;
use crate::case::{self, examine};
use crate::documents::{self, Kind};
use crate::jobs::{self, Done, Job, Taken};
use crate::law::VIETNAM;
use crate::proceedings::delivery::{self, Addressee, Paper};
use crate::proceedings::paper;
use crate::proceedings::payment::{self, Claim, Reference, vietqr};
use crate::proceedings::row::{self, Step};
use crate::proceedings::warning;
use crate::proceedings::{Actor, Hand};
use crate::proceedings::{PrintError, minutes};
use crate::store::StoreError;

const CENTRAL: Actor<'static> = Actor { user: None, hands: &[Hand::Central] };

/// Prints the decision of a case, if it is signed.
pub async fn issue(state: &AppState, taken: &Taken, id: &str) -> Result<Done, PrintError> {
    let decision: Option<Row> = row::find(&state.store, id).await?;
    let minutes: Option<minutes::Row> = row::find(&state.store, id).await?;
    let (Some(before), Some(minutes)) = (decision, minutes) else {
        return paper::nothing_left(state, taken, Kind::Decision, id).await;
    };
    let Ok(to) = states::next(Some(&before.content), Action::Issue, &CENTRAL) else {
        return paper::nothing_left(state, taken, Kind::Decision, id).await;
    };
    let at = state.clock.now();
    let examination = examine(state, id).await?;
    let proposal = Some(&before.content.proposal);
    let found = obstacles(&state.law, &examination, Some(&minutes), proposal, at)?;
    // It was signed in time.
    let signed = |it: &&Obstacle| !matches!(it, Obstacle::Late(_));
    let found: Vec<_> = found.iter().filter(signed).map(Obstacle::name).collect();
    if !found.is_empty() {
        return Err(PrintError::Unfit(found.join(", ")));
    }
    let signature = signature(&before.content)?;
    let about = &examination.case;
    let today = at.to_offset(VIETNAM).date();
    let reference = Reference::draw(&mut rand::rng());
    let treasury = &state.config.treasury;
    let amount = before.content.proposal.amount;
    let code = match treasury.is_set() {
        true => Some(
            vietqr::payload(treasury, amount, reference.as_str())
                .map_err(|error| PrintError::Unfit(error.to_string()))?,
        ),
        false => None,
    };
    let content = Content {
        case: about.clone(),
        minutes: minutes.content.clone(),
        minutes_number: paper::number(state, Kind::Minutes, id, minutes.content.drawn_at).await?,
        proposal: before.content.proposal.clone(),
        circumstances: circumstances(state, &before.content),
        signer: paper::name(state, &signature.by).await?,
        signature: signature.clone(),
        pay_days: state.law.deadline(crate::law::Term::Pay).count,
        complaint: state.law.deadline(crate::law::Term::Complaint).count,
        pay_until: state.law.pay_until_without_proof(today, today),
        pay: form::Pay {
            reference: reference.as_str().to_owned(),
            treasury: treasury.clone(),
            code,
        },
    };
    let agency = state.config.agency.clone();
    let printed = paper::print(state, about, Kind::Decision, at, move |draft| {
        form::render(&content, &agency, draft, at)
    })
    .await?;
    let decision = Decision {
        state: to,
        issued: Some(Issued {
            number: printed.draft.shown(&state.config.agency.code),
            code: printed.draft.code.clone(),
            reference: reference.as_str().to_owned(),
            at,
        }),
        ..before.content.clone()
    };
    let row = Row::after(Some(&before), id, decision, at);
    let mut tx = state.store.begin().await?;
    documents::record(&mut tx, id, &printed.draft, &printed.sha256, &signature.by, at).await?;
    if row.content.proposal.provision.points > 0 {
        let job = Job::PrintPaper { case: id.to_owned(), kind: Kind::Points };
        jobs::ask(&mut tx, &job, at).await?;
    }
    let done = taken.done(&mut tx).await?;
    let held = case::hold(&mut tx, id, state.store.dialect()).await?;
    if held != Some(case::State::Notified) || case::held_in(&mut tx, id).await?.is_some() {
        return Err(PrintError::Conflict);
    }
    if !row.put(&mut tx).await? {
        return Err(PrintError::Conflict);
    }
    // Its term, and the warning that follows it, wait for its service.
    warning::forget(&mut tx, id, warning::Cause::Unpaid).await?;
    let to = Addressee::of(&minutes.content.violator.person);
    let paper = (Paper::Decision, printed.draft.code.as_str());
    delivery::begin(&mut tx, &state.law, paper, id, (at, at), Some(&to)).await?;
    let claim = Claim {
        case_id: id,
        decision: &printed.draft.shown(&state.config.agency.code),
        decided_on: today,
        reference,
        fine: amount,
        due: None,
    };
    payment::claim(&mut tx, &claim, at).await?;
    let step = Step {
        actor: "system",
        by: None,
        action: Action::Issue.done(),
        detail: serde_json::json!({ "document": printed.told(&signature.by) }),
    };
    row.note(&mut tx, step).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

/// Prints the annulment of a case's decision, if it was annulled.
pub async fn annul(state: &AppState, taken: &Taken, id: &str) -> Result<Done, PrintError> {
    let decision: Option<Row> = row::find(&state.store, id).await?;
    let Some(row) = decision.filter(|it| it.content.state == State::Annulled) else {
        return paper::nothing_left(state, taken, Kind::Annulment, id).await;
    };
    let case = case::find(&state.store, id).await?;
    let case = case.ok_or_else(|| PrintError::Unfit("no case".into()))?;
    let (issued, undo) = row
        .content
        .issued
        .as_ref()
        .zip(row.content.undo.as_ref())
        .ok_or_else(|| PrintError::Unfit("nothing was issued".into()))?;
    // Who agreed signs it, by an own office.
    let signature =
        undo.signature.as_ref().ok_or_else(|| PrintError::Unfit("nobody agreed".into()))?;
    let minutes: Option<minutes::Row> = row::find(&state.store, id).await?;
    let at = state.clock.now();
    let agency = state.config.agency.clone();
    let content = annulment_form::Content {
        decision: (issued.number.clone(), issued.at),
        reason: undo.reason.clone(),
        violator: minutes.map(|row| row.content.violator),
        signature: signature.clone(),
        signer: paper::name(state, &signature.by).await?,
    };
    let to = content.violator.as_ref().map(|it| Addressee::of(&it.person));
    let printed = paper::print(state, &case, Kind::Annulment, at, move |draft| {
        annulment_form::render(&content, &agency, draft, at)
    })
    .await?;
    paper::on_record(state, taken, id, &printed, (&signature.by, at), to.as_ref()).await
}

/// Prints the notice of the points that come off the licence, where some do.
pub async fn print_points(state: &AppState, taken: &Taken, id: &str) -> Result<Done, PrintError> {
    let decision: Option<Row> = row::find(&state.store, id).await?;
    let minutes: Option<minutes::Row> = row::find(&state.store, id).await?;
    let in_force = decision.map(|row| row.content).filter(|it| {
        matches!(it.state, State::Issued | State::Annulling) && it.proposal.provision.points > 0
    });
    let case = case::find(&state.store, id).await?;
    let (Some(decision), Some(minutes), Some(case)) = (in_force, minutes, case) else {
        return paper::nothing_left(state, taken, Kind::Points, id).await;
    };
    let issued = decision.issued.as_ref().ok_or(PrintError::Conflict)?;
    let signature = signature(&decision)?;
    let at = state.clock.now();
    let agency = state.config.agency.clone();
    let content = points_form::Content {
        case: case.clone(),
        violator: minutes.content.violator,
        decision: (issued.number.clone(), issued.at),
        points: decision.proposal.provision.points,
        test_months: state.law.licence_test_months(),
        signature: signature.clone(),
        signer: paper::name(state, &signature.by).await?,
    };
    let to = Addressee::of(&content.violator.person);
    let form = move |draft: &_| points_form::render(&content, &agency, draft, at);
    let printed = paper::print(state, &case, Kind::Points, at, form).await?;
    paper::on_record(state, taken, id, &printed, (&signature.by, at), Some(&to)).await
}

fn signature(decision: &Decision) -> Result<&Signature, PrintError> {
    decision.signature.as_ref().ok_or_else(|| PrintError::Unfit("nobody has signed".into()))
}

/// The texts of the circumstances found: mitigating, aggravating.
fn circumstances(state: &AppState, decision: &Decision) -> [Vec<String>; 2] {
    let of = |side| {
        let law = state.law.circumstances().iter();
        law.filter(|it| it.side == side && decision.proposal.circumstances.contains(&it.key))
            .map(|it| it.text.clone())
            .collect()
    };
    [of(crate::law::Side::Mitigating), of(crate::law::Side::Aggravating)]
}
