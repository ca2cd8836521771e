//! A central that serves on loopback, in this process, with a simulated clock.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use central_api::AppState;
use central_api::clock::{Clock as _, Simulated};
use central_api::config::Config;
use central_api::device::ca::Ca;
use central_api::device::enrol;
use central_api::serve::{self, Running};
use central_api::verify::{Depth, Report, verify_store};
use contract::chain::Head;
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use super::Database;
use super::road_box::{self, Keys, RoadBox};

pub struct World {
    pub app: AppState,
    pub clock: Arc<Simulated>,
    pub ca: Ca,
    running: Running,
    folder: TempDir,
}

impl World {
    pub async fn new(database: Database) -> Self {
        Self::with(database, |_| {}).await
    }

    pub async fn with(database: Database, change: impl FnOnce(&mut Config)) -> Self {
        let Database { url, folder } = database;
        let mut config = Config::embedded().unwrap();
        config.database.url = url;
        config.database.connections = 8;
        config.evidence.folder = folder.path().join("evidence");
        config.keys.folder = folder.path().join("keys");
        config.web.listen = ([127, 0, 0, 1], 0).into();
        config.device.listen = ([127, 0, 0, 1], 0).into();
        config.device.requests_per_second = 10_000;
        config.device.burst = 10_000;
        change(&mut config);
        // Certificates are checked against the machine's clock, so the story starts today.
        let clock = Arc::new(Simulated::at(OffsetDateTime::now_utc()));
        let shared: Arc<dyn central_api::clock::Clock> = Arc::clone(&clock) as _;
        let app = serve::open_app(config, shared).await.unwrap();
        let ca = Ca::load_or_create(&app.config.keys.folder, clock.now()).unwrap();
        let running = serve::start(app.clone()).await.unwrap();
        Self { app, clock, ca, running, folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn web(&self) -> String {
        format!("http://{}", self.running.web)
    }

    pub fn device_base(&self) -> String {
        road_box::base(self.running.device)
    }

    /// Enrols a box and connects it.
    pub async fn road_box(&self, id: &str, seed: u8) -> RoadBox {
        let keys = Keys::generate(id, seed);
        let seal_key = keys.seal.verifying_key().to_pem().unwrap();
        let validity = Duration::days(30);
        let now = self.clock.now();
        let certificate =
            enrol::enrol(&self.app.store, &self.ca, now, id, &keys.csr, &seal_key, validity)
                .await
                .unwrap();
        RoadBox {
            id: id.into(),
            client: road_box::client(self.ca.pem(), Some((&certificate, &keys.tls))),
            certificate,
            keys,
            base: self.device_base(),
            head: Head::default(),
            now,
        }
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.app.store.pool()).await.unwrap()
    }

    pub async fn cases(&self) -> i64 {
        self.count("SELECT COUNT(*) FROM cases").await
    }

    pub async fn verify(&self) -> Report {
        verify_store(&self.app.store, &self.app.evidence, &self.app.law, Depth::Seals)
            .await
            .unwrap()
    }

    /// Everything an intake request could change, as text.
    pub async fn snapshot(&self) -> String {
        let mut out = String::new();
        for sql in [
            "SELECT id || ' ' || device_id || ' ' || manifest_digest || ' ' || \
             COALESCE(received_at, 0) FROM evidence ORDER BY id",
            "SELECT evidence_id || ' ' || name || ' ' || COALESCE(stored_at, 0) \
             FROM evidence_files ORDER BY evidence_id, name",
            "SELECT id || ' ' || head_sequence || ' ' || COALESCE(head_digest, '') \
             FROM devices ORDER BY id",
            "SELECT id || ' ' || evidence_id FROM cases ORDER BY id",
            "SELECT seq || ' ' || hash FROM audit_head",
        ] {
            let rows: Vec<String> =
                sqlx::query_scalar(sql).fetch_all(self.app.store.pool()).await.unwrap();
            writeln!(out, "{}", rows.join("\n")).unwrap();
        }
        files(&self.app.config.evidence.folder, &mut out);
        out
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }
}

fn files(folder: &Path, out: &mut String) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), out);
        } else {
            let bytes = entry.metadata().unwrap().len();
            writeln!(out, "{} {bytes}", entry.path().display()).unwrap();
        }
    }
}
