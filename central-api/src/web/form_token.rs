//! CSRF tokens of forms that are shown before sign-in: a random cookie and its signature in the
//! form. Another site can neither read the cookie nor sign for it.

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

use crate::AppState;
use crate::secret::{Secret, random_token};
use crate::store::StoreError;

const COOKIE: &str = "form";
const KEY: &str = "forms";

/// The jar with a form cookie and the token for the form.
pub async fn issue(state: &AppState, jar: CookieJar) -> Result<(CookieJar, String), StoreError> {
    let secret = Secret::load(&state.store, KEY).await?;
    let (jar, value) = match jar.get(COOKIE).map(|cookie| cookie.value().to_owned()) {
        Some(value) => (jar, value),
        None => {
            let value = random_token();
            let cookie = Cookie::build((COOKIE, value.clone()))
                .path("/")
                .http_only(true)
                .same_site(SameSite::Strict)
                .secure(state.config.web.is_https());
            (jar.add(cookie), value)
        }
    };
    let token = secret.sign(&value);
    Ok((jar, token))
}

/// Whether `token` came with the form that set the cookie.
pub async fn verify(state: &AppState, jar: &CookieJar, token: &str) -> Result<bool, StoreError> {
    let Some(cookie) = jar.get(COOKIE) else { return Ok(false) };
    Ok(Secret::load(&state.store, KEY).await?.verify(cookie.value(), token))
}
