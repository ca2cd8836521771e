//! The device API as a client sees it: its requests, and what their answers mean.

use std::sync::Once;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use contract::Digest;
use contract::manifest::{MAX_FILES, MAX_MANIFEST_BYTES};
use contract::release::{MAX_RELEASE_BYTES, Offer};
use contract::report::{MAX_REPORT_BYTES, Report};
use contract::seal::MAX_JWS_BYTES;
use contract::wire::{Announcement, CHUNK_BYTES, Problem, Progress};
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, RANGE, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use uuid::Uuid;

use crate::keys::Identity;
use crate::spool::SpoolError;

use super::Settings;

/// Slowest line on which a request is still waited for, bytes a second.
const SLOWEST: u64 = 8 * 1024;
/// Largest answer read; a [`Progress`] with every file missing is far below.
const MAX_ANSWER: usize = MAX_MANIFEST_BYTES + MAX_JWS_BYTES + MAX_FILES * 256;
/// Largest offer of a release: its text's quotes and line ends are escaped.
const MAX_OFFER: usize = 2 * MAX_RELEASE_BYTES + MAX_JWS_BYTES + 256;

/// Why the client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("[uplink] url {url:?}: must be https://HOST:PORT of the central's device API")]
    Url { url: String },
    #[error("certificate, key or roots in the keys folder are not usable: {0}")]
    Tls(reqwest::Error),
}

/// What came between a package and its receipt.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("{reason}")]
    Retry { reason: String, after: Option<Duration>, progressed: bool },
    #[error(
        "central does not accept this device, its seal or its clock ({detail}); check [uplink] \
         url, enrolment and the box's time"
    )]
    Unwelcome { detail: String },
    #[error("central expects another package ({detail})")]
    OutOfOrder { expected: Option<u64>, detail: String },
    #[error("central has another predecessor of the package on record ({detail})")]
    BrokenChain { detail: String },
    #[error("central refused the package for good: {status} {code}: {detail}")]
    Refused { status: u16, code: String, detail: String },
    #[error("receipt not accepted, nothing is let go: {problem}")]
    Receipt { problem: String },
    #[error("package no longer matches its manifest: {problem}")]
    Damaged { problem: String },
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl Trouble {
    /// Label in metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Retry { .. } => "retry",
            Self::Unwelcome { .. } => "unwelcome",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::BrokenChain { .. } => "broken_chain",
            Self::Refused { .. } => "refused",
            Self::Receipt { .. } => "receipt",
            Self::Damaged { .. } => "damaged",
            Self::Spool(_) => "spool",
        }
    }

    /// Whether the line may be at fault: the central was not heard.
    pub const fn is_line(&self) -> bool {
        matches!(self, Self::Retry { after: None, .. })
    }

    fn retry(reason: impl ToString) -> Self {
        Self::Retry { reason: reason.to_string(), after: None, progressed: false }
    }
}

/// The central's device API.
#[derive(Debug, Clone)]
pub struct Central {
    client: Client,
    base: String,
    timeout: Duration,
}

