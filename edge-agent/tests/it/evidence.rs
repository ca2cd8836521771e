//! Sealed packages from an accusation: every file there, verifying by the contract alone, playing,
//! and the same bytes each time.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use contract::act::{Moment, Violation};
use contract::chain::Head;
use contract::facts::{Facts, Lamp, Lit, Measured, Signal, Unit};
use contract::manifest::{self, ClockSource, FileRole, ModelUsed, PlateReading};
use contract::package::{self, MANIFEST_FILE, SEAL_FILE};
use contract::plate::PlateColour;
use contract::{Act, MomentRole, Movement};
use contract::{Digest, VehicleClass};
use edge_agent::accusation::{AccessUnit, Accusation, Clip, Pixels, Shot, Taken};
use edge_agent::boxes::Turn;
use edge_agent::clock::System;
use edge_agent::config::{Camera, ClockPolicy, Fps};
use edge_agent::evidence::{Sealed, Sealer, SealingError, Target, clip};
use edge_agent::spool::{Policy, Spool, State};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use judge::Site;
use judge::rules::red_light::RedLight;
use judge::rules::stop_line::StopLine;
use judge::site::{Exit, Junction};
use plate_model::frame::{Frame, Layout, PixelFormat};
use plate_model::geometry::BBox;
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::{date, datetime};

use crate::sample::{DEVICE, id, key};

const START: OffsetDateTime = datetime!(2026-11-21 10:04:00 UTC);

/// Encodes moving test pictures and gives them as a camera's ring would.
fn encode(encoder: &str) -> Clip {
    gst::init().unwrap();
    let description = format!(
        "videotestsrc num-buffers=75 pattern=ball ! video/x-raw,width=320,height=240,\
         framerate=25/1,format=I420 ! {encoder} ! appsink name=sink sync=false"
    );
    let pipeline = gst::parse::launch(&description).unwrap().downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("sink").unwrap().downcast::<AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut units = Vec::new();
    let mut caps = String::new();
    while let Ok(sample) = sink.pull_sample() {
        caps = sample.caps().unwrap().to_string();
        let buffer = sample.buffer().unwrap();
        let pts = buffer.pts().unwrap().nseconds();
        units.push(AccessUnit {
            pts_ns: pts,
            dts_ns: buffer.dts().map(gst::ClockTime::nseconds),
            key: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
            whole: true,
            data: buffer.map_readable().unwrap().to_vec().into(),
            captured_at: START,
        });
    }
    pipeline.set_state(gst::State::Null).unwrap();
    assert_eq!(units.len(), 75);
    // Encoders start their clock anywhere.
    let first = units[0].pts_ns;
    for unit in &mut units {
        unit.captured_at = START + std::time::Duration::from_nanos(unit.pts_ns - first);
    }
    Clip { caps, units, turn: Turn::NONE, reencoded: false, larger: None }
}

const PLAIN: &str = "x264enc bframes=0 key-int-max=25 tune=zerolatency ! h264parse ! \
                     video/x-h264,stream-format=byte-stream,alignment=au";
const REORDERED: &str = "x264enc bframes=3 b-adapt=false key-int-max=25 ! h264parse ! \
                         video/x-h264,stream-format=avc,alignment=au";
const H265: &str = "x265enc key-int-max=25 ! h265parse ! \
                    video/x-h265,stream-format=byte-stream,alignment=au";

fn frame(shade: u8) -> Frame {
    let layout = Layout::packed(PixelFormat::Nv12, 640, 360);
    let mut data: Vec<u8> =
        (0..640 * 360).map(|i| shade.wrapping_add((i % 640 / 8) as u8)).collect();
    data.resize(640 * 360 * 3 / 2, 128);
    Frame::from_vec(layout, data).unwrap()
}

fn shot(shade: u8, after_ms: i64, x: f32) -> Shot {
    Shot {
        pixels: Pixels::Frame(frame(shade)),
        captured_at: START + time::Duration::milliseconds(after_ms),
        vehicle: BBox::new(x, 120.0, x + 80.0, 260.0),
        others: vec![BBox::new(x + 60.0, 100.0, x + 150.0, 240.0)],
        plate: Some([[x + 30.0, 220.0], [x + 55.0, 220.0], [x + 55.0, 238.0], [x + 30.0, 238.0]]),
    }
}

