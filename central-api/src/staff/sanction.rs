//! From the notice to the fine, as a case's page shows it: minutes, explanation, the decision with
//! its proposal and signature, the printed documents.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use time::Date;
use time::macros::format_description;

use super::case_page::name;
use super::session::Officer;
use crate::AppState;
use crate::case::{self, Examination, name_of};
use crate::documents::{self, Document};
use crate::jobs::{Asked, Job, UnderWay};
use crate::law::{Circumstance, Side};
use crate::proceedings::decision::{self, Action};
use crate::proceedings::minutes::{self, MinutesError, Way};
use crate::proceedings::{Actor, By, Hand, owner, row};
use crate::registry::{Details, Owner, OwnerKind, Registration, Sex};
use crate::store::StoreError;
use crate::web::{WebError, Words, format};

/// The part of a case's page.
pub(super) struct SanctionView {
    pub minutes: Vec<(String, String)>,
    pub minutes_version: i64,
    pub draws: bool,
    pub explains: bool,
    /// What the form begins with: the owner, as far as known.
    pub owner: Option<Owner>,
    /// What the registry knows of that owner beside.
    pub details: Details,
    pub today: String,
    pub place: String,
    pub decision: Vec<(String, String)>,
    pub decision_state: Option<String>,
    pub decision_version: i64,
    pub proposes: bool,
    /// What stands against it now.
    pub obstacles: Vec<String>,
    pub usual: String,
    pub bracket: String,
    /// The law's circumstances by side, each with its key and text.
    pub sides: Vec<(String, Vec<(String, String)>)>,
    pub signs: bool,
    pub returns: bool,
    pub revives: bool,
    pub annuls: bool,
    pub confirms: bool,
    pub keeps: bool,
    pub papers: Vec<(String, String)>,
    pub printing: Option<Asked>,
}

impl SanctionView {
    /// None where there is nothing of it yet, or the officer has no business with it.
    pub async fn of(
        state: &AppState,
        officer: &Officer,
        examination: &Examination,
        record: Option<&owner::Record>,
        under_way: &UnderWay,
    ) -> Result<Option<Self>, WebError> {
        let case = &examination.case;
        let minutes: Option<minutes::Row> = row::find(&state.store, &case.id).await?;
        let decision: Option<decision::Row> = row::find(&state.store, &case.id).await?;
        let begins = case.state == case::State::Notified;
        if !officer.sees_owners() || !(begins || minutes.is_some()) {
            return Ok(None);
        }
        let w = officer.lang.words();
        let now = state.clock.now();
        let standing = decision.as_ref().map(|row| &row.content);
        let hands = hands(officer);
        let actor = Actor { user: Some(&officer.user.id), hands: &hands };
        let allowed = decision::allowed(standing, &actor);
        let may = |action| begins && allowed.contains(&action);
        let clerk = hands.contains(&Hand::Clerk);
        let law = &state.law;
        let proposal = standing.filter(|it| it.state == decision::State::Proposed);
        let undecided = standing.is_none_or(|it| it.state.is_open());
        let obstacles = match (begins && undecided, minutes.is_some()) {
            (true, true) => decision::obstacles(
                law,
                examination,
                minutes.as_ref(),
                proposal.map(|it| &it.proposal),
                now,
            )
            .map_err(|error| WebError::internal(officer.lang, error))?,
            _ => Vec::new(),
        };
        let payer = minutes.as_ref().and_then(|row| row.content.violator.payer(case.act_at));
        let usual = case.law.as_ref().zip(payer).map(|(provision, payer)| {
            let range = law.fine(provision, Default::default(), payer);
            (
                format::amount(range.usual),
                format!(
                    "{} – {}",
                    format::amount(provision.fine_min),
                    format::amount(provision.fine_max)
                ),
            )
        });
        let (usual, bracket) = usual.unwrap_or_default();
        let kinds =
            [documents::Kind::Minutes, documents::Kind::Decision, documents::Kind::Annulment];
        let job = |kind| Job::PrintPaper { case: case.id.clone(), kind };
        let printing = kinds.into_iter().find_map(|kind| under_way.of(&job(kind)));
        let papers = documents::of_case(&state.store, &case.id).await?;
        // The notice and receipts stand with what they are about.
        let elsewhere = [documents::Kind::Notice, documents::Kind::Receipt];
        let papers = papers.iter().filter(|it| !elsewhere.contains(&it.kind));
        Ok(Some(Self {
            minutes: match &minutes {
                Some(row) => minutes_lines(state, &row.content, case, w).await?,
                None => Vec::new(),
            },
            minutes_version: minutes.as_ref().map_or(0, |row| row.version),
            draws: begins && clerk && standing.is_none_or(|it| it.state.takes_proposal()),
            explains: begins && clerk && minutes.is_some() && undecided,
            owner: record.and_then(|record| record.owner.clone()),
            details: known(record),
            today: iso(now.to_offset(crate::law::VIETNAM).date()),
            place: state.config.agency.name.clone(),
            decision: match standing {
                Some(it) => decision_lines(state, it, w).await?,
                None => Vec::new(),
            },
            decision_state: standing.map(|it| w.named("decision_state", it.state.name())),
            decision_version: decision.as_ref().map_or(0, |row| row.version),
            proposes: may(Action::Propose) && minutes.is_some(),
            obstacles: obstacles.iter().map(|it| obstacle(it, w)).collect(),
            usual,
            bracket,
            sides: sides(law.circumstances(), w),
            signs: may(Action::Sign),
            returns: may(Action::Return),
            revives: officer.revives(),
            annuls: may(Action::Annul),
            confirms: may(Action::ConfirmAnnulment),
            keeps: may(Action::Keep),
            papers: papers.map(|it| paper(it, &state.config.agency.code, w)).collect(),
            printing: printing.map(|asked| super::jobs::told(asked, w)),
        }))
    }
}

