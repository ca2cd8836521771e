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
    first.missing_roles();
    let _ = Head::default().advance(&first, data);

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
    assert_eq!(first, second);
});
