//! A case: one sealed violation on its way from the camera to a notice.
//!
//! `open` makes it inside the intake's transaction, unless the package joins (`join`) the case of the
//! same passage (`passage`), `states` says who may move it where, `state` what follows from where it
//! stands, `gate` when the evidence is good enough, `decide` moves it in one transaction with its audit row,
//! `examine` puts everything an officer must see on one table.

pub mod acts;
mod agreement;
mod decide;
mod elsewhere;
mod examine;
mod expire;
mod gate;
mod join;
mod open;
pub mod passage;
pub mod plate;
mod query;
pub mod reason;
mod recalled;
mod recheck;
mod record;
mod related;
mod state;
pub mod states;
mod step;

pub use decide::{Command, DecideError, after_approval, decide, note_down, told};
pub use elsewhere::{Elsewhere, elsewhere};
pub use examine::{Examination, ExamineError, Proof, examine};
pub use expire::{ExpireError, expire, expire_text, tomorrow};
pub use gate::{Blocker, Gate};
pub use join::{MOST_FURTHER, led_by};
pub use open::{Terms, open, opening};
pub use query::{
    Counts, Filter, MOST_COUNTED, Page, cameras, count, count_in_state, count_in_state_text,
    count_text, find, in_state, left_approved, list, media_type, next_for, next_text, published,
    published_texts,
};
pub use reason::Reason;
pub use recalled::{freeze, hand, held_by, held_in, hold_recall, note_frozen, trace};
pub use recheck::{recheck_count, recheck_texts, to_recheck};
pub use record::{Case, Value, WriteError, hold, name_of, named, write};
pub use related::{Distinct, Related, in_order};
pub use states::{Action, Actor, State};
pub use step::{Step, step};
