//! The public lookup as JSON: the same nine fields behind the same captcha and rate limit.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use contract::wire::Problem;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::captcha::{self, Answer};
use super::lookup::{self, PublicViolation, VehicleType};
use crate::AppState;
use crate::staff::problem;
use crate::web::Lang;
use crate::web::address::Client;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(new_challenge)).routes(routes!(find_violations))
}

/// Work to prove before a lookup: find a decimal `nonce` so that SHA-256 of `id:nonce` starts with
/// `bits` zero bits.
#[derive(Serialize, ToSchema)]
struct LookupChallenge {
    token: String,
    id: String,
    bits: u32,
    /// May be answered instead of the work, in digits.
    question: String,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

#[derive(Deserialize, ToSchema)]
struct LookupRequest {
    plate: String,
    /// 1 ô tô, 2 xe máy, 3 xe máy điện.
    vehicle_type: u8,
    /// From the challenge; taken once.
    token: String,
    nonce: Option<String>,
    answer: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct LookupAnswer {
    violations: Vec<PublicViolation>,
}

/// A new challenge.
#[utoipa::path(post, path = "/api/v1/lookup/challenges", tag = "lookup",
    responses((status = 200, body = LookupChallenge), (status = 429, body = Problem)))]
async fn new_challenge(
    State(state): State<AppState>,
    lang: Lang,
) -> Result<Json<LookupChallenge>, Response> {
    let challenge = captcha::issue(&state, lang).await.map_err(internal)?;
    Ok(Json(LookupChallenge {
        token: challenge.token,
        id: challenge.id,
        bits: challenge.bits,
        question: challenge.question,
        expires_at: challenge.expires_at,
    }))
}

/// The violations of a plate whose notice is out, newest first.
#[utoipa::path(post, path = "/api/v1/lookup", tag = "lookup", request_body = LookupRequest,
    responses((status = 200, body = LookupAnswer), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
async fn find_violations(
    State(state): State<AppState>,
    client: Client,
    Json(request): Json<LookupRequest>,
) -> Result<Json<LookupAnswer>, Response> {
    const UNFIT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    let now = state.clock.now();
    let allowed = lookup::limit(&state).take(&state.store, &client.group(), now).await;
    if !allowed.map_err(internal)? {
        let detail = "too many lookups from this address: wait a minute";
        return Err(problem(StatusCode::TOO_MANY_REQUESTS, "too_many", detail));
    }
    let vehicle = VehicleType::parse(request.vehicle_type)
        .ok_or_else(|| problem(UNFIT, "vehicle_type", "vehicle_type must be 1, 2 or 3"))?;
    let plate = lookup::typed_plate(&request.plate, vehicle).ok_or_else(|| {
        problem(UNFIT, "plate", "plate is not a number that such a vehicle carries")
    })?;
    let answer = Answer {
        token: request.token,
        nonce: request.nonce.unwrap_or_default(),
        answer: request.answer.unwrap_or_default(),
    };
    if !captcha::redeem(&state, &answer).await.map_err(internal)? {
        let detail = "the challenge is wrong, expired or used: get a new one";
        return Err(problem(UNFIT, "captcha", detail));
    }
    let violations = lookup::find(&state, &plate, vehicle).await.map_err(internal)?;
    Ok(Json(LookupAnswer { violations }))
}

fn internal(error: impl std::fmt::Display) -> Response {
    tracing::error!(%error, "failed to answer a lookup");
    problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed")
}
