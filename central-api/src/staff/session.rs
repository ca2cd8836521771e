//! Who is signed in: a random token in a cookie, its digest in the database. Sessions end after a
//! pause and in any case after some hours; a disabled user's session is worth nothing.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use contract::Digest;
use sqlx::Row as _;
use time::{Duration, OffsetDateTime};

use crate::AppState;
use crate::admin::users::{self, Role, User};
use crate::case::{self, Actor};
use crate::proceedings::{decision, order, owner, payment, referral};
use crate::secret::random_token;
use crate::store::{StoreError, to_ms};
use crate::web::problem::{failed, problem};
use crate::web::shell::StaffFrame;
use crate::web::{Lang, Shell, WebError};

const COOKIE: &str = "session";

/// A signed-in officer.
#[derive(Debug, Clone)]
pub struct Officer {
    pub user: User,
    pub csrf: String,
    pub lang: Lang,
    /// Path and query of the request.
    pub here: String,
    token_hash: String,
}

impl Officer {
    pub fn reviews(&self) -> bool {
        self.user.has(Role::Reviewer)
    }

    pub fn approves(&self) -> bool {
        self.user.has(Role::Approver)
    }

    /// Whether the officer may look at cases at all: administrators may not.
    pub fn reads_cases(&self) -> bool {
        [Role::Reviewer, Role::Approver, Role::Auditor, Role::Registry]
            .into_iter()
            .any(|role| self.user.has(role))
    }

    /// Whether the officer answers for the boxes at the road, or looks over those who do.
    pub fn sees_boxes(&self) -> bool {
        [Role::Admin, Role::Auditor].into_iter().any(|role| self.user.has(role))
    }

    /// Whether the officer's work is with owners, or looks over those whose it is.
    pub fn sees_owners(&self) -> bool {
        [Role::Registry, Role::Approver, Role::Auditor].into_iter().any(|role| self.user.has(role))
    }

    /// Whether the officer may look for the cases of a fault.
    pub fn sees_recalls(&self) -> bool {
        [Role::Approver, Role::Auditor].into_iter().any(|role| self.user.has(role))
    }

    /// Whether the officer may say who an owner is.
    pub fn names_owners(&self) -> bool {
        self.user.has(Role::Registry)
    }

    /// Whether the officer sends documents out and puts their deliveries on record.
    pub fn sends_papers(&self) -> bool {
        self.user.has(Role::Registry)
    }

    /// Whether the officer's work is with money, or looks over those whose it is.
    pub fn sees_money(&self) -> bool {
        self.sees_owners()
    }

    /// Whether the officer takes statements in, assigns receipts and asks for refunds, which an approver
    /// confirms.
    pub fn books_money(&self) -> bool {
        self.user.has(Role::Registry)
    }

    /// Whether the officer may let work that was given up be tried again.
    pub fn revives(&self) -> bool {
        self.approves() || self.user.has(Role::Admin)
    }

    pub fn actor(&self) -> Actor {
        Actor::Officer {
            user_id: self.user.id.clone(),
            login: self.user.login.clone(),
            reviews: self.reviews(),
            approves: self.approves(),
        }
    }

    /// Where this officer's work is.
    pub fn home(&self) -> &'static str {
        home(&self.user)
    }

    /// The frame of a page under `tab`.
    pub async fn shell(&self, state: &AppState, tab: &'static str) -> Result<Shell, StoreError> {
        let counts = case::count(&state.store).await?;
        Ok(Shell {
            lang: self.lang,
            here: self.here.clone(),
            staff: Some(StaffFrame {
                name: self.user.name.clone(),
                csrf: self.csrf.clone(),
                reviews: self.reviews(),
                approves: self.approves(),
                reads_cases: self.reads_cases(),
                sees_owners: self.sees_owners(),
                sees_recalls: self.sees_recalls(),
                sees_boxes: self.sees_boxes(),
                to_review: counts.to_review(),
                to_approve: counts.to_approve(),
                to_recheck: match self.approves() {
                    true => case::recheck_count(&state.store, &self.user.id).await?,
                    false => 0,
                },
                sees_money: self.sees_money(),
                to_book: match self.sees_money() {
                    true => payment::counts(&state.store).await?,
                    false => 0,
                },
                to_name: match self.sees_owners() {
                    true => owner::waiting_count(&state.store).await?,
                    false => 0,
                },
                to_sign: match self.sees_owners() {
                    true => {
                        decision::waiting(&state.store).await?
                            + order::waiting(&state.store).await?
                            + referral::waiting(&state.store).await?
                    }
                    false => 0,
                },
                tab,
            }),
        })
    }

    /// That something was not done, why, and the way back.
    pub(super) fn refused(
        &self,
        status: StatusCode,
        lines: Vec<String>,
        back: impl Into<String>,
    ) -> WebError {
        WebError::Message {
            lang: self.lang,
            status,
            title: "error.refused_title",
            lines,
            back: back.into(),
        }
    }

    /// Refuses a form that was not made for this session.
    pub fn check_csrf(&self, token: &str) -> Result<(), WebError> {
        if same(token, &self.csrf) {
            return Ok(());
        }
        Err(WebError::Message {
            lang: self.lang,
            status: StatusCode::FORBIDDEN,
            title: "error.bad_request_title",
            lines: vec![self.lang.words().t("error.form_expired").to_owned()],
            back: self.home().into(),
        })
    }

    pub(super) async fn end(&self, state: &AppState) -> Result<(), StoreError> {
        state
            .store
            .write(
                sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
                    .bind(self.token_hash.clone()),
            )
            .await?;
        Ok(())
    }
}

