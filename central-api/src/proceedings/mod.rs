//! What follows from a decided case: small proceedings beside it, each a folder with its own table
//! and its own states. They run in parallel; what a case waits for is asked of them.

pub mod delivery;
pub mod owner;
pub mod terms;
pub mod warning;

use time::OffsetDateTime;

use crate::case::State;
use crate::store::{StoreError, Tx};

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
