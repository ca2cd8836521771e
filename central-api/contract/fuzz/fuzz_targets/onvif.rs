//! Arbitrary bytes as any answer or datagram of a camera: read or refused, within bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| edge_agent::onvif::read_as_everything(data));
