//! Hands on what a box is to run: the signed description, and bytes of its files.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use contract::Digest;
use contract::wire::CHUNK_BYTES;

use super::{Caller, Intake, IntakeError};
use crate::release;

pub(super) async fn offer(
    State(intake): State<Intake>,
    axum::Extension(caller): axum::Extension<Caller>,
) -> Result<Response, IntakeError> {
    Ok(match release::offer(&intake.app.store, &caller.device_id).await? {
        Some(offer) => Json(offer).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Bytes of a file of the release that this box was given, and of no other.
pub(super) async fn file(
    State(intake): State<Intake>,
    axum::Extension(caller): axum::Extension<Caller>,
    Path(sha256): Path<String>,
    headers: HeaderMap,
) -> Result<Response, IntakeError> {
    let app = &intake.app;
    let offer = release::offer(&app.store, &caller.device_id).await?;
    let release = offer.map(|offer| release::parse(&offer.release)).transpose()?;
    let files = release.map(|release| release.files).unwrap_or_default();
    let wanted: Option<Digest> = sha256.parse().ok();
    let file = files.into_iter().find(|file| Some(file.sha256) == wanted);
    let file = file.ok_or(IntakeError::UnknownReleaseFile)?;
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let (first, last) =
        range.and_then(parse).ok_or_else(|| IntakeError::BadPart { size: file.bytes })?;
    if first > last || last >= file.bytes || last - first >= CHUNK_BYTES {
        return Err(IntakeError::BadPart { size: file.bytes });
    }
    let content = app.evidence.release_bytes(file.sha256, first..last + 1).await?;
    metrics::counter!("release_bytes_total").increment(content.len() as u64);
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_RANGE, format!("bytes {first}-{last}/{}", file.bytes)),
    ];
    Ok((StatusCode::PARTIAL_CONTENT, headers, content).into_response())
}

/// `bytes=FIRST-LAST`, the one form a box asks in.
fn parse(range: &str) -> Option<(u64, u64)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| {
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten()
    };
    Some((number(first)?, number(last)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_of_range() {
        assert_eq!(parse("bytes=0-9"), Some((0, 9)));
        for bad in ["bytes=0-", "bytes=-5", "bytes=0-1,3-4", "0-9", "bytes=+1-2", "bytes=a-b", ""] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
