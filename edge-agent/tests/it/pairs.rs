//! Cameras with two streams: the small one is analysed, the large one is what is shown.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use contract::MomentRole;
use edge_agent::clock::System;
use edge_agent::config::{self, Camera, ClockPolicy};
use edge_agent::health::{Board, Stream};
use edge_agent::pace::Pace;
use edge_agent::replay::{Replay, ReplayError, json_lines, sealer};
use edge_agent::source::supervise;
use edge_agent::source::{Address, Dating, Input, Paired, Settings};
use edge_agent::watch::{Accused, Undeveloped, Watch, develop};
use fixtures::rtsp::{Mount, Options, Server};
use time::OffsetDateTime;

use crate::footage;
use crate::replays::{context, pool};

const SMALL: (usize, usize) = (footage::WIDTH, footage::HEIGHT);
const LARGE: (usize, usize) = (3 * footage::WIDTH / 2, 3 * footage::HEIGHT / 2);

fn camera() -> Arc<Camera> {
    let agent = config::parse(&[(PathBuf::from("site.toml"), footage::SITE.to_owned())]).unwrap();
    Arc::clone(&agent.cameras[0])
}

/// The events of a replay, and where each has its evidence.
fn replay(
    main: &Path,
    substream: Option<&Path>,
    out: &Path,
) -> Result<Vec<serde_json::Value>, ReplayError> {
    let camera = camera();
    let sealer = sealer(
        &config::parse(&[(PathBuf::from("site.toml"), footage::SITE.to_owned())]).unwrap(),
        std::slice::from_ref(&camera),
        out,
    )?;
    let replay = Replay {
        board: Board::new(Arc::new(System::default())).camera(&camera.id),
        camera,
        context: context(),
        input: main.into(),
        substream: substream.map(Into::into),
        start: OffsetDateTime::UNIX_EPOCH,
        out,
        sealer: &sealer,
        notes: Default::default(),
    };
    let mut lines = Vec::new();
    replay.run(pool(), json_lines(&mut lines))?;
    let events = lines.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    Ok(events.map(|line| serde_json::from_slice(line).unwrap()).collect())
}

#[test]
fn the_small_stream_is_judged_and_the_large_one_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let [large, small] = ["large.mp4", "small.mp4"].map(|name| folder.path().join(name));
    footage::record(&large, LARGE, 8, footage::H265);
    footage::record(&small, SMALL, 8, footage::H264);
    let alone = replay(&large, None, &folder.path().join("alone")).unwrap();
    let out = folder.path().join("pair");
    let pair = replay(&large, Some(&small), &out).unwrap();
    let ([alone], [pair]) = (alone.as_slice(), pair.as_slice()) else {
        panic!("{alone:?} {pair:?}");
    };
    assert_eq!(pair["act"], alone["act"]);
    let at = |event: &serde_json::Value| event["at"].as_f64().unwrap();
    assert!((at(pair) - at(alone)).abs() < 0.1, "{pair} {alone}");
    let package = out.join(pair["evidence"].as_str().unwrap());
    for name in ["before.jpg", "on.jpg", "past.jpg"] {
        let picture = image::open(package.join(name)).unwrap();
        assert_eq!(picture.width() as usize, LARGE.0, "{name}");
        // Where the vehicle is said to be, it is.
        let text = std::fs::read_to_string(package.join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        let files = manifest["files"].as_array().unwrap();
        let file = files.iter().find(|file| file["name"] == name).unwrap();
        let place: Vec<u32> = serde_json::from_value(file["view"]["vehicle"].clone()).unwrap();
        let luma = picture.to_luma8();
        let middle = luma.get_pixel(place[0] + place[2] / 2, place[1] + place[3] / 2);
        assert!(middle.0[0] > 190, "{name}: {place:?} shows {middle:?}");
    }
}

#[test]
fn a_large_stream_of_another_time_shows_nobody_as_guilty() {
    let folder = tempfile::tempdir().unwrap();
    let [large, small] = ["large.mp4", "small.mp4"].map(|name| folder.path().join(name));
    footage::record(&large, LARGE, 8, footage::H264);
    footage::record_later(&small, SMALL, 1, 8, footage::H264);
    let refused = replay(&large, Some(&small), &folder.path().join("out")).unwrap_err();
    assert!(
        matches!(refused, ReplayError::Undeveloped { why: Undeveloped::Apart, .. }),
        "{refused}"
    );
}

