//! Real encoders' streams with pictures taken out: what refers to them is named, up to the next
//! recovery and no further.

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

use super::*;

const FRAME: Nanos = 40_000_000;

#[derive(Debug, Clone)]
struct Unit {
    data: Vec<u8>,
    pts: Nanos,
    dts: Option<Nanos>,
    key: bool,
}

/// Encodes a moving test picture with `encoder` (down to byte-stream access units).
fn encode(encoder: &str, pictures: u32) -> Vec<Unit> {
    gst::init().unwrap();
    let text = format!(
        "videotestsrc num-buffers={pictures} pattern=ball ! video/x-raw,width=320,height=192,\
         framerate=25/1,format=I420 ! {encoder} ! appsink name=sink sync=false"
    );
    let pipeline = gst::parse::launch(&text).unwrap().downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("sink").unwrap().downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut units = Vec::new();
    while let Ok(sample) = sink.pull_sample() {
        let buffer = sample.buffer().unwrap();
        units.push(Unit {
            data: buffer.map_readable().unwrap().to_vec(),
            pts: buffer.pts().unwrap().nseconds(),
            dts: buffer.dts().map(gst::ClockTime::nseconds),
            key: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
        });
    }
    pipeline.set_state(gst::State::Null).unwrap();
    let first = units[0].dts.unwrap_or(0).min(units[0].pts);
    for unit in &mut units {
        unit.pts -= first;
        unit.dts = unit.dts.map(|dts| dts - first);
    }
    assert_eq!(units.len() as u32, pictures, "{encoder}");
    units
}

fn h264(options: &str) -> String {
    format!(
        "x264enc speed-preset=ultrafast threads=1 {options} ! h264parse config-interval=-1 ! \
         video/x-h264,stream-format=byte-stream,alignment=au"
    )
}

fn h265(options: &str) -> String {
    format!(
        "x265enc speed-preset=ultrafast log-level=error {options} ! h265parse config-interval=-1 ! \
         video/x-h265,stream-format=byte-stream,alignment=au"
    )
}

fn judge(codec: Codec, units: &[Unit]) -> (Vec<Option<Damage>>, Vec<Damage>) {
    let mut continuity = Continuity::new(codec);
    let judged = units
        .iter()
        .map(|unit| continuity.unit(&unit.data, unit.pts, unit.dts, false).damage)
        .collect();
    (judged, continuity.losses())
}

/// The streams of real cameras and recorders, each with a key picture at least every 25.
fn streams() -> Vec<(Codec, String)> {
    vec![
        (Codec::H264, h264("key-int-max=25 bframes=0")),
        (Codec::H264, h264("key-int-max=25 bframes=0 ref=4")),
        (Codec::H264, h264("key-int-max=25 bframes=3 b-pyramid=true ref=3 weightb=true")),
        (Codec::H264, h264("key-int-max=25 bframes=0 sliced-threads=true option-string=slices=4")),
        (Codec::H264, h264("key-int-max=25 bframes=2 option-string=open-gop=1:scenecut=0")),
        (Codec::H264, h264("key-int-max=25 bframes=0 cabac=false interlaced=true")),
        (Codec::H265, h265("key-int-max=25 option-string=bframes=0:open-gop=0")),
        (Codec::H265, h265("key-int-max=25 option-string=bframes=4:b-pyramid=1:open-gop=0")),
        (Codec::H265, h265("key-int-max=25 option-string=bframes=3:open-gop=1:scenecut=0")),
        (Codec::H265, h265("key-int-max=25 option-string=bframes=0:ref=4:slices=3")),
    ]
}

#[test]
fn whole_streams_are_believed() {
    for (codec, encoder) in streams() {
        let units = encode(&encoder, 120);
        let (judged, losses) = judge(codec, &units);
        let doubted = judged.iter().filter(|damage| damage.is_some()).count();
        assert_eq!((doubted, losses.as_slice()), (0, [].as_slice()), "{encoder}: {judged:?}");
    }
}

#[test]
fn a_lost_reference_is_named_until_the_next_key_picture_and_no_longer() {
    for (codec, encoder) in streams() {
        let whole = encode(&encoder, 120);
        let mut named = 0;
        for lost in 26..100 {
            if whole[lost].key {
                continue;
            }
            let mut units = whole.clone();
            units.remove(lost);
            let (judged, losses) = judge(codec, &units);
            let next_key = (lost..units.len()).find(|&i| units[i].key).unwrap();
            // Before it in decoding order nothing is touched.
            assert!(judged[..lost].iter().all(Option::is_none), "{encoder} {lost}");
            // From the next key picture on, in the order shown, nothing either.
            let after = units.iter().zip(&judged).skip(next_key);
            let touched =
                after.filter(|(u, d)| u.pts >= units[next_key].pts && d.is_some()).count();
            assert_eq!(touched, 0, "{encoder} {lost}");
            if losses.is_empty() {
                continue;
            }
            named += 1;
            let until = (lost..next_key).filter(|&i| judged[i].is_some()).count();
            assert_eq!(until, next_key - lost, "{encoder}: all between are doubted, lost {lost}");
            assert_eq!(judged[lost], Some(Damage::PictureLost));
        }
        // Where every picture is a reference every loss is named, but right before a key picture,
        // where it harms nothing; so it is with B pictures that nothing refers to.
        let all = (26..100).filter(|&i| !whole[i].key && !whole[i + 1].key).count();
        let least = if encoder.contains("bframes=0") { all } else { all / 5 };
        assert!(named >= least, "{encoder}: {named} of {all}");
    }
}

