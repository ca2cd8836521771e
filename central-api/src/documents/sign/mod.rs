//! Electronic signatures of documents: PAdES baseline B-B and, with a time stamp server, B-T (ETSI EN
//! 319 142-1). The signature is an update behind the PDF, of which no byte changes.
//!
//! [`Signing`] signs by the configured key; [`prepare`] and [`complete`] are the same in two steps, for
//! whoever signs elsewhere; [`check`] says what of a document holds, [`drawn`] is for print. PDF: `object`, `file`, `span`;
//! signatures: `cms`, `stamp`, `trust`. How to configure and to check them: docs/SIGNING.md.

mod appearance;
mod check;
mod cms;
mod drawn;
mod file;
mod key;
mod known;
mod object;
mod place;
mod server;
mod settings;
mod span;
mod stamp;
mod steps;
mod trust;

pub use check::{Signature, check};
pub use cms::CmsError;
pub use drawn::drawn;
pub use file::FileError;
pub use key::{LocalKey, Signer};
pub use place::{HEIGHT, PLACE, WIDTH};
pub use settings::{Signing, SigningError};
pub use span::SpanError;
pub use stamp::{StampError, Stamped};
pub use steps::{Order, Prepared, complete, prepare};
pub use trust::{Party, Trust, TrustError};

/// Why a document is not signed, or its signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    #[error("the document cannot be signed: {0}")]
    File(#[from] FileError),
    #[error("the document was changed: {0}")]
    Span(#[from] SpanError),
    #[error("the signature {0}")]
    Cms(#[from] CmsError),
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error("the time stamp does not hold: {0}")]
    Token(StampError),
    #[error("the time stamp server {host} failed: {problem}")]
    Stamp { host: String, problem: String },
    #[error("the signing key failed: {0}")]
    Key(String),
    #[error("what the signature shows cannot be drawn: {0}")]
    Appearance(String),
    #[error("the signature does not fit the room that was left for it")]
    Room,
    #[error("the document was not prepared for a signature, or has one already")]
    NotPrepared,
    #[error("nobody was named who signs")]
    NoCertificate,
    #[error("it has more than {0} signatures")]
    TooMany(usize),
}
