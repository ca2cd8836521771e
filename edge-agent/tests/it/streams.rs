//! Odd recordings, each made here: pictures come out with the right content, time and colour, or
//! the recording is refused by name.

use std::path::{Path, PathBuf};
use std::time::Duration;

use edge_agent::boxes::{self, Turn};
use edge_agent::pace::Pace;
use edge_agent::source::{Dating, Input, Next, Picture, Settings, Source, SourceError};
use plate_model::Matrix;
use time::OffsetDateTime;

use crate::footage;

const WIDTH: usize = 320;
const HEIGHT: usize = 240;
const MS: u64 = 1_000_000;
/// Y, Cb, Cr of the quarters: top left, top right, bottom left, bottom right.
const QUARTERS: [[u8; 3]; 4] = [[60, 90, 200], [110, 100, 90], [160, 200, 110], [210, 128, 128]];
/// Every picture a key picture's child, none reordered.
const PLAIN: &str =
    "x264enc key-int-max=25 bframes=0 speed-preset=ultrafast pass=quant quantizer=18";

/// The luma that picture `i` bears in its middle.
fn number(i: u64) -> u8 {
    30 + (i * 5 % 200) as u8
}

/// Quarters of known colours, the number in the middle.
fn painted(i: u64) -> Vec<u8> {
    painted_as(i, WIDTH, HEIGHT, 2)
}

/// With chroma planes divided by `sub` both ways.
fn painted_as(i: u64, width: usize, height: usize, sub: usize) -> Vec<u8> {
    let mut data = Vec::with_capacity(width * height * 3);
    for (plane, divided) in [(0, 1), (1, sub), (2, sub)] {
        let (w, h) = (width / divided, height / divided);
        for y in 0..h {
            for x in 0..w {
                let quarter = usize::from(x >= w / 2) + 2 * usize::from(y >= h / 2);
                let middle = x.abs_diff(w / 2) < w / 8 && y.abs_diff(h / 2) < h / 8;
                data.push(if middle && plane == 0 { number(i) } else { QUARTERS[quarter][plane] });
            }
        }
    }
    data
}

fn raw(format: &str, more: &str) -> String {
    format!("video/x-raw,format={format},width={WIDTH},height={HEIGHT},framerate=25/1{more}")
}

/// Records `count` painted pictures, 25 a second.
fn record(path: &Path, count: u64, rest: &str) {
    let pictures = (0..count).map(|i| (i * 40 * MS, painted(i)));
    footage::encode(path, &raw("I420", ""), pictures, rest);
}

pub fn play(path: &Path) -> Result<Vec<Picture>, SourceError> {
    let settings = Settings {
        camera: "cam-01".into(),
        input: Input::File { path: path.into() },
        larger: None,
        dating: Dating::Recording { start: OffsetDateTime::UNIX_EPOCH },
        pace: Pace::fixed(60.0),
        keep: 60_000 * MS,
        keep_bytes: 64 << 20,
    };
    let mut source = Source::open(&settings, 0)?;
    let mut pictures = Vec::new();
    for _ in 0..2000 {
        match source.next(Duration::from_millis(200))? {
            Next::Picture(picture) => pictures.push(*picture),
            Next::Nothing => {}
            Next::Ended => {
                source.whole()?;
                return Ok(pictures);
            }
        }
    }
    panic!("{} does not end", path.display());
}

fn refused(path: &Path) -> String {
    match play(path) {
        Ok(pictures) => panic!("{}: {} pictures", path.display(), pictures.len()),
        Err(error) => error.to_string(),
    }
}

/// Y, Cb, Cr at a place given in shares of width and height.
fn colour(picture: &Picture, x: f64, y: f64) -> [u8; 3] {
    let planes = picture.frame.planes();
    let (x, y) = (x * f64::from(planes.width()), y * f64::from(planes.height()));
    let (x, y) = (x as usize, y as usize);
    let [u, v] = planes.chroma().at(x / 2, y / 2);
    [planes.luma().row(y)[x], u, v]
}

fn near(found: [u8; 3], expected: [u8; 3], what: &str) {
    let far = found.iter().zip(expected).any(|(found, expected)| found.abs_diff(expected) > 8);
    assert!(!far, "{what}: {found:?}, expected {expected:?}");
}

/// All four quarters where they belong.
fn right_colours(picture: &Picture, what: &str) {
    for (index, (x, y)) in [(0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)].into_iter().enumerate()
    {
        near(colour(picture, x, y), QUARTERS[index], &format!("{what}, quarter {index}"));
    }
}

