//! Replays of painted recordings through the whole pipeline but the networks, whose place is taken
//! by eyes that find the one bright thing on the road.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use contract::VehicleClass;
use edge_agent::clock::System;
use edge_agent::config;
use edge_agent::health::Board;
use edge_agent::replay::{Notes, Replay, ReplayError, Summary, json_lines, sealer};
use edge_agent::see::tracker::Settings;
use edge_agent::watch::eyes::{Eyes, Pool};
use edge_agent::watch::{Context, Wanted};
use plate_model::{BBox, Characters, Detection, Fusion, Planes, PlateQuad, View};
use time::OffsetDateTime;

use crate::footage;

/// Finds the box of all pixels that are nearly white.
pub struct Bright;

impl Eyes for Bright {
    fn vehicles(
        &mut self,
        planes: &Planes<'_>,
        _view: &View,
    ) -> plate_model::Result<Vec<Detection>> {
        let mut points = Vec::new();
        for y in 0..planes.luma().rows() {
            for (x, &luma) in planes.luma().row(y).iter().enumerate() {
                if luma > 190 {
                    points.push([x as f32, y as f32]);
                    points.push([x as f32 + 1.0, y as f32 + 1.0]);
                }
            }
        }
        let bbox = BBox::around(&points);
        let seen = points.len() > 100;
        let class = VehicleClass::Motorbike;
        Ok(if seen { vec![Detection { class, score: 0.9, bbox }] } else { vec![] })
    }

    fn plate(
        &mut self,
        _planes: &Planes<'_>,
        _bbox: BBox,
    ) -> plate_model::Result<Option<(PlateQuad, Characters)>> {
        Ok(None)
    }

    fn fusion(&self, class: VehicleClass) -> Fusion {
        Fusion::new(class)
    }
}

pub fn context() -> Context {
    Context {
        device: "replay".into(),
        models: Vec::new(),
        plates_per_frame: 2,
        wanted: Wanted::Suspects,
        passages: Arc::default(),
    }
}

pub fn pool() -> Arc<Pool<Bright>> {
    Arc::new(Pool::new(Bright, Vec::new(), Settings::default()))
}

fn replay(input: &Path, out: &Path) -> Result<(Vec<u8>, Summary), ReplayError> {
    replay_with(input, out, Notes::default())
}

fn replay_with(input: &Path, out: &Path, notes: Notes) -> Result<(Vec<u8>, Summary), ReplayError> {
    let site = [(PathBuf::from("site.toml"), footage::SITE.to_owned())];
    let agent = config::parse(&site).unwrap();
    let camera = Arc::clone(&agent.cameras[0]);
    let sealer = sealer(&agent, std::slice::from_ref(&camera), out)?;
    let replay = Replay {
        board: Board::new(Arc::new(System::default())).camera(&camera.id),
        camera,
        context: context(),
        input: input.into(),
        substream: None,
        start: OffsetDateTime::UNIX_EPOCH,
        out,
        sealer: &sealer,
        notes,
    };
    let mut lines = Vec::new();
    let summary = replay.run(pool(), json_lines(&mut lines))?;
    Ok((lines, summary))
}

#[test]
fn a_recording_gives_the_same_events_twice_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    footage::record(&clip, (footage::WIDTH, footage::HEIGHT), 8, footage::H264);
    let (first, summary) = replay(&clip, &folder.path().join("a")).unwrap();
    let (second, _) = replay(&clip, &folder.path().join("b")).unwrap();
    assert_eq!(String::from_utf8_lossy(&first), String::from_utf8_lossy(&second));
    // 25 pictures a second, 10 analysed.
    assert!((78..=82).contains(&summary.pictures), "{summary:?}");

    let lines: Vec<serde_json::Value> = first
        .split_inclusive(|b| *b == b'\n')
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    let [event] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!(event["act"], "red_light");
    assert_eq!(event["facts"]["movement"], "straight");
    assert_eq!(event["facts"]["lit"]["lamp"], "red");
    assert_eq!(event["plate"]["text"], serde_json::Value::Null);
    let at = event["at"].as_f64().unwrap();
    assert!((at - 2.0).abs() < 0.1, "crossed after two seconds, found {at}");

    // Both packages are whole and the same but for nothing: even the clip is bit for bit.
    let package = event["evidence"].as_str().unwrap();
    for name in [
        "manifest.json",
        "before.jpg",
        "on.jpg",
        "past.jpg",
        "closeup.jpg",
        "clip.mp4",
        "basis.json",
    ] {
        let read =
            |out: &str| std::fs::read(folder.path().join(out).join(package).join(name)).unwrap();
        assert_eq!(read("a"), read("b"), "{name}");
    }
}

