//! Arbitrary bytes as any message of the device API: refused, or read and written without loss.
#![no_main]

use contract::package::open_manifest;
use contract::seal::SigningKey;
use contract::wire::{Announcement, Problem, Progress, Receipt};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|data: &[u8]| {
    if let Some(announcement) = again::<Announcement>(data) {
        let key = SigningKey::from_seed(&[7; 32]).verifying_key();
        let opened = open_manifest(&key, announcement.manifest.as_bytes(), &announcement.seal);
        assert!(opened.is_err(), "nobody sealed that");
    }
    again::<Progress>(data);
    again::<Problem>(data);
    again::<Receipt>(data);
});

/// Reads a message, and checks that writing and reading it again changes nothing.
fn again<T: Serialize + DeserializeOwned>(data: &[u8]) -> Option<T> {
    let message: T = serde_json::from_slice(data).ok()?;
    let written = serde_json::to_vec(&message).expect("plain fields");
    let second: T = serde_json::from_slice(&written).expect("what was read once reads again");
    assert_eq!(serde_json::to_vec(&second).expect("plain fields"), written);
    Some(message)
}
