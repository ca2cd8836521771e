//! What the software decoder says of pictures it had to make up. libav fills in lost and damaged
//! parts without a word to the pipeline, but tells its log; it decodes in the thread that hands it
//! the unit, so whatever is said there between two units is about the first.

use std::cell::Cell;
use std::sync::Once;

use gstreamer as gst;

thread_local! {
    static COMPLAINTS: Cell<u32> = const { Cell::new(0) };
}

/// Said of streams that are odd but whole.
const HARMLESS: [&str; 2] = ["number of reference frames", "Increasing reorder buffer"];

/// Listens to the decoder's log from now on.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Some(category) = gst::DebugCategory::get("libav") else { return };
        // Complaints are counted here; printed they are only for whoever asked for GStreamer's log.
        if std::env::var_os("GST_DEBUG").is_none() {
            gst::log::remove_default_log_function();
        }
        if category.threshold() < gst::DebugLevel::Info {
            category.set_threshold(gst::DebugLevel::Info);
        }
        gst::log::add_log_function(
            move |from, level, _file, _function, _line, _object, message| {
                if from != category {
                    return;
                }
                let said = message.get().unwrap_or_default();
                if complains(level, &said) {
                    COMPLAINTS.set(COMPLAINTS.get() + 1);
                }
            },
        );
    });
}

fn complains(level: gst::DebugLevel, said: &str) -> bool {
    let serious = level == gst::DebugLevel::Error || said.contains("concealing");
    serious && !HARMLESS.iter().any(|harmless| said.contains(harmless))
}

/// Whether this thread's decoder complained since last asked.
pub fn complained() -> bool {
    COMPLAINTS.replace(0) > 0
}
