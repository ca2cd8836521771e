//! The API's document: officers and lookup from their own routers, the device API described here
//! because its handlers live behind another listener.

use axum::Json;
use contract::wire::{Announcement, Problem, Progress};
use utoipa::OpenApi;

use crate::{owner, staff};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "phatnguoi central",
        description = "Device intake over mutual TLS, cases for officers, lookup for the public. \
                       Errors are RFC 9457 problem details with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(device_evidence, device_file),
    components(schemas(Announcement, Progress, Problem)),
    tags(
        (name = "device", description = "Boxes, over mutual TLS on the device listener"),
        (name = "staff", description = "Officers: session cookie and X-CSRF-Token"),
        (name = "lookup", description = "The public, behind a proof of work")
    )
)]
struct Document;

/// The whole document.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    document.merge(staff::api_router().into_openapi());
    document.merge(owner::api_router().into_openapi());
    document
}

pub(crate) async fn serve() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

/// Announce a sealed manifest; the answer says which files are missing, or holds the receipt.
#[utoipa::path(post, path = "/device/v1/evidence", tag = "device", request_body = Announcement,
    responses((status = 200, body = Progress), (status = 400, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 413, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
#[expect(dead_code, reason = "carries the documentation of a route of the device listener")]
fn device_evidence() {}

/// Send one piece of a file: raw bytes with `Content-Range: bytes FIRST-LAST/TOTAL`.
#[utoipa::path(put, path = "/device/v1/evidence/{evidence_id}/files/{sha256}", tag = "device",
    params(("evidence_id" = String, Path), ("sha256" = String, Path),
        ("Content-Range" = String, Header)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 413, body = Problem),
        (status = 416, body = Problem), (status = 422, body = Problem)))]
#[expect(dead_code, reason = "carries the documentation of a route of the device listener")]
fn device_file() {}
