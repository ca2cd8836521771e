//! Start-up: from whatever a crash left to a known state, losing nothing that was reported sealed.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use contract::chain::Head;
use contract::seal::VerifyingKey;
use contract::wire::Receipt;
use contract::{Digest, Manifest};
use time::OffsetDateTime;

use super::index::Index;
use super::{Entry, Opened, RECEIPT_FILE, SpoolError, State, disk};
use contract::package::MANIFEST_FILE;

/// What start-up found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Unfinished packages removed from `tmp/`; none of them was ever reported sealed.
    pub unfinished: usize,
    /// Packages moved to `damaged/`, each with the reason.
    pub damaged: Vec<(String, String)>,
    /// What was wrong with `head.json`, if anything; the packages told the head.
    pub head_problem: Option<String>,
    /// Folders that are no packages; left alone.
    pub strangers: Vec<String>,
}

pub fn recover(
    root: &Path,
    key: &VerifyingKey,
    now: OffsetDateTime,
) -> Result<(Index, Recovery), SpoolError> {
    let mut recovery = Recovery { unfinished: disk::empty_tmp(root)?, ..Recovery::default() };
    let mut index = Index::default();
    let mut newest: Option<(u64, Digest)> = None;

    for state in [State::Delivered, State::Refused, State::Pending] {
        let folder = root.join(state.folder());
        for name in disk::folders(&folder)? {
            let dir = folder.join(&name);
            let Some((sequence, evidence_id)) = Entry::parse(&name) else {
                recovery.strangers.push(format!("{}/{name}", state.folder()));
                continue;
            };
            let mut entry =
                Entry { sequence, evidence_id, bytes: disk::folder_bytes(&dir)?, settled_at: None };
            if state == State::Delivered {
                entry.settled_at = Some(receipt_time(&dir).unwrap_or(now));
            }
            // Delivered evidence is the central's now: only the newest manifest matters, for the
            // chain, and only where no pending one is newer.
            if state != State::Pending {
                if newest.is_none_or(|(newest, _)| sequence > newest)
                    && let Ok(bytes) = fs::read(dir.join(MANIFEST_FILE))
                    && Manifest::parse(&bytes).is_ok_and(|m| m.sequence == sequence)
                {
                    newest = Some((sequence, Digest::of(&bytes)));
                }
                index.insert(state, entry);
                continue;
            }
            match open(&dir, &entry, key) {
                Ok(opened) => {
                    if newest.is_none_or(|(newest, _)| sequence > newest) {
                        newest = Some((sequence, Digest::of(&opened.bytes)));
                    }
                    index.insert(state, entry);
                }
                Err(error @ SpoolError::ForeignKey { .. }) => return Err(error),
                Err(error) => {
                    recovery.damaged.push((name.clone(), error.to_string()));
                    set_aside(root, &name)?;
                }
            }
        }
    }
    count_damaged(root, &mut index)?;
    index.head = settle_head(root, newest, &mut recovery)?;
    report(&recovery, &index);
    Ok((index, recovery))
}

fn open(dir: &Path, entry: &Entry, key: &VerifyingKey) -> Result<Opened, SpoolError> {
    let opened = Opened::read(dir, entry, key)?;
    opened
        .check_sizes()
        .map_err(|problem| SpoolError::Damaged { sequence: entry.sequence, problem })?;
    Ok(opened)
}

/// Moves a pending package that does not hold to `damaged/`, beside earlier ones of its name.
fn set_aside(root: &Path, name: &str) -> Result<(), SpoolError> {
    let damaged = root.join(State::Damaged.folder());
    let mut place = damaged.join(name);
    let mut copy = 1;
    while place.exists() {
        copy += 1;
        place = damaged.join(format!("{name}.{copy}"));
    }
    disk::rename(&root.join(State::Pending.folder()).join(name), &place)?;
    disk::sync_dir(&damaged)?;
    disk::sync_dir(&root.join(State::Pending.folder()))
}

fn count_damaged(root: &Path, index: &mut Index) -> Result<(), SpoolError> {
    let folder = root.join(State::Damaged.folder());
    for name in disk::folders(&folder)? {
        if let Some((sequence, evidence_id)) = Entry::parse(&name) {
            let bytes = disk::folder_bytes(&folder.join(&name))?;
            let entry = Entry { sequence, evidence_id, bytes, settled_at: None };
            index.insert(State::Damaged, entry);
        }
    }
    Ok(())
}

/// The larger of `head.json` and the packages, written back where the file was behind.
fn settle_head(
    root: &Path,
    newest: Option<(u64, Digest)>,
    recovery: &mut Recovery,
) -> Result<Head, SpoolError> {
    let found = newest
        .map(|(sequence, digest)| Head { sequence, digest: Some(digest) })
        .unwrap_or_default();
    let on_file = match disk::read_head(root) {
        Ok(Some(head)) => head,
        Ok(None) => {
            if found.sequence > 1 {
                recovery.head_problem = Some(format!("{} is missing", disk::HEAD));
            }
            Head::default()
        }
        Err(problem) => {
            recovery.head_problem = Some(problem);
            Head::default()
        }
    };
    let head = if found.sequence > on_file.sequence { found } else { on_file };
    if head != on_file || recovery.head_problem.is_some() {
        disk::write_head(root, head)?;
    }
    Ok(head)
}

/// When the central signed for it. Housekeeping only: the seal was checked on delivery.
fn receipt_time(dir: &Path) -> Option<OffsetDateTime> {
    let jws = fs::read_to_string(dir.join(RECEIPT_FILE)).ok()?;
    let payload = B64.decode(jws.trim().split('.').nth(1)?).ok()?;
    let receipt: Receipt = serde_json::from_slice(&payload).ok()?;
    Some(receipt.received_at)
}

fn report(recovery: &Recovery, index: &Index) {
    let stats = index.stats();
    tracing::info!(
        sequence = stats.sequence,
        pending = stats.pending,
        delivered = stats.delivered,
        refused = stats.refused,
        unfinished = recovery.unfinished,
        "spool recovered"
    );
    for (package, problem) in &recovery.damaged {
        metrics::counter!("edge_spool_damaged_total").increment(1);
        tracing::error!(package, problem, "package moved to damaged/: it does not verify");
    }
    if let Some(problem) = &recovery.head_problem {
        tracing::error!(problem, sequence = stats.sequence, "chain head told by the packages");
    }
    for stranger in &recovery.strangers {
        tracing::warn!(stranger, "not a package, left alone");
    }
}
