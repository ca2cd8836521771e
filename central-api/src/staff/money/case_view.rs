//! How the money of a case stands, on its page.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::super::session::Officer;
use super::day;
use crate::AppState;
use crate::case::name_of;
use crate::documents::Kind;
use crate::proceedings::payment::{self, ClaimState, ledger, vietqr};
use crate::store::StoreError;
use crate::web::{WebError, Words, format};

/// Dots of the code's picture.
const SIDE: u32 = 180;

/// The money as a case's page shows it, a part a decision that the case has had.
pub(in crate::staff) struct PaymentView {
    pub claims: Vec<ClaimView>,
    pub books: bool,
}

pub(in crate::staff) struct ClaimView {
    pub decision: String,
    pub state: String,
    pub state_text: String,
    pub facts: Vec<(String, String)>,
    pub is_overdue: bool,
    pub entries: Vec<(String, String, String)>,
    /// Whether what is open can be paid by a code.
    pub has_code: bool,
    /// What came in.
    pub receipts: Vec<ReceiptView>,
    /// Receipts that hold no more, because their payment was taken off.
    pub void: Vec<(String, String)>,
}

/// A payment on a claim, which is taken off again where it was put wrongly.
pub(in crate::staff) struct ReceiptView {
    pub id: String,
    pub version: i64,
    pub words: String,
    /// The receipt that the payer gets, and where it lies, once it is made.
    pub slip: Option<(String, String)>,
}

impl PaymentView {
    /// None where the officer has no business with it, or nothing was ever owed.
    pub async fn of(
        state: &AppState,
        officer: &Officer,
        case: &str,
    ) -> Result<Option<Self>, WebError> {
        if !officer.sees_money() {
            return Ok(None);
        }
        let w = officer.lang.words();
        let mut view = state.store.pool().acquire().await.map_err(StoreError::from)?;
        let today = payment::today(state.clock.now());
        let mut claims = Vec::new();
        for claim in payment::of_case(&mut view, case).await?.into_iter().rev() {
            let it = payment::standing(&mut view, &state.law, &claim, today).await?;
            let entries = ledger::of_claim(&mut view, &claim.id).await?;
            let receipts = payment::receipts_of(&mut view, &claim.id).await?;
            let slips = payment::slips_of(&mut view, &claim.id).await?;
            let (held, void): (Vec<_>, Vec<_>) =
                slips.iter().partition(|slip| receipts.iter().any(|it| it.id == slip.receipt));
            let link = |slip: &payment::Slip| {
                let kind = Kind::Receipt.name();
                let path = format!("{kind}-{}-{}.pdf", slip.year, slip.number);
                (
                    w.with("money.slip", "number", format!("{:06}", slip.number)),
                    format!("/ho-so/{case}/van-ban/{path}"),
                )
            };
            claims.push(ClaimView {
                facts: facts(&claim, &it, w),
                state: name_of(&claim.state),
                state_text: w.named("claim_state", &name_of(&claim.state)),
                is_overdue: it.is_overdue,
                entries: entries
                    .iter()
                    .map(|entry| {
                        let kind = w.named("payment_entry", &name_of(&entry.kind));
                        (day(entry.day), kind, format::amount(entry.amount))
                    })
                    .collect(),
                has_code: claim.state == ClaimState::Open
                    && state.config.treasury.is_set()
                    && it.open > 0,
                receipts: receipts
                    .into_iter()
                    .map(|it| {
                        let words = format!(
                            "{} · {} đ · {} · “{}”",
                            day(it.paid_on),
                            format::amount(it.amount),
                            it.bank_id,
                            it.purpose
                        );
                        let slip = held.iter().find(|slip| slip.receipt == it.id);
                        let slip = slip.map(|slip| link(slip));
                        ReceiptView { id: it.id, version: it.version, words, slip }
                    })
                    .collect(),
                void: void.into_iter().map(link).collect(),
                decision: claim.decision,
            });
        }
        let books = officer.books_money();
        Ok((!claims.is_empty()).then_some(Self { claims, books }))
    }
}

fn facts(claim: &payment::ClaimRow, it: &payment::Standing, w: &Words) -> Vec<(String, String)> {
    let money = |amount: i64| format!("{} đ", format::amount(amount));
    let mut rows = vec![
        ("decided_on", day(claim.decided_on)),
        ("reference", claim.reference.to_string()),
        ("fine", money(it.fine)),
        ("surcharge", money(it.surcharge)),
        ("paid", money(it.paid)),
    ];
    rows.insert(2, ("served_on", claim.served_on.map_or(w.t("term.unserved").to_owned(), day)));
    let due = match (claim.served_on, claim.due) {
        (_, None) => w.t("term.not_running").to_owned(),
        (None, Some(due)) => w.with("money.due_unproven", "day", day(due)),
        (Some(_), Some(due)) => day(due),
    };
    rows.insert(3, ("due", due));
    if it.refunded > 0 {
        rows.push(("refunded", money(it.refunded)));
    }
    rows.push(match it.excess {
        0 => ("open", money(it.open)),
        excess => ("excess", money(excess)),
    });
    if let Some(at) = claim.settled_at {
        rows.push(("settled_at", format::minute(at)));
    }
    rows.into_iter().map(|(key, value)| (w.named("money", key), value)).collect()
}

/// `GET /ho-so/{id}/vietqr.svg`: the code that pays what the case's claim has open today.
pub(in crate::staff) async fn code(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let lang = officer.lang;
    if !officer.sees_money() {
        return Err(WebError::Forbidden(lang));
    }
    let mut view = state.store.pool().acquire().await.map_err(StoreError::from)?;
    let claim = payment::live_of_case(&mut view, &id).await?;
    let claim = claim.ok_or(WebError::NotFound(lang))?;
    let today = payment::today(state.clock.now());
    let it = payment::standing(&mut view, &state.law, &claim, today).await?;
    let treasury = &state.config.treasury;
    let text = vietqr::payload(treasury, it.open, claim.reference.as_str())
        .map_err(|_| WebError::NotFound(lang))?;
    let code = qrcode::QrCode::new(text).map_err(|error| WebError::internal(lang, error))?;
    let picture =
        code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(SIDE, SIDE).build();
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], picture).into_response())
}
