//! A central that keeps everything in memory, believes nothing and can be told to misbehave.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as Params, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{post, put};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use contract::chain::{ChainError, Head};
use contract::package::{check_file, open_manifest};
use contract::report::Report;
use contract::seal::{Purpose, SigningKey};
use contract::wire::{Announcement, CHUNK_BYTES, MissingFile, Problem, Progress, Receipt};
use contract::{Digest, Manifest};
use edge_agent::keys;
use rcgen::{CertificateParams, CertificateSigningRequestParams, DnType, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use time::macros::datetime;
use uuid::Uuid;

use super::releases::{self, Releases};
use crate::sample::key;

/// A way to misbehave, for one announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Status(u16, &'static str),
    /// Refuses the package of this sequence.
    Refuse(u64),
    /// 200 with something else than a progress.
    Garbage,
    /// No answer.
    Silence,
    /// A receipt signed by another key.
    ForeignReceipt,
    /// A receipt for another package.
    OtherReceipt,
    /// A receipt for another manifest of the package.
    OtherManifestReceipt,
}

struct Held {
    manifest: Manifest,
    bytes: Vec<u8>,
    files: BTreeMap<Digest, Vec<u8>>,
    head: Head,
}

#[derive(Default)]
struct Memory {
    head: Head,
    held: BTreeMap<u64, Held>,
    faults: VecDeque<(Fault, usize)>,
    slow: Duration,
    requests: usize,
    accepted_bytes: u64,
    reports: Vec<Report>,
}

#[derive(Clone)]
pub struct Central {
    address: SocketAddr,
    memory: Arc<Mutex<Memory>>,
    pub releases: Releases,
}

fn receipt_key() -> SigningKey {
    SigningKey::from_seed(&[42; 32])
}

impl Central {
    /// Starts it and enrols the device whose keys are in `keys_dir`.
    pub async fn start(keys_dir: &Path) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = enrol(keys_dir);
        let memory = Arc::new(Mutex::new(Memory::default()));
        let releases = Releases::default();
        let router = Router::new()
            .route("/device/v1/evidence", post(announce))
            .route("/device/v1/evidence/{id}/files/{sha256}", put(upload))
            .route("/device/v1/report", post(report))
            .layer(DefaultBodyLimit::max(2 << 20))
            .with_state(memory.clone())
            .merge(releases::router(&releases));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let tls = axum_server::tls_rustls::RustlsConfig::from_config(Arc::new(config));
        let server = axum_server::from_tcp_rustls(listener, tls).unwrap();
        tokio::spawn(server.serve(router.into_make_service()));
        Self { address, memory, releases }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    pub fn fault(&self, fault: Fault, times: usize) {
        self.memory.lock().unwrap().faults.push_back((fault, times));
    }

    pub fn reports(&self) -> Vec<Report> {
        self.memory.lock().unwrap().reports.clone()
    }

    pub fn clear_faults(&self) {
        self.memory.lock().unwrap().faults.clear();
    }

    pub fn slow(&self, by: Duration) {
        self.memory.lock().unwrap().slow = by;
    }

    /// As after a restore from a backup: everything after `sequence` is gone.
    pub fn forget_after(&self, sequence: u64) {
        let mut memory = self.memory.lock().unwrap();
        memory.held.retain(|number, _| *number <= sequence);
        memory.head = memory.held[&sequence].head;
    }

    /// As after its administrator let the numbers begin again: what came before counts no more.
    pub fn begin_again(&self) {
        let mut memory = self.memory.lock().unwrap();
        memory.held.clear();
        memory.head = Head::default();
    }

    /// Sequences of the packages held whole.
    pub fn complete(&self) -> Vec<u64> {
        let memory = self.memory.lock().unwrap();
        memory.held.iter().filter(|(_, held)| missing(held).is_empty()).map(|(n, _)| *n).collect()
    }

    pub fn accepted_bytes(&self) -> u64 {
        self.memory.lock().unwrap().accepted_bytes
    }

    pub fn requests(&self) -> usize {
        self.memory.lock().unwrap().requests
    }
}

/// Makes a CA, certificates for both sides and the receipt key; what the device gets goes into its
/// folder.
fn enrol(dir: &Path) -> rustls::ServerConfig {
    let ca_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "test CA");
    let ca = params.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(params, &ca_key);

    let csr = std::fs::read_to_string(dir.join(keys::TLS_CSR)).unwrap();
    let csr = CertificateSigningRequestParams::from_pem(&csr).unwrap();
    let client = csr.signed_by(&issuer).unwrap();
    std::fs::write(dir.join(keys::TLS_CERT), client.pem()).unwrap();
    std::fs::write(dir.join(keys::CA_CERT), ca.pem()).unwrap();
    let public = receipt_key().verifying_key().to_pem().unwrap();
    std::fs::write(dir.join(keys::CENTRAL_PUB), public).unwrap();

    let server_key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&server_key, &issuer).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.pem().as_bytes()).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let private = PrivateKeyDer::from_pem_slice(server_key.serialize_pem().as_bytes()).unwrap();
    rustls::ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![server.der().clone()], private)
        .unwrap()
}

fn refuse(status: u16, code: &str, detail: String) -> Response {
    let problem = Problem { code: code.into(), detail, status, expected: None };
    (StatusCode::from_u16(status).unwrap(), Json(problem)).into_response()
}

