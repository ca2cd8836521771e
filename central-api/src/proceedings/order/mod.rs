//! Orders about a decision in force: its payment is deferred (MQĐ03), the fine reduced or remitted
//! (MQĐ04), paid by parts (MQĐ05), or the decision amended or corrected (MQĐ38, MQĐ39; Luật XLVPHC Điều
//! 76, 77, 79; NĐ 118/2021 Điều 13). A clerk proposes one, which holds the payment up where it is about the
//! payment; a leader whose office may sign the decision signs or refuses it; the central prints and
//! numbers it, and in that transaction it changes what is owed. One path for all kinds: what differs
//! are the [`Terms`], the law's rules and the words of the form.

mod act;
mod effect;
mod form;
mod issue;
mod states;

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use super::decision::Signature;
use super::row::{self, Content};
use crate::documents::Kind;
use crate::store::{Store, StoreError};

pub use act::{OrderError, Proposed, propose, settle};
pub use effect::TermsError;
pub use issue::issue;
pub use states::{Action, Refusal, State, TABLE, allowed, next};

/// What is on record of a case.
pub type Row = row::Row<Order>;

/// The kinds of documents that are orders.
pub const KINDS: [Kind; 6] = [
    Kind::Deferral,
    Kind::Reduction,
    Kind::Exemption,
    Kind::Instalments,
    Kind::Amendment,
    Kind::Correction,
];

/// Whether an order of a kind is about the payment, which waits for it then.
pub const fn is_about_payment(kind: Kind) -> bool {
    !matches!(kind, Kind::Amendment | Kind::Correction)
}

/// What an order says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Terms {
    /// The last day of a deferral.
    Until(Date),
    /// What a reduction or an exemption takes off the fine, VND.
    Off(i64),
    /// The parts of a payment, each with its last day.
    Parts(Vec<(Date, i64)>),
    /// What an amendment or a correction changes.
    Lines(Vec<Line>),
}

/// A place in the decision, what it says and what it is to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub place: String,
    pub wrote: String,
    pub reads: String,
}

/// Why an order is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// When the application came; of an amendment or a correction, when it was proposed.
    pub received_on: Date,
    pub reason: String,
    /// The authority that certified it, where one must.
    pub certified_by: String,
}

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    pub number: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// The latest order of a case; what was ordered before stands in its documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub state: State,
    pub kind: Kind,
    /// The claim that the decision opened.
    pub claim: String,
    pub request: Request,
    pub terms: Terms,
    pub by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub signature: Option<Signature>,
    pub issued: Option<Issued>,
    /// Why a leader sent it back or refused it.
    pub answer: Option<String>,
}

impl Content for Order {
    const NAME: &'static str = "order";

    fn state(&self) -> &'static str {
        self.state.name()
    }
}

/// How many wait for a leader.
pub async fn waiting(store: &Store) -> Result<u64, StoreError> {
    row::count_notified::<Order>(store, State::Proposed.name()).await
}
