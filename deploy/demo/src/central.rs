//! Sets up and runs the central service of the demo: SQLite, local evidence folder, two officers.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rand::RngExt as _;

use crate::process::{self, Running};
use crate::site::Site;

/// An officer who can sign in.
#[derive(Debug, Clone)]
pub struct Login {
    pub role: &'static str,
    pub title: &'static str,
    pub login: &'static str,
    pub password: String,
}

/// The central's configuration and officers.
#[derive(Debug)]
pub struct Central {
    pub config: PathBuf,
    pub reviewer: Login,
    pub approver: Login,
}

impl Central {
    /// Writes the configuration, creates a SQLite database and the officers.
    pub fn set_up(site: &Site) -> Result<Self> {
        let file = site.dir.join("central/central.db");
        Self::set_up_on(site, &format!("sqlite:{}", file.display()))
    }

    /// The same on the empty database at an address.
    pub fn set_up_on(site: &Site, database: &str) -> Result<Self> {
        let data = site.dir.join("central");
        let config = site.dir.join("central.toml");
        std::fs::write(
            &config,
            format!(
                "[database]\nurl = \"{database}\"\n\
                 [evidence]\nfolder = \"{data}/evidence\"\n\
                 [keys]\nfolder = \"{data}/keys\"\n\
                 [warnings]\nfolder = \"{data}/warnings\"\n\
                 [web]\nlisten = \"127.0.0.1:{web}\"\npublic_url = \"http://127.0.0.1:{web}\"\n\
                 [device]\nlisten = \"127.0.0.1:{device}\"\n\
                 [log]\nformat = \"text\"\n",
                data = data.display(),
                web = site.ports.web,
                device = site.ports.device,
            ),
        )?;
        let central = Self {
            config,
            reviewer: Login::new("reviewer", "cán bộ xử lý", "canbo"),
            approver: Login::new("approver", "chỉ huy duyệt", "chihuy"),
        };
        process::finish(central.command(site, &["migrate"])?)?;
        for officer in [&central.reviewer, &central.approver] {
            let secret = site.dir.join("keys").join(format!("{}.password", officer.login));
            std::fs::write(&secret, &officer.password)?;
            let mut command = central.command(site, &["admin", "create-user"])?;
            command.args([
                "--login",
                officer.login,
                "--name",
                officer.title,
                "--role",
                officer.role,
            ]);
            command.arg("--password-file").arg(&secret);
            process::finish(command)?;
        }
        Ok(central)
    }

    /// A `central-api` command with this configuration.
    pub fn command(&self, site: &Site, words: &[&str]) -> Result<std::process::Command> {
        let mut command = site.program("central-api")?;
        command.args(words).arg("--config").arg(&self.config);
        Ok(command)
    }

    /// Signs the device's certificate request and puts what it needs beside its keys.
    pub fn enrol(&self, site: &Site, device: &str) -> Result<()> {
        let keys = site.dir.join("keys").join(device);
        let mut command = self.command(site, &["admin", "enrol-device", "--id", device])?;
        command.arg("--csr").arg(keys.join("tls.csr"));
        command.arg("--seal-key").arg(keys.join("seal.pub"));
        command.arg("--out").arg(&keys);
        process::finish(command).map(drop)
    }

    /// Starts the service and waits until it is ready.
    pub async fn serve(&self, site: &Site) -> Result<Running> {
        let mut running =
            Running::start("central", self.command(site, &["serve"])?, &site.log("central"))?;
        let url = site.web_url("/readyz");
        for _ in 0..450 {
            running.check()?;
            if reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(running);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        bail!("central is not ready after 90 s; {}", running.last_words())
    }

    /// `central-api verify --store`, as an auditor would run it; `judge`: every verdict is given again.
    pub fn verify_store(&self, site: &Site, judge: bool) -> Result<String> {
        let words = ["verify", "--store", "--judge"];
        process::finish(self.command(site, &words[..if judge { 3 } else { 2 }])?)
            .context("the central's store does not verify")
    }
}

impl Login {
    fn new(role: &'static str, title: &'static str, login: &'static str) -> Self {
        // Readable aloud: no look-alikes.
        const LETTERS: &[u8] = b"abcdefghkmnpqrstuvwxyz23456789";
        let mut random = rand::rng();
        let password = (0..14).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]));
        Self { role, title, login, password: password.collect() }
    }
}
