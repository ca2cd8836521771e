//! The offices that members of staff sign by: a title of the law's table of signers, and the
//! delegation of a deputy (giao quyền xử phạt, QĐ-GQXP). An administrator sets them.

use sqlx::Row as _;
use time::OffsetDateTime;

use super::Signature;
use crate::admin::users;
use crate::audit::{self, Entry};
use crate::law::{LawBook, Provision};
use crate::store::{Store, StoreError, to_ms};

/// By which power somebody signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    pub title: String,
    pub delegation: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    #[error("there is no user {0}")]
    UnknownUser(String),
    #[error("{title:?} is no office that signs at present; there are: {known}")]
    UnknownTitle { title: String, known: String },
    #[error("the delegation must have 10 to 500 characters on one line: number and date")]
    Delegation,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why somebody may not sign.
#[derive(Debug, thiserror::Error)]
pub enum PowerError {
    #[error("you have no office that signs decisions: an administrator gives it")]
    NoOffice,
    #[error("{0} may not sign this decision")]
    TooLow(String),
}

impl Signature {
    /// The signature of the user `by` by their office, if it may sign for the provision of an act of
    /// `act`.
    pub fn by_office(
        law: &LawBook,
        (by, office): (&str, Option<Office>),
        (provision, act): (&Provision, OffsetDateTime),
        at: OffsetDateTime,
    ) -> Result<Self, PowerError> {
        let Office { title, delegation } = office.ok_or(PowerError::NoOffice)?;
        if !law.may_sign(&title, provision, act) {
            return Err(PowerError::TooLow(title));
        }
        Ok(Self { by: by.into(), at, title, delegation })
    }
}

/// The office of a user.
pub async fn office(store: &Store, user: &str) -> Result<Option<Office>, StoreError> {
    let row = sqlx::query("SELECT title, delegation FROM offices WHERE user_id = $1")
        .bind(user.to_owned())
        .fetch_optional(store.pool())
        .await?;
    row.map(|row| {
        Ok(Office { title: row.try_get("title")?, delegation: row.try_get("delegation")? })
    })
    .transpose()
}

/// Gives the user of `login` an office, or takes it away.
pub async fn set_office(
    store: &Store,
    law: &LawBook,
    now: OffsetDateTime,
    login: &str,
    office: Option<Office>,
) -> Result<(), OfficeError> {
    let users = users::list(store).await?;
    let user = users.into_iter().find(|user| user.login == login);
    let user = user.ok_or_else(|| OfficeError::UnknownUser(login.to_owned()))?;
    if let Some(office) = &office {
        let known = law.offices(now);
        if !known.contains(&office.title.as_str()) {
            let (title, known) = (office.title.clone(), known.join("; "));
            return Err(OfficeError::UnknownTitle { title, known });
        }
        if office.delegation.as_deref().is_some_and(|it| audit::reason(it).is_none()) {
            return Err(OfficeError::Delegation);
        }
    }
    let mut tx = store.begin().await?;
    match &office {
        Some(office) => {
            sqlx::query(
                "INSERT INTO offices (user_id, title, delegation, since) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (user_id) DO UPDATE SET title = excluded.title,
                     delegation = excluded.delegation, since = excluded.since",
            )
            .bind(user.id.clone())
            .bind(office.title.clone())
            .bind(office.delegation.clone())
            .bind(to_ms(now))
            .execute(&mut *tx)
            .await
        }
        None => {
            sqlx::query("DELETE FROM offices WHERE user_id = $1")
                .bind(user.id.clone())
                .execute(&mut *tx)
                .await
        }
    }
    .map_err(StoreError::from)?;
    let entry = Entry {
        at: now,
        actor: "system",
        action: "user.office",
        subject_kind: "user",
        subject_id: &user.id,
        detail: serde_json::json!({
            "login": login,
            "title": office.as_ref().map(|office| &office.title),
            "delegation": office.as_ref().and_then(|office| office.delegation.as_ref()),
        }),
    };
    audit::append(&mut tx, entry).await?;
    Ok(tx.commit().await.map_err(StoreError::from)?)
}
