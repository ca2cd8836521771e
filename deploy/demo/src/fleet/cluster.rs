//! A PostgreSQL of its own for one run, that waits for the disk as in service.

use std::time::Duration;

use anyhow::{Result, bail};
use tempfile::TempDir;

use crate::machine;
use crate::process::Running;
use crate::site::Site;

/// The central's tests make theirs with the same.
#[path = "../../../../central-api/tests/it/support/postgres.rs"]
mod postgres;

/// Ends with the run; the folder, too.
#[derive(Debug)]
pub struct Cluster {
    server: Running,
    folder: TempDir,
}

impl Cluster {
    pub async fn start(site: &Site) -> Result<Self> {
        // Where the server's own user may go, and a socket's address is short enough.
        let folder = tempfile::Builder::new().prefix("fleet-pg-").tempdir()?;
        let command = postgres::prepare(folder.path(), true)?;
        let server = Running::start("PostgreSQL", command, &site.log("postgres"))?;
        let mut cluster = Self { server, folder };
        cluster.ready().await?;
        Ok(cluster)
    }

    async fn ready(&mut self) -> Result<()> {
        for _ in 0..300 {
            self.server.check()?;
            if postgres::is_ready(self.folder.path())? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("PostgreSQL is not ready after 30 s; {}", self.server.last_words())
    }

    /// Stops at once, as without power, and serves again from what is on the disk.
    pub async fn die_and_rise(&mut self, site: &Site) -> Result<()> {
        self.server.abort()?;
        let command = postgres::server(self.folder.path(), true)?;
        self.server = Running::start("PostgreSQL", command, &site.log("postgres"))?;
        self.ready().await
    }

    pub fn url(&self) -> String {
        postgres::url(self.folder.path(), "postgres")
    }

    /// Processor seconds and MB of all its processes.
    pub fn takes(&self) -> (f64, f64) {
        let id = self.server.id();
        let all = std::iter::once(id).chain(machine::children(id));
        all.fold((0.0, 0.0), |(cpu, memory), id| {
            // A process may end meanwhile.
            let (more, mb) = (machine::cpu(id), machine::memory_shared(id));
            (cpu + more.unwrap_or_default(), memory + mb.unwrap_or_default())
        })
    }

    pub fn weight(&self) -> u64 {
        machine::weight(&self.folder.path().join("data"))
    }
}
