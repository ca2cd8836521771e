//! Statements of the treasury account, as banks give them out: CSV with the usual columns, or CAMT.053.
//! A file is taken whole or not at all; one that comes again, or overlaps with another, changes nothing
//! that is on record.

mod amount;
mod camt;
mod csv;
mod wrong;

use std::collections::{BTreeSet, HashMap};

use contract::Digest;
use serde_json::json;
use time::{Date, Duration, OffsetDateTime};

use super::assign::settled;
use super::minutes::Minutes;
use super::receipt::{Entered, Incoming, Source, take_in};
use super::settle::Effect;
use super::{By, PaymentError, today, turn};
use crate::config::Treasury;
use crate::law::LawBook;
use crate::store::{Store, StoreError};

pub use wrong::Wrong;

/// Largest file.
pub const MOST_BYTES: usize = 8 << 20;
/// Most transactions of one file: they are written in one transaction, which nobody else writes beside
/// on SQLite.
pub const MOST_LINES: usize = 5_000;
/// Problems of a file that are named.
const MOST_NAMED: usize = 20;
/// Longest purpose, name or number kept, in characters.
const LONGEST: usize = 500;
/// Older transactions are no news.
const OLDEST: Duration = Duration::days(3 * 366);

#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    #[error("no treasury account is configured: set bank, account and name in [treasury]")]
    NoTreasury,
    #[error("the file is larger than {} MiB", MOST_BYTES >> 20)]
    Large,
    #[error("the file has more than {MOST_LINES} transactions: ask the bank for shorter periods")]
    Many,
    #[error("the file is neither CSV nor XML in UTF-8: {0}")]
    Form(String),
    #[error("the header lacks {}", .0.join(", "))]
    Columns(Vec<String>),
    /// Nothing was booked. The first ones, by line.
    #[error("nothing was booked, {count} lines are wrong:\n{}", lines(.named))]
    Lines { count: usize, named: Vec<(u64, Wrong)> },
    #[error("the file has no transaction")]
    Empty,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Put on their claims.
    pub matched: usize,
    /// New, and for a clerk.
    pub unmatched: usize,
    pub known: usize,
    /// Claims that this settled.
    pub settled: usize,
    /// Money that went out or is only announced: nothing of it is booked.
    pub outgoing: usize,
    pub pending: usize,
}

/// The transactions of a file that are to be booked, each with its line, and those that are not.
#[derive(Debug, Default, PartialEq, Eq)]
struct Statement {
    incoming: Vec<(u64, Incoming)>,
    outgoing: usize,
    pending: usize,
    wrong: Vec<(u64, Wrong)>,
}

/// Takes in a whole file.
pub async fn import(
    store: &Store,
    law: &LawBook,
    treasury: &Treasury,
    bytes: &[u8],
    by: By<'_>,
    now: OffsetDateTime,
) -> Result<Imported, StatementError> {
    let statement = read(treasury, bytes, today(now))?;
    let mut done = Imported {
        outgoing: statement.outgoing,
        pending: statement.pending,
        ..Imported::default()
    };
    let mut minutes = Minutes::default();
    let mut tx = store.begin().await?;
    turn(&mut tx).await?;
    let mut claims = BTreeSet::new();
    for (line, incoming) in &statement.incoming {
        let taken = take_in((&mut tx, &mut minutes), law, incoming, Source::Statement, now).await;
        match taken {
            Ok(Entered::Known) => done.known += 1,
            Ok(Entered::Unmatched) => done.unmatched += 1,
            Ok(Entered::On(claim)) => {
                done.matched += 1;
                claims.insert(claim);
            }
            Err(PaymentError::Store(error)) => return Err(error.into()),
            Err(PaymentError::OtherAmount(_)) => {
                return Err(named(vec![(*line, Wrong::OtherAmount)]));
            }
            // Only amounts are left to be refused, and they were read above.
            Err(_) => return Err(named(vec![(*line, Wrong::Large)])),
        }
    }
    for claim in &claims {
        match settled((&mut tx, &mut minutes), law, claim, now).await {
            Ok(effect) => done.settled += usize::from(effect == Effect::Settled),
            Err(PaymentError::Store(error)) => return Err(error.into()),
            // It was taken above.
            Err(error) => return Err(StoreError::corrupt("claim", error).into()),
        }
    }
    let sha256 = Digest::of(bytes).to_string();
    let detail = json!({
        "matched": done.matched, "unmatched": done.unmatched, "known": done.known,
        "outgoing": done.outgoing, "pending": done.pending,
    });
    minutes.note(by.actor(), "payment.statement_imported", ("statement", &sha256), detail);
    minutes.write(&mut tx, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(done)
}

/// Reads and checks a whole file.
fn read(treasury: &Treasury, bytes: &[u8], today: Date) -> Result<Statement, StatementError> {
    if !treasury.is_set() {
        return Err(StatementError::NoTreasury);
    }
    if bytes.len() > MOST_BYTES {
        return Err(StatementError::Large);
    }
    let text = std::str::from_utf8(bytes).map_err(|e| StatementError::Form(e.to_string()))?;
    let text = crate::text_file::without_mark(text);
    let mut statement = match text.trim_start().starts_with('<') {
        true => camt::read(text, &treasury.account)?,
        false => csv::read(text, &treasury.account)?,
    };
    let mut seen = HashMap::new();
    for (line, incoming) in &statement.incoming {
        let Incoming { bank_id, paid_on, purpose, payer, .. } = incoming;
        let mut wrong = |problem| statement.wrong.push((*line, problem));
        if let Some(before) = seen.insert(bank_id, line) {
            wrong(Wrong::Twice(*before));
        }
        if *paid_on > today + Duration::DAY || *paid_on < today - OLDEST {
            wrong(Wrong::FarDay);
        }
        for text in [bank_id, purpose, &payer.name, &payer.account, &payer.bank] {
            if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
                wrong(Wrong::Text);
            }
        }
    }
    let Statement { incoming, outgoing, pending, wrong } = &mut statement;
    if !wrong.is_empty() {
        return Err(named(std::mem::take(wrong)));
    }
    match incoming.len() + *outgoing + *pending {
        0 => Err(StatementError::Empty),
        _ => Ok(statement),
    }
}

fn named(mut wrong: Vec<(u64, Wrong)>) -> StatementError {
    wrong.sort();
    let count = wrong.len();
    wrong.truncate(MOST_NAMED);
    StatementError::Lines { count, named: wrong }
}

fn lines(named: &[(u64, Wrong)]) -> String {
    let told: Vec<_> = named.iter().map(|(line, wrong)| format!("line {line}: {wrong}")).collect();
    told.join("\n")
}

#[cfg(test)]
mod tests;
