//! The officers' work as JSON, for other systems of the agency: the same rules, the same table.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use contract::plate::PlateColour;
use contract::wire::Problem;
use contract::{Act, VehicleClass};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::decision::refusal;
use super::session::{self, ApiOfficer};
use super::sign_in::{self, Outcome};
use crate::AppState;
use crate::case::passage::Uncertain;
use crate::case::{
    self, Action, Command, DecideError, ExamineError, Filter, Reason, State as CaseState, plate,
};
use crate::documents::{self, Kind};
use crate::law::Provision;
use crate::web::address::Client;
use crate::web::page_number::PageNumber;
use crate::web::problem::{failed, problem};
use crate::web::whole::whole;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(start_session, end_session))
        .routes(routes!(list_cases))
        .routes(routes!(get_case))
        .routes(routes!(decide_case))
}

/// Login and password.
#[derive(Deserialize, ToSchema)]
struct Credentials {
    login: String,
    password: String,
}

/// A session: the cookie comes with it, the token goes into the header X-CSRF-Token.
#[derive(Serialize, ToSchema)]
struct Session {
    csrf: String,
    login: String,
    name: String,
    roles: Vec<String>,
}

/// One case in a list.
#[derive(Serialize, ToSchema)]
struct CaseSummary {
    id: String,
    evidence_id: String,
    state: CaseState,
    version: i64,
    act: Act,
    vehicle: VehicleClass,
    camera: String,
    place: String,
    #[serde(with = "time::serde::rfc3339")]
    act_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    received_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    notice_due: Option<OffsetDateTime>,
    /// Normalised number the case stands on.
    plate: Option<String>,
    /// What the machine read.
    plate_read: Option<String>,
    plate_colour: Option<PlateColour>,
    confidence: Option<f64>,
}

#[derive(Serialize, ToSchema)]
struct CaseList {
    cases: Vec<CaseSummary>,
    page: u32,
    pages: u32,
    total: u64,
}

/// Everything about one case.
#[derive(Serialize, ToSchema)]
struct CaseDetail {
    case: CaseSummary,
    law: Option<Provision>,
    reviewer: Option<String>,
    approver: Option<String>,
    reason: Option<Reason>,
    note: Option<String>,
    /// Whether seal and files verify now.
    verified: bool,
    /// What keeps the case from a decision; empty when nothing does.
    blockers: Vec<Blocker>,
    /// Further packages of the same passage, in the order in which they came; they decide nothing.
    further: Vec<FurtherEvidence>,
    /// Whether the vehicle may be one on duty: for the reviewer to look at.
    may_be_on_duty: bool,
    /// Other cases of nearly the same plate at about the same time.
    related: Vec<RelatedCase>,
    /// The sealed manifest of the package that carries the case.
    #[schema(value_type = Object)]
    manifest: serde_json::Value,
    notice: Option<NoticeSummary>,
}

#[derive(Serialize, ToSchema)]
struct Blocker {
    code: String,
    detail: Option<String>,
}

/// A further package of the passage that a case is about.
#[derive(Serialize, ToSchema)]
struct FurtherEvidence {
    evidence_id: String,
    #[serde(with = "time::serde::rfc3339")]
    received_at: OffsetDateTime,
    /// Whether seal and files verify now.
    verified: bool,
    /// The sealed manifest.
    #[schema(value_type = Object)]
    manifest: serde_json::Value,
}

/// Perhaps the same passage, seen by another camera.
#[derive(Serialize, ToSchema)]
struct RelatedCase {
    id: String,
    state: CaseState,
    act: Act,
    camera: String,
    place: String,
    #[serde(with = "time::serde::rfc3339")]
    act_at: OffsetDateTime,
    /// Whether the two may show one passage.
    same_passage: bool,
    /// Whether the two may show one act, of which there is one notice.
    same_act: bool,
    /// What leaves it open that they show one passage.
    uncertain: Vec<Uncertain>,
    /// Whether an officer found that the two are two acts.
    distinct: bool,
    /// Whether it keeps this case from a decision.
    blocks: bool,
}

