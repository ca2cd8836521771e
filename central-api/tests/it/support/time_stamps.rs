//! A time stamp server on loopback: openssl makes the tokens, by the test's authority, at the test's
//! time. It may be told to do what broken servers do.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;

use super::authority::{Authority, between, certificate, for_time_stamps, key, run};

/// What a server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Good,
    Fails,
    Refuses,
    /// Sends without end.
    Endless,
    Nonsense,
    /// Answers with a stamp over the same digest that somebody else asked for.
    OtherNonce,
    /// Answers with a stamp of another document.
    OtherDocument,
}

pub struct TimeStamps {
    pub url: String,
    manner: Arc<Mutex<Manner>>,
}

impl TimeStamps {
    /// Serves until the test ends.
    pub async fn start(authority: &Authority) -> Self {
        Self::by(authority, certificate("tsa", for_time_stamps)).await
    }

    /// By another certificate of the same key.
    pub async fn by(authority: &Authority, certificate: String) -> Self {
        authority.write("tsa.key", &key("tsa"));
        authority.write("tsa.pem", &certificate);
        authority.write("between.pem", &between());
        authority.write("serial", "01\n");
        let folder = authority.folder.path().to_owned();
        let serial = folder.join("serial").display().to_string();
        authority.write(
            "tsa.cnf",
            &format!(
                "[tsa]\ndefault_tsa = t\n[t]\nserial = {serial}\ndefault_policy = 1.2.3.4.1\n\
                 digests = sha256\nsigner_digest = sha256\ness_cert_id_alg = sha256\n\
                 clock_precision_digits = 3\nordering = yes\ntsa_name = yes\n"
            ),
        );
        let manner = Arc::new(Mutex::new(Manner::Good));
        let told = Arc::clone(&manner);
        let answer = move |query: Bytes| {
            let (manner, folder) = (*told.lock().unwrap(), folder.clone());
            async move { answer(manner, &folder, &query).await }
        };
        let router = Router::new().route("/", post(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, manner }
    }

    pub fn now(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }
}

async fn answer(manner: Manner, folder: &Path, query: &[u8]) -> Response {
    match manner {
        Manner::Good => reply(folder, query).into_response(),
        Manner::Fails => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        // PKIStatusInfo: rejection, bad request.
        Manner::Refuses => vec![0x30, 9, 0x30, 7, 2, 1, 2, 3, 2, 5, 0x20].into_response(),
        Manner::Endless => {
            let chunk = || Ok::<_, std::io::Error>(Bytes::from_static(&[0x30; 4096]));
            Body::from_stream(futures::stream::repeat_with(chunk)).into_response()
        }
        Manner::Nonsense => "<html>down for maintenance</html>".into_response(),
        Manner::OtherNonce => {
            // The digest stands behind its OCTET STRING's head in the request.
            let at = query.windows(2).position(|head| head == [0x04, 0x20]).unwrap() + 2;
            reply(folder, &asked(folder, &hex::encode(&query[at..at + 32]))).into_response()
        }
        Manner::OtherDocument => {
            // The same nonce, another digest.
            let at = query.windows(2).position(|head| head == [0x04, 0x20]).unwrap() + 2;
            let mut query = query.to_vec();
            query[at] ^= 1;
            reply(folder, &query).into_response()
        }
    }
}

/// A query of openssl's own over a digest.
fn asked(folder: &Path, digest: &str) -> Vec<u8> {
    let file = folder.join(format!("{}.tsq", uuid::Uuid::new_v4()));
    let mut command = Command::new("openssl");
    command.args(["ts", "-query", "-sha256", "-cert", "-digest", digest, "-out"]).arg(&file);
    assert!(run(&mut command).status.success());
    std::fs::read(file).unwrap()
}

fn reply(folder: &Path, query: &[u8]) -> Vec<u8> {
    let name = uuid::Uuid::new_v4();
    let (asked, answer) = (folder.join(format!("{name}.tsq")), folder.join(format!("{name}.tsr")));
    std::fs::write(&asked, query).unwrap();
    let mut command = Command::new("faketime");
    command.args(["2026-11-21 01:20:00", "openssl", "ts", "-reply", "-section", "t"]);
    for (option, file) in [
        ("-config", "tsa.cnf"),
        ("-signer", "tsa.pem"),
        ("-inkey", "tsa.key"),
        ("-chain", "between.pem"),
    ] {
        command.arg(option).arg(folder.join(file));
    }
    let output = run(command.arg("-queryfile").arg(asked).arg("-out").arg(&answer));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(answer).unwrap()
}
