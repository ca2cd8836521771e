//! Cameras over RTSP that behave and that do not.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use contract::manifest::ClockSource;
use edge_agent::clock::System;
use edge_agent::config::ClockPolicy;
use edge_agent::health::{Board, CameraHandle, CameraState, CameraStatus};
use edge_agent::pace::Pace;
use edge_agent::source::supervise::{self, Watcher};
use edge_agent::source::{Address, Dating, Input, Login, Picture, Settings, Source, SourceError};
use fixtures::rtsp::{Misbehaviour, Options, Server};

use crate::footage;

/// Notes what it is shown.
#[derive(Default)]
pub struct Notes {
    sizes: Vec<(u32, u32)>,
    pub pictures: u64,
    interruptions: u64,
    sources: Vec<ClockSource>,
}

struct Noting(Arc<Mutex<Notes>>);

impl Watcher for Noting {
    fn picture(&mut self, picture: Picture, _source: &Source) {
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
pub struct Watched {
    notes: Arc<Mutex<Notes>>,
    board: CameraHandle,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Watched {
    pub fn new(url: &str, login: Option<(&str, &str)>) -> Self {
        let login =
            login.map(|(user, password)| Login { user: user.into(), password: password.into() });
        let url = url.to_owned();
        Self::by(move || Ok(settings(&url, login.clone())))
    }

    /// With settings made anew at every connection.
    pub fn by(make: impl Fn() -> Result<Settings, SourceError> + Send + 'static) -> Self {
        let notes: Arc<Mutex<Notes>> = Arc::default();
        let board = Board::new(Arc::new(System::default())).camera("cam-01");
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (notes, board, stop) = (Arc::clone(&notes), board.clone(), Arc::clone(&stop));
            thread::spawn(move || {
                supervise::run(make, &mut Noting(notes), &board, &stop, &|| (), 1);
            })
        };
        Self { notes, board, stop, thread: Some(thread) }
    }

    pub fn pictures(&self) -> u64 {
        self.notes.lock().unwrap().pictures
    }

    pub fn until(&self, seconds: u64, what: &str, holds: impl Fn(&Notes, &CameraStatus) -> bool) {
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

pub fn settings(url: &str, login: Option<Login>) -> Settings {
    Settings {
        camera: "cam-01".into(),
        input: Input::Rtsp { address: Address::parse(url).unwrap(), login },
        larger: None,
        dating: Dating::Camera(ClockPolicy::RtcpOrArrival),
        pace: Pace::fixed(10.0),
        keep: 10_000_000_000,
        keep_bytes: 8 << 20,
    }
}

/// Serves a painted road under `/cam`.
pub fn serve(
    file: &Path,
    misbehaviour: Option<Misbehaviour>,
    login: Option<(&str, &str)>,
) -> Server {
    let options = Options {
        credentials: login.map(|(user, password)| (user.into(), password.into())),
        misbehaviour,
        ..Options::local(file, "/cam")
    };
    Server::start(&options).unwrap()
}

pub fn record(folder: &Path) -> PathBuf {
    let path = folder.join("road.mp4");
    footage::record(&path, (footage::WIDTH, footage::HEIGHT), 4, footage::H264);
    path
}

#[test]
fn cameras_recover_by_themselves_and_leave_each_other_alone() {
    let folder = tempfile::tempdir().unwrap();
    let road = record(folder.path());
    let every = Duration::from_secs(2);
    let good = serve(&road, None, None);
    let drops = serve(&road, Some(Misbehaviour::Drop { every }), None);
    let pause = Duration::from_secs(8);
    let stalls = serve(&road, Some(Misbehaviour::Stall { every, pause }), None);
    let resizes = serve(&road, Some(Misbehaviour::Resize { every }), None);
    let nowhere = good.urls()[0].replace("/cam", "/nowhere");

    let watch = |server: &Server| Watched::new(&server.urls()[0], None);
    let (good, drops, stalls, resizes) =
        (watch(&good), watch(&drops), watch(&stalls), watch(&resizes));
    let nowhere = Watched::new(&nowhere, None);

    good.until(20, "first pictures", |notes, _| notes.pictures > 10);
    drops.until(30, "comes back after drops", |notes, status| {
        status.reconnects >= 2 && notes.interruptions >= 2 && notes.pictures > 20
    });
    stalls.until(30, "a stall is noticed", |_, status| status.state == CameraState::Stalled);
    let before = stalls.notes.lock().unwrap().pictures;
    stalls.until(30, "and overcome", |notes, _| notes.pictures > before + 5);
    resizes.until(30, "both sizes arrive", |notes, _| notes.sizes.len() >= 2);
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
    let road = record(folder.path());
    let server = serve(&road, None, Some(("viewer", "dung")));
    let url = server.urls().remove(0);
    let wrong = Watched::new(&url, Some(("viewer", "sai-mat-khau")));
    wrong.until(15, "401 is said", |_, status| {
        status.state == CameraState::Failed
            && status.detail.contains("RTSP 401")
            && status.detail.contains("check user and password")
            && !status.detail.contains("sai-mat-khau")
    });
    let right = Watched::new(&url, Some(("viewer", "dung")));
    right.until(15, "pictures", |notes, _| notes.pictures > 5);
    // Until the camera tells its time, only a box that is synchronised knows it.
    right.until(15, "a known clock", |notes, _| {
        matches!(notes.sources.last(), Some(ClockSource::Rtcp | ClockSource::Arrival))
    });
}

#[test]
fn nobody_there_is_told_apart() {
    let error = supervise::probe(&settings("rtsp://127.0.0.1:1/x", None), Duration::from_secs(10));
    let error = error.map(|probe| probe.picture.pts).unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().starts_with("rtsp://127.0.0.1:1/x cannot be reached"), "{error}");
}
