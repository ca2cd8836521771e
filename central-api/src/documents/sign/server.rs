//! A time stamp server, asked over HTTP or HTTPS within bounds of size and time.

use std::fmt;
use std::time::Duration;

use rand::Rng as _;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use time::OffsetDateTime;

use super::SignError;
use super::stamp::{self, StampError};
use super::trust::Trust;
use crate::outgoing;

/// For the whole of request and answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// A token with the certificates of a long chain is a tenth of this.
pub(super) const MOST_ANSWER: usize = 64 * 1024;

#[derive(Clone)]
pub(super) struct Server {
    url: reqwest::Url,
    client: Client,
    timeout: Duration,
}

/// An address may hold a password: it is not printed.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

impl Server {
    pub(super) fn new(url: &str) -> Result<Self, String> {
        let url = reqwest::Url::parse(url).map_err(|e| e.to_string())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err("must start with http:// or https://".into());
        }
        let client =
            outgoing::client().connect_timeout(TIMEOUT).build().map_err(|e| e.to_string())?;
        Ok(Self { url, client, timeout: TIMEOUT })
    }

    #[cfg(test)]
    pub(super) fn patient_for(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// A token over `message` that holds.
    pub(super) async fn stamp(
        &self,
        message: &[u8],
        trust: &Trust,
        now: OffsetDateTime,
    ) -> Result<Vec<u8>, SignError> {
        let nonce = rand::rng().next_u64();
        let refused = |error: StampError| self.failed(error.to_string());
        let request = stamp::request(message, nonce).map_err(refused)?;
        let answer = tokio::time::timeout(self.timeout, self.ask(request)).await;
        let answer = answer.map_err(|_| self.failed("does not answer in time".into()))??;
        stamp::accept(&answer, message, nonce, trust, now).map_err(refused)
    }

    async fn ask(&self, request: Vec<u8>) -> Result<Vec<u8>, SignError> {
        let failed = |error: reqwest::Error| self.failed(outgoing::words(&error));
        let response = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/timestamp-query")
            .body(request)
            .send()
            .await
            .map_err(failed)?;
        if !response.status().is_success() {
            return Err(self.failed(format!("answered {}", response.status())));
        }
        outgoing::body(response, MOST_ANSWER).await.map_err(|problem| self.failed(problem))
    }

    /// Names the server by its host alone.
    fn failed(&self, problem: String) -> SignError {
        let host = self.url.host_str().unwrap_or_default().to_owned();
        SignError::Stamp { host, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_server_that_hangs_is_left() {
        let now = datetime!(2026-11-21 08:15:30 +7);
        // One that never answers, and one that never ends.
        for begins in [&b""[..], b"HTTP/1.1 200 OK\r\n\r\n0"] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/", listener.local_addr().unwrap());
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 1024]).await.unwrap();
                stream.write_all(begins).await.unwrap();
                tokio::time::sleep(TIMEOUT).await;
            });
            let server = Server::new(&url).unwrap().patient_for(Duration::from_millis(200));
            let error = server.stamp(b"m", &Trust::default(), now).await.unwrap_err();
            let words = "the time stamp server 127.0.0.1 failed: does not answer in time";
            assert_eq!(error.to_string(), words);
        }
    }

    #[test]
    fn only_addresses_of_the_web_are_servers() {
        for wrong in ["tsa.example", "ftp://tsa.example/", "http://", ""] {
            assert!(Server::new(wrong).is_err(), "{wrong}");
        }
    }
}
