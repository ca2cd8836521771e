//! The uplink against a double of the central that speaks the wire contract strictly, over real
//! mTLS, with faults.

pub mod central;
mod line;
pub mod releases;

use std::sync::Arc;
use std::time::Duration;

use contract::wire::CHUNK_BYTES;
use edge_agent::clock::{Clock as _, Simulated};
use edge_agent::health::{Board, CameraState, Configured, Crew, Premises, Server, Sources};
use edge_agent::keys::{self, Identity};
use edge_agent::spool::{Policy, Spool, State};
use edge_agent::uplink::{Monitor, Phase, Reporter, Settings, Uplink};
use tempfile::TempDir;
use time::macros::datetime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use central::{Central, Fault};
use line::Line;

use crate::sample::{DEVICE, id, key, package};

/// A box with keys, a spool and a central to talk to.
struct Rig {
    _dirs: [TempDir; 2],
    spool: Arc<Spool>,
    central: Central,
    identity: Identity,
    clock: Simulated,
}

/// An uplink at work; stops when asked.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
    monitor: Monitor,
}

impl Rig {
    async fn new() -> Self {
        let dirs = [TempDir::new().unwrap(), TempDir::new().unwrap()];
        keys::generate(dirs[0].path(), DEVICE).unwrap();
        let central = Central::start(dirs[0].path()).await;
        let identity = Identity::load(dirs[0].path(), DEVICE).unwrap();
        let clock = Simulated::at(datetime!(2026-11-21 10:00 UTC));
        let policy = Policy {
            max_bytes: 1 << 30,
            max_age: Duration::from_secs(7 * 24 * 3600),
            min_free_bytes: 0,
        };
        let (spool, _) =
            Spool::open(dirs[1].path(), policy, key().verifying_key(), Arc::new(clock.clone()))
                .unwrap();
        Self { _dirs: dirs, spool: Arc::new(spool), central, identity, clock }
    }

    fn store(&self, number: u64, size: usize) {
        let sealed = self.spool.store(id(number), 0, |head| package(number, head, size));
        sealed.map(|_| ()).unwrap_or_else(|error| panic!("{error}"));
    }

    fn settings(&self) -> Settings {
        Settings {
            url: self.central.url(),
            rate_bytes_per_s: 0,
            timeout: Duration::from_secs(5),
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(300),
            seed: 1,
        }
    }

    fn start(&self, settings: &Settings) -> Running {
        let receipts = keys::load_central_key(self._dirs[0].path()).unwrap();
        let clock = Arc::new(self.clock.clone());
        let uplink =
            Uplink::new(settings, &self.identity, receipts, self.spool.clone(), clock).unwrap();
        let monitor = uplink.monitor();
        let stop = CancellationToken::new();
        Running { task: tokio::spawn(uplink.run(stop.clone())), stop, monitor }
    }

    /// Runs the uplink until the spool satisfies `done`.
    async fn run_until(&self, settings: &Settings, done: impl Fn(&Spool) -> bool) -> Monitor {
        let running = self.start(settings);
        wait_for(|| done(&self.spool)).await;
        running.end().await
    }
}

impl Running {
    async fn end(self) -> Monitor {
        self.stop.cancel();
        self.task.await.unwrap();
        self.monitor
    }
}

