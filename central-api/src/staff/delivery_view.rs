//! Deliveries, terms and warnings of one case, as its page shows them, and the form by which a clerk puts
//! a delivery on record.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use super::session::Officer;
use crate::AppState;
use crate::case::{self, Case, name_of};
use crate::documents;
use crate::law::{End, LawError, Term, VIETNAM};
use crate::proceedings::delivery::{self, Dispatch, HandError, HandedBy, Paper, Progress};
use crate::proceedings::warning::{self, Warning};
use crate::store::StoreError;
use crate::web::{WebError, Words, format};

/// What a case's page shows of its deliveries.
#[derive(Default)]
pub(super) struct DeliveryView {
    /// That terms reach into a year whose days off are not announced.
    pub unknown_year: String,
    pub dates: Vec<DateView>,
    pub papers: Vec<PaperView>,
    pub warnings: Vec<WarningView>,
    /// Whether somebody may be said to have come, by this officer.
    pub comes: bool,
    pub hows: Vec<(&'static str, String)>,
    pub receivers: Vec<(String, String)>,
    pub last_day: String,
}

/// One document and how it reaches whom it is for.
pub(super) struct PaperView {
    pub code: String,
    pub title: String,
    pub state: String,
    pub dates: Vec<DateView>,
    pub rows: Vec<DeliveryRow>,
    /// Whether this officer may put something on record now.
    pub records: bool,
    pub held: bool,
    pub first_day: String,
}

/// A date that matters.
pub(super) struct DateView {
    pub name: String,
    pub value: String,
    pub more: String,
    pub class: &'static str,
}

pub(super) struct DeliveryRow {
    pub way: String,
    pub state: String,
    pub when: String,
    pub tracking: String,
    pub receiver: String,
    pub note: String,
}

pub(super) struct WarningView {
    pub text: String,
    pub holds: bool,
}

impl DeliveryView {
    pub async fn of(state: &AppState, officer: &Officer, case: &Case) -> Result<Self, WebError> {
        let w = officer.lang.words();
        let now = state.clock.now();
        let shown = Shown { state, w, now };
        let mut view = Self { last_day: day_text(now), ..Self::default() };
        if case::State::BEFORE_NOTICE.contains(&case.state) {
            let found = shown.term(Term::Notice, case.act_at, &mut view.unknown_year);
            view.dates.extend(found);
        }
        for found in delivery::of_case(&state.store, &case.id).await? {
            let paper = shown.paper(officer, case, found, &mut view.unknown_year).await?;
            view.papers.push(paper);
        }
        let warnings = warning::of_case(&state.store, &case.id).await?;
        for warning in &warnings {
            view.warning(&shown, warning);
        }
        if case::State::BARRABLE.contains(&case.state) {
            let found = shown.term(Term::Limitation, case.act_at, &mut view.unknown_year);
            view.dates.extend(found);
        }
        let records = case.state.is_pursued() && officer.sends_papers();
        view.comes = records && warnings.iter().any(|it| it.state != warning::State::Cleared);
        view.hows =
            HandedBy::ALL.iter().map(|it| (it.name(), w.named("post_how", it.name()))).collect();
        let receivers = state.law.receivers().iter();
        view.receivers = receivers.map(|it| (it.key.clone(), it.text.clone())).collect();
        Ok(view)
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.dates.is_empty() && self.papers.is_empty()
    }

    fn warning(&mut self, shown: &Shown<'_>, warning: &Warning) {
        let w = shown.w;
        let cause = w.named("warning_cause", warning.cause.name());
        let text = match warning.state {
            warning::State::Running => {
                let term = warning.cause.term();
                let found = shown.term(term, warning.runs_from, &mut self.unknown_year);
                self.dates.extend(found);
                return;
            }
            warning::State::Warned => {
                let at = warning.warned_at.map(format::date).unwrap_or_default();
                w.with("post.warned", "cause", cause).replace("{day}", &at)
            }
            warning::State::Cleared => {
                let at = warning.cleared_at.map(format::date).unwrap_or_default();
                let why = warning.why.as_deref().unwrap_or_default();
                w.with("post.cleared", "why", w.named("warning_why", why)).replace("{day}", &at)
            }
        };
        let holds = warning.state == warning::State::Warned;
        self.warnings.push(WarningView { text, holds });
    }
}

fn day_text(at: OffsetDateTime) -> String {
    at.to_offset(VIETNAM).date().to_string()
}

/// By what a page is shown.
struct Shown<'a> {
    state: &'a AppState,
    w: &'static Words,
    now: OffsetDateTime,
}

