//! Cameras asked in their own words: from the question to all on the network to a picture.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use edge_agent::clock::{Clock, System, since_start};
use edge_agent::config;
use edge_agent::health::{Board, CameraState, ClockCheck, Verdict, doctor};
use edge_agent::onvif;
use edge_agent::onvif::discovery::{self, Whom};
use edge_agent::onvif::events;
use edge_agent::onvif::find::{Search, find};
use edge_agent::onvif::{OnvifError, Report, Streams, streams};
use edge_agent::source::{Input, Login, supervise};
use edge_agent::wire::{Cabinet as _, Said, Word};
use fixtures::onvif::{Camera, Fault, Nature, Signing, Stream};
use serde_json::Value;
use time::OffsetDateTime;

use crate::cameras::{Watched, record, serve};
use crate::footage;

const PASSWORD: &str = "mật khẩu: <&>";

/// Three streams, of which two are of use, at the host that the camera believes to be.
fn nature(host: &str) -> Nature {
    let at = |path: &str| format!("rtsp://{host}:8554/{path}");
    Nature::open(vec![
        Stream::new("Ảnh chụp", "JPEG", (3840, 2160), &at("jpeg")),
        Stream::new("Chính", "H265", (2560, 1440), &at("main?channel=1&stream=0")),
        Stream::new("Phụ", "H264", (1280, 720), &at("sub")),
        Stream::new("Nhỏ", "H264", (640, 360), &at("small")),
    ])
}

fn locked(signing: Signing) -> Nature {
    Nature { login: Some(("viewer".into(), PASSWORD.into())), signing, ..nature("127.0.0.1") }
}

fn login(password: &str) -> Login {
    Login { user: "viewer".into(), password: password.into() }
}

/// The setting of a camera whose site file says this of its address.
fn camera(lines: &str) -> config::Camera {
    let site = footage::SITE.replace("id = \"painted\"", &format!("id = \"painted\"\n{lines}"));
    let agent = config::parse(&[("site.toml".into(), site)]).unwrap();
    (*agent.cameras[0]).clone()
}

fn ask(fake: &Camera, login: Option<&Login>) -> Result<Streams, OnvifError> {
    let lines =
        format!("onvif = \"{}\"\nprofile = \"Chính\"\nsubprofile = \"token-Phụ\"", fake.address());
    streams(camera(&lines).onvif.as_ref().unwrap(), login)
}

