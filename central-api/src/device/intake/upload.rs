//! One chunk of one file comes in. Chunks may be repeated; they join without gaps.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use contract::Digest;
use contract::wire::CHUNK_BYTES;
use uuid::Uuid;

use super::complete::{self, Wanted};
use super::guard::read_body;
use super::{Caller, Intake, IntakeError};

/// `bytes FIRST-LAST/TOTAL`, checked for sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ContentRange {
    first: u64,
    /// One past the last byte.
    end: u64,
    total: u64,
}

impl ContentRange {
    fn read(headers: &HeaderMap) -> Result<Self, IntakeError> {
        let text = headers
            .get(header::CONTENT_RANGE)
            .and_then(|value| value.to_str().ok())
            .ok_or_else(|| IntakeError::BadRange("the header is missing".into()))?;
        Self::parse(text).ok_or_else(|| IntakeError::BadRange(format!("found {text:?}")))
    }

    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let number = |text: &str| {
            text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten()
        };
        let (first, last, total) = (number(first)?, number(last)?, number(total)?);
        (first <= last && last < total).then_some(Self { first, end: last + 1, total })
    }

    fn bytes(self) -> u64 {
        self.end - self.first
    }
}

pub(super) async fn upload(
    State(intake): State<Intake>,
    axum::Extension(caller): axum::Extension<Caller>,
    Path((evidence_id, sha256)): Path<(String, String)>,
    request: Request,
) -> Result<StatusCode, IntakeError> {
    let id: Uuid =
        evidence_id.parse().map_err(|_| IntakeError::UnknownEvidence(evidence_id.clone()))?;
    let sha256: Digest =
        sha256.parse().map_err(|_| IntakeError::UnknownFile(evidence_id.clone()))?;
    let range = ContentRange::read(request.headers())?;
    if range.bytes() > CHUNK_BYTES {
        // What the largest allowed chunk takes fits any address space.
        return Err(IntakeError::TooLarge { limit: CHUNK_BYTES as usize });
    }
    let app = &intake.app;
    let wanted = complete::wanted(app, id, sha256, &caller.device_id).await?;
    if range.total != wanted.bytes {
        return Err(IntakeError::TotalMismatch {
            file: wanted.first_name(),
            expected: wanted.bytes,
            found: range.total,
        });
    }
    let content = read_body(request, CHUNK_BYTES as usize).await?;
    if content.len() as u64 != range.bytes() {
        let (expected, found) = (range.bytes(), content.len() as u64);
        return Err(IntakeError::Truncated { expected, found });
    }
    if wanted.is_stored() {
        return Ok(StatusCode::NO_CONTENT);
    }
    if range.bytes() == wanted.bytes {
        complete::store_whole(app, &wanted, content).await?;
    } else {
        add_chunk(&intake, &wanted, range, content).await?;
    }
    complete::finish(app, id).await?;
    metrics::counter!("evidence_bytes_total").increment(range.bytes());
    Ok(StatusCode::NO_CONTENT)
}

async fn add_chunk(
    intake: &Intake,
    wanted: &Wanted,
    range: ContentRange,
    content: bytes::Bytes,
) -> Result<(), IntakeError> {
    let app = &intake.app;
    let received = complete::received(app, wanted).await?;
    if range.first > received {
        return Err(IntakeError::ChunkGap { first: range.first, received });
    }
    if range.first < received && range.end > received {
        return Err(IntakeError::ChunkOverlap { received });
    }
    if range.first == received {
        let id = wanted.id();
        app.evidence.put_chunk(&id, wanted.sha256, range.first, content).await?;
    }
    complete::try_assemble(app, wanted).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        let range = |text| ContentRange::parse(text).map(|r| (r.first, r.end, r.total));
        assert_eq!(range("bytes 0-4/5"), Some((0, 5, 5)));
        assert_eq!(range("bytes 5-9/20"), Some((5, 10, 20)));
        for bad in
            ["bytes 0-5/5", "bytes 4-3/9", "bytes */5", "0-4/5", "bytes +0-4/5", "bytes 0-4/*", ""]
        {
            assert_eq!(range(bad), None, "{bad}");
        }
        assert_eq!(range("bytes 0-99999999999999999999/5"), None);
    }
}
