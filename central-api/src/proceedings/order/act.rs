//! People move an order: the table's rule, the law's, the row with its audit row, what it does to the
//! payment meanwhile, and the printing, asked for in the same transaction.

use time::Date;

use super::effect::{self, Standings, TermsError};
use super::states::{self, Action, Refusal, State};
use super::{Order, Request, Row, Terms};
use crate::AppState;
use crate::audit;
use crate::case;
use crate::documents::Kind;
use crate::jobs::{self, Job};
use crate::law::VIETNAM;
use crate::proceedings::By;
use crate::proceedings::decision::{self, PowerError, Signature};
use crate::proceedings::payment::{self, ClaimRow, PaymentError};
use crate::proceedings::row::{self, Step};
use crate::store::{StoreError, Tx};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error("there is no case {0}")]
    NotFound(String),
    #[error("somebody else has changed the order since it was shown")]
    Conflict,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the case has no decision in force, or a fault is looked into")]
    NoDecision,
    #[error(transparent)]
    Terms(#[from] TermsError),
    #[error("field {0} is wrong")]
    Field(&'static str),
    #[error("a reason of 10 to 500 characters on one line is needed")]
    ReasonMissing,
    #[error(transparent)]
    Power(#[from] PowerError),
    #[error("the claim: {0}")]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a clerk asks for.
#[derive(Debug, Clone)]
pub struct Proposed {
    pub kind: Kind,
    /// When the application came; today for an amendment or a correction.
    pub received_on: Option<Date>,
    pub reason: String,
    pub certified_by: String,
    /// None of an exemption: what is unpaid.
    pub terms: Option<Terms>,
}

/// A decision in force, its claim, and the order about it, if there was one.
pub(super) struct Standing {
    pub decision: decision::Decision,
    pub claim: ClaimRow,
    pub before: Option<Row>,
}

/// As a transaction sees it that has the case's row: nobody withdraws, annuls or freezes meanwhile.
pub(super) async fn standing(
    state: &AppState,
    tx: &mut Tx<'_>,
    id: &str,
) -> Result<Option<Standing>, StoreError> {
    let held = case::hold(tx, id, state.store.dialect()).await?;
    if held != Some(case::State::Notified) || case::held_in(tx, id).await?.is_some() {
        return Ok(None);
    }
    let decision: Option<decision::Row> = row::read(tx, id).await?;
    let in_force = decision.filter(|row| row.content.state == decision::State::Issued);
    let claim = payment::live_of_case(tx, id).await?;
    let (Some(decision), Some(claim)) = (in_force, claim) else { return Ok(None) };
    let before: Option<Row> = row::read(tx, id).await?;
    Ok(Some(Standing { decision: decision.content, claim, before }))
}

impl Standing {
    /// The order, if it is about this decision and not an annulled one.
    pub fn order(&self) -> Option<&Order> {
        let of_this = |order: &&Order| order.claim == self.claim.id;
        self.before.as_ref().map(|row| &row.content).filter(of_this)
    }

    /// Whether these terms may be given today.
    pub async fn check(
        &self,
        state: &AppState,
        tx: &mut Tx<'_>,
        kind: Kind,
        terms: &Terms,
        today: Date,
    ) -> Result<Result<(), TermsError>, StoreError> {
        let standing = payment::standing(tx, &state.law, &self.claim, today).await?;
        let it = Standings {
            law: &state.law,
            claim: &self.claim,
            standing,
            payer: self.decision.proposal.payer,
            decided: self.decision.proposal.amount,
            today,
        };
        Ok(effect::check(kind, terms, &it))
    }

    fn version(&self) -> i64 {
        self.before.as_ref().map_or(0, |row| row.version)
    }
}

/// Proposes an order about the decision of case `id`; `version` is that of the order the clerk saw, 0
/// where there was none.
pub async fn propose(
    state: &AppState,
    id: &str,
    version: i64,
    by: By<'_>,
    proposed: Proposed,
) -> Result<Row, OrderError> {
    let now = state.clock.now();
    let today = now.to_offset(VIETNAM).date();
    let kind = proposed.kind;
    if !super::KINDS.contains(&kind) {
        return Err(OrderError::Field("kind"));
    }
    let mut tx = state.store.begin().await?;
    let it = standing(state, &mut tx, id).await?.ok_or(OrderError::NoDecision)?;
    if it.version() != version {
        return Err(OrderError::Conflict);
    }
    let to = states::next(it.order(), Action::Propose, &by.actor())?;
    let goes_on = it.order().is_some_and(|order| order.state == State::Returned);
    // Another kind is another request, which begins once this one is refused.
    if goes_on && it.order().is_some_and(|order| order.kind != kind) {
        return Err(OrderError::Field("kind"));
    }
    let rules = state.law.order(kind.name(), it.claim.decided_on).ok_or(TermsError::NoRules)?;
    let reason = audit::reason(&proposed.reason).ok_or(OrderError::ReasonMissing)?;
    let certified_by = proposed.certified_by.trim();
    let good = certified_by.chars().count() <= 300 && !certified_by.chars().any(char::is_control);
    if !good || (rules.is_certified && certified_by.is_empty()) {
        return Err(OrderError::Field("certified_by"));
    }
    let received_on = proposed.received_on.unwrap_or(today);
    if !(it.claim.decided_on..=today).contains(&received_on) {
        return Err(OrderError::Field("received_on"));
    }
    let standing = payment::standing(&mut tx, &state.law, &it.claim, today).await?;
    let unpaid = effect::unpaid(&it.claim, &standing);
    let terms = proposed.terms.unwrap_or(Terms::Off(unpaid));
    it.check(state, &mut tx, kind, &terms, today).await??;
    let order = Order {
        state: to,
        kind,
        claim: it.claim.id.clone(),
        request: Request {
            received_on,
            reason: reason.to_owned(),
            certified_by: certified_by.to_owned(),
        },
        terms,
        by: by.user.into(),
        at: now,
        signature: None,
        issued: None,
        answer: it.order().filter(|_| goes_on).and_then(|order| order.answer.clone()),
    };
    let row = Row::after(it.before.as_ref(), id, order, now);
    if !row.put(&mut tx).await? {
        return Err(OrderError::Conflict);
    }
    if super::is_about_payment(kind) && !goes_on {
        let claim = &it.claim.id;
        payment::hold(&mut tx, &state.law, claim, received_on, by.payer(), now).await?;
    }
    let detail = serde_json::json!({ "kind": kind });
    note(&mut tx, &row, by, Action::Propose, detail).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(row)
}

/// Everything else that a leader decides about it, with a reason where one is needed.
pub async fn settle(
    state: &AppState,
    id: &str,
    version: i64,
    by: By<'_>,
    action: Action,
    reason: &str,
) -> Result<Row, OrderError> {
    let now = state.clock.now();
    let case = case::find(&state.store, id).await?;
    let case = case.ok_or_else(|| OrderError::NotFound(id.to_owned()))?;
    let office = decision::office(&state.store, by.user).await?;
    let mut tx = state.store.begin().await?;
    let it = standing(state, &mut tx, id).await?.ok_or(OrderError::NoDecision)?;
    if it.version() != version {
        return Err(OrderError::Conflict);
    }
    let Some(before) = it.order() else { return Err(Refusal::NotPossible(action).into()) };
    let to = states::next(Some(before), action, &by.actor())?;
    let reason = match action.needs_reason() {
        true => audit::reason(reason).ok_or(OrderError::ReasonMissing)?,
        false => "",
    };
    let mut order = Order { state: to, ..before.clone() };
    let mut detail = serde_json::json!({ "kind": order.kind });
    if !reason.is_empty() {
        detail["note"] = reason.into();
        order.answer = Some(reason.to_owned());
    }
    let job = Job::PrintPaper { case: id.to_owned(), kind: order.kind };
    match action {
        Action::Sign => {
            let today = now.to_offset(VIETNAM).date();
            it.check(state, &mut tx, order.kind, &order.terms, today).await??;
            let provision = &it.decision.proposal.provision;
            let (who, what) = ((by.user, office), (provision, case.act_at));
            let signature = Signature::by_office(&state.law, who, what, now)?;
            detail["title"] = signature.title.clone().into();
            order.signature = Some(signature);
            jobs::ask(&mut tx, &job, now).await?;
        }
        Action::Return => {
            order.signature = None;
            if before.state == State::Signed {
                jobs::drop_job(&mut tx, &job).await?;
            }
        }
        Action::Refuse => {}
        Action::Propose | Action::Issue => return Err(Refusal::NotPossible(action).into()),
    }
    let ends = action == Action::Refuse && super::is_about_payment(order.kind);
    let row = Row::after(it.before.as_ref(), id, order, now);
    if !row.put(&mut tx).await? {
        return Err(OrderError::Conflict);
    }
    if ends {
        let last = payment::today(now);
        payment::release(&mut tx, &state.law, &it.claim.id, last, by.payer(), now).await?;
    }
    note(&mut tx, &row, by, action, detail).await?;
    tx.commit().await.map_err(StoreError::from)?;
    if action == Action::Sign {
        state.bell.notify_one();
    }
    Ok(row)
}

async fn note(
    tx: &mut Tx<'_>,
    row: &Row,
    by: By<'_>,
    action: Action,
    detail: serde_json::Value,
) -> Result<(), StoreError> {
    let actor = format!("user:{}", by.login);
    let step = Step { actor: &actor, by: Some(by.user), action: action.done(), detail };
    row.note(tx, step).await
}
