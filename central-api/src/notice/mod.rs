//! The notice to the owner, Mẫu 01/73, as a PDF: made once when a case becomes notified, numbered,
//! kept with the evidence and named by its digest. The same input gives the same bytes. `issue` is
//! the job that does it, which an approval asks for.

mod content;
mod form;
mod issue;
mod print;
mod veil;

pub use content::{Content, Pictures, Taken, plate_colour, vehicle};
pub use form::render;
pub use issue::{IssueError, issue};
pub use veil::{Veil, veiled};

use crate::documents::DocumentError;
use crate::evidence::EvidenceError;
use crate::law::LawError;
use crate::store::StoreError;

/// Why there is no notice.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    #[error("the case lacks {0}: the gate should have held it")]
    Incomplete(&'static str),
    #[error("a picture of the evidence cannot be shown: {0}")]
    Picture(#[from] image::ImageError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Law(#[from] LawError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}
