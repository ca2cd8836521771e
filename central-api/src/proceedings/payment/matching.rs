//! The claim that a payment means, by the reference in its purpose. Where two are meant, none is: people
//! look.

use sqlx::{AssertSqlSafe, Row as _};
use time::Date;

use super::record::{ClaimRow, ClaimState, texts};
use super::reference::{Mentioned, Reference, mentioned};
use super::settle::standing;
use crate::law::LawBook;
use crate::store::{StoreError, Tx};

/// References looked for; who writes more means no single one.
const MOST: usize = 16;

/// The one claim that a payment of `amount` on `day` names. A reference cut off by the end of the text
/// is believed only where exactly what is open was paid.
pub(super) async fn named_by(
    tx: &mut Tx<'_>,
    law: &LawBook,
    purpose: &str,
    (amount, day): (i64, Date),
) -> Result<Option<String>, StoreError> {
    let Mentioned { whole, cut } = mentioned(purpose);
    if whole.len() > MOST {
        return Ok(None);
    }
    let mut found = Vec::new();
    for reference in &whole {
        found.extend(by_reference(tx, reference).await?);
    }
    match (&found[..], cut) {
        ([one], _) => Ok(Some(one.clone())),
        ([], Some(cut)) => {
            let Some(claim) = by_beginning(tx, &cut).await? else { return Ok(None) };
            let open = standing(tx, law, &claim, day).await?.open;
            let fits = claim.state == ClaimState::Open && open == amount;
            Ok(fits.then_some(claim.id))
        }
        _ => Ok(None),
    }
}

/// The id of the claim with that reference.
pub(super) async fn by_reference(
    tx: &mut Tx<'_>,
    reference: &Reference,
) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT id FROM payment_claims WHERE reference = $1")
        .bind(reference.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.map(|row| row.try_get("id")).transpose()?)
}

/// The only claim whose reference begins so.
async fn by_beginning(tx: &mut Tx<'_>, cut: &str) -> Result<Option<ClaimRow>, StoreError> {
    let [_, _, _, _, beginning, ..] = texts();
    let rows = sqlx::query(AssertSqlSafe(beginning))
        .bind(cut.to_owned())
        // Behind every character of a reference.
        .bind(format!("{cut}~"))
        .fetch_all(&mut **tx)
        .await?;
    match &rows[..] {
        [one] => Ok(Some(ClaimRow::read(one)?)),
        _ => Ok(None),
    }
}
