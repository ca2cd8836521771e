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

fn paint(i: u64, width: usize, height: usize) -> Vec<u8> {
    // A living sensor's noise: pictures that only repeat one another are no sight.
    let noise = |p: usize| (p as u64 * 31 + i * 17).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60;
    let mut data: Vec<u8> = (0..width * height).map(|p| 82 + noise(p) as u8).collect();
    data.resize(width * height * 3 / 2, 128);
    let scale = |v: usize, whole: usize, of: usize| v * whole / of;
    if let Some([x1, y1, x2, y2]) = vehicle(i) {
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
pub fn record(path: &Path, (width, height): (usize, usize), seconds: u64, encoder: &str) {
    gst::init().unwrap();
    let description = format!(
        "appsrc name=source format=time caps=video/x-raw,format=I420,width={width},height={height},\
         framerate={FPS}/1 ! {encoder} ! filesink location={}",
        path.display()
    );
    let pipeline = gst::parse::launch(&description).unwrap().downcast::<gst::Pipeline>().unwrap();
    let source = pipeline.by_name("source").unwrap().downcast::<gst_app::AppSrc>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    for i in 0..seconds * FPS {
        let mut buffer = gst::Buffer::from_mut_slice(paint(i, width, height));
        let frame = buffer.get_mut().unwrap();
        frame.set_pts(gst::ClockTime::from_nseconds(i * 1_000_000_000 / FPS));
        frame.set_duration(gst::ClockTime::from_nseconds(1_000_000_000 / FPS));
        source.push_buffer(buffer).unwrap();
    }
    source.end_of_stream().unwrap();
    let bus = pipeline.bus().unwrap();
    let done = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(gst::ClockTime::from_seconds(30), &done).unwrap();
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
