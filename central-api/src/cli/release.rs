//! `central-api release`: from a folder to the boxes. The first two commands need neither
//! configuration nor database: they belong on the machine that keeps the key.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use central_api::clock::{Clock as _, System};
use central_api::config::Config;
use central_api::device::fleet;
use central_api::evidence::EvidenceStore;
use central_api::release::{self, NewRelease, To};
use central_api::store::Store;
use central_api::text_file;
use clap::{Args, Subcommand};
use contract::seal::VerifyingKey;
use time::format_description::well_known::Rfc3339;

#[derive(Debug, Subcommand)]
pub enum Release {
    /// Make a release key; offline. `release.key` stays there, `release.pub` goes to the central and
    /// the boxes.
    Key {
        /// Folder to write to.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Describe and sign what lies in a folder's program/, models/ and settings/; offline.
    Make {
        /// The release key.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The folder; release.json and release.jws are written into it.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Higher than that of every release before it, also where it is a way back.
        #[arg(long)]
        number: u64,
        /// What people call it.
        #[arg(long, value_name = "TEXT")]
        version: String,
        /// Boxes take it only over a release of this number or higher.
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        over: u64,
        /// Processor of the boxes.
        #[arg(long, default_value = std::env::consts::ARCH)]
        target: String,
    },
    /// Check a signed release and store it. No box gets it yet.
    Publish {
        /// The folder that `make` signed.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// The public release key (release.pub).
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Give a published release to boxes: they fetch it by themselves.
    Assign {
        #[arg(long)]
        number: u64,
        #[command(flatten)]
        to: Whom,
    },
    /// Give a release to nobody any more. Boxes that run it stay; the way back is a new release.
    Withdraw {
        #[arg(long)]
        number: u64,
    },
    /// List the releases, and how many boxes are to run and run each.
    List,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Whom {
    /// One box; may be repeated.
    #[arg(long = "device", value_name = "ID")]
    devices: Vec<String>,
    /// So many of a hundred boxes; a larger share later keeps those of a smaller one.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    share: Option<u8>,
    /// Every box.
    #[arg(long)]
    all: bool,
}

impl Release {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let now = System.now();
        match self {
            Self::Key { out } => {
                let key = release::new_key(&out)?;
                println!(
                    "release key {} is in {}: keep release.key offline",
                    key.id(),
                    out.display()
                );
            }
            Self::Make { key, dir, number, version, over, target } => {
                let new = NewRelease { number, version: &version, over, target: &target };
                let made = release::make(&key, &dir, now, &new)?;
                let (files, bytes) = (made.files.len(), made.bytes());
                println!(
                    "release {number} signed: {files} files, {bytes} bytes in {}",
                    dir.display()
                );
            }
            Self::Publish { dir, key } => {
                let pem = text_file::read(&key)
                    .with_context(|| format!("failed to read {}", key.display()))?;
                let key = VerifyingKey::from_pem(&pem)
                    .with_context(|| format!("{} is no release key", key.display()))?;
                let store = migrated(&config).await?;
                let evidence = EvidenceStore::open_folder(&config.evidence.folder)?;
                let done = release::publish(&store, &evidence, now, &dir, &key).await?;
                let (number, version) = (done.release.number, &done.release.version);
                println!("release {number} ({version}) published, {} files stored", done.stored);
                store.close().await;
            }
            Self::Assign { number, to } => {
                let store = migrated(&config).await?;
                let to = match to.share {
                    Some(share) => To::Share(share),
                    None if to.all => To::Share(100),
                    None => To::Devices(to.devices),
                };
                let devices = release::assign(&store, now, number, to).await?;
                println!("release {number} given to {}: {}", devices.len(), devices.join(" "));
                store.close().await;
            }
            Self::Withdraw { number } => {
                let store = migrated(&config).await?;
                let had = release::withdraw(&store, now, number).await?;
                println!("release {number} withdrawn from {had} boxes");
                store.close().await;
            }
            Self::List => {
                let store = migrated(&config).await?;
                list(&store).await?;
                store.close().await;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn migrated(config: &Config) -> anyhow::Result<Store> {
    let store = super::open_store(config).await?;
    store.migrate().await?;
    Ok(store)
}

async fn list(store: &Store) -> anyhow::Result<()> {
    let members = fleet::all(store, System.now()).await?;
    for release::Listed { release, key_id, published_at } in release::list(store).await? {
        let number = release.number;
        let given = members.iter().filter(|it| it.assigned() == Some(number)).count();
        let updates = || members.iter().filter_map(|it| it.word.as_ref()?.report.update.as_ref());
        let (trying, running): (Vec<_>, Vec<_>) =
            updates().filter(|it| it.release == number).partition(|it| it.on_trial);
        let undone = updates().filter_map(|it| it.undone.as_ref());
        let undone = undone.filter(|it| it.release == number).count();
        println!(
            "{number}  {}  {}  {} bytes  key {key_id}  published {}  given to {given}, running on {}, \
             on trial on {}, undone on {undone}",
            release.version,
            release.target,
            release.bytes(),
            published_at.format(&Rfc3339)?,
            running.len(),
            trying.len(),
        );
    }
    Ok(())
}
