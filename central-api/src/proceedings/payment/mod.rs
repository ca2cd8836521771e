//! The money that a decision asks for, from the claim until it is paid, or paid back (Luật XLVPHC Điều
//! 73–79; TT 18/2023/TT-BTC).
//!
//! `claim` opens a claim, begins its term once the decision is served, and annuls or reduces it, `terms` keeps what holds it up or divides it,
//! `receipt` takes in what the bank says and finds its claim (`matching`, by the `reference` in the
//! purpose), `assign` lets a clerk find it, `slip` gives
//! the payer a receipt, `refund` gives back what is not ours. How a claim stands follows from these alone
//! (`standing`), so nothing hangs on the order in which payments become known; every movement is in the
//! `ledger`, twice. `settle` brings the two together in the transaction of whatever happened, and is the
//! one place where a claim becomes settled, or open again.
//!
//! Locks are taken in one order, so that nobody waits in a circle: the turn of receipts and refunds
//! (`turn`), claims, the head of the audit. Whoever calls from a transaction of their own writes their
//! own rows first.

mod assign;
mod check;
mod claim;
pub mod ledger;
mod matching;
mod minutes;
mod receipt;
mod record;
pub mod reference;
pub mod refund;
mod settle;
mod slip;
mod slip_form;
mod standing;
pub mod statement;
mod terms;
pub mod vietqr;
mod worklist;

use time::macros::format_description;
use time::{Date, OffsetDateTime};

use crate::law::{PartsError, VIETNAM};
use crate::store::{StoreError, Tx};

pub use assign::{assign, pair, unassign};
pub use check::check;
pub use claim::{Claim, cancel, change, claim, serve};
pub use receipt::{Event, Incoming, Payer, Taken, notified};
pub use record::{ClaimRow, ClaimState, find, live_of_case, of_case};
pub use reference::Reference;
pub use settle::{Effect, settled_among, settled_text, standing};
pub use slip::{Slip, print as print_slip, slips_of};
pub use standing::{Movement, Standing, Terms};
pub use terms::{by_parts, hold, pause, release, resume};
pub use worklist::{Receipt, candidates, counts, excesses, open_claims, receipts_of, unmatched};

/// No single amount is as large: a thousand milliards.
pub const MOST: i64 = 1_000_000_000_000;

/// Why nothing was booked.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    #[error("there is no such claim, receipt or refund")]
    NotFound,
    #[error("somebody else has changed it since it was shown")]
    Conflict,
    #[error("that is not possible as it stands now")]
    NotPossible,
    #[error("the amount must be between 1 and {MOST} VND")]
    Amount,
    #[error(
        "a reduction leaves less than is asked for, and not below nothing; for more, annul and decide anew"
    )]
    Raised,
    #[error("the case has a claim already, or the decision or its reference has one")]
    Taken,
    #[error("a decision is cited by 1 to 100 characters on one line")]
    Decision,
    #[error("these days overlap with a pause on record, or end before they begin")]
    Pause,
    #[error("payment by parts: {0}")]
    Parts(#[from] PartsError),
    #[error("no law in force on the day of the decision knows payment by parts")]
    NoParts,
    #[error("a reason of 10 to 500 characters on one line is needed")]
    ReasonMissing,
    #[error("{0} must have 1 to 140 characters on one line and begin with a letter or digit")]
    Field(&'static str),
    #[error("whoever asked for the refund cannot confirm it: another person must")]
    SamePerson,
    #[error("transaction {0} of the bank is on record with another amount")]
    OtherAmount(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Every question to the database that is built from parts.
pub fn texts() -> Vec<String> {
    let (claims, receipts) = (record::texts(), receipt::texts());
    let (lists, refunds) = (worklist::texts(), refund::texts());
    claims.into_iter().chain(receipts).chain(lists).chain(refunds).collect()
}

/// Who does something.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    System,
    User { id: &'a str, login: &'a str },
}

impl By<'_> {
    fn actor(&self) -> String {
        match self {
            Self::System => "system".into(),
            Self::User { login, .. } => format!("user:{login}"),
        }
    }

    fn id(&self) -> Option<String> {
        match self {
            Self::System => None,
            Self::User { id, .. } => Some((*id).to_owned()),
        }
    }
}

/// Takes the turn to book receipts and refunds until `tx` ends.
pub(crate) async fn turn(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    sqlx::query("UPDATE payment_turn SET version = version + 1 WHERE id = 1")
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The day in Vietnam.
pub fn today(now: OffsetDateTime) -> Date {
    now.to_offset(VIETNAM).date()
}

/// A day as the database keeps it, which sorts by time.
fn day_text(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

fn day_of(text: String) -> Result<Date, StoreError> {
    Date::parse(&text, format_description!("[year]-[month]-[day]"))
        .map_err(|_| StoreError::corrupt("day", text))
}
