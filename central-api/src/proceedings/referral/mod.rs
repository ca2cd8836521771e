//! What goes to another unit about a case: the transfer to the unit of the owner's residence (Mẫu 03/73),
//! which resolves the case then, and the slip by which the commune's police hand the notice over (Mẫu
//! 04/73). A clerk asks, whoever the law's table says sends it, a job prints and numbers it, and the
//! answer is put on record. While a case is handed over nothing is decided here; once the other unit
//! has resolved it every warning goes.

mod act;
mod form;
mod print;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;
use time::{Date, OffsetDateTime};

use super::decision::Signature;
use super::row::{self, Content};
use crate::documents::Kind;
use crate::store::{Store, StoreError};

pub use act::{Action, ReferralError, Referred, allowed, refer, settle};
pub use print::print;

/// What is on record of a case.
pub type Row = row::Row<Referral>;

/// The kinds of documents that go to another unit.
pub const KINDS: [Kind; 2] = [Kind::Transfer, Kind::Slip];

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A clerk asks for it.
    Proposed,
    /// Given up before it was sent, or taken back.
    Dropped,
    /// Signed; it is being printed and numbered.
    Sending,
    Sent,
    Answered,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Dropped => "dropped",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Answered => "answered",
        }
    }
}

/// What the other unit said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Of the law's table.
    pub name: String,
    pub note: String,
    pub received_on: Date,
    pub settles: bool,
}

/// The latest referral of a case; earlier ones stand in its documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    pub state: State,
    pub kind: Kind,
    /// The unit that gets it.
    pub to: String,
    pub reason: String,
    /// Whether that unit resolves the case while it is out.
    pub hands_over: bool,
    pub by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub signature: Option<Signature>,
    pub number: Option<String>,
    pub answer: Option<Answer>,
}

impl Content for Referral {
    const NAME: &'static str = "referral";

    fn state(&self) -> &'static str {
        self.state.name()
    }
}

impl Referral {
    /// Whether the other unit resolves the case, or has.
    pub fn is_elsewhere(&self) -> bool {
        let settled = self.answer.as_ref().is_some_and(|answer| answer.settles);
        match self.state {
            State::Sending | State::Sent => self.hands_over,
            State::Answered => settled,
            State::Proposed | State::Dropped => false,
        }
    }
}

/// Whether another unit resolves a case, or has: nothing is decided here then.
pub async fn is_elsewhere(view: &mut AnyConnection, case: &str) -> Result<bool, StoreError> {
    let row: Option<Row> = row::read(view, case).await?;
    Ok(row.is_some_and(|row| row.content.is_elsewhere()))
}

/// Those of some cases that another unit has resolved.
pub async fn settled_among(store: &Store, cases: &[&str]) -> Result<BTreeSet<String>, StoreError> {
    let rows: Vec<Row> = row::among(store, cases).await?;
    let settled =
        rows.into_iter().filter(|row| row.content.answer.as_ref().is_some_and(|it| it.settles));
    Ok(settled.map(|row| row.case_id).collect())
}

/// How many wait to be sent.
pub async fn waiting(store: &Store) -> Result<u64, StoreError> {
    row::count_notified::<Referral>(store, State::Proposed.name()).await
}
