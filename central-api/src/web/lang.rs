//! The reader's language: a cookie, Vietnamese without one.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::response::Redirect;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;

use super::words::Lang;

const COOKIE: &str = "lang";

impl<S: Sync> FromRequestParts<S> for Lang {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let jar = CookieJar::from_headers(&parts.headers);
        Ok(jar.get(COOKIE).map_or_else(Self::default, |cookie| Self::parse(cookie.value())))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Switch {
    to: String,
    #[serde(default)]
    back: String,
}

pub(super) async fn switch(jar: CookieJar, Query(query): Query<Switch>) -> (CookieJar, Redirect) {
    let cookie = Cookie::build((COOKIE, Lang::parse(&query.to).code()))
        .path("/")
        .same_site(SameSite::Lax)
        .permanent();
    (jar.add(cookie), Redirect::to(local(&query.back)))
}

/// `path` if it leads nowhere but this site.
pub fn local(path: &str) -> &str {
    let plain = path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if path.starts_with('/') && !path.starts_with("//") && plain { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn redirects_stay_here() {
        assert_eq!(local("/ho-so/1?a=b"), "/ho-so/1?a=b");
        for foreign in ["//evil", "https://evil", "/\\evil", "", "/a\nb"] {
            assert_eq!(local(foreign), "/", "{foreign}");
        }
    }
}
