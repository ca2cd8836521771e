//! What the central takes of the machine while it is loaded, looked at every few seconds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::cluster::Cluster;
use super::table::Course;
use crate::machine;
use crate::process::Running;
use crate::site::Site;

/// One look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    pub at_s: f64,
    /// Processor time since its start, seconds: of the central, of its PostgreSQL.
    pub central_cpu_s: f64,
    pub database_cpu_s: f64,
    /// Resident memory of the central and of its PostgreSQL, MB.
    pub central_mb: f64,
    pub database_mb: f64,
    pub descriptors: usize,
    /// Connections of boxes.
    pub connections: usize,
    /// On the disk: evidence, database.
    pub evidence_bytes: u64,
    pub database_bytes: u64,
    /// Handed to the disk since its start.
    pub written_bytes: u64,
    /// The machine's load, everybody's.
    pub load: f64,
}

/// Watches one central, and ends it.
#[derive(Debug)]
pub struct Watch {
    central: Running,
    cluster: Option<Cluster>,
    data: PathBuf,
    port: u16,
    since: Instant,
    looks: Vec<Look>,
}

impl Watch {
    pub fn begin(site: &Site, central: Running, cluster: Option<Cluster>) -> Result<Self> {
        let (data, port) = (site.dir.join("central"), site.ports.device);
        let looks = Vec::new();
        let mut watch = Self { central, cluster, data, port, since: Instant::now(), looks };
        watch.look()?;
        Ok(watch)
    }

    /// Fails where the central has ended.
    pub fn look(&mut self) -> Result<()> {
        self.central.check()?;
        let id = self.central.id();
        let cluster = self.cluster.as_ref();
        let evidence = machine::weight(&self.data.join("evidence"));
        let (database_cpu_s, database_mb) = cluster.map_or((0.0, 0.0), Cluster::takes);
        self.looks.push(Look {
            at_s: self.since.elapsed().as_secs_f64(),
            central_cpu_s: machine::cpu(id)?,
            database_cpu_s,
            central_mb: machine::memory(id)?,
            database_mb,
            descriptors: machine::descriptors(id)?,
            connections: machine::connections(self.port)?,
            evidence_bytes: evidence,
            database_bytes: match cluster {
                Some(cluster) => cluster.weight(),
                None => machine::weight(&self.data).saturating_sub(evidence),
            },
            written_bytes: machine::written(id)?,
            load: machine::load()?,
        });
        Ok(())
    }

    /// The whole course. The central goes on until this is dropped.
    pub fn course(&self) -> Result<Course> {
        Course::of(self.looks.clone()).context("nothing was seen of the central")
    }
}

/// What the central refused, by code, and what its listener turned away, since its start.
pub async fn refusals(site: &Site) -> Result<BTreeMap<String, u64>> {
    let text = reqwest::get(site.web_url("/metrics")).await?.error_for_status()?.text().await?;
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        let Some((name, count)) = line.rsplit_once(' ') else { continue };
        let label = |key: &str| name.split_once(key)?.1.split('"').next();
        let kind = match name.split('{').next() {
            Some("intake_refusals_total") => label("code=\""),
            Some(
                kind @ ("listener_refused_total"
                | "listener_evicted_total"
                | "listener_timeouts_total"
                | "listener_handshake_failures_total"
                | "listener_accept_failures_total"),
            ) if label("listener=\"") == Some("device") => Some(kind),
            _ => None,
        };
        if let (Some(kind), Ok(count)) = (kind, count.parse::<f64>()) {
            counts.insert(kind.to_owned(), count as u64);
        }
    }
    Ok(counts)
}
