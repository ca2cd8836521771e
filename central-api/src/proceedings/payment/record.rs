//! The row of a claim, and what was decided about it.

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use time::macros::date;
use time::{Date, OffsetDateTime};

use super::standing::{Movement, Terms};
use super::{PaymentError, Reference, day_of};
use crate::case::named;
use crate::store::{StoreError, Tx, from_ms};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    Open,
    Settled,
    /// The decision was annulled: what was paid goes back.
    Cancelled,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRow {
    pub id: String,
    pub case_id: String,
    pub decision: String,
    pub decided_on: Date,
    pub reference: Reference,
    pub fine: i64,
    /// When the decision was served; none while it is not.
    pub served_on: Option<Date>,
    /// The last day of the term, once it runs.
    pub due: Option<Date>,
    /// As the payments that came have fixed it.
    pub surcharge: i64,
    pub paid: i64,
    pub refunded: i64,
    pub excess: i64,
    pub state: ClaimState,
    pub settled_at: Option<OffsetDateTime>,
    pub(super) parts_from: Option<Date>,
}

/// What stands for the last day of a term that does not run: lists by that day end with it.
pub(super) const NO_TERM: Date = date!(9999 - 12 - 31);

const COLUMNS: &str = "id, case_id, decision, decided_on, reference, fine, served_on, due, surcharge, \
     paid, refunded, excess, state, settled_at, parts_from";

/// One claim, the claims of a case, one claim taken for this transaction, claims by decision, by the
/// beginning of a reference, open ones and those with an excess that nobody has asked back.
pub(super) fn texts() -> [String; 7] {
    let of = |rest: &str| format!("SELECT {COLUMNS} FROM payment_claims {rest}");
    [
        of("WHERE id = $1"),
        of("WHERE case_id = $1 ORDER BY opened_at, id"),
        format!(
            "UPDATE payment_claims SET version = version + 1 WHERE id = $1 RETURNING {COLUMNS}"
        ),
        of("WHERE decision = $1 LIMIT 2"),
        of("WHERE reference >= $1 AND reference < $2 LIMIT 2"),
        of("WHERE state = 'open' ORDER BY due, id LIMIT $1"),
        of("WHERE excess > 0 AND NOT EXISTS (SELECT 1 FROM payment_refunds
             WHERE claim_id = payment_claims.id AND state IN ('requested', 'confirmed', 'exported'))
             ORDER BY due, id LIMIT $1"),
    ]
}

impl ClaimRow {
    pub(super) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let reference: String = row.try_get("reference")?;
        let settled_at: Option<i64> = row.try_get("settled_at")?;
        let parts_from: Option<String> = row.try_get("parts_from")?;
        let served_on: Option<String> = row.try_get("served_on")?;
        Ok(Self {
            id: row.try_get("id")?,
            case_id: row.try_get("case_id")?,
            decision: row.try_get("decision")?,
            decided_on: day_of(row.try_get("decided_on")?)?,
            reference: reference
                .parse()
                .map_err(|_| StoreError::corrupt("payment reference", &reference))?,
            fine: row.try_get("fine")?,
            served_on: served_on.map(day_of).transpose()?,
            due: Some(day_of(row.try_get("due")?)?).filter(|due| *due != NO_TERM),
            surcharge: row.try_get("surcharge")?,
            paid: row.try_get("paid")?,
            refunded: row.try_get("refunded")?,
            excess: row.try_get("excess")?,
            state: named(row.try_get("state")?, "claim's state")?,
            settled_at: settled_at.map(from_ms).transpose()?,
            parts_from: parts_from.map(day_of).transpose()?,
        })
    }

    /// Whether it is paid by parts.
    pub const fn is_divided(&self) -> bool {
        self.parts_from.is_some()
    }

    /// Everything that was decided about it.
    pub async fn terms(&self, view: &mut AnyConnection) -> Result<Terms, StoreError> {
        let rows = sqlx::query(
            "SELECT from_day, to_day FROM payment_pauses WHERE claim_id = $1 ORDER BY from_day",
        )
        .bind(self.id.clone())
        .fetch_all(&mut *view)
        .await?;
        let pauses = rows
            .iter()
            .map(|row| {
                let to: Option<String> = row.try_get("to_day")?;
                Ok((day_of(row.try_get("from_day")?)?, to.map(day_of).transpose()?))
            })
            .collect::<Result<_, StoreError>>()?;
        let parts = match self.parts_from {
            None => None,
            Some(from) => {
                let text = "SELECT due AS day, amount FROM payment_parts
                     WHERE claim_id = $1 ORDER BY number";
                Some((from, movements(view, text, &self.id).await?))
            }
        };
        let is_cancelled = self.state == ClaimState::Cancelled;
        Ok(Terms { fine: self.fine, due: self.due, parts, pauses, is_cancelled })
    }

    /// What came in on it.
    pub async fn receipts(&self, view: &mut AnyConnection) -> Result<Vec<Movement>, StoreError> {
        let text = "SELECT paid_on AS day, amount FROM payment_receipts WHERE claim_id = $1";
        movements(view, text, &self.id).await
    }

    /// What went back from it.
    pub async fn refunds(&self, view: &mut AnyConnection) -> Result<Vec<Movement>, StoreError> {
        let text = "SELECT paid_on AS day, amount FROM payment_refunds
             WHERE claim_id = $1 AND state = 'paid_out'";
        movements(view, text, &self.id).await
    }
}

async fn movements(
    view: &mut AnyConnection,
    text: &'static str,
    claim: &str,
) -> Result<Vec<Movement>, StoreError> {
    let rows = sqlx::query(text).bind(claim.to_owned()).fetch_all(view).await?;
    rows.iter().map(|row| Ok((day_of(row.try_get("day")?)?, row.try_get("amount")?))).collect()
}

pub async fn find(view: &mut AnyConnection, claim: &str) -> Result<Option<ClaimRow>, StoreError> {
    let [one, ..] = texts();
    let row = sqlx::query(AssertSqlSafe(one)).bind(claim.to_owned()).fetch_optional(view).await?;
    row.map(|row| ClaimRow::read(&row)).transpose()
}

/// The claims that a case has had, oldest first.
pub async fn of_case(view: &mut AnyConnection, case: &str) -> Result<Vec<ClaimRow>, StoreError> {
    let [_, of_case, ..] = texts();
    let case = case.replace('\0', "");
    let rows = sqlx::query(AssertSqlSafe(of_case)).bind(case).fetch_all(view).await?;
    rows.iter().map(ClaimRow::read).collect()
}

/// The one claim of a case that is in force.
pub async fn live_of_case(
    view: &mut AnyConnection,
    case: &str,
) -> Result<Option<ClaimRow>, StoreError> {
    let all = of_case(view, case).await?;
    Ok(all.into_iter().rev().find(|claim| claim.state != ClaimState::Cancelled))
}

/// The claim as it is, and nobody else's until `tx` ends.
pub(super) async fn take(tx: &mut Tx<'_>, claim: &str) -> Result<ClaimRow, PaymentError> {
    let [_, _, take, ..] = texts();
    let row = sqlx::query(AssertSqlSafe(take))
        .bind(claim.replace('\0', ""))
        .fetch_optional(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    Ok(ClaimRow::read(&row.ok_or(PaymentError::NotFound)?)?)
}
