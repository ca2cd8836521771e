//! The officers: each takes the next case of its duty, looks at it, does its step, hands it on. A step that
//! does not get through is tried again, by whoever comes next, until it stands.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;
use tokio::task::JoinSet;

use super::bank::Bank;
use super::house::Duty;
use crate::officer::Api;
use crate::page;
use crate::site::Site;

/// How long an officer waits where nothing is to be done yet, and after a trouble.
const IDLE: Duration = Duration::from_millis(60);
const LATER: Duration = Duration::from_millis(300);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Review,
    Approve,
    /// The central prints the notice; a clerk finds it there.
    Notice,
    Draw,
    Propose,
    Sign,
    Pay,
}

impl Stage {
    pub const ALL: [Self; 7] = [
        Self::Review,
        Self::Approve,
        Self::Notice,
        Self::Draw,
        Self::Propose,
        Self::Sign,
        Self::Pay,
    ];
}

pub struct Desk {
    queues: [Mutex<VecDeque<String>>; Stage::ALL.len()],
    /// Seconds of each step that went through.
    spent: Mutex<BTreeMap<Stage, Vec<f64>>>,
    troubles: Mutex<BTreeMap<String, u64>>,
    last_trouble: Mutex<String>,
    last_step: Mutex<Instant>,
    bank: Bank,
    done: AtomicU64,
    all: u64,
    /// Those that are paid in the end.
    paid: std::collections::BTreeSet<String>,
}

impl Desk {
    pub fn new(cases: Vec<String>, bank_key: String) -> Self {
        let paid: std::collections::BTreeSet<String> =
            cases.iter().step_by(2).take(cases.len() / 2).cloned().collect();
        let queues: [Mutex<VecDeque<String>>; Stage::ALL.len()] = Default::default();
        // Notified: three steps; paid: four more.
        let all = 3 * cases.len() as u64 + 4 * paid.len() as u64;
        held(&queues[0]).extend(cases);
        Self {
            queues,
            spent: Mutex::default(),
            troubles: Mutex::default(),
            last_trouble: Mutex::default(),
            last_step: Mutex::new(Instant::now()),
            bank: Bank::new(bank_key),
            done: AtomicU64::new(0),
            all,
            paid,
        }
    }

    pub fn all(&self) -> u64 {
        self.all
    }

    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// For how long nothing has gone through.
    pub fn rested(&self) -> Duration {
        held(&self.last_step).elapsed()
    }

    pub fn troubles(&self) -> BTreeMap<String, u64> {
        held(&self.troubles).clone()
    }

    pub fn last_trouble(&self) -> String {
        held(&self.last_trouble).clone()
    }

    pub fn spent(&self) -> BTreeMap<Stage, Vec<f64>> {
        held(&self.spent).clone()
    }

    fn take(&self, stages: &[Stage]) -> Option<(Stage, String)> {
        // What is nearest to its end first.
        stages
            .iter()
            .rev()
            .find_map(|stage| Some((*stage, held(&self.queues[*stage as usize]).pop_front()?)))
    }