#[test]
fn notes_tell_every_picture_and_track() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    footage::record(&clip, (footage::WIDTH, footage::HEIGHT), 8, footage::H264);
    let tracks = folder.path().join("tracks.jsonl");
    let sheets = folder.path().join("sheets");
    let notes = Notes { tracks: Some(tracks.clone()), sheets: Some(sheets.clone()), history: None };
    let (_, summary) = replay_with(&clip, &folder.path().join("out"), notes).unwrap();

    let text = std::fs::read_to_string(&tracks).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).collect::<Vec<_>>();
    assert_eq!(of("picture").len() as u64, summary.pictures);
    let [track] = of("track")[..] else { panic!("{text}") };
    assert_eq!(track["class"], "motorbike");
    assert_eq!(track["gaps"], serde_json::json!([]));
    assert_eq!(track["clarity"], 1.0);
    assert_eq!(track["plate"]["doubt"], "no frame shows a readable plate");
    let followed = of("picture")
        .iter()
        .filter(|line| line["tracks"].as_array().is_some_and(|tracks| !tracks.is_empty()))
        .count();
    assert_eq!(track["sightings"], followed);
    let first = &of("picture")[0]["tracks"][0]["box"];
    let [x1, y1, x2, y2] = footage::vehicle(0).unwrap().map(|side| side as f64);
    for (found, painted) in [(0, x1 / 320.0), (1, y1 / 240.0), (2, x2 / 320.0), (3, y2 / 240.0)] {
        assert!((first[found].as_f64().unwrap() - painted).abs() < 0.03, "{first}");
    }
    // Eight seconds, a drawn picture each half, and one contact sheet.
    let names: Vec<String> = std::fs::read_dir(&sheets)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(
        (14..=16).contains(&names.iter().filter(|n| n.starts_with("at-")).count()),
        "{names:?}"
    );
    assert!(names.iter().any(|name| name == "plates-01.jpg"), "{names:?}");
}

#[test]
fn h265_is_replayed_too() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    footage::record(&clip, (footage::WIDTH, footage::HEIGHT), 8, footage::H265);
    let (_, summary) = replay(&clip, &folder.path().join("a")).unwrap();
    assert_eq!(summary.events, 1);
}

#[test]
fn what_is_no_usable_recording_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let refused = |input: &Path| replay(input, &out).unwrap_err().to_string();

    let missing = refused(&folder.path().join("none.mp4"));
    assert!(missing.contains("none.mp4: no such file"), "{missing}");

    let pictures = folder.path().join("jpeg.mkv");
    footage::record(&pictures, (footage::WIDTH, footage::HEIGHT), 1, footage::JPEG);
    let codec = refused(&pictures);
    assert!(codec.contains("must be H.264 or H.265"), "{codec}");

    let text = folder.path().join("text.mp4");
    std::fs::write(&text, "not a recording\n".repeat(200)).unwrap();
    let wrong = refused(&text);
    assert!(wrong.contains("text.mp4"), "{wrong}");
}

/// The clip of the only event, and the folder it lies in.
fn only_clip(lines: &[u8], out: &Path) -> PathBuf {
    let event: serde_json::Value = serde_json::from_slice(lines).unwrap();
    let package = out.join(event["evidence"].as_str().unwrap());
    let mut clips = std::fs::read_dir(package).unwrap().map(|entry| entry.unwrap().path());
    clips.find(|path| path.extension().is_some_and(|end| end == "mp4")).unwrap()
}

