//! Staff accounts: roles, look-up for the sign-in.

use std::fmt;
use std::str::FromStr;

use contract::Digest;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use time::OffsetDateTime;

use super::password::{PasswordDigest, hash_password};
use crate::audit;
use crate::store::{Constraint, OnConstraint as _, Store, StoreError, new_id, to_ms};

/// What a member of staff may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks at new cases, corrects the plate, accepts or rejects.
    Reviewer,
    /// Approves what another person accepted.
    Approver,
    /// Looks up owners in the registration data.
    Registry,
    /// Users, devices, configuration.
    Admin,
    /// Reads everything, changes nothing.
    Auditor,
}

impl Role {
    pub const ALL: [Self; 5] =
        [Self::Reviewer, Self::Approver, Self::Registry, Self::Admin, Self::Auditor];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Reviewer => "reviewer",
            Self::Approver => "approver",
            Self::Registry => "registry",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| {
            format!("unknown role {text:?}: one of reviewer, approver, registry, admin, auditor")
        })
    }
}

/// A member of staff, without the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: String,
    pub login: String,
    pub name: String,
    pub roles: Vec<Role>,
    pub disabled: bool,
}

impl User {
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("login {0:?} is taken: choose another")]
    LoginTaken(String),
    #[error("login must be 2 to 64 of a-z 0-9 . _ -")]
    BadLogin,
    #[error("name must be 1 to 128 characters")]
    BadName,
    #[error("a user needs at least one role")]
    NoRole,
    #[error("password must have 10 to 256 characters, no control characters such as tab")]
    BadPassword,
    #[error("failed to hash the password: {0}")]
    Hash(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A user to be created.
#[derive(Debug, Clone)]
pub struct NewUser<'a> {
    pub login: &'a str,
    pub name: &'a str,
    pub roles: &'a [Role],
}

const LOGIN: Constraint = Constraint { name: "users_login", columns: "users.login" };

/// Creates a user; returns the new id.
pub async fn create(
    store: &Store,
    at: OffsetDateTime,
    actor: &str,
    user: NewUser<'_>,
    password: String,
) -> Result<String, UserError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    if !(2..=64).contains(&user.login.len()) || !user.login.bytes().all(plain) {
        return Err(UserError::BadLogin);
    }
    let name = user.name.trim();
    if name.is_empty() || name.chars().count() > 128 || name.chars().any(char::is_control) {
        return Err(UserError::BadName);
    }
    if user.roles.is_empty() {
        return Err(UserError::NoRole);
    }
    let password = hash_password(password).await?;
    let mut roles = user.roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    let roles = roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" ");
    let id = new_id(at);
    let mut tx = store.begin().await?;
    sqlx::query(
        "INSERT INTO users (id, login, name, password, roles, disabled, created_at)
         VALUES ($1, $2, $3, $4, $5, 0, $6)",
    )
    .bind(id.as_str())
    .bind(user.login)
    .bind(name)
    .bind(password.as_str())
    .bind(roles.as_str())
    .bind(to_ms(at))
    .execute(&mut *tx)
    .await
    .on_constraint(LOGIN, || UserError::LoginTaken(user.login.to_owned()))?;
    // What verification compares the row with; the digest of a salted hash gives nothing away.
    let detail = serde_json::json!({
        "login": user.login,
        "name": name,
        "roles": roles,
        "password_sha256": Digest::of(password.as_str().as_bytes()).to_string(),
    });
    let entry = audit::Entry {
        at,
        actor,
        action: "user.created",
        subject_kind: "user",
        subject_id: &id,
        detail,
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(id)
}

/// Shuts a user out, or lets them in again: what they decided stays, nothing more is decided in their name.
/// False where there is no such user, or nothing changes.
pub async fn disable(
    store: &Store,
    at: OffsetDateTime,
    actor: &str,
    login: &str,
    disabled: bool,
) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let id: Option<String> = sqlx::query_scalar(
        "UPDATE users SET disabled = $1 WHERE login = $2 AND disabled <> $1 RETURNING id",
    )
    .bind(i64::from(disabled))
    .bind(login.to_owned())
    .fetch_optional(&mut *tx)
    .await?;
    let Some(id) = id else { return Ok(false) };
    let entry = audit::Entry {
        at,
        actor,
        action: if disabled { "user.disabled" } else { "user.enabled" },
        subject_kind: "user",
        subject_id: &id,
        detail: serde_json::json!({ "login": login }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await?;
    Ok(true)
}

/// A user and the stored password by login, disabled ones included.
pub async fn find_by_login(
    store: &Store,
    login: &str,
) -> Result<Option<(User, PasswordDigest)>, StoreError> {
    // No login holds a NUL, and PostgreSQL fails on one.
    if login.contains('\0') {
        return Ok(None);
    }
    sqlx::query("SELECT id, login, name, roles, disabled, password FROM users WHERE login = $1")
        .bind(login)
        .fetch_optional(store.pool())
        .await?
        .map(|row| Ok((from_row(&row)?, PasswordDigest::stored(row.try_get("password")?))))
        .transpose()
}

/// A user by id, disabled ones included.
pub async fn find(store: &Store, id: &str) -> Result<Option<User>, StoreError> {
    sqlx::query("SELECT id, login, name, roles, disabled FROM users WHERE id = $1")
        .bind(id)
        .fetch_optional(store.pool())
        .await?
        .map(|row| from_row(&row))
        .transpose()
}

/// Every user, by login.
pub async fn list(store: &Store) -> Result<Vec<User>, StoreError> {
    sqlx::query("SELECT id, login, name, roles, disabled FROM users ORDER BY login")
        .fetch_all(store.pool())
        .await?
        .iter()
        .map(from_row)
        .collect()
}

fn from_row(row: &AnyRow) -> Result<User, StoreError> {
    let roles: String = row.try_get("roles")?;
    let roles = roles
        .split_whitespace()
        .map(|role| role.parse().map_err(|_| StoreError::corrupt("role", role)))
        .collect::<Result<_, _>>()?;
    Ok(User {
        id: row.try_get("id")?,
        login: row.try_get("login")?,
        name: row.try_get("name")?,
        roles,
        disabled: row.try_get::<i64, _>("disabled")? != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_read_back() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert!("chief".parse::<Role>().is_err());
    }
}
