//! The receipt that a payer gets (chứng từ thu tiền phạt, biên lai; Luật XLVPHC Điều 69, NĐ 118/2021 Điều
//! 20–21): a document for each payment that was put on a claim, made by a job. One whose payment was
//! taken off the claim again stays on record, and holds no more.

use sqlx::{AnyConnection, Row as _};

use super::slip_form::{self, Content};
use super::worklist::{Receipt, receipts_of};
use super::{ClaimRow, day_text, of_case};
use crate::AppState;
use crate::audit::{self, Entry};
use crate::case;
use crate::documents::{self, Kind};
use crate::jobs::{self, Done, Job, Taken};
use crate::proceedings::paper::{self, PrintError};
use crate::proceedings::{decision, minutes, row};
use crate::store::{StoreError, Tx};

/// A receipt that is out.
#[derive(Debug, Clone)]
pub struct Slip {
    /// The bank's transaction, as it is on record here.
    pub receipt: String,
    pub year: i32,
    pub number: i64,
}

/// The receipts that were made of a claim's payments.
pub async fn slips_of(view: &mut AnyConnection, claim: &str) -> Result<Vec<Slip>, StoreError> {
    let rows = sqlx::query(
        "SELECT s.receipt_id, d.year, d.number FROM payment_slips s
         JOIN documents d ON d.code = s.code
         WHERE s.claim_id = $1 ORDER BY d.issued_at, d.number",
    )
    .bind(claim.to_owned())
    .fetch_all(view)
    .await?;
    rows.iter()
        .map(|row| {
            let year: i64 = row.try_get("year")?;
            Ok(Slip {
                receipt: row.try_get("receipt_id")?,
                year: i32::try_from(year).map_err(|_| StoreError::corrupt("year", year))?,
                number: row.try_get("number")?,
            })
        })
        .collect()
}

/// Payments on a claim of which there is no receipt yet, oldest first, two at most.
async fn without(view: &mut AnyConnection, claim: &str) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT id FROM payment_receipts WHERE claim_id = $1 AND amount > 0 AND NOT EXISTS (
             SELECT 1 FROM payment_slips
             WHERE receipt_id = payment_receipts.id AND claim_id = $1)
         ORDER BY paid_on, id LIMIT 2",
    )
    .bind(claim.to_owned())
    .fetch_all(view)
    .await?)
}

/// Prints the receipt of the oldest payment of a case that has none, and asks for the next.
pub async fn print(state: &AppState, taken: &Taken, id: &str) -> Result<Done, PrintError> {
    let mut view = state.store.pool().acquire().await.map_err(StoreError::from)?;
    let mut wanted = None;
    let mut more = false;
    for claim in of_case(&mut view, id).await? {
        for receipt in without(&mut view, &claim.id).await? {
            more |= wanted.is_some();
            wanted.get_or_insert_with(|| (claim.clone(), receipt));
        }
    }
    let case = case::find(&state.store, id).await?;
    let (Some(case), Some((claim, receipt))) = (case, wanted) else {
        drop(view);
        return paper::nothing_left(state, taken, Kind::Receipt, id).await;
    };
    let all = receipts_of(&mut view, &claim.id).await?;
    let terms = claim.terms(&mut view).await?;
    let refunds = claim.refunds(&mut view).await?;
    drop(view);
    let at = all.iter().position(|it| it.id == receipt).ok_or(PrintError::Conflict)?;
    let paid: &Receipt = &all[at];
    // As it stood with this payment: later ones have receipts of their own.
    let until: Vec<_> = all[..=at].iter().map(|it| (it.paid_on, it.amount)).collect();
    let gone: Vec<_> = refunds.into_iter().filter(|(day, _)| *day <= paid.paid_on).collect();
    let standing = terms.standing(&state.law, &until, &gone, paid.paid_on);
    let decision: Option<decision::Row> = row::find(&state.store, id).await?;
    let signature = decision.and_then(|row| row.content.signature);
    let signature =
        signature.ok_or_else(|| PrintError::Unfit("nobody has signed the decision".into()))?;
    let minutes: Option<minutes::Row> = row::find(&state.store, id).await?;
    let now = state.clock.now();
    let content = Content {
        claim: claim.clone(),
        violator: minutes.map(|row| row.content.violator),
        paid: paid.clone(),
        standing,
        treasury: state.config.treasury.clone(),
        signer: paper::name(state, &signature.by).await?,
        signature: signature.clone(),
    };
    let agency = state.config.agency.clone();
    let form = move |draft: &_| slip_form::render(&content, &agency, draft, now);
    let printed = paper::print(state, &case, Kind::Receipt, now, form).await?;
    let mut tx = state.store.begin().await?;
    documents::record(&mut tx, id, &printed.draft, &printed.sha256, &signature.by, now).await?;
    if !is_on(&mut tx, &receipt, &claim).await? {
        return Err(PrintError::Conflict);
    }
    sqlx::query("INSERT INTO payment_slips (receipt_id, claim_id, code) VALUES ($1, $2, $3)")
        .bind(receipt.clone())
        .bind(claim.id.clone())
        .bind(printed.draft.code.clone())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)?;
    let done = taken.done(&mut tx).await?;
    if more {
        let next = Job::PrintPaper { case: id.to_owned(), kind: Kind::Receipt };
        jobs::ask(&mut tx, &next, now).await?;
    }
    let entry = Entry {
        at: now,
        actor: "system",
        action: "payment.receipted",
        subject_kind: "case",
        subject_id: id,
        detail: serde_json::json!({
            "claim": claim.id,
            "receipt": receipt,
            "paid_on": day_text(paid.paid_on),
            "document": printed.told(&signature.by),
        }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

/// Whether nobody took the payment off meanwhile.
async fn is_on(tx: &mut Tx<'_>, receipt: &str, claim: &ClaimRow) -> Result<bool, StoreError> {
    let found: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM payment_receipts WHERE id = $1 AND claim_id = $2")
            .bind(receipt.to_owned())
            .bind(claim.id.clone())
            .fetch_one(&mut **tx)
            .await?;
    Ok(found == 1)
}
