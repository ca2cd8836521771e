//! A box at the road as the central meets it: keys, certificate, and the device protocol spoken
//! by hand, so that every step can go wrong on purpose.

use std::net::SocketAddr;

use contract::chain::Head;
use contract::seal::{Purpose, SigningKey};
use contract::wire::{CHUNK_BYTES, Problem, Progress, Receipt};
use contract::{Digest, Manifest};
use rcgen::{CertificateParams, DnType, KeyPair};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use uuid::Uuid;

use super::package::{Package, PackageBuilder};

/// Keys of a box before it is enrolled.
#[derive(Debug)]
pub struct Keys {
    pub seal: SigningKey,
    pub tls: KeyPair,
    pub csr: String,
}

impl Keys {
    pub fn generate(id: &str, seed: u8) -> Self {
        let tls = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, id);
        let csr = params.serialize_request(&tls).unwrap().pem().unwrap();
        Self { seal: SigningKey::from_seed(&[seed; 32]), tls, csr }
    }
}

/// An enrolled box.
#[derive(Debug)]
pub struct RoadBox {
    pub id: String,
    pub keys: Keys,
    pub client: Client,
    /// PEM of the box's client certificate.
    pub certificate: String,
    pub base: String,
    pub head: Head,
    pub now: time::OffsetDateTime,
}

/// What the central answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
    pub content_type: String,
}

impl Answer {
    async fn read(response: Response) -> Self {
        let content_type = response
            .headers()
            .get("content-type")
            .map_or("", |value| value.to_str().unwrap())
            .to_owned();
        Self {
            status: response.status(),
            content_type,
            body: response.bytes().await.unwrap().into(),
        }
    }

    pub fn progress(&self) -> Progress {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn problem(&self) -> Problem {
        assert_eq!(self.content_type, "application/problem+json");
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.status, self.status.as_u16());
        problem
    }

    /// The refusal as (status, code).
    pub fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.problem().code)
    }
}

/// A client with the CA's trust and, where given, a certificate.
pub fn client(ca_pem: &str, identity: Option<(&str, &KeyPair)>) -> Client {
    // Whoever installs it first has installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(ca_pem.as_bytes()).unwrap();
    let mut builder = Client::builder().tls_certs_only([ca]).no_proxy();
    if let Some((certificate, key)) = identity {
        let pem = format!("{certificate}{}", key.serialize_pem());
        builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
    }
    builder.build().unwrap()
}

pub fn base(address: SocketAddr) -> String {
    format!("https://127.0.0.1:{}/device/v1/evidence", address.port())
}

impl RoadBox {
    /// The next package of this box's chain; the chain moves on when it is taken for sent.
    pub fn next(&self) -> PackageBuilder {
        PackageBuilder::new(&self.id, self.now)
            .after(self.head.sequence + 1, self.head.digest)
            .seed(self.head.sequence + 1)
    }

    pub fn sealed(&self, builder: PackageBuilder) -> Package {
        builder.seal(&self.keys.seal)
    }

    pub fn advance(&mut self, package: &Package) {
        let Manifest { sequence, .. } = package.manifest;
        self.head = Head { sequence, digest: Some(package.digest()) };
    }

    /// The same box over connections of its own.
    pub fn another_client(&self, world: &super::World) -> Client {
        client(world.ca.pem(), Some((&self.certificate, &self.keys.tls)))
    }

    pub async fn announce(&self, package: &Package) -> Answer {
        self.send(self.client.post(&self.base).json(&package.announcement())).await
    }

    pub fn put(&self, id: Uuid, sha256: Digest) -> RequestBuilder {
        self.client.put(format!("{}/{id}/files/{sha256}", self.base))
    }

    pub async fn put_range(
        &self,
        id: Uuid,
        sha256: Digest,
        content: &[u8],
        first: usize,
        last: usize,
    ) -> Answer {
        let range = format!("bytes {first}-{last}/{}", content.len());
        let body = content[first..=last.min(content.len() - 1)].to_vec();
        self.send(self.put(id, sha256).header("Content-Range", range).body(body)).await
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }

    /// The whole protocol once; gives the receipt's JWS. Errors only where the connection fails.
    pub async fn deliver(&self, package: &Package) -> Result<String, reqwest::Error> {
        loop {
            let announce = self.client.post(&self.base).json(&package.announcement());
            let answer = Answer::read(announce.send().await?).await;
            let progress = answer.progress();
            if let Some(receipt) = progress.receipt {
                assert!(progress.missing.is_empty());
                return Ok(receipt);
            }
            for missing in progress.missing {
                let (_, content) =
                    package.files.iter().find(|(file, _)| file.sha256 == missing.sha256).unwrap();
                let (total, mut first) = (content.len(), missing.received as usize);
                while first < total {
                    let end = total.min(first + CHUNK_BYTES as usize);
                    let range = format!("bytes {first}-{}/{total}", end - 1);
                    let request = self
                        .put(package.id(), missing.sha256)
                        .header("Content-Range", range)
                        .body(content[first..end].to_vec());
                    let answer = Answer::read(request.send().await?).await;
                    // A concurrent upload may be ahead: the next announcement says where we are.
                    if answer.status == StatusCode::CONFLICT {
                        break;
                    }
                    assert_eq!(answer.status, 204, "{}", String::from_utf8_lossy(&answer.body));
                    first = end;
                }
            }
        }
    }

    pub fn check_receipt(
        &self,
        jws: &str,
        package: &Package,
        central: &contract::seal::VerifyingKey,
    ) {
        let payload = central.verify(Purpose::Receipt, jws).unwrap();
        let receipt: Receipt = serde_json::from_slice(&payload).unwrap();
        assert_eq!(receipt.evidence_id, package.id());
        assert_eq!(receipt.manifest, package.digest());
    }
}
