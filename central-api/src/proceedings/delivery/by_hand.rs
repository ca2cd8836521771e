//! What a clerk puts on record: a document handed over or refused, entered in the electronic system,
//! posted at the commune; that somebody came; that what was held can be sent.

use time::{Date, OffsetDateTime, Time};

use super::batch::note_down;
use super::{Paper, Progress, State, Way, record};
use crate::AppState;
use crate::audit;
use crate::case::{self, name_of};
use crate::documents::{self, Kind};
use crate::law::VIETNAM;
use crate::proceedings::warning::{self, Cause};
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
    #[error("a note of 10 to 500 characters must say how this is known")]
    NoteMissing,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The first moment of a day in Vietnam: what a day's name means in the database.
pub(super) fn moment(day: Date) -> OffsetDateTime {
    day.with_time(Time::MIDNIGHT).assume_offset(VIETNAM)
}

/// Puts on record that a case's notice was delivered on `day`; `seen` is how many deliveries the clerk
/// saw. The term for coming begins with it.
pub async fn put_on_record(
    state: &AppState,
    case: &str,
    (how, day): (HandedBy, Date),
    seen: usize,
    (by, login): (&str, &str),
    note: &str,
) -> Result<(), HandError> {
    let missing = || HandError::NotFound(case.to_owned());
    let paper = Paper::Notice;
    let found = case::find(&state.store, case).await?.ok_or_else(missing)?;
    record::find(&state.store, case, paper).await?.ok_or_else(missing)?;
    let issued =
        documents::find(&state.store, Kind::Notice, case).await?.ok_or_else(missing)?.issued_at;
    if !found.state.is_pursued() {
        return Err(HandError::NotPossible);
    }
    let now = state.clock.now();
    let [first, today] = [issued, now].map(|at| at.to_offset(VIETNAM).date());
    if !(first..=today).contains(&day) {
        return Err(HandError::Day);
    }
    let note = audit::reason(note).ok_or(HandError::NoteMissing)?;
    let (way, reached) = how.row();
    let at = moment(day);
    let mut tx = state.store.begin().await?;
    // Whoever comes second waits here and then counts one more.
    let written = sqlx::query(
        "UPDATE dispatches SET state = 'done'
         WHERE case_id = $1 AND kind = $2 AND state <> 'closed'",
    )
    .bind(case.to_owned())
    .bind(paper.name())
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    if written.rows_affected() == 0 {
        return Err(HandError::NotPossible);
    }
    let there: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM deliveries WHERE case_id = $1 AND kind = $2")
            .bind(case.to_owned())
            .bind(paper.name())
            .fetch_one(&mut *tx)
            .await
            .map_err(StoreError::from)?;
    if usize::try_from(there) != Ok(seen) {
        return Err(HandError::Conflict);
    }
    sqlx::query(
        "INSERT INTO deliveries (id, case_id, kind, way, state, sent_at, ended_at, by_user, note)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(new_id(now))
    .bind(case.to_owned())
    .bind(paper.name())
    .bind(name_of(&way))
    .bind(name_of(&reached))
    .bind(to_ms(at))
    .bind((reached != State::Sent).then(|| to_ms(at)))
    .bind(by.to_owned())
    .bind(note.to_owned())
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    warning::watch(&mut tx, case, Cause::NoShow, at).await?;
    let detail =
        serde_json::json!({ "by": by, "how": how.name(), "day": day.to_string(), "note": note });
    note_down(&mut tx, case, &format!("user:{login}"), "delivery.by_hand", now, detail).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// What was held can be sent: it waits for the next batch.
pub async fn send_again(
    state: &AppState,
    case: &str,
    (by, login): (&str, &str),
) -> Result<(), HandError> {
    let missing = || HandError::NotFound(case.to_owned());
    let found = record::find(&state.store, case, Paper::Notice).await?.ok_or_else(missing)?;
    if found.progress != Progress::Held {
        return Err(HandError::NotPossible);
    }
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    let written = sqlx::query(
        "UPDATE dispatches SET why = NULL,
             state = CASE returned WHEN 0 THEN 'waiting' ELSE 'again' END
         WHERE case_id = $1 AND kind = $2 AND state = 'held'",
    )
    .bind(case.to_owned())
    .bind(Paper::Notice.name())
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    if written.rows_affected() == 0 {
        return Err(HandError::Conflict);
    }
    let detail = serde_json::json!({ "by": by });
    note_down(&mut tx, case, &format!("user:{login}"), "delivery.released", now, detail).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}
