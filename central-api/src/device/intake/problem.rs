//! Every way the intake says no, as one list: status, stable code, and a sentence.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use contract::chain::ChainError;
use contract::manifest::ManifestError;
use contract::seal::SealError;
use contract::wire::Problem;

use crate::evidence::EvidenceError;
use crate::store::StoreError;

/// Why a request was refused. The text goes to the box and its operator.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("{0}")]
    BadRequest(String),
    #[error("{found} bytes came, {expected} were announced: send the request again")]
    Truncated { expected: u64, found: u64 },
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("Content-Range must be `bytes FIRST-LAST/TOTAL` within the file, at most 1 MiB: {0}")]
    BadRange(String),
    #[error("no request body came in time")]
    Timeout,
    #[error("this certificate belongs to no enrolled device: enrol it at the central")]
    UnknownDevice,
    #[error("device {0} is revoked")]
    RevokedDevice(String),
    #[error("this belongs to another device than {0}")]
    ForeignDevice(String),
    #[error(transparent)]
    BadSeal(SealError),
    #[error(
        "sealing key {0} was replaced: what was seen since must be sealed with the key of the \
         renewal; put that on the box, or enrol the box with the key it has"
    )]
    SupersededKey(String),
    #[error(transparent)]
    BadManifest(ManifestError),
    #[error("{field} lies {ahead_seconds} s ahead of the central's clock: check the box's clock")]
    FutureCapture { field: String, ahead_seconds: i64 },
    #[error(transparent)]
    Chain(ChainError),
    #[error("evidence {0} is on record with another manifest")]
    EvidenceConflict(String),
    #[error("evidence {0} was not announced")]
    UnknownEvidence(String),
    #[error("the manifest of evidence {0} names no file with this digest")]
    UnknownFile(String),
    #[error("the release that this device was given has no file with this digest")]
    UnknownReleaseFile,
    #[error("Range must be `bytes=FIRST-LAST` within the file's {size} bytes, at most 1 MiB")]
    BadPart { size: u64 },
    #[error("the chunk starts at byte {first}, {received} have arrived: continue there")]
    ChunkGap { first: u64, received: u64 },
    #[error("the chunk overlaps what has arrived: continue at byte {received}")]
    ChunkOverlap { received: u64 },
    #[error("{file}: {problem}; what had arrived of it was dropped, send it again from byte 0")]
    ContentMismatch { file: String, problem: String },
    #[error("{file} has {expected} bytes by the manifest, not {found}")]
    TotalMismatch { file: String, expected: u64, found: u64 },
    #[error("{0} packages are begun and not finished: finish those first")]
    TooManyOpen(i64),
    #[error("too many requests: wait {seconds} s")]
    RateLimited { seconds: u64 },
    #[error("the central is busy: try again")]
    Busy,
    #[error("no such address in the device API")]
    NoSuchPlace,
    #[error("no such method at this address of the device API")]
    NoSuchMethod,
    #[error("database")]
    Store(#[from] StoreError),
    #[error("evidence store")]
    Evidence(#[from] EvidenceError),
}

impl From<sqlx::Error> for IntakeError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl IntakeError {
    /// The stable code boxes act on.
    pub fn code(&self) -> &'static str {
        self.parts().1
    }

    pub fn status(&self) -> StatusCode {
        self.parts().0
    }

    /// Whether the box gets no further until something changes: sending again will not help it.
    pub(super) fn sticks(&self) -> bool {
        matches!(
            self,
            Self::ForeignDevice(_)
                | Self::BadSeal(_)
                | Self::SupersededKey(_)
                | Self::BadManifest(_)
                | Self::FutureCapture { .. }
                | Self::Chain(_)
                | Self::EvidenceConflict(_)
        )
    }

    fn parts(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::BadRequest(_) => (S::BAD_REQUEST, "bad_request"),
            Self::Truncated { .. } => (S::BAD_REQUEST, "truncated"),
            Self::BadRange(_) => (S::BAD_REQUEST, "bad_range"),
            Self::TooLarge { .. } => (S::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Timeout => (S::REQUEST_TIMEOUT, "timeout"),
            Self::UnknownDevice => (S::FORBIDDEN, "unknown_device"),
            Self::RevokedDevice(_) => (S::FORBIDDEN, "revoked_device"),
            Self::ForeignDevice(_) => (S::FORBIDDEN, "foreign_device"),
            Self::BadSeal(_) => (S::UNPROCESSABLE_ENTITY, "bad_seal"),
            Self::SupersededKey(_) => (S::UNPROCESSABLE_ENTITY, "superseded_key"),
            Self::BadManifest(ManifestError::TooLarge { .. }) => {
                (S::PAYLOAD_TOO_LARGE, "too_large")
            }
            Self::BadManifest(_) => (S::UNPROCESSABLE_ENTITY, "bad_manifest"),
            Self::FutureCapture { .. } => (S::UNPROCESSABLE_ENTITY, "capture_in_future"),
            Self::Chain(ChainError::Predecessor { .. }) => (S::CONFLICT, "broken_chain"),
            Self::Chain(_) => (S::CONFLICT, "out_of_order"),
            Self::EvidenceConflict(_) => (S::CONFLICT, "evidence_conflict"),
            Self::UnknownEvidence(_) => (S::NOT_FOUND, "unknown_evidence"),
            Self::UnknownFile(_) => (S::NOT_FOUND, "unknown_file"),
            Self::UnknownReleaseFile => (S::NOT_FOUND, "unknown_file"),
            Self::BadPart { .. } => (S::RANGE_NOT_SATISFIABLE, "bad_range"),
            Self::ChunkGap { .. } => (S::CONFLICT, "chunk_gap"),
            Self::ChunkOverlap { .. } => (S::CONFLICT, "chunk_overlap"),
            Self::ContentMismatch { .. } | Self::TotalMismatch { .. } => {
                (S::UNPROCESSABLE_ENTITY, "content_mismatch")
            }
            Self::TooManyOpen(_) => (S::TOO_MANY_REQUESTS, "too_many_open"),
            Self::RateLimited { .. } => (S::TOO_MANY_REQUESTS, "rate_limited"),
            Self::Busy => (S::SERVICE_UNAVAILABLE, "busy"),
            Self::NoSuchPlace => (S::NOT_FOUND, "not_found"),
            Self::NoSuchMethod => (S::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Store(_) | Self::Evidence(_) => (S::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl IntoResponse for IntakeError {
    fn into_response(self) -> Response {
        let (status, code) = self.parts();
        metrics::counter!("intake_refusals_total", "code" => code).increment(1);
        let detail = match &self {
            // Ours alone: the log has it, the box learns to come back.
            Self::Store(source) => internal(source),
            Self::Evidence(source) => internal(source),
            other => {
                tracing::info!(code, "evidence request refused");
                other.to_string()
            }
        };
        let expected = match &self {
            Self::Chain(broken) => broken.expected(),
            _ => None,
        };
        let body = Problem { code: code.to_owned(), detail, status: status.as_u16(), expected };
        let mut response = (status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let wait = match self {
            Self::RateLimited { seconds } => Some(seconds),
            Self::Busy | Self::Store(_) | Self::Evidence(_) => Some(1),
            _ => None,
        };
        if let Some(seconds) = wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn internal(source: &dyn std::error::Error) -> String {
    tracing::error!(error = %source, "failed to take evidence in");
    "the central failed: try again later".to_owned()
}

pub(super) async fn no_such_place() -> IntakeError {
    IntakeError::NoSuchPlace
}

pub(super) async fn no_such_method() -> IntakeError {
    IntakeError::NoSuchMethod
}
