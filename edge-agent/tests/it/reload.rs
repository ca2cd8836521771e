//! Cameras come, change and go while the agent runs; the others notice nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use fixtures::rtsp::{Options, Server};
use serde_json::Value;

use crate::commands::agent;
use crate::footage;

const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plate-model/weights");

/// A running agent and its two files.
pub struct Running {
    child: Child,
    port: u16,
    cameras: PathBuf,
    _folder: tempfile::TempDir,
}

impl Running {
    pub fn start(cameras: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let made =
            agent(&["keygen", "--device", "edge-test", "--out"]).arg(&keys).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let own = folder.path().join("agent.toml");
        std::fs::write(&own, own_part(folder.path(), port)).unwrap();
        let file = folder.path().join("cameras.toml");
        std::fs::write(&file, cameras).unwrap();
        let log = std::fs::File::create(folder.path().join("agent.log")).unwrap();
        let child = agent(&["run", "--config"])
            .arg(&own)
            .arg("--config")
            .arg(&file)
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        Self { child, port, cameras: file, _folder: folder }
    }

    /// Other cameras, written as an editor does that does not think of readers.
    pub fn write(&self, cameras: &str) {
        std::fs::write(&self.cameras, cameras).unwrap();
    }

    pub fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer.split_once("\r\n\r\n")?.1.to_owned())
    }

    pub fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + Duration::from_secs(90);
        loop {
            let status = self.get("/status").and_then(|body| serde_json::from_str(&body).ok());
            if let Some(status) = status.as_ref().filter(|status| holds(status)) {
                return status.clone();
            }
            assert!(Instant::now() < end, "{what}: {status:#?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn own_part(folder: &Path, port: u16) -> String {
    format!(
        "[device]\nid = \"edge-test\"\nkeys = \"{keys}\"\n\
         [unit]\ncode = \"THU\"\nname = \"Đội thử\"\noperator = \"Người thử\"\n\
         [models]\ndir = \"{WEIGHTS}\"\n[spool]\ndir = \"{spool}\"\n\
         [history]\ndir = \"{history}\"\n\
         [health]\nlisten = \"127.0.0.1:{port}\"\n",
        keys = folder.join("keys").display(),
        spool = folder.join("spool").display(),
        history = folder.join("history").display(),
    )
}

/// A site of so many cameras by name and address.
pub fn site(cameras: &[(&str, &str)]) -> String {
    let one = |(id, uri): &(&str, &str)| {
        let named = format!("id = \"{id}\"\nuri = \"{uri}\"\nclock = \"arrival\"");
        footage::SITE.replace("id = \"painted\"", &named)
    };
    cameras.iter().map(one).collect()
}

pub fn camera<'a>(status: &'a Value, id: &str) -> Option<&'a Value> {
    status["cameras"].as_array()?.iter().find(|camera| camera["id"] == id)
}

pub fn frames(status: &Value, id: &str) -> u64 {
    camera(status, id).and_then(|camera| camera["frames"].as_u64()).unwrap_or(0)
}

#[test]
fn cameras_follow_the_files_and_leave_each_other_alone() {
    let folder = tempfile::tempdir().unwrap();
    let road = folder.path().join("road.mp4");
    footage::record(&road, (footage::WIDTH, footage::HEIGHT), 4, footage::H264);
    let server = |mount: &str| Server::start(&Options::local(&road, mount)).unwrap();
    let [first, second, third] = ["/1", "/2", "/3"].map(server);
    let url = |server: &Server| server.urls().remove(0);
    let [first, second, third] = [&first, &second, &third].map(url);

    let running = Running::start(&site(&[("cam-1", &first), ("cam-2", &second)]));
    let begun =
        running.until("both are seen", |now| frames(now, "cam-1") > 3 && frames(now, "cam-2") > 3);
    let stays = |status: &Value, since: u64| {
        camera(status, "cam-1").is_some_and(|it| it["reconnects"] == 0)
            && frames(status, "cam-1") > since
    };

    // One is drawn anew, one comes.
    let changed = site(&[("cam-1", &first), ("cam-2", &second), ("cam-3", &third)]);
    let (one, rest) = changed.split_at(changed.find("cam-2").unwrap());
    running.write(&format!(
        "{one}{}",
        rest.replacen("[0.1, 0.6], [0.9, 0.6]", "[0.1, 0.7], [0.9, 0.7]", 1)
    ));
    let more = running.until("the third is seen, the second again", |now| {
        frames(now, "cam-3") > 3 && now["configuration"]["since"] != begun["configuration"]["since"]
    });
    assert!(stays(&more, frames(&begun, "cam-1")), "{more:#?}");

    // What cannot be read changes nothing, and says where.
    running.write(&changed.replace("place = \"Đường thử\"", "place = 3"));
    let refused = running.until("said", |now| now["configuration"]["refused"].is_string());
    let why = refused["configuration"]["refused"].as_str().unwrap();
    assert!(why.contains("cameras.toml:") && why.contains("camera[0].place"), "{why}");
    assert!(running.get("/metrics").unwrap().contains("edge_config_behind 1"));
    let since = frames(&refused, "cam-3");
    running.until("all go on", |now| frames(now, "cam-3") > since + 5);

    // Two go.
    running.write(&site(&[("cam-1", &first)]));
    let last = running.until("one is left", |now| now["cameras"].as_array().unwrap().len() == 1);
    assert!(stays(&last, frames(&more, "cam-1")), "{last:#?}");
    assert_eq!(last["configuration"]["refused"], Value::Null);
    assert_eq!(last["healthy"], true, "{last:#?}");
    let members: Vec<&str> =
        last["threads"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(members, ["camera cam-1", "camera clocks", "history", "sealer"]);

    // What only a restart changes is named.
    running.write(&format!("{}[spool]\nmax_age_days = 9\n", site(&[("cam-1", &first)])));
    let apart = running
        .until("it is said", |now| now["configuration"]["awaits_restart"] != serde_json::json!([]));
    assert_eq!(apart["configuration"]["awaits_restart"], serde_json::json!(["spool"]));
    assert!(stays(&apart, frames(&last, "cam-1")));
}
