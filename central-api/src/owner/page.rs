//! The public lookup page. Plates travel in the form's body, never in an address.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use serde::Deserialize;

use super::captcha::{self, Answer, Challenge};
use super::lookup::{self, Found, LookupError, OfNotice};
use crate::AppState;
use crate::staff::Officer;
use crate::web::address::Client;
use crate::web::problem::page;
use crate::web::{Lang, Shell, WebError, Words};

#[derive(Template)]
#[template(path = "lookup.html")]
struct LookupPage {
    shell: Shell,
    w: &'static Words,
    plate: String,
    vehicle_type: u8,
    challenge: Challenge,
    message: Option<String>,
    error: Option<String>,
    /// After a valid question.
    results: Option<Found>,
}

/// Most of what was typed that comes back in the form, in characters.
const MOST_SHOWN: usize = 64;

/// `/`: the officer's work, or the lookup.
pub(super) async fn start(officer: Result<Officer, WebError>) -> Redirect {
    Redirect::to(officer.as_ref().map_or("/tra-cuu", Officer::home))
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Prefill {
    #[serde(rename = "thong-bao", default)]
    code: String,
}

pub(super) async fn form(
    State(state): State<AppState>,
    lang: Lang,
    client: Client,
    Query(prefill): Query<Prefill>,
) -> Result<Response, WebError> {
    let w = lang.words();
    let mut answer = Reply { vehicle_type: 1, ..Reply::default() };
    if !prefill.code.is_empty() {
        let now = state.clock.now();
        if !lookup::limit(&state).take(&state.store, &client.group(), now).await? {
            answer.error = Some(w.t("lookup.too_many").to_owned());
            return answer.show(&state, lang, StatusCode::TOO_MANY_REQUESTS).await;
        }
        match lookup::of_notice(&state, &prefill.code).await? {
            Some(OfNotice::Withdrawn) => {
                answer.message = Some(w.t("lookup.notice_withdrawn").to_owned());
            }
            Some(OfNotice::About { plate, vehicle_type }) => {
                (answer.plate, answer.vehicle_type) = (plate, vehicle_type);
                answer.message = Some(w.t("lookup.from_notice").to_owned());
            }
            None => answer.error = Some(w.t("lookup.notice_unknown").to_owned()),
        }
    }
    answer.show(&state, lang, StatusCode::OK).await
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Submitted {
    #[serde(default)]
    plate: String,
    #[serde(default)]
    vehicle_type: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    nonce: String,
    #[serde(default)]
    answer: String,
    #[serde(default)]
    page: String,
}

pub(super) async fn submit(
    State(state): State<AppState>,
    lang: Lang,
    client: Client,
    Form(form): Form<Submitted>,
) -> Result<Response, WebError> {
    let mut reply = Reply {
        plate: form.plate.trim().chars().take(MOST_SHOWN).collect(),
        vehicle_type: form.vehicle_type.parse().unwrap_or(0),
        ..Reply::default()
    };
    let question = lookup::Question {
        plate: form.plate,
        vehicle_type: reply.vehicle_type,
        page: form.page.parse().unwrap_or(1),
        answer: Answer { token: form.token, nonce: form.nonce, answer: form.answer },
    };
    let status = match lookup::answer(&state, client, &question).await {
        Ok(found) => {
            reply.results = Some(found);
            StatusCode::OK
        }
        Err(error) => {
            let (status, text) = explain(error, lang)?;
            reply.error = Some(text);
            status
        }
    };
    reply.show(&state, lang, status).await
}

fn explain(error: LookupError, lang: Lang) -> Result<(StatusCode, String), WebError> {
    let w = lang.words();
    const UNFIT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    let (status, key) = match &error {
        LookupError::TooMany => (StatusCode::TOO_MANY_REQUESTS, "lookup.too_many"),
        LookupError::VehicleType => (UNFIT, "lookup.type_bad"),
        LookupError::Plate => (UNFIT, "lookup.plate_bad"),
        LookupError::OtherVehicle { two_wheeled: true, .. } => (UNFIT, "lookup.plate_of_motorbike"),
        LookupError::OtherVehicle { two_wheeled: false, .. } => (UNFIT, "lookup.plate_of_car"),
        LookupError::Captcha => (UNFIT, "lookup.captcha_bad"),
        LookupError::Store(error) => return Err(WebError::internal(lang, error)),
    };
    let text = match &error {
        LookupError::OtherVehicle { number, .. } => w.with(key, "number", number),
        _ => w.t(key).to_owned(),
    };
    Ok((status, text))
}

#[derive(Default)]
struct Reply {
    plate: String,
    vehicle_type: u8,
    message: Option<String>,
    error: Option<String>,
    results: Option<Found>,
}

impl Reply {
    async fn show(
        self,
        state: &AppState,
        lang: Lang,
        status: StatusCode,
    ) -> Result<Response, WebError> {
        let w = lang.words();
        let template = LookupPage {
            shell: Shell::public(lang, "/tra-cuu"),
            w,
            plate: self.plate,
            vehicle_type: self.vehicle_type,
            challenge: captcha::issue(state, lang).await?,
            message: self.message,
            error: self.error,
            results: self.results,
        };
        page(status, &template)
    }
}