impl Central {
    pub fn new(settings: &Settings, identity: &Identity) -> Result<Self, ClientError> {
        let url = || ClientError::Url { url: settings.url.clone() };
        let base = reqwest::Url::parse(&settings.url).map_err(|_| url())?;
        if base.scheme() != "https" || base.host_str().is_none() {
            return Err(url());
        }
        install_provider();
        let roots = reqwest::Certificate::from_pem_bundle(identity.roots_pem())
            .map_err(ClientError::Tls)?;
        let client = Client::builder()
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_only(roots)
            .identity(
                reqwest::Identity::from_pem(&identity.client_pem()).map_err(ClientError::Tls)?,
            )
            .connect_timeout(settings.timeout)
            .tcp_keepalive(Duration::from_secs(30))
            .pool_idle_timeout(Duration::from_secs(60))
            .user_agent(concat!("edge-agent/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(ClientError::Tls)?;
        let base = settings.url.trim_end_matches('/').to_owned();
        Ok(Self { client, base, timeout: settings.timeout })
    }

    /// Announces a manifest and learns what is missing.
    pub async fn announce(
        &self,
        id: Uuid,
        manifest: &[u8],
        seal: &str,
    ) -> Result<Progress, Trouble> {
        let body =
            Announcement { manifest: BASE64.encode(manifest), seal: seal.trim_end().to_owned() };
        let url = format!("{}/device/v1/evidence", self.base);
        let request = self.request(Method::POST, url, body.manifest.len() as u64).json(&body);
        let response = request.send().await.map_err(|e| Trouble::retry(words(&e)))?;
        if !response.status().is_success() {
            return Err(announcement_trouble(response).await);
        }
        let answer = read_limited(response, MAX_ANSWER).await?;
        let progress: Progress = serde_json::from_slice(&answer)
            .map_err(|e| Trouble::retry(format!("central's answer does not read: {e}")))?;
        if progress.evidence_id != id {
            return Err(Trouble::retry("central's answer is about another package"));
        }
        Ok(progress)
    }

    /// Sends one chunk of a file.
    pub async fn put(
        &self,
        id: Uuid,
        file: Digest,
        first: u64,
        total: u64,
        chunk: bytes::Bytes,
    ) -> Result<(), Trouble> {
        let url = format!("{}/device/v1/evidence/{id}/files/{file}", self.base);
        let length = chunk.len() as u64;
        let last = first + length - 1;
        let response = self
            .request(Method::PUT, url, length)
            .header(CONTENT_RANGE, format!("bytes {first}-{last}/{total}"))
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(chunk)
            .send()
            .await
            .map_err(|e| Trouble::retry(words(&e)))?;
        if response.status().is_success() {
            metrics::counter!("edge_uplink_bytes_total").increment(length);
            return Ok(());
        }
        Err(chunk_trouble(response).await)
    }

    /// Says how the box is.
    pub async fn report(&self, report: &Report) -> Result<(), Trouble> {
        let url = format!("{}/device/v1/report", self.base);
        let request = self.request(Method::POST, url, MAX_REPORT_BYTES as u64).json(report);
        let response = request.send().await.map_err(|e| Trouble::retry(words(&e)))?;
        if response.status().is_success() { Ok(()) } else { Err(chunk_trouble(response).await) }
    }

    /// Asks what this box is to run.
    pub async fn release(&self) -> Result<Option<Offer>, Trouble> {
        let url = format!("{}/device/v1/release", self.base);
        let request = self.request(Method::GET, url, MAX_OFFER as u64);
        let response = request.send().await.map_err(|e| Trouble::retry(words(&e)))?;
        match response.status() {
            StatusCode::NO_CONTENT => Ok(None),
            status if status.is_success() => {
                let answer = read_limited(response, MAX_OFFER).await?;
                let offer = serde_json::from_slice(&answer)
                    .map_err(|e| Trouble::retry(format!("central's answer does not read: {e}")))?;
                Ok(Some(offer))
            }
            _ => Err(chunk_trouble(response).await),
        }
    }

    /// Fetches bytes `first` to `last` of a file of that release.
    pub async fn release_file(
        &self,
        sha256: Digest,
        first: u64,
        last: u64,
    ) -> Result<bytes::Bytes, Trouble> {
        let url = format!("{}/device/v1/release/files/{sha256}", self.base);
        let response = self
            .request(Method::GET, url, CHUNK_BYTES)
            .header(RANGE, format!("bytes={first}-{last}"))
            .send()
            .await
            .map_err(|e| Trouble::retry(words(&e)))?;
        if response.status() != StatusCode::PARTIAL_CONTENT {
            return Err(chunk_trouble(response).await);
        }
        Ok(read_limited(response, CHUNK_BYTES as usize).await?.into())
    }

    /// Asks for nothing; tells whether the central answers over mTLS at all.
    pub async fn probe(&self) -> Result<StatusCode, String> {
        let url = format!("{}/device/v1/evidence", self.base);
        let response = self.request(Method::GET, url, 0).send().await.map_err(|e| words(&e))?;
        Ok(response.status())
    }

    /// A request with time for its answer and for its bytes on the slowest line.
    fn request(&self, method: Method, url: String, bytes: u64) -> RequestBuilder {
        metrics::counter!("edge_uplink_requests_total").increment(1);
        let transfer = Duration::from_secs(bytes.div_ceil(SLOWEST));
        self.client.request(method, url).timeout(self.timeout.saturating_add(transfer))
    }
}

/// rustls needs its cryptography chosen once a process; whoever came first is as good.
pub(crate) fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

async fn announcement_trouble(response: Response) -> Trouble {
    let status = response.status();
    let after = retry_after(&response);
    let problem = problem(response).await;
    let detail = describe(status, &problem);
    match (status.as_u16(), problem.code.as_str()) {
        // The seal was checked here with the box's own key: it is the enrolment that differs. A
        // capture time ahead of the central's clock is fine once that has caught up.
        (401 | 403 | 404 | 405, _) | (_, "bad_seal" | "superseded_key" | "capture_in_future") => {
            Trouble::Unwelcome { detail }
        }
        (409, "broken_chain") => Trouble::BrokenChain { detail },
        (409, "out_of_order") => Trouble::OutOfOrder { expected: problem.expected, detail },
        (408 | 425 | 429 | 500..=599, _) | (400, "truncated") => {
            Trouble::Retry { reason: detail, after, progressed: false }
        }
        (400..=499, _) => {
            Trouble::Refused { status: status.as_u16(), code: problem.code, detail: problem.detail }
        }
        _ => Trouble::retry(format!("unexpected answer {status}")),
    }
}

/// A chunk never condemns its package: the next announcement tells where to go on.
async fn chunk_trouble(response: Response) -> Trouble {
    let status = response.status();
    let after = retry_after(&response);
    let detail = describe(status, &problem(response).await);
    match status.as_u16() {
        401 | 403 => Trouble::Unwelcome { detail },
        _ => Trouble::Retry { reason: detail, after, progressed: false },
    }
}

fn describe(status: StatusCode, problem: &Problem) -> String {
    match (problem.code.as_str(), problem.detail.as_str()) {
        ("", "") => status.to_string(),
        (code, detail) => format!("{} {code}: {detail}", status.as_u16()),
    }
}

async fn problem(response: Response) -> Problem {
    match read_limited(response, MAX_ANSWER).await {
        Ok(body) => serde_json::from_slice(&body).unwrap_or_default(),
        Err(_) => Problem::default(),
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    // A day is more than any honest answer.
    Some(Duration::from_secs(seconds).min(Duration::from_secs(24 * 3600)))
}

async fn read_limited(mut response: Response, most: usize) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|e| Trouble::retry(words(&e)))? {
        body.extend_from_slice(&part);
        if body.len() > most {
            return Err(Trouble::retry("central's answer is longer than any answer should be"));
        }
    }
    Ok(body)
}

/// An error with its causes: the outermost alone says little.
fn words(error: &reqwest::Error) -> String {
    use std::error::Error as _;
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
