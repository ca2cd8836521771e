//! What the desk's forms do.

use axum::Form;
use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use time::Date;
use time::macros::format_description;

use super::super::session::Officer;
use crate::AppState;
use crate::proceedings::payment::refund::{self as refunds, Of};
use crate::proceedings::payment::statement::{self, StatementError};
use crate::proceedings::payment::{self, By, Payer, PaymentError};
use crate::store::StoreError;
use crate::web::WebError;

const DESK: &str = "/tien";
const UNFIT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

fn by(officer: &Officer) -> By<'_> {
    By::User { id: &officer.user.id, login: &officer.user.login }
}

fn back(what: &str) -> Response {
    Redirect::to(&format!("{DESK}?xong={what}")).into_response()
}

/// `POST /tien/sao-ke`: a statement, whole or not at all.
pub(in crate::staff) async fn statement(
    State(state): State<AppState>,
    officer: Officer,
    mut form: Multipart,
) -> Result<Response, WebError> {
    if !officer.books_money() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let w = officer.lang.words();
    let no_file = || officer.refused(UNFIT, vec![w.t("money.no_file").to_owned()], DESK);
    let unread = |error: MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => explain_statement(StatementError::Large, &officer),
        _ => no_file(),
    };
    let mut bytes = None;
    let mut is_ours = false;
    while let Some(part) = form.next_field().await.map_err(unread)? {
        match part.name() {
            // Stands before the file, which is not read for strangers.
            Some("csrf") => {
                officer.check_csrf(&part.text().await.map_err(unread)?)?;
                is_ours = true;
            }
            Some("file") if is_ours => bytes = Some(part.bytes().await.map_err(unread)?),
            _ => {}
        }
    }
    if !is_ours {
        officer.check_csrf("")?;
    }
    let bytes = bytes.filter(|bytes| !bytes.is_empty()).ok_or_else(no_file)?;
    let (store, treasury, now) = (&state.store, &state.config.treasury, state.clock.now());
    let done = statement::import(store, &state.law, treasury, &bytes, by(&officer), now)
        .await
        .map_err(|error| explain_statement(error, &officer))?;
    let (matched, new, known) = (done.matched, done.unmatched, done.known);
    let other = done.outgoing + done.pending;
    Ok(back(&format!("statement&khop={matched}&moi={new}&cu={known}&khac={other}")))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::staff) struct Doing {
    csrf: String,
    version: i64,
    action: String,
    /// Reference or decision to assign to, or the bank's number to pair with.
    to: String,
    note: String,
    name: String,
    account: String,
    bank: String,
    day: String,
}

impl Doing {
    fn payer(&self) -> Payer {
        Payer { name: self.name.clone(), account: self.account.clone(), bank: self.bank.clone() }
    }
}

/// `POST /tien/khoan-thu/{id}`: a receipt is assigned, paired, taken off, or is to go back.
pub(in crate::staff) async fn receipt(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Form(form): Form<Doing>,
) -> Result<Response, WebError> {
    officer.check_csrf(&form.csrf)?;
    if !officer.books_money() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let (store, law, now) = (&state.store, &state.law, state.clock.now());
    let (which, why) = ((id.as_str(), form.version), (by(&officer), form.note.as_str()));
    let done = match form.action.as_str() {
        "assign" => {
            payment::assign(store, law, which, &form.to, why, now).await.map(|_| "assigned")
        }
        "pair" => payment::pair(store, law, which, &form.to, why, now).await.map(|_| "paired"),
        "unassign" => payment::unassign(store, law, which, why, now).await.map(|_| "assigned"),
        "refund" => {
            let of = Of::Receipt(id.clone());
            refunds::ask(store, &of, &form.payer(), why, now).await.map(|_| "asked")
        }
        _ => Err(PaymentError::NotPossible),
    };
    done.map(back).map_err(|error| explain(error, &officer))
}

/// `POST /tien/thua/{claim}`: what a claim was paid too much is to go back.
pub(in crate::staff) async fn excess(
    State(state): State<AppState>,
    officer: Officer,
    Path(claim): Path<String>,
    Form(form): Form<Doing>,
) -> Result<Response, WebError> {
    officer.check_csrf(&form.csrf)?;
    if !officer.books_money() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let (of, why) = (Of::Excess(claim), (by(&officer), form.note.as_str()));
    let now = state.clock.now();
    let done = refunds::ask(&state.store, &of, &form.payer(), why, now).await;
    done.map(|_| back("asked")).map_err(|error| explain(error, &officer))
}

