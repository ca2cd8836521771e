//! How a paper reaches whom it is for (NĐ 118/2021 Điều 17a; TT 73/2024/TT-BCA Điều 24): letters in
//! batches for the post office (`batch`, `print`), what it says of them (`post_file`), and what a clerk
//! puts on record of other ways (`by_hand`). `service` says when the law holds a paper for served,
//! `follow` what follows from that: terms, warnings, the audit. A dispatch is one document's, whatever
//! its kind. There is no e-mail: no record of an owner has an address, let alone a consent. Nothing that
//! is sent holds a link by which to pay.
//!
//! Locks are taken in one order: letters and dispatches, claims, warnings, the head of the audit.

mod batch;
mod by_hand;
mod follow;
mod letter;
mod paper;
mod post_file;
mod print;
mod record;
mod service;

use serde::{Deserialize, Serialize};

pub use batch::{Batch, BatchError, BatchState, batch, batches, make, post};
pub use by_hand::{HandError, HandedBy, put_on_record, send_again};
pub use letter::{Letter, Stay, letters};
pub use paper::Paper;
pub use post_file::{ImportError, Imported, MOST_BYTES as MOST_FILE, import, letter_texts};
pub use print::{PrintError, csv_name, pdf_name, print};
pub use record::{
    Addressee, Counts, Dispatch, Progress, begin, close, count, count_of, count_text, deliveries,
    dispatch, find, list, list_text, of_case, recall,
};
pub use service::{Served, served};

/// By which way it is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A letter with proof of delivery.
    Post,
    /// Handed over by an officer.
    Hand,
    /// Entered in the designated electronic system.
    Electronic,
    /// Posted at the commune.
    Commune,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// In a batch that is being printed.
    Printing,
    /// On paper, still in the house.
    Printed,
    Sent,
    Delivered,
    Returned,
    /// Not taken, which was minuted.
    Refused,
    /// Never left the house.
    Void,
}

/// One delivery of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: String,
    pub way: Way,
    pub state: State,
    pub sent_at: Option<time::OffsetDateTime>,
    /// When it was delivered, came back or was refused.
    pub ended_at: Option<time::OffsetDateTime>,
    pub batch_id: Option<String>,
    pub place: Option<i64>,
    pub tracking: Option<String>,
    /// Who took it over, by the law's key.
    pub receiver: Option<String>,
    pub note: Option<String>,
}
