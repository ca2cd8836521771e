//! What was sealed against what the central holds: each package once, and a store that verifies.

use std::collections::BTreeSet;

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
        let packages = api.cases_of_packages().await?;
        let cases: BTreeSet<_> = packages.values().flatten().collect();
        let lost = sealed.iter().filter(|id| !packages.contains_key(*id)).cloned();
        let doubled = packages.iter().filter(|(_, cases)| cases.len() > 1);
        let doubled = doubled.map(|(id, _)| id.clone());
        Ok(Self {
            sealed: sealed.len(),
            cases: cases.len(),
            held: packages.len(),
            lost: lost.collect(),
            doubled: doubled.collect(),
            verified: central.verify_store(site, true)?.trim_end().to_owned(),
        })
    }
}
