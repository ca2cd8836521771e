//! The service's configuration: embedded reference, then a file, then the environment.
//!
//! `central.toml` beside the crate is the only place where defaults live. A mistake is answered
//! with file, line, key and what would be right, and the service does not start.

mod check;
mod source;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::documents::sign;
use crate::text_file;
use crate::web::address::Network;

pub use source::ConfigError;

/// The commented reference with every key and its default.
pub const REFERENCE: &str = include_str!("../../central.toml");

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub database: Database,
    pub evidence: Evidence,
    pub keys: Keys,
    pub connections: Connections,
    pub web: Web,
    pub device: Device,
    pub staff: Staff,
    pub lookup: Lookup,
    pub cases: Cases,
    pub jobs: Jobs,
    pub registry: Registry,
    pub agency: Agency,
    pub post: Post,
    pub warnings: Warnings,
    pub treasury: Treasury,
    pub signing: Signing,
    pub log: Log,
    pub ops: Ops,
}

#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: String,
    pub url_file: String,
    pub connections: u32,
}

/// A url may hold a password: it is not printed.
impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("connections", &self.connections).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    pub folder: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    pub folder: PathBuf,
}

/// Bounds of every listener.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connections {
    pub handshake_seconds: u64,
    pub header_seconds: u64,
    pub idle_seconds: u64,
    pub stall_seconds: u64,
    pub request_seconds: u64,
    pub per_address: usize,
    pub streams: u32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    pub listen: SocketAddr,
    pub public_url: String,
    pub tls_cert: String,
    pub tls_key: String,
    pub behind_proxy: bool,
    pub trusted_proxies: Vec<Network>,
    pub max_connections: usize,
    pub request_timeout_seconds: u64,
}

impl Web {
    /// Whether cookies must carry `Secure`: pages reach the browser over HTTPS.
    pub fn is_https(&self) -> bool {
        !self.tls_cert.is_empty() || self.public_url.starts_with("https://")
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    pub listen: SocketAddr,
    pub names: Vec<String>,
    pub max_connections: usize,
    pub max_connections_per_device: usize,
    pub max_requests: usize,
    pub request_timeout_seconds: u64,
    pub requests_per_second: u32,
    pub burst: u32,
    pub max_open_packages: u32,
    pub max_future_seconds: u32,
    pub future_wait_minutes: u32,
    pub certificate_days: u32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staff {
    pub idle_minutes: u32,
    pub session_hours: u32,
    pub login_attempts: u32,
    pub login_pause_minutes: u32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    pub requests_per_minute: u32,
    pub captcha_bits: u32,
}

/// Where owners are looked up.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    pub source: RegistrySource,
    pub url: String,
    pub token_file: String,
    pub roots: String,
    pub keep_minutes: u32,
}

/// Where registration data come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrySource {
    None,
    /// From files, by `central-api admin import-registry`.
    Imported,
    /// The registration authority's, asked for each case.
    Server,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    pub workers: u32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    pub min_plate_confidence: f64,
    pub max_clock_offset_ms: u32,
    pub same_act_minutes: u32,
    pub same_passage_seconds: u32,
    pub same_passage_metres: f64,
    pub same_place_metres: f64,
    pub recheck_rejections: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    pub parent: String,
    pub name: String,
    pub code: String,
    pub place: String,
    pub address: String,
    pub phone: String,
    pub offices: Vec<Office>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Office {
    pub name: String,
    pub address: String,
    pub phone: String,
}

/// Letters in window envelopes; the window as it lies before whoever addresses the envelope.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Post {
    pub letters: u32,
    pub window_side: Side,
    pub window_from_side_mm: f32,
    pub window_from_bottom_mm: f32,
    pub window_width_mm: f32,
    pub window_height_mm: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Left,
    Right,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warnings {
    pub folder: PathBuf,
}

/// The account that fines are paid to; all empty where none is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Treasury {
    /// The bank's BIN.
    pub bank: String,
    pub account: String,
    pub name: String,
    pub notification_key_file: String,
}

impl Treasury {
    pub fn is_set(&self) -> bool {
        !self.account.is_empty()
    }
}

/// Files and addresses of electronic signatures; all empty where nothing is signed.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    pub key: String,
    pub certificates: String,
    pub roots: String,
    pub time_stamp_url: String,
    pub time_stamp_roots: String,
    pub reason: String,
    pub location: String,
}

/// The server's address may hold a password: it is not printed.
impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signing")
            .field("key", &self.key)
            .field("certificates", &self.certificates)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    pub filter: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Json,
    Text,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ops {
    pub listen: String,
}

