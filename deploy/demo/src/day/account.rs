//! The day's account, read where officers read it: every package one case, every case one notice, half of
//! them minutes, decision and payment, each number given out once and none left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde_json::Value;
use tokio::task::JoinSet;

use super::Plan;
use crate::central::Central;
use crate::fleet::account;
use crate::officer::Api;
use crate::page;
use crate::site::Site;

/// What the law asks of a car at a red light, VND.
const FINE: i64 = 19_000_000;
/// Pages asked for at once.
const AT_ONCE: usize = 8;

#[derive(Debug, Default, Serialize)]
pub struct Account {
    pub received: usize,
    pub notified: usize,
    pub paid: usize,
    /// Documents by kind: as many numbers, from 1 on.
    pub numbers: BTreeMap<String, usize>,
}

impl Account {
    pub fn in_words(&self) -> String {
        let Self { received, notified, paid, numbers } = self;
        format!("{received} received, {notified} notified, {paid} paid; {numbers:?}")
    }
}

/// What a case's page says.
#[derive(Debug, Default)]
struct Told {
    papers: Vec<(String, u64)>,
    paid: Option<i64>,
    open: Option<i64>,
}

pub async fn hold(site: &Site, central: &Central, plan: &Plan, outcome: &Value) -> Result<Account> {
    let reviewer = Api::sign_in(site, &central.reviewer).await?;
    let packages = reviewer.cases_of_packages().await?;
    let held = account::hold(outcome, &packages)?;
    held.check()?;
    let notified = reviewer.count("notified").await? as usize;
    let cases: BTreeSet<&String> = packages.values().flatten().collect();
    let mut queue: Vec<String> = cases.into_iter().cloned().collect();
    let clerk = Arc::new(Api::sign_in(site, &central.clerk).await?);
    let mut looks = JoinSet::new();
    let mut all = Vec::new();
    loop {
        while looks.len() < AT_ONCE
            && let Some(case) = queue.pop()
        {
            let clerk = Arc::clone(&clerk);
            looks.spawn(async move {
                let mut told = told(&clerk.page(&format!("/ho-so/{case}")).await?);
                // The notice's number stands in the interface's answer, apart from its file.
                let notice = clerk.case(&case).await?["notice"]["number"].as_u64();
                told.papers.extend(notice.map(|number| ("notice".to_owned(), number)));
                Ok::<_, anyhow::Error>(told)
            });
        }
        let Some(look) = looks.join_next().await else { break };
        all.push(look.context("a look at a case")??);
    }
    let mut numbers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (kind, number) in all.iter().flat_map(|told| told.papers.iter().cloned()) {
        numbers.entry(kind).or_default().push(number);
    }
    for (kind, given) in &mut numbers {
        given.sort_unstable();
        let whole = given.iter().copied().eq(1..=given.len() as u64);
        ensure!(whole, "the numbers of {kind} have a gap or come twice: {given:?}");
    }
    let paid = all.iter().filter(|told| told.paid.is_some()).count();
    let amounts: BTreeSet<_> =
        all.iter().filter_map(|told| Some((told.paid?, told.open?))).collect();
    ensure!(amounts == BTreeSet::from([(FINE, 0)]), "paid and open are {amounts:?}");
    let numbers: BTreeMap<_, _> =
        numbers.into_iter().map(|(kind, given)| (kind, given.len())).collect();
    let asked = plan.cases as usize;
    let half = asked / 2;
    let fined = ["decision", "minutes", "points", "receipt"].map(|kind| (kind, half));
    let expected = [fined.as_slice(), &[("notice", asked)]].concat();
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect();
    ensure!(numbers == expected, "documents are {numbers:?}, not {expected:?}");
    ensure!(notified == asked, "{notified} of {asked} are notified");
    ensure!(paid == half, "{paid} of {half} are paid");
    Ok(Account { received: held.receipted, notified, paid, numbers })
}

fn told(page: &str) -> Told {
    let facts: BTreeMap<_, _> = page::facts(page).into_iter().collect();
    let amount = |name: &str| {
        let digits: String = facts.get(name)?.chars().filter(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let mut papers = BTreeSet::new();
    for link in page::links(page) {
        let Some((_, name)) = link.split_once("/van-ban/") else { continue };
        let mut parts = name.trim_end_matches(".pdf").split('-');
        if let (Some(kind), Some(number)) = (parts.next(), parts.next_back())
            && let Ok(number) = number.parse()
        {
            papers.insert((kind.to_owned(), number));
        }
    }
    Told {
        papers: papers.into_iter().collect(),
        paid: amount("Đã nộp"),
        open: amount("Còn phải nộp"),
    }
}
