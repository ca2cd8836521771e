//! What is sent to another unit about a case (TT 73/2024/TT-BCA Điều 24): who sends it, whether that unit
//! resolves the case then, and what it may answer.

use serde::Deserialize;
use time::Date;

use super::LawError;
use super::book::{day, entry};
use super::schema::ReferralRow;

/// In whose hand the sending is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    Clerk,
    /// Another person than the clerk who asked for it.
    Leader,
}

/// What the other unit may answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferralAnswer {
    pub name: String,
    pub text: String,
    /// The case is resolved by it: every warning goes, and nothing is decided here any more.
    #[serde(default)]
    pub settles: bool,
}

/// The rules for one kind of document, in force from a day on.
#[derive(Debug, Clone)]
pub struct ReferralRules {
    from: Date,
    kind: String,
    pub sender: Sender,
    /// While it is out the other unit resolves the case, and nothing is decided here.
    pub hands_over: bool,
    pub answers: Vec<ReferralAnswer>,
}

pub(super) fn read(file: &str, rows: Vec<ReferralRow>) -> Result<Vec<ReferralRules>, LawError> {
    let mut all: Vec<ReferralRules> = Vec::new();
    for row in rows {
        let wrong = |problem: &str| {
            entry(file, &format!("referral {} from {}", row.kind, row.from), problem)
        };
        let from = day(&row.from).ok_or_else(|| wrong("from is not a date like 2025-01-01"))?;
        let from = from.date();
        if all.iter().any(|other| other.kind == row.kind && other.from == from) {
            return Err(wrong("is there twice"));
        }
        let named = |it: &ReferralAnswer| !it.name.is_empty() && !it.text.trim().is_empty();
        if row.answers.is_empty() || !row.answers.iter().all(named) || row.source.trim().is_empty()
        {
            return Err(wrong("needs a source and answers, each with a name and a text"));
        }
        if !row.hands_over && row.answers.iter().any(|it| it.settles) {
            return Err(wrong("cannot settle a case that it does not hand over"));
        }
        let (sender, hands_over) = (row.sender, row.hands_over);
        all.push(ReferralRules { from, kind: row.kind, sender, hands_over, answers: row.answers });
    }
    all.sort_by_key(|rules| std::cmp::Reverse(rules.from));
    Ok(all)
}

impl ReferralRules {
    pub(super) fn are_for(&self, kind: &str, on: Date) -> bool {
        self.kind == kind && self.from <= on
    }

    pub fn answer(&self, name: &str) -> Option<&ReferralAnswer> {
        self.answers.iter().find(|answer| answer.name == name)
    }
}
