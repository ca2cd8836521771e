//! Arbitrary bytes as a manifest: refused, or read and written again without loss.
#![no_main]

use contract::Manifest;
use contract::chain::Head;
use contract::manifest::MAX_MANIFEST_BYTES;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let first = match Manifest::parse(data) {
        Ok(manifest) => manifest,
        Err(error) => {
            assert!(error.to_string().len() < 2_000);
            return;
        }
    };
    let _ = (first.main_moment(), first.violation.facts.measured());
    let _ = Head::default().advance(&first, data);

    // Older versions are read, never written.
    if first.version < contract::manifest::VERSION {
        return;
    }
    let written = first.to_bytes();
    // Indentation and escapes may take an accepted manifest over the bound.
    if written.len() > MAX_MANIFEST_BYTES {
        return;
    }
    let mut second = Manifest::parse(&written).expect("what was accepted once is accepted again");
    // A fraction's last bit may differ after reading; everything else is equal.
    assert_eq!(first.camera.gps.is_some(), second.camera.gps.is_some());
    second.camera.gps = first.camera.gps;
    if let (Some(first), Some(second)) = (&first.plate, &mut second.plate) {
        second.confidence = first.confidence;
    }
    let same_facts = first.violation.facts.family() == second.violation.facts.family();
    assert!(same_facts, "{first:?} {second:?}");
    second.violation.facts = first.violation.facts.clone();
    assert_eq!(first, second);
});