/// The page where a user's work is.
pub(super) fn home(user: &User) -> &'static str {
    match user {
        user if user.has(Role::Reviewer) => "/xet-duyet",
        user if user.has(Role::Approver) => "/phe-duyet",
        user if user.has(Role::Registry) => "/chu-xe",
        user if user.has(Role::Auditor) => "/ho-so",
        _ => "/thiet-bi",
    }
}

/// Compares digests, so that the time tells nothing about the token.
fn same(a: &str, b: &str) -> bool {
    Digest::of(a.as_bytes()) == Digest::of(b.as_bytes())
}

/// A new session for `user`: the cookie's value and the form token.
pub(super) async fn start(
    state: &AppState,
    user: &User,
    now: OffsetDateTime,
) -> Result<(Cookie<'static>, String), StoreError> {
    let (token, csrf) = (random_token(), random_token());
    let hours = i64::from(state.config.staff.session_hours);
    let expires = now + Duration::hours(hours);
    state
        .store
        .write(sqlx::query("DELETE FROM sessions WHERE expires_at < $1").bind(to_ms(now)))
        .await?;
    state
        .store
        .write(
            sqlx::query(
                "INSERT INTO sessions (token_hash, user_id, csrf, created_at, seen_at, expires_at)
         VALUES ($1, $2, $3, $4, $4, $5)",
            )
            .bind(Digest::of(token.as_bytes()).to_string())
            .bind(user.id.clone())
            .bind(csrf.clone())
            .bind(to_ms(now))
            .bind(to_ms(expires)),
        )
        .await?;
    let cookie = Cookie::build((COOKIE, token))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(state.config.web.is_https())
        .max_age(Duration::hours(hours))
        .build();
    Ok((cookie, csrf))
}

/// The cookie that removes the session's.
pub(super) fn removal() -> Cookie<'static> {
    Cookie::build((COOKIE, "")).path("/").max_age(Duration::ZERO).build()
}

async fn load(parts: &Parts, state: &AppState) -> Result<Option<Officer>, StoreError> {
    let jar = CookieJar::from_headers(&parts.headers);
    let Some(cookie) = jar.get(COOKIE) else { return Ok(None) };
    let token_hash = Digest::of(cookie.value().as_bytes()).to_string();
    let row = sqlx::query(
        "SELECT user_id, csrf, seen_at, expires_at FROM sessions WHERE token_hash = $1",
    )
    .bind(token_hash.clone())
    .fetch_optional(state.store.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let now = to_ms(state.clock.now());
    let seen: i64 = row.try_get("seen_at")?;
    let idle = i64::from(state.config.staff.idle_minutes) * 60_000;
    if now >= row.try_get::<i64, _>("expires_at")? || now - seen >= idle {
        return Ok(None);
    }
    let id: String = row.try_get("user_id")?;
    let Some(user) = users::find(&state.store, &id).await?.filter(|user| !user.disabled) else {
        return Ok(None);
    };
    // A page loads many pictures: one write a minute is enough.
    if now - seen > 60_000 {
        state
            .store
            .write(
                sqlx::query("UPDATE sessions SET seen_at = $1 WHERE token_hash = $2")
                    .bind(now)
                    .bind(token_hash.clone()),
            )
            .await?;
    }
    let lang = jar.get("lang").map_or_else(Lang::default, |cookie| Lang::parse(cookie.value()));
    let here = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    Ok(Some(Officer { user, csrf: row.try_get("csrf")?, lang, here, token_hash }))
}

impl FromRequestParts<AppState> for Officer {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, WebError> {
        match load(parts, state).await? {
            Some(officer) => Ok(officer),
            None => {
                let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
                let back = if parts.method == axum::http::Method::GET { path } else { "/" };
                Err(WebError::SignIn { back: back.into() })
            }
        }
    }
}

/// The same for the API: 401 instead of the sign-in page; writing needs the token in a header.
#[derive(Debug, Clone)]
pub struct ApiOfficer(pub Officer);

impl FromRequestParts<AppState> for ApiOfficer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let officer = load(parts, state).await.map_err(failed)?;
        let officer = officer.ok_or_else(|| {
            let detail = "sign in with POST /api/v1/session first";
            problem(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
        })?;
        if parts.method != axum::http::Method::GET {
            let token = parts.headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
            if !token.is_some_and(|token| same(token, &officer.csrf)) {
                let detail = "send the session's csrf in the header X-CSRF-Token";
                return Err(problem(StatusCode::FORBIDDEN, "csrf", detail));
            }
        }
        Ok(Self(officer))
    }
}
