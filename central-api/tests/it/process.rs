//! The real program: its commands, and a `kill -9` at any moment of an upload.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use central_api::admin::{password, users};
use central_api::evidence::EvidenceStore;
use central_api::store::Store;
use central_api::verify::{Depth, verify_store};
use contract::chain::Head;
use contract::wire::CHUNK_BYTES;
use rand::{RngExt as _, SeedableRng as _};

use crate::support::road_box::{self, Keys, RoadBox};
use crate::support::{Database, on_both};

on_both!(
    killed_at_any_moment_nothing_is_lost_or_doubled,
    a_flood_with_few_descriptors_stops_neither_pages_nor_boxes,
    commands_do_what_they_say,
);

struct Central {
    database: Database,
    config: PathBuf,
}

impl Central {
    fn new(database: Database) -> Self {
        let folder = database.folder.path();
        let config = folder.join("central.toml");
        let text = format!(
            "[database]\nurl = {:?}\n[evidence]\nfolder = {:?}\n[keys]\nfolder = {:?}\n\
             [web]\nlisten = \"127.0.0.1:0\"\n[device]\nlisten = \"127.0.0.1:0\"\n\
             requests_per_second = 10000\nburst = 10000\n",
            database.url,
            folder.join("evidence"),
            folder.join("keys"),
        );
        std::fs::write(&config, text).unwrap();
        Self { database, config }
    }

    fn folder(&self) -> &Path {
        self.database.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_central-api"));
        command.args(arguments).arg("--config").arg(&self.config);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    fn enrol(&self, id: &str) -> RoadBox {
        let keys = Keys::generate(id, 1);
        let folder = self.folder().join(id);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("tls.csr"), &keys.csr).unwrap();
        let seal_key = keys.seal.verifying_key().to_pem().unwrap();
        std::fs::write(folder.join("seal.pub"), seal_key).unwrap();
        let [csr, seal_key, out] = ["tls.csr", "seal.pub", ""].map(|name| folder.join(name));
        let output = self
            .command(&["admin", "enrol-device", "--id", id])
            .arg("--csr")
            .arg(csr)
            .arg("--seal-key")
            .arg(seal_key)
            .arg("--out")
            .arg(out)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(read("central.pub").contains("PUBLIC KEY"));
        RoadBox {
            id: id.into(),
            client: road_box::client(&read("ca.pem"), Some((&read("tls.pem"), &keys.tls))),
            certificate: read("tls.pem"),
            keys,
            base: String::new(),
            head: Head::default(),
            now: time::OffsetDateTime::now_utc(),
        }
    }

    /// Starts serving; gives the device address from the log.
    fn serve(&self) -> (Child, SocketAddr) {
        let (child, [_, device]) = started(self.command(&["serve"]));
        (child, device)
    }

    /// The same with at most so many files open; gives the addresses of pages and device API.
    fn serve_with_files(&self, files: usize) -> (Child, [SocketAddr; 2]) {
        let serve = self.command(&["serve"]);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("ulimit -n {files}; exec \"$0\" \"$@\""));
        shell.arg(serve.get_program()).args(serve.get_args());
        started(shell)
    }
}

fn started(mut command: Command) -> (Child, [SocketAddr; 2]) {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let addresses = lines
        .find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap()).ok()?;
            let address = |name: &str| line.get(name)?.as_str()?.parse().ok();
            Some([address("web")?, address("device")?])
        })
        .expect("the log names the addresses");
    // Keep the pipe empty, so that the child never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
    (child, addresses)
}

