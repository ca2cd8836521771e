//! Arbitrary bytes as the description of a release: refused, or one whose files stay in its folder,
//! read and written again without loss.
#![no_main]

use std::path::{Component, Path};

use contract::release::{MAX_BYTES, MAX_FILES, MAX_RELEASE_BYTES, Offer, Part, Release};
use contract::seal::{Purpose, SigningKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let key = SigningKey::from_seed(&[7; 32]);
    let keys = [key.verifying_key()];
    if let Ok(offer) = serde_json::from_slice::<Offer>(data) {
        let opened = Release::open(&keys, offer.release.as_bytes(), &offer.seal);
        assert!(opened.is_err(), "nobody signed that");
    }
    let first = match Release::parse(data) {
        Ok(release) => release,
        Err(error) => {
            assert!(error.to_string().len() < 2_000);
            return;
        }
    };
    assert!(first.files.len() <= MAX_FILES && first.bytes() <= MAX_BYTES);
    for file in &first.files {
        let path = Path::new(&file.path);
        assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{path:?}");
        assert!(Part::ALL.iter().any(|part| path.starts_with(part.folder())), "{path:?}");
    }
    let written = first.to_bytes();
    // Indentation and escapes may take an accepted description over the bound.
    if written.len() > MAX_RELEASE_BYTES {
        return;
    }
    assert_eq!(Release::parse(&written), Ok(first.clone()));
    let seal = key.sign_detached(Purpose::Release, &written);
    assert_eq!(Release::open(&keys, &written, &seal), Ok(first));
});