fn camera() -> Camera {
    Camera {
        id: "c1".into(),
        uri: None,
        onvif: None,
        substream: None,
        credentials: None,
        place: "nút giao Hùng Vương – Lê Lợi, phường Nam Đông Hà".into(),
        direction: "Bắc – Nam".into(),
        plan: "KH-01/2026".into(),
        km: Some("Km 756+300".into()),
        gps: Some([16.8163, 107.1005]),
        lane: Some("2".into()),
        verification: Some(manifest::Verification {
            certificate: "KĐ-7".into(),
            valid_to: date!(2027 - 06 - 30),
        }),
        analysed_fps: Fps::fixed(10.0),
        clock: ClockPolicy::RtcpOrArrival,
        site: Site {
            junction: Some(Junction {
                stop_line: [[0.1, 0.7], [0.9, 0.7]],
                approach: vec![[0.1, 0.7], [0.9, 0.7], [1.0, 1.0], [0.0, 1.0]],
                exits: vec![Exit { movement: Movement::Straight, line: [[0.3, 0.3], [0.7, 0.3]] }],
            }),
            rules: vec![Arc::new(RedLight {
                right_on_red: false,
                grace_ms: 0,
                amber_grace_ms: None,
            })],
        },
        detect: None,
        closer: None,
        mask: Vec::new(),
        lamps: Vec::new(),
    }
}

fn accusation(number: u64, clip: Clip) -> Accusation {
    let camera = camera();
    let moments: Vec<Taken> = [
        (MomentRole::Before, shot(90, 1000, 200.0)),
        (MomentRole::On, shot(110, 1500, 230.0)),
        (MomentRole::Past, shot(130, 2000, 260.0)),
    ]
    .map(|(role, shot)| Taken { role, shot, elsewhere: None })
    .into();
    let named =
        |taken: &Taken| Moment { role: taken.role, at: taken.shot.captured_at, file: taken.file() };
    Accusation {
        evidence_id: id(number),
        config_digest: camera.digest(),
        camera: Arc::new(camera),
        violation: Violation {
            act: Act::RED_LIGHT,
            at: START + time::Duration::milliseconds(1500),
            track: number,
            vehicle: VehicleClass::Motorbike,
            facts: Facts::Signal(Signal {
                movement: Movement::Straight,
                lit: Lit {
                    lamp: Lamp::Red,
                    red: Measured::new(2340.0, Unit::Milliseconds),
                    right_arrow: true,
                },
            }),
            moments: moments.iter().map(named).collect(),
            may_be_on_duty: false,
            reason: "crossed the stop line on red and left straight on".into(),
        },
        clock: manifest::Clock {
            source: ClockSource::Rtcp,
            offset_ms: Some(-12),
            age_ms: Some(3200),
            epoch: 0,
        },
        main: MomentRole::On,
        moments,
        close_up: shot(150, 1800, 250.0),
        plate: Some(PlateReading {
            raw: "29B112345".into(),
            text: Some("29B112345".into()),
            class: None,
            colour: PlateColour::White,
            rows: 2,
            confidence: 0.983,
            frames: 6,
        }),
        models: vec![ModelUsed { name: "vehicles".into(), sha256: Digest::of(b"weights") }],
        clip,
        basis: b"{}".as_slice().into(),
    }
}

fn sealer(target: Target) -> Sealer {
    let device = manifest::Device {
        id: DEVICE.into(),
        serial: "SN1".into(),
        software: "edge-agent test".into(),
    };
    let unit = manifest::Unit {
        code: "PC08".into(),
        name: "Phòng CSGT".into(),
        operator: "Nguyễn Văn A".into(),
    };
    Sealer::new(device, unit, key(), target).unwrap()
}

fn verify(dir: &Path) -> Vec<package::Failure> {
    let manifest = fs::read(dir.join(MANIFEST_FILE)).unwrap();
    let seal = fs::read_to_string(dir.join(SEAL_FILE)).unwrap();
    package::verify(&key().verifying_key(), &manifest, &seal, |file| {
        fs::read(dir.join(&file.name)).ok()
    })
}