fn search(addresses: Vec<String>, password: Option<&str>) -> Report {
    let search = Search {
        wait: Duration::from_millis(400),
        interface: None,
        addresses,
        login: password.map(login),
        credentials: password.map(|_| "cam.login".into()),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(find(&search, Arc::new(System::default()))).unwrap()
}

#[test]
fn a_camera_is_found_by_multicast_and_tells_its_address() {
    let group = Ipv4Addr::new(239, 255, 255, 250);
    let fake = Camera::start(nature("127.0.0.1"), Some(group)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let group: SocketAddr = (group, fake.discovery().port()).into();
    let everybody = Whom::Everybody { from: vec![Ipv4Addr::LOCALHOST], group };
    let one = Whom::One(fake.discovery());
    for whom in [everybody, one] {
        let found = runtime.block_on(discovery::find(&whom, Duration::from_millis(600))).unwrap();
        assert_eq!(found.len(), 1, "{whom:?}");
        assert_eq!(found[0].device.to_string(), fake.address());
        assert_eq!(found[0].name.as_deref(), Some("Ngã tư"));
        assert_eq!(found[0].hardware.as_deref(), Some("FX-1"));
    }
    for fault in [Fault::Garbage, Fault::Bomb] {
        fake.change(|nature| nature.fault = Some(fault));
        let one = Whom::One(fake.discovery());
        let found = runtime.block_on(discovery::find(&one, Duration::from_millis(200))).unwrap();
        assert_eq!(found, []);
    }
}

#[test]
fn what_is_found_is_told_and_is_a_configuration() {
    let fake = Camera::start(locked(Signing::Token), None).unwrap();
    fake.change(|nature| {
        nature.ahead = time::Duration::milliseconds(-90_000);
        nature.ntp = false;
    });
    let report = search(vec![fake.discovery().to_string()], Some(PASSWORD));
    let camera = &report.cameras[0];
    assert_eq!(camera.problem, None);
    let clock = camera.clock.unwrap();
    assert!((clock.ms + 90_000).abs() <= clock.give_or_take_ms + 20, "{clock:?}");
    assert!(clock.give_or_take_ms < 400, "{clock:?}");
    let table = report.to_string();
    for words in [
        "Ngã tư, Fixtures Road & World, firmware 1.2",
        "90 s behind this box's; it was set by hand",
        "Chính     H.265  2560x1440   25  rtsp://127.0.0.1:8554/main…  <- main stream",
        "Phụ       H.264  1280x720    25  rtsp://127.0.0.1:8554/sub  <- substream",
    ] {
        assert!(table.contains(words), "{words} not in\n{table}");
    }
    let json: Value = serde_json::to_value(&report).unwrap();
    assert_eq!(json["cameras"][0]["clock"]["set_by"], "hand");
    assert_eq!(json["cameras"][0]["streams"][1]["codec"], "H.265");
    assert_eq!(json["cameras"][0]["streams"][0]["codec"], "JPEG");
    for text in [table.clone(), json.to_string()] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
    // Its lines are lines of a site file.
    let proposed = camera.configuration.as_deref().unwrap();
    let rest = footage::SITE.split_once("id = \"painted\"\n").unwrap().1;
    let agent = config::parse(&[("site.toml".into(), format!("{proposed}{rest}"))]).unwrap();
    let setting = agent.cameras[0].onvif.as_ref().unwrap();
    assert_eq!(setting.device.to_string(), fake.address());
    assert_eq!(setting.profile.as_deref(), Some("Chính"));
    assert_eq!(setting.subprofile.as_deref(), Some("Phụ"));
    assert_eq!(agent.cameras[0].id, "cam-127-0-0-1");
    assert!(agent.cameras[0].credentials.as_ref().unwrap().ends_with("cam.login"));
}

#[test]
fn every_way_of_signing_is_found_by_itself() {
    let fake = Camera::start(locked(Signing::Token), None).unwrap();
    let right = login(PASSWORD);
    for (signing, ahead, refusals) in [
        (Signing::Token, 0, 0),
        // Its clock is years off: refused once, then asked by its own time.
        (Signing::Token, 400_000_000, 1),
        (Signing::Token, -7200, 1),
        (Signing::Digest { sha256: false }, -7200, 1),
        (Signing::Digest { sha256: true }, 0, 1),
    ] {
        fake.change(|nature| {
            nature.signing = signing;
            nature.ahead = time::Duration::seconds(ahead);
        });
        let before = fake.refused();
        let streams = ask(&fake, Some(&right)).unwrap();
        assert_eq!(streams.main.location(), "rtsp://127.0.0.1:8554/main?channel=1&stream=0");
        assert_eq!(streams.small.unwrap().location(), "rtsp://127.0.0.1:8554/sub");
        assert_eq!(fake.refused() - before, refusals, "{signing:?} {ahead}");
        // A wrong one is told as such, whatever the clock, after few attempts: cameras lock out.
        let before = fake.refused();
        let error = ask(&fake, Some(&login("sai"))).unwrap_err();
        assert!(matches!(error, OnvifError::Unauthorized { asked: false, .. }), "{error:?}");
        assert!(error.to_string().contains("check user and password"), "{error}");
        assert!(fake.refused() - before <= 3, "{} attempts", fake.refused() - before);
        let error = ask(&fake, None).unwrap_err();
        assert!(matches!(error, OnvifError::Unauthorized { asked: true, .. }), "{error:?}");
    }
    fake.change(|nature| {
        nature.signing = Signing::Token;
        nature.ahead = time::Duration::hours(1);
        nature.fault = Some(Fault::NoTime);
    });
    let error = ask(&fake, Some(&right)).unwrap_err();
    assert!(matches!(error, OnvifError::Clock { .. }), "{error:?}");
}

#[test]
fn old_and_new_cameras_and_such_behind_routers_are_asked_in_their_way() {
    // It believes to be elsewhere: only the paths of what it tells are taken.
    let fake = Camera::start(nature("192.168.1.64"), None).unwrap();
    fake.change(|nature| nature.believes = "192.168.1.64".into());
    let told = ask(&fake, None).unwrap();
    assert_eq!(told.main.location(), "rtsp://127.0.0.1:8554/main?channel=1&stream=0");
    fake.change(|nature| (nature.media2, nature.old) = (false, true));
    let error = ask(&fake, None).unwrap_err().to_string();
    assert!(
        error.contains("has no profile \"Chính\", it has \"Ảnh chụp\" (JPEG 3840x2160), "),
        "{error}"
    );
    // The largest that is left, as the older service tells it.
    let setting = camera(&format!("onvif = \"{}\"", fake.address())).onvif.unwrap();
    assert_eq!(streams(&setting, None).unwrap().main.location(), "rtsp://127.0.0.1:8554/sub");
    fake.change(|nature| nature.streams.truncate(1));
    let error = streams(&setting, None).unwrap_err().to_string();
    assert!(error.contains("has no profile of H.264 or H.265, it has \"Ảnh chụp\""), "{error}");
    fake.change(|nature| (nature.old, nature.fault) = (false, Some(Fault::NoMedia)));
    let error = streams(&setting, None).unwrap_err().to_string();
    assert!(error.contains("names no media service"), "{error}");
}

#[test]
fn hostile_and_silent_cameras_are_told_apart_in_bounded_time() {
    let fake = Camera::start(nature("127.0.0.1"), None).unwrap();
    for (fault, kind) in [
        (Fault::Garbage, "not_onvif"),
        (Fault::Page, "not_onvif"),
        (Fault::Bomb, "not_onvif"),
        (Fault::Closes, "not_onvif"),
        (Fault::Crowd, "onvif_unreadable"),
        (Fault::Endless, "onvif_unreadable"),
        (Fault::Slow(Duration::from_secs(60)), "onvif_timeout"),
    ] {
        fake.change(|nature| nature.fault = Some(fault));
        let asked = Instant::now();
        let error = ask(&fake, None).unwrap_err();
        assert_eq!(error.kind(), kind, "{fault:?}: {error}");
        assert!(asked.elapsed() < Duration::from_secs(8), "{fault:?}: {:?}", asked.elapsed());
    }
    let away = camera("onvif = \"http://127.0.0.1:1\"").onvif.unwrap();
    let error = streams(&away, None).unwrap_err();
    assert_eq!(error.kind(), "onvif_unreachable", "{error}");
}

/// On the board of a running agent, and in the doctor's findings.
#[test]
fn clocks_are_compared_and_told_and_nothing_else() {
    let fake = Camera::start(nature("127.0.0.1"), None).unwrap();
    fake.change(|nature| (nature.ahead, nature.ntp) = (time::Duration::seconds(7), false));
    let lines = format!("onvif = \"{}\"\nclock_warn_ms = 5000", fake.address());
    let site = footage::SITE.replace("id = \"painted\"", &format!("id = \"painted\"\n{lines}"));
    let agent = config::parse(&[("site.toml".into(), site)]).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(System::default());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let finding = || {
        let findings = runtime.block_on(doctor::examine(&agent, Arc::clone(&clock)));
        findings.into_iter().find(|finding| finding.part == "clock of painted").unwrap()
    };
    let told = finding();
    assert_eq!(told.verdict, Verdict::Warn);
    assert!(told.text.contains(" ms ahead of this box's, give or take "), "{told}");
    assert!(
        told.text.ends_with("by hand, let it follow NTP, which is beyond clock_warn_ms = 5000"),
        "{told}"
    );

    let board = Board::new(Arc::clone(&clock));
    let checked = |from: Option<OffsetDateTime>| {
        let stop = tokio_util::sync::CancellationToken::new();
        let watch = onvif::clock::watch(
            tokio::sync::watch::channel(agent.cameras.clone()).1,
            board.clone(),
            Arc::clone(&clock),
            stop.clone(),
        );
        let watching = runtime.spawn(watch);
        let end = Instant::now() + Duration::from_secs(15);
        let found = loop {
            let found = board.camera("painted").status().camera_clock;
            if let Some(found) = found.filter(|found| Some(found.checked_at) != from) {
                break found;
            }
            assert!(Instant::now() < end, "never compared");
            std::thread::sleep(Duration::from_millis(20));
        };
        stop.cancel();
        runtime.block_on(watching).unwrap();
        found
    };
    let first = checked(None);
    let ClockCheck::Compared { difference, beyond_bound: true } = first.outcome else {
        panic!("{first:?}")
    };
    assert!((difference.ms - 7000).abs() <= difference.give_or_take_ms + 20, "{difference:?}");
    let json = serde_json::to_value(&first).unwrap();
    assert_eq!((&json["outcome"], &json["set_by"]), (&"compared".into(), &"hand".into()), "{json}");
    // Right again, and followed: good.
    fake.change(|nature| (nature.ahead, nature.ntp) = (time::Duration::ZERO, true));
    let second = checked(Some(first.checked_at));
    assert!(
        matches!(second.outcome, ClockCheck::Compared { beyond_bound: false, .. }),
        "{second:?}"
    );
    assert_eq!(finding().verdict, Verdict::Good);
    // Not to be asked: told as that, and no old number stays.
    fake.change(|nature| nature.fault = Some(Fault::Garbage));
    let third = checked(Some(second.checked_at));
    let ClockCheck::Failed { problem } = &third.outcome else { panic!("{third:?}") };
    assert!(problem.contains("not as ONVIF"), "{problem}");
    assert_eq!(finding().verdict, Verdict::Bad);
}

/// From discovery to a picture; and on, after the camera has given its stream another address.
#[test]
fn pictures_come_from_a_camera_that_was_found_and_go_on_where_it_moves_its_stream() {
    let folder = tempfile::tempdir().unwrap();
    let road = record(folder.path());
    let (first, second) = (serve(&road, None, None), serve(&road, None, None));
    let size = (footage::WIDTH as u32, footage::HEIGHT as u32);
    let stream = |url: &str| Stream::new("Chính", "H264", size, url);
    let fake = Camera::start(Nature::open(vec![stream(&first.urls()[0])]), None).unwrap();
    let report = search(vec![fake.discovery().to_string()], None);
    let proposed = report.cameras[0].configuration.clone().unwrap();
    let rest = footage::SITE.split_once("id = \"painted\"\n").unwrap().1;
    let agent = config::parse(&[("site.toml".into(), format!("{proposed}{rest}"))]).unwrap();
    let camera = Arc::clone(&agent.cameras[0]);
    let asked = move || {
        let pace = edge_agent::pace::Pace::fixed(10.0);
        edge_agent::cameras::settings(&camera, &Arc::default(), pace)
    };
    let watched = Watched::by(asked);
    watched.until(20, "pictures", |notes, _| notes.pictures > 5);
    // An update: another port, and the old one is gone.
    fake.change(|nature| nature.streams = vec![stream(&second.urls()[0])]);
    first.stop();
    watched.until(20, "the loss is noticed", |_, status| status.reconnects > 0);
    let before = watched.pictures();
    watched.until(30, "pictures from the new address", |notes, _| notes.pictures > before + 5);
    // Asked in vain, the reason stands on the board.
    fake.change(|nature| nature.streams.clear());
    second.stop();
    watched.until(20, "the reason", |_, status| {
        status.state == CameraState::Failed && status.detail.contains("has no profile")
    });
}

#[test]
fn the_login_and_the_substream_come_with_the_addresses() {
    let fake = Camera::start(locked(Signing::Token), None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut camera = camera(&format!("onvif = \"{}\"\nsubprofile = \"Phụ\"", fake.address()));
    camera.credentials = Some(folder.path().join("cam.login"));
    std::fs::write(folder.path().join("cam.login"), format!("viewer:{PASSWORD}\n")).unwrap();
    let (main, small) = supervise::inputs(&camera).unwrap();
    for input in [main, small.unwrap()] {
        let Input::Rtsp { login: Some(given), .. } = input else { panic!("no login") };
        assert_eq!(given, login(PASSWORD));
    }
    assert!(camera.text().contains("\"substream\":true") && !camera.text().contains("Phụ"));
}

#[test]
fn the_command_prints_a_table_and_json_and_no_password() {
    let fake = Camera::start(locked(Signing::Digest { sha256: false }), None).unwrap();
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edge-agent"));
        command.args(["find-cameras", "--wait", "1", "--address", &fake.address()]).args(more);
        command.env("EDGE_CAMERA_LOGIN", format!("viewer:{PASSWORD}")).output().unwrap()
    };
    let output = run(&[]);
    let errors = String::from_utf8(output.stderr).unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && table.contains("subprofile = \"Phụ\""), "{table}{errors}");
    let json = String::from_utf8(run(&["--json"]).stdout).unwrap();
    let read: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["cameras"][0]["streams"].as_array().map(Vec::len), Some(4));
    for text in [table, json, errors] {
        assert!(!text.contains("mật khẩu"), "{text}");
    }
}

