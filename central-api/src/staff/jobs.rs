//! Work that the central could not finish by itself: why, and its second chance.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::session::Officer;
use crate::AppState;
use crate::audit::{self, Entry};
use crate::jobs::{self, Asked, Dead, JobError};
use crate::store::StoreError;
use crate::web::problem::page;
use crate::web::{Shell, WebError, Words, format};

#[derive(Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    shell: Shell,
    w: &'static Words,
    csrf: String,
    waiting: u64,
    overdue: Option<String>,
    /// Whether the officer may let a job be tried again.
    revives: bool,
    reads_cases: bool,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    what: String,
    case: Option<String>,
    asked: String,
    given_up: String,
    attempts: i64,
    error: String,
}

impl Row {
    fn of(dead: Dead, w: &Words) -> Self {
        Self {
            what: w.named("job", dead.job.name()),
            case: dead.job.case().map(str::to_owned),
            asked: format::minute(dead.asked_at),
            given_up: format::minute(dead.dead_at),
            attempts: dead.attempts,
            error: why(&dead.error, w),
            id: dead.id,
        }
    }
}

/// A job that is under way, with why it was given up in words.
pub(super) fn told(asked: Asked, w: &Words) -> Asked {
    Asked { given_up: asked.given_up.map(|error| why(&error, w)), ..asked }
}

/// Why a job was given up: what the gate says in words, anything else as it is.
fn why(error: &str, w: &Words) -> String {
    for (prefix, section) in
        [("the gate is closed: ", "blocker"), ("the document cannot be printed: ", "obstacle")]
    {
        let Some(names) = error.strip_prefix(prefix) else { continue };
        let names = names.split(", ").map(|name| w.named(section, name));
        return names.collect::<Vec<_>>().join("; ");
    }
    error.to_owned()
}

/// `GET /cong-viec`.
pub(super) async fn list(
    State(state): State<AppState>,
    officer: Officer,
) -> Result<Response, WebError> {
    if !officer.sees_boxes() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let w = officer.lang.words();
    let standing = jobs::standing(&state.store, state.clock.now()).await?;
    let dead = jobs::dead(&state.store).await?;
    let template = JobsPage {
        shell: officer.shell(&state, "jobs").await?,
        w,
        csrf: officer.csrf.clone(),
        waiting: standing.waiting,
        overdue: standing.due_since.map(format::minute),
        revives: officer.revives(),
        reads_cases: officer.reads_cases(),
        rows: dead.into_iter().map(|dead| Row::of(dead, w)).collect(),
    };
    page(StatusCode::OK, &template)
}

#[derive(Debug, Deserialize)]
pub(super) struct Again {
    #[serde(default)]
    csrf: String,
}

/// `POST /cong-viec/{id}/thu-lai`: the job begins anew, and the officer goes back to where it is
/// shown to them.
pub(super) async fn again(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Form(form): Form<Again>,
) -> Result<Response, WebError> {
    officer.check_csrf(&form.csrf)?;
    if !officer.revives() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    let job = match jobs::revive(&mut tx, &id, now).await {
        Ok(job) => job,
        Err(JobError::Lost) => return Err(WebError::NotFound(officer.lang)),
        Err(JobError::Store(error)) => return Err(error.into()),
    };
    let entry = Entry {
        at: now,
        actor: &officer.actor().audited(),
        action: "job.revived",
        subject_kind: "job",
        subject_id: &id,
        detail: serde_json::json!({ "job": job.name(), "case": job.case() }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    state.bell.notify_one();
    let back = match job.case().filter(|_| !officer.sees_boxes()) {
        Some(case) => format!("/ho-so/{case}"),
        None => "/cong-viec".into(),
    };
    Ok(Redirect::to(&back).into_response())
}