/// Frames that a player shows of an MP4, and the time of the last.
fn play(mp4: &Path, decoder: &str) -> (usize, u64) {
    let description = format!(
        "filesrc location={} ! qtdemux ! {decoder} ! appsink name=sink sync=false",
        mp4.display()
    );
    let pipeline = gst::parse::launch(&description).unwrap().downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("sink").unwrap().downcast::<AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let (mut frames, mut last) = (0, 0);
    while let Ok(sample) = sink.pull_sample() {
        frames += 1;
        let pts = sample.buffer().unwrap().pts().unwrap();
        let running = sample
            .segment()
            .unwrap()
            .downcast_ref::<gst::ClockTime>()
            .unwrap()
            .to_running_time(pts);
        last = running.unwrap().mseconds();
    }
    pipeline.set_state(gst::State::Null).unwrap();
    (frames, last)
}

#[test]
fn a_package_is_complete_verifies_and_fails_by_name_after_one_bit() {
    let dir = TempDir::new().unwrap();
    let sealer = sealer(Target::folder(dir.path()));
    let sealed = sealer.seal(&accusation(1, encode(PLAIN))).unwrap();
    assert_eq!(verify(&sealed.dir), []);
    let manifest =
        manifest::Manifest::parse(&fs::read(sealed.dir.join(MANIFEST_FILE)).unwrap()).unwrap();
    let on = manifest.picture(MomentRole::On).unwrap();
    let view = on.view.clone().unwrap();
    let [x, ..] = view.vehicle;
    assert_eq!((view.picture, view.vehicle), ([640, 360], [x, 120, 80, 140]));
    assert_eq!(view.others, [[x + 60, 100, 90, 140]]);
    assert_eq!(view.plate.unwrap()[0], [x + 30, 220]);
    assert!(view.marks.len() == 1 && view.lamps.len() == camera().lamps.len());
    assert_eq!(on.captured_at, manifest.violation.at);
    assert_eq!(manifest.violation.at.offset(), time::macros::offset!(+7));
    assert_eq!(manifest.file(FileRole::Clip).unwrap().captured_at, START);

    // The pictures open, are as wide as the frame and higher by their caption.
    let on = image::open(sealed.dir.join("on.jpg")).unwrap().to_rgb8();
    assert_eq!(on.width(), 640);
    assert!(on.height() > 360 + 40, "{}", on.height());

    for name in ["on.jpg", "clip.mp4", MANIFEST_FILE] {
        let path = sealed.dir.join(name);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        fs::write(&path, bad).unwrap();
        let failures = verify(&sealed.dir);
        assert_eq!(failures.len(), 1, "{name}");
        let named = failures[0].to_string();
        assert!(named.contains(name) || named.contains("manifest"), "{name}: {named}");
        fs::write(&path, good).unwrap();
    }
    assert_eq!(verify(&sealed.dir), []);
}

#[test]
fn the_same_accusation_gives_the_same_bytes() {
    let clip = encode(PLAIN);
    let seal = || {
        let dir = TempDir::new().unwrap();
        let sealed = sealer(Target::folder(dir.path())).seal(&accusation(1, clip.clone())).unwrap();
        let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(&sealed.dir)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    };
    let (first, second) = (seal(), seal());
    assert_eq!(first.len(), 9);
    for ((name, a), (_, b)) in first.iter().zip(&second) {
        assert!(a == b, "{name} differs");
    }
}

#[test]
fn packages_chain_and_a_repeated_replay_replaces_its_own() {
    let dir = TempDir::new().unwrap();
    let clip = encode(PLAIN);
    let run = || -> Vec<Sealed> {
        let sealer = sealer(Target::folder(dir.path()));
        (1..=3).map(|n| sealer.seal(&accusation(n, clip.clone())).unwrap()).collect()
    };
    let first = run();
    assert_eq!(first, run());
    let mut head = Head::default();
    for sealed in &first {
        let bytes = fs::read(sealed.dir.join(MANIFEST_FILE)).unwrap();
        head = head.advance(&manifest::Manifest::parse(&bytes).unwrap(), &bytes).unwrap();
    }
    assert_eq!(head.sequence, 3);
}

