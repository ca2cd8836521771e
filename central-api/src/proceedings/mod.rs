//! What follows from a decided case: small proceedings beside it, each a folder with its own table
//! and its own states. They run in parallel; what a case waits for is asked of them.

pub mod decision;
pub mod delivery;
mod hand;
pub mod minutes;
pub mod order;
pub mod owner;
mod paper;
pub mod payment;
mod person;
pub mod referral;
pub mod row;
pub mod terms;
pub mod warning;

use sqlx::AnyConnection;
use time::OffsetDateTime;

use crate::case::State;
use crate::store::{StoreError, Tx};

pub use hand::{Actor, By, Hand};
pub use paper::PrintError;

/// Proceedings with one row a case, whose digest stands in the audit: rows of the action
/// `<proceeding>.<step>` have it as `record`.
pub const RECORDED: [&str; 5] = ["owner", "minutes", "decision", "order", "referral"];

/// The digest of what a proceeding has on record of a case.
pub async fn digest_of(
    view: &mut AnyConnection,
    proceeding: &str,
    case: &str,
) -> Result<Option<String>, StoreError> {
    Ok(match proceeding {
        "owner" => owner::read(view, case).await?.as_ref().map(owner::digest),
        "minutes" => row::read::<minutes::Minutes>(view, case).await?.map(|row| row.digest()),
        "decision" => row::read::<decision::Decision>(view, case).await?.map(|row| row.digest()),
        "referral" => row::read::<referral::Referral>(view, case).await?.map(|row| row.digest()),
        "order" => row::read::<order::Order>(view, case).await?.map(|row| row.digest()),
        _ => None,
    })
}

/// A case is closed without a decision: whatever is under way about it ends with it, in the caller's
/// transaction.
pub async fn end(
    tx: &mut Tx<'_>,
    case: &str,
    state: State,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let why = match state {
        State::Expired => warning::Why::Expired,
        _ => warning::Why::Withdrawn,
    };
    warning::clear(tx, case, why, now).await?;
    delivery::close(tx, case).await
}
