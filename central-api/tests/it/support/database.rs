//! A fresh database for each test: a SQLite file, or a database of one private PostgreSQL cluster
//! that lives as long as the test binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

/// An empty database; the folder goes with it.
#[derive(Debug)]
pub struct Database {
    pub url: String,
    pub folder: TempDir,
}

impl Database {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { url: format!("sqlite:{}", folder.path().join("central.db").display()), folder }
    }

    /// None only where the person asked to skip; a missing PostgreSQL fails the test.
    pub async fn postgres() -> Option<Self> {
        static CLUSTER: OnceLock<PathBuf> = OnceLock::new();
        Self::of_cluster(&CLUSTER, "pg", false).await
    }

    /// The same on a cluster that waits for the disk, as in service: for measurements.
    pub async fn durable_postgres() -> Option<Self> {
        static CLUSTER: OnceLock<PathBuf> = OnceLock::new();
        Self::of_cluster(&CLUSTER, "pg-durable", true).await
    }

    async fn of_cluster(
        cluster: &'static OnceLock<PathBuf>,
        name: &'static str,
        durable: bool,
    ) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if std::env::var_os("SKIP_POSTGRES").is_some() {
            return None;
        }
        let start = move || cluster.get_or_init(|| start_cluster(name, durable));
        let socket = tokio::task::spawn_blocking(start)
            .await
            .expect("PostgreSQL (package postgresql) must start; SKIP_POSTGRES=1 skips");
        let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut admin = PgConnection::connect(&url(socket, "postgres")).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
        Some(Self { url: url(socket, &name), folder: tempfile::tempdir().unwrap() })
    }
}

fn url(socket: &Path, name: &str) -> String {
    format!("postgres://phatnguoi@localhost/{name}?host={}", socket.display())
}

fn start_cluster(name: &str, durable: bool) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("phatnguoi-{name}-{}", std::process::id()));
    sweep_old();
    let bin = binaries();
    let root = is_root();
    std::fs::create_dir_all(&folder).unwrap();
    if root {
        // PostgreSQL refuses to run as root.
        run(Command::new("chown").arg("postgres").arg(&folder));
    }
    run(as_postgres(root, &bin.join("initdb")).arg("-D").arg(folder.join("data")).args([
        "-A",
        "trust",
        "-U",
        "phatnguoi",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]));
    let mut server = as_postgres(root, &bin.join("postgres"));
    server
        .arg("-D")
        .arg(folder.join("data"))
        .arg("-k")
        .arg(&folder)
        .args(["-c", "listen_addresses=", "-c", "max_connections=200"])
        .args(["-c", if durable { "fsync=on" } else { "fsync=off" }])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // The server dies with the thread that started it, so that thread stays until the end.
    std::thread::spawn(move || {
        let status = server.status();
        panic!("the test cluster stopped: {status:?}");
    });
    let deadline = Instant::now() + Duration::from_secs(30);
    while !ready(&bin, &folder) {
        assert!(Instant::now() < deadline, "the test cluster did not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    folder
}

fn ready(bin: &Path, folder: &Path) -> bool {
    Command::new(bin.join("pg_isready"))
        .arg("-q")
        .arg("-h")
        .arg(folder)
        .status()
        .is_ok_and(|status| status.success())
}

/// `setpriv` makes the kernel end the server when this process goes, however it goes.
fn as_postgres(root: bool, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=QUIT").current_dir("/");
    if root {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command.arg("--").arg(program);
    command
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

fn binaries() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found
        .pop()
        .expect("no /usr/lib/postgresql/*/bin/initdb: install postgresql, or SKIP_POSTGRES=1")
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Removes clusters whose test process is gone.
fn sweep_old() {
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix("phatnguoi-pg-"));
        let pid = pid.map(|pid| pid.strip_prefix("durable-").unwrap_or(pid));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // Another test run may be sweeping too.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