async fn a_flood_with_few_descriptors_stops_neither_pages_nor_boxes(database: Database) {
    let central = Central::new(database);
    let mut road_box = central.enrol("edge-01");
    let (mut child, [web, device]) = central.serve_with_files(128);
    road_box.base = road_box::base(device);
    let mut silent = Vec::new();
    for _ in 0..150 {
        silent.push(tokio::net::TcpStream::connect(web).await.unwrap());
        silent.push(tokio::net::TcpStream::connect(device).await.unwrap());
    }
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10));
    let page = client.build().unwrap().get(format!("http://{web}/tra-cuu")).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let package = road_box.sealed(road_box.next());
    road_box.deliver(&package).await.unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn killed_at_any_moment_nothing_is_lost_or_doubled(database: Database) {
    let central = Central::new(database);
    let mut road_box = central.enrol("edge-01");
    let mut rng = rand_chacha(7);
    let mut kills = 0;
    for _ in 0..4 {
        let package = road_box.sealed(road_box.next().clip_bytes(CHUNK_BYTES as usize * 2 + 5));
        loop {
            let (mut child, device) = central.serve();
            road_box.base = road_box::base(device);
            // Connections of the killed process are of no use to the next one.
            let delay = Duration::from_millis(rng.random_range(0..120));
            let delivered = if kills < 8 {
                tokio::select! {
                    receipt = road_box.deliver(&package) => receipt.ok(),
                    () = tokio::time::sleep(delay) => None,
                }
            } else {
                Some(road_box.deliver(&package).await.unwrap())
            };
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            if delivered.is_some() {
                break;
            }
        }
        road_box.advance(&package);
    }
    let store = Store::open(&central.database.url, 2).await.unwrap();
    let evidence = EvidenceStore::open_folder(&central.folder().join("evidence")).unwrap();
    let report = verify_store(&store, &evidence, &central_api::law::book().unwrap(), Depth::Seals)
        .await
        .unwrap();
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!((report.packages, report.incomplete), (4, 0));
    let cases: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM cases").fetch_one(store.pool()).await.unwrap();
    assert_eq!(cases, 4);
    store.close().await;

    let output = central.run(&["verify", "--store", "--json"]);
    assert!(output.status.success());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["packages"], 4);
}

fn rand_chacha(seed: u64) -> rand::rngs::StdRng {
    rand::rngs::StdRng::seed_from_u64(seed)
}

async fn commands_do_what_they_say(database: Database) {
    let central = Central::new(database);
    let migrated = central.run(&["migrate"]);
    assert!(migrated.status.success(), "{migrated:?}");

    let mut create = central
        .command(&["admin", "create-user", "--login", "lan", "--name", "Trần Thị Lan"])
        .args(["--role", "reviewer"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    create.stdin.take().unwrap().write_all("\u{feff}mật khẩu dài\n".as_bytes()).unwrap();
    assert!(create.wait().unwrap().success());
    let listed = String::from_utf8(central.run(&["admin", "list-users"]).stdout).unwrap();
    assert_eq!(listed, "lan  Trần Thị Lan  reviewer\n");
    let store = Store::open(&central.database.url, 2).await.unwrap();
    let (_, stored) = users::find_by_login(&store, "lan").await.unwrap().unzip();
    store.close().await;
    // The byte order mark in front was no part of it.
    assert!(password::verify_password(stored, "mật khẩu dài".into()).await);

    central.enrol("edge-01");
    let revoked = central.run(&["admin", "revoke-device", "--id", "edge-01"]);
    assert!(revoked.status.success());
    let listed = String::from_utf8(central.run(&["admin", "list-devices"]).stdout).unwrap();
    assert!(listed.starts_with("edge-01  enrolled 2"), "{listed}");
    let unknown = central.run(&["admin", "revoke-device", "--id", "edge-99"]);
    assert!(!unknown.status.success());
    let text = String::from_utf8(unknown.stderr).unwrap();
    assert_eq!(text, "central-api: device edge-99 is not enrolled\n");

    // From a folder on a machine apart to a box, by commands alone.
    let apart = central.folder().join("apart");
    let made = central.run(&["release", "key", "--out", apart.to_str().unwrap()]);
    assert!(made.status.success(), "{made:?}");
    std::fs::create_dir_all(apart.join("r7/models")).unwrap();
    std::fs::write(apart.join("r7/models/a.onnx"), b"weights").unwrap();
    central.enrol("edge-02");
    let [dir, key, public] =
        ["r7", "release.key", "release.pub"].map(|name| apart.join(name).display().to_string());
    for command in [
        &["make", "--key", &key, "--dir", &dir, "--number", "7", "--version", "1.2"][..],
        &["publish", "--dir", &dir, "--key", &public],
        &["assign", "--number", "7", "--share", "10"],
    ] {
        let done = central.run(&[&["release"], command].concat());
        assert!(done.status.success(), "{command:?}: {done:?}");
    }
    let listed = String::from_utf8(central.run(&["release", "list"]).stdout).unwrap();
    assert!(
        listed.starts_with("7  1.2  ") && listed.contains("given to 1, running on 0"),
        "{listed}"
    );
    let nobody = central.run(&["release", "assign", "--number", "7"]);
    assert!(!nobody.status.success(), "{nobody:?}");

    let mut config = std::fs::OpenOptions::new().append(true).open(&central.config).unwrap();
    writeln!(config, "[lookup]\ncaptcha_bits = \"many\"").unwrap();
    let refused = central.run(&["serve"]);
    assert!(!refused.status.success());
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("central.toml:14: lookup.captcha_bits is text"), "{text}");
}