/// Pictures bear these numbers at these times (milliseconds).
fn in_order(pictures: &[Picture], expected: impl Iterator<Item = (u64, u64)>, what: &str) {
    let expected: Vec<(u64, u64)> = expected.collect();
    let times: Vec<u64> = pictures.iter().map(|picture| (picture.t + MS / 2) / MS).collect();
    let wanted: Vec<u64> = expected.iter().map(|(_, at)| *at).collect();
    assert_eq!(times, wanted, "{what}");
    for (picture, (i, at)) in pictures.iter().zip(expected) {
        let found = colour(picture, 0.5, 0.5)[0];
        assert!(found.abs_diff(number(i)) < 3, "{what}: {found} at {at} ms, not {}", number(i));
        let dated = picture.captured_at - OffsetDateTime::UNIX_EPOCH;
        assert!((dated.whole_milliseconds() - i128::from(at)).abs() <= 1, "{what}: {dated}");
    }
}

fn folder() -> (tempfile::TempDir, impl Fn(&str) -> PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_path_buf();
    (folder, move |name: &str| root.join(name))
}

#[test]
fn pictures_of_any_rate_keep_their_times() {
    let (_folder, at) = folder();
    let times = [0, 40, 200, 233, 1000, 1033, 2500, 2520, 4000];
    for mux in ["mp4mux", "matroskamux"] {
        let pictures = times.iter().zip(0..).map(|(ms, i)| (ms * MS, painted(i)));
        let path = at(mux);
        let rest = format!("{PLAIN} tune=zerolatency ! {mux}");
        footage::encode(&path, &raw("I420", ""), pictures, &rest);
        in_order(&play(&path).unwrap(), (0..).zip(times), mux);
    }
}

#[test]
fn reordered_pictures_come_in_the_order_shown() {
    let (_folder, at) = folder();
    let pyramid = "x264enc key-int-max=25 bframes=3 b-adapt=false b-pyramid=true \
                   speed-preset=veryfast";
    let h265 = "x265enc key-int-max=25 option-string=bframes=3:log-level=error ! h265parse";
    for (name, encoder, mux) in [
        ("b.mp4", pyramid, "mp4mux"),
        ("b.mkv", pyramid, "matroskamux"),
        ("b.ts", pyramid, "mpegtsmux"),
        ("b265.mp4", h265, "mp4mux"),
        ("b265.ts", h265, "mpegtsmux"),
    ] {
        let path = at(name);
        record(&path, 40, &format!("{encoder} ! {mux}"));
        let pictures = play(&path).unwrap();
        // Transport streams begin at any time, and have no end for the last pictures.
        let first = pictures[0].t / MS;
        assert!(pictures.len() >= 38, "{name}: {} pictures", pictures.len());
        let expected = (0..pictures.len() as u64).map(|i| (i, first + 40 * i));
        in_order(&pictures, expected, name);
        assert!(first < 100, "{name}: {first}");
    }
}

#[test]
fn colours_come_out_right_whatever_they_were_coded_in() {
    let (_folder, at) = folder();
    let wide = |data: Vec<u8>| -> Vec<u8> {
        data.into_iter().flat_map(|value| (u16::from(value) * 4).to_le_bytes()).collect()
    };
    for (name, format, sub, deep) in [
        ("420", "I420", 2, false),
        ("444", "Y444", 1, false),
        ("420-10", "I420_10LE", 2, true),
        ("444-10", "Y444_10LE", 1, true),
    ] {
        for encoder in [PLAIN, "x265enc option-string=log-level=error ! h265parse"] {
            let path = at(name);
            let pictures = (0..5).map(|i| {
                let data = painted_as(i, WIDTH, HEIGHT, sub);
                (i * 40 * MS, if deep { wide(data) } else { data })
            });
            footage::encode(&path, &raw(format, ""), pictures, &format!("{encoder} ! mp4mux"));
            let played = play(&path).unwrap();
            let what = format!("{name} {encoder}");
            right_colours(&played[2], &what);
            in_order(&played, (0..5).map(|i| (i, 40 * i)), &what);
        }
    }
}