#[test]
fn a_cameras_inputs_are_heard_lost_and_heard_again() {
    let fake = Camera::start(locked(Signing::Token), None).unwrap();
    fake.change(|nature| nature.inputs.extend([("1".into(), true), ("2".into(), false)]));
    let folder = tempfile::tempdir().unwrap();
    let mut camera = camera(&format!("onvif = \"{}\"", fake.address()));
    camera.credentials = Some(folder.path().join("cam.login"));
    std::fs::write(folder.path().join("cam.login"), format!("viewer:{PASSWORD}\n")).unwrap();
    let inputs: BTreeMap<_, _> =
        ["1", "2", "none"].map(|name| (name.to_owned(), Arc::new(Said::default()))).into();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let following = runtime.spawn(events::follow(Arc::new(camera), inputs.clone(), 1));
    let until = |name: &str, word: Word| {
        let end = Instant::now() + Duration::from_secs(10);
        while inputs[name].says(since_start()) != word {
            assert!(Instant::now() < end, "{name}: never {word:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    until("1", Word::Red);
    until("2", Word::NotRed);
    fake.change(|nature| nature.inputs.extend([("1".into(), false), ("2".into(), true)]));
    until("1", Word::NotRed);
    until("2", Word::Red);
    assert_eq!(inputs["none"].says(since_start()), Word::Nothing);
    // Away, or without a word, it says nothing; and comes back by itself.
    fake.change(|nature| nature.fault = Some(Fault::Garbage));
    until("1", Word::Nothing);
    fake.change(|nature| nature.fault = None);
    until("1", Word::NotRed);
    following.abort();
}
