//! The desk of a fault: what was recalled, how its cases stand, and what two people decide of them.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use time::macros::format_description;
use time::{Date, Duration};

use super::case_page::short_id;
use super::session::Officer;
use crate::AppState;
use crate::admin::users;
use crate::case::{name_of, named, plate};
use crate::law::VIETNAM;
use crate::recall::{
    self, Cause, Choice, Counts, Fate, Judged, OpenError, Recall, SettleError, Which,
};
use crate::store::StoreError;
use crate::web::problem::page;
use crate::web::{Shell, WebError, Words, format};

/// Cases shown of each fate.
const MOST: i64 = 50;

struct Head {
    id: String,
    cause: String,
    value: String,
    period: String,
    reason: String,
    opened: String,
    listed: String,
}

impl Head {
    async fn of(state: &AppState, recall: &Recall, w: &Words) -> Result<Self, WebError> {
        let name = |user: Option<users::User>| user.map(|user| user.name).unwrap_or_default();
        let by = name(users::find(&state.store, &recall.opened_by).await?);
        let value = match recall.cause {
            Cause::Officer => name(users::find(&state.store, &recall.value).await?),
            _ => recall.value.clone(),
        };
        let last = recall.to - Duration::SECOND;
        Ok(Self {
            id: recall.id.clone(),
            cause: w.named("recall_cause", &recall.cause.name()),
            value,
            period: format!("{} – {}", format::date(recall.from), format::date(last)),
            reason: recall.reason.clone(),
            opened: format!("{by}, {}", format::minute(recall.opened_at)),
            listed: match recall.listed_at {
                Some(at) => w.with("recall.listed", "time", format::minute(at)),
                None => w.t("recall.listing").to_owned(),
            },
        })
    }
}

#[derive(Template)]
#[template(path = "recalls.html")]
struct RecallsPage {
    shell: Shell,
    w: &'static Words,
    csrf: String,
    opens: bool,
    causes: Vec<(String, String)>,
    rows: Vec<Head>,
}

/// `GET /ra-soat`.
pub(super) async fn list(
    State(state): State<AppState>,
    officer: Officer,
) -> Result<Response, WebError> {
    if !officer.sees_recalls() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let w = officer.lang.words();
    let mut rows = Vec::new();
    for recall in recall::all(&state.store).await? {
        rows.push(Head::of(&state, &recall, w).await?);
    }
    let cause = |cause: Cause| (cause.name(), w.named("recall_cause", &cause.name()));
    let template = RecallsPage {
        shell: officer.shell(&state, "recalls").await?,
        w,
        csrf: officer.csrf.clone(),
        opens: officer.approves(),
        causes: Cause::ALL.map(cause).into(),
        rows,
    };
    page(StatusCode::OK, &template)
}

#[derive(Debug, Deserialize)]
pub(super) struct Opening {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    cause: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    reason: String,
}

/// `POST /ra-soat`.
pub(super) async fn open(
    State(state): State<AppState>,
    officer: Officer,
    Form(form): Form<Opening>,
) -> Result<Response, WebError> {
    officer.check_csrf(&form.csrf)?;
    if !officer.approves() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let wrong = |key| refused(&officer, "/ra-soat", StatusCode::UNPROCESSABLE_ENTITY, key);
    let cause: Cause =
        named(form.cause.clone(), "cause").map_err(|_| wrong("recall.wrong_value"))?;
    let day = |text: &str| Date::parse(text.trim(), format_description!("[year]-[month]-[day]"));
    let (Ok(from), Ok(to)) = (day(&form.from), day(&form.to)) else {
        return Err(wrong("recall.wrong_period"));
    };
    let after = to.next_day().unwrap_or(Date::MAX);
    let period = (from.midnight().assume_offset(VIETNAM), after.midnight().assume_offset(VIETNAM));
    let mut value = form.value.trim().to_owned();
    if cause == Cause::Officer {
        let users = users::list(&state.store).await?;
        let user = users.into_iter().find(|user| user.login == value);
        value = user.ok_or_else(|| wrong("recall.wrong_value"))?.id;
    }
    let by = (officer.user.id.as_str(), officer.user.login.as_str());
    match recall::open(&state, by, (cause, &value), period, &form.reason).await {
        Ok(recall) => Ok(Redirect::to(&format!("/ra-soat/{}", recall.id)).into_response()),
        Err(OpenError::Value) => Err(wrong("recall.wrong_value")),
        Err(OpenError::Period) => Err(wrong("recall.wrong_period")),
        Err(OpenError::Reason) => Err(wrong("recall.wrong_reason")),
        Err(OpenError::Store(error)) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "recall.html")]
struct RecallPage {
    shell: Shell,
    w: &'static Words,
    csrf: String,
    head: Head,
    done: Option<String>,
    all: u64,
    judged: Vec<(String, u64)>,
    fates: Vec<Group>,
    asks: bool,
    /// What this officer may agree with or decline.
    agrees: Vec<Agreeing>,
    /// Whether this officer may take the place of one who approves no more.
    stands_in: bool,
}

/// What was asked for, and what this officer may say to it.
struct Agreeing {
    choice: &'static str,
    /// Cases that another person asked for: what agreeing moves.
    others: u64,
    agree: String,
    decline: String,
    /// Cases that this officer asked for.
    own: Option<String>,
}

struct Group {
    text: String,
    count: u64,
    /// Whether a case may be asked for alone.
    asks: bool,
    rows: Vec<Line>,
}

