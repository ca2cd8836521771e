//! The front of a pipeline: how encoded video enters, from a camera or a file, and how the branch
//! behind it is attached once the codec is known.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

use super::decoder::{self, Codec, make};
use super::shared::Shared;
use super::{Input, SourceError};

/// Where the video goes.
#[derive(Debug, Clone)]
pub struct Outlet {
    pub sink: gst_app::AppSink,
    /// As pictures, or as it was encoded.
    pub decoded: bool,
}

/// Adds the source elements for `input`; video is attached to the outlet when it appears.
pub fn build(
    pipeline: &gst::Pipeline,
    input: &Input,
    outlet: &Outlet,
    shared: &Arc<Shared>,
) -> Result<(), SourceError> {
    match input {
        Input::Rtsp { address, login } => {
            let source = make("rtspsrc")?;
            source.set_property("location", address.location());
            // UDP loses packets without a word; a junction's camera is one cable away.
            source.set_property_from_str("protocols", "tcp");
            source.set_property("latency", 200u32);
            source.set_property("tcp-timeout", 5_000_000u64);
            source.set_property("add-reference-timestamp-meta", true);
            // As properties, not in the address: so it lasts over redirections.
            if let Some(login) = login.as_ref().or(address.login()) {
                source.set_property("user-id", &login.user);
                source.set_property("user-pw", &login.password);
            }
            bound_redirections(&source, shared, &address.to_string());
            pipeline.add(&source).map_err(|e| SourceError::Element(e.to_string()))?;
            on_pads(&source, pipeline, outlet, shared, &address.to_string());
        }
        Input::File { path } => {
            let source = make("filesrc")?;
            source.set_property("location", path);
            let parse = make("parsebin")?;
            pipeline
                .add_many([&source, &parse])
                .and_then(|()| source.link(&parse))
                .map_err(|e| SourceError::Element(e.to_string()))?;
            on_pads(&parse, pipeline, outlet, shared, &path.display().to_string());
        }
    }
    Ok(())
}

/// Requests a camera may need before it describes its stream: a redirection and signing in anew
/// take up to four.
const REQUESTS: u32 = 24;

/// rtspsrc follows redirections for ever, thousands a second where they lead in a circle.
fn bound_redirections(source: &gst::Element, shared: &Arc<Shared>, address: &str) {
    let described = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&described);
    source.connect("on-sdp", false, move |_| {
        done.store(true, Ordering::Relaxed);
        None
    });
    let (shared, address, sent) = (Arc::clone(shared), address.to_owned(), AtomicU32::new(0));
    source.connect("before-send", false, move |_| {
        let count = sent.fetch_add(1, Ordering::Relaxed);
        let lost = count >= REQUESTS && !described.load(Ordering::Relaxed);
        if lost {
            shared.fail(SourceError::Redirected { address: address.clone() });
            // Until the source is closed; the thread is rtspsrc's own.
            std::thread::sleep(Duration::from_millis(200));
        }
        Some(true.to_value())
    });
}

/// Attaches the first video pad of `source`, drains every other one.
fn on_pads(
    source: &gst::Element,
    pipeline: &gst::Pipeline,
    outlet: &Outlet,
    shared: &Arc<Shared>,
    address: &str,
) {
    let (weak, outlet) = (pipeline.downgrade(), outlet.clone());
    let (on_pad, on_end) = (Arc::clone(shared), Arc::clone(shared));
    let (address, end_address) = (address.to_owned(), address.to_owned());
    source.connect_pad_added(move |_, pad| {
        let Some(pipeline) = weak.upgrade() else { return };
        if let Err(error) = pad_added(&pipeline, pad, &outlet, &on_pad, &address) {
            on_pad.fail(error);
        }
    });
    source.connect_no_more_pads(move |_| {
        if let Some(found) = on_end.only_other_streams() {
            on_end.fail(SourceError::Codec { address: end_address.clone(), found });
        }
    });
}

