//! The jobs that print the minutes and those of a hearing, as they stand.

use super::form::{Content, render};
use super::{Row, Way, hearing_form};
use crate::AppState;
use crate::case;
use crate::documents::{self, Kind};
use crate::jobs::{Done, Taken};
use crate::law::Term;
use crate::proceedings::paper::{self, PrintError};
use crate::proceedings::row;

/// Prints the minutes of a case.
pub async fn print(state: &AppState, taken: &Taken, id: &str) -> Result<Done, PrintError> {
    let Some((case, minutes)) = standing(state, id).await? else {
        return paper::nothing_left(state, taken, Kind::Minutes, id).await;
    };
    let provision = case.law.clone().ok_or_else(|| PrintError::Unfit("no provision".into()))?;
    let at = state.clock.now();
    let explains_until = minutes.content.explains_until(&state.law, &provision, case.act_at)?;
    let notice = documents::find(&state.store, Kind::Notice, id).await?;
    let agency = state.config.agency.clone();
    let signer = minutes.content.drawn_by.clone();
    let content = Content {
        case: case.clone(),
        provision,
        officer: paper::name(state, &signer).await?,
        minutes: minutes.content,
        explains_until,
        hearing_days: state.law.deadline(Term::HearingRequest).count,
        notice: notice.map(|notice| (notice.shown(&agency.code), notice.issued_at)),
    };
    let form = move |draft: &_| render(&content, &agency, draft, at);
    let printed = paper::print(state, &case, Kind::Minutes, at, form).await?;
    paper::on_record(state, taken, id, &printed, (&signer, at), None).await
}

/// Prints the minutes of the hearing that a case had, if it had one.
pub async fn print_hearing(state: &AppState, taken: &Taken, id: &str) -> Result<Done, PrintError> {
    let standing = standing(state, id).await?;
    let heard = standing.and_then(|(case, minutes)| {
        let explanation = minutes.content.explanation.clone()?;
        (explanation.way == Way::Hearing).then_some((case, minutes, explanation))
    });
    let Some((case, minutes, explanation)) = heard else {
        return paper::nothing_left(state, taken, Kind::Hearing, id).await;
    };
    let provision = case.law.clone().ok_or_else(|| PrintError::Unfit("no provision".into()))?;
    let at = state.clock.now();
    let signer = explanation.noted_by.clone();
    let content = hearing_form::Content {
        minutes_number: paper::number(state, Kind::Minutes, id, minutes.content.drawn_at).await?,
        minutes: minutes.content,
        explanation,
        provision,
        officer: paper::name(state, &signer).await?,
    };
    let agency = state.config.agency.clone();
    let form = move |draft: &_| hearing_form::render(&content, &agency, draft, at);
    let printed = paper::print(state, &case, Kind::Hearing, at, form).await?;
    paper::on_record(state, taken, id, &printed, (&signer, at), None).await
}

async fn standing(state: &AppState, id: &str) -> Result<Option<(case::Case, Row)>, PrintError> {
    let case = case::find(&state.store, id).await?;
    let minutes: Option<Row> = row::find(&state.store, id).await?;
    Ok(case.zip(minutes))
}
