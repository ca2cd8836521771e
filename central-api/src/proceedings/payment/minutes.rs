//! What a transaction did, kept until its end: rows of the audit are written last, because whoever has
//! the head of the chain waits for nobody any more.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::record::ClaimRow;
use super::settle::Effect;
use crate::audit::{self, Entry};
use crate::store::{StoreError, Tx};

#[derive(Debug, Default)]
pub struct Minutes(Vec<Row>);

#[derive(Debug)]
struct Row {
    actor: String,
    action: &'static str,
    subject: (&'static str, String),
    detail: Value,
}

impl Minutes {
    pub(super) fn note(
        &mut self,
        actor: String,
        action: &'static str,
        (kind, id): (&'static str, &str),
        detail: Value,
    ) {
        self.0.push(Row { actor, action, subject: (kind, id.to_owned()), detail });
    }

    /// What was done to a claim, about its case.
    pub(super) fn claim(
        &mut self,
        actor: String,
        action: &'static str,
        claim: &ClaimRow,
        detail: Value,
    ) {
        self.note(actor, action, ("case", &claim.case_id), detail);
    }

    /// What became of it by that.
    pub(super) fn effect(&mut self, claim: &ClaimRow, effect: Effect) {
        let action = match effect {
            Effect::None => return,
            Effect::Settled => "payment.settled",
            Effect::Reopened => "payment.reopened",
        };
        self.claim("system".into(), action, claim, json!({ "claim": claim.id }));
    }

    /// Writes all of it.
    pub(super) async fn write(
        self,
        tx: &mut Tx<'_>,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        for Row { actor, action, subject: (subject_kind, id), detail } in self.0 {
            let subject_id = &id;
            let entry = Entry { at: now, actor: &actor, action, subject_kind, subject_id, detail };
            audit::append(tx, entry).await?;
        }
        Ok(())
    }
}
