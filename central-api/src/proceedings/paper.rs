//! Printing a proceeding's document: number, PDF and file outside every transaction, then the record
//! of it in the transaction that also ends the job.

use bytes::Bytes;
use time::OffsetDateTime;

use crate::AppState;
use crate::admin::users;
use crate::audit::{self, Entry};
use crate::case::{self, Case, ExamineError};
use crate::documents::{self, DocumentError, Draft, Kind};
use crate::jobs::{Done, JobError, Taken};
use crate::law::LawError;
use crate::proceedings::decision;
use crate::proceedings::delivery::{self, Addressee, Paper};
use crate::proceedings::payment::PaymentError;
use crate::store::StoreError;

/// Why a document is not out.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// What the document stands on is missing or has changed: people must look.
    #[error("the document cannot be printed: {0}")]
    Unfit(String),
    /// Somebody changed the proceeding meanwhile: the next attempt sees it.
    #[error("the proceeding has changed meanwhile")]
    Conflict,
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Examine(#[from] ExamineError),
    #[error(transparent)]
    Law(#[from] LawError),
    #[error("the claim: {0}")]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PrintError {
    /// Whether trying again helps nobody.
    pub fn is_hopeless(&self) -> bool {
        matches!(self, Self::Unfit(_) | Self::Law(_))
    }
}

/// A document that is printed and stored, and not yet on record.
pub(super) struct Printed {
    pub draft: Draft,
    pub sha256: String,
}

impl Printed {
    /// As the audit names it, signed by the user of that id.
    pub fn told(&self, signer: &str) -> serde_json::Value {
        serde_json::json!({
            "kind": self.draft.kind,
            "year": self.draft.year,
            "number": self.draft.number,
            "code": self.draft.code,
            "sha256": self.sha256,
            "issued_by": signer,
        })
    }
}

/// Draws a document with `form`, which writes all of it, and stores it.
pub(super) async fn print<F>(
    state: &AppState,
    case: &Case,
    kind: Kind,
    at: OffsetDateTime,
    form: F,
) -> Result<Printed, PrintError>
where
    F: FnOnce(&Draft) -> Result<Vec<u8>, DocumentError> + Send + 'static,
{
    let draft = documents::draft(&state.store, kind, &case.id, at).await?;
    let numbered = draft.clone();
    let pdf = tokio::task::spawn_blocking(move || form(&numbered))
        .await
        .map_err(|e| DocumentError::Pdf(e.to_string()))??;
    let sha256 = documents::store(state, case, kind, Bytes::from(pdf)).await?;
    Ok(Printed { draft, sha256 })
}

/// Puts a printed document on record, which changes nothing else, sends it on its way `to` whom it
/// names where it is one that goes out, and ends its job.
pub(super) async fn on_record(
    state: &AppState,
    taken: &Taken,
    case: &str,
    printed: &Printed,
    (signer, at): (&str, OffsetDateTime),
    to: Option<&Addressee>,
) -> Result<Done, PrintError> {
    let mut tx = state.store.begin().await?;
    if let Some(paper) = Paper::of(printed.draft.kind).filter(|it| it.needs_decision()) {
        // Nothing that was annulled while it was printed is out.
        case::hold(&mut tx, case, state.store.dialect()).await?;
        if !decision::stands(&mut tx, case).await? {
            tracing::warn!(case, paper = paper.name(), "its decision holds no more");
            return Err(PrintError::Conflict);
        }
    }
    documents::record(&mut tx, case, &printed.draft, &printed.sha256, signer, at).await?;
    if let Some(paper) = Paper::of(printed.draft.kind) {
        let paper = (paper, printed.draft.code.as_str());
        delivery::begin(&mut tx, &state.law, paper, case, (at, at), to).await?;
    }
    let done = taken.done(&mut tx).await?;
    let entry = Entry {
        at,
        actor: "system",
        action: "document.issued",
        subject_kind: "case",
        subject_id: case,
        detail: serde_json::json!({ "document": printed.told(signer) }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

/// Ends a job whose document is not wanted any more; a number taken for it is given up.
pub(super) async fn nothing_left(
    state: &AppState,
    taken: &Taken,
    kind: Kind,
    case: &str,
) -> Result<Done, PrintError> {
    let mut tx = state.store.begin().await?;
    let done = taken.done(&mut tx).await?;
    documents::give_up(&mut tx, kind, case, state.clock.now()).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

/// Number and date of a case's document of a kind, issued at `since` or later, which the document at
/// hand names. Its job was asked for first; this one is tried again after it.
pub(super) async fn number(
    state: &AppState,
    kind: Kind,
    case: &str,
    since: OffsetDateTime,
) -> Result<(String, OffsetDateTime), PrintError> {
    let document = documents::find(&state.store, kind, case).await?;
    let document = document.filter(|document| document.issued_at >= since);
    let document = document.ok_or(PrintError::Conflict)?;
    Ok((document.shown(&state.config.agency.code), document.issued_at))
}

/// The name of a member of staff.
pub(super) async fn name(state: &AppState, id: &str) -> Result<String, PrintError> {
    let user = users::find(&state.store, id).await?;
    user.map(|user| user.name).ok_or_else(|| PrintError::Unfit("a signer is unknown".into()))
}