/// `POST /tien/hoan-tra/{id}`: a refund is confirmed, given up, or was paid out.
pub(in crate::staff) async fn refund(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Form(form): Form<Doing>,
) -> Result<Response, WebError> {
    officer.check_csrf(&form.csrf)?;
    let may = match form.action.as_str() {
        "confirm" => officer.approves(),
        "give_up" => officer.approves() || officer.books_money(),
        _ => officer.books_money(),
    };
    if !may {
        return Err(WebError::Forbidden(officer.lang));
    }
    let (store, law, now) = (&state.store, &state.law, state.clock.now());
    let (which, by) = ((id.as_str(), form.version), by(&officer));
    let done = match form.action.as_str() {
        "confirm" => refunds::confirm(store, which, by, now).await.map(|()| "confirmed"),
        "give_up" => refunds::give_up(store, which, by, now).await.map(|()| "dropped"),
        "paid_out" => {
            let format = format_description!("[year]-[month]-[day]");
            match Date::parse(&form.day, format) {
                Ok(day) => {
                    refunds::paid_out(store, law, which, (by, day), now).await.map(|()| "paid_out")
                }
                Err(_) => Err(PaymentError::NotPossible),
            }
        }
        _ => Err(PaymentError::NotPossible),
    };
    done.map(back).map_err(|error| explain(error, &officer))
}

#[derive(Debug, Deserialize)]
pub(in crate::staff) struct Export {
    #[serde(default)]
    csrf: String,
}

/// `POST /tien/tep`: the confirmed refunds go into a file for the bank.
pub(in crate::staff) async fn export(
    State(state): State<AppState>,
    officer: Officer,
    Form(form): Form<Export>,
) -> Result<Response, WebError> {
    officer.check_csrf(&form.csrf)?;
    if !officer.books_money() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let done = refunds::export(&state.store, by(&officer), state.clock.now()).await;
    let batch = done.map_err(|error| explain(error, &officer))?;
    Ok(back(if batch.is_some() { "exported" } else { "nothing" }))
}

/// `GET /tien/tep/{batch}`: that file.
pub(in crate::staff) async fn file(
    State(state): State<AppState>,
    officer: Officer,
    Path(batch): Path<String>,
) -> Result<Response, WebError> {
    if !officer.books_money() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let mut view = state.store.pool().acquire().await.map_err(StoreError::from)?;
    let text = refunds::file(&mut view, &batch).await?;
    let text = text.ok_or(WebError::NotFound(officer.lang))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"hoan-tra.csv\""),
    ];
    Ok((headers, text).into_response())
}

fn explain(error: PaymentError, officer: &Officer) -> WebError {
    let w = officer.lang.words();
    let (status, line) = match error {
        PaymentError::Store(error) => return StoreError::into(error),
        PaymentError::NotFound => (UNFIT, w.t("money.not_found").to_owned()),
        PaymentError::Conflict => (StatusCode::CONFLICT, w.t("money.conflict").to_owned()),
        PaymentError::ReasonMissing => (UNFIT, w.t("money.reason_missing").to_owned()),
        PaymentError::SamePerson => (UNFIT, w.t("money.same_person").to_owned()),
        PaymentError::Field(field) => {
            let field = w.t(&format!("money.to_{field}")).to_owned();
            (UNFIT, w.with("money.field_wrong", "field", field))
        }
        _ => (StatusCode::CONFLICT, w.t("money.not_possible").to_owned()),
    };
    officer.refused(status, vec![line], DESK)
}

fn explain_statement(error: StatementError, officer: &Officer) -> WebError {
    let w = officer.lang.words();
    let line = match &error {
        StatementError::Store(error) => return WebError::internal(officer.lang, error),
        StatementError::NoTreasury => w.t("money.no_treasury").to_owned(),
        StatementError::Large => w.t("money.file_large").to_owned(),
        StatementError::Many => w.with("money.file_many", "most", statement::MOST_LINES),
        StatementError::Form(detail) => w.with("money.file_form", "detail", detail),
        StatementError::Columns(names) => w.with("money.file_columns", "names", names.join(", ")),
        StatementError::Empty => w.t("money.file_empty").to_owned(),
        StatementError::Lines { count, .. } => w.with("money.file_lines", "count", count),
    };
    let mut lines = vec![line];
    if let StatementError::Lines { named, .. } = &error {
        lines.extend(named.iter().map(|(line, wrong)| {
            let text = w.named("statement_wrong", wrong.name());
            let text = match wrong {
                statement::Wrong::Twice(before) => text.replace("{line}", &before.to_string()),
                _ => text,
            };
            w.with("money.file_line", "line", line).replace("{problem}", &text)
        }));
    }
    officer.refused(UNFIT, lines, DESK)
}
