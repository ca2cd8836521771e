//! What travels between agent and central over mTLS. Announce the manifest, send what is missing,
//! announce again and get the receipt; every step may be repeated.
//!
//! - `POST /device/v1/evidence` with [`Announcement`] → 200 [`Progress`]
//! - `PUT /device/v1/evidence/{evidence_id}/files/{sha256}` with raw bytes and
//!   `Content-Range: bytes FIRST-LAST/TOTAL`, at most [`CHUNK_BYTES`] a request → 204
//! - any refusal: 4xx or 5xx with [`Problem`] as `application/problem+json`

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Digest;

/// Largest chunk of one file in one request, bytes.
pub const CHUNK_BYTES: u64 = 1024 * 1024;

/// A sealed manifest on its way in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Announcement {
    /// The manifest's exact bytes in standard base64.
    pub manifest: String,
    /// Detached JWS over those bytes.
    pub seal: String,
}

/// What the central still wants of a package.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    pub evidence_id: Uuid,
    /// Empty once everything is there.
    pub missing: Vec<MissingFile>,
    /// Attached JWS over [`Receipt`]; present exactly when nothing is missing.
    pub receipt: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingFile {
    pub sha256: Digest,
    /// Bytes of this file that have arrived already: continue here.
    pub received: u64,
}

/// The central's signed word that it holds a package whole; only then may the box delete it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    pub evidence_id: Uuid,
    /// Digest of the manifest's bytes.
    pub manifest: Digest,
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: OffsetDateTime,
}

/// RFC 9457 problem details.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Stable machine-readable code, e.g. `out_of_order`.
    pub code: String,
    /// One sentence that says what is wrong and what would be right.
    pub detail: String,
    pub status: u16,
    /// With `out_of_order`: the sequence number that is next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
}
