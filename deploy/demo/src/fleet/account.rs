//! The fleet's account held against the central's: whatever has a receipt is in exactly one case, and
//! what two cameras saw of one passage is in the same.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A package as the fleet tells of it.
#[derive(Debug, Deserialize)]
struct Row {
    device: String,
    evidence_id: String,
    passage: u64,
    receipted_s: Option<f64>,
}

/// What does not agree, by evidence id.
#[derive(Debug, Default, Serialize)]
pub struct Account {
    pub sealed: usize,
    pub receipted: usize,
    pub cases: usize,
    /// Packages that joined another's case.
    pub joined: usize,
    /// Sealed, and never received although there was time.
    pub undelivered: Vec<String>,
    /// Has a receipt and is in no case.
    pub lost: Vec<String>,
    /// Is in several cases.
    pub doubled: Vec<String>,
    /// Is in a case and was never sealed.
    pub invented: Vec<String>,
    /// Passages that became several cases, or cases that hold several passages.
    pub mixed: Vec<String>,
    /// Receipts that are not what they should be, in words.
    pub unsound: Vec<String>,
}

/// Compares; `packages` is every package of the central with its cases.
pub fn hold(outcome: &Value, packages: &BTreeMap<String, Vec<String>>) -> Result<Account> {
    let rows = outcome.get("packages").context("an account without packages")?;
    let rows: Vec<Row> = Deserialize::deserialize(rows).context("the fleet's account")?;
    let unsound = outcome.get("unsound").context("an account without receipts")?;
    let mut account = Account {
        sealed: rows.len(),
        unsound: Deserialize::deserialize(unsound)?,
        ..Account::default()
    };
    let mut of_passage: BTreeMap<(&str, u64), BTreeSet<&str>> = BTreeMap::new();
    let mut of_case: BTreeMap<&str, BTreeSet<(&str, u64)>> = BTreeMap::new();
    for row in &rows {
        let id = row.evidence_id.clone();
        if row.receipted_s.is_none() {
            account.undelivered.push(id);
            continue;
        }
        account.receipted += 1;
        let passage = (row.device.as_str(), row.passage);
        let cases = packages.get(&id).map_or(&[][..], Vec::as_slice);
        match cases.len() {
            0 => account.lost.push(id),
            1 => {}
            _ => account.doubled.push(id),
        }
        for case in cases {
            of_passage.entry(passage).or_default().insert(case);
            of_case.entry(case).or_default().insert(passage);
        }
    }
    let sealed: BTreeSet<&str> = rows.iter().map(|row| row.evidence_id.as_str()).collect();
    let invented = packages.keys().filter(|id| !sealed.contains(id.as_str()));
    account.invented = invented.cloned().collect();
    let split = of_passage.iter().filter(|(_, cases)| cases.len() > 1);
    account.mixed = split.map(|((device, passage), _)| format!("{device}/{passage}")).collect();
    let merged = of_case.iter().filter(|(_, passages)| passages.len() > 1);
    account.mixed.extend(merged.map(|(case, _)| format!("case {case}")));
    account.cases = of_case.len();
    account.joined = account.receipted.saturating_sub(account.lost.len() + account.cases);
    Ok(account)
}

impl Account {
    /// Fails with everything that does not agree.
    pub fn check(&self) -> Result<()> {
        let mut wrong = Vec::new();
        for (what, which) in [
            ("never delivered", &self.undelivered),
            ("lost", &self.lost),
            ("doubled", &self.doubled),
            ("invented", &self.invented),
            ("passages mixed up", &self.mixed),
            ("receipts unsound", &self.unsound),
        ] {
            if !which.is_empty() {
                let first: Vec<_> = which.iter().take(5).map(String::as_str).collect();
                wrong.push(format!("{} {what} ({})", which.len(), first.join(", ")));
            }
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("; "));
        ensure!(self.sealed > 0, "nothing was sealed: the test showed nothing");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Three packages, the first two of one passage, and what the central makes of them.
    fn of(cases: [&[&str]; 3]) -> Account {
        let row = |id: &str, passage: u64| json!({ "device": "a", "evidence_id": id, "passage": passage, "receipted_s": 1.0 });
        let rows = [row("one", 1), row("two", 1), row("three", 2)];
        let packages = ["one", "two", "three"].into_iter().zip(cases);
        let packages = packages.filter(|(_, cases)| !cases.is_empty());
        let named = |cases: &[&str]| cases.iter().map(|&case| case.to_owned()).collect();
        let packages = packages.map(|(id, cases)| (id.to_owned(), named(cases))).collect();
        hold(&json!({ "packages": rows, "unsound": [] }), &packages).unwrap()
    }

    #[test]
    fn whatever_does_not_agree_is_told() {
        let good = of([&["x"], &["x"], &["y"]]);
        good.check().unwrap();
        assert_eq!((good.cases, good.joined), (2, 1));
        for (cases, word) in [
            ([&["x"][..], &[][..], &["y"][..]], "1 lost (two)"),
            ([&["x"], &["x"], &["y", "z"]], "1 doubled (three)"),
            ([&["x"], &["z"], &["y"]], "1 passages mixed up (a/1)"),
            ([&["x"], &["x"], &["x"]], "1 passages mixed up (case x)"),
        ] {
            let told = of(cases).check().unwrap_err().to_string();
            assert!(told.contains(word), "{told}");
        }
        let nothing = hold(&json!({ "packages": [], "unsound": [] }), &BTreeMap::new()).unwrap();
        assert!(nothing.check().is_err());
        let foreign = BTreeMap::from([("other".to_owned(), vec!["x".to_owned()])]);
        let invented = hold(&json!({ "packages": [], "unsound": [] }), &foreign).unwrap();
        assert!(invented.check().unwrap_err().to_string().contains("1 invented (other)"));
    }
}
