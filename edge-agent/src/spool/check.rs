//! A full check of a spool at rest, as `fsck` does for a file system: every byte against its
//! manifest, every manifest against its seal, the chain against itself. Changes nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use contract::Digest;
use contract::Manifest;
use contract::chain::Head;
use contract::package::{self, MANIFEST_FILE, SEAL_FILE};
use contract::seal::VerifyingKey;

use super::{Entry, SpoolError, State, disk};

/// One thing that is wrong, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Folder of the package inside the spool, or a file's name.
    pub place: String,
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// The outcome of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub packages: usize,
    pub bytes: u64,
    /// The head the packages and `head.json` agree on, or the file's.
    pub head: Head,
    pub findings: Vec<Finding>,
}

/// Checks the spool at `root`, which should not be in use.
pub fn check(root: &Path, key: &VerifyingKey) -> Result<Report, SpoolError> {
    let mut report = Report::default();
    let mut chain = BTreeMap::new();
    for state in [State::Delivered, State::Refused, State::Pending] {
        let folder = root.join(state.folder());
        for name in disk::folders(&folder)? {
            let place = format!("{}/{name}", state.folder());
            check_package(&folder.join(&name), &name, place, key, &mut report, &mut chain)?;
        }
    }
    for name in disk::folders(&root.join(State::Damaged.folder()))? {
        report.find(format!("damaged/{name}"), "set aside earlier; look into it and remove it");
    }
    check_chain(root, &chain, &mut report);
    Ok(report)
}

fn check_package(
    dir: &Path,
    name: &str,
    place: String,
    key: &VerifyingKey,
    report: &mut Report,
    chain: &mut BTreeMap<u64, (String, Manifest, Vec<u8>)>,
) -> Result<(), SpoolError> {
    let Some((sequence, id)) = Entry::parse(name) else {
        report.find(place, "is not a package");
        return Ok(());
    };
    report.packages += 1;
    report.bytes += disk::folder_bytes(dir)?;
    let (Ok(bytes), Ok(seal)) =
        (fs::read(dir.join(MANIFEST_FILE)), fs::read_to_string(dir.join(SEAL_FILE)))
    else {
        report.find(place, "manifest or seal is missing");
        return Ok(());
    };
    for failure in package::verify(key, &bytes, &seal, |file| fs::read(dir.join(&file.name)).ok()) {
        report.find(place.clone(), failure.to_string());
    }
    let Ok(manifest) = Manifest::parse(&bytes) else {
        return Ok(());
    };
    if manifest.sequence != sequence || manifest.evidence_id != id {
        report.find(place, "folder name and manifest name different evidence");
        return Ok(());
    }
    if let Some((other, ..)) = chain.insert(sequence, (place.clone(), manifest, bytes)) {
        report.find(place, format!("has the sequence of {other}"));
    }
    Ok(())
}

fn check_chain(
    root: &Path,
    chain: &BTreeMap<u64, (String, Manifest, Vec<u8>)>,
    report: &mut Report,
) {
    let mut head: Option<Head> = None;
    let mut after_refused = false;
    for (place, manifest, bytes) in chain.values() {
        // What was delivered is deleted oldest first, so the first one left is taken at its word;
        // refused ones stay, so the same holds behind a refused one.
        let start = Head { sequence: manifest.sequence - 1, digest: manifest.previous };
        let before = match head {
            Some(head) if !(after_refused && manifest.sequence > head.sequence + 1) => head,
            _ => start,
        };
        if let Err(error) = before.advance(manifest, bytes) {
            report.find(place.clone(), error.to_string());
        }
        head = Some(Head { sequence: manifest.sequence, digest: Some(Digest::of(bytes)) });
        after_refused = place.starts_with(State::Refused.folder());
    }
    match disk::read_head(root) {
        Err(problem) => report.find(disk::HEAD, problem),
        Ok(on_file) => {
            let on_file = on_file.unwrap_or_default();
            report.head = on_file;
            let newest = head.unwrap_or(on_file);
            if newest.sequence > on_file.sequence
                || (newest.sequence == on_file.sequence && newest != on_file)
            {
                let problem =
                    format!("says {}, the packages {}", on_file.sequence, newest.sequence);
                report.find(disk::HEAD, problem);
            } else if newest.sequence < on_file.sequence && !chain.is_empty() && !after_refused {
                let gap =
                    format!("packages {} to {} are missing", newest.sequence + 1, on_file.sequence);
                report.find(disk::HEAD, gap);
            }
        }
    }
}

impl Report {
    fn find(&mut self, place: impl Into<String>, problem: impl Into<String>) {
        self.findings.push(Finding { place: place.into(), problem: problem.into() });
    }

    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}
