//! The decision form: one route for every action, so that the state table alone says what may be.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::case_page::blockers;
use super::session::Officer;
use crate::AppState;
use crate::case::states::Refusal;
use crate::case::{
    self, Action, Case, Command, DecideError, ExamineError, Reason, State as CaseState,
};
use crate::store::StoreError;
use crate::web::{Lang, WebError};

#[derive(Debug, Deserialize)]
pub(super) struct Decision {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    version: i64,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    plate: String,
    #[serde(default)]
    other: String,
}

/// `POST /ho-so/{id}/quyet-dinh`.
pub(super) async fn submit(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Form(form): Form<Decision>,
) -> Result<Response, WebError> {
    officer.check_csrf(&form.csrf)?;
    let lang = officer.lang;
    let here = format!("/ho-so/{id}");
    if !officer.reviews() && !officer.approves() {
        return Err(WebError::Forbidden(lang));
    }
    let action = Action::parse(&form.action).ok_or_else(|| WebError::Message {
        lang,
        status: StatusCode::BAD_REQUEST,
        title: "error.bad_request_title",
        lines: vec![lang.words().t("error.not_possible").to_owned()],
        back: here.clone(),
    })?;
    let command = Command {
        case_id: id.clone(),
        version: form.version,
        action,
        reason: Reason::parse(&form.reason),
        note: Some(form.note),
        plate: Some(form.plate),
        other: Some(form.other),
    };
    let case = case::decide(&state, &officer.actor(), command)
        .await
        .map_err(|error| explain(error, lang, &here))?;
    let to = next_page(&state, &officer, &case, action).await?;
    Ok(Redirect::to(&to).into_response())
}

/// Where the officer goes on: the same case, the next one, or the empty queue.
async fn next_page(
    state: &AppState,
    officer: &Officer,
    case: &Case,
    action: Action,
) -> Result<String, StoreError> {
    let (states, home): (&[CaseState], _) = match action {
        Action::Take | Action::CorrectPlate | Action::Distinguish | Action::Reopen => {
            return Ok(format!("/ho-so/{}", case.id));
        }
        Action::Accept | Action::Reject => (&CaseState::TO_REVIEW, "/xet-duyet"),
        Action::AgreeRejection => return Ok(format!("/kiem-tra?xong={}", action.name())),
        _ => (&CaseState::TO_APPROVE, "/phe-duyet"),
    };
    let next = case::next_for(&state.store, states, &officer.user.id, &case.id).await?;
    Ok(match next {
        Some(id) => format!("/ho-so/{id}?xong={}", action.name()),
        None => format!("{home}?xong={}", action.name()),
    })
}

/// The status and the key of the sentence for a refusal.
pub(super) fn refusal(refusal: Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::NotPossible { .. } => (StatusCode::CONFLICT, "not_possible"),
        Refusal::Role => (StatusCode::FORBIDDEN, "role"),
        Refusal::Taken => (StatusCode::CONFLICT, "taken"),
        Refusal::SamePerson => (StatusCode::FORBIDDEN, "same_person"),
        Refusal::SameProposer => (StatusCode::FORBIDDEN, "same_proposer"),
        Refusal::ReasonMissing => (StatusCode::UNPROCESSABLE_ENTITY, "reason_missing"),
        Refusal::NotReady => (StatusCode::UNPROCESSABLE_ENTITY, "gate"),
    }
}

fn explain(error: DecideError, lang: Lang, here: &str) -> WebError {
    let w = lang.words();
    let message = |status, title, lines| WebError::Message {
        lang,
        status,
        title,
        lines,
        back: here.to_owned(),
    };
    let refused =
        |key: &str, status| message(status, "error.refused_title", vec![w.named("error", key)]);
    const UNFIT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    match error {
        DecideError::Conflict => message(
            StatusCode::CONFLICT,
            "error.conflict_title",
            vec![w.t("error.conflict").to_owned()],
        ),
        DecideError::Refused(reason) => {
            let (status, key) = refusal(reason);
            refused(key, status)
        }
        DecideError::Gate(examination) => {
            let mut lines = vec![w.t("error.gate").to_owned()];
            lines.extend(blockers(&examination, w));
            message(UNFIT, "error.refused_title", lines)
        }
        DecideError::Plate(plate) => {
            let text = w.with("error.plate", "plate", plate);
            message(UNFIT, "error.refused_title", vec![text])
        }
        DecideError::OtherVehicle(typed, number) => {
            let text = w.with("error.plate_other", "plate", typed).replace("{number}", &number);
            message(UNFIT, "error.refused_title", vec![text])
        }
        DecideError::NoteMissing => refused("note_needed", UNFIT),
        DecideError::NotRelated(_) => refused("not_related", UNFIT),
        DecideError::DecisionStands => refused("decision_stands", StatusCode::CONFLICT),
        DecideError::NoteTooLong => refused("note_too_long", UNFIT),
        DecideError::Examine(ExamineError::NotFound(_)) => WebError::NotFound(lang),
        other => WebError::internal(lang, other),
    }
}
