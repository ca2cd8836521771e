//! An officer draws the minutes up. They may be drawn anew until a decision is proposed on them.

use time::Date;

use super::{Explanation, Minutes, MinutesError, Row, Violator, Way};
use crate::AppState;
use crate::audit;
use crate::case::{self, State};
use crate::documents::Kind;
use crate::jobs::{self, Job};
use crate::law::VIETNAM;
use crate::proceedings::decision;
use crate::proceedings::owner;
use crate::proceedings::referral;
use crate::proceedings::row::{self, Step};
use crate::proceedings::warning;
use crate::registry::{Details, Owner, OwnerKind};
use crate::store::StoreError;

/// Longest statement, in characters.
const LONGEST: usize = 2_000;

/// What the officer writes down.
#[derive(Debug, Clone)]
pub struct Drawn {
    pub person: Owner,
    pub born: Option<Date>,
    pub drove: bool,
    pub details: Details,
    pub identified_on: Date,
    pub place: String,
    pub statement: String,
    /// Why the violator does not sign.
    pub unsigned: String,
    pub witness: String,
    /// The violator says that no explanation will come.
    pub waives: bool,
}

/// Draws the minutes of case `id` up, by the user `by` of the login `login`; `version` is the one
/// the officer saw, 0 where there was none.
pub async fn draw(
    state: &AppState,
    id: &str,
    version: i64,
    (by, login): (&str, &str),
    drawn: Drawn,
) -> Result<Row, MinutesError> {
    let case = case::find(&state.store, id).await?;
    let case = case.ok_or_else(|| MinutesError::NotFound(id.to_owned()))?;
    let now = state.clock.now();
    let today = now.to_offset(VIETNAM).date();
    let act = case.act_at.to_offset(VIETNAM).date();
    let minutes = minutes(drawn, by, now, act, today)?;
    let mut tx = state.store.begin().await?;
    // Nobody withdraws the notice, signs or freezes meanwhile.
    let held = case::hold(&mut tx, id, state.store.dialect()).await?;
    let before: Option<Row> = row::read(&mut tx, id).await?;
    if before.as_ref().map_or(0, |before| before.version) != version {
        return Err(MinutesError::Conflict);
    }
    let decision: Option<decision::Row> = row::read(&mut tx, id).await?;
    let open = decision.is_none_or(|decision| decision.content.state.takes_proposal());
    let frozen =
        case::held_in(&mut tx, id).await?.is_some() || referral::is_elsewhere(&mut tx, id).await?;
    if held != Some(State::Notified) || !open || frozen {
        return Err(MinutesError::NotPossible);
    }
    let minutes = Minutes {
        term_from: before.as_ref().map_or(now, |before| before.content.term_from),
        ..minutes
    };
    let job = Job::PrintPaper { case: id.to_owned(), kind: Kind::Minutes };
    jobs::ask(&mut tx, &job, now).await?;
    let row = Row::after(before.as_ref(), id, minutes, now);
    let step = Step {
        actor: &format!("user:{login}"),
        by: Some(by),
        action: "drawn",
        detail: serde_json::json!({}),
    };
    if !row.put(&mut tx).await? {
        return Err(MinutesError::Conflict);
    }
    // Who signs them has come.
    if row.content.unsigned.is_none() {
        warning::lift(&mut tx, id, warning::Why::Came, now).await?;
    }
    row.note(&mut tx, step).await?;
    tx.commit().await.map_err(StoreError::from)?;
    state.bell.notify_one();
    Ok(row)
}

fn minutes(
    drawn: Drawn,
    by: &str,
    now: time::OffsetDateTime,
    act: Date,
    today: Date,
) -> Result<Minutes, MinutesError> {
    let person = owner::checked(drawn.person).map_err(MinutesError::Field)?;
    let is_person = person.kind == OwnerKind::Person;
    if drawn.born.is_some_and(|born| !is_person || born >= act || born.year() < 1900) {
        return Err(MinutesError::Field("born"));
    }
    if drawn.drove && !is_person {
        return Err(MinutesError::Field("drove"));
    }
    // What is asked of whoever drove depends on their age.
    if drawn.drove && drawn.born.is_none() {
        return Err(MinutesError::Field("born"));
    }
    // Nobody but the violator waives, and says so by signing.
    if drawn.waives && !drawn.unsigned.trim().is_empty() {
        return Err(MinutesError::Field("waives"));
    }
    let details = drawn.details.checked(person.kind, today).map_err(MinutesError::Field)?;
    if !(act..=today).contains(&drawn.identified_on) {
        return Err(MinutesError::Field("identified_on"));
    }
    let place = line(&drawn.place, 1).ok_or(MinutesError::Field("place"))?;
    let statement = text(&drawn.statement).ok_or(MinutesError::Field("statement"))?;
    let unsigned = match drawn.unsigned.trim() {
        "" => None,
        why => Some(audit::reason(why).ok_or(MinutesError::Field("unsigned"))?.to_owned()),
    };
    let witness = line(&drawn.witness, 0).ok_or(MinutesError::Field("witness"))?;
    let waived = Explanation {
        way: Way::Waived,
        received_on: today,
        text: String::new(),
        finding: String::new(),
        noted_by: by.into(),
        noted_at: now,
    };
    Ok(Minutes {
        violator: Violator { person, born: drawn.born, drove: drawn.drove, details },
        identified_on: drawn.identified_on,
        place,
        statement,
        unsigned,
        witness: Some(witness).filter(|it| !it.is_empty()),
        drawn_by: by.into(),
        drawn_at: now,
        term_from: now,
        explanation: drawn.waives.then_some(waived),
    })
}

/// A line of text that fits a form.
pub(super) fn line(text: &str, least: usize) -> Option<String> {
    let text = text.trim();
    let fits = (least..=300).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// Several lines, perhaps none.
pub(super) fn text(text: &str) -> Option<String> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    let strange = |c: char| c.is_control() && c != '\n';
    let fits = text.chars().count() <= LONGEST && !text.chars().any(strange);
    fits.then(|| text.to_owned())
}
