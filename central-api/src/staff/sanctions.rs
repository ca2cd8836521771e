//! The worklist of those who sign: decisions, orders about them and transfers, each by how far it is.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::case_page::short_id;
use super::session::Officer;
use crate::AppState;
use crate::case::{self, plate};
use crate::proceedings::{decision, order, referral, row};
use crate::web::problem::page;
use crate::web::{Shell, WebError, Words, format};

/// Rows of a list.
const MOST: i64 = 200;

#[derive(Template)]
#[template(path = "sanctions.html")]
struct SanctionsPage {
    shell: Shell,
    w: &'static Words,
    lists: Vec<(String, Vec<Line>)>,
}

struct Line {
    id: String,
    short_id: String,
    plate: String,
    what: String,
    since: String,
    anchor: &'static str,
}

/// The cases of a worklist, each with what is to be decided on it.
async fn lines<C: row::Content>(
    state: &AppState,
    rows: Vec<row::Row<C>>,
    anchor: &'static str,
    what: impl Fn(&C) -> String,
) -> Result<Vec<Line>, WebError> {
    let mut lines = Vec::new();
    for row in rows {
        let Some(case) = case::find(&state.store, &row.case_id).await? else { continue };
        // Nobody decides on it any more.
        if case.state != case::State::Notified {
            continue;
        }
        let shown = case.plate.as_deref();
        lines.push(Line {
            short_id: short_id(&case.id),
            plate: shown
                .map(|it| plate::display(it, case.vehicle, case.plate_colour))
                .unwrap_or_default(),
            what: what(&row.content),
            since: format::minute(row.changed_at),
            anchor,
            id: case.id,
        });
    }
    Ok(lines)
}

/// `GET /xu-phat`: decisions and orders about them that wait for a leader, and proposals that were sent back.
pub(super) async fn list(
    State(state): State<AppState>,
    officer: Officer,
) -> Result<Response, WebError> {
    if !officer.sees_owners() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let w = officer.lang.words();
    let mut lists = Vec::new();
    for standing in
        [decision::State::Proposed, decision::State::Annulling, decision::State::Returned]
    {
        let rows = row::waiting::<decision::Decision>(&state.store, standing.name(), MOST).await?;
        let amount = |it: &decision::Decision| format!("{} đ", format::amount(it.proposal.amount));
        let lines = lines(&state, rows, "xu-phat", amount).await?;
        lists.push((w.named("decision_state", standing.name()), lines));
    }
    for standing in [order::State::Proposed, order::State::Returned] {
        let rows = row::waiting::<order::Order>(&state.store, standing.name(), MOST).await?;
        let kind = |it: &order::Order| w.named("order_kind", it.kind.name());
        let lines = lines(&state, rows, "thi-hanh", kind).await?;
        lists.push((w.named("order_list", standing.name()), lines));
    }
    let sent = referral::State::Proposed;
    let rows = row::waiting::<referral::Referral>(&state.store, sent.name(), MOST).await?;
    let kind = |it: &referral::Referral| w.named("referral_kind", it.kind.name());
    let lines = lines(&state, rows, "chuyen", kind).await?;
    lists.push((w.t("referral.list").to_owned(), lines));
    let template = SanctionsPage { shell: officer.shell(&state, "sanctions").await?, w, lists };
    page(StatusCode::OK, &template)
}
