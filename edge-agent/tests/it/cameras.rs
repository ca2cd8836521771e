//! Cameras over RTSP that behave and that do not.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use edge_agent::clock::System;
use edge_agent::config::ClockPolicy;
use edge_agent::health::{Board, CameraHandle, CameraState, CameraStatus};
use edge_agent::source::supervise::{self, Watcher};
use edge_agent::source::{Dating, Input, Picture, Pipeline, Settings, SourceError};
use fixtures::rtsp::{Login, Misbehaviour, Mount, Recording, Server};

use crate::footage;

/// Notes what it is shown.
#[derive(Default)]
struct Notes {
    sizes: Vec<(u32, u32)>,
    pictures: u64,
    interruptions: u64,
    sources: Vec<contract::manifest::ClockSource>,
}

struct Noting(Arc<Mutex<Notes>>);

impl Watcher for Noting {
    fn picture(&mut self, picture: Picture, _source: &Pipeline) {
        let mut notes = self.0.lock().unwrap();
        notes.pictures += 1;
        let size = (picture.frame.width(), picture.frame.height());
        if notes.sizes.last() != Some(&size) {
            notes.sizes.push(size);
        }
        notes.sources.push(picture.clock.source);
    }

    fn interrupted(&mut self) {
        self.0.lock().unwrap().interruptions += 1;
    }
}

/// A camera being watched in the background.
struct Watched {
    notes: Arc<Mutex<Notes>>,
    board: CameraHandle,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Watched {
    fn new(url: &str, login: Option<(&str, &str)>) -> Self {
        let (url, login) = (url.to_owned(), login.map(|(u, p)| (u.to_owned(), p.to_owned())));
        let notes: Arc<Mutex<Notes>> = Arc::default();
        let board = Board::new(Arc::new(System::default())).camera("cam-01");
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (notes, board, stop) = (Arc::clone(&notes), board.clone(), Arc::clone(&stop));
            thread::spawn(move || {
                let make = || Ok(settings(&url, login.clone()));
                supervise::run(make, &mut Noting(notes), &board, &stop, 1);
            })
        };
        Self { notes, board, stop, thread: Some(thread) }
    }

    fn until(&self, seconds: u64, what: &str, holds: impl Fn(&Notes, &CameraStatus) -> bool) {
        let end = Instant::now() + Duration::from_secs(seconds);
        loop {
            let status = self.board.status();
            if holds(&self.notes.lock().unwrap(), &status) {
                return;
            }
            assert!(Instant::now() < end, "{what}: not within {seconds} s, {status:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn settings(url: &str, login: Option<(String, String)>) -> Settings {
    Settings {
        camera: "cam-01".into(),
        input: Input::Rtsp { uri: url.into(), login },
        dating: Dating::Camera(ClockPolicy::RtcpOrArrival),
        analysed_fps: 10.0,
        keep: 10_000_000_000,
        keep_bytes: 8 << 20,
    }
}

fn recording(folder: &Path, name: &str, size: (usize, usize)) -> Arc<Recording> {
    let path = folder.join(name);
    footage::record(&path, size, 4, footage::H264);
    Arc::new(Recording::load(&path).unwrap())
}

fn mount(path: &str, recording: &Arc<Recording>, misbehaviour: Option<Misbehaviour>) -> Mount {
    Mount { path: path.into(), recording: Arc::clone(recording), misbehaviour }
}

const SMALL: (usize, usize) = (320, 240);

#[test]
fn cameras_recover_by_themselves_and_leave_each_other_alone() {
    let folder = tempfile::tempdir().unwrap();
    let small = recording(folder.path(), "a.mp4", SMALL);
    let other = recording(folder.path(), "b.mp4", (480, 272));
    let second = Duration::from_secs(1);
    let server = Server::start(
        vec![
            mount("/good", &small, None),
            mount("/drops", &small, Some(Misbehaviour::Drop { every: 2 * second })),
            mount("/stalls", &small, Some(Misbehaviour::Stall { every: 2 * second, length: 8 * second })),
            mount("/resizes", &small, Some(Misbehaviour::Resize { every: 2 * second, other })),
        ],
        None,
        0,
    )
    .unwrap();
    let watch = |path: &str| Watched::new(&server.url(path), None);
    let (good, drops, stalls, resizes) =
        (watch("/good"), watch("/drops"), watch("/stalls"), watch("/resizes"));
    let nowhere = watch("/nowhere");

    good.until(20, "first pictures", |notes, status| {
        notes.pictures > 10 && status.state == CameraState::Connecting
            || notes.pictures > 10
    });
    drops.until(30, "comes back after drops", |notes, status| {
        status.reconnects >= 2 && notes.interruptions >= 2 && notes.pictures > 20
    });
    stalls.until(30, "a stall is noticed", |_, status| status.state == CameraState::Stalled);
    let before = stalls.notes.lock().unwrap().pictures;
    stalls.until(30, "and overcome", |notes, _| notes.pictures > before + 5);
    resizes.until(30, "both sizes arrive", |notes, _| {
        notes.sizes.contains(&(320, 240)) && notes.sizes.contains(&(480, 272))
    });
    nowhere.until(10, "404 is said", |_, status| {
        status.state == CameraState::Failed && status.detail.contains("RTSP 404")
    });
    // All that did not touch the good one.
    let status = good.board.status();
    assert_eq!((status.reconnects, good.notes.lock().unwrap().interruptions), (0, 0));
}

#[test]
fn a_wrong_password_is_said_and_a_right_one_works() {
    let folder = tempfile::tempdir().unwrap();
    let small = recording(folder.path(), "a.mp4", SMALL);
    let login = Login { user: "viewer".into(), password: "đúng".into() };
    let server = Server::start(vec![mount("/cam", &small, None)], Some(login), 0).unwrap();
    let wrong = Watched::new(&server.url("/cam"), Some(("viewer", "sai")));
    wrong.until(15, "401 is said", |_, status| {
        status.state == CameraState::Failed
            && status.detail.contains("RTSP 401")
            && status.detail.contains("check user and password")
            && !status.detail.contains("sai")
    });
    let right = Watched::new(&server.url("/cam"), Some(("viewer", "đúng")));
    right.until(15, "pictures", |notes, _| notes.pictures > 5);
}

#[test]
fn nobody_there_is_told_apart() {
    let error = supervise::probe(&settings("rtsp://127.0.0.1:1/x", None), Duration::from_secs(10));
    let error = error.map(|(picture, _)| picture.pts).unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().starts_with("rtsp://127.0.0.1:1/x cannot be reached"), "{error}");
}