/// `file` with its video marked as of full range, which no encoder here writes: the bit behind
/// "format unspecified" and before this description of the colours (H.264 E.1.1).
fn full_range(file: &[u8], described: [u8; 3]) -> Vec<u8> {
    let [primaries, transfer, matrix] = described.map(u32::from);
    let pattern = 0b10101 << 24 | primaries << 16 | transfer << 8 | matrix;
    let bit = |at: usize| u32::from(file[at / 8] >> (7 - at % 8) & 1);
    let (mut window, mut out) = (0, file.to_vec());
    for at in 0..file.len() * 8 {
        window = (window << 1 | bit(at)) & 0x1fff_ffff;
        if at > 28 && window == pattern {
            out[(at - 25) / 8] |= 1 << (7 - (at - 25) % 8);
        }
    }
    assert_ne!(out, file, "no description of colours");
    out
}

#[test]
fn range_and_matrix_are_told_with_the_picture() {
    let (_folder, at) = folder();
    for (colorimetry, described, matrix) in
        [("2:3:5:1", [1, 1, 1], Matrix::Bt709), ("2:4:5:4", [6, 1, 6], Matrix::Bt601)]
    {
        // A transport stream says nothing of colours itself.
        let path = at(&format!("{colorimetry}.ts"));
        let caps = raw("I420", &format!(",colorimetry=(string){colorimetry}"));
        let pictures = (0..5).map(|i| (i * 40 * MS, painted(i)));
        footage::encode(&path, &caps, pictures, &format!("{PLAIN} ! mpegtsmux"));
        for full in [false, true] {
            if full {
                let file = std::fs::read(&path).unwrap();
                std::fs::write(&path, full_range(&file, described)).unwrap();
            }
            let picture = play(&path).unwrap().remove(2);
            let told = picture.frame.layout().colour;
            assert_eq!((told.full_range, told.matrix), (full, matrix), "{colorimetry}");
            // The very values that the camera coded, not scaled.
            right_colours(&picture, colorimetry);
        }
    }
}

#[test]
fn interlaced_pictures_show_one_moment() {
    let (_folder, at) = folder();
    let path = at("interlaced.mp4");
    let woven = |i: u64| {
        let mut data = painted(i);
        // The lower field: a later moment, bright.
        for row in data[..WIDTH * HEIGHT].chunks_exact_mut(WIDTH).skip(1).step_by(2) {
            row.fill(235);
        }
        data
    };
    let caps = raw("I420", ",interlace-mode=interleaved,field-order=top-field-first");
    let pictures = (0..10).map(|i| (i * 40 * MS, woven(i)));
    footage::encode(&path, &caps, pictures, &format!("{PLAIN} interlaced=true ! mp4mux"));
    let played = play(&path).unwrap();
    assert!(played.len() >= 9, "{}", played.len());
    let picture = &played[4];
    for y in 20..60 {
        let luma = picture.frame.planes().luma().row(y)[60];
        assert!(luma.abs_diff(QUARTERS[0][0]) < 12, "row {y}: {luma}");
    }
    assert!(played.windows(2).all(|pair| pair[1].t - pair[0].t == 40 * MS));
}

#[test]
fn four_thousand_columns_are_fine() {
    let (_folder, at) = folder();
    let path = at("4k.mp4");
    let caps = "video/x-raw,format=I420,width=3840,height=2160,framerate=25/1";
    let pictures = (0..3).map(|i| (i * 40 * MS, painted_as(i, 3840, 2160, 2)));
    footage::encode(&path, caps, pictures, &format!("{PLAIN} ! mp4mux"));
    let played = play(&path).unwrap();
    assert_eq!((played[0].frame.width(), played[0].frame.height()), (3840, 2160));
    right_colours(&played[0], "4K");
    in_order(&played, (0..3).map(|i| (i, 40 * i)), "4K");
}

/// The bytes of `file` with the body of the first `kind` box below `path` changed by `change`,
/// lengths put right. The index must stand behind the pictures.
fn rewritten(file: &[u8], path: &[&[u8; 4]], change: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let Some((kind, deeper)) = path.split_first() else { return change(file) };
    let mut out = Vec::new();
    for atom in boxes::atoms(file, 0, file.len()).unwrap() {
        let body = &file[atom.body..atom.end];
        let body = if &&atom.kind == kind { rewritten(body, deeper, change) } else { body.into() };
        out.extend((body.len() as u32 + 8).to_be_bytes());
        out.extend(atom.kind);
        out.extend(body);
    }
    out
}