/// Streams that have key pictures seldom or never after the first: the act is ten seconds in, the
/// clip must begin long before that and decode by itself.
#[test]
fn open_groups_and_gradual_refreshes_give_clips_that_play() {
    let folder = tempfile::tempdir().unwrap();
    let x264 = "x264enc key-int-max=25 speed-preset=veryfast";
    for (name, encoder) in [
        ("open", format!("{x264} bframes=3 option-string=open-gop=1")),
        ("refresh", format!("{x264} bframes=0 intra-refresh=true")),
        ("open265", "x265enc key-int-max=25 option-string=open-gop=1:bframes=3:log-level=error ! h265parse".into()),
        ("refresh265", "x265enc key-int-max=25 option-string=intra-refresh=1:bframes=0:log-level=error ! h265parse".into()),
        ("endless", "x264enc key-int-max=100000 bframes=0 speed-preset=ultrafast".into()),
    ] {
        let input = folder.path().join(format!("{name}.mp4"));
        let size = (footage::WIDTH, footage::HEIGHT);
        footage::record_later(&input, size, 8, 16, &format!("{encoder} ! mp4mux"));
        let out = folder.path().join(name);
        let (lines, summary) = replay(&input, &out).unwrap();
        assert_eq!(summary.events, 1, "{name}");
        let clip = only_clip(&lines, &out);
        assert_eq!(clip.file_name().unwrap(), "clip.mp4", "the camera's own bits");
        let shown = crate::streams::play(&clip).unwrap();
        // Wanted is 7 s to what is past the line and two seconds more; cut at most two groups and a
        // refresh early, or at the stream's only key picture.
        let seconds = (shown.last().unwrap().t - shown[0].t) as f64 / 1e9;
        // x265 marks no recovery points.
        let endless = ["endless", "refresh265"].contains(&name);
        let least = if endless { 12.0 } else { 5.0 };
        let most = if endless { 16.0 } else { 10.0 };
        assert!((least..most).contains(&seconds), "{name}: {seconds} s");
        // The vehicle stands where it was painted, and is gone at the end: nothing is grey.
        let end = shown.last().unwrap().t;
        for picture in shown.iter().filter(|picture| picture.t + 5_000_000_000 > end) {
            let road = picture.frame.planes().luma().row(footage::HEIGHT / 2)[20];
            assert!(road.abs_diff(90) < 16, "{name}: road of {road} at {} s", picture.t as f64 / 1e9);
        }
        let lamp = shown[shown.len() / 2].frame.planes().luma().row(20)[296];
        assert!(lamp > 120, "{name}: lamp of {lamp}");
    }
}

/// One key picture and then 45 Mbit/s of noise: the camera's own bits up to the act are more than
/// evidence may have.
#[test]
fn of_a_stream_without_places_to_cut_the_act_is_encoded_anew() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("endless.mp4");
    footage::record_noisy(&input, 8, 14);
    assert!(std::fs::metadata(&input).unwrap().len() > 70 << 20, "not large enough to matter");
    let out = folder.path().join("out");
    let (lines, summary) = replay(&input, &out).unwrap();
    assert_eq!(summary.events, 1);
    let clip = only_clip(&lines, &out);
    assert_eq!(clip.file_name().unwrap(), "clip-reencoded.mp4");
    assert!(std::fs::metadata(&clip).unwrap().len() < 64 << 20);
    let shown = crate::streams::play(&clip).unwrap();
    let seconds = (shown.last().unwrap().t - shown[0].t) as f64 / 1e9;
    assert!((4.0..12.0).contains(&seconds), "{seconds} s");
    let again = folder.path().join("again");
    let (lines, _) = replay(&input, &again).unwrap();
    let twice = std::fs::read(only_clip(&lines, &again)).unwrap();
    assert!(std::fs::read(&clip).unwrap() == twice, "the same recording, other bytes");
}
