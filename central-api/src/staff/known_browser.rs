//! Browsers that have signed a login in before: a signed cookie for each login and browser.
//!
//! Whoever guesses at a login from many addresses makes it pause for strangers; the officer's own
//! browser is counted apart and goes on working (OWASP calls this a device cookie).

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use contract::Digest;
use time::{Duration, OffsetDateTime};

use crate::AppState;
use crate::secret::{Secret, random_token};
use crate::store::{StoreError, to_ms};

const KEY: &str = "known-browsers";
const VALIDITY: Duration = Duration::days(180);

/// Officers share computers: each login has its own cookie.
fn name(login: &str) -> String {
    let digest = Digest::of(login.as_bytes()).to_string();
    format!("known-{}", &digest[..16])
}

fn signed(login: &str, issued: &str, id: &str) -> String {
    format!("{login}\n{issued}\n{id}")
}

/// The cookie that makes this browser known for `login`.
pub(super) async fn remember(
    state: &AppState,
    login: &str,
    now: OffsetDateTime,
) -> Result<Cookie<'static>, StoreError> {
    let (issued, id) = (to_ms(now).to_string(), random_token());
    let secret = Secret::load(&state.store, KEY).await?;
    let signature = secret.sign(&signed(login, &issued, &id));
    Ok(Cookie::build((name(login), format!("{issued}.{id}.{signature}")))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(state.config.web.is_https())
        .max_age(VALIDITY)
        .build())
}

/// What this browser is known by, where it has signed `login` in before.
pub(super) async fn recognise(
    state: &AppState,
    jar: &CookieJar,
    login: &str,
    now: OffsetDateTime,
) -> Result<Option<String>, StoreError> {
    let Some(cookie) = jar.get(&name(login)) else { return Ok(None) };
    let mut parts = cookie.value().split('.');
    let (Some(issued), Some(id), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Ok(None);
    };
    let fresh = issued.parse::<i64>().is_ok_and(|at| to_ms(now - VALIDITY) <= at);
    let secret = Secret::load(&state.store, KEY).await?;
    let ours = fresh && secret.verify(&signed(login, issued, id), signature);
    Ok(ours.then(|| id.to_owned()))
}