struct Line {
    id: String,
    short_id: String,
    plate: String,
    state: String,
    judged: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Done {
    xong: Option<u64>,
}

/// `GET /ra-soat/{id}`.
pub(super) async fn show(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    if !officer.sees_recalls() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let w = officer.lang.words();
    let recall = recall::find(&state.store, &id).await?;
    let recall = recall.ok_or(WebError::NotFound(officer.lang))?;
    let counts = recall::counts(&state.store, &recall.id).await?;
    let mut fates = Vec::new();
    for fate in Fate::ALL {
        let asks = fate == Fate::Frozen && officer.approves();
        fates.push(group(&state, &recall, fate, &counts, asks, w).await?);
    }
    let judged = |verdict: Judged| {
        (w.named("recall_judged", &name_of(&verdict)), counts.judged(Some(verdict)))
    };
    let mut agrees = Vec::new();
    for (choice, fate) in [("release", Fate::ReleaseAsked), ("annul", Fate::AnnulAsked)] {
        let all = counts.of(fate);
        if !officer.approves() || all == 0 {
            continue;
        }
        // Of what they asked for themselves nobody is the other person.
        let me = &officer.user.id;
        let others = recall::waiting_for(&state.store, &recall.id, fate, me).await?;
        let own = all.saturating_sub(others);
        agrees.push(Agreeing {
            choice,
            others,
            agree: w.with(&format!("recall.confirm_{choice}"), "cases", others),
            decline: w.t(&format!("recall.decline_{choice}")).to_owned(),
            own: (own > 0).then(|| w.with("recall.waits", "cases", own)),
        });
    }
    let stands_in = officer.approves()
        && counts.of(Fate::Annulling) > 0
        && recall::orphaned(&state.store, &recall.id, &officer.user.id).await?;
    let template = RecallPage {
        shell: officer.shell(&state, "recalls").await?,
        w,
        csrf: officer.csrf.clone(),
        head: Head::of(&state, &recall, w).await?,
        done: done.xong.map(|cases| w.with("recall.done", "cases", cases)),
        all: counts.all(),
        judged: [Judged::Same, Judged::Differs, Judged::Unknown].map(judged).into(),
        asks: officer.approves() && recall.listed_at.is_some() && counts.of(Fate::Frozen) > 0,
        agrees,
        stands_in,
        fates,
    };
    page(StatusCode::OK, &template)
}

async fn group(
    state: &AppState,
    recall: &Recall,
    fate: Fate,
    counts: &Counts,
    asks: bool,
    w: &Words,
) -> Result<Group, WebError> {
    let mut rows = Vec::new();
    for it in recall::affected(&state.store, &recall.id, fate, "", MOST).await? {
        let Some(case) = crate::case::find(&state.store, &it.case_id).await? else { continue };
        let shown = case.plate.as_deref();
        rows.push(Line {
            short_id: short_id(&case.id),
            plate: shown
                .map(|it| plate::display(it, case.vehicle, case.plate_colour))
                .unwrap_or_default(),
            state: w.named("state", case.state.name()),
            judged: it.judged.map(|it| w.named("recall_judged", &name_of(&it))).unwrap_or_default(),
            id: case.id,
        });
    }
    Ok(Group { text: w.named("recall_fate", &fate.name()), count: counts.of(fate), asks, rows })
}

#[derive(Debug, Deserialize)]
pub(super) struct Settling {
    #[serde(default)]
    csrf: String,
    /// `ask`, `confirm`, `decline` or `stand_in`.
    #[serde(default)]
    step: String,
    /// `release` or `annul`.
    #[serde(default)]
    choice: String,
    /// `all`, a verdict, or a case.
    #[serde(default)]
    which: String,
    /// How many cases the page said would be agreed with.
    #[serde(default)]
    shown: u64,
}

/// `POST /ra-soat/{id}`.
pub(super) async fn settle(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Form(form): Form<Settling>,
) -> Result<Response, WebError> {
    officer.check_csrf(&form.csrf)?;
    if !officer.approves() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let back = format!("/ra-soat/{id}");
    let choice = match (form.choice.as_str(), form.step.as_str()) {
        ("release", _) => Choice::Release,
        // Nobody stands in for who released: that is done at once.
        ("annul", _) | (_, "stand_in") => Choice::Annul,
        _ => return Err(refused(&officer, &back, StatusCode::CONFLICT, "error.not_possible")),
    };
    let by = (officer.user.id.as_str(), officer.user.login.as_str());
    let moved = match form.step.as_str() {
        "confirm" => recall::confirm(&state, &id, by, choice, form.shown).await,
        "decline" => recall::decline(&state, &id, by, choice).await,
        "stand_in" => recall::stand_in(&state, &id, by).await,
        _ => {
            let which = match form.which.as_str() {
                "all" => Which::All,
                other => match named(other.to_owned(), "judged") {
                    Ok(verdict) => Which::Judged(verdict),
                    Err(_) => Which::One(other.to_owned()),
                },
            };
            recall::ask(&state, &id, by, choice, which).await
        }
    };
    match moved {
        Ok(cases) => Ok(Redirect::to(&format!("{back}?xong={cases}")).into_response()),
        Err(SettleError::NotFound(_)) => Err(WebError::NotFound(officer.lang)),
        Err(SettleError::Nothing) => {
            Err(refused(&officer, &back, StatusCode::CONFLICT, "recall.nothing"))
        }
        Err(SettleError::Conflict) => {
            Err(refused(&officer, &back, StatusCode::CONFLICT, "error.conflict"))
        }
        Err(SettleError::OwnFault) => {
            Err(refused(&officer, &back, StatusCode::FORBIDDEN, "recall.own_fault"))
        }
        Err(SettleError::Store(error)) => Err(StoreError::into(error)),
    }
}

fn refused(officer: &Officer, back: &str, status: StatusCode, key: &str) -> WebError {
    officer.refused(status, vec![officer.lang.words().t(key).to_owned()], back)
}
