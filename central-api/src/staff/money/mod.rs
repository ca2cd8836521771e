//! The desk of the money: statements to be taken in, receipts that name no claim, money that goes back,
//! and what is still owed.

mod case_view;
mod forms;

pub(super) use case_view::{PaymentView, code};
pub(super) use forms::{excess, export, file, receipt, refund, statement};

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use time::Date;

use super::case_page::{name, short_id};
use super::session::Officer;
use crate::AppState;
use crate::case::name_of;
use crate::proceedings::payment::{self, Payer, refund as refunds};
use crate::store::StoreError;
use crate::web::problem::page;
use crate::web::{Shell, WebError, Words, format};

/// Rows of each list.
const MOST: i64 = 200;

/// What was just done, to say so; of a statement, how much of what.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct After {
    xong: String,
    khop: u32,
    moi: u32,
    cu: u32,
    khac: u32,
}

#[derive(Template)]
#[template(path = "money.html")]
struct MoneyPage {
    shell: Shell,
    w: &'static Words,
    csrf: String,
    done: Option<String>,
    treasury: Option<String>,
    books: bool,
    receipts: Vec<ReceiptRow>,
    excesses: Vec<ExcessRow>,
    refunds: Vec<RefundRow>,
    exports: bool,
    open: Vec<OpenRow>,
    today: String,
}

struct ReceiptRow {
    id: String,
    version: i64,
    bank_id: String,
    amount: String,
    /// The bank took it back.
    is_back: bool,
    day: String,
    purpose: String,
    payer: Payer,
    /// References that stand in its purpose.
    candidates: Vec<String>,
}

struct ExcessRow {
    claim: String,
    case: String,
    decision: String,
    amount: String,
    /// Who paid last, if the bank said.
    payer: Payer,
}

struct RefundRow {
    id: String,
    version: i64,
    amount: String,
    to: Payer,
    note: String,
    state: String,
    state_text: String,
    asked: String,
    batch: Option<String>,
    /// What this officer may do.
    confirms: bool,
    gives_up: bool,
    pays_out: bool,
}

struct OpenRow {
    case: String,
    decision: String,
    reference: String,
    due: String,
    is_overdue: bool,
    fine: String,
    surcharge: String,
    paid: String,
    open: String,
}

/// `31/12/2026`.
fn day(day: Date) -> String {
    format!("{:02}/{:02}/{}", day.day(), u8::from(day.month()), day.year())
}

/// `GET /tien`.
pub(super) async fn list(
    State(state): State<AppState>,
    officer: Officer,
    Query(after): Query<After>,
) -> Result<Response, WebError> {
    if !officer.sees_money() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let w = officer.lang.words();
    let mut view = state.store.pool().acquire().await.map_err(StoreError::from)?;
    let today = payment::today(state.clock.now());
    let mut receipts = Vec::new();
    for row in payment::unmatched(&mut view, MOST).await? {
        receipts.push(ReceiptRow {
            candidates: payment::candidates(&mut view, &row.purpose).await?,
            id: row.id,
            version: row.version,
            bank_id: row.bank_id,
            amount: format::amount(row.amount),
            is_back: row.amount < 0,
            day: day(row.paid_on),
            purpose: row.purpose,
            payer: row.payer,
        });
    }
    let mut excesses = Vec::new();
    for claim in payment::excesses(&mut view, MOST).await? {
        let last = payment::receipts_of(&mut view, &claim.id).await?.pop();
        excesses.push(ExcessRow {
            amount: format::amount(claim.excess),
            claim: claim.id,
            case: claim.case_id,
            decision: claim.decision,
            payer: last.map(|receipt| receipt.payer).unwrap_or_default(),
        });
    }
    let mut rows = Vec::new();
    let mut exports = false;
    for refund in refunds::waiting(&mut view, MOST).await? {
        let is = |state| refund.state == state;
        exports |= is(refunds::State::Confirmed) && officer.books_money();
        let who = name(&state, Some(&refund.asked_by)).await?.unwrap_or_default();
        rows.push(RefundRow {
            confirms: is(refunds::State::Requested)
                && officer.approves()
                && refund.asked_by != officer.user.id,
            gives_up: officer.approves() || officer.books_money(),
            pays_out: is(refunds::State::Exported) && officer.books_money(),
            amount: format::amount(refund.amount),
            state: name_of(&refund.state),
            state_text: w.named("refund_state", &name_of(&refund.state)),
            asked: format!("{who}, {}", format::minute(refund.asked_at)),
            id: refund.id,
            version: refund.version,
            to: refund.to,
            note: refund.note,
            batch: refund.batch,
        });
    }
    let mut open = Vec::new();
    for claim in payment::open_claims(&mut view, MOST).await? {
        let it = payment::standing(&mut view, &state.law, &claim, today).await?;
        open.push(OpenRow {
            case: claim.case_id,
            decision: claim.decision,
            reference: claim.reference.to_string(),
            due: claim.due.map_or(w.t("term.unserved").to_owned(), day),
            is_overdue: it.is_overdue,
            fine: format::amount(it.fine),
            surcharge: format::amount(it.surcharge),
            paid: format::amount(it.paid - it.refunded),
            open: format::amount(it.open),
        });
    }
    drop(view);
    let treasury = &state.config.treasury;
    let template = MoneyPage {
        shell: officer.shell(&state, "money").await?,
        w,
        csrf: officer.csrf.clone(),
        done: done(&after, w),
        treasury: treasury
            .is_set()
            .then(|| format!("{} · {} · {}", treasury.name, treasury.account, treasury.bank)),
        books: officer.books_money(),
        receipts,
        excesses,
        refunds: rows,
        exports,
        open,
        today: today.to_string(),
    };
    page(StatusCode::OK, &template)
}

fn done(after: &After, w: &Words) -> Option<String> {
    match after.xong.as_str() {
        "statement" => Some(
            w.with("money.done_statement", "matched", after.khop)
                .replace("{new}", &after.moi.to_string())
                .replace("{known}", &after.cu.to_string())
                .replace("{other}", &after.khac.to_string()),
        ),
        "assigned" | "asked" | "confirmed" | "dropped" | "exported" | "paid_out" | "paired"
        | "nothing" => Some(w.named("money", &format!("done_{}", after.xong))),
        _ => None,
    }
}

fn case_link(id: &str, w: &Words) -> String {
    w.with("case.title", "id", short_id(id))
}
