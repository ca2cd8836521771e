//! What a camera's door may say: an address answered by a stranger that speaks just enough RTSP.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use edge_agent::config::ClockPolicy;
use edge_agent::health::CameraState;
use edge_agent::pace::Pace;
use edge_agent::source::supervise::{self, probe};
use edge_agent::source::{Address, Dating, Input, Login, Settings, SourceError};
use fixtures::rtsp::{Options, Server};

use crate::footage;

/// Answers every request with the same lines after the status, and notes the requests.
struct Door {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Door {
    /// `answer` is status and headers; none is silence.
    fn open(answer: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (notes, answer) = (Arc::clone(&requests), answer.map(str::to_owned));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (notes, answer) = (Arc::clone(&notes), answer.clone());
                thread::spawn(move || serve(stream, &notes, answer.as_deref()));
            }
        });
        Self { address, requests }
    }

    fn url(&self, rest: &str) -> String {
        format!("rtsp://{}{rest}", self.address)
    }
}

fn serve(mut stream: TcpStream, notes: &Mutex<Vec<String>>, answer: Option<&str>) {
    let (mut text, mut chunk) = (String::new(), [0; 4096]);
    loop {
        let Ok(length @ 1..) = stream.read(&mut chunk) else { return };
        text.push_str(&String::from_utf8_lossy(&chunk[..length]));
        while let Some((request, rest)) = text.split_once("\r\n\r\n") {
            let sequence =
                request.lines().find(|line| line.starts_with("CSeq")).unwrap_or_default();
            let reply = answer.map(|answer| format!("{answer}\r\n{sequence}\r\n\r\n"));
            notes.lock().unwrap().push(request.to_owned());
            text = rest.to_owned();
            if reply.is_some_and(|reply| stream.write_all(reply.as_bytes()).is_err()) {
                return;
            }
        }
    }
}

fn settings(url: &str, login: Option<(&str, &str)>) -> Settings {
    let login =
        login.map(|(user, password)| Login { user: user.into(), password: password.into() });
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

fn refused(url: &str, login: Option<(&str, &str)>) -> SourceError {
    let opened = probe(&settings(url, login), Duration::from_secs(20));
    opened.map(|found| found.picture.pts).unwrap_err()
}

#[test]
fn every_answer_is_told_apart_and_no_password_is_told() {
    let rest = "/user=viewer_password=geheim_channel=1.sdp?token=geheim";
    for (answer, kind, expected) in [
        (
            "RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"geheim\"",
            "unauthorized",
            "RTSP 401 from rtsp://127.0.0.1:",
        ),
        ("RTSP/1.0 403 Forbidden", "forbidden", "RTSP 403 from"),
        ("RTSP/1.0 404 Not Found", "not_found", "RTSP 404 from"),
        ("RTSP/1.0 503 geheim", "unreachable", "(503)"),
        ("HTTP/1.1 400 geheim", "unreachable", "Parse error"),
    ] {
        let door = Door::open(Some(answer));
        let error = refused(&door.url(rest), Some(("viewer", "geheim")));
        let words = format!("{error} {error:?}");
        assert_eq!(error.kind(), kind, "{words}");
        assert!(words.contains(expected), "{words}");
        assert!(!words.contains("geheim"), "{words}");
        assert!(words.contains("/user…"), "the path up to the login: {words}");
        assert!(door.requests.lock().unwrap()[0].contains(rest), "asked for as written");
    }
    let door = Door::open(Some("RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\""));
    let error = refused(&door.url("/s"), None).to_string();
    assert!(error.contains("asks for a login, name a file"), "{error}");
}

#[test]
fn silence_is_told_apart_by_what_is_silent() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = refused(&format!("rtsp://{free}/s"), None);
    assert_eq!(error.state(), CameraState::Connecting);
    let said = error.to_string();
    assert!(said.contains("cannot be reached: connection refused by 127.0.0.1"), "{said}");
    let error = refused("rtsp://viewer:geheim@camera.invalid/s", None).to_string();
    assert!(error.contains("the name camera.invalid is not known (DNS)"), "{error}");
    assert!(!error.contains("geheim"), "{error}");
    let door = Door::open(None);
    let error = refused(&door.url("/s"), None);
    let said = error.to_string();
    assert!(said.contains("Timeout while waiting for server response"), "{said}");
}

#[test]
fn a_login_is_kept_over_redirections() {
    let folder = tempfile::tempdir().unwrap();
    let road = folder.path().join("road.mp4");
    footage::record(&road, (footage::WIDTH, footage::HEIGHT), 4, footage::H264);
    let credentials = Some(("viewer".into(), "dung/mật khẩu".into()));
    let camera = Server::start(&Options { credentials, ..Options::local(&road, "/cam") }).unwrap();
    let there = format!("RTSP/1.0 302 Moved\r\nLocation: {}", camera.urls()[0]);
    let door = Door::open(Some(&there));
    // From a login file, and from the address.
    for (url, login) in [
        (door.url("/s"), Some(("viewer", "dung/mật khẩu"))),
        (format!("rtsp://viewer:dung%2Fmật%20khẩu@{}/s", door.address), None),
    ] {
        let picture = probe(&settings(&url, login), Duration::from_secs(20)).unwrap().picture;
        assert_eq!(picture.frame.width() as usize, footage::WIDTH, "{url}");
    }
}

#[test]
fn redirections_in_a_circle_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let circle =
        format!("RTSP/1.0 301 Moved\r\nLocation: rtsp://{}/s", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    let url = format!("rtsp://{}/s", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counting.fetch_add(1, Ordering::Relaxed);
            let circle = circle.clone();
            thread::spawn(move || serve(stream, &Mutex::default(), Some(&circle)));
        }
    });
    let error = refused(&url, None);
    assert!(matches!(error, SourceError::Redirected { .. }), "{error:?}");
    assert!(count.load(Ordering::Relaxed) < 60, "{} connections", count.load(Ordering::Relaxed));
}

#[test]
fn a_malformed_address_is_no_camera_that_is_away() {
    let site =
        footage::SITE.replace("id = \"painted\"", "id = \"painted\"\nuri = \"rtsp://127.0.0.1/s\"");
    let agent = edge_agent::config::parse(&[("site.toml".into(), site)]).unwrap();
    let mut camera = (*agent.cameras[0]).clone();
    camera.uri = Some("rtsp://viewer:ge/heim@127.0.0.1/s".into());
    let error = supervise::inputs(&camera).unwrap_err();
    assert!(matches!(error, SourceError::Address { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("heim"), "{error:?}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cam.login");
    camera.uri = Some("rtsp://127.0.0.1/s".into());
    camera.credentials = Some(file.clone());
    std::fs::write(&file, "\u{feff}viewer:mật:khẩu\r\n").unwrap();
    let (Input::Rtsp { login: Some(login), .. }, None) = supervise::inputs(&camera).unwrap() else {
        panic!("no login")
    };
    assert_eq!((login.user.as_str(), login.password.as_str()), ("viewer", "mật:khẩu"));
    std::fs::write(&file, b"\xff\xfev\0:\0x\0").unwrap();
    let error = supervise::inputs(&camera).unwrap_err().to_string();
    assert!(error.contains("cam.login: must be saved as UTF-8"), "{error}");
}