#[derive(Serialize, ToSchema)]
struct NoticeSummary {
    number: i64,
    sha256: String,
    code: String,
    #[serde(with = "time::serde::rfc3339")]
    issued_at: OffsetDateTime,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Search {
    state: Option<CaseState>,
    act: Option<Act>,
    camera: Option<String>,
    plate: Option<String>,
    #[param(inline)]
    page: Option<PageNumber>,
}

/// A decision on the version that was seen.
#[derive(Deserialize, ToSchema)]
struct DecisionRequest {
    action: Action,
    #[serde(deserialize_with = "whole")]
    version: i64,
    reason: Option<Reason>,
    note: Option<String>,
    /// The right number, for `correct_plate`.
    plate: Option<String>,
    /// The case that shows another act, for `distinguish`; the note says why.
    other: Option<String>,
}

/// Sign in.
#[utoipa::path(post, path = "/api/v1/session", tag = "staff", request_body = Credentials,
    responses((status = 200, body = Session), (status = 401, body = Problem),
        (status = 429, body = Problem), (status = 503, body = Problem)))]
async fn start_session(
    State(state): State<AppState>,
    client: Client,
    jar: CookieJar,
    Json(form): Json<Credentials>,
) -> Result<Response, Response> {
    let outcome = sign_in::sign_in(&state, client, &jar, &form.login, form.password).await;
    let (user, known) = match outcome.map_err(failed)? {
        Outcome::Welcome(user, known) => (user, known),
        Outcome::Wrong => {
            let detail = "login or password is wrong";
            return Err(problem(StatusCode::UNAUTHORIZED, "wrong_credentials", detail));
        }
        Outcome::Paused(remaining) => {
            let detail = format!("too many failures: wait {} s", remaining.whole_seconds() + 1);
            return Err(problem(StatusCode::TOO_MANY_REQUESTS, "paused", detail));
        }
        Outcome::Busy => {
            let detail = "too many sign-ins at once: try again";
            return Err(problem(StatusCode::SERVICE_UNAVAILABLE, "busy", detail));
        }
    };
    let (cookie, csrf) = session::start(&state, &user, state.clock.now()).await.map_err(failed)?;
    let roles = user.roles.iter().map(ToString::to_string).collect();
    let body = Session { csrf, login: user.login, name: user.name, roles };
    Ok((jar.add(cookie).add(*known), Json(body)).into_response())
}

/// Sign out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "staff",
    params(("X-CSRF-Token" = String, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn end_session(
    State(state): State<AppState>,
    ApiOfficer(officer): ApiOfficer,
    jar: CookieJar,
) -> Result<Response, Response> {
    officer.end(&state).await.map_err(failed)?;
    let at = state.clock.now();
    sign_in::record(&state, &officer.user, "user.signed_out", at).await.map_err(failed)?;
    Ok((StatusCode::NO_CONTENT, jar.add(session::removal())).into_response())
}

/// Cases, oldest act first, 50 a page.
#[utoipa::path(get, path = "/api/v1/cases", tag = "staff", params(Search),
    responses((status = 200, body = CaseList), (status = 401, body = Problem),
        (status = 403, body = Problem)))]
async fn list_cases(
    State(state): State<AppState>,
    officer: ApiOfficer,
    Query(search): Query<Search>,
) -> Result<Json<CaseList>, Response> {
    reader(&officer)?;
    let filter = Filter {
        states: search.state.into_iter().collect(),
        act: search.act.clone(),
        camera: search.camera,
        plate: search.plate.as_deref().map(plate::search_text),
    };
    let found = case::list(&state.store, &filter, search.page.unwrap_or_default().get(), 50)
        .await
        .map_err(failed)?;
    Ok(Json(CaseList {
        cases: found.cases.iter().map(CaseSummary::of).collect(),
        page: found.number,
        pages: found.pages,
        total: found.total,
    }))
}

