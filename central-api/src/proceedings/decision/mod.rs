//! The decision on a fine (quyết định xử phạt vi phạm hành chính, MQĐ02; Luật XLVPHC Điều 67, 68): a
//! clerk proposes it on the minutes, a leader whose office may sign it signs, the central prints and
//! numbers it and opens the claim. It is undone by annulment, which two people decide (NĐ 118/2021
//! Điều 13).

mod act;
mod annulment_form;
mod form;
mod issue;
mod obstacle;
mod office;
mod points_form;
mod states;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::row::{self, Content};
use crate::law::{Circumstances, LawBook, Payer, Provision, Side};
use crate::store::{Store, StoreError, Tx};

pub use act::{DecisionError, Proposed, propose, settle};
pub use issue::{annul, issue, print_points};
pub use obstacle::{Obstacle, obstacles};
pub use office::{Office, OfficeError, PowerError, office, set_office};
pub use states::{Action, Refusal, State, TABLE, Who, allowed, leads, next};

/// What is on record of a case.
pub type Row = row::Row<Decision>;

/// What a clerk proposes, and on what it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Version of the minutes it stands on.
    pub minutes: i64,
    pub payer: Payer,
    /// Keys of the law's circumstances.
    pub circumstances: Vec<String>,
    /// VND.
    pub amount: i64,
    /// The provision at that time; its points are those that come off this violator's licence.
    pub provision: Provision,
    /// What is to be put right, and in which term; nothing where empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    pub note: String,
    pub by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// Who signed, and by which power.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub title: String,
    /// Of a deputy, who signs for the head (KT.): number and date of the delegation.
    pub delegation: Option<String>,
}

impl Signature {
    /// As a document writes the office above the name.
    pub fn office(&self) -> String {
        let title = self.title.to_uppercase();
        if self.delegation.is_some() { format!("KT. {title}") } else { title }
    }
}

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    pub number: String,
    pub code: String,
    /// What whoever pays writes in the purpose.
    pub reference: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// Who asked for the annulment and why, and who agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    pub by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub reason: String,
    /// Who agreed, and by which power.
    pub signature: Option<Signature>,
}

/// The decision of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub state: State,
    /// Counts anew after an annulment.
    pub round: u32,
    pub proposal: Proposal,
    pub signature: Option<Signature>,
    pub issued: Option<Issued>,
    pub undo: Option<Undo>,
    /// Why the leader last sent the proposal back.
    pub returned: Option<String>,
}

impl Content for Decision {
    const NAME: &'static str = "decision";

    fn state(&self) -> &'static str {
        self.state.name()
    }
}

/// How many wait for a leader.
pub async fn waiting(store: &Store) -> Result<u64, StoreError> {
    let proposed = row::count_notified::<Decision>(store, State::Proposed.name()).await?;
    Ok(proposed + row::count_notified::<Decision>(store, State::Annulling.name()).await?)
}

/// Whether a decision of the case is signed and not annulled, as a transaction sees it that has the
/// case's row.
pub async fn stands(tx: &mut Tx<'_>, case: &str) -> Result<bool, StoreError> {
    let row: Option<Row> = row::read(tx, case).await?;
    Ok(row.is_some_and(|row| row.content.state.stands()))
}

/// How many of the named circumstances are on each side; none where one is not the law's, or named
/// twice.
pub fn counted(law: &LawBook, keys: &[String]) -> Option<Circumstances> {
    let mut found = Circumstances::default();
    for (index, key) in keys.iter().enumerate() {
        let known = law.circumstances().iter().find(|it| it.key == *key)?;
        if keys[..index].contains(key) {
            return None;
        }
        match known.side {
            Side::Mitigating => found.mitigating += 1,
            Side::Aggravating => found.aggravating += 1,
        }
    }
    Some(found)
}