impl Config {
    /// The reference alone.
    pub fn embedded() -> Result<Self, ConfigError> {
        Self::load(None, std::iter::empty())
    }

    /// The reference, then `file`, then the variables that start with `CENTRAL_`.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let layers = source::Layers::read(file, environment)?;
        let mut config: Self = layers.parse()?;
        check::check(&config).map_err(|(key, problem)| layers.locate(key, problem))?;
        sign::Signing::open(&config.signing).map_err(|e| layers.locate(e.key, e.problem))?;
        if !config.database.url_file.is_empty() {
            let text = text_file::read(Path::new(&config.database.url_file))
                .map_err(|e| layers.locate("database.url_file", format!("cannot be read: {e}")))?;
            config.database.url = text.trim().to_owned();
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("central.toml");
        std::fs::write(&file, text).unwrap();
        Config::load(Some(&file), std::iter::empty())
    }

    #[test]
    fn the_reference_is_complete_and_valid() {
        let config = Config::embedded().unwrap();
        assert_eq!(config.web.listen.port(), 8080);
        assert_eq!(config.agency.offices.len(), 1);
    }

    #[test]
    fn mistakes_name_file_line_key_and_remedy() {
        let cases = [
            ("[web]\n\nlissten = \"x\"", 3, "web.lissten", "listen"),
            ("[web]\nlisten = 8080", 2, "web.listen", "text"),
            ("\n[web]\nlisten = \"0.0.0.0\"", 3, "web.listen", "127.0.0.1:8080"),
            ("[web]\nlisten = \"0.0.0.0:80\"", 2, "web.listen", "behind_proxy"),
            ("[database]\nurl = \"mysql://x\"", 2, "database.url", "sqlite:PATH"),
            ("[cases]\nmin_plate_confidence = 1.5", 2, "cases.min_plate_confidence", "0 and 1"),
            ("[nonsense]\na = 1", 1, "nonsense", "database"),
            ("[web]\nbehind_proxy = true", 2, "web.behind_proxy", "trusted_proxies"),
            ("[web]\n\ntrusted_proxies = [\"nginx\"]", 3, "web.trusted_proxies", "10.0.0.0/24"),
            ("[treasury]\nbank = \"97043\"", 2, "treasury.bank", "six digits"),
            ("[treasury]\nbank = \"970436\"", 1, "treasury.account", "1017595600"),
            (
                "[treasury]\nbank = \"970436\"\nname = \"KB\"\naccount = \"101 759\"",
                4,
                "treasury.account",
                "1017595600",
            ),
            (
                "[treasury]\nnotification_key_file = \"bank.key\"",
                2,
                "treasury.notification_key_file",
                "account",
            ),
            ("[signing]\n\nkey = \"a.key\"", 3, "signing.key", "signing.certificates"),
            (
                "[signing]\ntime_stamp_url = \"ftp://x\"\ntime_stamp_roots = \"r.pem\"",
                2,
                "signing.time_stamp_url",
                "https://",
            ),
            ("[signing]\nroots = \"none.pem\"", 2, "signing.roots", "none.pem: cannot be read"),
            ("[registry]\nsource = \"server\"", 1, "registry.url", "source = \"server\""),
            ("[registry]\nurl = \"https://x\"", 2, "registry.url", "source = \"server\" only"),
            ("[registry]\nkeep_minutes = 9999", 2, "registry.keep_minutes", "a day"),
            ("[connections]\nidle_seconds = 0", 2, "connections.idle_seconds", "at least 1"),
            ("[web]\nlisten = ", 2, "", ""),
        ];
        for (text, line, key, remedy) in cases {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains(&format!("central.toml:{line}:")), "{error}");
            assert!(error.contains(key) && error.contains(remedy), "{error}");
        }
    }

    #[test]
    fn the_environment_overrides_by_the_default_s_type() {
        let set = |key: &str, value: &str| [(key.to_owned(), value.to_owned())];
        let config = Config::load(None, set("CENTRAL_DEVICE__MAX_CONNECTIONS", "7")).unwrap();
        assert_eq!(config.device.max_connections, 7);
        let config =
            Config::load(None, set("CENTRAL_DEVICE__NAMES", "a.example,10.0.0.1")).unwrap();
        assert_eq!(config.device.names, ["a.example", "10.0.0.1"]);
        let error = Config::load(None, set("CENTRAL_DEVICE__BURST", "many")).unwrap_err();
        assert!(error.to_string().contains("CENTRAL_DEVICE__BURST"), "{error}");
        let error = Config::load(None, set("CENTRAL_DEVICE__BIRST", "1")).unwrap_err();
        assert!(error.to_string().contains("CENTRAL_DEVICE__BIRST"), "{error}");
    }
}
