//! Sets up and runs the central service of the demo: SQLite, local evidence folder, its staff, an
//! account for the fines.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rand::RngExt as _;

use crate::process::{self, Running};
use crate::site::Site;

/// Of the test vector of VietQR: nobody's account here.
pub const ACCOUNT: &str = "1017595600";
/// By which the leader signs.
const OFFICE: &str = "Trưởng phòng Cảnh sát giao thông";

/// An officer who can sign in.
#[derive(Debug, Clone)]
pub struct Login {
    pub role: &'static str,
    pub title: &'static str,
    /// Invented; it stands under what they sign.
    pub name: &'static str,
    pub login: String,
    pub password: String,
}

/// Who the central asks for the owner of a vehicle.
#[derive(Debug, Clone, Copy)]
pub enum Owners {
    /// Nobody: notices name no owner.
    Unknown,
    /// What `registry::import` takes in; a clerk where that does not know.
    Registry,
}

/// The central's configuration and staff.
#[derive(Debug, Clone)]
pub struct Central {
    pub config: PathBuf,
    /// Signs what the bank says of payments.
    pub bank_key: String,
    pub reviewer: Login,
    pub approver: Login,
    /// An approver with an office: signs fines.
    pub leader: Login,
    pub clerk: Login,
}

impl Central {
    /// Writes the configuration, creates a SQLite database and the officers.
    pub fn set_up(site: &Site, owners: Owners) -> Result<Self> {
        let file = site.dir.join("central/central.db");
        Self::set_up_on(site, owners, &format!("sqlite:{}", file.display()))
    }

    /// The same on the empty database at an address.
    pub fn set_up_on(site: &Site, owners: Owners, database: &str) -> Result<Self> {
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
                 [registry]\nsource = \"{source}\"\n\
                 [treasury]\nbank = \"970436\"\naccount = \"{ACCOUNT}\"\n\
                 name = \"KHO BAC NHA NUOC (MAU)\"\n\
                 notification_key_file = \"{keys}/bank.key\"\n\
                 [log]\nformat = \"text\"\n",
                data = data.display(),
                keys = site.dir.join("keys").display(),
                source = match owners {
                    Owners::Unknown => "none",
                    Owners::Registry => "imported",
                },
                web = site.ports.web,
                device = site.ports.device,
            ),
        )?;
        let central = Self {
            config,
            bank_key: secret(32),
            reviewer: Login::new("reviewer", "cán bộ xử lý", "Lê Thị An", "canbo"),
            approver: Login::new("approver", "chỉ huy duyệt", "Trần Văn Bình", "chihuy"),
            leader: Login::new("approver", "lãnh đạo ký quyết định", "Phạm Minh Dũng", "lanhdao"),
            clerk: Login::new("registry", "cán bộ hồ sơ", "Vũ Thị Chi", "hoso"),
        };
        let mut file = std::fs::OpenOptions::new();
        let file = file.write(true).create(true).truncate(true).mode(0o600);
        let mut file = file.open(site.dir.join("keys/bank.key"))?;
        file.write_all(central.bank_key.as_bytes())?;
        process::finish(central.command(site, &["migrate"])?)?;
        for officer in central.staff() {
            central.employ(site, officer)?;
        }
        central.appoint(site, &central.leader)?;
        Ok(central)
    }

    /// Somebody more on the staff, who can sign in.
    pub fn employ(&self, site: &Site, officer: &Login) -> Result<()> {
        let secret = site.dir.join("keys").join(format!("{}.password", officer.login));
        std::fs::write(&secret, &officer.password)?;
        let mut command = self.command(site, &["admin", "create-user"])?;
        command.args(["--login", &officer.login, "--name", officer.name, "--role", officer.role]);
        command.arg("--password-file").arg(&secret);
        process::finish(command).map(drop)
    }

    /// Gives the office by which decisions are signed.
    pub fn appoint(&self, site: &Site, officer: &Login) -> Result<()> {
        let mut command = self.command(site, &["admin", "set-office"])?;
        command.args(["--login", &officer.login, "--title", OFFICE]);
        process::finish(command).map(drop)
    }

    /// Adds to the configuration what a run needs otherwise.
    pub fn configure(&self, more: &str) -> Result<()> {
        let text = std::fs::read_to_string(&self.config)?;
        Ok(std::fs::write(&self.config, text + more)?)
    }

    /// Starts a worker beside the service, for its jobs.
    pub fn work(&self, site: &Site, workers: u32) -> Result<Running> {
        let mut command = self.command(site, &["work"])?;
        command.arg("--workers").arg(workers.to_string());
        Running::start("worker", command, &site.log("worker"))
    }

    /// Everybody who can sign in.
    pub fn staff(&self) -> [&Login; 4] {
        [&self.reviewer, &self.approver, &self.leader, &self.clerk]
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
    pub fn new(
        role: &'static str,
        title: &'static str,
        name: &'static str,
        login: impl Into<String>,
    ) -> Self {
        Self { role, title, name, login: login.into(), password: secret(14) }
    }
}

/// Readable aloud: no look-alikes.
fn secret(length: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghkmnpqrstuvwxyz23456789";
    let mut random = rand::rng();
    (0..length).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())])).collect()
}
