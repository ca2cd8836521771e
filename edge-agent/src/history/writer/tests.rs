use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use time::macros::datetime;

use super::super::ask::{Question, ask};
use super::super::queue;
use super::super::record::{Followed, Place};
use super::*;
use crate::clock::Simulated;

const NOON: OffsetDateTime = datetime!(2026-11-28 12:00 +07:00);

fn track(at: OffsetDateTime, id: u64) -> Record {
    Record::Track(Followed {
        camera: "cam-01".into(),
        track: id,
        class: contract::VehicleClass::Motorbike,
        begin: millis(at),
        end: millis(at) + 3000,
        clock: contract::manifest::ClockSource::Arrival,
        offset_ms: None,
        seen: 30,
        clear: 100,
        path: vec![Place(0, 100, 900), Place(3000, 100, 100)],
        said: BTreeMap::new(),
    })
}

fn quota() -> Quota {
    Quota { age: Duration::from_secs(7 * 24 * 3600), bytes: 1 << 30, min_free_bytes: 0 }
}

struct Bench {
    dir: tempfile::TempDir,
    clock: Simulated,
    sender: Sender,
    writer: Writer,
}

impl Bench {
    fn new(quota: Quota) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Simulated::at(NOON);
        let (sender, from) = queue::open(Arc::new(clock.clone()), false);
        let writer = Writer::new(dir.path().join("history"), quota, from, &sender);
        Self { dir, clock, sender, writer }
    }

    /// Writes what waits.
    fn drain(&mut self) {
        self.writer.run(&AtomicBool::new(true), &|| ());
    }

    fn dir(&self) -> PathBuf {
        self.dir.path().join("history")
    }

    fn tracks(&self, at: OffsetDateTime) -> Vec<u64> {
        let within = Duration::from_secs(5);
        let answer = ask(&self.dir(), &Question { camera: "cam-01", at, within }).unwrap();
        answer.vehicles.iter().map(|vehicle| vehicle.track).collect()
    }

    fn state(&self, state: &str) {
        let at = millis(self.clock.now());
        let (camera, state) = ("cam-01".into(), state.into());
        self.sender.send(Record::State(State { camera, at, state, detail: String::new() }));
    }
}

#[test]
fn each_hour_has_its_file_that_says_how_the_cameras_are() {
    let mut b = Bench::new(quota());
    b.state("blinded");
    b.sender.send(track(NOON, 1));
    b.drain();
    b.clock.advance(Duration::from_secs(3600));
    b.sender.send(track(NOON + Duration::from_secs(3600), 2));
    b.drain();
    assert_eq!((b.tracks(NOON), b.tracks(NOON + Duration::from_secs(3600))), (vec![1], vec![2]));
    let later = fs::read_to_string(b.dir().join("2026-11-28T06Z.log")).unwrap();
    assert!(later.contains("blinded"), "{later}");
    let status = b.sender.shared().status();
    assert!(status.writes && status.segments == 2 && status.bytes > 0, "{status:?}");
    let mode = fs::metadata(b.dir()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_stream_that_stutters_is_one_stretch() {
    let mut b = Bench::new(quota());
    b.state("streaming");
    for _ in 0..200 {
        b.clock.advance(Duration::from_millis(100));
        b.state("damaged");
        b.drain();
        b.clock.advance(Duration::from_millis(100));
        b.state("streaming");
        b.writer.take(Note { at: b.clock.now(), record: track(NOON, 1) });
    }
    b.clock.advance(Duration::from_secs(4));
    b.drain();
    let text = fs::read_to_string(b.dir().join("2026-11-28T05Z.log")).unwrap();
    assert_eq!(text.matches("damaged").count(), 1, "{text}");
    assert_eq!(text.matches("streaming").count(), 2);
}

#[test]
fn what_finds_no_room_is_counted_and_nobody_waits() {
    let b = Bench::new(quota());
    for id in 0..2000 {
        b.sender.send(track(NOON, id));
    }
    assert_eq!(b.sender.shared().status().dropped, 2000 - 512);
}

#[test]
fn a_disk_that_fails_turns_it_off_visibly_until_it_works() {
    let mut b = Bench::new(quota());
    // What lies in its place cannot be written into.
    fs::write(b.dir(), "in the way").unwrap();
    b.sender.send(track(NOON, 1));
    b.drain();
    let status = b.sender.shared().status();
    assert!(!status.writes && status.trouble.unwrap().contains("history: "));
    assert_eq!(status.missed, 2, "the start and a track");
    b.clock.advance(Duration::from_secs(20));
    b.writer.due();
    assert!(!b.sender.shared().status().writes, "not tried yet");
    fs::remove_file(b.dir()).unwrap();
    b.clock.advance(Duration::from_secs(11));
    b.writer.due();
    b.sender.send(track(NOON + Duration::from_secs(31), 2));
    b.drain();
    let status = b.sender.shared().status();
    assert!(status.writes && status.trouble.is_none(), "{status:?}");
    let at = NOON + Duration::from_secs(31);
    assert_eq!(b.tracks(at), [2]);
    let question = Question { camera: "cam-01", at, within: Duration::from_secs(60) };
    let lacking = ask(&b.dir(), &question).unwrap().lacking;
    assert!(lacking[0].contains("2 records are missing"), "{lacking:?}");
}

#[test]
fn the_room_that_evidence_needs_is_left() {
    let mut b = Bench::new(Quota { min_free_bytes: u64::MAX, ..quota() });
    b.sender.send(track(NOON, 1));
    b.drain();
    let trouble = b.sender.shared().status().trouble.unwrap();
    assert!(trouble.contains("which evidence may need"), "{trouble}");
}
