//! RTSP servers that are not ours: what other people's programs say and send.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use edge_agent::health::CameraState;
use edge_agent::source::SourceError;
use edge_agent::source::supervise::probe;

use crate::cameras::{Watched, record, settings};
use crate::footage;

/// A server program; ends with the test.
struct Stranger(Child);

impl Stranger {
    /// Runs until it listens on `port`.
    fn start(mut command: Command, port: u16) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "{command:?} ended by itself");
            assert!(Instant::now() < end, "{command:?} does not listen on {port}");
            thread::sleep(Duration::from_millis(50));
        }
        Self(child)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// VLC with one file in a loop. It does not run as root: there it runs as nobody.
fn vlc(file: &Path, port: u16) -> Option<Command> {
    let program = Path::new("/usr/bin/vlc");
    if !program.is_file() {
        println!("skipped: vlc is not installed");
        return None;
    }
    let mut command = Command::new(program);
    command.args(["-I", "dummy", "--no-sout-audio", "--loop", "--sout-keep"]);
    command.arg(format!("--sout=#rtp{{sdp=rtsp://127.0.0.1:{port}/cam}}")).arg(file);
    let folder = file.parent().unwrap();
    command.env("HOME", folder);
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
        command.uid(65_534).gid(65_534);
    }
    Some(command)
}

/// aio-rtsp-toolkit, a server written in Python over FFmpeg's demuxer, with a packetiser of its own;
/// deploy/setup.sh puts it there.
fn toolkit(folder: &Path, port: u16) -> Option<Command> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = here.join("../.strangers/bin/python");
    if !python.is_file() {
        println!("skipped: aio-rtsp-toolkit is not installed, deploy/setup.sh --test does it");
        return None;
    }
    let mut command = Command::new(python);
    command.arg(here.join("tests/it/strangers.py")).arg(folder);
    command.args([port, free_port()].map(|port| port.to_string()));
    Some(command)
}

#[test]
fn another_servers_streams_are_seen_and_seen_again_after_it_died() {
    let folder = tempfile::tempdir().unwrap();
    for (name, encoder) in [("h264.mp4", footage::H264), ("h265.mp4", footage::H265)] {
        let size = (footage::WIDTH, footage::HEIGHT);
        footage::record(&folder.path().join(name), size, 10, encoder);
    }
    let port = free_port();
    let server = || Some(Stranger::start(toolkit(folder.path(), port)?, port));
    let Some(first) = server() else { return };
    let watched = ["h264.mp4", "h265.mp4"]
        .map(|name| Watched::new(&format!("rtsp://127.0.0.1:{port}/{name}"), None));
    for camera in &watched {
        camera.until(40, "first pictures", |notes, _| notes.pictures > 10);
    }
    drop(first);
    for camera in &watched {
        camera.until(20, "its death is noticed", |_, status| {
            status.state == CameraState::Connecting && !status.detail.is_empty()
        });
    }
    let before = watched.each_ref().map(Watched::pictures);
    let _second = server();
    for (camera, before) in watched.iter().zip(before) {
        camera.until(60, "pictures after it came back", |notes, _| notes.pictures > before + 10);
    }
}

/// VLC 3 sends by UDP alone. A person is told that, not that the codec is wrong.
#[test]
fn who_sends_by_udp_alone_is_told_to_send_over_tcp() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let Some(command) = vlc(&record(folder.path()), port) else { return };
    let _vlc = Stranger::start(command, port);
    let url = format!("rtsp://127.0.0.1:{port}/cam");
    let error = probe(&settings(&url, None), Duration::from_secs(30)).map(|found| found.pair);
    let error = error.unwrap_err();
    assert!(matches!(error, SourceError::Transport { .. }), "{error:?}");
    assert_eq!(error.state(), CameraState::Failed);
    assert!(error.to_string().contains("switch on RTSP over TCP"), "{error}");
}
