//! The API's document: officers and lookup from their own routers, the device API described here
//! because its handlers live behind another listener.

use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use contract::release::Offer;
use contract::report::Report;
use contract::wire::{Announcement, Problem, Progress};
use utoipa::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, PathItem, Ref, RefOr, Response};

use crate::web::problem::problem;
use crate::{AppState, bank, owner, staff};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "phatnguoi central",
        description = "Device intake over mutual TLS, cases for officers, lookup for the public. \
                       Errors are RFC 9457 problem details with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(device_evidence, device_file, device_report, device_release, device_release_file),
    components(schemas(Announcement, Offer, Progress, Problem, Report)),
    tags(
        (name = "device", description = "Boxes, over mutual TLS on the device listener"),
        (name = "staff", description = "Officers: session cookie and X-CSRF-Token"),
        (name = "lookup", description = "The public, behind a proof of work"),
        (name = "payments", description = "The bank of the treasury account, by its signature")
    )
)]
struct Document;

/// The whole document.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    document.merge(staff::api_router().into_openapi());
    document.merge(owner::api_router().into_openapi());
    document.merge(bank::api_router().into_openapi());
    document.paths.paths.values_mut().flat_map(operations).for_each(complete);
    document
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.put, &mut path.post, &mut path.delete].into_iter().flatten()
}

/// Adds the refusals that stand before every handler, and gives every refusal its one form.
fn complete(operation: &mut Operation) {
    let body = operation.request_body.is_some();
    let input = body || operation.parameters.as_ref().is_some_and(|all| !all.is_empty());
    let common = [
        (input, "400", "The request cannot be read."),
        (body, "413", "The body is too large."),
        (body, "415", "The body is not of the documented media type."),
        (body, "422", "The body is not of the documented form, or asks for what cannot be."),
        (true, "500", "The server failed; nothing was done."),
        (true, "503", "The server did not answer in time."),
    ];
    let responses = &mut operation.responses.responses;
    for (_, status, description) in common.into_iter().filter(|(applies, ..)| *applies) {
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(Response::new(description)));
    }
    for (status, response) in responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
        {
            let problem = Content::new(Some(Ref::from_schema_name("Problem")));
            response.content.clear();
            response.content.insert("application/problem+json".into(), RefOr::T(problem));
        }
    }
}

/// The document, and the boxes' addresses for whoever asks for them on the listener of the pages.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/api/openapi.json", get(serve))
        .route("/device/v1/evidence", post(device_evidence))
        .route("/device/v1/evidence/{evidence_id}/files/{sha256}", put(device_file))
        .route("/device/v1/report", post(device_report))
        .route("/device/v1/release", get(device_release))
        .route("/device/v1/release/files/{sha256}", get(device_release_file))
}

async fn serve() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

/// Announce a sealed manifest; the answer says which files are missing, or holds the receipt.
#[utoipa::path(post, path = "/device/v1/evidence", tag = "device", request_body = Announcement,
    responses((status = 200, body = Progress), (status = 400, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem, description = "Asked on the listener of the pages."),
        (status = 409, body = Problem),
        (status = 413, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
async fn device_evidence() -> axum::response::Response {
    elsewhere()
}

/// Send one piece of a file: raw bytes with `Content-Range: bytes FIRST-LAST/TOTAL`.
#[utoipa::path(put, path = "/device/v1/evidence/{evidence_id}/files/{sha256}", tag = "device",
    params(("evidence_id" = String, Path), ("sha256" = String, Path),
        ("Content-Range" = String, Header)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 413, body = Problem),
        (status = 416, body = Problem), (status = 422, body = Problem)))]
async fn device_file() -> axum::response::Response {
    elsewhere()
}

/// Say how the box is; the central keeps the latest word of each.
#[utoipa::path(post, path = "/device/v1/report", tag = "device", request_body = Report,
    responses((status = 204), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem, description = "Asked on the listener of the pages."),
        (status = 413, body = Problem), (status = 429, body = Problem)))]
async fn device_report() -> axum::response::Response {
    elsewhere()
}

/// Ask what this box is to run: a release that was signed offline, or nothing.
#[utoipa::path(get, path = "/device/v1/release", tag = "device",
    responses((status = 200, body = Offer),
        (status = 204, description = "The box is to stay as it is."), (status = 403, body = Problem),
        (status = 404, body = Problem, description = "Asked on the listener of the pages."),
        (status = 429, body = Problem)))]
async fn device_release() -> axum::response::Response {
    elsewhere()
}

/// Fetch bytes of a file of that release: `Range: bytes=FIRST-LAST`, at most 1 MiB.
#[utoipa::path(get, path = "/device/v1/release/files/{sha256}", tag = "device",
    params(("sha256" = String, Path), ("Range" = String, Header)),
    responses((status = 206, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 416, body = Problem), (status = 429, body = Problem)))]
async fn device_release_file() -> axum::response::Response {
    elsewhere()
}

fn elsewhere() -> axum::response::Response {
    let detail = "boxes are answered on the device listener, over mutual TLS";
    problem(StatusCode::NOT_FOUND, "not_found", detail)
}
