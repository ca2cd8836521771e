//! Everything that runs in a soak, and what is seen of it: one look at the agent a second, a sample
//! kept every few of them, every sealed package noted once.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::Value;

use super::line::Line;
use super::street::{Camera, Street};
use crate::agent::{self, Agent};
use crate::central::{Central, Owners};
use crate::damage::act;
use crate::machine;
use crate::process::Running;
use crate::site::Site;

/// From look to look at the agent, and how many of them there are to a sample.
const LOOK: Duration = Duration::from_secs(1);
const SAMPLE: u32 = 5;
/// An agent that runs and tells nothing for this long is stuck.
const DEAF: Duration = Duration::from_secs(60);

/// How the agent was at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Sample {
    pub at_s: f64,
    /// Counts the agent's starts.
    pub life: u32,
    /// How long it has run.
    pub age_s: f64,
    pub memory_mb: f64,
    pub threads: usize,
    pub descriptors: usize,
    /// Cores taken since the sample before; none in the first of a life.
    pub cores: Option<f64>,
    /// Analysed pictures a second of cameras that nothing was done to just then.
    pub fps: BTreeMap<String, f64>,
    /// Connections made anew in this life, all cameras.
    pub reconnects: u64,
    /// Of them, those of the camera that nothing is done to.
    pub left_alone: u64,
    /// Packages that are not delivered.
    pub pending: u64,
    /// Tasks that ran or wanted to, of the whole machine.
    pub load: f64,
}

/// What the agent last said.
#[derive(Debug, Clone)]
pub struct Seen {
    pub at: Instant,
    pub life: u32,
    pub status: Value,
}

/// A sealed package.
#[derive(Debug, Clone, Serialize)]
pub struct Sealed {
    pub camera: String,
    pub accused: String,
    /// When it was first seen, from the soak's beginning.
    pub seen_s: f64,
}

#[derive(Debug)]
pub struct Stage {
    pub site: Site,
    pub street: Street,
    pub line: Line,
    pub central: Central,
    pub agent: Agent,
    /// None while it is being started anew.
    pub agent_process: RefCell<Option<Running>>,
    pub central_process: RefCell<Option<Running>>,
    pub life: Cell<u32>,
    born: Cell<Instant>,
    pub began: Instant,
    /// Nothing new is done any more.
    pub over: Cell<bool>,
    pub seen: RefCell<Option<Seen>>,
    pub samples: RefCell<Vec<Sample>>,
    pub sealed: RefCell<BTreeMap<String, Sealed>>,
    /// What is wrong, in words.
    pub wrong: RefCell<BTreeSet<String>>,
}

impl Stage {
    /// Starts central, line and agent; the street is there.
    pub async fn start(site: Site, street: Street, weights: &Path) -> Result<Self> {
        let central = Central::set_up(&site, Owners::Unknown)?;
        Agent::keygen(&site)?;
        central.enrol(&site, agent::DEVICE)?;
        let central_process = central.serve(&site).await?;
        let line = Line::open(site.ports.device).await?;
        let agent = Agent::many(&site, &street.file, weights, Some(line.port))?;
        let agent_process = agent.run(&site).await?;
        Ok(Self {
            site,
            street,
            line,
            central,
            agent,
            agent_process: RefCell::new(Some(agent_process)),
            central_process: RefCell::new(Some(central_process)),
            life: Cell::new(1),
            born: Cell::new(Instant::now()),
            began: Instant::now(),
            over: Cell::new(false),
            seen: RefCell::default(),
            samples: RefCell::default(),
            sealed: RefCell::default(),
            wrong: RefCell::default(),
        })
    }

