//! Issuing a notice inside the transaction that makes its case notified, and finding it again.

use bytes::Bytes;
use contract::act::Moment;
use contract::manifest::{File, Manifest};
use contract::{Digest, FileRole};
use rand::Rng as _;
use sqlx::Row as _;
use time::OffsetDateTime;

use super::content::{self, Content, Issue, Pictures, Taken};
use super::veil::{Veil, veiled};
use super::{NoticeError, form};
use crate::AppState;
use crate::case::{Actor, Case, Examination, Proof, acts};
use crate::law::{Term, VIETNAM};
use crate::store::{Store, StoreError, Tx, from_ms, to_ms};

/// More pictures of other cameras than this do not fit a notice.
const MOST_FURTHER: usize = 2;

/// What was just issued.
#[derive(Debug, Clone)]
pub struct Issued {
    pub year: i32,
    pub number: i64,
    pub code: String,
    pub sha256: String,
}

/// A notice on record.
#[derive(Debug, Clone)]
pub struct Notice {
    pub case_id: String,
    pub code: String,
    pub number: i64,
    pub sha256: String,
    pub issued_at: OffsetDateTime,
}

/// Numbers, prints and stores the notice of `case`. The file is durable before the transaction
/// that names it commits; an abandoned file names no case and harms nobody.
pub async fn issue(
    tx: &mut Tx<'_>,
    state: &AppState,
    case: &Case,
    examination: &Examination,
    actor: &Actor,
    at: OffsetDateTime,
) -> Result<Issued, NoticeError> {
    let manifest =
        examination.proof.manifest.as_ref().ok_or(NoticeError::Incomplete("a manifest"))?;
    let book = &state.law;
    let approver = case.approver.as_deref().ok_or(NoticeError::Incomplete("an approver"))?;
    let signer = user_name(tx, approver).await?;
    let year = at.to_offset(VIETNAM).year();
    let number = next_number(tx, year).await?;
    let code = new_code();
    let issue = Issue {
        number,
        code: &code,
        at,
        appointment: book.appointment(at)?,
        no_show_days: book.deadline(Term::NoShow).count,
        signer: &signer,
        public_url: &state.config.web.public_url,
    };
    let further = corroborating(case, examination);
    let content = Content::of(case, manifest, &further, &state.config.agency, issue)?;
    let picture = async |of: &Manifest, file: &File| {
        let jpeg = state.evidence.read(&of.evidence_id.to_string(), &file.name).await?;
        Ok::<_, NoticeError>((jpeg, file.view.clone()))
    };
    let shown = moments(case, manifest);
    if !shown.iter().any(|(.., main)| *main) {
        return Err(NoticeError::Incomplete("the picture that dates the act"));
    }
    let mut taken = Vec::with_capacity(shown.len());
    for (moment, file, main) in shown {
        let shows = content::shows(moment.role, &manifest.violation.facts);
        taken.push((picture(manifest, file).await?, moment.at, shows, main));
    }
    let close_up = manifest.file(FileRole::CloseUp).ok_or(NoticeError::Incomplete("the close-up"));
    let close_up = picture(manifest, close_up?).await?;
    let mut others = Vec::new();
    for other in further {
        let Some(file) = other.main_picture() else { continue };
        let (jpeg, view) = picture(other, file).await?;
        // Of a picture without a view nothing is known: all of it would be veiled.
        if view.is_some() {
            others.push((jpeg, view, other.camera.id.clone()));
        }
    }
    let pdf = tokio::task::spawn_blocking(move || {
        let moments = taken.into_iter().map(|((jpeg, view), at, shows, main)| {
            Ok(Taken { jpeg: veiled(&jpeg, view.as_ref(), Veil::Cells)?, at, shows, main })
        });
        let pictures = Pictures {
            moments: moments.collect::<Result<_, NoticeError>>()?,
            close_up: match &close_up.1 {
                Some(view) => veiled(&close_up.0, Some(view), Veil::Blank)?,
                // Of a box that does not say where: the close-up is the vehicle cut out already.
                None => close_up.0,
            },
            further: others
                .into_iter()
                .map(|(jpeg, view, camera)| {
                    Ok((veiled(&jpeg, view.as_ref(), Veil::Cells)?, camera))
                })
                .collect::<Result<_, image::ImageError>>()?,
        };
        form::render(&content, Some(&pictures))
    })
    .await
    .map_err(|e| NoticeError::Pdf(e.to_string()))??;
    let sha256 = Digest::of(&pdf).to_string();
    state.evidence.put_file(&case.evidence_id, &file_name(&sha256), Bytes::from(pdf)).await?;
    sqlx::query(
        "INSERT INTO notices (case_id, code, year, number, sha256, issued_at, issued_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(case.id.clone())
    .bind(code.clone())
    .bind(i64::from(year))
    .bind(number)
    .bind(sha256.clone())
    .bind(to_ms(at))
    .bind(actor.user_id.clone())
    .execute(&mut **tx)
    .await
    .map_err(StoreError::from)?;
    Ok(Issued { year, number, code, sha256 })
}

/// The moments that a notice shows of the act, each with its picture and whether it dates the act.
fn moments<'a>(case: &Case, manifest: &'a Manifest) -> Vec<(&'a Moment, &'a File, bool)> {
    let main = manifest.main_moment();
    let asked = acts::row(&case.act).map_or(&[][..], |row| row.moments);
    let moments = manifest.violation.moments.iter();
    moments
        .filter(|moment| Some(moment.role) == main || asked.contains(&moment.role))
        .filter_map(|moment| {
            Some((moment, manifest.picture(moment.role)?, Some(moment.role) == main))
        })
        .collect()
}

