//! Users against what the audit says of them, and who might do what when.

use std::collections::HashMap;

use contract::Digest;
use sqlx::{AnyConnection, Row as _};
use time::OffsetDateTime;

use super::Report;
use super::cases::{Bench, CHANGED, compare, entries};
use crate::admin::users::Role;
use crate::case::Value;
use crate::proceedings::Hand;
use crate::store::{StoreError, to_ms};

/// Title and delegation of an office.
type Office = (String, Option<String>);

/// Everybody, by login.
#[derive(Default)]
pub(super) struct People(HashMap<String, Person>);

#[derive(Default)]
struct Person {
    id: String,
    roles: Vec<Role>,
    /// From when on which office was held; none where it was taken away.
    offices: Vec<(OffsetDateTime, Option<Office>)>,
}

impl People {
    pub fn id(&self, login: &str) -> Option<&str> {
        self.0.get(login).map(|person| person.id.as_str())
    }
}

impl Bench<'_> {
    /// The hands of whoever acted, if they are who they say; none otherwise.
    pub fn hands(&self, actor: &str, by: Option<&str>) -> Vec<Hand> {
        let person = actor.strip_prefix("user:").and_then(|login| self.people.0.get(login));
        let Some(person) = person.filter(|person| by == Some(person.id.as_str())) else {
            return Vec::new();
        };
        let hand = |role: &Role| match role {
            Role::Registry => Some(Hand::Clerk),
            Role::Approver => Some(Hand::Leader),
            Role::Reviewer | Role::Admin | Role::Auditor => None,
        };
        person.roles.iter().filter_map(hand).collect()
    }

    /// The office that a user held at a time.
    pub fn office(&self, id: &str, at: OffsetDateTime) -> Option<(&str, Option<&str>)> {
        let person = self.people.0.values().find(|person| person.id == id)?;
        let last = person.offices.iter().rev().find(|(from, _)| to_ms(*from) <= to_ms(at))?;
        let (title, delegation) = last.1.as_ref()?;
        Some((title, delegation.as_deref()))
    }
}

/// Checks every user's row.
pub(super) async fn check(
    report: &mut Report,
    view: &mut AnyConnection,
) -> Result<People, StoreError> {
    let rows = sqlx::query(
        "SELECT id, login, name, password, roles, disabled, created_at FROM users ORDER BY id",
    )
    .fetch_all(&mut *view)
    .await?;
    let mut people = People::default();
    for row in &rows {
        let id: String = row.try_get("id")?;
        let subject = format!("user {id}");
        let entries = entries(view, "user", &id).await?;
        let Some(created) = entries.iter().find(|entry| entry.action == "user.created") else {
            report.add(subject, "no row of the audit says that it was created");
            continue;
        };
        let said = |key: &str| created.detail.get(key).and_then(|it| it.as_str());
        let disabled = entries.iter().rev().find_map(|entry| match entry.action.as_str() {
            "user.disabled" => Some(1),
            "user.enabled" => Some(0),
            _ => None,
        });
        let mut columns = vec![
            ("created_at", Value::Integer(Some(to_ms(created.at)))),
            ("disabled", Value::Integer(Some(disabled.unwrap_or(0)))),
        ];
        for name in ["login", "name", "roles"] {
            if let Some(text) = said(name) {
                columns.push((name, Value::Text(Some(text.to_owned()))));
            }
        }
        compare(report, &subject, row, &columns);
        if let Some(digest) = said("password_sha256") {
            let password: String = row.try_get("password")?;
            if Digest::of(password.as_bytes()).to_string() != digest {
                report.add(&subject, format!("column password {CHANGED}"));
            }
        }
        let roles = said("roles").unwrap_or_default().split(' ');
        let offices = entries.iter().filter(|entry| entry.action == "user.office").map(|entry| {
            let text = |key: &str| entry.detail.get(key)?.as_str().map(str::to_owned);
            (entry.at, text("title").map(|title| (title, text("delegation"))))
        });
        let person = Person {
            roles: roles.filter_map(|role| role.parse().ok()).collect(),
            offices: offices.collect(),
            id,
        };
        if let Some(login) = said("login") {
            people.0.insert(login.to_owned(), person);
        }
    }
    Ok(people)
}