type Outcome = Result<Accused, Undeveloped>;

/// Watches both streams live until `over`, developing each accusation that comes: the streams that
/// were analysed, with their width, and what came of the accusations.
fn live(
    in_step: bool,
    over: impl Fn(&[(Stream, u32)], &[Outcome]) -> bool,
) -> (Vec<(Stream, u32)>, Vec<Outcome>) {
    let folder = tempfile::tempdir().unwrap();
    let [large, small] = ["large.mp4", "small.mp4"].map(|name| folder.path().join(name));
    footage::record(&large, LARGE, 7, footage::H264);
    // The small one may be of another time.
    footage::record_later(&small, SMALL, u64::from(!in_step), 7, footage::H264);
    let mount = |path: &str, file: &Path| Mount {
        path: path.into(),
        file: file.into(),
        ahead: Duration::ZERO,
    };
    let server = Server::start(&Options {
        mounts: vec![mount("/main", &large), mount("/sub", &small)],
        in_step: true,
        ..Options::local(&large, "/unused")
    })
    .unwrap();
    let inputs = server
        .urls()
        .into_iter()
        .map(|url| Input::Rtsp { address: Address::parse(&url).unwrap(), login: None });
    let [main, sub] = inputs.collect::<Vec<_>>().try_into().unwrap();
    let paired: Arc<Paired> = Arc::default();
    let settings = Settings {
        camera: "painted".into(),
        input: sub,
        larger: Some((main, Arc::clone(&paired))),
        dating: Dating::Camera(ClockPolicy::RtcpOrArrival),
        pace: Pace::fixed(10.0),
        keep: 15_000_000_000,
        keep_bytes: 8 << 20,
    };
    let board = Board::new(Arc::new(System::default())).camera("painted");
    let found: Arc<Mutex<Vec<Accused>>> = Arc::default();
    let inbox = Arc::clone(&found);
    let mut watch = Watch::new(camera(), context(), pool(), board.clone(), move |accused| {
        inbox.lock().unwrap().push(accused);
    });
    let mut analysed = Vec::new();
    let stop = Arc::new(AtomicBool::new(false));
    let watching = std::thread::spawn({
        let (board, stop) = (board.clone(), Arc::clone(&stop));
        move || supervise::run(|| Ok(settings.clone()), &mut watch, &board, &stop, &|| (), 1)
    });
    let (mut outcomes, until) = (Vec::new(), Instant::now() + Duration::from_secs(90));
    let pool = pool();
    while !over(&analysed, &outcomes) && Instant::now() < until {
        let now = board.status().analysed.map(|it| (it.stream, it.width));
        analysed.extend(now.filter(|now| analysed.last() != Some(now)));
        for accused in std::mem::take(&mut *found.lock().unwrap()) {
            let developed = develop(accused, &pool);
            paired.note(developed.is_ok());
            outcomes.push(developed);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    stop.store(true, Ordering::Relaxed);
    watching.join().unwrap();
    (analysed, outcomes)
}

#[test]
fn two_live_streams_of_one_camera_are_joined_by_its_clock() {
    let (analysed, outcomes) = live(true, |_, outcomes| outcomes.len() >= 2);
    assert_eq!(analysed, [(Stream::Substream, SMALL.0 as u32)]);
    assert!(outcomes.len() >= 2, "{outcomes:?}");
    for outcome in outcomes {
        let accusation = outcome.unwrap().accusation;
        let roles: Vec<MomentRole> = accusation.moments.iter().map(|taken| taken.role).collect();
        assert_eq!(roles, [MomentRole::Before, MomentRole::On, MomentRole::Past]);
        for taken in &accusation.moments {
            assert_eq!(taken.shot.pixels.size()[0] as usize, LARGE.0, "{:?}", taken.role);
        }
    }
}

#[test]
fn streams_that_do_not_go_together_are_noticed_and_the_large_one_goes_on_alone() {
    let large = (Stream::Main, LARGE.0 as u32);
    let (analysed, outcomes) = live(false, |analysed, _| analysed.last() == Some(&large));
    assert_eq!(analysed, [(Stream::Substream, SMALL.0 as u32), large], "{outcomes:?}");
    assert_eq!(outcomes.len(), 3);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Undeveloped::Apart))));
}
