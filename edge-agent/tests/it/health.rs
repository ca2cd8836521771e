//! The health pages as an operator's tools read them.

use std::sync::Arc;
use std::time::Duration;

use edge_agent::clock::{Clock as _, Simulated};
use edge_agent::health::{
    Board, CameraState, Configured, Crew, Premises, Server, Sources, install_recorder,
};
use edge_agent::spool::{Policy, Spool};
use tempfile::TempDir;
use time::macros::datetime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::sample::{id, key, package};

pub async fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn pages_tell_cameras_spool_and_whether_evidence_can_be_sealed() {
    let prometheus = install_recorder().unwrap();
    let dir = TempDir::new().unwrap();
    let clock = Simulated::at(datetime!(2026-11-21 10:00 UTC));
    let policy =
        Policy { max_bytes: 15_000, max_age: Duration::from_secs(3600), min_free_bytes: 0 };
    let (spool, _) =
        Spool::open(dir.path(), policy, key().verifying_key(), Arc::new(clock.clone())).unwrap();
    let spool = Arc::new(spool);
    let board = Board::new(Arc::new(clock.clone()));
    board.camera("c1").state(CameraState::Streaming, "1920x1080 h264");
    board.camera("c1").frame(clock.now());
    board.camera("c1").dropped("late", 3);
    let crew = Crew::new(Arc::new(clock.clone()));
    let sources = Sources {
        board,
        spool: Some(spool.clone()),
        uplink: None,
        crew: crew.clone(),
        configured: Configured::new(clock.now()),
        history: None,
        updates: None,
        premises: Premises::default(),
    };
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), sources, prometheus).await.unwrap();
    let port = server.address().unwrap().port();
    let stop = CancellationToken::new();
    let task = tokio::spawn(server.run(stop.clone()));

    spool.store(id(1), 8000, |head| package(1, head, 1000)).unwrap();
    assert!(get(port, "/healthz").await.starts_with("HTTP/1.1 200"));
    let status = get(port, "/status").await;
    let body: serde_json::Value =
        serde_json::from_str(status.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["cameras"][0]["state"], "streaming");
    assert_eq!(body["cameras"][0]["dropped"]["late"], 3);
    assert_eq!(body["spool"]["pending"], 1);
    assert_eq!(body["parked"], serde_json::json!([]));
    // The same for people: what the JSON calls streaming is well, and the policy lets no script in.
    let page = get(port, "/").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let (head, html) = page.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains("text/html; charset=utf-8") && head.contains("default-src 'none'"),
        "{head}"
    );
    assert!(html.contains("Hoạt động tốt") && html.contains("phân tích không kịp: 3"), "{html}");
    assert!(get(port, "/page.css").await.contains("text/css"));
    let wait = body["findings"].as_array().unwrap();
    let spool_said = wait.iter().find(|finding| finding["part"] == "spool").unwrap();
    assert!(html.contains(spool_said["text_vi"].as_str().unwrap()), "{html}");
    let metrics = get(port, "/metrics").await;
    for line in [
        "edge_camera_dropped_total{camera=\"c1\",reason=\"late\"} 3",
        "edge_camera_state{camera=\"c1\",state=\"streaming\"} 1",
        "edge_camera_state{camera=\"c1\",state=\"connecting\"} 0",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }

    // A thread that ends by itself is missed, by name.
    let asked = Arc::new(std::sync::atomic::AtomicBool::new(false));
    crew.thread("camera c1", asked, |_| ()).unwrap().join().unwrap();
    let answer = get(port, "/healthz").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("camera c1 has ended"), "{answer}");
    assert!(get(port, "/metrics").await.contains("edge_member_up{member=\"camera c1\"} 0"));
    // Silent visitors are hung up on, and the page answers others meanwhile.
    let mut silent = Vec::new();
    for _ in 0..150 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    assert!(get(port, "/status").await.contains("\"ended\""));
    for mut stream in silent {
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest));
        assert!(closed.await.is_ok(), "a silent visitor is never hung up on");
    }

    let full = spool.store(id(2), 8000, |head| package(2, head, 1000));
    assert!(full.is_err());
    assert!(get(port, "/healthz").await.contains("the spool is full"));
    stop.cancel();
    task.await.unwrap();
}
