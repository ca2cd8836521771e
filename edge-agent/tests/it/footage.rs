//! Small recordings made on the spot: a grey road, a bright vehicle driving up it, a lamp head.
//! They are encoded and muxed by GStreamer, so that the whole pipeline is under test.

use std::path::Path;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

pub const WIDTH: usize = 320;
pub const HEIGHT: usize = 240;
pub const FPS: u64 = 25;

/// The vehicle's box in picture `i`, pixels: over the line (y = 144) after two seconds.
pub fn vehicle(i: u64) -> Option<[usize; 4]> {
    let bottom = 228.0 - 84.0 * i as f64 / (2 * FPS) as f64;
    (bottom > 40.0).then(|| [150, bottom as usize - 30, 170, bottom as usize])
}

/// Picture `i`, the vehicle where it is in picture `driven`.
fn paint(i: u64, driven: u64, width: usize, height: usize) -> Vec<u8> {
    // A living sensor's noise: pictures that only repeat one another are no sight.
    let noise = |p: usize| (p as u64 * 31 + i * 17).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60;
    let mut data: Vec<u8> = (0..width * height).map(|p| 82 + noise(p) as u8).collect();
    data.resize(width * height * 3 / 2, 128);
    let scale = |v: usize, whole: usize, of: usize| v * whole / of;
    if let Some([x1, y1, x2, y2]) = vehicle(driven) {
        for y in scale(y1, height, HEIGHT)..scale(y2, height, HEIGHT) {
            for x in scale(x1, width, WIDTH)..scale(x2, width, WIDTH) {
                data[y * width + x] = 235;
            }
        }
    }
    // A head at x 0.9–0.95, y 0.05–0.20 with the upper third red.
    for y in height * 5 / 100..height * 20 / 100 {
        for x in width * 90 / 100..width * 95 / 100 {
            let lit = y < height * 10 / 100;
            data[y * width + x] = if lit { 150 } else { 30 };
            if lit {
                let v = width * height * 5 / 4 + (y / 2) * (width / 2) + x / 2;
                data[v] = 215;
            }
        }
    }
    data
}

/// Encodes `seconds` of the road; `encoder` is the part of the pipeline from pixels to container.
pub fn record(path: &Path, size: (usize, usize), seconds: u64, encoder: &str) {
    record_later(path, size, 0, seconds, encoder);
}

/// As [`record`], the vehicle standing for `wait` seconds before it drives; `seconds` in all.
pub fn record_later(
    path: &Path,
    (width, height): (usize, usize),
    wait: u64,
    seconds: u64,
    encoder: &str,
) {
    let caps = format!("video/x-raw,format=I420,width={width},height={height},framerate={FPS}/1");
    let pictures = (0..seconds * FPS)
        .map(|i| (i * 1_000_000_000 / FPS, paint(i, i.saturating_sub(wait * FPS), width, height)));
    encode(path, &caps, pictures, encoder);
}

/// The road in noise that costs some 80 Mbit/s, after one key picture; seeded.
pub fn record_noisy(path: &Path, wait: u64, seconds: u64) {
    let (width, height) = (2 * WIDTH, 2 * HEIGHT);
    let caps = format!("video/x-raw,format=I420,width={width},height={height},framerate={FPS}/1");
    let mut state = 1u32;
    let pictures = (0..seconds * FPS).map(|i| {
        let mut data = paint(i, i.saturating_sub(wait * FPS), width, height);
        for value in &mut data[..width * height] {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // The vehicle and the lamp stay what they are.
            if (82..98).contains(value) {
                *value = 60 + (state >> 26) as u8;
            }
        }
        (i * 1_000_000_000 / FPS, data)
    });
    let encoder =
        "x264enc key-int-max=100000 bframes=0 speed-preset=ultrafast pass=quant quantizer=4";
    encode(path, &caps, pictures, &format!("{encoder} ! mp4mux"));
}

/// A pipeline's description: what stands before the encoded video, the way of the video from pixels
/// on, and what ends in the file.
#[derive(Default)]
pub struct Parts<'a> {
    pub first: &'a str,
    pub video: &'a str,
    pub last: &'a str,
}

/// Encodes pictures at their times (nanoseconds); `rest` leads from pixels to container.
pub fn encode(
    path: &Path,
    caps: &str,
    pictures: impl IntoIterator<Item = (u64, Vec<u8>)>,
    rest: &str,
) {
    let (video, last) = rest.rsplit_once('!').unwrap();
    let video = format!("{video} ! mux.");
    let last = format!("{last} name=mux");
    // Without a muxer the stream itself is the file.
    let parts = match rest.contains("mux") {
        true => Parts { first: "", video: &video, last: &last },
        false => Parts { first: "", video: rest, last: "" },
    };
    encode_with(path, caps, pictures, &parts);
}

/// As [`encode`], with more than one stream.
pub fn encode_with(
    path: &Path,
    caps: &str,
    pictures: impl IntoIterator<Item = (u64, Vec<u8>)>,
    parts: &Parts<'_>,
) {
    gst::init().unwrap();
    let Parts { first, video, last } = parts;
    let file = format!("filesink location={}", path.display());
    let video = format!("appsrc name=source format=time caps=\"{caps}\" ! {video}");
    let description = match last.is_empty() {
        true => format!("{video} ! {file}"),
        false => format!("{last} ! {file} {first} {video}"),
    };
    let pipeline = gst::parse::launch(&description).unwrap().downcast::<gst::Pipeline>().unwrap();
    let source = pipeline.by_name("source").unwrap().downcast::<gst_app::AppSrc>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    for (pts, data) in pictures {
        let mut buffer = gst::Buffer::from_mut_slice(data);
        let frame = buffer.get_mut().unwrap();
        frame.set_pts(gst::ClockTime::from_nseconds(pts));
        frame.set_duration(gst::ClockTime::from_nseconds(1_000_000_000 / FPS));
        source.push_buffer(buffer).unwrap();
    }
    source.end_of_stream().unwrap();
    let bus = pipeline.bus().unwrap();
    let done = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(gst::ClockTime::from_seconds(60), &done).unwrap();
    assert_eq!(message.type_(), gst::MessageType::Eos, "{message:?}");
    pipeline.set_state(gst::State::Null).unwrap();
}

/// H.264 with a key picture a second and B pictures, as real recordings have.
pub const H264: &str = "x264enc key-int-max=25 bframes=2 speed-preset=ultrafast ! mp4mux";
pub const H265: &str =
    "x265enc key-int-max=25 speed-preset=ultrafast log-level=error ! h265parse ! mp4mux";
pub const JPEG: &str = "jpegenc ! matroskamux";

/// The site of the painted road.
pub const SITE: &str = r#"
[[camera]]
id = "painted"
place = "Đường thử"
direction = "Nam → Bắc"
plan = "THU"
stop_line = [[0.1, 0.6], [0.9, 0.6]]
approach = [[0.1, 1.0], [0.1, 0.6], [0.9, 0.6], [0.9, 1.0]]
exits = [{ movement = "straight", line = [[0.2, 0.3], [0.8, 0.3]] }]
[[camera.lamp]]
name = "main"
region = [0.90, 0.05, 0.05, 0.15]
controls = ["straight", "left"]
"#;