impl Shown<'_> {
    async fn paper(
        &self,
        officer: &Officer,
        case: &Case,
        found: Dispatch,
        unknown: &mut String,
    ) -> Result<PaperView, WebError> {
        let Self { state, w, .. } = *self;
        let mut dates = Vec::new();
        let deliveries = {
            let mut view = state.store.pool().acquire().await.map_err(StoreError::from)?;
            delivery::deliveries(&mut view, &found.code).await?
        };
        match found.progress {
            Progress::Waiting => {
                if let Some(term) = state.law.sent_within(found.paper.name()) {
                    let sent = self.term(term, found.runs_from, unknown);
                    // The law's word for this paper's sending, whatever term it shares.
                    let name = w.named("term", &format!("end_send_{}", found.paper.name()));
                    dates.extend(sent.map(|date| DateView { name, ..date }));
                }
            }
            Progress::Again => {
                dates.extend(self.term(Term::SendAgain, found.runs_from, unknown));
            }
            _ => {}
        }
        if let Some(why) = found.why.as_ref().filter(|_| found.progress == Progress::Held) {
            let why = w.named("post_held", why);
            dates.push(DateView::new(w.t("post.why"), why, String::new(), "soon"));
        }
        if found.progress != Progress::Closed || !deliveries.is_empty() {
            dates.extend(self.served(&found, &deliveries, unknown));
        }
        let document = documents::find_by_code(&state.store, &found.code).await?;
        let name = w.named("paper", found.paper.name());
        let title = document.as_ref().map_or(name.clone(), |it| {
            let number = it.shown(&state.config.agency.code);
            w.with("post.paper_number", "paper", &name).replace("{number}", &number)
        });
        let holds = case.state.is_pursued() || found.paper.takes_back();
        let is_closed = found.progress == Progress::Closed;
        Ok(PaperView {
            title,
            state: w.named("dispatch", &name_of(&found.progress)),
            dates,
            rows: deliveries.iter().map(|it| self.row(it, officer.sees_owners())).collect(),
            records: !is_closed && holds && officer.sends_papers(),
            held: found.progress == Progress::Held,
            first_day: document.map(|it| day_text(it.issued_at)).unwrap_or_default(),
            code: found.code,
        })
    }

    fn term(&self, term: Term, began: OffsetDateTime, unknown: &mut String) -> Option<DateView> {
        let w = self.w;
        let name = w.named("term", &format!("end_{}", name_of_term(term)));
        match self.state.law.end(term, began) {
            Ok(end) => {
                let (text, class) = left(w, end.earliest, self.now);
                Some(DateView::new(&name, ends(w, end), text, class))
            }
            Err(error) => self.unknown(&error, unknown),
        }
    }

    fn unknown(&self, error: &LawError, unknown: &mut String) -> Option<DateView> {
        if let LawError::UnknownYear { year, .. } = error {
            *unknown = self.w.with("term.unknown_year", "year", year);
        }
        None
    }

    /// When a paper was served; of a decision that was not, that nothing runs.
    fn served(
        &self,
        found: &Dispatch,
        deliveries: &[delivery::Delivery],
        unknown: &mut String,
    ) -> Option<DateView> {
        let w = self.w;
        match delivery::served(deliveries, &self.state.law) {
            Ok(Some(served)) => {
                let day = |date: Date| format::date(date.midnight().assume_offset(VIETNAM));
                let value = match served.earliest == served.on {
                    true => day(served.on),
                    false => between(w, &day(served.earliest), &day(served.on)),
                };
                let by = w.named("post_way", &name_of(&served.by));
                Some(DateView::new(w.t("term.served"), value, by, ""))
            }
            Ok(None) if found.progress == Progress::Closed => None,
            Ok(None) => {
                let more = match found.paper {
                    Paper::Decision => w.t("term.unserved_decision").to_owned(),
                    _ => String::new(),
                };
                let value = w.t("term.unserved").to_owned();
                Some(DateView::new(w.t("term.service"), value, more, "soon"))
            }
            Err(error) => self.unknown(&error, unknown),
        }
    }

    fn row(&self, delivery: &delivery::Delivery, sees_owners: bool) -> DeliveryRow {
        let w = self.w;
        let at = delivery.ended_at.or(delivery.sent_at);
        let receiver = delivery.receiver.as_ref().and_then(|key| {
            self.state.law.receivers().iter().find(|it| it.key == *key).map(|it| it.text.clone())
        });
        DeliveryRow {
            way: w.named("post_way", &name_of(&delivery.way)),
            state: w.named("delivery_state", &name_of(&delivery.state)),
            when: at.map(format::date).unwrap_or_default(),
            tracking: delivery.tracking.clone().unwrap_or_default(),
            receiver: receiver.unwrap_or_default(),
            // It may name people.
            note: delivery.note.clone().filter(|_| sees_owners).unwrap_or_default(),
        }
    }
}