#[test]
fn a_gradual_refresh_recovers_without_a_key_picture() {
    let encoder = h264("key-int-max=30 bframes=0 intra-refresh=true");
    let whole = encode(&encoder, 150);
    let (judged, losses) = judge(Codec::H264, &whole);
    assert_eq!(losses, []);
    assert!(judged.iter().all(Option::is_none), "{judged:?}");
    let mut units = whole;
    units.remove(40);
    let (judged, losses) = judge(Codec::H264, &units);
    assert_eq!(losses, [Damage::PictureLost]);
    let recovered = (40..judged.len()).find(|&i| judged[i].is_none()).unwrap();
    // A sweep starts every 30 pictures and takes as long: the one under way is spoilt.
    assert!((60..=125).contains(&recovered), "{recovered}");
    assert!(judged[recovered..].iter().all(Option::is_none));
}

#[test]
fn a_stream_joined_between_key_pictures_waits_for_one() {
    for (codec, encoder) in
        streams().into_iter().take(1).chain(streams().into_iter().skip(6).take(1))
    {
        let units = encode(&encoder, 60);
        // Parameter sets stand before the key picture; a joined stream gets them beforehand.
        let (judged, _) = judge(codec, &units[10..]);
        assert!(judged[..15].iter().all(Option::is_some), "{encoder}");
        assert!(judged[15..].iter().all(Option::is_none), "{encoder} {judged:?}");
    }
}

#[test]
fn a_hole_as_long_as_a_turn_of_the_numbers_is_a_loss_too() {
    let units = encode(&h264("key-int-max=200 bframes=0 ref=1"), 120);
    let mut continuity = Continuity::new(Codec::H264);
    continuity.unit(&units[0].data, 0, None, false);
    let turn = continuity.headers.turn() as usize;
    assert!(turn < 80, "{turn}");
    for turns in [1, 2] {
        if 40 + turns * turn >= 119 {
            continue;
        }
        let mut holed = units.clone();
        holed.drain(40..40 + turns * turn);
        let (judged, losses) = judge(Codec::H264, &holed);
        assert_eq!(losses, [Damage::PictureLost], "{turns} turns of {turn}");
        assert!(judged[40..].iter().all(Option::is_some));
    }
}

#[test]
fn lost_packets_tear_the_units_they_belong_to_even_a_key_picture() {
    let units = encode(&h264("key-int-max=25 bframes=0"), 80);
    let mut continuity = Continuity::new(Codec::H264);
    let torn = units[25].pts;
    let judged: Vec<Option<Damage>> = units
        .iter()
        .enumerate()
        .map(|(i, unit)| {
            // Noticed a little before the parser lets the unit through.
            if i == 24 {
                continuity.tear(torn, torn);
            }
            continuity.unit(&unit.data, unit.pts, unit.dts, false).damage
        })
        .collect();
    assert!(units[25].key);
    assert!(judged[..25].iter().all(Option::is_none));
    assert!(judged[25..50].iter().all(|damage| *damage == Some(Damage::PacketLost)), "{judged:?}");
    assert!(judged[50..].iter().all(Option::is_none));
}

#[test]
fn foreign_bytes_are_survived_and_doubted() {
    use rand::{RngExt, SeedableRng, rngs::StdRng};
    let mut random = StdRng::seed_from_u64(7);
    for (codec, encoder) in
        [(Codec::H264, h264("key-int-max=25")), (Codec::H265, h265("key-int-max=25"))]
    {
        let units = encode(&encoder, 30);
        for _ in 0..300 {
            let mut continuity = Continuity::new(codec);
            for unit in &units {
                let mut data = unit.data.clone();
                let front = data.len().min(80);
                for _ in 0..3 {
                    let at = random.random_range(4..front.max(5));
                    if let Some(byte) = data.get_mut(at) {
                        *byte = random.random();
                    }
                }
                continuity.unit(&data, unit.pts, unit.dts, false);
            }
        }
        let mut continuity = Continuity::new(codec);
        for unit in &units[..5] {
            continuity.unit(&unit.data, unit.pts, unit.dts, false);
        }
        // After the delimiter's and the messages' start codes the slice's own is the last.
        let whole = &units[5].data;
        let slice = whole.windows(3).rposition(|code| code == [0, 0, 1]).unwrap();
        let judged = continuity.unit(&whole[..slice + 5], 5 * FRAME, None, false);
        assert!(judged.damage.is_some(), "a unit cut within its header");
    }
}
