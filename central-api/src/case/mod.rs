//! A case: one sealed violation on its way from the camera to a notice.
//!
//! `open` makes it inside the intake's transaction, `states` says who may move it where, `gate`
//! says when the evidence is good enough, `decide` moves it in one transaction with its audit row,
//! `examine` puts everything an officer must see on one table.

mod decide;
mod examine;
mod gate;
mod open;
pub mod plate;
mod query;
pub mod reason;
mod record;
pub mod states;

pub use decide::{Command, DecideError, decide};
pub use examine::{Examination, ExamineError, examine};
pub use gate::{Blocker, Gate};
pub use open::open;
pub use query::{Counts, Filter, Page, cameras, count, find, list, next_for};
pub use reason::Reason;
pub use record::{Case, name_of};
pub use states::{Action, Actor, State};
