//! Warnings to vehicle inspection and registration, of motorbikes to the commune's police (TT 73/2024/
//! TT-BCA Điều 24; NĐ 168/2024 Điều 47 khoản 11): a term runs ([`watch`]), a nightly job warns of what
//! has passed it (`warn`), and everything is lifted at once when its reason is gone ([`clear`]). What
//! is said goes out in order, from an outbox (`export`) to whoever takes it (`receiver`).

mod export;
mod message;
mod receiver;
mod record;
mod warn;

use serde::{Deserialize, Serialize};

use crate::law::Term;

pub use export::{ExportError, export};
pub use message::{Message, Target, What, of_case as messages_of};
pub use receiver::{Folder, HandOverError, Receiver};
pub use record::{
    Warning, came, clear, count, count_text, forget, lift, list, list_text, of_case, unwatch,
    watch, watch_anew,
};
pub use warn::{WarnError, warn};

/// Why somebody is warned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Nobody came after the notice was sent.
    NoShow,
    /// A decision was not paid within its term.
    Unpaid,
}

impl Cause {
    pub const ALL: [Self; 2] = [Self::NoShow, Self::Unpaid];

    pub const fn name(self) -> &'static str {
        match self {
            Self::NoShow => "no_show",
            Self::Unpaid => "unpaid",
        }
    }

    /// The term after which it is so.
    pub const fn term(self) -> Term {
        match self {
            Self::NoShow => Term::NoShow,
            Self::Unpaid => Term::Pay,
        }
    }
}

/// How far a warning is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its term runs.
    Running,
    Warned,
    Cleared,
}

/// Why nobody is warned any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Whom it is about came to settle it.
    Came,
    Paid,
    Withdrawn,
    Expired,
    /// The decision was annulled or is settled otherwise.
    Settled,
    /// The payment is deferred, or may be made by parts.
    Deferred,
}

impl Why {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Came => "came",
            Self::Paid => "paid",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Settled => "settled",
            Self::Deferred => "deferred",
        }
    }
}
