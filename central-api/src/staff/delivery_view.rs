//! Deliveries, terms and warnings of one case, as its page shows them, and the form by which a clerk puts
//! a delivery on record.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use time::Date;
use time::macros::format_description;

use super::session::Officer;
use crate::AppState;
use crate::case::{self, Case, name_of};
use crate::documents::{self, Kind};
use crate::law::{End, LawError, Term, VIETNAM};
use crate::proceedings::delivery::{self, HandError, HandedBy, Paper, Progress};
use crate::proceedings::warning::{self, Warning};
use crate::web::{WebError, Words, format};

/// What a case's page shows of its deliveries.
#[derive(Default)]
pub(super) struct DeliveryView {
    pub state: String,
    /// That terms reach into a year whose days off are not announced.
    pub unknown_year: String,
    pub dates: Vec<DateView>,
    pub rows: Vec<DeliveryRow>,
    pub warnings: Vec<WarningView>,
    /// Whether this officer may put something on record now.
    pub records: bool,
    pub held: bool,
    /// Whether somebody may be said to have come.
    pub comes: bool,
    pub hows: Vec<(&'static str, String)>,
    pub first_day: String,
    pub last_day: String,
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
        let mut view = Self::default();
        if case::State::BEFORE_NOTICE.contains(&case.state) {
            view.term(state, w, Term::Notice, case.act_at, now);
        }
        let notice = documents::find(&state.store, Kind::Notice, &case.id).await?;
        let found = delivery::find(&state.store, &case.id, Paper::Notice).await?;
        let deliveries = delivery::of_case(&state.store, &case.id, Paper::Notice).await?;
        let warnings = warning::of_case(&state.store, &case.id).await?;
        if let Some(found) = &found {
            view.state = w.named("dispatch", &name_of(&found.progress));
            match found.progress {
                Progress::Waiting => {
                    view.term(state, w, Paper::Notice.term(), found.runs_from, now);
                }
                Progress::Again => view.term(state, w, Term::SendAgain, found.runs_from, now),
                _ => {}
            }
            if let Some(why) = found.why.as_ref().filter(|_| found.progress == Progress::Held) {
                view.date(w.t("post.why"), w.named("post_held", why), String::new(), "soon");
            }
            view.served(state, w, &deliveries);
        }
        for warning in &warnings {
            view.warning(state, w, warning, now);
        }
        if case::State::BARRABLE.contains(&case.state) {
            view.term(state, w, Term::Limitation, case.act_at, now);
        }
        view.rows = deliveries.iter().map(|it| row(it, officer.sees_owners(), w)).collect();
        view.records = found.is_some() && case.state.is_pursued() && officer.sends_papers();
        view.held = found.is_some_and(|it| it.progress == Progress::Held);
        view.comes = warnings.iter().any(|it| it.state != warning::State::Cleared);
        view.hows =
            HandedBy::ALL.iter().map(|it| (it.name(), w.named("post_how", it.name()))).collect();
        let day = |at: time::OffsetDateTime| at.to_offset(VIETNAM).date().to_string();
        view.first_day = notice.map(|it| day(it.issued_at)).unwrap_or_default();
        view.last_day = day(now);
        Ok(view)
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.dates.is_empty() && self.rows.is_empty() && self.state.is_empty()
    }

    fn date(&mut self, name: &str, value: String, more: String, class: &'static str) {
        self.dates.push(DateView { name: name.to_owned(), value, more, class });
    }

    fn term(
        &mut self,
        state: &AppState,
        w: &Words,
        term: Term,
        began: time::OffsetDateTime,
        now: time::OffsetDateTime,
    ) {
        let name = w.named("term", &format!("end_{}", name_of_term(term)));
        match state.law.end(term, began) {
            Ok(end) => {
                let (text, class) = left(w, end.earliest, now);
                self.date(&name, ends(w, end), text, class);
            }
            Err(error) => self.unknown(w, &error),
        }
    }

    fn unknown(&mut self, w: &Words, error: &LawError) {
        if let LawError::UnknownYear { year, .. } = error {
            self.unknown_year = w.with("term.unknown_year", "year", year);
        }
    }

    fn served(&mut self, state: &AppState, w: &Words, deliveries: &[delivery::Delivery]) {
        match delivery::served(deliveries, &state.law) {
            Ok(Some(served)) => {
                let day = |date: Date| format::date(date.midnight().assume_offset(VIETNAM));
                let value = match served.earliest == served.on {
                    true => day(served.on),
                    false => between(w, &day(served.earliest), &day(served.on)),
                };
                let by = w.named("post_way", &name_of(&served.by));
                self.date(w.t("term.served"), value, by, "");
            }
            Ok(None) => {}
            Err(error) => self.unknown(w, &error),
        }
    }

    fn warning(
        &mut self,
        state: &AppState,
        w: &Words,
        warning: &Warning,
        now: time::OffsetDateTime,
    ) {
        let cause = w.named("warning_cause", warning.cause.name());
        let text = match warning.state {
            warning::State::Running => {
                return self.term(state, w, warning.cause.term(), warning.runs_from, now);
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
pub(super) fn left(
    w: &Words,
    end: time::OffsetDateTime,
    now: time::OffsetDateTime,
) -> (String, &'static str) {
    let [end, now] = [end, now].map(|at| at.to_offset(VIETNAM).date());
    match (end - now).whole_days() {
        days if days < 0 => (w.with("case.due_over", "days", -days), "late"),
        days if days <= 3 => (w.with("case.due_left", "days", days), "soon"),
        days => (w.with("case.due_left", "days", days), ""),
    }
}

fn row(delivery: &delivery::Delivery, sees_owners: bool, w: &Words) -> DeliveryRow {
    let at = delivery.ended_at.or(delivery.sent_at);
    DeliveryRow {
        way: w.named("post_way", &name_of(&delivery.way)),
        state: w.named("delivery_state", &name_of(&delivery.state)),
        when: at.map(format::date).unwrap_or_default(),
        tracking: delivery.tracking.clone().unwrap_or_default(),
        // It may name people.
        note: delivery.note.clone().filter(|_| sees_owners).unwrap_or_default(),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Record {
    #[serde(default)]
    csrf: String,
    /// `release`, `came`, or how it was delivered.
    #[serde(default)]
    how: String,
    #[serde(default)]
    day: String,
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
        "release" => delivery::send_again(&state, &id, by)
            .await
            .map(|()| "/giao-nhan?xong=released".to_owned()),
        "came" => match warning::came(&state, &id, by).await? {
            true => Ok(case_page),
            false => Err(HandError::NotPossible),
        },
        how => {
            let how = HandedBy::ALL.into_iter().find(|it| it.name() == how);
            let day = Date::parse(&form.day, format_description!("[year]-[month]-[day]")).ok();
            match how.zip(day) {
                Some(how) => delivery::put_on_record(&state, &id, how, form.seen, by, &form.note)
                    .await
                    .map(|()| case_page),
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
        HandError::NoteMissing => (UNFIT, "owner.note_missing"),
    };
    officer.refused(status, vec![w.t(line).to_owned()], format!("/ho-so/{id}"))
}
