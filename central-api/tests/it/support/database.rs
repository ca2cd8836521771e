//! A fresh database for each test: a SQLite file, or a database of one private PostgreSQL cluster
//! that lives as long as the test binary.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use super::postgres::{self, url};

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

fn start_cluster(name: &str, durable: bool) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("phatnguoi-{name}-{}", std::process::id()));
    sweep_old();
    let mut server = postgres::prepare(&folder, durable).unwrap();
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // The server dies with the thread that started it, so that thread stays until the end.
    std::thread::spawn(move || {
        let status = server.status();
        panic!("the test cluster stopped: {status:?}");
    });
    let deadline = Instant::now() + Duration::from_secs(30);
    while !postgres::is_ready(&folder).unwrap() {
        assert!(Instant::now() < deadline, "the test cluster did not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    folder
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
