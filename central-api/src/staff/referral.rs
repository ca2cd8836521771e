//! What goes to another unit, as a case's page shows it: the transfer and the slip, who sends them, and
//! what the other unit answered.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::case_page::name;
use super::sanction::{Fields, hands, no_power, typed};
use super::session::Officer;
use crate::AppState;
use crate::case;
use crate::documents::Kind;
use crate::jobs::{Asked, Job, UnderWay};
use crate::proceedings::referral::{
    self, Action, Referral, ReferralError, Referred, State as Standing,
};
use crate::proceedings::{By, decision, payment, row};
use crate::store::StoreError;
use crate::web::{WebError, Words, format};

/// The part of a case's page.
pub(super) struct ReferralView {
    pub version: i64,
    pub state: Option<(&'static str, String)>,
    /// Another unit resolves the case, or has.
    pub elsewhere: bool,
    pub facts: Vec<(String, String)>,
    /// What the clerk may ask for: kind and title.
    pub kinds: Vec<(&'static str, String)>,
    pub sends: bool,
    pub drops: bool,
    pub takes_back: bool,
    /// What the other unit may answer, where it is to be noted.
    pub answers: Vec<(String, String)>,
    pub printing: Option<Asked>,
    pub revives: bool,
    pub today: String,
}

impl ReferralView {
    /// None where nothing was referred and the officer may refer nothing.
    pub async fn of(
        state: &AppState,
        officer: &Officer,
        case: &case::Case,
        under_way: &UnderWay,
    ) -> Result<Option<Self>, WebError> {
        if !officer.sees_owners() {
            return Ok(None);
        }
        let w = officer.lang.words();
        let today = payment::today(state.clock.now());
        let row: Option<referral::Row> = row::find(&state.store, &case.id).await?;
        let standing = row.as_ref().map(|row| &row.content);
        let decision: Option<decision::Row> = row::find(&state.store, &case.id).await?;
        let decided = decision.is_some_and(|row| row.content.state.stands());
        let open = case.state == case::State::Notified;
        let hands = hands(officer);
        let by = By { user: &officer.user.id, login: &officer.user.login, hands: &hands };
        let may = |kind: Kind, action| {
            let rules = state.law.referral(kind.name(), today);
            open && rules.is_some_and(|rules| {
                referral::allowed(standing, rules.sender, &by).contains(&action)
            })
        };
        let hands_over =
            |kind: Kind| state.law.referral(kind.name(), today).is_some_and(|it| it.hands_over);
        let kinds: Vec<_> = referral::KINDS
            .into_iter()
            .filter(|kind| may(*kind, Action::Refer) && !(decided && hands_over(*kind)))
            .map(|kind| (kind.name(), w.named("referral_kind", kind.name())))
            .collect();
        let now = |action| standing.is_some_and(|it| may(it.kind, action));
        let facts = match standing {
            Some(it) => facts(state, it, w).await?,
            None => Vec::new(),
        };
        if kinds.is_empty() && facts.is_empty() {
            return Ok(None);
        }
        let sending = standing.filter(|it| it.state == Standing::Sending);
        let printing = sending
            .and_then(|it| under_way.of(&Job::PrintPaper { case: case.id.clone(), kind: it.kind }));
        let answers = standing
            .filter(|_| now(Action::Answer))
            .and_then(|it| state.law.referral(it.kind.name(), today))
            .map(|rules| rules.answers.iter().map(|it| (it.name.clone(), it.text.clone())))
            .map(Iterator::collect)
            .unwrap_or_default();
        Ok(Some(Self {
            version: row.as_ref().map_or(0, |row| row.version),
            state: standing.map(|it| (it.state.name(), w.named("referral_state", it.state.name()))),
            elsewhere: standing.is_some_and(Referral::is_elsewhere),
            facts,
            kinds,
            sends: now(Action::Send),
            drops: now(Action::Drop),
            takes_back: now(Action::TakeBack),
            answers,
            printing: printing.map(|asked| super::jobs::told(asked, w)),
            revives: officer.revives(),
            today: today.to_string(),
        }))
    }

    /// The steps that need a reason, and whether they are open.
    pub const fn with_reason(&self) -> [(&'static str, bool); 2] {
        [("drop", self.drops), ("take_back", self.takes_back)]
    }
}

async fn facts(
    state: &AppState,
    referral: &Referral,
    w: &Words,
) -> Result<Vec<(String, String)>, WebError> {
    let text = |key: &str| w.t(key).to_owned();
    let by = name(state, Some(&referral.by)).await?.unwrap_or_default();
    let mut lines = vec![
        (text("referral.kind"), w.named("referral_kind", referral.kind.name())),
        (text("referral.to"), referral.to.clone()),
        (text("referral.reason"), referral.reason.clone()),
        (text("referral.by"), format!("{by}, {}", format::minute(referral.at))),
    ];
    if let Some(signature) = &referral.signature {
        let by = name(state, Some(&signature.by)).await?.unwrap_or_default();
        let at = format::minute(signature.at);
        lines.push((text("sanction.signed"), format!("{by}, {}, {at}", signature.title)));
    }
    if let Some(number) = &referral.number {
        lines.push((text("referral.number"), number.clone()));
    }
    if let Some(answer) = &referral.answer {
        let rules = state
            .law
            .referral(referral.kind.name(), referral.at.to_offset(crate::law::VIETNAM).date());
        let known = rules.and_then(|rules| rules.answer(&answer.name));
        let said = known.map_or(answer.name.as_str(), |known| known.text.as_str());
        let note = match answer.note.as_str() {
            "" => String::new(),
            note => format!(": {note}"),
        };
        let day = format::day(answer.received_on);
        lines.push((text("referral.answer"), format!("{said}{note} ({day})")));
    }
    Ok(lines)
}

/// `POST /ho-so/{id}/chuyen`: asks for a transfer or a slip, sends it, notes the answer.
pub(super) async fn decide(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let form = Fields::of(fields, &officer)?;
    if !officer.sees_owners() {
        return Err(WebError::Forbidden(officer.lang));
    }
    if case::find(&state.store, &id).await?.is_none() {
        return Err(WebError::NotFound(officer.lang));
    }
    let refuse = |error| explained(error, &officer, &id);
    let action = Action::parse(form.text("action"));
    let action = action.ok_or_else(|| refuse(ReferralError::NotPossible))?;
    let hands = hands(&officer);
    let by = By { user: &officer.user.id, login: &officer.user.login, hands: &hands };
    let outcome = match action {
        Action::Refer => {
            let kind = Kind::parse(form.text("kind"));
            let kind = kind.ok_or_else(|| refuse(ReferralError::Field("kind")))?;
            let asked =
                Referred { kind, to: form.text("to").into(), reason: form.text("reason").into() };
            referral::refer(&state, &id, form.version(), by, asked).await
        }
        _ => {
            let note = form.text(if action == Action::Answer { "note" } else { "reason" });
            let said = (form.text("answer"), note, typed(form.text("received_on")));
            referral::settle(&state, &id, form.version(), by, action, said).await
        }
    };
    outcome.map_err(refuse)?;
    let done = action.done();
    Ok(Redirect::to(&format!("/ho-so/{id}?xong=referral_{done}#chuyen")).into_response())
}

fn explained(error: ReferralError, officer: &Officer, id: &str) -> WebError {
    use ReferralError as E;
    const UNFIT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    let w = officer.lang.words();
    let text = |key: &str| w.t(key).to_owned();
    let (status, line) = match error {
        E::Store(error) => return StoreError::into(error),
        E::Role => return WebError::Forbidden(officer.lang),
        E::Conflict => (StatusCode::CONFLICT, text("error.conflict")),
        E::NotPossible => (StatusCode::CONFLICT, text("error.not_possible")),
        E::SamePerson => (StatusCode::FORBIDDEN, text("sanction.same_person")),
        E::Power(error) => (StatusCode::FORBIDDEN, no_power(&error, w)),
        E::ReasonMissing => (UNFIT, text("sanction.reason_missing")),
        E::Field(field) => {
            (UNFIT, w.with("sanction.field_wrong", "field", w.named("referral", field)))
        }
    };
    officer.refused(status, vec![line], format!("/ho-so/{id}#chuyen"))
}

/// What was just done, in words.
pub(super) fn done(w: &Words, name: &str) -> Option<String> {
    let step = name.strip_prefix("referral_")?;
    let known = Action::ALL.into_iter().any(|action| action.done() == step);
    known.then(|| w.named("referral_done", step))
}
