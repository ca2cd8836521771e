//! The public lookup as JSON: the same nine fields behind the same work and rate limit. Programs do
//! the work; the question in words is for people without scripts.

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
use super::lookup::{self, LookupError, PublicViolation};
use crate::AppState;
use crate::web::Lang;
use crate::web::address::Client;
use crate::web::page_number::PageNumber;
use crate::web::problem::{failed, problem};
use crate::web::whole::whole;

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
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

#[derive(Deserialize, ToSchema)]
struct LookupRequest {
    /// As on the plate. Where it is written in its layout, it must be such a vehicle's.
    plate: String,
    /// 1 ô tô, 2 xe máy, 3 xe máy điện.
    #[schema(minimum = 1, maximum = 3)]
    #[serde(deserialize_with = "whole")]
    vehicle_type: u8,
    /// From the challenge; taken once.
    token: String,
    /// Decimal digits that prove the work.
    nonce: String,
    /// Page of the answer, from 1, which is the default; needs a challenge of its own.
    page: Option<PageNumber>,
}

#[derive(Serialize, ToSchema)]
struct LookupAnswer {
    /// At most 20, newest first.
    violations: Vec<PublicViolation>,
    page: u32,
    pages: u32,
    /// Violations on all pages.
    total: u64,
    /// The number with Đ for its D, where that is another number: ask for it if the plate shows Đ.
    stroked: Option<String>,
}

/// A new challenge.
#[utoipa::path(post, path = "/api/v1/lookup/challenges", tag = "lookup",
    responses((status = 200, body = LookupChallenge)))]
async fn new_challenge(
    State(state): State<AppState>,
    lang: Lang,
) -> Result<Json<LookupChallenge>, Response> {
    let challenge = captcha::issue(&state, lang).await.map_err(failed)?;
    Ok(Json(LookupChallenge {
        token: challenge.token,
        id: challenge.id,
        bits: challenge.bits,
        expires_at: challenge.expires_at,
    }))
}

/// The violations of a plate whose notice is out, newest first.
#[utoipa::path(post, path = "/api/v1/lookup", tag = "lookup", request_body = LookupRequest,
    responses((status = 200, body = LookupAnswer), (status = 403, body = Problem),
        (status = 429, body = Problem)))]
async fn find_violations(
    State(state): State<AppState>,
    client: Client,
    Json(request): Json<LookupRequest>,
) -> Result<Json<LookupAnswer>, Response> {
    let question = lookup::Question {
        plate: request.plate,
        vehicle_type: request.vehicle_type,
        page: request.page.unwrap_or_default().get(),
        answer: Answer { token: request.token, nonce: request.nonce, answer: String::new() },
    };
    let found = lookup::answer(&state, client, &question).await.map_err(|error| match error {
        LookupError::Store(error) => failed(error),
        refused => {
            let status = match refused {
                LookupError::TooMany => StatusCode::TOO_MANY_REQUESTS,
                LookupError::Captcha => StatusCode::FORBIDDEN,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            problem(status, refused.code(), refused.to_string())
        }
    })?;
    Ok(Json(LookupAnswer {
        violations: found.violations,
        page: found.page,
        pages: found.pages,
        total: found.total,
        stroked: found.stroked,
    }))
}
