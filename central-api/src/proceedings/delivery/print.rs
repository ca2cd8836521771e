//! The job that prints a batch: addressees and documents are read, one PDF and the post office's list
//! made and stored, and only then is it on record what was printed. What cannot be sent by letter is
//! held with its reason, and holds up no other.

use bytes::Bytes;
use contract::Digest;
use serde_json::json;
use time::OffsetDateTime;

use super::batch::{self, Batch, BatchState, put_back};
use super::follow::Follow;
use super::letter::{self, Letter};
use super::record::{Addressee, dispatch};
use super::{Paper, State};
use crate::AppState;
use crate::case;
use crate::csv_file;
use crate::documents::{self, Document, DocumentError, Enclosed, Letters, MOST_PAGES, Sheet};
use crate::evidence::EvidenceError;
use crate::jobs::{Done, JobError, Taken};
use crate::proceedings::{minutes, owner, row};
use crate::store::{StoreError, Tx, to_ms};

/// Bytes of all documents of a batch; what goes beyond waits for the next.
const MOST_BYTES: usize = 128 << 20;

#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// A case was withdrawn while its letter was made: the next attempt leaves it out.
    #[error("the batch has changed while it was printed")]
    Changed,
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("the list for the post office could not be written: {0}")]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What becomes of a letter.
enum Fate {
    Printed(Box<Made>),
    /// Not without a clerk, by the reason's name.
    Held(&'static str),
    /// Not now.
    Back,
}

/// What a letter is made of.
struct Made {
    to: Addressee,
    document: Document,
    sheet: Sheet,
    enclosed: Enclosed,
}

pub fn pdf_name(sha256: &str) -> String {
    format!("letters-{}.pdf", sha256.get(..16).unwrap_or(sha256))
}

pub fn csv_name(sha256: &str) -> String {
    format!("letters-{}.csv", sha256.get(..16).unwrap_or(sha256))
}

/// Prints what may go out of the batch and puts it on record; of one that is printed there is nothing
/// to do.
pub async fn print(state: &AppState, taken: &Taken, id: &str) -> Result<Done, PrintError> {
    let found = batch::batch(&state.store, id).await?;
    let Some(batch) = found.filter(|it| it.state == BatchState::Printing) else {
        return Ok(taken.nothing_left(&state.store).await?);
    };
    let letters = letter::letters(&state.store, &batch).await?;
    let maker = Letters::new(&state.config.post, &state.config.agency)?;
    let (mut fates, mut bytes) = (Vec::with_capacity(letters.len()), 0);
    for letter in letters.into_iter().filter(|it| it.state == State::Printing) {
        let fate = fate(state, &maker, &letter, &mut bytes).await?;
        fates.push((letter, fate));
    }
    let csv = list(&batch, &state.config.agency.code, &fates)?;
    let mut printed = Vec::new();
    let mut on_record = Vec::new();
    for (letter, fate) in fates {
        match fate {
            Fate::Printed(made) => {
                let made = *made;
                printed.push((made.sheet, made.enclosed));
                on_record.push((letter, Ok(made.document)));
            }
            Fate::Held(why) => on_record.push((letter, Err(Some(why)))),
            Fate::Back => on_record.push((letter, Err(None))),
        }
    }
    let mut files = None;
    if !printed.is_empty() {
        let print = move || maker.print(&printed);
        let (pdf, pages) = tokio::task::spawn_blocking(print).await??;
        let digest = |content: &[u8]| Digest::of(content).to_string();
        let (pdf_sha256, csv_sha256) = (digest(&pdf), digest(&csv));
        let store = &state.evidence;
        store.put_batch_file(id, &pdf_name(&pdf_sha256), Bytes::from(pdf)).await?;
        store.put_batch_file(id, &csv_name(&csv_sha256), Bytes::from(csv)).await?;
        files = Some((pdf_sha256, csv_sha256, pages));
    }
    put_on_record(state, taken, &batch, &on_record, files).await
}

async fn fate(
    state: &AppState,
    maker: &Letters,
    letter: &Letter,
    bytes: &mut usize,
) -> Result<Fate, PrintError> {
    if letter.stay.is_some() || *bytes >= MOST_BYTES {
        return Ok(Fate::Back);
    }
    let (case, document) = (
        case::find(&state.store, &letter.case_id).await?,
        documents::find_by_code(&state.store, &letter.code).await?,
    );
    let Some((case, document)) = case.zip(document) else { return Ok(Fate::Held("no_document")) };
    let Some(to) = addressee(state, &case, letter).await? else {
        return Ok(Fate::Held("no_owner"));
    };
    let pdf = match documents::read(state, &case, &document).await {
        Ok(pdf) => pdf,
        Err(
            error @ (DocumentError::Changed
            | DocumentError::Evidence(EvidenceError::NotFound { .. })),
        ) => {
            tracing::error!(case = case.id, %error, "a document cannot be sent: run `verify`");
            return Ok(Fate::Held("no_document"));
        }
        Err(error) => return Err(error.into()),
    };
    *bytes += pdf.len();
    let enclosed = match Enclosed::read(&pdf) {
        Ok(enclosed) => enclosed,
        Err(error) => {
            tracing::error!(case = case.id, %error, "a document cannot be put into a letter");
            return Ok(Fate::Held("no_document"));
        }
    };
    if enclosed.pages > MOST_PAGES {
        return Ok(Fate::Held("too_long"));
    }
    let what = format!(
        "{} số {}, mã {}, {:02} trang",
        letter.paper.title(),
        document.shown(&state.config.agency.code),
        document.code,
        enclosed.pages
    );
    let sheet = maker.sheet(&to.name, &to.address, letter.reference.clone(), what);
    let Some(sheet) = sheet else { return Ok(Fate::Held("address_too_long")) };
    Ok(Fate::Printed(Box::new(Made { to, document, sheet, enclosed })))
}

/// Whom the document names; a notice goes to the owner as the record has them now.
async fn addressee(
    state: &AppState,
    case: &case::Case,
    letter: &Letter,
) -> Result<Option<Addressee>, StoreError> {
    if letter.paper != Paper::Notice {
        let mut view = state.store.pool().acquire().await?;
        let named = dispatch(&mut view, &letter.code).await?.and_then(|it| it.to);
        // Of decisions from before papers were delivered the minutes alone say it, and stay as they are
        // while the decision stands.
        let minutes: Option<minutes::Row> = row::read(&mut view, &case.id).await?;
        let drawn = minutes.filter(|_| letter.paper.needs_decision());
        return Ok(named.or_else(|| drawn.map(|it| Addressee::of(&it.content.violator.person))));
    }
    let record = owner::find(&state.store, &case.id).await?;
    let record = record.filter(|it| Some(&it.plate) == case.plate.as_ref());
    let owner = record.and_then(|it| it.owner);
    Ok(owner.map(|it| Addressee::of(&it)))
}

/// What the post office gets with the letters.
fn list(batch: &Batch, agency: &str, fates: &[(Letter, Fate)]) -> Result<Vec<u8>, PrintError> {
    let mut csv = csv_file::writer();
    csv.write_record([
        "ma_buu_pham",
        "dot",
        "stt",
        "loai_van_ban",
        "so_van_ban",
        "ma_van_ban",
        "ma_ho_so",
        "nguoi_nhan",
        "dia_chi",
        "so_trang",
    ])?;
    for (letter, fate) in fates {
        let Fate::Printed(made) = fate else { continue };
        let row = [
            letter.reference.clone(),
            batch.number.to_string(),
            letter.place.to_string(),
            letter.paper.title().to_owned(),
            made.document.shown(agency),
            made.document.code.clone(),
            letter.case_id.clone(),
            made.to.name.clone(),
            made.to.address.clone(),
            made.enclosed.pages.to_string(),
        ];
        csv.write_record(row.map(csv_file::harmless))?;
    }
    Ok(csv_file::finish(csv))
}

type OnRecord = (Letter, Result<Document, Option<&'static str>>);

async fn put_on_record(
    state: &AppState,
    taken: &Taken,
    batch: &Batch,
    letters: &[OnRecord],
    files: Option<(String, String, usize)>,
) -> Result<Done, PrintError> {
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    let mut follow = Follow::default();
    let mut printed = 0;
    for (letter, fate) in letters {
        let (action, detail) = match fate {
            Ok(document) => {
                one_printed(&mut tx, letter, document, now).await?;
                printed += 1;
                let paper = letter.paper;
                ("delivery.printed", json!({ "letter": letter.reference, "paper": paper }))
            }
            Err(why) => {
                put_back(&mut tx, letter).await?;
                match why {
                    Some(why) => {
                        hold(&mut tx, letter, why).await?;
                        ("delivery.held", json!({ "held": why, "paper": letter.paper }))
                    }
                    None => {
                        let paper = letter.paper;
                        ("delivery.kept", json!({ "letter": letter.reference, "paper": paper }))
                    }
                }
            }
        };
        follow.note(&letter.case_id, "system", action, detail);
    }
    let (pdf, csv, pages) = files.map_or((None, None, 0), |(pdf, csv, pages)| {
        (Some(pdf), Some(csv), i64::try_from(pages).unwrap_or(i64::MAX))
    });
    let state_after = if printed > 0 { "printed" } else { "empty" };
    sqlx::query(
        "UPDATE post_batches SET state = $1, letters = $2, pages = $3, pdf_sha256 = $4,
             csv_sha256 = $5
         WHERE id = $6 AND state = 'printing'",
    )
    .bind(state_after)
    .bind(printed)
    .bind(pages)
    .bind(pdf.clone())
    .bind(csv.clone())
    .bind(batch.id.clone())
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    let done = taken.done(&mut tx).await?;
    let detail = json!({ "letters": printed, "pdf": pdf, "csv": csv });
    follow.note_of(("batch", &batch.id), "system", "batch.printed", detail);
    follow.carry_out(&mut tx, &state.law, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

async fn one_printed(
    tx: &mut Tx<'_>,
    letter: &Letter,
    document: &Document,
    now: OffsetDateTime,
) -> Result<(), PrintError> {
    let written = sqlx::query(
        "UPDATE deliveries SET state = 'printed', printed_at = $1, number = $2
         WHERE id = $3 AND state = 'printing'",
    )
    .bind(to_ms(now))
    .bind(document.number)
    .bind(letter.id.clone())
    .execute(&mut **tx)
    .await
    .map_err(StoreError::from)?;
    if written.rows_affected() == 0 {
        return Err(PrintError::Changed);
    }
    Ok(())
}

async fn hold(tx: &mut Tx<'_>, letter: &Letter, why: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE dispatches SET state = 'held', why = $1
         WHERE code = $2 AND state IN ('waiting', 'again')",
    )
    .bind(why.to_owned())
    .bind(letter.code.clone())
    .execute(&mut **tx)
    .await?;
    Ok(())
}