/// Packages of the same act that the two people who decided could see, and that verify now.
fn corroborating<'a>(case: &Case, examination: &'a Examination) -> Vec<&'a Manifest> {
    let decided = case.reviewed_at;
    let stands = |proof: &&Proof| {
        proof.failures.is_empty() && decided.is_some_and(|at| proof.received_at <= at)
    };
    let manifests = examination.further.iter().filter(stands);
    let manifests = manifests.filter_map(|proof| proof.manifest.as_ref());
    manifests
        .filter(|it| it.violation.act == case.act && it.main_picture().is_some())
        .take(MOST_FURTHER)
        .collect()
}

pub async fn find(store: &Store, case_id: &str) -> Result<Option<Notice>, StoreError> {
    select(
        store,
        "SELECT case_id, code, number, sha256, issued_at FROM notices WHERE case_id = $1",
        case_id,
    )
    .await
}

/// The notice whose QR code leads here.
pub async fn find_by_code(store: &Store, code: &str) -> Result<Option<Notice>, StoreError> {
    select(
        store,
        "SELECT case_id, code, number, sha256, issued_at FROM notices WHERE code = $1",
        code,
    )
    .await
}

/// The stored PDF, checked against the digest on record.
pub async fn read(state: &AppState, case: &Case, notice: &Notice) -> Result<Bytes, NoticeError> {
    let pdf = state.evidence.read(&case.evidence_id, &file_name(&notice.sha256)).await?;
    if Digest::of(&pdf).to_string() != notice.sha256 {
        return Err(NoticeError::Changed);
    }
    Ok(pdf)
}

pub fn file_name(sha256: &str) -> String {
    format!("notice-{}.pdf", sha256.get(..16).unwrap_or(sha256))
}

async fn select(
    store: &Store,
    text: &'static str,
    key: &str,
) -> Result<Option<Notice>, StoreError> {
    sqlx::query(text)
        .bind(key.to_owned())
        .fetch_optional(store.pool())
        .await?
        .map(|row| {
            Ok(Notice {
                case_id: row.try_get("case_id")?,
                code: row.try_get("code")?,
                number: row.try_get("number")?,
                sha256: row.try_get("sha256")?,
                issued_at: from_ms(row.try_get("issued_at")?)?,
            })
        })
        .transpose()
}

/// Numbers count from 1 each year, without gaps: a transaction that fails gives its number back.
async fn next_number(tx: &mut Tx<'_>, year: i32) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "INSERT INTO notice_numbers (year, last) VALUES ($1, 1)
         ON CONFLICT (year) DO UPDATE SET last = notice_numbers.last + 1
         RETURNING last",
    )
    .bind(i64::from(year))
    .fetch_one(&mut **tx)
    .await?)
}

async fn user_name(tx: &mut Tx<'_>, id: &str) -> Result<String, StoreError> {
    Ok(sqlx::query_scalar("SELECT name FROM users WHERE id = $1")
        .bind(id.to_owned())
        .fetch_one(&mut **tx)
        .await?)
}

/// 16 letters and digits that nobody confuses, 80 random bits: `K7QM-2X9D-…` without the dashes.
fn new_code() -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}
