//! The public lookup page. Plates travel in the form's body, never in an address.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use serde::Deserialize;

use super::captcha::{self, Answer, Challenge};
use super::lookup::{self, PublicViolation, VehicleType};
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
    results: Option<Vec<PublicViolation>>,
}

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
            answer.error = Some("lookup.too_many");
            return answer.show(&state, lang, StatusCode::TOO_MANY_REQUESTS).await;
        }
        match lookup::of_notice(&state, &prefill.code).await? {
            Some((plate, vehicle_type)) => {
                (answer.plate, answer.vehicle_type) = (plate, vehicle_type);
                answer.message = Some(w.t("lookup.from_notice").to_owned());
            }
            None => answer.error = Some("lookup.notice_unknown"),
        }
    }
    answer.show(&state, lang, StatusCode::OK).await
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Question {
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
}

pub(super) async fn submit(
    State(state): State<AppState>,
    lang: Lang,
    client: Client,
    Form(question): Form<Question>,
) -> Result<Response, WebError> {
    let number = question.vehicle_type.parse().unwrap_or(0);
    let mut reply = Reply {
        plate: question.plate.chars().take(20).collect(),
        vehicle_type: number,
        ..Reply::default()
    };
    let now = state.clock.now();
    if !lookup::limit(&state).take(&state.store, &client.group(), now).await? {
        reply.error = Some("lookup.too_many");
        return reply.show(&state, lang, StatusCode::TOO_MANY_REQUESTS).await;
    }
    const UNFIT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    let Some(vehicle) = VehicleType::parse(number) else {
        reply.error = Some("lookup.type_bad");
        return reply.show(&state, lang, UNFIT).await;
    };
    let Some(plate) = lookup::typed_plate(&question.plate, vehicle) else {
        reply.error = Some("lookup.plate_bad");
        return reply.show(&state, lang, UNFIT).await;
    };
    let answer = Answer { token: question.token, nonce: question.nonce, answer: question.answer };
    if !captcha::redeem(&state, &answer).await? {
        reply.error = Some("lookup.captcha_bad");
        return reply.show(&state, lang, UNFIT).await;
    }
    reply.results = Some(lookup::find(&state, &plate, vehicle).await?);
    reply.show(&state, lang, StatusCode::OK).await
}

#[derive(Default)]
struct Reply {
    plate: String,
    vehicle_type: u8,
    message: Option<String>,
    error: Option<&'static str>,
    results: Option<Vec<PublicViolation>>,
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
            error: self.error.map(|key| w.t(key).to_owned()),
            results: self.results,
        };
        page(status, &template)
    }
}
