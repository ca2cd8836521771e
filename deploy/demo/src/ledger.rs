//! What was sealed against what the central holds: each package once, and a store that verifies.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;

use crate::central::Central;
use crate::officer::Api;
use crate::site::Site;

#[derive(Debug, Clone, Default, Serialize)]
pub struct Ledger {
    pub sealed: usize,
    pub cases: usize,
    /// Packages that carry a case or joined one.
    pub held: usize,
    pub lost: Vec<String>,
    pub doubled: Vec<String>,
    /// What `central-api verify` says of the store.
    pub verified: String,
}

impl Ledger {
    /// # Errors
    /// Where the central does not answer or its store does not verify.
    pub async fn of(site: &Site, central: &Central, sealed: &BTreeSet<String>) -> Result<Self> {
        let api = Api::sign_in(site, &central.reviewer).await?;
        let cases = api.cases().await?;
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for case in &cases {
            for package in api.packages(case).await? {
                *counts.entry(package).or_default() += 1;
            }
        }
        let lost = sealed.iter().filter(|id| !counts.contains_key(*id)).cloned();
        let doubled = counts.iter().filter(|(_, count)| **count > 1).map(|(id, _)| id.clone());
        Ok(Self {
            sealed: sealed.len(),
            cases: cases.len(),
            held: counts.len(),
            lost: lost.collect(),
            doubled: doubled.collect(),
            verified: central.verify_store(site)?.trim_end().to_owned(),
        })
    }
}