impl SanctionView {
    pub fn is_organisation(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.kind == OwnerKind::Organisation)
    }

    /// A field of the owner, to begin with.
    pub fn of_owner(&self, field: &str) -> &str {
        let Some(owner) = &self.owner else { return "" };
        match field {
            "name" => &owner.name,
            "id_number" => &owner.id_number,
            _ => &owner.address,
        }
    }

    /// What is known beside, to begin with.
    pub fn of_details(&self, field: &str) -> String {
        let it = &self.details;
        match field {
            "sex" => it.sex.map(|sex| name_of(&sex)).unwrap_or_default(),
            "nationality" => it.nationality.clone(),
            "occupation" => it.occupation.clone(),
            "id_issued_on" => it.id_issued_on.map(iso).unwrap_or_default(),
            "id_issued_by" => it.id_issued_by.clone(),
            "representative" => it.representative.clone(),
            _ => it.representative_title.clone(),
        }
    }

    /// The steps that need nothing but a reason, and whether they are open.
    pub fn with_reason(&self) -> [(&'static str, bool); 3] {
        [("return", self.returns), ("annul", self.annuls), ("keep", self.keeps)]
    }
}

/// Clerks draw up and propose, leaders decide.
pub(super) fn hands(officer: &Officer) -> Vec<Hand> {
    let mut hands = Vec::new();
    if officer.names_owners() {
        hands.push(Hand::Clerk);
    }
    if officer.approves() {
        hands.push(Hand::Leader);
    }
    hands
}

fn sides(known: &[Circumstance], w: &Words) -> Vec<(String, Vec<(String, String)>)> {
    let of = |(name, side)| {
        let known = known.iter().filter(|it| it.side == side);
        let choices = known.map(|it| (it.key.clone(), it.text.clone()));
        (w.named("circumstance", name), choices.collect())
    };
    [("mitigating", Side::Mitigating), ("aggravating", Side::Aggravating)].map(of).into()
}

fn paper(document: &Document, agency: &str, w: &Words) -> (String, String) {
    let name = w.named("document", document.kind.name());
    let text = format!("{name} số {}", document.shown(agency));
    let (kind, year) = (document.kind.name(), document.year);
    (text, format!("/ho-so/{}/van-ban/{kind}-{year}-{}.pdf", document.case_id, document.number))
}

