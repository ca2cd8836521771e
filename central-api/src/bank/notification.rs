//! `POST /api/payments/v1/notifications`: the bank says that money came in.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use contract::Digest;
use contract::wire::Problem;
use serde::{Deserialize, Serialize};
use time::macros::format_description;
use time::{Date, Duration};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::signature::Key;
use crate::AppState;
use crate::proceedings::payment::{self, Event, Incoming, MOST, Payer, PaymentError, Taken};
use crate::web::problem::{failed, problem};
use crate::web::whole::whole;

/// Largest body: one payment.
const MOST_BYTES: usize = 16 << 10;
/// Longest text of it, in characters.
const LONGEST: usize = 500;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(notify)).layer(DefaultBodyLimit::max(MOST_BYTES))
}

/// A payment on the treasury account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Notification {
    /// Names this notification: the same counts once, however often it is sent.
    event_id: String,
    /// The treasury account.
    account: String,
    /// The bank's number of the transaction, the same that statements give.
    transaction_id: String,
    /// Whole VND.
    #[schema(minimum = 1)]
    #[serde(deserialize_with = "whole")]
    amount: i64,
    /// `VND`.
    currency: String,
    /// The day of value, like 2026-12-31.
    paid_on: String,
    /// What the payer wrote.
    purpose: String,
    #[serde(default)]
    payer_name: String,
    #[serde(default)]
    payer_account: String,
    #[serde(default)]
    payer_bank: String,
}

#[derive(Serialize, ToSchema)]
struct Noted {
    /// `matched` to its claim, `unmatched` and for a clerk, or `known` already.
    result: &'static str,
}

/// A payment came in. Signed: `X-Signature` is the hex of HMAC-SHA-256 over `X-Timestamp` (seconds
/// since 1970, at most five minutes off), a full stop, and the body.
#[utoipa::path(post, path = "/api/payments/v1/notifications", tag = "payments",
    request_body = Notification,
    params(("X-Timestamp" = String, Header), ("X-Signature" = String, Header)),
    responses((status = 200, body = Noted), (status = 401, body = Problem),
        (status = 404, body = Problem, description = "This installation takes no notifications."),
        (status = 409, body = Problem)))]
async fn notify(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Noted>, Response> {
    let file = &state.config.treasury.notification_key_file;
    if file.is_empty() {
        let detail = "this installation takes no notifications";
        return Err(problem(StatusCode::NOT_FOUND, "not_found", detail));
    }
    // Read at every call: a key that was exchanged counts from then on.
    let key = Key::load(file.as_ref()).map_err(failed)?;
    let header = |name| headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let (timestamp, signature) = (header("x-timestamp"), header("x-signature"));
    let now = state.clock.now();
    if !key.verify(timestamp, &body, signature, now) {
        let detail = "X-Signature must be HMAC-SHA-256 over X-Timestamp, a full stop and the body, \
                      sent within five minutes";
        return Err(problem(StatusCode::UNAUTHORIZED, "signature", detail));
    }
    let unfit = |detail: String| problem(StatusCode::UNPROCESSABLE_ENTITY, "unfit", detail);
    let notification: Notification =
        serde_json::from_slice(&body).map_err(|error| unfit(error.to_string()))?;
    let event_id = notification.event_id.clone();
    let account = &state.config.treasury.account;
    let incoming = incoming(notification, account, payment::today(now)).map_err(unfit)?;
    let sha256 = Digest::of(&body).to_string();
    let event = Event { id: &event_id, sha256: &sha256 };
    match payment::notified(&state.store, &state.law, event, &incoming, now).await {
        Ok(Taken::Known) => Ok(Json(Noted { result: "known" })),
        Ok(Taken::Unmatched) => Ok(Json(Noted { result: "unmatched" })),
        Ok(Taken::Assigned(_)) => Ok(Json(Noted { result: "matched" })),
        Err(error @ (PaymentError::OtherAmount(_) | PaymentError::Conflict)) => {
            let detail = match error {
                PaymentError::Conflict => "this event_id was used for another notification".into(),
                other => other.to_string(),
            };
            Err(problem(StatusCode::CONFLICT, "conflict", detail))
        }
        Err(PaymentError::Store(error)) => Err(failed(error)),
        Err(error) => Err(unfit(error.to_string())),
    }
}

fn incoming(said: Notification, account: &str, today: Date) -> Result<Incoming, String> {
    if said.account != account {
        return Err("account is not that of this installation".into());
    }
    if said.currency != "VND" {
        return Err("currency must be VND".into());
    }
    if !(1..=MOST).contains(&said.amount) {
        return Err(format!("amount must be 1 to {MOST}"));
    }
    let texts = [
        ("event_id", &said.event_id, 1),
        ("transaction_id", &said.transaction_id, 1),
        ("purpose", &said.purpose, 0),
        ("payer_name", &said.payer_name, 0),
        ("payer_account", &said.payer_account, 0),
        ("payer_bank", &said.payer_bank, 0),
    ];
    for (name, text, least) in texts {
        let length = text.chars().count();
        if !(least..=LONGEST).contains(&length) || text.chars().any(char::is_control) {
            return Err(format!("{name} must have {least} to {LONGEST} characters on one line"));
        }
    }
    let paid_on = Date::parse(&said.paid_on, format_description!("[year]-[month]-[day]"))
        .ok()
        .filter(|day| (today - Duration::days(366)..=today + Duration::DAY).contains(day))
        .ok_or("paid_on must be a day of the last year like 2026-12-31")?;
    Ok(Incoming {
        account: said.account,
        bank_id: said.transaction_id.trim().to_owned(),
        amount: said.amount,
        paid_on,
        purpose: said.purpose,
        payer: Payer { name: said.payer_name, account: said.payer_account, bank: said.payer_bank },
        is_returned: false,
    })
}