#[test]
fn the_clip_holds_the_cameras_own_bits_and_plays() {
    let dir = TempDir::new().unwrap();
    for (encoder, decoder) in
        [(PLAIN, "avdec_h264"), (REORDERED, "avdec_h264"), (H265, "avdec_h265")]
    {
        let clip = encode(encoder);
        let mp4 = clip::mux(&clip).unwrap();
        assert_eq!(mp4, clip::mux(&clip).unwrap(), "not deterministic: {encoder}");
        let path = dir.path().join("clip.mp4");
        fs::write(&path, &mp4).unwrap();
        let (frames, last_ms) = play(&path, decoder);
        assert_eq!(frames, 75, "{encoder}");
        assert!((2900..=3100).contains(&last_ms), "{encoder}: {last_ms} ms");
        // Headers first, so that a browser starts before it has all.
        let position = |word: &[u8]| mp4.windows(4).position(|w| w == word).unwrap();
        assert!(position(b"moov") < position(b"mdat"), "{encoder}");
        // The end of every coded picture is in the file, bit for bit.
        for (index, unit) in clip.units.iter().enumerate() {
            let tail = &unit.data[unit.data.len().saturating_sub(24)..];
            assert!(mp4.windows(tail.len()).any(|w| w == tail), "{encoder}: picture {index}");
        }
    }
}

/// Ring, clip, contract and spool: what one keeps or cuts, the next accepts.
#[test]
fn limits_agree_from_the_ring_to_the_central() {
    let limit = manifest::MAX_FILE_BYTES as usize;
    let encoded = encode(PLAIN);
    let pictures: usize = encoded.units.iter().map(|unit| unit.data.len()).sum();
    let added = clip::mux(&encoded).unwrap().len() - pictures;
    // The longest stream kept, at the most pictures a second that are analysed.
    let mut camera = camera();
    camera.site.rules.push(Arc::new(StopLine { seconds: 120.0, depth: 0.25, grace_ms: 300 }));
    let longest = (edge_agent::watch::keep(&camera) / 1_000_000_000) as usize * 60;
    let most = added * longest.div_ceil(encoded.units.len());
    assert!(clip::MAX_PICTURES + most <= limit, "the container adds {most} bytes");
    // Room while the end is to come.
    const { assert!(edge_agent::watch::KEEP_BYTES > clip::MAX_PICTURES) };
    let spool = "[spool]\nmax_mib = 128\n";
    let agent = edge_agent::config::parse(&[("a.toml".into(), spool.into())]).unwrap();
    assert!(agent.spool.max_bytes as usize >= limit + (32 << 20), "a clip and its pictures");
    let small = spool.replace("128", "127");
    assert!(edge_agent::config::parse(&[("a.toml".into(), small)]).is_err());
}

#[test]
fn clips_that_cannot_be_shown_are_refused_by_name() {
    let clip = encode(PLAIN);
    let mut late = clip.clone();
    late.units.remove(0);
    assert!(matches!(clip::mux(&late), Err(clip::ClipError::NoKeyFrame)));
    let empty = Clip { units: Vec::new(), ..clip.clone() };
    assert!(matches!(clip::mux(&empty), Err(clip::ClipError::Empty)));
    let other = Clip { caps: "image/jpeg".into(), ..clip };
    assert!(matches!(clip::mux(&other), Err(clip::ClipError::Codec { .. })));
}

#[test]
fn what_the_central_would_refuse_is_not_sealed() {
    let dir = TempDir::new().unwrap();
    let policy = Policy {
        max_bytes: 1 << 30,
        max_age: std::time::Duration::from_secs(3600),
        min_free_bytes: 0,
    };
    let clock = Arc::new(System::default());
    let (spool, _) = Spool::open(dir.path(), policy, key().verifying_key(), clock).unwrap();
    let spool = Arc::new(spool);
    let sealer = sealer(Target::Spool(spool.clone()));
    let clip = encode(PLAIN);
    let mut unknown = accusation(1, clip.clone());
    unknown.clock.source = ClockSource::Unknown;
    assert!(matches!(sealer.seal(&unknown), Err(SealingError::Manifest(_))));
    assert_eq!(spool.head(), Head::default());

    let sealed = sealer.seal(&accusation(2, clip)).unwrap();
    assert_eq!(sealed.sequence, 1);
    assert_eq!(verify(&sealed.dir), []);
    let entry = spool.next_pending(0).unwrap();
    assert_eq!(spool.read(State::Pending, &entry).unwrap().manifest.sequence, 1);
}
