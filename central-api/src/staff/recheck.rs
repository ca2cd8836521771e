//! Rejections that a second person is asked to look at: the approvers' worklist.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::case_page::{After, short_id};
use super::queue;
use super::session::Officer;
use crate::AppState;
use crate::admin::users;
use crate::case::{self, plate};
use crate::web::problem::page;
use crate::web::{Shell, WebError, Words, format};

#[derive(Template)]
#[template(path = "recheck.html")]
struct RecheckPage {
    shell: Shell,
    w: &'static Words,
    done: Option<String>,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    short_id: String,
    plate: String,
    act: String,
    time: String,
    reason: String,
    by: String,
}

/// `GET /kiem-tra`.
pub(super) async fn list(
    State(state): State<AppState>,
    officer: Officer,
    Query(after): Query<After>,
) -> Result<Response, WebError> {
    if !officer.approves() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let w = officer.lang.words();
    let mut rows = Vec::new();
    for case in case::to_recheck(&state.store, &officer.user.id).await? {
        let by = match &case.reviewer {
            Some(id) => users::find(&state.store, id).await?.map(|user| user.name),
            None => None,
        };
        let number = case.plate.as_deref();
        rows.push(Row {
            short_id: short_id(&case.id),
            plate: number.map_or_else(
                || w.t("queue.unread").to_owned(),
                |number| plate::display(number, case.vehicle, case.plate_colour),
            ),
            act: w.named("act", case.act.name()),
            time: format::second(case.act_at),
            reason: case.reason.map_or_else(String::new, |it| w.named("reason", it.name())),
            by: by.unwrap_or_default(),
            id: case.id,
        });
    }
    let template = RecheckPage {
        shell: officer.shell(&state, "recheck").await?,
        w,
        done: queue::done(w, &after.xong),
        rows,
    };
    page(StatusCode::OK, &template)
}