async fn minutes_lines(
    state: &AppState,
    minutes: &minutes::Minutes,
    case: &case::Case,
    w: &Words,
) -> Result<Vec<(String, String)>, WebError> {
    let violator = &minutes.violator;
    let text = |key: &str| w.t(key).to_owned();
    let mut lines = super::owner::person(&violator.person, w);
    if let Some(born) = violator.born {
        lines.push((text("sanction.born"), format::day(born)));
    }
    let details = &violator.details;
    let sex = details.sex.map(|sex| w.named("sex", &name_of(&sex))).unwrap_or_default();
    for (key, value) in [
        ("sex", &sex),
        ("nationality", &details.nationality),
        ("occupation", &details.occupation),
        ("id_issued_on", &details.id_issued_on.map(format::day).unwrap_or_default()),
        ("id_issued_by", &details.id_issued_by),
        ("representative", &details.representative),
        ("representative_title", &details.representative_title),
    ] {
        if !value.is_empty() {
            lines.push((w.named("sanction", key), value.clone()));
        }
    }
    let yes_no = if violator.drove { "sanction.drove_yes" } else { "sanction.drove_no" };
    lines.push((text("sanction.drove"), text(yes_no)));
    lines.push((text("sanction.identified_on"), format::day(minutes.identified_on)));
    let drawn = name(state, Some(&minutes.drawn_by)).await?.unwrap_or_default();
    lines.push((text("sanction.drawn"), format!("{drawn}, {}", format::minute(minutes.drawn_at))));
    if !minutes.statement.is_empty() {
        lines.push((text("sanction.statement"), minutes.statement.clone()));
    }
    if let Some(why) = &minutes.unsigned {
        lines.push((text("sanction.unsigned"), why.clone()));
    }
    if let Some(explanation) = &minutes.explanation {
        let way = w.named("explanation_way", &name_of(&explanation.way));
        lines.push((
            text("sanction.explanation"),
            match explanation.way {
                Way::Waived => way,
                _ => format!(
                    "{way}, {}: “{}” – {}",
                    format::day(explanation.received_on),
                    explanation.text,
                    explanation.finding
                ),
            },
        ));
    } else if let Some(provision) = &case.law
        && let Ok(Some(until)) = minutes.explains_until(&state.law, provision, case.act_at)
    {
        lines.push((text("sanction.explains_until"), format::minute(until)));
    }
    if let Ok(until) = minutes.decision_until(&state.law) {
        lines.push((text("sanction.decision_until"), format::minute(until)));
    }
    Ok(lines)
}

async fn decision_lines(
    state: &AppState,
    decision: &decision::Decision,
    w: &Words,
) -> Result<Vec<(String, String)>, WebError> {
    let text = |key: &str| w.t(key).to_owned();
    let proposal = &decision.proposal;
    let by = name(state, Some(&proposal.by)).await?.unwrap_or_default();
    let mut lines = vec![
        (text("sanction.amount"), format!("{} đ", format::amount(proposal.amount))),
        (text("sanction.payer"), w.named("payer", &name_of(&proposal.payer))),
        (text("sanction.points"), proposal.provision.points.to_string()),
        (text("sanction.provision"), proposal.provision.citation()),
        (text("sanction.proposed"), format!("{by}, {}", format::minute(proposal.at))),
    ];
    let found = state.law.circumstances().iter();
    let found = found.filter(|it| proposal.circumstances.contains(&it.key));
    let found: Vec<_> = found.map(|it| it.text.clone()).collect();
    if !found.is_empty() {
        lines.push((text("sanction.circumstances"), found.join("; ")));
    }
    if !proposal.remedy.is_empty() {
        lines.push((text("sanction.remedy"), proposal.remedy.clone()));
    }
    if !proposal.note.is_empty() {
        lines.push((text("sanction.note"), proposal.note.clone()));
    }
    if let Some(why) = &decision.returned {
        lines.push((text("sanction.returned"), why.clone()));
    }
    if let Some(signature) = &decision.signature {
        let by = name(state, Some(&signature.by)).await?.unwrap_or_default();
        let at = format::minute(signature.at);
        lines.push((text("sanction.signed"), format!("{by}, {}, {at}", signature.title)));
    }
    if let Some(issued) = &decision.issued {
        lines.push((text("sanction.number"), issued.number.clone()));
    }
    if let Some(undo) = &decision.undo {
        let by = name(state, Some(&undo.by)).await?.unwrap_or_default();
        lines.push((text("sanction.undo"), format!("{by}: “{}”", undo.reason)));
    }
    Ok(lines)
}

fn obstacle(it: &decision::Obstacle, w: &Words) -> String {
    use decision::Obstacle as O;
    let text = w.named("obstacle", it.name());
    match it {
        O::Explains(at) | O::Late(at) | O::Barred(at) => format!("{text}: {}", format::minute(*at)),
        O::Amount(range) => {
            format!("{text}: {} – {} đ", format::amount(range.least), format::amount(range.most))
        }
        O::Gate(names) => {
            let names: Vec<_> = names.iter().map(|name| w.named("blocker", name)).collect();
            format!("{text}: {}", names.join("; "))
        }
        _ => text,
    }
}

