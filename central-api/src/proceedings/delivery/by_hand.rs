//! What a clerk puts on record: a document handed over or refused, entered in the electronic system,
//! posted at the commune; that somebody came; that what was held can be sent.

use time::{Date, OffsetDateTime, Time};

use super::follow::{Follow, Reach};
use super::{Delivery, Paper, Progress, State, Way, record, service};
use crate::AppState;
use crate::audit;
use crate::case::{self, name_of};
use crate::documents;
use crate::law::VIETNAM;
use crate::store::{StoreError, new_id, to_ms};

/// How a document was delivered without a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandedBy {
    Delivered,
    /// Not taken, which was minuted.
    Refused,
    Electronic,
    Commune,
}

impl HandedBy {
    pub const ALL: [Self; 4] = [Self::Delivered, Self::Refused, Self::Electronic, Self::Commune];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Electronic => "electronic",
            Self::Commune => "commune",
        }
    }

    const fn row(self) -> (Way, State) {
        match self {
            Self::Delivered => (Way::Hand, State::Delivered),
            Self::Refused => (Way::Hand, State::Refused),
            Self::Electronic => (Way::Electronic, State::Sent),
            Self::Commune => (Way::Commune, State::Sent),
        }
    }
}

/// Why nothing was put on record.
#[derive(Debug, thiserror::Error)]
pub enum HandError {
    #[error("there is no document of case {0} that is delivered")]
    NotFound(String),
    #[error("somebody else has put a delivery on record since the page was shown")]
    Conflict,
    #[error("the case is closed, or nothing is held")]
    NotPossible,
    #[error("a day between the document's issue and today is needed")]
    Day,
    #[error("who took it over must be named where it was handed over, and nobody elsewhere")]
    Receiver,
    #[error("it was served on {0}: it is not served again")]
    Served(Date),
    #[error("a note of 10 to 500 characters must say how this is known")]
    NoteMissing,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The first moment of a day in Vietnam: what a day's name means in the database.
pub(super) fn moment(day: Date) -> OffsetDateTime {
    day.with_time(Time::MIDNIGHT).assume_offset(VIETNAM)
}

/// Puts on record that the paper `code` of a case was delivered on `day`, to a `receiver` of the law's
/// where it was handed over; `seen` is how many deliveries the clerk saw. Its terms begin with it.
pub async fn put_on_record(
    state: &AppState,
    (case, code): (&str, &str),
    (how, day, receiver): (HandedBy, Date, Option<&str>),
    seen: usize,
    (by, login): (&str, &str),
    note: &str,
) -> Result<(), HandError> {
    let missing = || HandError::NotFound(case.to_owned());
    let document = documents::find_by_code(&state.store, &code.replace('\0', "")).await?;
    let document = document.filter(|it| it.case_id == case).ok_or_else(missing)?;
    let paper = Paper::of(document.kind).ok_or_else(missing)?;
    let found = case::find(&state.store, case).await?.ok_or_else(missing)?;
    if !found.state.is_pursued() && !paper.takes_back() {
        return Err(HandError::NotPossible);
    }
    let now = state.clock.now();
    let [first, today] = [document.issued_at, now].map(|at| at.to_offset(VIETNAM).date());
    if !(first..=today).contains(&day) {
        return Err(HandError::Day);
    }
    let known = state.law.receivers().iter().any(|it| Some(it.key.as_str()) == receiver);
    if (how == HandedBy::Delivered) != receiver.is_some() || receiver.is_some() && !known {
        return Err(HandError::Receiver);
    }
    let note = audit::reason(note).ok_or(HandError::NoteMissing)?;
    let (way, reached) = how.row();
    let at = moment(day);
    let mut tx = state.store.begin().await?;
    // Whoever comes second waits here and then counts one more.
    let written =
        sqlx::query("UPDATE dispatches SET state = 'done' WHERE code = $1 AND state <> 'closed'")
            .bind(document.code.clone())
            .execute(&mut *tx)
            .await
            .map_err(StoreError::from)?;
    if written.rows_affected() == 0 {
        return Err(HandError::NotPossible);
    }
    let before = record::deliveries(&mut tx, &document.code).await?;
    if before.len() != seen {
        return Err(HandError::Conflict);
    }
    let delivery = Delivery {
        id: new_id(now),
        way,
        state: reached,
        sent_at: Some(at),
        ended_at: (reached != State::Sent).then_some(at),
        batch_id: None,
        place: None,
        tracking: None,
        receiver: receiver.map(str::to_owned),
        note: Some(note.to_owned()),
    };
    if let Some(day) = service::is_late(&before, &delivery, &state.law) {
        return Err(HandError::Served(day));
    }
    sqlx::query(
        "INSERT INTO deliveries (id, code, case_id, kind, way, state, sent_at, ended_at, receiver,
             by_user, note)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(delivery.id)
    .bind(document.code.clone())
    .bind(case.to_owned())
    .bind(paper.name())
    .bind(name_of(&way))
    .bind(name_of(&reached))
    .bind(delivery.sent_at.map(to_ms))
    .bind(delivery.ended_at.map(to_ms))
    .bind(delivery.receiver)
    .bind(by.to_owned())
    .bind(delivery.note)
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    let mut follow = Follow::default();
    follow.changed(paper, case, &document.code, Some(Reach::From(at)));
    let detail = serde_json::json!({
        "by": by, "paper": paper, "how": how.name(), "receiver": receiver, "day": day.to_string(),
        "note": note,
    });
    follow.note(case, &format!("user:{login}"), "delivery.by_hand", detail);
    follow.carry_out(&mut tx, &state.law, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// What was held can be sent: it waits for the next batch.
pub async fn send_again(
    state: &AppState,
    (case, code): (&str, &str),
    (by, login): (&str, &str),
) -> Result<(), HandError> {
    let missing = || HandError::NotFound(case.to_owned());
    let mut tx = state.store.begin().await?;
    let found = record::dispatch(&mut tx, code).await?;
    let found = found.filter(|it| it.case_id == case).ok_or_else(missing)?;
    if found.progress != Progress::Held {
        return Err(HandError::NotPossible);
    }
    let now = state.clock.now();
    let written = sqlx::query(
        "UPDATE dispatches SET why = NULL,
             state = CASE returned WHEN 0 THEN 'waiting' ELSE 'again' END
         WHERE code = $1 AND state = 'held'",
    )
    .bind(found.code)
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    if written.rows_affected() == 0 {
        return Err(HandError::Conflict);
    }
    let mut follow = Follow::default();
    let detail = serde_json::json!({ "by": by, "paper": found.paper });
    follow.note(case, &format!("user:{login}"), "delivery.released", detail);
    follow.carry_out(&mut tx, &state.law, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}