    pub fn now_s(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    pub fn complain(&self, what: impl Into<String>) {
        let what = what.into();
        if self.wrong.borrow_mut().insert(what.clone()) {
            println!("  WRONG {what}");
        }
    }

    /// `kill -9` and, at once, a start.
    pub async fn kill_agent(&self) -> Result<()> {
        if let Some(process) = self.agent_process.take() {
            process.kill()?;
        }
        self.seen.take();
        let running = self.agent.run(&self.site).await?;
        *self.agent_process.borrow_mut() = Some(running);
        self.life.set(self.life.get() + 1);
        self.born.set(Instant::now());
        Ok(())
    }

    /// The same for the central, which is away meanwhile.
    pub async fn kill_central(&self, away: Duration) -> Result<()> {
        if let Some(process) = self.central_process.take() {
            process.kill()?;
        }
        tokio::time::sleep(away).await;
        let running = self.central.serve(&self.site).await?;
        *self.central_process.borrow_mut() = Some(running);
        Ok(())
    }

    /// Looks on until somebody says that all is done.
    pub async fn watch(&self, done: &Cell<bool>) -> Result<()> {
        let mut heard = Instant::now();
        let mut last: Option<(u32, f64, f64)> = None;
        for look in 0u32.. {
            if done.get() {
                break;
            }
            self.check()?;
            self.note_sealed()?;
            let life = self.life.get();
            let id = self.agent_process.borrow().as_ref().map(Running::id);
            match (id, agent::status(&self.site).await) {
                (Some(id), Ok(status)) if life == self.life.get() => {
                    heard = Instant::now();
                    self.examine(&status);
                    *self.seen.borrow_mut() = Some(Seen { at: Instant::now(), life, status });
                    if look.is_multiple_of(SAMPLE) && self.agent_process.borrow().is_some() {
                        self.sample(id, &mut last)?;
                    }
                }
                (Some(_), _) if heard.elapsed() > DEAF => {
                    self.complain(format!("the agent said nothing for {} s", DEAF.as_secs()));
                }
                (None, _) => heard = Instant::now(),
                _ => {}
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Fails where a program ended by itself.
    fn check(&self) -> Result<()> {
        for process in [&self.agent_process, &self.central_process] {
            process.borrow_mut().as_mut().map_or(Ok(()), Running::check)?;
        }
        self.street.cameras.iter().try_for_each(Camera::check)
    }

    /// Reads what was sealed since; delivered packages may be let go later.
    pub fn note_sealed(&self) -> Result<()> {
        for folder in agent::packages(&self.site)? {
            let Some((_, id)) = folder.file_name().and_then(|name| name.to_str()?.split_once('-'))
            else {
                bail!("{} is no package", folder.display())
            };
            if self.sealed.borrow().contains_key(id) {
                continue;
            }
            // It may be delivered in this very moment, and lies elsewhere at the next look.
            let Ok(manifest) = crate::json::read(&folder.join("manifest.json")) else { continue };
            let sealed = Sealed {
                camera: manifest["camera"]["id"].as_str().unwrap_or_default().to_owned(),
                accused: act(&manifest["violation"]["act"], &manifest["plate"]["text"]),
                seen_s: self.now_s(),
            };
            self.sealed.borrow_mut().insert(id.to_owned(), sealed);
        }
        self.check_order()
    }

    /// The oldest goes first: nothing that waits was sealed before something that is delivered.
    fn check_order(&self) -> Result<()> {
        // Delivered ones first: what moves while we look is seen in neither.
        let delivered = agent::sequences(&self.site, "delivered")?.into_iter().max();
        let waiting = agent::sequences(&self.site, "pending")?.into_iter().min();
        if let (Some(delivered), Some(waiting)) = (delivered, waiting)
            && waiting < delivered
        {
            self.complain(format!("package {delivered} was delivered before {waiting}"));
        }
        Ok(())
    }

    /// What must never be there.
    fn examine(&self, status: &Value) {
        for thread in status["threads"].as_array().into_iter().flatten() {
            if thread["panics"].as_u64().is_some_and(|panics| panics > 0) {
                let (name, why) = (&thread["name"], &thread["last_panic"]);
                self.complain(format!("the agent's thread {name} panicked: {why}"));
            }
        }
        for parked in ["refused", "damaged"] {
            let count = status["spool"][parked].as_u64().unwrap_or_default();
            if count > 0 {
                self.complain(format!("{count} packages are {parked}"));
            }
        }
        if let Some(blocked) = status["uplink"]["blocked"].as_str() {
            self.complain(format!("nothing can be delivered: {blocked}"));
        }
    }

    fn sample(&self, id: u32, last: &mut Option<(u32, f64, f64)>) -> Result<()> {
        let Some(Seen { status, life, .. }) = self.seen.borrow().clone() else { return Ok(()) };
        let (at_s, cpu) = (self.now_s(), machine::cpu(id)?);
        let cores = last
            .filter(|(of, ..)| *of == life)
            .map(|(_, before, taken)| (cpu - taken) / (at_s - before).max(f64::EPSILON));
        *last = Some((life, at_s, cpu));
        let cameras = status["cameras"].as_array().context("a status without cameras")?;
        let count = |key: &str| cameras.iter().filter_map(|camera| camera[key].as_u64()).sum();
        let anew = |camera: &Camera| {
            let its = camera_of(&status, &camera.id);
            its.and_then(|its| its["reconnects"].as_u64()).unwrap_or_default()
        };
        let untroubled = self.street.cameras.iter().filter(|camera| !camera.troubled.get());
        let fps = untroubled.filter_map(|camera| {
            let fps = camera_of(&status, &camera.id)?["fps"].as_f64()?;
            Some((camera.id.clone(), fps))
        });
        self.samples.borrow_mut().push(Sample {
            at_s,
            life,
            age_s: self.born.get().elapsed().as_secs_f64(),
            memory_mb: machine::memory(id)?,
            threads: machine::threads(id)?,
            descriptors: machine::descriptors(id)?,
            cores,
            fps: fps.collect(),
            reconnects: count("reconnects"),
            left_alone: self.street.left_alone().map_or(0, anew),
            pending: status["spool"]["pending"].as_u64().unwrap_or_default(),
            load: machine::load()?,
        });
        Ok(())
    }

    /// Waits until anything was.
    pub async fn until_sealed(&self, limit: Duration) {
        let end = Instant::now() + limit;
        while self.sealed.borrow().is_empty() && Instant::now() < end {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until a later look than `since` shows `what`; how long that took.
    pub async fn until(
        &self,
        since: Instant,
        limit: Duration,
        mut what: impl FnMut(&Seen) -> bool,
    ) -> Option<Duration> {
        let mut looked = since;
        while since.elapsed() < limit {
            let new = self.seen.borrow().clone().filter(|seen| seen.at > looked);
            if let Some(seen) = new {
                looked = seen.at;
                if what(&seen) {
                    return Some(looked - since);
                }
            }
            tokio::time::sleep(LOOK / 4).await;
        }
        None
    }
}

/// What a status says of a camera.
pub fn camera_of<'a>(status: &'a Value, id: &str) -> Option<&'a Value> {
    status["cameras"].as_array()?.iter().find(|camera| camera["id"] == id)
}
