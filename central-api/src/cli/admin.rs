//! `central-api admin`: users and devices.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use central_api::admin::users::{self, NewUser, Role};
use central_api::case::Terms;
use central_api::case::passage::Limits;
use central_api::clock::{Clock as _, System};
use central_api::config::Config;
use central_api::device::keyring::Keyring;
use central_api::device::parked::{self, Verdict};
use central_api::device::{enrol, fleet, settle};
use central_api::law;
use central_api::proceedings::decision::{self, Office};
use central_api::proceedings::delivery;
use central_api::proceedings::payment::{By, statement};
use central_api::registry;
use central_api::store::Store;
use central_api::text_file;
use clap::Subcommand;
use time::Duration;
use time::format_description::well_known::Rfc3339;

#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Create a member of staff; the password comes from a file or from standard input.
    CreateUser {
        #[arg(long)]
        login: String,
        #[arg(long)]
        name: String,
        /// reviewer, approver, registry, admin or auditor; may be repeated.
        #[arg(long = "role", required = true)]
        roles: Vec<Role>,
        /// File whose first line is the password.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Take in registration data: a CSV file with the columns bien_so, loai_xe, mau_bien,
    /// nhan_hieu, mau_son, loai_chu, ten_chu, so_dinh_danh, dia_chi and tinh_trang. All of it, or
    /// nothing. Owners are asked for once `[registry] source` is "imported".
    ImportRegistry {
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// The file is the whole registry: drop the vehicles that are not in it.
        #[arg(long)]
        replace: bool,
    },
    /// Say by which office a member of staff signs decisions on fines; without --title the office is
    /// taken away.
    SetOffice {
        #[arg(long)]
        login: String,
        /// A title of the law's table of signers, e.g. "Trưởng phòng Cảnh sát giao thông".
        #[arg(long)]
        title: Option<String>,
        /// Of a deputy, who signs for the head: number and date of the delegation.
        #[arg(long, requires = "title", value_name = "TEXT")]
        delegation: Option<String>,
    },
    /// Take in what the post office says of letters: a CSV file with the columns ma_buu_pham (or
    /// ma_van_ban), so_hieu_buu_gui, trang_thai and ngay. All of it, or nothing; the same file again
    /// changes nothing.
    ImportPost {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Take in a statement of the treasury account: CSV or CAMT.053. All of it, or nothing; what is on
    /// record already stays as it is.
    ImportStatement {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Shut a member of staff out; what they decided stays on record.
    DisableUser {
        #[arg(long)]
        login: String,
    },
    /// Let a member of staff in again.
    EnableUser {
        #[arg(long)]
        login: String,
    },
    /// List the staff.
    ListUsers,
    /// Enrol a box or renew its certificate: writes tls.pem, ca.pem and central.pub.
    EnrolDevice {
        #[arg(long)]
        id: String,
        /// The box's certificate request (tls.csr).
        #[arg(long, value_name = "FILE")]
        csr: PathBuf,
        /// The box's public sealing key (seal.pub).
        #[arg(long, value_name = "FILE")]
        seal_key: PathBuf,
        /// Folder to write to.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Shut a box out for good; its evidence stays.
    RevokeDevice {
        #[arg(long)]
        id: String,
    },
    /// Let a box's chain go on after packages that are lost for good, or begin again at a number it
    /// had before (a restored image, an emptied spool); the audit keeps why.
    ///
    /// `list-devices`, the box's log and its health page name the command a box waits for.
    SettleChain {
        #[arg(long)]
        id: String,
        /// Sequence number of the package the box is stuck at.
        #[arg(long, value_name = "SEQUENCE")]
        next: i64,
        /// Why the packages before it are lost.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Begin again at the very next number, where it names another predecessor.
        #[arg(long)]
        again: bool,
    },
    /// List the boxes, and what gets those going that are stuck.
    ListDevices,
    /// List evidence that is kept without a case because its times cannot be right.
    ListParked,
    /// Decide about parked evidence; the audit keeps why.
    SettleParked {
        #[arg(long, value_name = "ID")]
        evidence: String,
        /// Open a case after all; without this it is closed without one, and kept.
        #[arg(long)]
        case: bool,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Make a new CA and receipt key where the old ones are lost: every box must be enrolled again.
    NewKeys {
        /// Why the old ones cannot be restored.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

impl Admin {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let store = super::open_store(&config).await?;
        store.migrate().await?;
        match self {
            Self::CreateUser { login, name, roles, password_file } => {
                let password = read_password(password_file.as_deref())?;
                let user = NewUser { login: &login, name: &name, roles: &roles };
                let id = users::create(&store, System.now(), "system", user, password).await?;
                println!("user {login} created with id {id}");
            }
            Self::ImportRegistry { file, replace } => {
                let opened = std::fs::File::open(&file)
                    .with_context(|| format!("failed to open {}", file.display()))?;
                let taken = registry::import(&store, opened, replace, System.now())
                    .await
                    .with_context(|| file.display().to_string())?;
                println!("{} vehicles taken in, {} dropped", taken.vehicles, taken.dropped);
            }
            Self::SetOffice { login, title, delegation } => {
                let office = title.map(|title| Office { title, delegation });
                let shown = office.as_ref().map_or("no office", |office| &office.title).to_owned();
                decision::set_office(&store, &law::book()?, System.now(), &login, office).await?;
                println!("user {login} signs by {shown}");
            }
            Self::ImportPost { file } => {
                let bytes = std::fs::read(&file)
                    .with_context(|| format!("failed to read {}", file.display()))?;
                let book = law::book()?;
                let taken = delivery::import(&store, &book, &bytes, "system", System.now())
                    .await
                    .with_context(|| file.display().to_string())?;
                println!("{} lines, {} letters changed", taken.lines, taken.changed);
            }
            Self::ImportStatement { file } => {
                let mut bytes = Vec::new();
                // One byte more than may be tells that there is more.
                let most = statement::MOST_BYTES as u64 + 1;
                std::fs::File::open(&file)
                    .and_then(|opened| opened.take(most).read_to_end(&mut bytes))
                    .with_context(|| format!("failed to read {}", file.display()))?;
                let (law, by) = (law::book()?, By::System);
                let now = System.now();
                let done = statement::import(&store, &law, &config.treasury, &bytes, by, now)
                    .await
                    .with_context(|| file.display().to_string())?;
                println!(
                    "{} payments put on their claims ({} settled), {} new ones for a clerk, {} known \
                     already; {} outgoing and {} announced ones are not booked",
                    done.matched,
                    done.settled,
                    done.unmatched,
                    done.known,
                    done.outgoing,
                    done.pending,
                );
            }
            Self::DisableUser { login } => disable_user(&store, &login, true).await?,
            Self::EnableUser { login } => disable_user(&store, &login, false).await?,
            Self::ListUsers => {
                for user in users::list(&store).await? {
                    let roles: Vec<&str> = user.roles.iter().map(|role| role.name()).collect();
                    let state = if user.disabled { "  disabled" } else { "" };
                    println!("{}  {}  {}{state}", user.login, user.name, roles.join(","));
                }
            }
            Self::EnrolDevice { id, csr, seal_key, out } => {
                enrol_device(&config, &store, &id, &csr, &seal_key, &out).await?;
            }
            Self::RevokeDevice { id } => {
                enrol::revoke(&store, System.now(), &id).await?;
                println!("device {id} revoked");
            }
            Self::SettleChain { id, next, reason, again: true } => {
                settle::begin_again(&store, System.now(), &id, next, &reason).await?;
                println!("device {id}: numbers begin again at {next}");
            }
            Self::SettleChain { id, next, reason, again: false } => {
                match settle::settle(&store, System.now(), &id, next, &reason).await? {
                    0 => println!("device {id}: numbers begin again at {next}"),
                    lost => println!("device {id}: {lost} packages given up, {next} comes next"),
                }
            }
            Self::ListParked => list_parked(&store).await?,
            Self::SettleParked { evidence, case, reason } => {
                let verdict = if case { Verdict::Case } else { Verdict::Closed };
                let now = System.now();
                let book = law::book()?;
                let terms = Terms { law: &book, limits: Limits::of(&config.cases) };
                match parked::decide(&store, terms, now, &evidence, verdict, &reason).await? {
                    Some(case) => println!("evidence {evidence}: case {case}"),
                    None => println!("evidence {evidence}: closed without a case"),
                }
            }
            Self::NewKeys { reason } => {
                Keyring::replace(&store, &config.keys.folder, System.now(), &reason).await?;
                println!("new CA and receipt key made: enrol every box again (enrol-device)");
            }
            Self::ListDevices => {
                let now = System.now();
                for member in fleet::all(&store, now).await? {
                    let (standing, device) = (member.standing(now).name(), &member.device);
                    let time = |at: Option<time::OffsetDateTime>| {
                        at.map_or(Ok("never".to_owned()), |at| at.format(&Rfc3339))
                    };
                    println!(
                        "{}  enrolled {}  seen {}  revoked {}  sequence {}  {standing}",
                        device.id,
                        time(Some(device.enrolled_at))?,
                        time(device.seen_at)?,
                        time(device.revoked_at)?,
                        device.head,
                    );
                    if let Some(word) = &member.word {
                        let (report, at) = (&word.report, time(Some(word.received_at))?);
                        let well = report.cameras.iter().filter(|camera| camera.is_well()).count();
                        println!(
                            "  said {at}: {}, {well} of {} cameras well, {} packages to send",
                            report.software,
                            report.cameras.len(),
                            report.spool.pending,
                        );
                    }
                    if let Some(stuck) = &device.stuck {
                        let at = stuck.sequence.map_or(String::new(), |at| format!(" at {at}"));
                        let since = time(Some(stuck.since))?;
                        println!("  STUCK{at} since {since}: {}", stuck.code);
                        println!("  {}", stuck.remedy(&device.id));
                    }
                }
            }
        }
        store.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

async fn list_parked(store: &Store) -> anyhow::Result<()> {
    let all = parked::list(store).await?;
    for one in &all {
        let at = one.captured_at.format(&Rfc3339)?;
        let whole = if one.whole { "" } else { "  still arriving" };
        println!("{}  {}  sequence {}  dated {at}{whole}", one.id, one.device_id, one.sequence);
        println!("  {}", one.why);
    }
    if !all.is_empty() {
        println!("\ncentral-api admin settle-parked --evidence ID --reason TEXT   closes it");
        println!(
            "central-api admin settle-parked --evidence ID --case --reason TEXT   opens a case"
        );
    }
    Ok(())
}

fn read_password(file: Option<&Path>) -> anyhow::Result<String> {
    let text = match file {
        Some(path) => {
            text_file::read(path).with_context(|| format!("failed to read {}", path.display()))?
        }
        None => {
            let mut text = String::new();
            std::io::stdin()
                .take(4096)
                .read_to_string(&mut text)
                .context("failed to read the password from standard input")?;
            text
        }
    };
    match text_file::without_mark(&text).lines().next() {
        Some(password) if !password.is_empty() => Ok(password.to_owned()),
        _ => bail!("the password is empty: give it with --password-file or on standard input"),
    }
}

async fn enrol_device(
    config: &Config,
    store: &Store,
    id: &str,
    csr: &Path,
    seal_key: &Path,
    out: &Path,
) -> anyhow::Result<()> {
    let read = |path: &Path| {
        text_file::read(path).with_context(|| format!("failed to read {}", path.display()))
    };
    let now = System.now();
    let Keyring { ca, receipt } = Keyring::open(store, &config.keys.folder, now).await?;
    let receipts = receipt.verifying_key().to_pem()?;
    let validity = Duration::days(i64::from(config.device.certificate_days));
    let (csr, seal_key) = (read(csr)?, read(seal_key)?);
    let certificate = enrol::enrol(store, &ca, now, id, &csr, &seal_key, validity).await?;
    std::fs::create_dir_all(out).with_context(|| format!("failed to create {}", out.display()))?;
    for (name, text) in
        [("tls.pem", certificate.as_str()), ("ca.pem", ca.pem()), ("central.pub", &receipts)]
    {
        let path = out.join(name);
        std::fs::write(&path, text)
            .with_context(|| format!("failed to write {}", path.display()))?;
    }
    println!("device {id} enrolled: tls.pem, ca.pem and central.pub are in {}", out.display());
    Ok(())
}

async fn disable_user(store: &Store, login: &str, disabled: bool) -> anyhow::Result<()> {
    let word = if disabled { "disabled" } else { "enabled" };
    if !users::disable(store, System.now(), "system", login, disabled).await? {
        bail!("there is no user {login}, or it is {word} already: see `admin list-users`");
    }
    println!("user {login} is {word}");
    Ok(())
}
