//! A real agent under a real launcher, a camera before it and a central that gives releases.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use contract::release::PROGRAM;
use fixtures::rtsp::{Options, Server};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Launched;
use crate::commands::agent;
use crate::footage;
use crate::uplink::central::Central;
use crate::uplink::releases::{Content, release_key};

const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plate-model/weights");

fn configuration(folder: &Path, central: &Central, port: u16) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    format!(
        "[device]\nid = \"edge-test\"\nkeys = \"{}\"\n\
         [unit]\ncode = \"THU\"\nname = \"Đội thử\"\noperator = \"Người thử\"\n\
         [models]\ndir = \"{WEIGHTS}\"\nworkers = 1\n[spool]\ndir = \"{}\"\nmin_free_mib = 16\n\
         [history]\ndir = \"{}\"\n[health]\nlisten = \"127.0.0.1:{port}\"\n\
         [uplink]\nurl = \"{}\"\n\
         [update]\nkeys = \"{}\"\ndir = \"{}\"\nevery_s = 1\ntrial_s = 60\ncalm_s = 1\n",
        at("keys"),
        at("spool"),
        at("history"),
        central.url(),
        at("release.pub"),
        at("update"),
    )
}

/// The real agent as a release's program, and something to fetch beside it.
fn real(settings: &str, more: &str) -> Content {
    let program = format!("#!/bin/sh\n{more}exec {} \"$@\"\n", env!("CARGO_BIN_EXE_edge-agent"));
    let data: Vec<u8> =
        (0..2_500_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    vec![
        (PROGRAM.into(), program.into_bytes()),
        ("program/data.bin".into(), data),
        ("settings/fleet.toml".into(), settings.as_bytes().to_vec()),
    ]
}

async fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer.split_once("\r\n\r\n")?.1.to_owned())
}

async fn until(port: u16, log: &Path, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + Duration::from_secs(240);
    loop {
        let status = get(port, "/status").await;
        let status: Option<Value> = status.and_then(|text| serde_json::from_str(&text).ok());
        if let Some(status) = status.as_ref().filter(|status| holds(status)) {
            return status.clone();
        }
        let words = || fs::read_to_string(log).unwrap_or_default();
        assert!(Instant::now() < end, "{what}: {status:#?}\n{}", words());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn frames(status: &Value) -> u64 {
    status["cameras"][0]["frames"].as_u64().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_takes_what_is_good_and_goes_back_from_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let road = at("road.mp4");
    footage::record(&road, (footage::WIDTH, footage::HEIGHT), 4, footage::H264);
    let camera = Server::start(&Options::local(&road, "/1")).unwrap();
    let made = agent(&["keygen", "--device", "edge-test", "--out"]).arg(at("keys")).output();
    assert!(made.unwrap().status.success());
    let central = Central::start(&at("keys")).await;
    fs::write(at("release.pub"), release_key().verifying_key().to_pem().unwrap()).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    fs::write(at("agent.toml"), configuration(folder.path(), &central, port)).unwrap();
    let named = format!("id = \"cam-1\"\nuri = \"{}\"\nclock = \"arrival\"", camera.urls()[0]);
    fs::write(at("site.toml"), footage::SITE.replace("id = \"painted\"", &named)).unwrap();

    let log = at("log");
    let child = agent(&["launch", "--config"])
        .arg(at("agent.toml"))
        .arg("--config")
        .arg(at("site.toml"))
        .stderr(Stdio::from(fs::File::create(&log).unwrap()))
        .spawn()
        .unwrap();
    let _launched = Launched(child);
    let update = |now: &Value, release: u64| {
        now["update"]["release"] == release && now["update"]["on_trial"] == false
    };
    until(port, &log, "as installed", |now| update(now, 0) && frames(now) > 3).await;

    // Fetched over a line that is cut after every piece: no byte twice.
    let good = real("[history]\nkeep_days = 3\n", "");
    central.releases.cut_after(Some(1));
    central.releases.give(2, &good);
    until(port, &log, "cut", |now| now["update"]["phase"] == "unreached").await;
    central.releases.cut_after(None);
    let proven = until(port, &log, "proven", |now| update(now, 2) && frames(now) > 3).await;
    let whole: usize = good.iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(central.releases.sent(), whole as u64);
    assert_eq!(proven["update"]["undone"], Value::Null);
    let heard = central.reports().into_iter().filter_map(|report| report.update);
    let heard: Vec<(u64, bool)> = heard.map(|it| (it.release, it.on_trial)).collect();
    assert!(heard.contains(&(0, false)) && heard.contains(&(2, true)), "{heard:?}");

    // What its own program will not have is not even tried: the cameras go on.
    let wrong = "[history]\nkeep_days = 9999\n";
    central.releases.give(3, &real(wrong, ""));
    let refused = until(port, &log, "refused", |now| now["update"]["undone"]["number"] == 3).await;
    let reason = refused["update"]["undone"]["reason"].as_str().unwrap();
    assert!(
        reason.contains("release 3 does not start here") && reason.contains("keep_days"),
        "{reason}"
    );
    assert!(update(&refused, 2) && frames(&refused) >= frames(&proven), "{refused:#?}");
    let new = whole + wrong.len();
    assert_eq!(central.releases.sent(), new as u64, "only what was new came over the line");

    // One that passes its check and then ends is undone; the page says why.
    let ends = "[ \"$1\" = run ] && exit 9\n";
    central.releases.give(4, &real("[history]\nkeep_days = 4\n", ends));
    let back = until(port, &log, "back", |now| now["update"]["undone"]["number"] == 4).await;
    assert!(update(&back, 2), "{back:#?}");
    let reason = back["update"]["undone"]["reason"].as_str().unwrap();
    assert!(reason.contains("ended 3 times") && reason.contains("exit status: 9"), "{reason}");
    let findings = back["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["part"] == "release").unwrap();
    assert_eq!(finding["verdict"], "warn");
    until(port, &log, "it works again", |now| frames(now) > 3).await;
    let metrics = get(port, "/metrics").await.unwrap();
    for line in ["edge_release 2", "edge_release_on_trial 0", "edge_release_undone 1"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}
