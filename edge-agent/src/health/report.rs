//! How the box is, taken together at one moment: what `/status` gives as JSON and the page shows, and
//! what is to be found in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use contract::manifest::ModelUsed;
use serde::Serialize;
use time::OffsetDateTime;

use super::board::Board;
use super::camera::CameraStatus;
use super::configured::{self, Configured};
use super::crew::{Crew, MemberStatus};
use super::finding::Finding;
use super::findings;
use super::machine::{Disk, Machine};
use crate::clock;
use crate::config::Agent;
use crate::history::{self, History};
use crate::keys::Identity;
use crate::spool::{Spool, Stats};
use crate::update::{self, Updates};
use crate::uplink::{Monitor, Status};

/// What is looked at.
#[derive(Debug, Clone)]
pub struct Sources {
    pub board: Board,
    pub spool: Option<Arc<Spool>>,
    pub uplink: Option<Monitor>,
    pub crew: Crew,
    pub configured: Configured,
    pub history: Option<History>,
    pub updates: Option<Updates>,
    pub premises: Premises,
}

/// Where on the box things lie, and what was loaded from there.
#[derive(Debug, Clone, Default)]
pub struct Premises {
    device: Option<(PathBuf, String)>,
    dirs: Vec<(&'static str, PathBuf)>,
    models: Vec<ModelUsed>,
    limits: Limits,
}

/// What the configuration allows.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Limits {
    pub spool_bytes: u64,
    pub min_free_bytes: u64,
}

/// The box at one moment.
#[derive(Debug, Serialize)]
pub struct Report {
    pub version: &'static str,
    pub device: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Says the kernel.
    pub clock_synchronised: bool,
    pub healthy: bool,
    /// Why not, in words.
    pub troubles: Vec<String>,
    /// Packages set aside that somebody should look into, in words.
    pub parked: Vec<String>,
    pub configuration: configured::Status,
    pub threads: Vec<MemberStatus>,
    pub cameras: Vec<CameraStatus>,
    pub spool: Option<Stats>,
    /// Since the oldest package that is not delivered was sealed.
    pub queue_age_s: Option<u64>,
    pub uplink: Option<Status>,
    pub history: Option<history::Status>,
    pub update: Option<update::Status>,
    pub machine: Machine,
    pub disks: Vec<Disk>,
    /// End of the device's certificate.
    #[serde(with = "time::serde::rfc3339::option")]
    pub certificate_until: Option<OffsetDateTime>,
    /// Loaded at the start, each of the digest that its card names.
    pub models: Vec<ModelUsed>,
    pub limits: Limits,
    pub findings: Vec<Finding>,
}

impl Premises {
    pub fn of(agent: &Agent, models: &[ModelUsed]) -> Self {
        let mut dirs = vec![("spool", agent.spool.dir.clone())];
        if agent.history.enabled {
            dirs.push(("history", agent.history.dir.clone()));
        }
        Self {
            device: agent.device.as_ref().map(|device| (device.keys.clone(), device.id.clone())),
            dirs,
            models: models.to_vec(),
            limits: Limits {
                spool_bytes: agent.spool.max_bytes,
                min_free_bytes: agent.spool.min_free_bytes,
            },
        }
    }

    pub fn disks(&self) -> Vec<Disk> {
        self.dirs.iter().map(|(holds, dir)| Disk::of(holds, dir)).collect()
    }
}

impl Sources {
    /// Looks at everything; reads some small files.
    pub fn report(&self) -> Report {
        let troubles = self.troubles();
        let at = self.board.now().to_offset(crate::evidence::caption::VIETNAM);
        let identity = self.premises.device.as_ref().map(|(keys, id)| Identity::load(keys, id));
        let mut report = Report {
            version: env!("CARGO_PKG_VERSION"),
            device: self.premises.device.as_ref().map(|(_, id)| id.clone()),
            at,
            clock_synchronised: clock::synchronised(at),
            healthy: troubles.is_empty(),
            troubles,
            parked: self.parked(),
            configuration: self.configured.status(),
            threads: self.crew.snapshot(),
            cameras: self.board.snapshot(),
            spool: self.spool.as_ref().map(|spool| spool.stats()),
            queue_age_s: self.spool.as_ref().and_then(|spool| queue_age(spool)),
            uplink: self.uplink.as_ref().map(Monitor::status),
            history: self.history.as_ref().and_then(History::status),
            update: self.updates.as_ref().map(Updates::status),
            machine: Machine::read(Path::new("/")),
            disks: self.premises.disks(),
            certificate_until: identity
                .and_then(Result::ok)
                .map(|identity| identity.info().not_after),
            models: self.premises.models.clone(),
            limits: self.premises.limits,
            findings: Vec::new(),
        };
        report.findings = findings::of(&report);
        report
    }

    /// What keeps violations from being seen, sealed and delivered until somebody helps.
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = self.crew.troubles();
        if let Some(stats) = self.spool.as_ref().map(|spool| spool.stats()) {
            if stats.full {
                troubles.push("evidence cannot be sealed: the spool is full".into());
            }
            if stats.failed {
                troubles.push("evidence cannot be sealed: the spool's volume failed".into());
            }
        }
        if let Some(blocked) = self.uplink.as_ref().and_then(|uplink| uplink.status().blocked) {
            troubles.push(format!("evidence cannot be delivered: {blocked}"));
        }
        troubles
    }

    /// What was set aside while the others went on.
    fn parked(&self) -> Vec<String> {
        let Some(spool) = &self.spool else { return Vec::new() };
        let (stats, root) = (spool.stats(), spool.root().display());
        let mut parked = Vec::new();
        if stats.refused > 0 {
            parked.push(format!("{} packages refused: see {root}/refused", stats.refused));
        }
        if stats.damaged > 0 {
            parked.push(format!("{} packages damaged: see {root}/damaged", stats.damaged));
        }
        parked
    }
}

/// By the time at which the oldest was written.
fn queue_age(spool: &Spool) -> Option<u64> {
    let entry = spool.next_pending(0)?;
    let dir = spool.root().join("pending").join(entry.name());
    let written = std::fs::metadata(dir).and_then(|meta| meta.modified()).ok()?;
    written.elapsed().ok().map(|age| age.as_secs())
}