fn iso(date: Date) -> String {
    date.to_string()
}

/// A date as a form's field sends it.
pub(super) fn typed(text: &str) -> Option<Date> {
    Date::parse(text.trim(), format_description!("[year]-[month]-[day]")).ok()
}

/// A form's fields; the same name may come several times.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub fn of(fields: Vec<(String, String)>, officer: &Officer) -> Result<Self, WebError> {
        let fields = Self(fields);
        officer.check_csrf(fields.text("csrf"))?;
        Ok(fields)
    }

    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    pub fn version(&self) -> i64 {
        self.text("version").parse().unwrap_or(0)
    }
}

/// `POST /ho-so/{id}/bien-ban`: draws the minutes up.
pub(super) async fn draw(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let form = Fields::of(fields, &officer)?;
    if !officer.names_owners() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let wrong = |field: &'static str| field_wrong(&officer, &id, field);
    let born = match form.text("born").trim() {
        "" => None,
        text => Some(typed(text).ok_or_else(|| wrong("born"))?),
    };
    let drawn = minutes::Drawn {
        person: Owner {
            kind: match form.text("kind") {
                "organisation" => OwnerKind::Organisation,
                _ => OwnerKind::Person,
            },
            name: form.text("name").into(),
            id_number: form.text("id_number").into(),
            address: form.text("address").into(),
        },
        born,
        drove: form.text("drove") == "yes",
        details: Details {
            sex: match form.text("sex") {
                "male" => Some(Sex::Male),
                "female" => Some(Sex::Female),
                _ => None,
            },
            nationality: form.text("nationality").into(),
            occupation: form.text("occupation").into(),
            id_issued_on: match form.text("id_issued_on").trim() {
                "" => None,
                text => Some(typed(text).ok_or_else(|| wrong("id_issued_on"))?),
            },
            id_issued_by: form.text("id_issued_by").into(),
            representative: form.text("representative").into(),
            representative_title: form.text("representative_title").into(),
        },
        identified_on: typed(form.text("identified_on")).ok_or_else(|| wrong("identified_on"))?,
        place: form.text("place").into(),
        statement: form.text("statement").into(),
        unsigned: form.text("unsigned").into(),
        witness: form.text("witness").into(),
        waives: form.text("waives") == "yes",
    };
    let by = (officer.user.id.as_str(), officer.user.login.as_str());
    match minutes::draw(&state, &id, form.version(), by, drawn).await {
        Ok(_) => Ok(back(&id, "drawn")),
        Err(error) => Err(minutes_refused(error, &officer, &id)),
    }
}

/// `POST /ho-so/{id}/giai-trinh`: notes an explanation.
pub(super) async fn explain(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let form = Fields::of(fields, &officer)?;
    if !officer.names_owners() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let wrong = |field: &'static str| field_wrong(&officer, &id, field);
    let way = match form.text("way") {
        "hearing" => Way::Hearing,
        _ => Way::Written,
    };
    let on = typed(form.text("received_on")).ok_or_else(|| wrong("received_on"))?;
    let by = (officer.user.id.as_str(), officer.user.login.as_str());
    let said = (form.text("explanation"), form.text("finding"));
    match minutes::explain(&state, &id, form.version(), by, way, on, said).await {
        Ok(_) => Ok(back(&id, "explained")),
        Err(error) => Err(minutes_refused(error, &officer, &id)),
    }
}

fn minutes_refused(error: MinutesError, officer: &Officer, id: &str) -> WebError {
    match error {
        MinutesError::NotFound(_) => WebError::NotFound(officer.lang),
        MinutesError::Store(error) => error.into(),
        MinutesError::Conflict => refused(officer, id, "error.conflict"),
        MinutesError::NotPossible => refused(officer, id, "error.not_possible"),
        MinutesError::Field(field) => field_wrong(officer, id, field),
    }
}

