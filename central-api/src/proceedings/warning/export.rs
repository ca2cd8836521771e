//! The job that hands the outbox over: some messages get a file's number, the file is made of them and
//! handed over, and only then comes the next. Whoever dies in between hands over the same file again,
//! under the same number and with the same bytes.

use contract::Digest;
use sqlx::Row as _;
use time::{Duration, OffsetDateTime};

use super::message::Message;
use super::receiver::{Folder, HandOverError, Receiver};
use crate::AppState;
use crate::audit::{self, Entry};
use crate::case::name_of;
use crate::csv_file;
use crate::jobs::{self, Done, Job, JobError, Taken};
use crate::store::{Store, StoreError, from_ms, to_ms};
use crate::web::{Lang, format};

/// Messages of a file.
const MOST: i64 = 1000;
/// How long a message waits at the most.
const EVERY: Duration = Duration::minutes(5);

const HEADER: [&str; 13] = [
    "so_thu_tu",
    "loai",
    "noi_nhan",
    "bien_so",
    "mau_bien",
    "loai_xe",
    "hanh_vi",
    "thoi_gian_vi_pham",
    "dia_diem",
    "ly_do_canh_bao",
    "ly_do_go",
    "ma_ho_so",
    "thoi_gian",
];

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    HandOver(#[from] HandOverError),
    #[error("the file of warnings could not be written: {0}")]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Hands over the next file, where there is one, and asks for the next run.
pub async fn export(state: &AppState, taken: &Taken) -> Result<Done, ExportError> {
    let now = state.clock.now();
    let folder = state.config.warnings.folder.clone();
    let next = if folder.as_os_str().is_empty() { None } else { next(&state.store, now).await? };
    let Some(number) = next else { return again(state, taken, None, now + EVERY).await };
    let csv = file(&messages(&state.store, number).await?)?;
    let sha256 = Digest::of(&csv).to_string();
    let receiver: Box<dyn Receiver> = Box::new(Folder(folder));
    tokio::task::spawn_blocking(move || receiver.hand_over(number, &csv)).await??;
    again(state, taken, Some((number, sha256)), now).await
}

/// Ends the job with what was handed over, and asks for it again.
async fn again(
    state: &AppState,
    taken: &Taken,
    handed_over: Option<(i64, String)>,
    due: OffsetDateTime,
) -> Result<Done, ExportError> {
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    let done = taken.done(&mut tx).await?;
    jobs::ask_at(&mut tx, &Job::ExportWarnings, now, due).await?;
    if let Some((number, sha256)) = handed_over {
        sqlx::query("UPDATE warning_exports SET sha256 = $1, delivered_at = $2 WHERE number = $3")
            .bind(sha256.clone())
            .bind(to_ms(now))
            .bind(number)
            .execute(&mut *tx)
            .await
            .map_err(StoreError::from)?;
        let entry = Entry {
            at: now,
            actor: "system",
            action: "warning.exported",
            subject_kind: "warning_export",
            subject_id: &number.to_string(),
            detail: serde_json::json!({ "sha256": sha256 }),
        };
        audit::append(&mut tx, entry).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

/// The file that is next: one that was begun, or a new one of the messages that have none.
async fn next(store: &Store, now: OffsetDateTime) -> Result<Option<i64>, StoreError> {
    let last = sqlx::query(
        "SELECT number, delivered_at FROM warning_exports ORDER BY number DESC LIMIT 1",
    )
    .fetch_optional(store.pool())
    .await?;
    let mut number = 0;
    if let Some(last) = last {
        number = last.try_get("number")?;
        if last.try_get::<Option<i64>, _>("delivered_at")?.is_none() {
            return Ok(Some(number));
        }
    }
    let open: Option<i64> = sqlx::query_scalar(
        "SELECT seq FROM warning_messages WHERE export IS NULL ORDER BY seq LIMIT 1",
    )
    .fetch_optional(store.pool())
    .await?;
    if open.is_none() {
        return Ok(None);
    }
    let mut tx = store.begin().await?;
    // Nobody appends meanwhile, so that no message with a lower number comes later; nor does another
    // worker begin the same file.
    sqlx::query("UPDATE warning_head SET seq = seq WHERE id = 1").execute(&mut *tx).await?;
    let begun = sqlx::query(
        "INSERT INTO warning_exports (number, made_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(number + 1)
    .bind(to_ms(now))
    .execute(&mut *tx)
    .await?;
    if begun.rows_affected() == 1 {
        let mut taken: Vec<i64> = sqlx::query_scalar(
            "UPDATE warning_messages SET export = $1 WHERE seq IN (
                 SELECT seq FROM warning_messages WHERE export IS NULL ORDER BY seq LIMIT $2)
             RETURNING seq",
        )
        .bind(number + 1)
        .bind(MOST)
        .fetch_all(&mut *tx)
        .await?;
        taken.sort_unstable();
        let entry = Entry {
            at: now,
            actor: "system",
            action: "warning.file_begun",
            subject_kind: "warning_export",
            subject_id: &(number + 1).to_string(),
            detail: serde_json::json!({
                "first": taken.first(), "last": taken.last(), "count": taken.len(),
            }),
        };
        audit::append(&mut tx, entry).await?;
    }
    tx.commit().await?;
    Ok(Some(number + 1))
}

async fn messages(store: &Store, number: i64) -> Result<Vec<Message>, StoreError> {
    sqlx::query(
        "SELECT seq, case_id, cause, target, what, at, body, why FROM warning_messages
         WHERE export = $1 ORDER BY seq",
    )
    .bind(number)
    .fetch_all(store.pool())
    .await?
    .iter()
    .map(Message::from_row)
    .collect()
}

/// The same messages give the same bytes.
fn file(messages: &[Message]) -> Result<Vec<u8>, ExportError> {
    let w = Lang::Vi.words();
    let mut csv = csv_file::writer();
    csv.write_record(HEADER)?;
    for message in messages {
        let body = &message.body;
        let colour = body.plate_colour.as_ref().map(|colour| w.named("colour", colour));
        let why = message.why.as_ref().map(|why| w.named("warning_why", why));
        let row = [
            message.seq.to_string(),
            name_of(&message.what),
            name_of(&message.target),
            body.plate.clone(),
            colour.unwrap_or_default(),
            w.named("vehicle", &body.vehicle),
            w.named("act", &body.act),
            format::second(from_ms(body.act_at)?),
            body.place.clone(),
            w.named("warning_cause", message.cause.name()),
            why.unwrap_or_default(),
            message.case_id.clone(),
            format::second(message.at),
        ];
        csv.write_record(row.map(csv_file::harmless))?;
    }
    Ok(csv_file::finish(csv))
}

/// What the receiving side reads in the columns `loai` and `noi_nhan`.
#[cfg(test)]
mod tests {
    use crate::case::name_of;
    use crate::proceedings::warning::{Target, What};

    #[test]
    fn the_words_of_the_file_are_fixed() {
        let names = [What::Warn, What::Clear].map(|what| name_of(&what));
        assert_eq!(names, ["warn", "clear"]);
        let targets = [Target::Inspection, Target::Registration, Target::Commune];
        assert_eq!(
            targets.map(|target| name_of(&target)),
            ["inspection", "registration", "commune"]
        );
    }
}
