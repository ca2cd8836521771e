//! Orders about a decision in force, as a case's page shows them: what is asked for, who decides, and a
//! form a kind; and the lists of those that wait, for the desk of those who sign.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use time::Date;

use super::case_page::name;
use super::sanction::{Fields, hands, no_power, typed};
use super::session::Officer;
use crate::AppState;
use crate::case;
use crate::documents::Kind;
use crate::jobs::{Asked, Job, UnderWay};
use crate::law::{OrderRuleError, PartsError};
use crate::proceedings::order::{
    self, Action, Line, Order, OrderError, Proposed, Refusal, Terms, TermsError,
};
use crate::proceedings::{Actor, By, decision, payment, row};
use crate::store::StoreError;
use crate::web::{WebError, Words, format};

/// Rows of a form that divides a payment, or that changes a decision.
const ROWS: usize = 3;

/// The part of a case's page.
pub(super) struct OrderView {
    pub version: i64,
    pub state: Option<(&'static str, String)>,
    pub facts: Vec<(String, String)>,
    /// The forms that the clerk may open.
    pub forms: Vec<FormView>,
    pub signs: bool,
    pub returns: bool,
    pub refuses: bool,
    pub printing: Option<Asked>,
    pub revives: bool,
    pub today: String,
}

/// A form that asks for a kind of order, with what was proposed before.
pub(super) struct FormView {
    pub kind: &'static str,
    pub title: String,
    /// What the law says of it.
    pub hint: Option<String>,
    pub about_payment: bool,
    pub received_on: String,
    pub reason: String,
    pub certified_by: String,
    /// The last day of a deferral, and the latest.
    pub until: Option<(String, String)>,
    /// What a reduction takes off.
    pub off: Option<String>,
    /// Parts of a payment: day and amount.
    pub parts: Vec<(String, String)>,
    pub lines: Vec<Line>,
}

impl FormView {
    /// Whether a row of a form may stay empty.
    pub const fn is_optional(&self, index: &usize) -> bool {
        *index >= if self.about_payment { 2 } else { 1 }
    }
}

impl OrderView {
    /// None where no decision is in force and none was ordered about, or the officer has no business
    /// with it.
    pub async fn of(
        state: &AppState,
        officer: &Officer,
        case: &case::Case,
        under_way: &UnderWay,
    ) -> Result<Option<Self>, WebError> {
        if !officer.sees_money() {
            return Ok(None);
        }
        let decision: Option<decision::Row> = row::find(&state.store, &case.id).await?;
        let Some(decision) = decision else { return Ok(None) };
        let mut view = state.store.pool().acquire().await.map_err(StoreError::from)?;
        let claim = payment::live_of_case(&mut view, &case.id).await?;
        drop(view);
        let Some(claim) = claim else { return Ok(None) };
        let row: Option<order::Row> = row::find(&state.store, &case.id).await?;
        let w = officer.lang.words();
        let standing = row.as_ref().map(|row| &row.content).filter(|it| it.claim == claim.id);
        let in_force = case.state == case::State::Notified
            && decision.content.state == decision::State::Issued;
        let hands = hands(officer);
        let actor = Actor { user: Some(&officer.user.id), hands: &hands };
        let allowed = order::allowed(standing, &actor);
        let may = |action| in_force && allowed.contains(&action);
        let today = payment::today(state.clock.now());
        let pending = standing.filter(|it| it.state.is_pending());
        let mut forms = Vec::new();
        if may(Action::Propose) {
            for kind in order::KINDS {
                let payer = decision.content.proposal.payer;
                let amount = decision.content.proposal.amount;
                let rules = state.law.order(kind.name(), claim.decided_on);
                let Some(rules) = rules else { continue };
                let fits = pending.is_none_or(|it| it.kind == kind)
                    && (!order::is_about_payment(kind)
                        || claim.state == payment::ClaimState::Open
                            && rules.check_fine(payer, amount).is_ok())
                    && !(kind == Kind::Instalments && claim.is_divided());
                let parts_fit = kind != Kind::Instalments
                    || state
                        .law
                        .instalments(claim.decided_on)
                        .is_some_and(|it| amount >= it.least(payer));
                if fits && parts_fit {
                    let latest = rules.latest(today);
                    forms.push(form(kind, pending, latest, (today, rules.least(payer)), w));
                }
            }
        }
        let facts = match standing {
            Some(it) => facts(state, it, w).await?,
            None => Vec::new(),
        };
        if facts.is_empty() && forms.is_empty() {
            return Ok(None);
        }
        let printing = pending
            .and_then(|it| under_way.of(&Job::PrintPaper { case: case.id.clone(), kind: it.kind }));
        Ok(Some(Self {
            version: row.as_ref().map_or(0, |row| row.version),
            state: standing.map(|it| (it.state.name(), w.named("order_state", it.state.name()))),
            facts,
            forms,
            signs: may(Action::Sign),
            returns: may(Action::Return),
            refuses: may(Action::Refuse),
            printing: printing.map(|asked| super::jobs::told(asked, w)),
            revives: officer.revives(),
            today: today.to_string(),
        }))
    }