fn missing(held: &Held) -> Vec<MissingFile> {
    held.manifest
        .files
        .iter()
        .filter_map(|file| {
            let received = held.files.get(&file.sha256).map_or(0, |bytes| bytes.len() as u64);
            (received < file.bytes).then_some(MissingFile { sha256: file.sha256, received })
        })
        .collect()
}

async fn report(
    State(memory): State<Arc<Mutex<Memory>>>,
    Json(report): Json<Report>,
) -> StatusCode {
    memory.lock().unwrap().reports.push(report);
    StatusCode::NO_CONTENT
}

async fn announce(
    State(memory): State<Arc<Mutex<Memory>>>,
    Json(announcement): Json<Announcement>,
) -> Response {
    let (slow, fault) = {
        let mut memory = memory.lock().unwrap();
        memory.requests += 1;
        (memory.slow, take_fault(&mut memory))
    };
    tokio::time::sleep(slow).await;
    match fault {
        Some(Fault::Silence) => tokio::time::sleep(Duration::from_secs(60)).await,
        Some(Fault::Status(status, code)) => return refuse(status, code, "as told".into()),
        Some(Fault::Garbage) => return "<html>welcome to the hotel</html>".into_response(),
        _ => {}
    }
    let bytes = BASE64.decode(announcement.manifest).unwrap();
    let manifest = match open_manifest(&key().verifying_key(), &bytes, &announcement.seal) {
        Ok(manifest) => manifest,
        Err(failure) => return refuse(422, "bad_seal", failure.to_string()),
    };
    if fault == Some(Fault::Refuse(manifest.sequence)) {
        return refuse(422, "bad_manifest", "never".into());
    }
    let mut memory = memory.lock().unwrap();
    let sequence = manifest.sequence;
    match memory.held.get(&sequence) {
        Some(held) if held.bytes == bytes => {}
        Some(held) if held.manifest.evidence_id == manifest.evidence_id => {
            return refuse(409, "evidence_conflict", "another manifest".into());
        }
        _ => match memory.head.advance(&manifest, &bytes) {
            Ok(head) => {
                memory.head = head;
                let held = Held { manifest: manifest.clone(), bytes, files: BTreeMap::new(), head };
                memory.held.insert(sequence, held);
            }
            Err(error @ ChainError::Predecessor { .. }) => {
                return refuse(409, "broken_chain", error.to_string());
            }
            Err(error) => {
                let (code, detail) = ("out_of_order".into(), error.to_string());
                let problem = Problem { code, detail, status: 409, expected: error.expected() };
                return (StatusCode::CONFLICT, Json(problem)).into_response();
            }
        },
    }
    let held = &memory.held[&sequence];
    let missing = missing(held);
    let receipt = missing.is_empty().then(|| receipt(held, fault));
    Json(Progress { evidence_id: manifest.evidence_id, missing, receipt }).into_response()
}

fn take_fault(memory: &mut Memory) -> Option<Fault> {
    let (fault, times) = memory.faults.front_mut()?;
    let fault = *fault;
    *times -= 1;
    if *times == 0 {
        memory.faults.pop_front();
    }
    Some(fault)
}

fn receipt(held: &Held, fault: Option<Fault>) -> String {
    let mut receipt = Receipt {
        evidence_id: held.manifest.evidence_id,
        manifest: Digest::of(&held.bytes),
        received_at: datetime!(2026-11-21 10:00 UTC),
    };
    let mut signer = receipt_key();
    match fault {
        Some(Fault::ForeignReceipt) => signer = SigningKey::from_seed(&[66; 32]),
        Some(Fault::OtherReceipt) => receipt.evidence_id = Uuid::from_u128(66),
        Some(Fault::OtherManifestReceipt) => receipt.manifest = Digest::of(b"another"),
        _ => {}
    }
    signer.sign(Purpose::Receipt, &serde_json::to_vec(&receipt).unwrap())
}

async fn upload(
    State(memory): State<Arc<Mutex<Memory>>>,
    Params((id, sha256)): Params<(Uuid, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let slow = memory.lock().unwrap().slow;
    tokio::time::sleep(slow).await;
    let range = headers["content-range"].to_str().unwrap().strip_prefix("bytes ").unwrap();
    let (span, total) = range.split_once('/').unwrap();
    let (first, last) = span.split_once('-').unwrap();
    let [first, last, total] = [first, last, total].map(|text| text.parse::<u64>().unwrap());
    let sha256: Digest = sha256.parse().unwrap();
    if body.len() as u64 > CHUNK_BYTES || body.len() as u64 != last - first + 1 {
        return refuse(400, "bad_range", "length and range differ".into());
    }
    let mut memory = memory.lock().unwrap();
    memory.requests += 1;
    let Some(held) = memory.held.values_mut().find(|held| held.manifest.evidence_id == id) else {
        return refuse(404, "unknown_evidence", "not announced".into());
    };
    let Some(entry) = held.manifest.files.iter().find(|file| file.sha256 == sha256).cloned() else {
        return refuse(404, "unknown_file", "not in the manifest".into());
    };
    let content = held.files.entry(sha256).or_default();
    if first != content.len() as u64 || total != entry.bytes {
        return refuse(409, "chunk_gap", format!("{} bytes have arrived", content.len()));
    }
    content.extend_from_slice(&body);
    if content.len() as u64 == total && check_file(&entry, content).is_err() {
        held.files.remove(&sha256);
        return refuse(422, "content_mismatch", "not what the manifest says".into());
    }
    memory.accepted_bytes += body.len() as u64;
    StatusCode::NO_CONTENT.into_response()
}
