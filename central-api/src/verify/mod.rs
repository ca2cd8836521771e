//! Verification for anyone: one package folder with a public key, or everything the central holds.

mod cases;
mod delivery;
mod package;
mod whole;

use serde::Serialize;

pub use package::verify_package;
pub use whole::{verify_store, verify_view};

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about: a file, `evidence ID`, `device ID`, `audit`.
    pub subject: String,
    pub problem: String,
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
    /// Gaps in a device's chain that an administrator answered for; no failure by themselves.
    pub settled: Vec<Finding>,
}

impl Report {
    fn add(&mut self, subject: impl ToString, problem: impl ToString) {
        self.findings.push(Finding { subject: subject.to_string(), problem: problem.to_string() });
    }

    fn finished(mut self) -> Self {
        self.ok = self.findings.is_empty();
        self
    }
}
