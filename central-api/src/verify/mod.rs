//! Verification for anyone: one package folder with a public key, or everything the central holds.

mod cases;
mod cover;
mod covered;
mod decisions;
mod delivery;
mod package;
mod papers;
mod people;
mod recalls;
mod signed;
mod whole;

use contract::manifest::{FileRole, Manifest};
use judge::basis::{self, Again, Basis};
use serde::Serialize;

pub use cover::{CoverError, cover};
pub use package::verify_package;
pub use signed::{Signatures, in_words};
pub use whole::{verify_signed, verify_store, verify_view};

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about: a file, `evidence ID`, `device ID`, `audit`.
    pub subject: String,
    pub problem: String,
}

/// How far to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Seals, digests, chains, rows.
    Seals,
    /// Besides, every verdict is given again from what was sealed with it.
    Verdicts,
}

/// What judging again gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Judged {
    pub same: u64,
    /// Packages that did not seal what their verdict stood on (version 1).
    pub without: u64,
    /// Verdicts that these rules do not give, or not so.
    pub differing: Vec<Finding>,
}

/// What was looked at and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub ok: bool,
    pub packages: u64,
    pub files: u64,
    /// Announced packages whose files have not all come; no failure by itself.
    pub incomplete: u64,
    pub audit_rows: i64,
    /// End of the audit chain: keep it outside the database.
    pub audit_head: Option<String>,
    pub findings: Vec<Finding>,
    /// Only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
    /// Only where documents were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signatures: Option<Signatures>,
    /// Gaps in a device's chain that an administrator answered for; no failure by themselves.
    pub settled: Vec<Finding>,
}

impl Report {
    fn add(&mut self, subject: impl ToString, problem: impl ToString) {
        self.findings.push(Finding { subject: subject.to_string(), problem: problem.to_string() });
    }

    fn finished(mut self) -> Self {
        let differing = self.judged.iter().flat_map(|judged| &judged.differing);
        self.ok = self.findings.is_empty() && differing.count() == 0;
        self
    }

    /// Judges again what a package sealed, whose file `read` gives.
    fn judge(&mut self, subject: &str, manifest: &Manifest, basis: Option<&[u8]>) {
        let Some(judged) = &mut self.judged else { return };
        if manifest.file(FileRole::Basis).is_none() {
            judged.without += 1;
            return;
        }
        // A file that is missing or changed is named already.
        let Some(basis) = basis else { return };
        let basis = Basis::parse(basis);
        // An auditor must tell a change of the rules from a change of the evidence.
        let by = match basis.as_ref().map(Basis::judge) {
            Ok(by) if by != basis::BUILD => {
                format!(" (judged by the rules {by}, these are {})", basis::BUILD)
            }
            _ => String::new(),
        };
        let again = basis.and_then(|basis| basis.again(manifest));
        let mut differs = |problem: String| {
            let problem = format!("{problem}{by}");
            judged.differing.push(Finding { subject: subject.to_owned(), problem });
        };
        match again {
            Ok(Again::Same) => judged.same += 1,
            Ok(Again::Differs(what)) => what.iter().for_each(|what| differs(what.to_string())),
            Err(error) => differs(error.to_string()),
        }
    }

    fn looking(depth: Depth) -> Self {
        let judged = (depth == Depth::Verdicts).then(Judged::default);
        Self { judged, ..Self::default() }
    }
}