impl DateView {
    fn new(name: &str, value: String, more: String, class: &'static str) -> Self {
        Self { name: name.to_owned(), value, more, class }
    }
}

/// The name of a term in the law's files.
fn name_of_term(term: Term) -> &'static str {
    match term {
        Term::Notice => "notice",
        Term::SendAgain => "send_again",
        Term::NoShow => "no_show",
        Term::Pay => "pay",
        _ => "limitation",
    }
}

/// The end of a term, both where the calendar is not settled.
pub(super) fn ends(w: &Words, end: End) -> String {
    let [earliest, latest] = [end.earliest, end.latest].map(format::date);
    if earliest == latest { earliest } else { between(w, &earliest, &latest) }
}

fn between(w: &Words, earliest: &str, latest: &str) -> String {
    w.with("term.between", "earliest", earliest).replace("{latest}", latest)
}

/// How long is left, in words, and how urgent it is.
pub(super) fn left(w: &Words, end: OffsetDateTime, now: OffsetDateTime) -> (String, &'static str) {
    let [end, now] = [end, now].map(|at| at.to_offset(VIETNAM).date());
    match (end - now).whole_days() {
        days if days < 0 => (w.with("case.due_over", "days", -days), "late"),
        days if days <= 3 => (w.with("case.due_left", "days", days), "soon"),
        days => (w.with("case.due_left", "days", days), ""),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Record {
    #[serde(default)]
    csrf: String,
    /// The document's code.
    #[serde(default)]
    document: String,
    /// `release`, `came`, or how it was delivered.
    #[serde(default)]
    how: String,
    #[serde(default)]
    day: String,
    /// Who took it over, by the law's key.
    #[serde(default)]
    receiver: String,
    #[serde(default)]
    seen: usize,
    #[serde(default)]
    note: String,
}

/// `POST /ho-so/{id}/giao-nhan`.
pub(super) async fn record(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Form(form): Form<Record>,
) -> Result<Response, WebError> {
    officer.check_csrf(&form.csrf)?;
    if !officer.sends_papers() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let by = (officer.user.id.as_str(), officer.user.login.as_str());
    let case_page = format!("/ho-so/{id}#giao-nhan");
    let done = match form.how.as_str() {
        "release" => delivery::send_again(&state, (&id, &form.document), by)
            .await
            .map(|()| "/giao-nhan?xong=released".to_owned()),
        "came" => match warning::came(&state, &id, by).await? {
            true => Ok(case_page),
            false => Err(HandError::NotPossible),
        },
        how => {
            let how = HandedBy::ALL.into_iter().find(|it| it.name() == how);
            let day = Date::parse(&form.day, format_description!("[year]-[month]-[day]")).ok();
            // The form asks for it whatever was chosen: of what was not handed over it says nothing.
            let receiver = Some(form.receiver.as_str());
            let receiver = receiver.filter(|_| how == Some(HandedBy::Delivered));
            match how.zip(day) {
                Some((how, day)) => {
                    let paper = (id.as_str(), form.document.as_str());
                    let what = (how, day, receiver);
                    delivery::put_on_record(&state, paper, what, form.seen, by, &form.note)
                        .await
                        .map(|()| case_page)
                }
                None => Err(HandError::Day),
            }
        }
    };
    match done {
        Ok(to) => Ok(Redirect::to(&to).into_response()),
        Err(error) => Err(explain(error, &officer, &id)),
    }
}

fn explain(error: HandError, officer: &Officer, id: &str) -> WebError {
    let w = officer.lang.words();
    const UNFIT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    let (status, line) = match error {
        HandError::NotFound(_) => return WebError::NotFound(officer.lang),
        HandError::Store(error) => return error.into(),
        HandError::Conflict => (StatusCode::CONFLICT, "error.conflict"),
        HandError::NotPossible => (StatusCode::CONFLICT, "error.not_possible"),
        HandError::Day => (UNFIT, "post.day_wrong"),
        HandError::Receiver => (UNFIT, "post.receiver_missing"),
        HandError::Served(day) => {
            let day = format::date(day.midnight().assume_offset(VIETNAM));
            let told = w.with("post.served_before", "day", day);
            return officer.refused(StatusCode::CONFLICT, vec![told], format!("/ho-so/{id}"));
        }
        HandError::NoteMissing => (UNFIT, "owner.note_missing"),
    };
    officer.refused(status, vec![w.t(line).to_owned()], format!("/ho-so/{id}"))
}
