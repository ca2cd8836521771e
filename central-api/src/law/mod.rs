//! The law as dated data: which provision an act falls under, what it costs and which deadlines
//! run, chosen by the time of the act. No amount, no term and no day off lives in code.
//!
//! The files of `law/` are embedded and checked at start ([`book`]); handlers have the book in their
//! state. What was chosen for a case is stored with the case ([`Provision`]), so a later edition
//! never rewrites an old case.

mod book;
mod calendar;
mod deadline;
mod fine;
mod instalments;
mod late;
mod order;
mod referral;
mod schema;
mod service;
mod signer;

pub use book::{LawBook, LawError, Provision};
pub use calendar::{Calendar, Day};
pub use deadline::{Deadline, DeadlineUnit, End, Term};
pub use fine::{Circumstances, Payer, Range};
pub use instalments::{Instalments, PartsError};
pub use late::Debt;
pub use order::{OrderRuleError, OrderRules};
pub use referral::{ReferralAnswer, ReferralRules, Sender};
pub use schema::{Circumstance, Kind, Side};
pub use service::{Paper, Receiver};

const DECREES: [(&str, &str); 2] = [
    ("law/decree-168-2024.toml", include_str!("../../law/decree-168-2024.toml")),
    ("law/decree-238-2026.toml", include_str!("../../law/decree-238-2026.toml")),
];
const PROCEDURE: (&str, &str) = ("law/procedure.toml", include_str!("../../law/procedure.toml"));
const CALENDAR: (&str, &str) = ("law/calendar.toml", include_str!("../../law/calendar.toml"));

/// The embedded law. `serve` asks for it before it listens, so a bad table stops the start.
pub fn book() -> Result<LawBook, LawError> {
    LawBook::read(&DECREES, PROCEDURE, CALENDAR)
}

/// Vietnam has one offset all year and has had it since 1975.
pub const VIETNAM: time::UtcOffset = time::macros::offset!(+7);