#[test]
fn turned_recordings_are_upright_and_so_is_the_clip() {
    let (_folder, at) = folder();
    let plain = at("plain.mp4");
    record(&plain, 10, &format!("{PLAIN} ! mp4mux"));
    let file = std::fs::read(&plain).unwrap();
    for turn in (0..8).map(|n| Turn { quarters: n % 4, mirrored: n > 3 }) {
        let matrix = turn.matrix(WIDTH as i32, HEIGHT as i32);
        let path = at("turned.mp4");
        let turned = rewritten(&file, &[b"moov", b"trak", b"tkhd"], &|body| {
            let mut body = body.to_vec();
            body[40..76].copy_from_slice(&matrix);
            body
        });
        std::fs::write(&path, turned).unwrap();
        let played = play(&path).unwrap();
        assert_eq!(played.len(), 10, "{turn:?}");
        let picture = &played[5];
        let size = (picture.frame.width() as usize, picture.frame.height() as usize);
        let upright = turn.quarters % 2 == 0;
        assert_eq!(size, if upright { (WIDTH, HEIGHT) } else { (HEIGHT, WIDTH) }, "{turn:?}");
        // Where the file's own matrix puts the middle of each quarter (ISO 14496-12 6.2.2).
        let number =
            |i: usize| f64::from(boxes::read_u32(&matrix, 4 * i).unwrap() as i32) / 65536.0;
        for (index, (x, y)) in
            [(0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)].into_iter().enumerate()
        {
            let (x, y) = (x * WIDTH as f64, y * HEIGHT as f64);
            let shown_x = (number(0) * x + number(3) * y + number(6)) / size.0 as f64;
            let shown_y = (number(1) * x + number(4) * y + number(7)) / size.1 as f64;
            near(colour(picture, shown_x, shown_y), QUARTERS[index], &format!("{turn:?} {index}"));
        }
    }
    let skewed = rewritten(&file, &[b"moov", b"trak", b"tkhd"], &|body| {
        let mut body = body.to_vec();
        body[40..44].copy_from_slice(&46341i32.to_be_bytes());
        body
    });
    std::fs::write(&plain, skewed).unwrap();
    let said = refused(&plain);
    assert!(said.contains("turns its pictures by other than quarter turns"), "{said}");
}