/// `POST /ho-so/{id}/xu-phat`: proposes a decision, signs it, sends it back, annuls it.
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
    let Some(action) = Action::parse(form.text("action")) else {
        return Err(refused(&officer, &id, "error.not_possible"));
    };
    let hands = hands(&officer);
    let by = By { user: &officer.user.id, login: &officer.user.login, hands: &hands };
    let outcome = match action {
        Action::Propose => {
            let digits: String =
                form.text("amount").chars().filter(|c| !matches!(c, '.' | ' ' | 'đ')).collect();
            let amount = match digits.as_str() {
                "" => None,
                text => Some(text.parse().map_err(|_| field_wrong(&officer, &id, "amount"))?),
            };
            let proposed = decision::Proposed {
                circumstances: form.all("circumstance"),
                amount,
                note: form.text("note").into(),
                remedy: form.text("remedy").into(),
            };
            decision::propose(&state, &id, form.version(), by, proposed).await
        }
        _ => decision::settle(&state, &id, form.version(), by, action, form.text("reason")).await,
    };
    match outcome {
        Ok(_) => Ok(back(&id, action.done())),
        Err(error) => Err(explained(error, &officer, &id)),
    }
}

fn explained(error: decision::DecisionError, officer: &Officer, id: &str) -> WebError {
    use decision::{DecisionError as E, Refusal};
    let w = officer.lang.words();
    let (status, lines) = match error {
        E::Examine(case::ExamineError::NotFound(_)) => return WebError::NotFound(officer.lang),
        E::Store(error) => return StoreError::into(error),
        E::Examine(error) => return WebError::internal(officer.lang, error),
        E::Law(error) => return WebError::internal(officer.lang, error),
        E::Payment(error) => return WebError::internal(officer.lang, error),
        E::Refused(Refusal::Role) => return WebError::Forbidden(officer.lang),
        E::Conflict => (StatusCode::CONFLICT, vec![w.t("error.conflict").to_owned()]),
        E::Refused(Refusal::NotPossible(_)) => {
            (StatusCode::CONFLICT, vec![w.t("error.not_possible").to_owned()])
        }
        E::Refused(Refusal::SamePerson) => {
            (StatusCode::FORBIDDEN, vec![w.t("sanction.same_person").to_owned()])
        }
        E::Power(error) => (StatusCode::FORBIDDEN, vec![no_power(&error, w)]),
        E::ReasonMissing => {
            (StatusCode::UNPROCESSABLE_ENTITY, vec![w.t("sanction.reason_missing").to_owned()])
        }
        E::Obstacles(found) => {
            (StatusCode::CONFLICT, found.iter().map(|it| obstacle(it, w)).collect())
        }
    };
    officer.refused(status, lines, format!("/ho-so/{id}#xu-phat"))
}

/// Why somebody may not sign, in words.
pub(super) fn no_power(error: &decision::PowerError, w: &Words) -> String {
    match error {
        decision::PowerError::NoOffice => w.t("sanction.no_office").to_owned(),
        decision::PowerError::TooLow(title) => w.with("sanction.office_too_low", "title", title),
    }
}

fn back(id: &str, done: &str) -> Response {
    Redirect::to(&format!("/ho-so/{id}?xong={done}#xu-phat")).into_response()
}

/// What was just done, in words.
pub(super) fn done(w: &Words, name: &str) -> Option<String> {
    let steps = Action::ALL.into_iter().map(Action::done);
    let known = steps.chain(["drawn", "explained"]).any(|step| step == name);
    known.then(|| w.named("sanction_done", name))
}

fn refused(officer: &Officer, id: &str, key: &str) -> WebError {
    let line = officer.lang.words().t(key).to_owned();
    officer.refused(StatusCode::CONFLICT, vec![line], format!("/ho-so/{id}#xu-phat"))
}

fn field_wrong(officer: &Officer, id: &str, field: &str) -> WebError {
    let w = officer.lang.words();
    let known = ["name", "id_number", "address"];
    let room = if known.contains(&field) { "owner" } else { "sanction" };
    let field = w.t(&format!("{room}.{field}")).to_owned();
    let line = w.with("sanction.field_wrong", "field", field);
    officer.refused(StatusCode::UNPROCESSABLE_ENTITY, vec![line], format!("/ho-so/{id}#xu-phat"))
}

/// What the registry knows of an owner whom nobody has named otherwise.
fn known(record: Option<&owner::Record>) -> Details {
    let registration = record.and_then(|record| record.registration.as_ref());
    let of =
        |it: &&Registration| record.and_then(|record| record.owner.as_ref()) == Some(&it.owner);
    registration.filter(of).map(|it| it.details.clone()).unwrap_or_default()
}
