//! What a transaction did, kept until its end: rows of the audit are written last and in one go, because
//! whoever has the head of the chain holds up everybody.

use serde_json::Value;
use time::OffsetDateTime;

use super::{Entry, append_all};
use crate::store::{StoreError, Tx};

#[derive(Debug, Default)]
pub struct Pending(Vec<Row>);

#[derive(Debug)]
struct Row {
    actor: String,
    action: &'static str,
    subject: (&'static str, String),
    detail: Value,
}

impl Pending {
    pub fn note(
        &mut self,
        actor: String,
        action: &'static str,
        (kind, id): (&'static str, &str),
        detail: Value,
    ) {
        self.0.push(Row { actor, action, subject: (kind, id.to_owned()), detail });
    }

    /// Writes all of it, in order.
    pub async fn write(self, tx: &mut Tx<'_>, now: OffsetDateTime) -> Result<(), StoreError> {
        let entries = self.0.iter().map(|row| Entry {
            at: now,
            actor: &row.actor,
            action: row.action,
            subject_kind: row.subject.0,
            subject_id: &row.subject.1,
            detail: row.detail.clone(),
        });
        append_all(tx, entries.collect()).await
    }
}