/// An edit list of (duration, start in the media or −1) in milliseconds.
fn edited(file: &[u8], edits: &[(i32, i32)]) -> Vec<u8> {
    let scale = |path: &[&[u8; 4]]| {
        let found = std::cell::Cell::new(0);
        rewritten(file, path, &|body| {
            found.set(boxes::read_u32(body, 12).unwrap());
            body.to_vec()
        });
        found.get() as i32
    };
    let (movie, media) = (scale(&[b"moov", b"mvhd"]), scale(&[b"moov", b"trak", b"mdia", b"mdhd"]));
    let mut list = vec![0, 0, 0, 0];
    list.extend((edits.len() as u32).to_be_bytes());
    for &(duration, start) in edits {
        let start = if start < 0 { -1 } else { start * media / 1000 };
        list.extend((duration * movie / 1000).to_be_bytes());
        list.extend(start.to_be_bytes());
        list.extend([0, 1, 0, 0]);
    }
    let boxed = |kind: &[u8; 4], body: &[u8]| {
        [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
    };
    let edts = boxed(b"edts", &boxed(b"elst", &list));
    rewritten(file, &[b"moov", b"trak"], &|body| {
        let kept = boxes::atoms(body, 0, body.len()).unwrap().into_iter();
        let kept = kept.filter(|atom| atom.kind != *b"edts");
        let mut out = Vec::new();
        for atom in kept {
            out.extend(&body[atom.start..atom.end]);
            if atom.kind == *b"tkhd" {
                out.extend(&edts);
            }
        }
        out
    })
}

#[test]
fn edited_recordings_are_played_as_edited_or_refused() {
    let (_folder, at) = folder();
    let path = at("edited.mp4");
    record(&path, 75, &format!("{PLAIN} ! mp4mux"));
    let file = std::fs::read(&path).unwrap();
    let edit = |edits: &[(i32, i32)]| std::fs::write(&path, edited(&file, edits)).unwrap();
    // Late: two seconds of nothing first.
    edit(&[(2000, -1), (3000, 0)]);
    in_order(&play(&path).unwrap(), (0..75).map(|i| (i, 2000 + 40 * i)), "late start");
    // Early: what the first 1.2 s show is cut away, though decoding needs it.
    edit(&[(1800, 1200)]);
    in_order(&play(&path).unwrap(), (0..45).map(|i| (i + 30, 40 * i)), "cut front");
    // A piece out of the middle is missing: what is left is no one sequence.
    edit(&[(1000, 0), (1000, 2000)]);
    let said = refused(&path);
    assert!(said.contains("edited.mp4: cannot be judged") && said.contains("pieces"), "{said}");
    // In slow motion nothing has its time.
    let slow =
        rewritten(&edited(&file, &[(3000, 0)]), &[b"moov", b"trak", b"edts", b"elst"], &|list| {
            [&list[..16], &[0, 0, 0x80, 0]].concat()
        });
    std::fs::write(&path, slow).unwrap();
    let said = refused(&path);
    assert!(said.contains("other speed"), "{said}");
}

/// Adds `offset` to every clock of a transport stream (ISO 13818-1 2.4.3), in units of 90 kHz.
fn shifted(file: &[u8], offset: u64) -> Vec<u8> {
    const WRAP: u64 = 1 << 33;
    let mut out = file.to_vec();
    for packet in out.chunks_exact_mut(188) {
        let starts = packet[1] & 0x40 != 0;
        let (adapted, filled) = (packet[3] & 0x20 != 0, packet[3] & 0x10 != 0);
        let mut body = 4;
        if adapted {
            let length = usize::from(packet[4]);
            if length > 0 && packet[5] & 0x10 != 0 {
                let clock = &mut packet[6..12];
                let base = clock[..4].iter().fold(0, |n, b| n << 8 | u64::from(*b)) << 1
                    | u64::from(clock[4] >> 7);
                let new = (base + offset) % WRAP;
                clock[..4].copy_from_slice(&((new >> 1) as u32).to_be_bytes());
                clock[4] = clock[4] & 0x7f | ((new & 1) as u8) << 7;
            }
            body = 5 + length;
        }
        if !starts || !filled || packet.get(body..body + 3) != Some(&[0, 0, 1]) {
            continue;
        }
        let flags = packet[body + 7] >> 6;
        for index in 0..usize::from(flags >> 1) + usize::from(flags & 1) {
            let stamp = &mut packet[body + 9 + 5 * index..body + 14 + 5 * index];
            let old = u64::from(stamp[0] >> 1 & 7) << 30
                | u64::from(stamp[1]) << 22
                | u64::from(stamp[2] >> 1) << 15
                | u64::from(stamp[3]) << 7
                | u64::from(stamp[4] >> 1);
            let new = (old + offset) % WRAP;
            stamp[0] = stamp[0] & 0xf1 | ((new >> 30) as u8) << 1;
            stamp[1] = (new >> 22) as u8;
            stamp[2] = ((new >> 15) as u8) << 1 | 1;
            stamp[3] = (new >> 7) as u8;
            stamp[4] = (new as u8) << 1 | 1;
        }
    }
    out
}

#[test]
fn stamps_of_33_bits_may_wrap_on_the_way() {
    let (_folder, at) = folder();
    let path = at("wrap.ts");
    record(&path, 100, &format!("{PLAIN} ! mpegtsmux"));
    let file = std::fs::read(&path).unwrap();
    let clock = |file: &[u8]| {
        let path = at("clock.ts");
        std::fs::write(&path, file).unwrap();
        play(&path).unwrap()
    };
    let plain = clock(&file);
    let first = plain[0].t / MS;
    in_order(&plain, (0..plain.len() as u64).map(|i| (i, first + 40 * i)), "plain");
    // The muxer begins at an hour; two seconds later the stamps wrap.
    let wrapped = clock(&shifted(&file, (1 << 33) - 90_000 * 3602));
    assert_eq!(wrapped.len(), plain.len());
    let first = wrapped[0].t / MS;
    in_order(&wrapped, (0..plain.len() as u64).map(|i| (i, first + 40 * i)), "wrapped");
}

#[test]
fn times_that_begin_anew_never_reach_the_rules_as_one_sequence() {
    let (_folder, at) = folder();
    let path = at("twice.ts");
    record(&path, 75, &format!("{PLAIN} ! mpegtsmux"));
    let once = std::fs::read(&path).unwrap();
    // The recorder's second part behind the first: its clock began anew, or ran hours on.
    for offset in [0, 90_000 * 7200] {
        std::fs::write(&path, [once.clone(), shifted(&once, offset)].concat()).unwrap();
        match play(&path) {
            Ok(pictures) => {
                assert!(pictures.windows(2).all(|pair| pair[0].t < pair[1].t), "{offset}");
                assert!(pictures.len() > 140, "{offset}: {} pictures", pictures.len());
            }
            Err(error) => {
                assert!(matches!(error, SourceError::Disordered { .. }), "{offset}: {error}");
                assert!(error.to_string().contains("jumps back from"), "{error}");
            }
        }
    }
}

#[test]
fn sound_or_a_cover_before_the_video_is_passed_over() {
    let (_folder, at) = folder();
    let sound = "audiotestsrc num-buffers=80 ! audio/x-raw,rate=44100,channels=1 ! avenc_aac \
                 ! aacparse ! queue ! mux. ";
    let cover =
        "videotestsrc num-buffers=1 ! video/x-raw,width=64,height=64 ! jpegenc ! queue ! mux. ";
    for (name, mux, first) in [
        ("sound.mp4", "mp4mux", sound),
        ("sound.mkv", "matroskamux", sound),
        ("sound.ts", "mpegtsmux", sound),
        ("cover.mkv", "matroskamux", cover),
        ("cover.mov", "qtmux", cover),
    ] {
        let path = at(name);
        let pictures = (0..40).map(|i| (i * 40 * MS, painted(i)));
        let parts = footage::Parts {
            first,
            video: &format!("{PLAIN} ! h264parse ! queue ! mux."),
            last: &format!("{mux} name=mux"),
        };
        footage::encode_with(&path, &raw("I420", ""), pictures, &parts);
        let played = play(&path).unwrap();
        let start = played[0].t / MS;
        assert!(played.len() >= 39 && start < 200, "{name}: {} from {start}", played.len());
        in_order(&played, (0..played.len() as u64).map(|i| (i, start + 40 * i)), name);
    }
}

#[test]
fn other_codecs_are_refused_by_name() {
    let (_folder, at) = folder();
    for (name, encoder, found) in [
        ("mjpeg.avi", "jpegenc ! avimux", "jpeg"),
        ("mjpeg.mkv", "jpegenc ! matroskamux", "jpeg"),
        ("mjpeg.mov", "jpegenc ! qtmux", "jpeg"),
        ("vp9.webm", "vp9enc deadline=1 ! webmmux", "video/x-vp9"),
        ("vp8.webm", "vp8enc deadline=1 ! webmmux", "video/x-vp8"),
        ("mpeg4.mp4", "avenc_mpeg4 ! mp4mux", "video/mpeg"),
    ] {
        let path = at(name);
        record(&path, 10, encoder);
        let said = refused(&path);
        assert!(said.contains(found) && said.contains("must be H.264 or H.265"), "{name}: {said}");
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn what_is_no_recording_is_named() {
    let (_folder, at) = folder();
    let path = at("x.mp4");
    std::fs::write(&path, b"").unwrap();
    assert!(refused(&path).contains("x.mp4: is empty"));
    // Noise of any kind; a fixed seed.
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    })
    .take(200_000)
    .collect();
    std::fs::write(&path, &noise).unwrap();
    assert!(refused(&path).contains("x.mp4"));
    for (name, encoder) in
        [("x.h264", PLAIN), ("x.h265", "x265enc option-string=log-level=error ! h265parse")]
    {
        let path = at(name);
        let format = if name == "x.h264" { "h264" } else { "h265" };
        let form = format!("video/x-{format},stream-format=byte-stream,alignment=au");
        record(&path, 10, &format!("{encoder} ! {form}"));
        let said = refused(&path);
        assert!(said.contains(&format!("-i x.{format} -c copy")), "{said}");
    }
}

#[test]
fn a_file_that_ends_before_its_length_says_so() {
    let (_folder, at) = folder();
    for (name, mux) in [("x.mp4", "mp4mux faststart=true"), ("x.mkv", "matroskamux")] {
        let path = at(name);
        record(&path, 100, &format!("{PLAIN} ! {mux}"));
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(play(&path).unwrap().len(), 100);
        for percent in [50, 90, 99] {
            let there = whole.len() * percent / 100;
            std::fs::write(&path, &whole[..there]).unwrap();
            let said = refused(&path);
            let bytes = format!("ends before its length: {there} of {} bytes", whole.len());
            assert!(said.contains(&bytes), "{name} at {percent} %: {said}");
            assert!(said.contains("pictures up to "), "{said}");
        }
    }
    // Cut before the index, which recorders write last.
    let path = at("x.mp4");
    record(&path, 50, &format!("{PLAIN} ! mp4mux"));
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let said = refused(&path);
    assert!(said.contains("has no index (moov)"), "{said}");
}
