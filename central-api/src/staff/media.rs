//! Evidence files and notices for the browser, with byte ranges so that the clip plays and seeks.

use std::ops::Range;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::session::Officer;
use crate::AppState;
use crate::case::{self, Case};
use crate::documents::{self, Document, Kind};
use crate::evidence::EvidenceError;
use crate::proceedings::owner;
use crate::web::WebError;

/// `GET /ho-so/{id}/tep/{evidence}/{name}`.
pub(super) async fn file(
    State(state): State<AppState>,
    officer: Officer,
    Path((id, evidence, name)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    if !officer.reads_cases() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let missing = || WebError::NotFound(officer.lang);
    let media_type = case::media_type(&state.store, &id, &evidence, &name).await?;
    // Only what a manifest of the case lists is served, under the type the manifest gives it.
    let media_type = media_type.ok_or_else(missing)?;
    let failed = |error: EvidenceError| match error {
        EvidenceError::NotFound { .. } => WebError::NotFound(officer.lang),
        other => WebError::internal(officer.lang, other),
    };
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let size = state.evidence.open_range(&evidence, &name, None).await.map_err(failed)?.size;
    let asked = match range.map(|range| parse_range(range, size)) {
        None | Some(Asked::Whole) => None,
        Some(Asked::Part(range)) => Some(range),
        Some(Asked::Impossible) => {
            let content_range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, content_range).into_response());
        }
    };
    let opened =
        state.evidence.open_range(&evidence, &name, asked.clone()).await.map_err(failed)?;
    let length = opened.range.end - opened.range.start;
    let mut response = Body::from_stream(opened.stream).into_response();
    let fields = response.headers_mut();
    let mut set = |name, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            fields.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, media_type);
    set(header::CONTENT_LENGTH, length.to_string());
    set(header::ACCEPT_RANGES, "bytes".into());
    // Evidence never changes under its name; only this browser may keep it, and not for long.
    set(header::CACHE_CONTROL, "private, max-age=300".into());
    if let Some(range) = asked {
        let content_range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        set(header::CONTENT_RANGE, content_range);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// What a Range header asks of a file.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// Not understood or several ranges: the whole file is a correct answer.
    Whole,
    Part(Range<u64>),
    Impossible,
}

fn parse_range(header: &str, size: u64) -> Asked {
    let Some((first, last)) = header.strip_prefix("bytes=").and_then(|spec| spec.split_once('-'))
    else {
        return Asked::Whole;
    };
    let range = match (first.trim().parse::<u64>(), last.trim()) {
        (Ok(first), "") => first..size,
        (Ok(first), last) => match last.parse::<u64>() {
            Ok(last) if last >= first => first..last.saturating_add(1).min(size),
            _ => return Asked::Whole,
        },
        (Err(_), last) if first.trim().is_empty() => match last.parse::<u64>() {
            Ok(suffix) => size.saturating_sub(suffix)..size,
            Err(_) => return Asked::Whole,
        },
        _ => return Asked::Whole,
    };
    if range.start < range.end { Asked::Part(range) } else { Asked::Impossible }
}

/// `GET /ho-so/{id}/thong-bao.pdf`.
pub(super) async fn notice(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    if !officer.reads_cases() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let missing = || WebError::NotFound(officer.lang);
    let case = case::find(&state.store, &id).await?.ok_or_else(missing)?;
    let notice =
        documents::find(&state.store, Kind::Notice, &case.id).await?.ok_or_else(missing)?;
    // Once it names the owner, it is for those alone who may know.
    if !officer.sees_owners() && owner::find(&state.store, &case.id).await?.is_some() {
        return Err(WebError::Forbidden(officer.lang));
    }
    pdf(&state, &officer, &case, &notice, format!("thong-bao-{:06}.pdf", notice.number)).await
}

/// `GET /ho-so/{id}/van-ban/{kind}-{year}-{number}.pdf`: what followed from the notice.
pub(super) async fn document(
    State(state): State<AppState>,
    officer: Officer,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, WebError> {
    if !officer.sees_owners() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let missing = || WebError::NotFound(officer.lang);
    let case = case::find(&state.store, &id).await?.ok_or_else(missing)?;
    let documents = documents::of_case(&state.store, &case.id).await?;
    let named =
        |it: &&Document| name == format!("{}-{}-{}.pdf", it.kind.name(), it.year, it.number);
    let document = documents.iter().find(named).ok_or_else(missing)?;
    pdf(&state, &officer, &case, document, name.clone()).await
}

async fn pdf(
    state: &AppState,
    officer: &Officer,
    case: &Case,
    document: &Document,
    name: String,
) -> Result<Response, WebError> {
    let pdf = documents::read(state, case, document)
        .await
        .map_err(|error| WebError::internal(officer.lang, error))?;
    let name = format!("attachment; filename=\"{name}\"");
    let fields =
        [(header::CONTENT_TYPE, "application/pdf".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((fields, pdf).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_browsers_ask() {
        assert_eq!(parse_range("bytes=0-", 10), Asked::Part(0..10));
        assert_eq!(parse_range("bytes=2-4", 10), Asked::Part(2..5));
        assert_eq!(parse_range("bytes=2-400", 10), Asked::Part(2..10));
        assert_eq!(parse_range("bytes=-3", 10), Asked::Part(7..10));
        assert_eq!(parse_range("bytes=-30", 10), Asked::Part(0..10));
        assert_eq!(parse_range("bytes=10-", 10), Asked::Impossible);
        assert_eq!(parse_range("bytes=-0", 10), Asked::Impossible);
        assert_eq!(parse_range("bytes=4-2", 10), Asked::Whole);
        assert_eq!(parse_range("bytes=0-1,3-4", 10), Asked::Whole);
        assert_eq!(parse_range("items=0-1", 10), Asked::Whole);
    }
}
