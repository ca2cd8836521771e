//! Real sockets against a small router: silent, slow and greedy ones go, good ones are served.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{Bounds, Listener};

struct Site {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Short times, few places.
fn bounds() -> Bounds {
    Bounds {
        handshake: Duration::from_millis(400),
        header: Duration::from_millis(400),
        idle: Duration::from_millis(600),
        stall: Duration::from_millis(500),
        request: Duration::from_secs(2),
        connections: 24,
        per_address: 16,
        ..Bounds::default()
    }
}

impl Site {
    async fn start(bounds: Bounds) -> Self {
        let router = Router::new()
            .route("/", get(async || "good"))
            .route(
                "/slow",
                get(async || {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    "slow"
                }),
            )
            .route("/long", get(async || vec![b'x'; 64 << 20]))
            .route("/body", post(async |body: Bytes| body.len().to_string()));
        let listener = Listener::bind("test", ([127, 0, 0, 1], 0).into(), bounds).await.unwrap();
        let address = listener.address().unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(listener.serve(router, stop.clone(), Duration::from_secs(3)));
        Self { address, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn saying(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect().await;
        // It may be closed already: that is what is being tested.
        let _ = stream.write_all(bytes).await;
        stream
    }

    async fn ask(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let mut stream = self.saying(request.as_bytes()).await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn is_good(&self) {
        let answer = tokio::time::timeout(Duration::from_secs(5), self.ask("/")).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("good"), "{answer}");
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Waits until the other side has closed.
async fn closed(mut stream: TcpStream) {
    let mut rest = vec![0; 64 * 1024];
    let reading = async { while matches!(stream.read(&mut rest).await, Ok(count) if count > 0) {} };
    tokio::time::timeout(Duration::from_secs(10), reading).await.expect("it is never closed");
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_the_silent_is_closed_and_a_good_client_served_meanwhile() {
    for opening in [
        &b""[..],
        PREFACE,
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Half: ",
        b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
    ] {
        let site = Site::start(bounds()).await;
        let mut flood = Vec::new();
        for at in 0..160 {
            flood.push(site.saying(opening).await);
            if at % 40 == 39 {
                site.is_good().await;
            }
        }
        site.is_good().await;
        for stream in flood {
            closed(stream).await;
        }
        site.is_good().await;
        site.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_drips_bytes_is_closed_as_who_sends_none() {
    let site = Site::start(bounds()).await;
    let ping = b"\0\0\x08\x06\0\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08";
    for (opening, drip) in [
        (&b"GET / HTTP/1.1\r\n"[..], &b"X-A: b\r\n"[..]),
        (PREFACE, ping),
        // A request was answered; the next one never comes to its end.
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n"),
        (b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", b"x"),
    ] {
        let stream = site.saying(opening).await;
        let (mut read, mut write) = stream.into_split();
        let dripping = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if write.write_all(drip).await.is_err() {
                    break;
                }
            }
        });
        let mut rest = Vec::new();
        let reading = read.read_to_end(&mut rest);
        let ended = tokio::time::timeout(Duration::from_secs(10), reading).await;
        assert!(ended.is_ok(), "{:?} is never closed", String::from_utf8_lossy(opening));
        dripping.abort();
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_nobody_reads_is_given_up() {
    let site = Site::start(bounds()).await;
    let mut stream = site.saying(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let mut taken = 0;
    let mut buffer = vec![0; 1 << 20];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        taken += count;
    }
    assert!(taken < 64 << 20, "{taken} bytes were kept for somebody who did not read");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_serves_again_and_rests_no_longer_than_allowed() {
    let site = Site::start(bounds()).await;
    let mut stream = site.connect().await;
    let mut buffer = [0; 1024];
    for _ in 0..3 {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(buffer[..count].ends_with(b"good"));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    closed(stream).await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_requests_are_not_sent_away_and_the_bound_holds() {
    let site = Site::start(Bounds { connections: 4, per_address: 4, ..bounds() }).await;
    let busy: Vec<_> = (0..4)
        .map(|_| {
            let address = site.address;
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let request = b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
                stream.write_all(request).await.unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.unwrap();
                answer
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    // Nobody of them waits: the newcomer goes.
    closed(site.connect().await).await;
    for answer in busy {
        assert!(answer.await.unwrap().ends_with("slow"));
    }
    site.is_good().await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_lets_open_requests_finish_and_waits_for_nobody_silent() {
    let site = Site::start(bounds()).await;
    let silent = site.connect().await;
    let address = site.address;
    let asking = tokio::spawn(async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::time::timeout(Duration::from_secs(2), site.end()).await.unwrap();
    assert!(asking.await.unwrap().ends_with("slow"));
    closed(silent).await;
}