/// One case with its manifest, verified now.
#[utoipa::path(get, path = "/api/v1/cases/{id}", tag = "staff",
    params(("id" = String, Path)),
    responses((status = 200, body = CaseDetail), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn get_case(
    State(state): State<AppState>,
    officer: ApiOfficer,
    Path(id): Path<String>,
) -> Result<Json<CaseDetail>, Response> {
    reader(&officer)?;
    let examination = case::examine(&state, &id).await.map_err(examine_problem)?;
    let notice = documents::find(&state.store, Kind::Notice, &id).await.map_err(failed)?;
    let case = &examination.case;
    Ok(Json(CaseDetail {
        case: CaseSummary::of(case),
        law: case.law.clone(),
        reviewer: case.reviewer.clone(),
        approver: case.approver.clone(),
        reason: case.reason,
        note: case.note.clone(),
        verified: examination.proof.failures.is_empty(),
        blockers: blockers(&examination),
        may_be_on_duty: examination.may_be_on_duty(),
        further: examination.further.iter().map(FurtherEvidence::of).collect(),
        related: examination.related.iter().map(RelatedCase::of).collect(),
        manifest: serde_json::from_str(&examination.proof.manifest_text).unwrap_or_default(),
        notice: notice.map(|notice| NoticeSummary {
            number: notice.number,
            sha256: notice.sha256,
            code: notice.code,
            issued_at: notice.issued_at,
        }),
    }))
}

/// Decide on a case. After `approve` the central makes the notice by itself: the state is `notified`
/// some seconds later.
#[utoipa::path(post, path = "/api/v1/cases/{id}/decisions", tag = "staff",
    params(("id" = String, Path), ("X-CSRF-Token" = String, Header)),
    request_body = DecisionRequest,
    responses((status = 200, body = CaseSummary), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn decide_case(
    State(state): State<AppState>,
    ApiOfficer(officer): ApiOfficer,
    Path(id): Path<String>,
    Json(request): Json<DecisionRequest>,
) -> Result<Json<CaseSummary>, Response> {
    let command = Command {
        case_id: id,
        version: request.version,
        action: request.action,
        reason: request.reason,
        note: request.note,
        plate: request.plate,
        other: request.other,
    };
    let case = case::decide(&state, &officer.actor(), command).await.map_err(decide_problem)?;
    Ok(Json(CaseSummary::of(&case)))
}

impl CaseSummary {
    fn of(case: &case::Case) -> Self {
        Self {
            id: case.id.clone(),
            evidence_id: case.evidence_id.clone(),
            state: case.state,
            version: case.version,
            act: case.act.clone(),
            vehicle: case.vehicle,
            camera: case.camera_id.clone(),
            place: case.place.clone(),
            act_at: case.act_at,
            received_at: case.received_at,
            notice_due: case.notice_due,
            plate: case.plate.clone(),
            plate_read: case.plate_read.clone(),
            plate_colour: case.plate_colour,
            confidence: case.confidence,
        }
    }
}

impl FurtherEvidence {
    fn of(proof: &case::Proof) -> Self {
        Self {
            evidence_id: proof.evidence_id.clone(),
            received_at: proof.received_at,
            verified: proof.failures.is_empty(),
            manifest: serde_json::from_str(&proof.manifest_text).unwrap_or_default(),
        }
    }
}

impl RelatedCase {
    fn of(related: &case::Related) -> Self {
        let case = &related.case;
        Self {
            id: case.id.clone(),
            state: case.state,
            act: case.act.clone(),
            camera: case.camera_id.clone(),
            place: case.place.clone(),
            act_at: case.act_at,
            same_passage: related.same_passage(),
            same_act: related.same_act(),
            uncertain: related.uncertain().to_vec(),
            distinct: related.distinct.is_some(),
            blocks: related.blocks(),
        }
    }
}

fn blockers(examination: &case::Examination) -> Vec<Blocker> {
    let blockers = &examination.gate.blockers;
    blockers
        .iter()
        .map(|blocker| Blocker { code: blocker.name().into(), detail: blocker.detail() })
        .collect()
}

#[expect(clippy::result_large_err, reason = "the error is the answer itself")]
fn reader(officer: &ApiOfficer) -> Result<(), Response> {
    if officer.0.reads_cases() {
        return Ok(());
    }
    Err(problem(StatusCode::FORBIDDEN, "role", "your roles do not include reading cases"))
}

fn decide_problem(error: DecideError) -> Response {
    let text = error.to_string();
    const UNFIT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    match error {
        DecideError::Conflict => problem(StatusCode::CONFLICT, "conflict", text),
        DecideError::Refused(reason) => {
            let (status, code) = refusal(reason);
            problem(status, code, text)
        }
        DecideError::Gate(examination) => {
            let names: Vec<_> = examination.gate.blockers.iter().map(case::Blocker::name).collect();
            problem(UNFIT, "gate", format!("the gate is closed: {}", names.join(", ")))
        }
        DecideError::Plate(_) | DecideError::OtherVehicle(..) => problem(UNFIT, "plate", text),
        DecideError::NotRelated(_) => problem(UNFIT, "not_related", text),
        DecideError::DecisionStands => problem(StatusCode::CONFLICT, "decision_stands", text),
        DecideError::NoteMissing => problem(UNFIT, "note_missing", text),
        DecideError::NoteTooLong => problem(UNFIT, "note_too_long", text),
        DecideError::Examine(error) => examine_problem(error),
        DecideError::Store(error) => failed(error),
    }
}

fn examine_problem(error: ExamineError) -> Response {
    match error {
        ExamineError::NotFound(_) => problem(StatusCode::NOT_FOUND, "not_found", error.to_string()),
        other => failed(other),
    }
}