async fn wait_for(done: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(tokio::time::Instant::now() < deadline, "it never came to that");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn delivered(spool: &Spool, count: usize) -> bool {
    let stats = spool.stats();
    stats.pending == 0 && stats.delivered == count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packages_arrive_in_order_whole_and_are_let_go_against_the_receipt() {
    let rig = Rig::new().await;
    rig.store(1, 1000);
    // More than two chunks a file.
    rig.store(2, 2 * CHUNK_BYTES as usize + 500);
    let running = rig.start(&rig.settings());
    wait_for(|| delivered(&rig.spool, 2)).await;
    // One that comes while the uplink rests.
    rig.store(3, 1000);
    wait_for(|| delivered(&rig.spool, 3)).await;
    let monitor = running.end().await;
    assert_eq!(monitor.status().delivered, 3);
    assert_eq!(rig.central.complete(), [1, 2, 3]);
    let entry = rig.spool.find(2).unwrap().1;
    let receipt = rig.spool.root().join("delivered").join(entry.name()).join("receipt.jws");
    assert!(std::fs::read_to_string(receipt).unwrap().split('.').count() == 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_of_the_server_are_waited_out() {
    let rig = Rig::new().await;
    rig.store(1, 1000);
    rig.central.fault(Fault::Status(500, "internal"), 3);
    rig.central.fault(Fault::Status(429, "rate_limited"), 1);
    rig.central.fault(Fault::Garbage, 1);
    let monitor = rig.run_until(&rig.settings(), |spool| delivered(spool, 1)).await;
    assert_eq!(monitor.status().failures, 5);
    assert_eq!(rig.central.complete(), [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_keeps_breaking_loses_and_repeats_nothing() {
    let rig = Rig::new().await;
    rig.store(1, 2 * CHUNK_BYTES as usize + 4321);
    // Every connection dies after 1.4 MB, in the middle of a chunk.
    let line = Line::start(rig.central.address(), 1_400_000).await;
    let settings = Settings { url: line.url(), ..rig.settings() };
    let monitor = rig.run_until(&settings, |spool| delivered(spool, 1)).await;
    assert!(monitor.status().failures >= 5, "the line never broke: {:?}", monitor.status());
    assert_eq!(rig.central.complete(), [1]);
    // What had arrived was not sent again, but for the chunk the break was in.
    let content = crate::sample::FILES.len() as u64 * (2 * CHUNK_BYTES + 4321);
    assert_eq!(rig.central.accepted_bytes(), content);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_receipt_lets_nothing_go() {
    let rig = Rig::new().await;
    rig.store(1, 1000);
    for fault in [Fault::ForeignReceipt, Fault::OtherReceipt, Fault::OtherManifestReceipt] {
        rig.central.fault(fault, usize::MAX);
        let running = rig.start(&rig.settings());
        wait_for(|| running.monitor.status().failures >= 2).await;
        let monitor = running.end().await;
        let said = monitor.status().last_trouble.unwrap();
        assert!(said.contains("receipt"), "{fault:?}: {said}");
        assert_eq!(rig.spool.stats().pending, 1, "{fault:?}");
        rig.central.clear_faults();
    }
    let monitor = rig.run_until(&rig.settings(), |spool| delivered(spool, 1)).await;
    assert_eq!(monitor.status().last_trouble, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_package_is_parked_with_the_reason_and_found_again_when_asked_for() {
    let rig = Rig::new().await;
    rig.store(1, 1000);
    rig.store(2, 1000);
    rig.central.fault(Fault::Status(422, "bad_manifest"), 1);
    let running = rig.start(&rig.settings());
    // The central's chain cannot go on without it, so it is asked for, sent again, and accepted.
    wait_for(|| delivered(&rig.spool, 2)).await;
    let monitor = running.end().await;
    assert_eq!(monitor.status().delivered, 2);
    assert_eq!(rig.spool.stats().refused, 0);
    let note = rig.spool.root().join("delivered").join(rig.spool.find(1).unwrap().1.name());
    let problem = std::fs::read_to_string(note.join("problem.txt")).unwrap();
    assert!(problem.contains("bad_manifest"), "{problem}");
    assert_eq!(rig.central.complete(), [1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_refused_for_good_stays_parked_and_the_alarm_stays_on() {
    let rig = Rig::new().await;
    rig.store(1, 1000);
    rig.store(2, 1000);
    rig.central.fault(Fault::Refuse(1), usize::MAX);
    let running = rig.start(&rig.settings());
    wait_for(|| running.monitor.status().failures > 4).await;
    let status = running.end().await.status();
    assert_eq!(rig.spool.find(1).unwrap().0, State::Refused);
    assert_eq!(rig.spool.find(2).unwrap().0, State::Pending, "the next one waits, unparked");
    assert!(status.last_trouble.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_central_restored_from_a_backup_gets_what_it_lost() {
    let rig = Rig::new().await;
    for number in 1..=4 {
        rig.store(number, 1000);
    }
    rig.run_until(&rig.settings(), |spool| delivered(spool, 4)).await;
    rig.central.forget_after(2);
    assert_eq!(rig.central.complete(), [1, 2]);
    rig.store(5, 1000);
    rig.run_until(&rig.settings(), |spool| delivered(spool, 5)).await;
    assert_eq!(rig.central.complete(), [1, 2, 3, 4, 5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_that_is_not_here_blocks_and_says_so() {
    let rig = Rig::new().await;
    for number in 1..=3 {
        rig.store(number, 1000);
    }
    // The central never saw 1 and 2, and they are gone from the box.
    rig.spool.deliver(State::Pending, 1, "r").unwrap();
    rig.spool.deliver(State::Pending, 2, "r").unwrap();
    rig.clock_past_age();
    rig.spool.sweep().unwrap();
    let running = rig.start(&rig.settings());
    wait_for(|| matches!(running.monitor.status().phase, Phase::Blocked { .. })).await;
    let blocked = running.end().await.status().blocked.unwrap();
    assert!(blocked.contains("1 is not in the spool"), "{blocked}");
    assert!(blocked.contains("settle-chain --id edge-test --next 3 --reason"), "{blocked}");
    assert_eq!(rig.spool.stats().pending, 1, "it stays in the queue");
}

/// What `/healthz` says with this uplink.
async fn health(rig: &Rig, monitor: &Monitor) -> String {
    let clock = Arc::new(rig.clock.clone());
    let sources = Sources {
        board: Board::new(clock.clone()),
        spool: Some(rig.spool.clone()),
        uplink: Some(monitor.clone()),
        crew: Crew::new(clock.clone()),
        history: None,
        updates: None,
        premises: Premises::default(),
        configured: Configured::new(clock.now()),
    };
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let address = "127.0.0.1:0".parse().unwrap();
    let server = Server::bind(address, sources, recorder.handle()).await.unwrap();
    let port = server.address().unwrap().port();
    let stop = CancellationToken::new();
    let task = tokio::spawn(server.run(stop.clone()));
    let answer = crate::health::get(port, "/healthz").await;
    stop.cancel();
    task.await.unwrap();
    answer
}

impl Rig {
    /// As after the box's image was restored: keys as before, nothing in the spool.
    fn restore_image(&mut self) -> TempDir {
        let dir = TempDir::new().unwrap();
        let policy = Policy {
            max_bytes: 1 << 30,
            max_age: Duration::from_secs(7 * 24 * 3600),
            min_free_bytes: 0,
        };
        let clock = Arc::new(self.clock.clone());
        let (spool, _) = Spool::open(dir.path(), policy, key().verifying_key(), clock).unwrap();
        self.spool = Arc::new(spool);
        dir
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_image_blocks_with_the_command_that_helps_and_goes_on_after_it() {
    let mut rig = Rig::new().await;
    for number in 1..=3 {
        rig.store(number, 1000);
    }
    let monitor = rig.run_until(&rig.settings(), |spool| delivered(spool, 3)).await;
    assert!(health(&rig, &monitor).await.starts_with("HTTP/1.1 200"));

    let _dir = rig.restore_image();
    rig.store(11, 1000);
    rig.store(12, 1000);
    let running = rig.start(&rig.settings());
    wait_for(|| running.monitor.status().blocked.is_some()).await;
    let answer = health(&rig, &running.monitor).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    let command = "central-api admin settle-chain --id edge-test --next 1 --reason TEXT";
    for part in ["holds 3 of this device's packages", "restored image", command] {
        assert!(answer.contains(part), "{part} is not in {answer}");
    }
    assert_eq!(rig.spool.stats().pending, 2, "all of it is kept");

    rig.central.begin_again();
    wait_for(|| delivered(&rig.spool, 2)).await;
    let monitor = running.end().await;
    assert_eq!(monitor.status().blocked, None);
    assert!(health(&rig, &monitor).await.starts_with("HTTP/1.1 200"));
    assert_eq!(rig.central.complete(), [1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_link_parks_nothing_and_names_the_command() {
    let mut rig = Rig::new().await;
    rig.store(1, 1000);
    rig.run_until(&rig.settings(), |spool| delivered(spool, 1)).await;
    let _dir = rig.restore_image();
    rig.store(11, 1000);
    rig.store(12, 1000);
    // The first of the new ones never went out: the second names it as its predecessor.
    rig.spool.deliver(State::Pending, 1, "r").unwrap();
    let running = rig.start(&rig.settings());
    wait_for(|| running.monitor.status().blocked.is_some()).await;
    let blocked = running.end().await.status().blocked.unwrap();
    assert!(blocked.contains("settle-chain --id edge-test --next 2 --again"), "{blocked}");
    let stats = rig.spool.stats();
    assert_eq!((stats.pending, stats.refused), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_dated_ahead_says_so_until_the_central_takes_its_packages() {
    let rig = Rig::new().await;
    rig.store(1, 1000);
    rig.store(2, 1000);
    rig.central.fault(Fault::Status(422, "capture_in_future"), usize::MAX);
    let running = rig.start(&rig.settings());
    wait_for(|| running.monitor.status().blocked.is_some()).await;
    let answer = health(&rig, &running.monitor).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("capture_in_future"), "{answer}");
    rig.central.clear_faults();
    wait_for(|| delivered(&rig.spool, 2)).await;
    assert_eq!(running.end().await.status().blocked, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_is_not_welcome_parks_nothing() {
    let rig = Rig::new().await;
    rig.store(1, 1000);
    rig.central.fault(Fault::Status(403, "revoked_device"), 2);
    rig.central.fault(Fault::Status(422, "bad_seal"), 1);
    let monitor = rig.run_until(&rig.settings(), |spool| delivered(spool, 1)).await;
    assert_eq!(monitor.status().failures, 3);
    assert_eq!(rig.spool.stats().refused, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_on_the_way_out_is_parked_and_the_next_goes_on() {
    let rig = Rig::new().await;
    rig.store(1, 1000);
    rig.store(2, 1000);
    let clip = rig.spool.root().join("pending").join(rig.spool.find(1).unwrap().1.name());
    let path = clip.join("clip.mp4");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[7] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    rig.run_until(&rig.settings(), |spool| delivered(spool, 1)).await;
    assert_eq!(rig.spool.find(1).unwrap().0, State::Damaged);
    assert_eq!(rig.central.complete(), [2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_uplink_stopped_and_started_at_any_moment_delivers_each_once() {
    let rig = Rig::new().await;
    for number in 1..=6 {
        rig.store(number, 300_000);
    }
    rig.central.slow(Duration::from_millis(3));
    for round in 0..12u64 {
        let running = rig.start(&rig.settings());
        tokio::time::sleep(Duration::from_millis(5 + round * 7 % 40)).await;
        running.end().await;
    }
    rig.run_until(&rig.settings(), |spool| delivered(spool, 6)).await;
    assert_eq!(rig.central.complete(), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_central_costs_a_timeout_not_the_agent() {
    let rig = Rig::new().await;
    rig.store(1, 1000);
    rig.central.fault(Fault::Silence, 1);
    let settings = Settings { timeout: Duration::from_millis(300), ..rig.settings() };
    let monitor = rig.run_until(&settings, |spool| delivered(spool, 1)).await;
    assert!(monitor.status().failures >= 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_central_of_another_ca_is_not_spoken_to() {
    let rig = Rig::new().await;
    rig.store(1, 1000);
    let other = TempDir::new().unwrap();
    keys::generate(other.path(), DEVICE).unwrap();
    let impostor = Central::start(other.path()).await;
    let settings = Settings { url: impostor.url(), ..rig.settings() };
    let running = rig.start(&settings);
    wait_for(|| running.monitor.status().failures >= 3).await;
    let status = running.end().await.status();
    assert!(status.last_trouble.unwrap().to_lowercase().contains("cert"));
    assert_eq!(impostor.requests(), 0);
    assert_eq!(rig.spool.stats().pending, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_limit_paces_the_upload() {
    use edge_agent::clock::Clock as _;
    let rig = Rig::new().await;
    rig.store(1, 1_000_000 / crate::sample::FILES.len());
    let before = rig.clock.monotonic();
    let settings = Settings { rate_bytes_per_s: 50_000, ..rig.settings() };
    rig.run_until(&settings, |spool| delivered(spool, 1)).await;
    let took = (rig.clock.monotonic() - before).as_secs_f64();
    // 1 MB at 50 kB/s, the last chunk not waited for.
    assert!((17.0..=20.5).contains(&took), "{took} s");
}

impl Rig {
    fn clock_past_age(&self) {
        self.clock.advance(Duration::from_secs(30 * 24 * 3600));
    }
}

#[tokio::test]
async fn the_box_says_how_it_is_again_and_again() {
    let rig = Rig::new().await;
    rig.store(1, 2000);
    let clock = Arc::new(rig.clock.clone());
    let board = Board::new(clock.clone());
    board.camera("cam-1").state(CameraState::Failed, "RTSP 401\nfrom 10.0.0.7:554");
    let configured = Configured::new(clock.now());
    configured.refused("site.toml:7: camera[0].place is missing".into());
    let crew = Crew::new(clock.clone());
    let spool = Some(rig.spool.clone());
    let (history, premises) = (None, Premises::default());
    let (uplink, updates) = (None, None);
    let sources = Sources { board, spool, uplink, crew, configured, history, updates, premises };
    let stop = CancellationToken::new();
    let reporter = Reporter::new(&rig.settings(), &rig.identity, clock.clone()).unwrap();
    let word = move || sources.report().to_central(Duration::from_secs(5));
    let task = tokio::spawn(reporter.run(word, stop.clone()));
    wait_for(|| rig.central.reports().len() >= 3).await;
    stop.cancel();
    task.await.unwrap();
    let reports = rig.central.reports();
    for report in &reports {
        assert_eq!(report.check(), Ok(()));
        assert_eq!(report.cameras[0].state, "failed");
        assert_eq!(report.cameras[0].detail, "RTSP 401 from 10.0.0.7:554");
        assert!(report.configuration.refused.as_deref().unwrap().contains("site.toml:7"));
        assert_eq!((report.spool.pending, report.up_s), (1, 5));
    }
    // About a minute apart, by the simulated clock.
    let apart = reports[1].at - reports[0].at;
    assert!((55..=65).contains(&apart.whole_seconds()), "{apart}");
}
