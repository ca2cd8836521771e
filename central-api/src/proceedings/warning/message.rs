//! What is told to whom, in the order in which it became so: the outbox. A message names the vehicle
//! and the act, never a person.

use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use time::OffsetDateTime;

use super::{Cause, Why};
use crate::case::{Case, name_of, named, plate};
use crate::store::{Store, StoreError, Tx, from_ms, to_ms};

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Vehicle inspection.
    Inspection,
    /// Vehicle registration.
    Registration,
    /// The police of the commune.
    Commune,
}

impl Target {
    /// Motorbikes are not inspected: the commune's police is told instead.
    fn of(case: &Case) -> &'static [Self] {
        match case.vehicle.is_two_wheeled() {
            true => &[Self::Commune],
            false => &[Self::Inspection, Self::Registration],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Warn,
    Clear,
}

/// The vehicle and the act, kept as they were when the warning went out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    pub plate: String,
    pub vehicle: String,
    pub plate_colour: Option<String>,
    /// Unix milliseconds.
    pub act_at: i64,
    pub place: String,
    pub act: String,
}

/// A message of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub seq: i64,
    pub case_id: String,
    pub cause: Cause,
    pub target: Target,
    pub what: What,
    pub at: OffsetDateTime,
    pub body: Body,
    pub why: Option<String>,
}

impl Message {
    pub(super) fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        let body: String = row.try_get("body")?;
        Ok(Self {
            seq: row.try_get("seq")?,
            case_id: row.try_get("case_id")?,
            cause: named(row.try_get("cause")?, "warning's cause")?,
            target: named(row.try_get("target")?, "warning's target")?,
            what: named(row.try_get("what")?, "message's kind")?,
            at: from_ms(row.try_get("at")?)?,
            body: serde_json::from_str(&body).map_err(|e| StoreError::corrupt("message", e))?,
            why: row.try_get("why")?,
        })
    }

    async fn append(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        // Held until the end of the transaction: numbers are in the order of commits.
        let seq: i64 =
            sqlx::query_scalar("UPDATE warning_head SET seq = seq + 1 WHERE id = 1 RETURNING seq")
                .fetch_one(&mut **tx)
                .await?;
        sqlx::query(
            "INSERT INTO warning_messages (seq, case_id, cause, target, what, at, body, why)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(seq)
        .bind(self.case_id.clone())
        .bind(self.cause.name())
        .bind(name_of(&self.target))
        .bind(name_of(&self.what))
        .bind(to_ms(self.at))
        // Plain fields with string keys: serialisation cannot fail.
        .bind(serde_json::to_string(&self.body).unwrap_or_default())
        .bind(self.why.clone())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// Tells everybody whom it concerns; returns how many.
pub(super) async fn warn(
    tx: &mut Tx<'_>,
    case: &Case,
    cause: Cause,
    now: OffsetDateTime,
) -> Result<usize, StoreError> {
    let number = case.plate.as_deref().unwrap_or_default();
    let body = Body {
        plate: plate::display(number, case.vehicle, case.plate_colour),
        vehicle: case.vehicle.name().into(),
        plate_colour: case.plate_colour.map(|colour| name_of(&colour)),
        act_at: to_ms(case.act_at),
        place: case.place.clone(),
        act: case.act.name().into(),
    };
    for target in Target::of(case) {
        let message = Message {
            seq: 0,
            case_id: case.id.clone(),
            cause,
            target: *target,
            what: What::Warn,
            at: now,
            body: body.clone(),
            why: None,
        };
        message.append(tx).await?;
    }
    Ok(Target::of(case).len())
}

/// Takes back what was told of the case and holds still; returns how many are told.
pub(super) async fn clear(
    tx: &mut Tx<'_>,
    case: &str,
    why: Why,
    now: OffsetDateTime,
) -> Result<usize, StoreError> {
    let rows = sqlx::query(
        "SELECT seq, case_id, cause, target, what, at, body, why FROM warning_messages
         WHERE case_id = $1 ORDER BY seq",
    )
    .bind(case.to_owned())
    .fetch_all(&mut **tx)
    .await?;
    let mut open: Vec<Message> = Vec::new();
    for row in &rows {
        let message = Message::from_row(row)?;
        open.retain(|it| (it.cause, it.target) != (message.cause, message.target));
        if message.what == What::Warn {
            open.push(message);
        }
    }
    for warned in &open {
        let message = Message {
            what: What::Clear,
            at: now,
            why: Some(why.name().to_owned()),
            ..warned.clone()
        };
        message.append(tx).await?;
    }
    Ok(open.len())
}

/// What was told of a case, in its order.
pub async fn of_case(store: &Store, case: &str) -> Result<Vec<Message>, StoreError> {
    sqlx::query(
        "SELECT seq, case_id, cause, target, what, at, body, why FROM warning_messages
         WHERE case_id = $1 ORDER BY seq",
    )
    .bind(case.to_owned())
    .fetch_all(store.pool())
    .await?
    .iter()
    .map(Message::from_row)
    .collect()
}
