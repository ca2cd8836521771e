//! The notice to the owner, Mẫu 01/73, as a PDF: made once when a case becomes notified, numbered,
//! kept with the evidence and named by its digest. The same input gives the same bytes. `issue` is
//! the job that does it, which an approval asks for.

mod content;
mod draft;
mod fonts;
mod form;
mod found;
mod issue;
mod layout;
mod letter;
mod page;
mod print;
mod qr;
mod veil;

pub use content::{Content, Pictures, Taken, plate_colour};
pub use form::render;
pub use found::{Notice, file_name, find, find_by_code, read};
pub use issue::{IssueError, issue};
pub use letter::{Enclosed, Letters, MOST_PAGES, Pane, Sheet};
pub use veil::{Veil, veiled};

use crate::evidence::EvidenceError;
use crate::law::LawError;
use crate::store::StoreError;

/// Why there is no notice.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    #[error("the case lacks {0}: the gate should have held it")]
    Incomplete(&'static str),
    #[error("failed to write the notice's PDF: {0}")]
    Pdf(String),
    #[error("a picture of the evidence cannot be shown: {0}")]
    Picture(#[from] image::ImageError),
    #[error("the stored notice does not have the digest on record")]
    Changed,
    #[error(transparent)]
    Law(#[from] LawError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}
