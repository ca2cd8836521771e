//! The keys of a lamp that is held against its wire.

use settings::Reader;

use super::model::Wired;
use crate::wire::Wire;

/// Pictures and wires come late by less than that.
const BEARS_MS: u64 = 1500;

/// `wired` and what belongs to it; `asked` where the camera can be asked for its inputs.
pub fn read(lamp: &Reader<'_>, asked: bool) -> Option<Wired> {
    let told = lamp.opt_text("wired");
    let bears_ms = lamp.integer("wire_bears_ms", BEARS_MS, (200, 10_000), "milliseconds");
    if !lamp.has("wired") && lamp.has("wire_bears_ms") {
        lamp.reject("wire_bears_ms", "belongs to `wired`: say where the lamp's wire ends, too");
    }
    match told?.parse() {
        Ok(Wire::Onvif { .. }) if !asked => {
            let problem =
                "is an input of the camera itself, which must be configured by `onvif` then";
            lamp.reject("wired", problem);
            None
        }
        Ok(at) => Some(Wired { at, bears_ms }),
        Err(problem) => {
            let problem: crate::wire::WireError = problem;
            lamp.reject("wired", problem.to_string());
            None
        }
    }
}