fn pad_added(
    pipeline: &gst::Pipeline,
    pad: &gst::Pad,
    outlet: &Outlet,
    shared: &Arc<Shared>,
    address: &str,
) -> Result<(), SourceError> {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let Some(form) = caps.structure(0) else { return Ok(()) };
    let rtp = form.name() == "application/x-rtp";
    let name = if rtp {
        form.get::<String>("encoding-name").unwrap_or_default()
    } else {
        form.name().to_string()
    };
    let video = if rtp {
        form.get::<String>("media").is_ok_and(|media| media == "video")
    } else {
        form.name().starts_with("video/") || form.name().starts_with("image/")
    };
    let known = Codec::from_name(&name);
    // Claimed before it is seen: streams come on threads of their own.
    let claimed = known.filter(|_| shared.claim());
    shared.saw(if video { format!("{name} video") } else { name.clone() });
    if let Some(codec) = claimed {
        shared.attach(attach(pipeline, pad, outlet, codec, rtp, shared)?);
        return Ok(());
    }
    // A picture track beside the video may be a cover; a video track of another codec is not.
    let cover = form.name() == "image/jpeg" || form.name() == "image/png";
    if known.is_none() && video && !cover && !shared.claimed() {
        let found = format!("{name} video");
        return Err(SourceError::Codec { address: address.into(), found });
    }
    drain(pipeline, pad)
}

/// Sinks a stream nobody wants.
fn drain(pipeline: &gst::Pipeline, pad: &gst::Pad) -> Result<(), SourceError> {
    let nothing = make("fakesink")?;
    nothing.set_property("sync", false);
    nothing.set_property("async", false);
    pipeline.add(&nothing).map_err(|e| SourceError::Element(e.to_string()))?;
    let linked = nothing.static_pad("sink").is_some_and(|sink| pad.link(&sink).is_ok());
    if !linked || nothing.sync_state_with_parent().is_err() {
        return Err(SourceError::Element("a stream could not be set aside".into()));
    }
    Ok(())
}

/// parser → encoded ring (probe) → sink, or → queue → decoder → upright progressive pictures → sink.
/// Gives the decoder's name.
fn attach(
    pipeline: &gst::Pipeline,
    pad: &gst::Pad,
    outlet: &Outlet,
    codec: Codec,
    rtp: bool,
    shared: &Arc<Shared>,
) -> Result<&'static str, SourceError> {
    let mut chain = Vec::new();
    if rtp {
        chain.push(make(codec.depayloader())?);
    }
    let parser = make(codec.parser())?;
    // Parameter sets before every key picture: a clip cut anywhere must decode by itself.
    parser.set_property("config-interval", -1i32);
    let form = make("capsfilter")?;
    let encoded = gst::Caps::builder(codec.media_type())
        .field("stream-format", "byte-stream")
        .field("alignment", "au")
        .build();
    form.set_property("caps", encoded);
    if let Some(out) = form.static_pad("src") {
        shared.tap_encoded(&out, codec);
    }
    if let Some(packets) = chain.first().and_then(|depayloader| depayloader.static_pad("sink")) {
        shared.tap_packets(&packets);
    }
    chain.extend([parser, form]);
    let mut name = "none";
    if outlet.decoded {
        let queue = make("queue")?;
        queue.set_property("max-size-buffers", 60u32);
        queue.set_property("max-size-bytes", 16u32 << 20);
        queue.set_property("max-size-time", 0u64);
        let (decoding, decoder) = decoder::chain(codec, shared.turn)?;
        shared.tap_decoder(&decoding[0]);
        chain.push(queue);
        chain.extend(decoding);
        name = decoder;
    }
    chain.push(outlet.sink.clone().upcast());
    let wrong = |e: gst::glib::BoolError| SourceError::Element(e.to_string());
    pipeline.add_many(&chain[..chain.len() - 1]).map_err(wrong)?;
    gst::Element::link_many(&chain).map_err(wrong)?;
    for element in chain.iter().rev() {
        element.sync_state_with_parent().map_err(wrong)?;
    }
    let linked = chain[0].static_pad("sink").is_some_and(|first| pad.link(&first).is_ok());
    if linked { Ok(name) } else { Err(SourceError::Element("video could not be linked".into())) }
}
