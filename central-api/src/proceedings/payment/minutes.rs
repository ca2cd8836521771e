//! Rows of the audit about claims, kept until the end of their transaction.

use serde_json::{Value, json};

use super::record::ClaimRow;
use super::settle::Effect;
pub use crate::audit::Pending as Minutes;

impl Minutes {
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
}