    /// The steps that need a reason, and whether they are open.
    pub const fn with_reason(&self) -> [(&'static str, bool); 2] {
        [("return", self.returns), ("refuse", self.refuses)]
    }
}

fn form(
    kind: Kind,
    before: Option<&Order>,
    latest: Date,
    (today, least): (Date, i64),
    w: &Words,
) -> FormView {
    let request = before.map(|it| &it.request);
    let mut parts = vec![(String::new(), String::new()); ROWS];
    let mut lines =
        vec![Line { place: String::new(), wrote: String::new(), reads: String::new() }; ROWS];
    let (mut until, mut off) = (String::new(), String::new());
    match before.map(|it| &it.terms) {
        Some(Terms::Until(day)) => until = day.to_string(),
        Some(Terms::Off(amount)) => off = format::amount(*amount),
        Some(Terms::Parts(known)) => {
            for (row, (day, amount)) in parts.iter_mut().zip(known) {
                *row = (day.to_string(), format::amount(*amount));
            }
        }
        Some(Terms::Lines(known)) => {
            for (row, line) in lines.iter_mut().zip(known) {
                row.clone_from(line);
            }
        }
        None => {}
    }
    FormView {
        kind: kind.name(),
        title: w.named("order_kind", kind.name()),
        hint: (least > 0).then(|| w.with("order.least", "amount", format::amount(least))),
        about_payment: order::is_about_payment(kind),
        received_on: request.map_or(today, |it| it.received_on).to_string(),
        reason: request.map(|it| it.reason.clone()).unwrap_or_default(),
        certified_by: request.map(|it| it.certified_by.clone()).unwrap_or_default(),
        until: (kind == Kind::Deferral).then(|| (until, latest.to_string())),
        off: (kind == Kind::Reduction).then_some(off),
        parts: if kind == Kind::Instalments { parts } else { Vec::new() },
        lines: if order::is_about_payment(kind) { Vec::new() } else { lines },
    }
}

async fn facts(
    state: &AppState,
    order: &Order,
    w: &Words,
) -> Result<Vec<(String, String)>, WebError> {
    let text = |key: &str| w.t(key).to_owned();
    let money = |amount: i64| format!("{} đ", format::amount(amount));
    let mut lines = vec![(text("order.kind"), w.named("order_kind", order.kind.name()))];
    if order::is_about_payment(order.kind) {
        lines.push((text("order.received_on"), format::day(order.request.received_on)));
    }
    lines.push((text("order.why"), order.request.reason.clone()));
    if !order.request.certified_by.is_empty() {
        lines.push((text("order.certified_by"), order.request.certified_by.clone()));
    }
    match &order.terms {
        Terms::Until(day) => lines.push((text("order.until"), format::day(*day))),
        Terms::Off(off) => lines.push((text("order.off"), money(*off))),
        Terms::Parts(parts) => {
            for (index, (day, amount)) in parts.iter().enumerate() {
                let part = format!("{} · {}", money(*amount), format::day(*day));
                lines.push((w.with("order.part", "number", index + 1), part));
            }
        }
        Terms::Lines(changed) => {
            for line in changed {
                lines.push((line.place.clone(), format!("“{}” → “{}”", line.wrote, line.reads)));
            }
        }
    }
    let by = name(state, Some(&order.by)).await?.unwrap_or_default();
    lines.push((text("order.by"), format!("{by}, {}", format::minute(order.at))));
    if let Some(signature) = &order.signature {
        let by = name(state, Some(&signature.by)).await?.unwrap_or_default();
        let at = format::minute(signature.at);
        lines.push((text("sanction.signed"), format!("{by}, {}, {at}", signature.title)));
    }
    if let Some(answer) = &order.answer {
        lines.push((text("order.answer"), answer.clone()));
    }
    if let Some(issued) = &order.issued {
        lines.push((text("sanction.number"), issued.number.clone()));
    }
    Ok(lines)
}

/// An amount as people type it: `4.000.000 đ`.
fn amount(text: &str) -> Option<i64> {
    let digits: String = text.chars().filter(|c| !matches!(c, '.' | ' ' | 'đ')).collect();
    digits.parse().ok()
}

/// The terms that a form of a kind holds; what is wrong with a field names it.
fn terms(kind: Kind, form: &Fields) -> Result<Option<Terms>, &'static str> {
    Ok(Some(match kind {
        Kind::Deferral => Terms::Until(typed(form.text("until")).ok_or("until")?),
        Kind::Reduction => Terms::Off(amount(form.text("off")).ok_or("off")?),
        Kind::Instalments => {
            let (days, amounts) = (form.all("day"), form.all("amount"));
            let rows = days.iter().zip(&amounts);
            let rows = rows.filter(|(day, amount)| !(day.is_empty() && amount.is_empty()));
            let part = |(day, sum): (&String, &String)| Some((typed(day)?, amount(sum)?));
            Terms::Parts(rows.map(part).collect::<Option<_>>().ok_or("parts")?)
        }
        Kind::Amendment | Kind::Correction => {
            let [places, wrote, reads] = ["place", "wrote", "reads"].map(|key| form.all(key));
            let rows = places.into_iter().zip(wrote).zip(reads);
            let trimmed = |text: String| text.trim().to_owned();
            let lines = rows.map(|((place, wrote), reads)| Line {
                place: trimmed(place),
                wrote: trimmed(wrote),
                reads: trimmed(reads),
            });
            let is_empty =
                |it: &Line| it.place.is_empty() && it.wrote.is_empty() && it.reads.is_empty();
            Terms::Lines(lines.filter(|line| !is_empty(line)).collect())
        }
        _ => return Ok(None),
    }))
}

/// `POST /ho-so/{id}/thi-hanh`: proposes an order, signs it, sends it back or refuses it.
pub(super) async fn decide(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let form = Fields::of(fields, &officer)?;
    if !officer.sees_money() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let refuse = |error| explained(error, &officer, &id);
    let action = Action::parse(form.text("action"));
    let action = action.ok_or(Refusal::NotPossible(Action::Issue));
    let action = action.map_err(|error| refuse(error.into()))?;
    let hands = hands(&officer);
    let by = By { user: &officer.user.id, login: &officer.user.login, hands: &hands };
    let outcome = match action {
        Action::Propose => {
            let kind = Kind::parse(form.text("kind")).filter(|kind| order::KINDS.contains(kind));
            let kind = kind.ok_or_else(|| refuse(OrderError::Field("kind")))?;
            let received_on = match order::is_about_payment(kind) {
                true => Some(
                    typed(form.text("received_on"))
                        .ok_or_else(|| refuse(OrderError::Field("received_on")))?,
                ),
                false => None,
            };
            let terms = terms(kind, &form).map_err(|field| refuse(OrderError::Field(field)))?;
            let proposed = Proposed {
                kind,
                received_on,
                reason: form.text("reason").into(),
                certified_by: form.text("certified_by").into(),
                terms,
            };
            order::propose(&state, &id, form.version(), by, proposed).await
        }
        _ => order::settle(&state, &id, form.version(), by, action, form.text("reason")).await,
    };
    outcome.map_err(refuse)?;
    let done = action.done();
    Ok(Redirect::to(&format!("/ho-so/{id}?xong=order_{done}#thi-hanh")).into_response())
}

fn explained(error: OrderError, officer: &Officer, id: &str) -> WebError {
    use OrderError as E;
    const UNFIT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    let w = officer.lang.words();
    let text = |key: &str| w.t(key).to_owned();
    let (status, line) = match error {
        E::NotFound(_) => return WebError::NotFound(officer.lang),
        E::Store(error) => return StoreError::into(error),
        E::Refused(Refusal::Role) => return WebError::Forbidden(officer.lang),
        E::Payment(payment::PaymentError::Store(error)) => return StoreError::into(error),
        E::Payment(error) => return WebError::internal(officer.lang, error),
        E::Conflict => (StatusCode::CONFLICT, text("error.conflict")),
        E::Refused(Refusal::NotPossible(_)) => (StatusCode::CONFLICT, text("error.not_possible")),
        E::Refused(Refusal::SamePerson) => (StatusCode::FORBIDDEN, text("sanction.same_person")),
        E::Power(error) => (StatusCode::FORBIDDEN, no_power(&error, w)),
        E::NoDecision => (StatusCode::CONFLICT, text("order.no_decision")),
        E::ReasonMissing => (UNFIT, text("sanction.reason_missing")),
        E::Field(field) => {
            let field = w.named("order", field);
            (UNFIT, w.with("sanction.field_wrong", "field", field))
        }
        E::Terms(error) => (UNFIT, wrong_terms(&error, w)),
    };
    officer.refused(status, vec![line], format!("/ho-so/{id}#thi-hanh"))
}

fn wrong_terms(error: &TermsError, w: &Words) -> String {
    let amount = |key: &str, amount: i64| w.with(key, "amount", format::amount(amount));
    let day = |key: &str, day: Date| w.with(key, "day", format::day(day));
    match error {
        TermsError::NoRules => w.t("order.no_rules").to_owned(),
        TermsError::NothingOpen => w.t("order.nothing_open").to_owned(),
        TermsError::Divided => w.t("order.divided").to_owned(),
        TermsError::Lines => w.t("order.lines_wrong").to_owned(),
        TermsError::Kind => w.t("error.not_possible").to_owned(),
        TermsError::Off(most) => amount("order.off_wrong", *most),
        TermsError::Late(last) => day("order.late", *last),
        TermsError::Rules(OrderRuleError::TooSmall(least)) => amount("order.too_small", *least),
        TermsError::Rules(OrderRuleError::Until(last)) => day("order.until_wrong", *last),
        TermsError::Parts(PartsError::TooSmall(least)) => amount("order.too_small", *least),
        TermsError::Parts(PartsError::Count(most)) => w.with("order.count_wrong", "most", most),
        TermsError::Parts(PartsError::Sum { found, fine }) => {
            amount("order.sum_wrong", *fine).replace("{found}", &format::amount(*found))
        }
        TermsError::Parts(PartsError::First(least)) => amount("order.first_wrong", *least),
        TermsError::Parts(PartsError::Dates(last)) => day("order.days_wrong", *last),
    }
}

/// What was just done, in words.
pub(super) fn done(w: &Words, name: &str) -> Option<String> {
    let step = name.strip_prefix("order_")?;
    let known = Action::ALL.into_iter().any(|action| action.done() == step);
    known.then(|| w.named("order_done", step))
}
