//! The job that prints a batch: addresses and documents are read, one PDF and the post office's list
//! made and stored, and only then is it on record what was printed. What cannot be sent by letter is
//! held with its reason, and holds up no other.

use bytes::Bytes;
use contract::Digest;
use time::OffsetDateTime;

use super::batch::{self, Batch, BatchState, Letter, note_down, put_back};
use super::{Paper, State};
use crate::AppState;
use crate::case;
use crate::csv_file;
use crate::documents::{self, Document, DocumentError, Enclosed, Kind, Letters, MOST_PAGES, Sheet};
use crate::evidence::EvidenceError;
use crate::jobs::{Done, JobError, Taken};
use crate::law::VIETNAM;
use crate::proceedings::owner;
use crate::store::{StoreError, Tx};

/// Bytes of all documents of a batch; what goes beyond waits for the next.
const MOST_BYTES: usize = 128 << 20;

#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// A case was withdrawn while its letter was made: the next attempt leaves it out.
    #[error("the batch has changed while it was printed")]
    Changed,
    #[error(transparent)]
    Notice(#[from] DocumentError),
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
    name: String,
    address: String,
    notice: Document,
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
    let letters = batch::letters(&state.store, &batch).await?;
    let maker = Letters::new(&state.config.post, &state.config.agency)?;
    let (mut fates, mut bytes) = (Vec::with_capacity(letters.len()), 0);
    for letter in letters.into_iter().filter(|it| it.state == State::Printing) {
        let fate = fate(state, &maker, &letter, &mut bytes).await?;
        fates.push((letter, fate));
    }
    let csv = list(&batch, &fates)?;
    let mut printed = Vec::new();
    let mut on_record = Vec::new();
    for (letter, fate) in fates {
        match fate {
            Fate::Printed(made) => {
                let made = *made;
                printed.push((made.sheet, made.enclosed));
                on_record.push((letter, Ok(made.notice)));
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
    let frozen = case::held_by(&state.store, &letter.case_id).await?.is_some();
    if !letter.goes_out || frozen || *bytes >= MOST_BYTES {
        return Ok(Fate::Back);
    }
    let Some(case) = case::find(&state.store, &letter.case_id).await? else {
        return Ok(Fate::Held("no_document"));
    };
    let record = owner::find(&state.store, &case.id).await?;
    let record = record.filter(|it| Some(&it.plate) == case.plate.as_ref());
    let Some(owner) = record.and_then(|it| it.owner) else { return Ok(Fate::Held("no_owner")) };
    let Some(notice) = documents::find(&state.store, Kind::Notice, &case.id).await? else {
        return Ok(Fate::Held("no_document"));
    };
    let pdf = match documents::read(state, &case, &notice).await {
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
    let Ok(enclosed) = Enclosed::read(&pdf) else { return Ok(Fate::Held("no_document")) };
    if enclosed.pages > MOST_PAGES {
        return Ok(Fate::Held("too_long"));
    }
    let what = format!(
        "Thông báo số {:06}, mã {}, {:02} trang",
        notice.number, notice.code, enclosed.pages
    );
    let sheet = maker.sheet(&owner.name, &owner.address, letter.reference.clone(), what);
    let Some(sheet) = sheet else { return Ok(Fate::Held("address_too_long")) };
    let (name, address) = (owner.name, owner.address);
    Ok(Fate::Printed(Box::new(Made { name, address, notice, sheet, enclosed })))
}

/// What the post office gets with the letters.
fn list(batch: &Batch, fates: &[(Letter, Fate)]) -> Result<Vec<u8>, PrintError> {
    let mut csv = csv_file::writer();
    csv.write_record([
        "ma_buu_pham",
        "dot",
        "stt",
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
            format!("{:06}", made.notice.number),
            made.notice.code.clone(),
            letter.case_id.clone(),
            made.name.clone(),
            made.address.clone(),
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
    let mut printed = 0;
    for (letter, fate) in letters {
        match fate {
            Ok(notice) => {
                one_printed(&mut tx, letter, notice, now).await?;
                printed += 1;
            }
            Err(why) => one_left_out(&mut tx, letter, *why, now).await?,
        }
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
    let entry = crate::audit::Entry {
        at: now,
        actor: "system",
        action: "batch.printed",
        subject_kind: "batch",
        subject_id: &batch.id,
        detail: serde_json::json!({ "letters": printed, "pdf": pdf, "csv": csv }),
    };
    crate::audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

async fn one_printed(
    tx: &mut Tx<'_>,
    letter: &Letter,
    notice: &Document,
    now: OffsetDateTime,
) -> Result<(), PrintError> {
    let written = sqlx::query(
        "UPDATE deliveries SET state = 'printed', code = $1, year = $2, number = $3
         WHERE id = $4 AND state = 'printing'",
    )
    .bind(notice.code.clone())
    .bind(i64::from(notice.issued_at.to_offset(VIETNAM).year()))
    .bind(notice.number)
    .bind(letter.id.clone())
    .execute(&mut **tx)
    .await
    .map_err(StoreError::from)?;
    if written.rows_affected() == 0 {
        return Err(PrintError::Changed);
    }
    let detail = serde_json::json!({ "letter": letter.reference });
    note_down(tx, &letter.case_id, "system", "delivery.printed", now, detail).await?;
    Ok(())
}

async fn one_left_out(
    tx: &mut Tx<'_>,
    letter: &Letter,
    why: Option<&str>,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    put_back(tx, &letter.id, &letter.case_id).await?;
    let Some(why) = why else {
        let detail = serde_json::json!({ "letter": letter.reference });
        return note_down(tx, &letter.case_id, "system", "delivery.kept", now, detail).await;
    };
    sqlx::query(
        "UPDATE dispatches SET state = 'held', why = $1
         WHERE case_id = $2 AND kind = $3 AND state IN ('waiting', 'again')",
    )
    .bind(why.to_owned())
    .bind(letter.case_id.clone())
    .bind(Paper::Notice.name())
    .execute(&mut **tx)
    .await?;
    let detail = serde_json::json!({ "held": why });
    note_down(tx, &letter.case_id, "system", "delivery.held", now, detail).await
}
