//! The queue: what waits for a decision, oldest act first.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use contract::Act;
use serde::Deserialize;

use super::session::Officer;
use crate::AppState;
use crate::case::{self, Case, Filter, State as CaseState, acts, plate};
use crate::percent;
use crate::web::problem::page;
use crate::web::{Shell, WebError, Words, format};

const PAGE_SIZE: u32 = 25;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    state: String,
    #[serde(default)]
    act: String,
    #[serde(default)]
    camera: String,
    #[serde(default)]
    plate: String,
    page: Option<u32>,
    /// What was just done, to say so.
    #[serde(default)]
    xong: String,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage {
    shell: Shell,
    w: &'static Words,
    title: String,
    path: &'static str,
    rows: Vec<Row>,
    total: u64,
    number: u32,
    pages: u32,
    previous: Option<String>,
    next: Option<String>,
    states: Vec<Choice>,
    acts: Vec<Choice>,
    cameras: Vec<Choice>,
    plate: String,
    filtered: bool,
    done: Option<String>,
}

struct Choice {
    value: String,
    text: String,
    selected: bool,
}

pub(super) struct Row {
    pub id: String,
    pub state: &'static str,
    pub state_text: String,
    pub time: String,
    pub place: String,
    pub act: String,
    pub vehicle: String,
    pub plate: Option<String>,
    pub colour: &'static str,
    pub doubt: bool,
    pub due: Due,
}

/// The notice's term as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub date: String,
    pub text: String,
    /// `late`, `soon` or empty.
    pub class: &'static str,
}

pub(super) async fn review(
    state: State<AppState>,
    officer: Officer,
    search: Query<Search>,
) -> Result<Response, WebError> {
    if !officer.reviews() {
        return Err(WebError::Forbidden(officer.lang));
    }
    queue(state.0, officer, search.0, Kind::Review).await
}

pub(super) async fn approval(
    state: State<AppState>,
    officer: Officer,
    search: Query<Search>,
) -> Result<Response, WebError> {
    if !officer.approves() {
        return Err(WebError::Forbidden(officer.lang));
    }
    queue(state.0, officer, search.0, Kind::Approval).await
}

pub(super) async fn all(
    state: State<AppState>,
    officer: Officer,
    search: Query<Search>,
) -> Result<Response, WebError> {
    if !officer.reads_cases() {
        return Err(WebError::Forbidden(officer.lang));
    }
    queue(state.0, officer, search.0, Kind::All).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Review,
    Approval,
    All,
}

impl Kind {
    fn states(self) -> &'static [CaseState] {
        match self {
            Self::Review => &CaseState::TO_REVIEW,
            Self::Approval => &[CaseState::Accepted, CaseState::Approved, CaseState::Withdrawing],
            Self::All => &CaseState::ALL,
        }
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Review => ("queue.title_review", "/xet-duyet", "review"),
            Self::Approval => ("queue.title_approval", "/phe-duyet", "approval"),
            Self::All => ("queue.title_all", "/ho-so", "all"),
        }
    }
}

async fn queue(
    state: AppState,
    officer: Officer,
    search: Search,
    kind: Kind,
) -> Result<Response, WebError> {
    let w = officer.lang.words();
    let (title, path, tab) = kind.words();
    let chosen = CaseState::parse(&search.state).filter(|state| kind.states().contains(state));
    let act = acts::ALL.iter().map(|row| Act::named(row.act)).find(|act| act.name() == search.act);
    let typed = plate::search_text(&search.plate);
    let filter = Filter {
        states: chosen.map_or_else(|| kind.states().to_vec(), |state| vec![state]),
        act: act.clone(),
        camera: Some(search.camera.clone()).filter(|camera| !camera.is_empty()),
        plate: Some(typed.clone()).filter(|plate| !plate.is_empty()),
    };
    let found = case::list(&state.store, &filter, search.page.unwrap_or(1), PAGE_SIZE).await?;
    let now = state.clock.now();
    let doubt_below = state.config.cases.min_plate_confidence;
    let link = |number: u32| {
        format!(
            "{path}?state={}&act={}&camera={}&plate={}&page={number}",
            chosen.map_or("", CaseState::name),
            act.as_ref().map_or("", Act::name),
            escape(&search.camera),
            escape(&typed),
        )
    };
    let choice = |value: &str, text: String, now: &str| Choice {
        value: value.to_owned(),
        text,
        selected: value == now,
    };
    let template = QueuePage {
        shell: officer.shell(&state, tab).await?,
        w,
        title: w.t(title).to_owned(),
        path,
        rows: found.cases.iter().map(|case| Row::of(case, w, now, doubt_below)).collect(),
        total: found.total,
        number: found.number,
        pages: found.pages,
        previous: (found.number > 1).then(|| link(found.number - 1)),
        next: (found.number < found.pages).then(|| link(found.number + 1)),
        states: kind
            .states()
            .iter()
            .map(|state| choice(state.name(), w.named("state", state.name()), &search.state))
            .collect(),
        acts: acts::ALL
            .iter()
            .map(|row| choice(row.act, w.named("act", row.act), &search.act))
            .collect(),
        cameras: case::cameras(&state.store)
            .await?
            .into_iter()
            .map(|camera| choice(&camera, camera.clone(), &search.camera))
            .collect(),
        filtered: chosen.is_some()
            || act.is_some()
            || filter.camera.is_some()
            || filter.plate.is_some(),
        plate: typed,
        done: done(w, &search.xong),
    };
    page(StatusCode::OK, &template)
}

/// The sentence for an action that was just done, if `name` is one.
pub(super) fn done(w: &Words, name: &str) -> Option<String> {
    case::Action::parse(name).map(|action| w.named("done", action.name()))
}

impl Row {
    fn of(case: &Case, w: &Words, now: time::OffsetDateTime, doubt_below: f64) -> Self {
        let corrected = case.plate_by.is_some();
        Self {
            id: case.id.clone(),
            state: case.state.name(),
            state_text: w.named("state", case.state.name()),
            time: format::second(case.act_at),
            place: case.place.clone(),
            act: w.named("act", case.act.name()),
            vehicle: w.named("vehicle", case.vehicle.name()),
            plate: case
                .plate
                .as_deref()
                .map(|plate| plate::display(plate, case.vehicle, case.plate_colour)),
            colour: colour_class(case),
            doubt: !corrected && case.confidence.is_none_or(|value| value < doubt_below),
            due: due(case, w, now),
        }
    }
}

pub(super) fn colour_class(case: &Case) -> &'static str {
    use contract::plate::PlateColour;
    match case.plate_colour {
        Some(PlateColour::Yellow) => "yellow",
        Some(PlateColour::Blue) => "blue",
        Some(PlateColour::Red) => "red",
        Some(PlateColour::White) | None => "white",
    }
}

pub(super) fn due(case: &Case, w: &Words, now: time::OffsetDateTime) -> Due {
    let Some(end) = case.notice_due else {
        return Due { date: "–".into(), text: String::new(), class: "" };
    };
    let date = format::date(end);
    if case.state.is_decided() {
        return Due { date, text: String::new(), class: "" };
    }
    let days = (end - now).whole_days();
    if end < now {
        let text = w.with("case.due_over", "days", 1 - days);
        return Due { date, text, class: "late" };
    }
    let class = if days <= 3 { "soon" } else { "" };
    Due { date, text: w.with("case.due_left", "days", days), class }
}

/// A value of a query.
fn escape(text: &str) -> String {
    percent::encode(text.as_bytes(), b"")
}
