//! The PDF of a notice, from the case and its sealed pictures, outside every transaction.

use bytes::Bytes;
use contract::FileRole;
use contract::act::Moment;
use contract::manifest::{File, Manifest};

use super::content::{self, Content, Issue, Pictures, Taken};
use super::veil::{Veil, veiled};
use super::{NoticeError, form};
use crate::AppState;
use crate::case::{Case, Examination, Proof, acts};
use crate::documents::DocumentError;

/// More pictures of other cameras than this do not fit a notice.
const MOST_FURTHER: usize = 2;

/// Prints the notice of `case`. The same input gives the same bytes.
pub async fn print(
    state: &AppState,
    case: &Case,
    examination: &Examination,
    issue: Issue<'_>,
) -> Result<Bytes, NoticeError> {
    let manifest =
        examination.proof.manifest.as_ref().ok_or(NoticeError::Incomplete("a manifest"))?;
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
    .map_err(|e| DocumentError::Pdf(e.to_string()))??;
    Ok(Bytes::from(pdf))
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
