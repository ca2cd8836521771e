//! The programs of the day, which may die and are started again: service, worker, database.

use anyhow::{Context as _, Result};

use super::Plan;
use crate::central::{Central, Login, Owners};
use crate::fleet::cluster::Cluster;
use crate::machine;
use crate::officer::Api;
use crate::process::Running;
use crate::site::Site;

#[derive(Debug)]
pub struct House {
    pub central: Central,
    server: Option<Running>,
    worker: Option<Running>,
    cluster: Option<Cluster>,
    crew: Vec<(Duty, Login)>,
    /// Processor seconds of those that were killed.
    buried_s: f64,
}

/// What an officer of the day does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    Review,
    Approve,
    Clerk,
    Sign,
}

/// What may be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    Server,
    Worker,
    Database,
}

impl House {
    /// Database and staff; nothing serves yet.
    pub async fn set_up(site: &Site, plan: &Plan) -> Result<Self> {
        let cluster = match plan.postgres {
            true => Some(Cluster::start(site).await?),
            false => None,
        };
        let central = match &cluster {
            Some(cluster) => Central::set_up_on(site, Owners::Registry, &cluster.url())?,
            None => Central::set_up(site, Owners::Registry)?,
        };
        // One SQLite file is one program's; on PostgreSQL the worker stands beside the service.
        let inside = if plan.postgres { 0 } else { plan.workers };
        central.configure(&format!("[jobs]\nworkers = {inside}\n"))?;
        let crew = crew(plan.officers);
        for (duty, login) in &crew {
            central.employ(site, login)?;
            if *duty == Duty::Sign {
                central.appoint(site, login)?;
            }
        }
        Ok(Self { central, server: None, worker: None, cluster, crew, buried_s: 0.0 })
    }

    pub async fn open(&mut self, site: &Site, plan: &Plan) -> Result<()> {
        self.server = Some(self.central.serve(site).await?);
        if plan.postgres {
            self.worker = Some(self.central.work(site, plan.workers)?);
        }
        Ok(())
    }

    /// Every officer, signed in.
    pub async fn staff(&self, site: &Site) -> Result<Vec<(Duty, Api)>> {
        let mut staff = Vec::new();
        for (duty, login) in &self.crew {
            staff.push((*duty, Api::sign_in(site, login).await?));
        }
        Ok(staff)
    }

    /// Fails where a program has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        for running in [&mut self.server, &mut self.worker].into_iter().flatten() {
            running.check()?;
        }
        Ok(())
    }

    /// Kills one and starts it again.
    pub async fn kill(&mut self, victim: Victim, site: &Site, plan: &Plan) -> Result<()> {
        match victim {
            Victim::Server => {
                let server = self.server.take().context("a service")?;
                self.buried_s += machine::cpu(server.id()).unwrap_or_default();
                server.kill()?;
                self.server = Some(self.central.serve(site).await?);
            }
            Victim::Worker => {
                let worker = self.worker.take().context("a worker")?;
                self.buried_s += machine::cpu(worker.id()).unwrap_or_default();
                worker.kill()?;
                self.worker = Some(self.central.work(site, plan.workers)?);
            }
            Victim::Database => {
                let cluster = self.cluster.as_mut().context("a database")?;
                self.buried_s += cluster.takes().0;
                cluster.die_and_rise(site).await?;
            }
        }
        Ok(())
    }

    /// Jobs that wait or are worked on, and those that were given up.
    pub async fn jobs(site: &Site) -> Result<[u64; 2]> {
        let url = site.web_url("/metrics");
        let text = reqwest::get(url).await?.error_for_status()?.text().await?;
        let of = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let count = line.and_then(|count| count.trim().parse::<f64>().ok());
            count.map(|count| count as u64).with_context(|| format!("no {name} in the metrics"))
        };
        Ok([of("jobs_waiting ")?, of("jobs_dead ")?])
    }

    /// Processor seconds of all of them so far.
    pub fn cpu(&self) -> f64 {
        let running = [&self.server, &self.worker].into_iter().flatten();
        let own: f64 = running.map(|it| machine::cpu(it.id()).unwrap_or_default()).sum();
        own + self.buried_s + self.cluster.as_ref().map_or(0.0, |it| it.takes().0)
    }
}

/// Half review; of the others each duty has its share.
fn crew(officers: u16) -> Vec<(Duty, Login)> {
    const ROUND: [Duty; 8] = [
        Duty::Review,
        Duty::Approve,
        Duty::Review,
        Duty::Clerk,
        Duty::Review,
        Duty::Approve,
        Duty::Review,
        Duty::Sign,
    ];
    (0..officers)
        .map(|n| {
            let duty = ROUND[usize::from(n) % ROUND.len()];
            let role = match duty {
                Duty::Review => "reviewer",
                Duty::Approve | Duty::Sign => "approver",
                Duty::Clerk => "registry",
            };
            (duty, Login::new(role, "cán bộ", "Nguyễn Văn Mẫu", format!("canbo{n:02}")))
        })
        .collect()
}
