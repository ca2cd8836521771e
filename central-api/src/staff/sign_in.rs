//! Signing in and out. Too many failures of one login from one place, of one place, or of one login
//! from anywhere pause further tries; what succeeds is not counted. A browser that has signed the
//! login in before is counted by itself, so that no stranger locks an officer out. The answer
//! never tells whether a login exists.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::Cookie;
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::known_browser;
use super::session::{self, Officer};
use crate::AppState;
use crate::admin::password;
use crate::admin::users::{self, User};
use crate::audit;
use crate::config::Staff;
use crate::store::StoreError;
use crate::web::address::Client;
use crate::web::attempts::Limit;
use crate::web::problem::page;
use crate::web::{Lang, Shell, WebError, Words, form_token, lang};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    shell: Shell,
    w: &'static Words,
    token: String,
    back: String,
    login: String,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    ve: String,
}

pub(super) async fn form(
    State(state): State<AppState>,
    lang: Lang,
    jar: CookieJar,
    Query(back): Query<Back>,
) -> Result<Response, WebError> {
    show(&state, lang, jar, StatusCode::OK, back.ve, String::new(), None).await
}

async fn show(
    state: &AppState,
    lang: Lang,
    jar: CookieJar,
    status: StatusCode,
    back: String,
    login: String,
    error: Option<String>,
) -> Result<Response, WebError> {
    let (jar, token) = form_token::issue(state, jar).await?;
    let shell = Shell::public(lang, "/dang-nhap");
    let template = SignInPage { shell, w: lang.words(), token, back, login, error };
    Ok((jar, page(status, &template)?).into_response())
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    #[serde(default)]
    token: String,
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    back: String,
}

pub(super) async fn submit(
    State(state): State<AppState>,
    lang: Lang,
    client: Client,
    jar: CookieJar,
    Form(form): Form<SignIn>,
) -> Result<Response, WebError> {
    let w = lang.words();
    if !form_token::verify(&state, &jar, &form.token).await? {
        let error = Some(w.t("sign_in.expired").to_owned());
        return show(&state, lang, jar, StatusCode::FORBIDDEN, form.back, form.login, error).await;
    }
    match sign_in(&state, client, &jar, &form.login, form.password).await? {
        Outcome::Welcome(user, known) => {
            let (cookie, _) = session::start(&state, &user, state.clock.now()).await?;
            let to = match lang::local(&form.back) {
                "/" => session::home(&user),
                path => path,
            };
            Ok((jar.add(cookie).add(*known), Redirect::to(to)).into_response())
        }
        Outcome::Wrong => {
            let error = Some(w.t("sign_in.wrong").to_owned());
            let status = StatusCode::UNAUTHORIZED;
            show(&state, lang, jar, status, form.back, form.login, error).await
        }
        Outcome::Paused(remaining) => {
            let minutes = remaining.whole_minutes() + 1;
            let error = Some(w.with("sign_in.paused", "minutes", minutes));
            let status = StatusCode::TOO_MANY_REQUESTS;
            show(&state, lang, jar, status, form.back, form.login, error).await
        }
        Outcome::Busy => {
            let error = Some(w.t("sign_in.busy").to_owned());
            let status = StatusCode::SERVICE_UNAVAILABLE;
            show(&state, lang, jar, status, form.back, form.login, error).await
        }
    }
}

/// How a try ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Who it is, and the cookie that makes the browser known.
    Welcome(User, Box<Cookie<'static>>),
    Wrong,
    Paused(Duration),
    /// Too many passwords are being checked: nothing was counted.
    Busy,
}

/// Unknown browsers may fail this often for one login from anywhere, in `login_attempts`.
const LOGIN_FACTOR: u32 = 4;
/// One address serves an office: more than one person fails there.
const PLACE_FACTOR: u32 = 10;

/// The limits that one try counts against, each with whose count it is.
fn limits(
    settings: &Staff,
    client: Client,
    login: &str,
    known: Option<String>,
) -> Vec<(Limit, String)> {
    let window = Duration::minutes(i64::from(settings.login_pause_minutes.max(1)));
    let count = settings.login_attempts;
    let limit = |name, factor| Limit { name, count: count.saturating_mul(factor), window };
    match known {
        Some(browser) => vec![(limit("sign-in-browser", 1), browser)],
        None => vec![
            (limit("sign-in", 1), format!("{login}\n{}", client.group())),
            (limit("sign-in-place", PLACE_FACTOR), client.group()),
            (limit("sign-in-login", LOGIN_FACTOR), login.to_owned()),
        ],
    }
}

/// Checks a login and password; the caller starts the session.
pub(super) async fn sign_in(
    state: &AppState,
    client: Client,
    jar: &CookieJar,
    login: &str,
    password: String,
) -> Result<Outcome, StoreError> {
    let store = &state.store;
    let login = login.trim();
    // Waiting comes before counting: only what is looked at counts while its answer is open.
    let Some(_turn) = password::turn().await else { return Ok(Outcome::Busy) };
    let now = state.clock.now();
    let known = known_browser::recognise(state, jar, login, now).await?;
    let limits = limits(&state.config.staff, client, login, known);
    // A try is counted before the password is looked at, so that parallel tries all count.
    for (at, (limit, who)) in limits.iter().enumerate() {
        if !limit.take(store, who, now).await? {
            for (limit, who) in &limits[..at] {
                limit.give_back(store, who, now).await?;
            }
            tracing::warn!(limit = limit.name, "sign-in paused after too many failures");
            return Ok(Outcome::Paused(limit.remaining(now)));
        }
    }
    let (user, stored) = users::find_by_login(store, login).await?.unzip();
    let right = password::verify_password(stored, password).await;
    match user.filter(|user| right && !user.disabled) {
        Some(user) => {
            // The first limit is this person's own: a success forgets its failures.
            for (at, (limit, who)) in limits.iter().enumerate() {
                match at {
                    0 => limit.clear(store, who, now).await?,
                    _ => limit.give_back(store, who, now).await?,
                }
            }
            record(state, &user, "user.signed_in", now).await?;
            let cookie = known_browser::remember(state, login, now).await?;
            Ok(Outcome::Welcome(user, Box::new(cookie)))
        }
        None => {
            tracing::warn!("sign-in failed");
            Ok(Outcome::Wrong)
        }
    }
}

pub(super) async fn record(
    state: &AppState,
    user: &User,
    action: &'static str,
    at: OffsetDateTime,
) -> Result<(), StoreError> {
    let actor = format!("user:{}", user.login);
    let mut tx = state.store.begin().await?;
    let entry = audit::Entry {
        at,
        actor: &actor,
        action,
        subject_kind: "user",
        subject_id: &user.id,
        detail: serde_json::json!({}),
    };
    audit::append(&mut tx, entry).await?;
    Ok(tx.commit().await?)
}

#[derive(Debug, Deserialize)]
pub(super) struct SignOut {
    #[serde(default)]
    csrf: String,
}

pub(super) async fn sign_out(
    State(state): State<AppState>,
    officer: Officer,
    jar: CookieJar,
    Form(form): Form<SignOut>,
) -> Result<Response, WebError> {
    officer.check_csrf(&form.csrf)?;
    officer.end(&state).await?;
    record(&state, &officer.user, "user.signed_out", state.clock.now()).await?;
    Ok((jar.add(session::removal()), Redirect::to("/dang-nhap")).into_response())
}