    fn step_done(&self, stage: Stage, case: String, took: Duration) {
        held(&self.spent).entry(stage).or_default().push(took.as_secs_f64());
        *held(&self.last_step) = Instant::now();
        let next = match stage {
            Stage::Notice if !self.paid.contains(&case) => None,
            Stage::Pay => None,
            stage => Stage::ALL.get(stage as usize + 1),
        };
        if let Some(next) = next {
            held(&self.queues[*next as usize]).push_back(case);
        }
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    fn trouble(&self, error: &anyhow::Error) {
        let words = format!("{error:#}");
        // What differs from one to the next stands behind the first colon.
        let kind = words.split([':', '(']).next().unwrap_or_default();
        let kind: String = kind.chars().filter(|c| !c.is_ascii_digit()).take(60).collect();
        *held(&self.troubles).entry(kind.trim().to_owned()).or_default() += 1;
        *held(&self.last_trouble) = words.chars().take(300).collect();
    }
}

fn held<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everybody begins. They end once all steps are done.
pub fn sit_down(desk: &Arc<Desk>, site: &Site, staff: Vec<(Duty, Api)>) -> JoinSet<()> {
    let mut officers = JoinSet::new();
    for (duty, api) in staff {
        let (desk, site) = (Arc::clone(desk), site.clone());
        officers.spawn(async move { work(&desk, &site, duty, &api).await });
    }
    officers
}

async fn work(desk: &Desk, site: &Site, duty: Duty, api: &Api) {
    let stages: &[Stage] = match duty {
        Duty::Review => &[Stage::Review],
        Duty::Approve => &[Stage::Approve],
        Duty::Clerk => &[Stage::Notice, Stage::Draw, Stage::Propose, Stage::Pay],
        Duty::Sign => &[Stage::Sign],
    };
    // What is not ready yet holds up nothing else.
    let mut not_before = [Instant::now(); Stage::ALL.len()];
    while desk.done() < desk.all() {
        let now = Instant::now();
        let open: Vec<Stage> =
            stages.iter().copied().filter(|stage| not_before[*stage as usize] <= now).collect();
        let Some((stage, case)) = desk.take(&open) else {
            tokio::time::sleep(IDLE).await;
            continue;
        };
        let begun = Instant::now();
        let stands = match step(desk, site, stage, api, &case).await {
            Ok(stands) => stands,
            Err(error) => {
                desk.trouble(&error);
                false
            }
        };
        if stands {
            desk.step_done(stage, case, begun.elapsed());
        } else {
            not_before[stage as usize] = Instant::now() + LATER;
            held(&desk.queues[stage as usize]).push_front(case);
        }
    }
}

/// Does a step unless it was done already; whether it stands. What has become of an answer that was lost
/// is seen at the next look.
async fn step(desk: &Desk, site: &Site, stage: Stage, api: &Api, case: &str) -> Result<bool> {
    let path = format!("/ho-so/{case}");
    let form = async |page: &str, form: &str, typed: &[(&str, &str)]| {
        let action = format!("{path}/{form}");
        match page::form(page, &action, typed) {
            Some(fields) => api.send(&action, &fields).await.map(|_| true),
            None => Ok(false),
        }
    };
    match stage {
        Stage::Review => decided(api, case, "accept", &["received", "in_review", "returned"]).await,
        Stage::Approve => decided(api, case, "approve", &["accepted"]).await,
        Stage::Notice => Ok(state(&api.case(case).await?) == "notified"),
        Stage::Draw => {
            let page = api.page(&path).await?;
            let typed = [
                ("born", "1988-03-02"),
                ("drove", "yes"),
                ("waives", "yes"),
                ("statement", "Tôi đã vượt đèn đỏ."),
            ];
            let action = format!("{path}/bien-ban");
            let Some(fields) = page::form(&page, &action, &typed) else { return Ok(false) };
            if fields.iter().any(|(name, value)| name == "version" && value != "0") {
                return Ok(true);
            }
            api.send(&action, &fields).await.map(|_| true)
        }
        Stage::Propose => {
            let page = api.page(&path).await?;
            Ok(has(&page, "Mức phạt tiền")
                || form(&page, "xu-phat", &[("action", "propose")]).await?)
        }
        Stage::Sign => {
            let page = api.page(&path).await?;
            let action = [("action", "sign")];
            Ok(has(&page, "Người ký") || form(&page, "xu-phat", &action).await?)
        }
        Stage::Pay => {
            let facts: BTreeMap<_, _> = page::facts(&api.page(&path).await?).into_iter().collect();
            let Some(code) = facts.get("Mã nộp phạt") else { return Ok(false) };
            let digits =
                |text: &String| text.chars().filter(char::is_ascii_digit).collect::<String>();
            let open = facts.get("Còn phải nộp").map(digits).unwrap_or_default();
            match open.parse().unwrap_or(0) {
                0 => Ok(facts.contains_key("Đã nộp")),
                open => desk.bank.tell(site, code, open).await.map(|()| true),
            }
        }
    }
}

fn has(page: &str, name: &str) -> bool {
    page::facts(page).iter().any(|(fact, _)| fact == name)
}

fn state(detail: &Value) -> &str {
    detail["case"]["state"].as_str().unwrap_or_default()
}

/// Decides where the case stands before it; whether it stands behind it.
async fn decided(api: &Api, case: &str, action: &str, before: &[&str]) -> Result<bool> {
    let detail = api.case(case).await?;
    if before.contains(&state(&detail)) {
        api.decide_on(&detail, action).await?;
    }
    Ok(true)
}
