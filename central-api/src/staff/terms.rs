//! What is due when over all cases, the most urgent first.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use time::Duration;

use super::case_page::short_id;
use super::delivery::shown_plate;
use super::delivery_view::{ends, left};
use super::session::Officer;
use crate::AppState;
use crate::case;
use crate::law::VIETNAM;
use crate::percent;
use crate::proceedings::terms::{self, Due, Kind, Place};
use crate::web::problem::page;
use crate::web::{Shell, WebError, Words, format};

const PAGE_SIZE: usize = 50;
/// How long before a year begins its days off must be known: terms reach into it by then.
const AHEAD: Duration = Duration::days(90);

#[derive(Debug, Default, Deserialize)]
pub(super) struct Search {
    /// One kind; all where it is none.
    #[serde(default)]
    loai: String,
    /// Behind which place the page begins.
    #[serde(default)]
    sau: String,
}

#[derive(Template)]
#[template(path = "terms.html")]
struct TermsPage {
    shell: Shell,
    w: &'static Words,
    kind: &'static str,
    counts: Vec<Count>,
    unknown_year: Option<String>,
    rows: Vec<Row>,
    paged: bool,
    first: String,
    next: Option<String>,
}

struct Count {
    name: &'static str,
    text: String,
    count: String,
}

struct Row {
    id: String,
    short_id: String,
    plate: String,
    state: &'static str,
    state_text: String,
    what: String,
    due: String,
    left: String,
    class: &'static str,
    began: String,
}

/// `GET /thoi-han`.
pub(super) async fn list(
    State(state): State<AppState>,
    officer: Officer,
    Query(search): Query<Search>,
) -> Result<Response, WebError> {
    if !officer.reads_cases() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let w = officer.lang.words();
    let now = state.clock.now();
    let chosen = Kind::ALL.into_iter().find(|kind| kind.name() == search.loai);
    let kinds = chosen.map_or(Kind::ALL.to_vec(), |kind| vec![kind]);
    let after = Place::parse(&search.sau);
    let found =
        terms::list(&state.store, &state.law, &kinds, after.as_ref(), PAGE_SIZE, now).await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for due in &found.rows {
        let Some(case) = case::find(&state.store, &due.case_id).await? else { continue };
        rows.push(row(due, &case, w, now));
    }
    let kind = chosen.map_or("", Kind::name);
    let counts = terms::counts(&state.store, &state.law, now).await?;
    let template = TermsPage {
        shell: officer.shell(&state, "terms").await?,
        w,
        kind,
        counts: counts.into_iter().map(|(kind, count)| shown(kind, count, w)).collect(),
        unknown_year: unknown_year(&state, w, now),
        rows,
        paged: after.is_some(),
        first: format!("/thoi-han?loai={kind}"),
        next: found.next.map(|place| {
            let place = percent::encode(place.text().as_bytes(), b"");
            format!("/thoi-han?loai={kind}&sau={place}")
        }),
    };
    page(StatusCode::OK, &template)
}

fn shown(kind: Kind, count: u64, w: &Words) -> Count {
    let most = case::MOST_COUNTED;
    let count = if count > most { format!("{most}+") } else { count.to_string() };
    Count { name: kind.name(), text: w.named("term", kind.name()), count }
}

/// That the days off of a year that terms soon reach into are not announced.
fn unknown_year(state: &AppState, w: &Words, now: time::OffsetDateTime) -> Option<String> {
    let year = (now + AHEAD).to_offset(VIETNAM).year();
    (!state.law.calendar().knows(year)).then(|| w.with("term.unknown_year", "year", year))
}

fn row(due: &Due, case: &case::Case, w: &Words, now: time::OffsetDateTime) -> Row {
    let (text, (left, class)) = match due.end {
        Some(end) => {
            let bound = if due.kind.binds_owner() { end.latest } else { end.earliest };
            (ends(w, end), left(w, bound, now))
        }
        None => (w.t("term.unknown").to_owned(), (String::new(), "late")),
    };
    Row {
        id: case.id.clone(),
        short_id: short_id(&case.id),
        plate: shown_plate(case),
        state: case.state.name(),
        state_text: w.named("state", case.state.name()),
        what: w.named("term", &format!("do_{}", due.kind.name())),
        due: text,
        left,
        class,
        began: format::date(due.began),
    }
}
